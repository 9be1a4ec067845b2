package main

/*
#include "shim.h"
*/
import "C"

import (
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"sync"
	"time"
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
	return protected(func() *C.CommandResult {
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
		return c.answer(call.request_id, func() reply { return c.invoke(script, route) })
	})
}

// invoke runs a script. Where a server has not got it, all get it, as callers of SCRIPT SHOW and
// SCRIPT EXISTS expect, and it is run again; its source then goes along for one that forgot it
// meanwhile. All of that has the time of one request.
func (c *client) invoke(script *core.Script, route routing.Route) reply {
	began := time.Now()
	words, err := script.Words()
	if err != nil {
		return reply{err: err}
	}
	request := &core.Request{Request: routing.Request{Words: words, Route: route}, Script: script}
	first := c.run(request)
	if first.err == nil || !lacksScript(first.err) {
		return first
	}
	if script.Source = scripts.text(script.Hash); script.Source == nil {
		return first
	}
	load := &core.Request{Request: routing.Request{Words: [][]byte{[]byte("SCRIPT"), []byte("LOAD"), script.Source}}}
	for _, next := range []*core.Request{load, request} {
		if next.Timeout = c.config.RequestTimeout - time.Since(began); next.Timeout <= 0 {
			return reply{err: &failure{timedOut, "timed out"}}
		}
		if first = c.run(next); first.err != nil {
			return first
		}
	}
	return first
}

// lacksScript says whether one of the nodes has not got the script.
func lacksScript(err error) bool {
	return strings.HasPrefix(asFailure(err).text, "An error was signalled by the server: - NoScriptError")
}
