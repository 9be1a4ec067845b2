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
	return parseMessage(messageOf(theirs), 0)
}

func parseMessage(m *message, depth int) (value routing.Value, err error) {
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
		return parseItems(routing.KindArray, m.items(), depth)
	case '~':
		return parseItems(routing.KindSet, m.items(), depth)
	case '%':
		return parseItems(routing.KindMap, m.items(), depth)
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

func parseItems(kind routing.Kind, items []message, depth int) (routing.Value, error) {
	value := routing.Value{Kind: kind, Items: make([]routing.Value, len(items))}
	var err error
	for i := range items {
		if value.Items[i], err = parseMessage(&items[i], depth+1); err != nil {
			return value, err
		}
	}
	return value, nil
}
