//go:build faults

package main

/*
#cgo CFLAGS: -DGLIDE_FAULTS
#include <stdlib.h>
*/
import "C"

import (
	"unsafe"
)

// fault panics where the variable LIBGLIDE_FAULT names the place. Only a library that is built with
// the tag faults, to be tested, can do so.
func fault(place string) {
	if faulty(place) {
		panic("the fault of " + place)
	}
}

// longest is how long a response may be: a MiB where the variable says "response", else as ever.
func longest() int {
	if faulty("response") {
		return 1 << 20
	}
	return maxResponse
}

func faulty(place string) bool {
	variable := C.CString("LIBGLIDE_FAULT")
	defer C.free(unsafe.Pointer(variable))
	wanted := C.getenv(variable)
	return wanted != nil && C.GoString(wanted) == place
}
