// Package threads stands between the Go runtime and the system where it makes a thread. It has the
// runtime wait for one that the system refuses: by itself it tries for 210 ms and then aborts the
// process, which is the host's. And it has the thread that watches the others do so less often.
package threads

// #cgo LDFLAGS: -Wl,--wrap=pthread_create
import "C"
