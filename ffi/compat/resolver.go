package main

/*
#include "shim.h"
*/
import "C"

import (
	"unicode/utf8"
	"unsafe"

	"libglide/routing"
)

// resolver is the host's own way from the address of a node to the one that is connected to.
type resolver struct {
	callback C.AddressResolverCallback // nil: there is none
	clientID C.uintptr_t
}

// maxHost is the room that the host has for a name.
const maxHost = 1024

// resolve asks the host. Where it has no answer, or one that is none, the address stays.
func (r resolver) resolve(announced routing.Address) routing.Address {
	host := C.CString(announced.Host)
	defer C.free(unsafe.Pointer(host))
	room := C.malloc_or_null(maxHost)
	if room == nil {
		return announced
	}
	defer C.free(room)
	var length C.size_t
	port := C.call_resolver(r.callback, r.clientID, (*C.uint8_t)(unsafe.Pointer(host)), C.size_t(len(announced.Host)),
		C.uint16_t(announced.Port), (*C.uint8_t)(room), maxHost, &length)
	if port == 0 || length == 0 || length > maxHost {
		return announced
	}
	name := C.GoStringN((*C.char)(room), C.int(length))
	if !utf8.ValidString(name) || routing.CheckHost(name) != nil {
		return announced
	}
	return routing.NewAddress(name, uint16(port))
}
