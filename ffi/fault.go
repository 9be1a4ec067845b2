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
	variable := C.CString("LIBGLIDE_FAULT")
	defer C.free(unsafe.Pointer(variable))
	if wanted := C.getenv(variable); wanted != nil && C.GoString(wanted) == place {
		panic("the fault of " + place)
	}
}
