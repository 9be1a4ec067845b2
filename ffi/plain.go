package main

import (
	"google.golang.org/protobuf/encoding/protowire"

	"libglide/core"
	"libglide/ffi/internal/wire"
	"libglide/protobuf"
)

// Fields of CommandRequest, of Command in it, of ArgsArray in that, and of Batch.
const (
	fieldCommand   protowire.Number = 2
	fieldBatch     protowire.Number = 3
	fieldTimeoutMs protowire.Number = 100

	fieldRequestType protowire.Number = 1
	fieldArgsArray   protowire.Number = 2

	fieldArgs protowire.Number = 1

	fieldIsAtomic             protowire.Number = 1
	fieldCommands             protowire.Number = 2
	fieldRaiseOnError         protowire.Number = 3
	fieldTimeout              protowire.Number = 4
	fieldRetryServerError     protowire.Number = 5
	fieldRetryConnectionError protowire.Number = 6
)

// plain reads a message field by field: no message objects, and bytes that stay where they are.
// odd is set by whatever is not as it is usual.
type plain struct {
	rest  []byte
	field protowire.Number
	kind  protowire.Type
	odd   bool
}

// next moves to the next field; false at the end, or where something is odd.
func (p *plain) next() bool {
	if len(p.rest) == 0 || p.odd {
		return false
	}
	var n int
	p.field, p.kind, n = protowire.ConsumeTag(p.rest)
	return p.skip(n)
}

func (p *plain) skip(n int) bool {
	if p.odd = p.odd || n < 0; !p.odd {
		p.rest = p.rest[n:]
	}
	return !p.odd
}

// number is the field as one.
func (p *plain) number() uint64 {
	number, n := protowire.ConsumeVarint(p.rest)
	p.odd = p.odd || p.kind != protowire.VarintType
	p.skip(n)
	return number
}

func (p *plain) flag() bool { return protowire.DecodeBool(p.number()) }

// bytes is the field as such.
func (p *plain) bytes() []byte {
	bytes, n := protowire.ConsumeBytes(p.rest)
	p.odd = p.odd || p.kind != protowire.BytesType
	p.skip(n)
	return bytes
}

// decodePlain reads the commonest requests of all, a command or a batch without a route. It is
// false, with r as it was, for whatever is not that or is odd in any way; decodeMessage then reads
// it again and says what is wrong.
func (r *request) decodePlain(bytes []byte) bool { return r.readPlain(bytes, true) }

// decodeSingle is decodePlain for a command alone.
func (r *request) decodeSingle(bytes []byte) bool { return r.readPlain(bytes, false) }

func (r *request) readPlain(bytes []byte, batches bool) bool {
	var callback, timeout uint64
	var command, commands []byte
	p := plain{rest: bytes}
	for p.next() {
		once := command == nil && commands == nil
		switch {
		case p.field == fieldCallback:
			callback = p.number()
		case p.field == fieldTimeoutMs:
			timeout = p.number()
		case p.field == fieldCommand && once:
			command = p.bytes()
		case p.field == fieldBatch && once && batches:
			commands = p.bytes()
		default:
			return false
		}
	}
	limit := wire.Milliseconds(uint32(timeout))
	switch {
	case p.odd:
		return false
	case commands != nil:
		batch, good := plainBatch(commands)
		if !good {
			return false
		}
		if limit != 0 {
			batch.Timeout = limit
		}
		r.batch = batch
	default:
		words, good := plainWords(r.words[:0], command)
		if !good {
			return false
		}
		r.Words, r.words = words, words
	}
	r.callback, r.Timeout = uint32(callback), limit
	return true
}

// plainBatch reads a Batch. The words of all its commands are in one piece, or in few.
func plainBatch(bytes []byte) (*core.BatchRequest, bool) {
	batch := new(core.BatchRequest)
	var all [][]byte
	p := plain{rest: bytes}
	for p.next() {
		switch p.field {
		case fieldIsAtomic:
			batch.Atomic = p.flag()
		case fieldCommands:
			before := len(all)
			words, good := plainWords(all, p.bytes())
			if !good {
				return nil, false
			}
			all = words
			batch.Commands = append(batch.Commands, all[before:len(all):len(all)])
		case fieldRaiseOnError:
			batch.Raise = p.flag()
		case fieldTimeout:
			batch.Timeout = wire.Milliseconds(uint32(p.number()))
		case fieldRetryServerError:
			p.flag() // they always are
		case fieldRetryConnectionError:
			batch.Repeat = p.flag()
		default:
			return nil, false
		}
	}
	return batch, !p.odd
}

// plainWords adds the words of a Command, of which there is one at least.
func plainWords(words [][]byte, command []byte) ([][]byte, bool) {
	var kind uint64
	var args []byte
	p := plain{rest: command}
	for p.next() {
		switch {
		case p.field == fieldRequestType:
			kind = p.number()
		case p.field == fieldArgsArray && args == nil:
			args = p.bytes()
		default:
			return nil, false
		}
	}
	before := len(words)
	words, known := protobuf.AppendCommand(words, protobuf.RequestType(int32(kind)))
	arg := plain{rest: args}
	for arg.next() {
		if arg.field != fieldArgs {
			return nil, false
		}
		words = append(words, arg.bytes())
	}
	return words, known && !p.odd && !arg.odd && len(words) > before
}
