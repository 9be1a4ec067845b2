package core

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/valkey-io/valkey-go"

	"libglide/routing"
)

// maxDepth is how deep replies may nest. Each level is two messages of the wire contract, and
// protocol buffer libraries refuse to read more than 100.
const maxDepth = 48

var (
	errTooDeep   = fmt.Errorf("the reply is nested deeper than %d levels", maxDepth)
	errCutReply  = errors.New("malformed reply: cut short")
	errOddReply  = errors.New("malformed reply: unknown type")
	errBadDouble = errors.New("malformed reply: a double that is no number")
)

// unreadable is a reply that came whole and still cannot be used; the connection is none the worse.
type unreadable struct{ err error }

func (u *unreadable) Error() string { return u.err.Error() }

// parseReply reads a message of the library. Its public accessors blur the types (array and set,
// bulk and simple string), so this goes over CacheMarshal, which keeps them: seven bytes, then
// for every element its RESP3 type byte, eight bytes of length or value, and the payload.
//
// The value lives in room, or in what is returned in its place where room is too small.
func parseReply(message *valkey.ValkeyMessage, room []byte) (routing.Value, []byte, error) {
	if size := message.CacheSize(); cap(room) < size {
		room = make([]byte, 0, size)
	}
	room = message.CacheMarshal(room[:0])
	value, _, err := parseElement(room[7:], 0)
	return value, room, err
}

func parseElement(buf []byte, depth int) (value routing.Value, rest []byte, err error) {
	if depth > maxDepth {
		return value, nil, errTooDeep
	}
	if len(buf) < 9 {
		return value, nil, errCutReply
	}
	kind, number, rest := buf[0], binary.BigEndian.Uint64(buf[1:9]), buf[9:]
	switch kind {
	case '_':
		return value, rest, nil
	case ':':
		return routing.Integer(int64(number)), rest, nil
	case '#':
		return routing.Value{Kind: routing.KindBoolean, Integer: int64(number)}, rest, nil
	case '*', '~', '%', '>':
		return parseItems(aggregates[kind], number, rest, depth)
	}
	if number > uint64(len(rest)) {
		return value, nil, errCutReply
	}
	text, rest := rest[:number:number], rest[number:]
	value.Text = text
	switch kind {
	case '$':
		value.Kind = routing.KindBulk
	case '+':
		value.Kind = routing.KindSimple
	case '-', '!':
		value.Kind = routing.KindError
	case '=':
		value.Kind = routing.KindVerbatim
	case '(':
		value.Kind = routing.KindBigNumber
	case ',':
		double, err := strconv.ParseFloat(string(text), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return value, nil, errBadDouble
		}
		return routing.Value{Kind: routing.KindDouble, Double: double}, rest, nil
	default:
		return value, nil, errOddReply
	}
	return value, rest, nil
}

var aggregates = map[byte]routing.Kind{
	'*': routing.KindArray, '>': routing.KindArray, '~': routing.KindSet, '%': routing.KindMap,
}

func parseItems(kind routing.Kind, count uint64, rest []byte, depth int) (routing.Value, []byte, error) {
	value := routing.Value{Kind: kind}
	if count > uint64(len(rest)/9) { // an element takes nine bytes at least
		return value, nil, errCutReply
	}
	value.Items = make([]routing.Value, count)
	var err error
	for i := range value.Items {
		if value.Items[i], rest, err = parseElement(rest, depth+1); err != nil {
			return value, nil, err
		}
	}
	return value, rest, nil
}
