package main

import (
	"google.golang.org/protobuf/encoding/protowire"

	"libglide/ffi/internal/wire"
	"libglide/protobuf"
)

// Fields of CommandRequest, of Command in it, and of ArgsArray in that.
const (
	fieldCommand   protowire.Number = 2
	fieldTimeoutMs protowire.Number = 100

	fieldRequestType protowire.Number = 1
	fieldArgsArray   protowire.Number = 2

	fieldArgs protowire.Number = 1
)

// decodePlain reads the commonest request of all, a command without a route, field by field: no
// message objects, and words that point into bytes. It is false, with r as it was, for whatever
// is not that or is odd in any way; decode then reads it again and says what is wrong.
func (r *request) decodePlain(bytes []byte) bool {
	var callback, timeout uint64
	var command []byte
	for len(bytes) > 0 {
		field, kind, n := protowire.ConsumeTag(bytes)
		if n < 0 {
			return false
		}
		bytes = bytes[n:]
		switch {
		case field == fieldCallback && kind == protowire.VarintType:
			callback, n = protowire.ConsumeVarint(bytes)
		case field == fieldTimeoutMs && kind == protowire.VarintType:
			timeout, n = protowire.ConsumeVarint(bytes)
		case field == fieldCommand && kind == protowire.BytesType && command == nil:
			command, n = protowire.ConsumeBytes(bytes)
		default:
			return false
		}
		if n < 0 {
			return false
		}
		bytes = bytes[n:]
	}
	words, good := r.plainWords(command)
	if !good {
		return false
	}
	r.callback, r.Timeout = uint32(callback), wire.Milliseconds(uint32(timeout))
	r.Words, r.words = words, words
	return true
}

// plainWords reads a Command.
func (r *request) plainWords(command []byte) ([][]byte, bool) {
	var kind uint64
	var args []byte
	for len(command) > 0 {
		field, coding, n := protowire.ConsumeTag(command)
		if n < 0 {
			return nil, false
		}
		command = command[n:]
		switch {
		case field == fieldRequestType && coding == protowire.VarintType:
			kind, n = protowire.ConsumeVarint(command)
		case field == fieldArgsArray && coding == protowire.BytesType && args == nil:
			args, n = protowire.ConsumeBytes(command)
		default:
			return nil, false
		}
		if n < 0 {
			return nil, false
		}
		command = command[n:]
	}
	words, known := protobuf.AppendCommand(r.words[:0], protobuf.RequestType(int32(kind)))
	for known && len(args) > 0 {
		field, coding, n := protowire.ConsumeTag(args)
		if n < 0 || field != fieldArgs || coding != protowire.BytesType {
			return nil, false
		}
		word, m := protowire.ConsumeBytes(args[n:])
		if m < 0 {
			return nil, false
		}
		words, args = append(words, word), args[n+m:]
	}
	return words, known && len(words) > 0
}
