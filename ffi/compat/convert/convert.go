// Package convert gives replies the shapes that the bindings of GLIDE expect of each command,
// whichever protocol they came over: a map where RESP2 has a flat array, a boolean where the server
// says 1. What has no rule stays as it is.
package convert

import (
	"bytes"
	"fmt"

	"libglide/routing"
)

// Conversion makes a reply into what is expected. The error is a TypeError.
type Conversion func(routing.Value) (routing.Value, error)

// TypeError says that a reply is not of a kind that its command answers with.
type TypeError struct {
	What string // what cannot be done with it
	Kind routing.Kind
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("%s - TypeError: (response was %s)", e.What, e.Kind)
}

func typeError(what string, v routing.Value) error { return &TypeError{what, v.Kind} }

// Reply converts the reply to a command, told by the words that were sent. Errors pass, and what a
// server says to a command that it keeps for EXEC.
func Reply(words [][]byte, reply routing.Value) (routing.Value, error) {
	conversion := find(words)
	if conversion == nil || reply.IsError() || isSimple(reply, "QUEUED") {
		return reply, nil
	}
	return conversion(reply)
}

// find is the conversion of the first rule of a command whose condition holds, or nil.
func find(words [][]byte) Conversion {
	var room [keySize]byte
	key := keyOf(room[:0], words)
	for _, rule := range rules[string(key)] {
		if rule.when(words) {
			return rule.convert
		}
	}
	return nil
}

// keySize has room for the name of every command with a rule, and of its container.
const keySize = 64

// keyOf appends to room the name under which a command has its rules, in capitals: its first word,
// of a container with the second. It is empty where no rule can have such a name.
func keyOf(room []byte, words [][]byte) []byte {
	if len(words) == 0 || len(words[0]) > keySize/2 || bytes.IndexByte(words[0], ' ') >= 0 {
		return room
	}
	key := appendUpper(room, words[0])
	if len(words) > 1 && containers[string(key)] {
		if len(words[1]) >= keySize/2 {
			return room
		}
		key = appendUpper(append(key, ' '), words[1])
	}
	return key
}

func appendUpper(room, word []byte) []byte {
	for _, c := range word {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		room = append(room, c)
	}
	return room
}

// has tells commands with one of these words, wherever it stands and whatever its case. A key of
// that name counts too, as in GLIDE.
func has(wanted ...string) func([][]byte) bool {
	return func(words [][]byte) bool {
		for _, word := range words {
			for _, name := range wanted {
				if len(word) == len(name) && bytes.EqualFold(word, []byte(name)) {
					return true
				}
			}
		}
		return false
	}
}

func always([][]byte) bool { return true }

// counted tells commands of three words or more.
func counted(words [][]byte) bool { return len(words) >= 3 }

func isSimple(v routing.Value, text string) bool {
	return v.Kind == routing.KindSimple && string(v.Text) == text
}
