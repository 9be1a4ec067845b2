package core

import (
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
	errOddReply  = errors.New("malformed reply: unknown type")
	errBadDouble = errors.New("malformed reply: a double that is no number")
)

// unreadable is a reply that came whole and still cannot be used; the connection is none the worse.
type unreadable struct{ err error }

func (u *unreadable) Error() string { return u.err.Error() }

// parseReply reads a message of the library. The value shares its memory.
func parseReply(theirs *valkey.ValkeyMessage) (routing.Value, error) {
	return parseMessage(messageOf(theirs), 0, nil)
}

// A reply of fewer elements needs no room from the library's messages. More than mostRoom elements,
// and more than mostText bytes, are not kept.
const (
	leastRoom = 64
	mostRoom  = 1 << 16
	mostText  = 4 << 20
)

// parseInto is parseReply for a value that is done with when the room that it may come with is
// given back.
func parseInto(theirs *valkey.ValkeyMessage) (value routing.Value, in *room, err error) {
	m := messageOf(theirs)
	if count := len(m.items()); count >= leastRoom && count <= mostRoom {
		in = takeRoom()
		in.values = sized(in.values, count)
	}
	value, err = parseMessage(m, 0, in)
	return value, in, err
}

// parseMessage reads a message; the elements of the outermost go into the room, if there is one.
func parseMessage(m *message, depth int, in *room) (value routing.Value, err error) {
	if depth > maxDepth {
		return value, errTooDeep
	}
	switch m.kind {
	case '_':
		return value, nil
	case ':':
		return routing.Integer(m.length), nil
	case '#':
		return routing.Value{Kind: routing.KindBoolean, Integer: m.length}, nil
	case ',':
		double, err := strconv.ParseFloat(string(m.text()), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return value, errBadDouble
		}
		return routing.Value{Kind: routing.KindDouble, Double: double}, nil
	case '*', '>':
		return parseItems(routing.KindArray, m.items(), depth, in)
	case '~':
		return parseItems(routing.KindSet, m.items(), depth, in)
	case '%':
		return parseItems(routing.KindMap, m.items(), depth, in)
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
	default:
		return value, errOddReply
	}
	value.Text = m.text()
	return value, nil
}

func parseItems(kind routing.Kind, items []message, depth int, in *room) (value routing.Value, err error) {
	value.Kind = kind
	if in != nil {
		value.Items = in.values
	} else {
		value.Items = make([]routing.Value, len(items))
	}
	for i := range items {
		if value.Items[i], err = parseMessage(&items[i], depth+1, nil); err != nil {
			return value, err
		}
	}
	return value, nil
}
