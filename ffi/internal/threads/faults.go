//go:build faults

package threads

// #cgo CFLAGS: -DGLIDE_FAULTS
import "C"
