package main

/*
#include "shim.h"
*/
import "C"

import (
	"crypto/sha1"
	"encoding/hex"
	"sync"
	"unicode/utf8"
	"unsafe"

	"libglide/core"
	"libglide/routing"
)

// scriptStore keeps scripts for as long as somebody counts on them, by the SHA-1 of their text.
type scriptStore struct {
	mu    sync.Mutex
	bySHA map[string]*script
}

type script struct {
	text  []byte
	users int
}

var scripts = scriptStore{bySHA: make(map[string]*script)}

// add counts one more user of a script and returns its digits.
func (s *scriptStore) add(text []byte) string {
	sum := sha1.Sum(text)
	digits := hex.EncodeToString(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bySHA[digits] == nil {
		s.bySHA[digits] = &script{text: text}
	}
	s.bySHA[digits].users++
	return digits
}

func (s *scriptStore) drop(digits string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.bySHA[digits]; kept != nil {
		if kept.users--; kept.users == 0 {
			delete(s.bySHA, digits)
		}
	}
}

// text is nil where the script is not kept.
func (s *scriptStore) text(digits string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.bySHA[digits]; kept != nil {
		return kept.text
	}
	return nil
}

//export compatStoreScript
func compatStoreScript(text unsafe.Pointer, size C.size_t) *C.ScriptHashBuffer {
	digits := scripts.add(append([]byte{}, unsafe.Slice((*byte)(text), int(size))...))
	block := C.malloc_or_null(C.size_t(C.sizeof_ScriptHashBuffer + len(digits)))
	if block == nil {
		scripts.drop(digits)
		return nil
	}
	room := unsafe.Add(block, C.sizeof_ScriptHashBuffer)
	copy(unsafe.Slice((*byte)(room), len(digits)), digits)
	buffer := (*C.ScriptHashBuffer)(block)
	*buffer = C.ScriptHashBuffer{(*C.uint8_t)(room), C.size_t(len(digits)), C.size_t(len(digits))}
	return buffer
}

//export compatDropScript
func compatDropScript(digits *C.uint8_t, size C.size_t) *C.char {
	text := string(unsafe.Slice((*byte)(digits), int(size)))
	if !utf8.ValidString(text) {
		return C.CString("Unable to convert hash to UTF-8 string.")
	}
	scripts.drop(text)
	return nil
}

//export compatInvokeScript
func compatInvokeScript(call *C.compat_script) *C.CommandResult {
	c, unknown := find(uintptr(unsafe.Pointer(call.client)))
	if unknown != nil {
		return fail(unknown)
	}
	route, err := c.routeOf(&call.route)
	if err == nil && call.hash == nil {
		err = clientFault("Hash pointer was null.- ClientError")
	}
	if err != nil {
		return c.answer(call.request_id, func() reply { return reply{err: err} })
	}
	script := &core.Script{Hash: C.GoString(call.hash), Keys: readWords(nil, &call.keys), Args: readWords(nil, &call.args)}
	script.Source = scripts.text(script.Hash)
	return c.answer(call.request_id, func() reply {
		words, err := script.Words()
		if err != nil {
			return reply{err: err}
		}
		return c.run(&core.Request{Request: routing.Request{Words: words, Route: route}, Script: script})
	})
}
