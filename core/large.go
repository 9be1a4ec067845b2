package core

import (
	"bytes"

	"libglide/routing"
)

// A large reply that is the only one of its exchange, and is a string or an aggregate of strings, is
// read here. The library underneath would make each string a piece of memory of its own, and has
// memory cleared for all of them: 100 ns for an element, where the server takes 50. It is told that
// the reply is a null.
//
// Whatever is not of this sort, or is malformed, is left to the library and the guard before it.

const (
	leastLarge = 32 << 10 // bytes of a string that counts as large; of an aggregate leastRoom elements
	mostText   = 4 << 20  // that a room keeps
)

// stub is what the library reads in the place of a large reply: a null of RESP3.
var stub = []byte("_\r\n")

// large is a reply that was read here.
type large struct {
	value routing.Value
	room  *room // that it is in
}

// largeHead is what the head of a reply says: how many strings are to come, and where they begin. It
// is false where they are not to be read here. The bytes may hold more than the head.
func largeHead(p []byte) (kind routing.Kind, count, at int, is bool) {
	length, at, is := lengthAt(p, 0)
	if !is {
		return kind, 0, 0, false
	}
	switch p[0] {
	case '$':
		return routing.KindBulk, 1, 0, length >= leastLarge && length <= maxBulkBytes
	case '*':
		kind = routing.KindArray
	case '~':
		kind = routing.KindSet
	case '%':
		kind, length = routing.KindMap, 2*length
	default:
		return kind, 0, 0, false
	}
	strings := at < len(p) && p[at] == '$'
	return kind, length, at, strings && length >= leastRoom && length <= maxReplyElements
}

// lengthAt reads the length in the line that begins at a place, after its type, and where the next
// one begins. It is false for a null, and where the line is cut off or malformed.
func lengthAt(p []byte, at int) (length, next int, is bool) {
	i := at + 1
	for ; i < len(p) && i-at <= 10 && '0' <= p[i] && p[i] <= '9'; i++ {
		length = 10*length + int(p[i]-'0')
	}
	if i == at+1 || i+1 >= len(p) || p[i] != '\r' || p[i+1] != '\n' {
		return 0, 0, false
	}
	return length, i + 2, true
}

// span is where a string is in the text; of a null the end is before the start.
type span struct{ start, end int }

var null = span{0, -1}

// spanAt is the string that begins at a place, and where the next one does. whole is false where it
// is cut off, sound where it is no string.
func spanAt(p []byte, at int) (s span, next int, whole, sound bool) {
	rest := p[at:]
	switch {
	case bytes.HasPrefix(rest, nullBulk):
		return null, at + len(nullBulk), true, true
	case bytes.HasPrefix(rest, stub):
		return null, at + len(stub), true, true
	case bytes.HasPrefix(nullBulk, rest), bytes.HasPrefix(stub, rest):
		return s, 0, false, true
	case rest[0] != '$':
		return s, 0, false, false
	}
	length, start, is := lengthAt(p, at)
	if !is {
		return s, 0, false, lengthBegins(rest[1:])
	}
	end := start + length
	switch {
	case length > maxBulkBytes:
		return s, 0, false, false
	case end+2 > len(p):
		return s, 0, false, true
	}
	return span{start, end}, end + 2, true, p[end] == '\r' && p[end+1] == '\n'
}

// lengthBegins says whether what has come may yet be a length and the end of its line.
func lengthBegins(p []byte) bool {
	digits := bytes.TrimLeft(p, "0123456789")
	return len(p)-len(digits) <= 10 && (len(digits) == 0 || len(digits) < len(p) && string(digits) == "\r")
}

var nullBulk = []byte("$-1\r\n")

// takeLarge reads the reply of which the first bytes have come, if it is a large one; large is nil
// where it is left to the library, which then gets what has come first. An error is that of the
// connection, or says that the reply is too large.
func (c *conn) takeLarge(first []byte) (*large, error) {
	kind, count, at, is := largeHead(first)
	if !is {
		return nil, nil
	}
	in := rooms.Get().(*room)
	in.text = append(in.text[:0], first...)
	in.spans = in.spans[:0]
	for len(in.spans) < count {
		s, next, whole, sound := spanAt(in.text, at)
		switch {
		case whole && sound:
			in.spans = append(in.spans, s)
			at = next
		case !sound:
			c.pending = bytes.Clone(in.text)
			in.giveBack()
			return nil, nil
		default:
			if err := c.readMore(in); err != nil {
				in.giveBack()
				return nil, err
			}
		}
	}
	if at < len(in.text) { // something that nobody asked for; the next exchange meets it
		c.pending = bytes.Clone(in.text[at:])
	}
	return &large{in.assemble(kind), in}, nil
}

// readMore adds what comes next to the text of a room, which grows with what has come.
func (c *conn) readMore(in *room) error {
	if len(in.text) > maxReplyBytes {
		return errReplySize
	}
	if len(in.text) == cap(in.text) {
		room := min(max(2*cap(in.text), 2*connBuffer), maxReplyBytes+connBuffer)
		in.text = append(make([]byte, 0, room), in.text...)
	}
	n, err := c.pull(in.text[len(in.text):cap(in.text)])
	if in.text = in.text[:len(in.text)+n]; n > 0 {
		return nil
	}
	return err
}

// assemble makes the value of the strings in a room.
func (r *room) assemble(kind routing.Kind) routing.Value {
	if kind == routing.KindBulk {
		return r.at(r.spans[0])
	}
	r.hold(len(r.spans))
	for i, s := range r.spans {
		r.values[i] = r.at(s)
	}
	return routing.Value{Kind: kind, Items: r.values}
}

func (r *room) at(s span) routing.Value {
	if s == null {
		return routing.Value{}
	}
	return routing.Value{Kind: routing.KindBulk, Text: r.text[s.start:s.end:s.end]}
}
