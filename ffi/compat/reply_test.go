package main

import (
	"encoding/binary"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"libglide/routing"
)

// node reads a CommandResponse as bindings do: at fixed offsets.
type node struct{ at unsafe.Pointer }

func (n node) word(offset uintptr) uintptr { return *(*uintptr)(unsafe.Add(n.at, offset)) }
func (n node) kind() int                   { return int(*(*int32)(n.at)) }
func (n node) child(offset uintptr) node {
	return node{*(*unsafe.Pointer)(unsafe.Add(n.at, offset))}
}

// read is the value in terms that tests can write down.
func (n node) read() any {
	list := func(offset uintptr) []any {
		items := []any{}
		for i := range n.word(offset + 8) {
			items = append(items, node{unsafe.Add(n.child(offset).at, i*104)}.read())
		}
		return items
	}
	switch n.kind() {
	case 1:
		return int(n.word(8))
	case 2:
		return *(*float64)(unsafe.Add(n.at, 16))
	case 3:
		return *(*bool)(unsafe.Add(n.at, 24))
	case 4, 9:
		text := unsafe.Slice((*byte)(n.child(32).at), n.word(40)+1)
		if text[len(text)-1] != 0 {
			return "no NUL behind the text"
		}
		if n.kind() == 9 {
			return struct{ error string }{string(text[:len(text)-1])}
		}
		return string(text[:len(text)-1])
	case 5:
		return list(48)
	case 6:
		pairs := [][2]any{}
		for i := range n.word(56) {
			entry := node{unsafe.Add(n.child(48).at, i*104)}
			pairs = append(pairs, [2]any{entry.child(64).read(), entry.child(72).read()})
		}
		return pairs
	case 7:
		return map[string]any{"set": list(80)}
	case 8:
		return "ok!"
	}
	return nil
}

func TestAReplyReadsBackFromItsBlock(t *testing.T) {
	of := func(kind routing.Kind, items ...routing.Value) routing.Value {
		return routing.Value{Kind: kind, Items: items}
	}
	text := func(kind routing.Kind, s string) routing.Value { return routing.Value{Kind: kind, Text: []byte(s)} }
	one := routing.Integer(1)
	for _, c := range []struct {
		value    routing.Value
		expected any
	}{
		{routing.Value{}, nil},
		{routing.Integer(-7), -7},
		{routing.Value{Kind: routing.KindDouble, Double: 2.5}, 2.5},
		{routing.Value{Kind: routing.KindBoolean, Integer: 1}, true},
		{routing.Bulk(""), ""},
		{routing.Bulk("a\x00b"), "a\x00b"},
		{routing.Bulk("OK"), "OK"},
		{routing.Simple("OK"), "ok!"},
		{routing.Simple("PONG"), "PONG"},
		{text(routing.KindVerbatim, "txt:words"), "words"},
		{text(routing.KindBigNumber, "123"), "123"},
		{routing.ArrayOf(), []any{}},
		{routing.ArrayOf(routing.ArrayOf(one, routing.Bulk("x")), of(routing.KindSet, one)), []any{[]any{1, "x"}, map[string]any{"set": []any{1}}}},
		{of(routing.KindMap, routing.Bulk("k"), of(routing.KindMap, routing.Bulk("l"), one)), [][2]any{{"k", [][2]any{{"l", 1}}}}},
		{routing.ArrayOf(one, routing.ErrorReply("a text")), []any{1, struct{ error string }{"a text"}}},
	} {
		result := unsafe.Pointer(succeed(&c.value, true))
		require.Equal(t, uintptr(result), *(*uintptr)(unsafe.Add(result, 16)), "the arena is the block")
		root := node{*(*unsafe.Pointer)(result)}
		require.Equal(t, uintptr(result), root.word(96), "the root names the block")
		require.Equal(t, c.expected, root.read())
		free(result)
	}
}

func TestAnErrorInsideAReplyIsTheReplyUnlessItIsOfABatch(t *testing.T) {
	value := routing.ArrayOf(routing.Integer(1), routing.ErrorReply("EXECABORT x"))
	result := unsafe.Pointer(succeed(&value, false))
	defer free(result)
	words := unsafe.Slice((*byte)(result), 24)
	require.Zero(t, binary.NativeEndian.Uint64(words), "there is no response")
	failed := node{result}.child(8)
	require.Equal(t, int32(execAbort), *(*int32)(unsafe.Add(failed.at, 8)))
}
