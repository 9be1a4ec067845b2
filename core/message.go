package core

import (
	"reflect"
	"unsafe"

	"github.com/valkey-io/valkey-go"
)

// message is a reply as the library underneath holds it. Its public accessors blur the types
// (array and set, bulk and simple string) and give no map in the server's order; what it offers
// instead, CacheMarshal, copies the reply with two allocations for each element. So this reads
// the fields themselves; it never writes them.
type message struct {
	attributes *message
	bytes      *byte    // of a string, a double, a big number or an error, length long
	array      *message // of an array, a map or a set, length long
	length     int64    // or the number itself, of an integer or a boolean
	kind       byte     // its RESP3 type
	_          [7]byte
}

// The library is pinned to one version. A new one with another layout ends the first test.
func init() {
	ours, theirs := reflect.TypeFor[message](), reflect.TypeFor[valkey.ValkeyMessage]()
	same := ours.Size() == theirs.Size() && ours.NumField() == theirs.NumField()
	for i, name := range []string{"attrs", "bytes", "array", "intlen", "typ", "ttl"} {
		same = same && theirs.Field(i).Name == name && theirs.Field(i).Offset == ours.Field(i).Offset &&
			theirs.Field(i).Type.Kind() == ours.Field(i).Type.Kind()
	}
	if !same {
		panic("core: the messages of valkey-go have another layout than they had")
	}
}

func messageOf(theirs *valkey.ValkeyMessage) *message { return (*message)(unsafe.Pointer(theirs)) }

// text is the bytes of a string, which stay the message's.
func (m *message) text() []byte {
	if m.bytes == nil {
		return nil
	}
	return unsafe.Slice(m.bytes, m.length)
}

// items are the elements of an aggregate.
func (m *message) items() []message {
	if m.array == nil {
		return nil
	}
	return unsafe.Slice(m.array, m.length)
}
