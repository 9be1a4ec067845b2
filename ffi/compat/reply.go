package main

/*
#include "shim.h"
*/
import "C"

import (
	"strings"
	"unsafe"

	"libglide/ffi/compat/convert"
	"libglide/routing"
)

// A result is one block of C memory: the CommandResult, the nodes of the reply, and the bytes of
// its strings. So it is freed at once.

// size is what a reply takes.
type size struct {
	nodes, bytes int
	fault        *routing.Value // the first error in it
}

func (s *size) add(v *routing.Value) {
	s.nodes++
	switch v.Kind {
	case routing.KindBulk, routing.KindSimple, routing.KindBigNumber, routing.KindVerbatim:
		s.bytes += len(v.Text) + 1
	case routing.KindError:
		if s.fault == nil {
			s.fault = v
		}
		s.bytes += len(v.Text) + 1
	case routing.KindMap:
		s.nodes += len(v.Items) / 2 // the entries
		fallthrough
	case routing.KindArray, routing.KindSet:
		for i := range v.Items {
			s.add(&v.Items[i])
		}
	}
}

// arena is the room that is left in a block.
type arena struct {
	nodes []C.CommandResponse
	bytes []byte
}

// succeed makes the result of a reply; nil where memory is short. Errors in it are elements where
// they may be, and hold their texts; else the first, the line of a server, fails the whole.
func succeed(v *routing.Value, errorsMayBe bool) *C.CommandResult {
	var need size
	need.add(v)
	if need.fault != nil && !errorsMayBe {
		return fail(refusedBy(string(need.fault.Text)))
	}
	block := C.malloc_or_null(C.size_t(C.sizeof_CommandResult + need.nodes*C.sizeof_CommandResponse + need.bytes))
	if block == nil {
		return nil
	}
	nodes := unsafe.Add(block, C.sizeof_CommandResult)
	room := arena{
		unsafe.Slice((*C.CommandResponse)(nodes), need.nodes),
		unsafe.Slice((*byte)(unsafe.Add(nodes, need.nodes*C.sizeof_CommandResponse)), need.bytes),
	}
	clear(room.nodes)
	root := room.take(1)
	room.fill(&root[0], v)
	root[0].user_data = block
	result := (*C.CommandResult)(block)
	*result = C.CommandResult{response: &root[0], arena: block}
	return result
}

func (a *arena) take(count int) []C.CommandResponse {
	taken := a.nodes[:count:count]
	a.nodes = a.nodes[count:]
	return taken
}

// fill writes a value into its node. Elements stand side by side, so their nodes are taken before
// those of what is in them.
func (a *arena) fill(node *C.CommandResponse, v *routing.Value) {
	switch v.Kind {
	case routing.KindInteger:
		node.response_type, node.int_value = C.GLIDE_RESPONSE_INT, C.long(v.Integer)
	case routing.KindDouble:
		node.response_type, node.float_value = C.GLIDE_RESPONSE_FLOAT, C.double(v.Double)
	case routing.KindBoolean:
		node.response_type, node.bool_value = C.GLIDE_RESPONSE_BOOL, v.Integer != 0
	case routing.KindSimple:
		if string(v.Text) == "OK" {
			node.response_type = C.GLIDE_RESPONSE_OK
			return
		}
		a.write(node, C.GLIDE_RESPONSE_STRING, v.Text)
	case routing.KindBulk, routing.KindBigNumber:
		a.write(node, C.GLIDE_RESPONSE_STRING, v.Text)
	case routing.KindVerbatim:
		a.write(node, C.GLIDE_RESPONSE_STRING, convert.Verbatim(v.Text))
	case routing.KindError:
		a.write(node, C.GLIDE_RESPONSE_ERROR, v.Text)
	case routing.KindArray:
		node.response_type = C.GLIDE_RESPONSE_ARRAY
		node.array_value, node.array_value_len = a.elements(v.Items)
	case routing.KindSet:
		node.response_type = C.GLIDE_RESPONSE_SETS
		node.sets_value, node.sets_value_len = a.elements(v.Items)
	case routing.KindMap:
		node.response_type = C.GLIDE_RESPONSE_MAP
		node.array_value, node.array_value_len = a.entries(v.Items)
	}
}

// write puts text into the block, with a NUL behind it for those who read it as a C string.
func (a *arena) write(node *C.CommandResponse, kind C.int, text []byte) {
	n := copy(a.bytes, text)
	a.bytes[n] = 0
	node.response_type, node.string_value_len = kind, C.long(n)
	node.string_value = (*C.char)(unsafe.Pointer(&a.bytes[0]))
	a.bytes = a.bytes[n+1:]
}

func (a *arena) elements(items []routing.Value) (*C.CommandResponse, C.long) {
	nodes := a.take(len(items))
	for i := range items {
		a.fill(&nodes[i], &items[i])
	}
	return unsafe.SliceData(nodes), C.long(len(items))
}

// entries is elements for the keys and values of a map, each pair behind an entry of its own.
func (a *arena) entries(items []routing.Value) (*C.CommandResponse, C.long) {
	count := len(items) / 2
	entries := a.take(count)
	sides, _ := a.elements(items)
	nodes := unsafe.Slice(sides, len(items))
	for i := range entries {
		entries[i].map_key, entries[i].map_value = &nodes[2*i], &nodes[2*i+1]
	}
	return unsafe.SliceData(entries), C.long(count)
}

// fail makes the result of an error; nil where memory is short.
func fail(why *failure) *C.CommandResult {
	message := cText(why.text)
	defer C.free(unsafe.Pointer(message))
	return C.compat_refuse(C.int(why.kind), message)
}

// protected is the result of an export; of one that panics, as over arguments that are not there, the
// error that names the place.
func protected(export func() *C.CommandResult) *C.CommandResult {
	result, err := guarded(func() (*C.CommandResult, error) { return export(), nil })
	if err != nil {
		return fail(asFailure(err))
	}
	return result
}

// cText is text as NUL-terminated UTF-8, to be freed. What a server says may be neither.
func cText(text string) *C.char {
	return C.CString(strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD"))
}

// free is free_command_result, for tests, which cannot call C.
func free(result unsafe.Pointer) { C.free_command_result((*C.CommandResult)(result)) }
