// Package threads has the Go runtime wait for a thread that the system refuses. By itself the
// runtime tries for 210 ms and then aborts the process, which is the host's.
package threads

// #cgo LDFLAGS: -Wl,--wrap=pthread_create
import "C"
