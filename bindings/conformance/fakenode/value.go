package fakenode

import (
	"fmt"
	"strconv"
	"strings"
)

// Value is a reply of the protocol. The zero Value is Nil.
type Value struct{ encode func(protocol int) []byte }

func (v Value) bytes(protocol int) []byte {
	if v.encode == nil {
		return Nil().encode(protocol)
	}
	return v.encode(protocol)
}

// Simple is a simple string, as "OK".
func Simple(text string) Value { return Raw("+" + line(text) + "\r\n") }

// Err is an error with its code, as "MOVED 12182 127.0.0.1:7001".
func Err(text string) Value { return Raw("-" + line(text) + "\r\n") }

// Int is an integer.
func Int(number int) Value { return Raw(":" + strconv.Itoa(number) + "\r\n") }

// Bulk is a string of any bytes.
func Bulk(text string) Value { return Raw(fmt.Sprintf("$%d\r\n%s\r\n", len(text), text)) }

// Nil is the null of the protocol: "_" in RESP3, the null string in RESP2.
func Nil() Value {
	return Value{func(protocol int) []byte {
		if protocol == 3 {
			return []byte("_\r\n")
		}
		return []byte("$-1\r\n")
	}}
}

// Array is an array of values.
func Array(items ...Value) Value {
	return Value{func(protocol int) []byte { return aggregate('*', len(items), items, protocol) }}
}

// Map is a map of keys and values in turn, which RESP2 has as an array.
func Map(keysAndValues ...Value) Value {
	if len(keysAndValues)%2 != 0 {
		panic("fakenode: a Map with a key that has no value")
	}
	return Value{func(protocol int) []byte {
		if protocol == 3 {
			return aggregate('%', len(keysAndValues)/2, keysAndValues, protocol)
		}
		return aggregate('*', len(keysAndValues), keysAndValues, protocol)
	}}
}

// Raw is these bytes as they are, well-formed or not, in either protocol.
func Raw(bytes string) Value {
	return Value{func(int) []byte { return []byte(bytes) }}
}

func aggregate(mark byte, count int, items []Value, protocol int) []byte {
	bytes := fmt.Appendf(nil, "%c%d\r\n", mark, count)
	for _, item := range items {
		bytes = append(bytes, item.bytes(protocol)...)
	}
	return bytes
}

// line keeps a text on one line, as the protocol has it for simple strings and errors.
func line(text string) string {
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(text)
}
