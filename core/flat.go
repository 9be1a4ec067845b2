package core

import (
	"bytes"
	"strconv"

	"libglide/routing"
)

// The replies of an exchange are read here where all of them are flat: a string, a line, a number,
// a null, or an aggregate of such. The library underneath would make each string a piece of memory
// of its own, where all of them can share one that is used again. It hears nothing of an exchange over
// the shared connection, and of others that the replies are nulls.
//
// Where one is of another sort, or is malformed, all of them are left to the library and the guard
// before it.

// A line that has not ended by then is left to the library.
const mostLine = 4 << 10

// stub is what the library reads in the place of a reply: a null of RESP3.
const stub = "_\r\n"

var stubs = bytes.Repeat([]byte(stub), 128)

// stubsOf is so many of them.
func stubsOf(count int) []byte {
	if size := count * len(stub); size <= len(stubs) {
		return stubs[:size:size]
	}
	return bytes.Repeat([]byte(stub), count)
}

// reading is the replies of an exchange as they come into a room.
type reading struct {
	*room
	expected int // replies
	replies  int // still to come, without the one whose elements are
	elements int // of an aggregate, still to come
	at       int // where in the text the next one begins
	passed   int // slabs before that
	long     int // bytes in slabs
}

// readFlat reads so many replies. Pending is then what came behind them, or all that has come, where the
// room is nil. An error is that of the connection, or says that the reply is too large.
func (c *conn) readFlat(expected int) (*room, error) {
	r := reading{room: c.come, expected: expected}
	if c.come = nil; r.room == nil {
		r.room = takeRoom()
	}
	r.begin()
	for {
		switch found := r.advance(); {
		case found == whole:
			c.pending = r.text[r.at:]
			return r.room, nil
		case found == odd, r.tooMuch():
			c.leave(r.room)
			return nil, nil
		}
		if err := r.more(c); err != nil {
			r.giveBack()
			return nil, err
		}
	}
}

// leave leaves what has come to the library.
func (c *conn) leave(in *room) {
	if len(in.slabs) == 0 {
		c.pending, c.lent = in.text, in
		return
	}
	c.pending = in.joined()
	in.giveBack()
}

func (r *reading) begin() {
	r.values, r.replies, r.elements, r.at, r.passed = r.values[:0], r.expected, 0, 0, 0
}

// tooMuch says that several replies, which are cut off, are more than is kept.
func (r *reading) tooMuch() bool {
	return r.expected > 1 && (len(r.text) > min(mostText, maxReplyBytes) || r.long > mostSlabs)
}

// longAt is the length of the string that is to have a slab, where one is at the place that is read
// next, and where its bytes begin; 0: there is none.
func (r *reading) longAt() (length, start int) {
	if r.at == len(r.text) || r.text[r.at] != '$' {
		return 0, 0
	}
	length, start, found := lengthAt(r.text, r.at)
	if found != whole || length <= longString || length > mostSlab {
		return 0, 0
	}
	return length, start
}

// lay reads a string, whose beginning has come, into a slab.
func (r *reading) lay(c *conn, length, start int) error {
	memory := takeSlab(length + len("\r\n"))
	rest := (*memory)[copy(*memory, r.text[start:]):]
	r.text = r.text[:start]
	r.slabs = append(r.slabs, slab{start, memory})
	r.long += len(*memory)
	for len(rest) > 0 {
		n, err := c.pull(rest)
		if n == 0 && err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// more adds what comes next to the text, which grows with what has come; a long string has a slab.
func (r *reading) more(c *conn) error {
	if r.expected == 1 && len(r.text)+r.long > maxReplyBytes {
		return errReplySize
	}
	if length, start := r.longAt(); length > 0 {
		return r.lay(c, length, start)
	}
	if len(r.text) == cap(r.text) {
		r.widen()
		r.begin() // the values are in the text that was
	}
	n, err := c.pull(r.text[len(r.text):cap(r.text)])
	if r.text = r.text[:len(r.text)+n]; n > 0 {
		return nil
	}
	return err
}

// piece is what is at a place of the text.
type piece uint8

const (
	whole  piece = iota
	cutOff       // what has come may yet become whole
	odd          // what is not read here
)

// advance makes values of what has come.
func (r *reading) advance() piece {
	for r.replies > 0 || r.elements > 0 {
		r.values = append(r.values, routing.Value{})
		value := &r.values[len(r.values)-1]
		next, found := r.pieceAt(value)
		count, aggregate := elementsOf(value)
		switch {
		case found == whole && aggregate && r.elements > 0:
			found = odd // it is nested
		case found == whole && r.elements > 0:
			r.elements--
		case found == whole:
			r.replies, r.elements = r.replies-1, count
		}
		if found != whole {
			r.values = r.values[:len(r.values)-1]
			return found
		}
		r.at = next
	}
	return whole
}

// pieceAt is flatAt for the place that is read next, whose string may be in a slab.
func (r *reading) pieceAt(value *routing.Value) (next int, found piece) {
	if r.passed == len(r.slabs) || r.text[r.at] != '$' {
		return flatAt(r.text, r.at, value)
	}
	laid := r.slabs[r.passed]
	length, start, _ := lengthAt(r.text, r.at)
	switch {
	case start != laid.at:
		return flatAt(r.text, r.at, value)
	case !laid.sound():
		return r.at, odd
	}
	r.passed++
	value.Kind, value.Text = routing.KindBulk, laid.bytes()[:length:length]
	return laid.at, whole
}

// elementsOf is how many elements an aggregate has, as flatAt leaves it: its number says so.
func elementsOf(value *routing.Value) (count int, aggregate bool) {
	switch value.Kind {
	case routing.KindArray, routing.KindSet, routing.KindMap:
		return int(value.Integer), true
	}
	return 0, false
}

// flatAt makes a value, which is zero, of the reply that begins at a place, and gives the place of
// the next one. The value is in the text; an aggregate without its elements.
func flatAt(p []byte, at int, value *routing.Value) (next int, found piece) {
	if at == len(p) {
		return at, cutOff
	}
	switch p[at] {
	case '$':
		return stringAt(p, at, value)
	case '+':
		return lineAt(p, at, value, routing.KindSimple)
	case '-':
		return lineAt(p, at, value, routing.KindError)
	case ':':
		return numberAt(p, at, value)
	case '_':
		return nullAt(p, at, stub)
	case '*':
		return headAt(p, at, value, routing.KindArray, 1)
	case '~':
		return headAt(p, at, value, routing.KindSet, 1)
	case '%':
		return headAt(p, at, value, routing.KindMap, 2)
	}
	return at, odd
}

const nullString = "$-1\r\n"

func stringAt(p []byte, at int, value *routing.Value) (next int, found piece) {
	length, start, found := lengthAt(p, at)
	if found != whole {
		if next, null := nullAt(p, at, nullString); null != odd {
			return next, null
		}
		return at, found
	}
	end := start + length
	switch {
	case length > maxBulkBytes:
		return at, odd
	case end+2 > len(p):
		return at, cutOff
	case p[end] != '\r' || p[end+1] != '\n':
		return at, odd
	}
	value.Kind, value.Text = routing.KindBulk, p[start:end:end]
	return end + 2, whole
}

func headAt(p []byte, at int, value *routing.Value, kind routing.Kind, times int) (next int, found piece) {
	length, next, found := lengthAt(p, at)
	if found == whole && times*length > maxReplyElements {
		found = odd
	}
	if found == whole {
		value.Kind, value.Integer = kind, int64(times*length)
	}
	return next, found
}

func numberAt(p []byte, at int, value *routing.Value) (next int, found piece) {
	line, next, found := lineOf(p, at)
	if found != whole {
		return next, found
	}
	number, err := strconv.ParseInt(string(line), 10, 64)
	if err != nil {
		return next, odd
	}
	value.Kind, value.Integer = routing.KindInteger, number
	return next, whole
}

func lineAt(p []byte, at int, value *routing.Value, kind routing.Kind) (next int, found piece) {
	line, next, found := lineOf(p, at)
	if found == whole {
		value.Kind, value.Text = kind, line
	}
	return next, found
}

// lineOf is the line that begins at a place, without its type.
func lineOf(p []byte, at int) (line []byte, next int, found piece) {
	end := bytes.IndexByte(p[at:], '\n')
	switch {
	case end < 0 && len(p)-at <= mostLine:
		return nil, at, cutOff
	case end < 2 || p[at+end-1] != '\r':
		return nil, at, odd
	}
	return p[at+1 : at+end-1 : at+end-1], at + end + 1, whole
}

// lengthAt reads the length in the line that begins at a place, after its type.
func lengthAt(p []byte, at int) (length, next int, found piece) {
	i := at + 1
	for ; i < len(p) && i-at <= 10 && '0' <= p[i] && p[i] <= '9'; i++ {
		length = 10*length + int(p[i]-'0')
	}
	switch rest := p[i:]; {
	case i > at+1 && len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
		return length, i + 2, whole
	case i-at <= 11 && (len(rest) == 0 || i > at+1 && len(rest) == 1 && rest[0] == '\r'):
		return 0, at, cutOff
	}
	return 0, at, odd
}

// nullAt looks for one of the two ways to write a null.
func nullAt(p []byte, at int, null string) (next int, found piece) {
	rest := p[at:min(len(p), at+len(null))]
	switch {
	case string(rest) == null:
		return at + len(null), whole
	case string(rest) == null[:len(rest)]:
		return at, cutOff
	}
	return at, odd
}
