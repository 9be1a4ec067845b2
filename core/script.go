package core

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"

	"libglide/routing"
)

// Script is a script that the servers run by the hash of its source.
type Script struct {
	Hash string // SHA-1 of the source in hexadecimal digits; "": that of Source
	// Source is loaded into a node that does not know the script. nil: such a node refuses.
	Source []byte
	Keys   [][]byte // on a cluster all in one slot
	Args   [][]byte
}

// Words are the command that runs the script. The error is an *Error.
func (s *Script) Words() ([][]byte, error) {
	hash := s.Hash
	if s.Source != nil {
		sum := sha1.Sum(s.Source)
		hash = hex.EncodeToString(sum[:])
		if s.Hash != "" && !strings.EqualFold(s.Hash, hash) {
			return nil, NewError(StatusInvalidArgument, "script_invocation: the hash %.40q is not that of the source, %s", s.Hash, hash)
		}
	}
	if digest, err := hex.DecodeString(hash); err != nil || len(digest) != sha1.Size {
		return nil, NewError(StatusInvalidArgument, "script_invocation: the hash %.80q is no SHA-1 in 40 hexadecimal digits", hash)
	}
	words := make([][]byte, 0, 3+len(s.Keys)+len(s.Args))
	words = append(words, []byte("EVALSHA"), []byte(hash), strconv.AppendInt(nil, int64(len(s.Keys)), 10))
	return append(append(words, s.Keys...), s.Args...), nil
}

// checkSlots refuses keys of several slots before anything is sent, and names them.
func (s *Script) checkSlots(snapshot *routing.Snapshot) error {
	if snapshot.Standalone || len(s.Keys) < 2 {
		return nil
	}
	first := routing.SlotOf(s.Keys[0])
	for i, key := range s.Keys[1:] {
		if slot := routing.SlotOf(key); slot != first {
			return NewError(StatusInvalidArgument, "CROSSSLOT script: keys[0] is in slot %d, keys[%d] in slot %d", first, i+1, slot)
		}
	}
	return nil
}

// unknownScript says whether a node refused a script because it does not know it. The text of the
// server counts, not only its code: a script that ran may answer with any code.
func unknownScript(line string) bool { return strings.HasPrefix(line, "NOSCRIPT No matching script") }

// supply gives the flight the source of its script for the next attempt, unless this node was
// given it before. The server only refused, so nothing has run.
func (f *flight) supply() bool {
	if f.script == nil || f.script.Source == nil || f.supplied == f.to.endpoint {
		return false
	}
	f.loading, f.supplied, f.asking = true, f.to.endpoint, f.asked
	return true
}

// carry makes flights those of a script.
func (s *Script) carry(legs []*flight, snapshot *routing.Snapshot) error {
	if err := s.checkSlots(snapshot); err != nil {
		return err
	}
	for _, f := range legs {
		f.script = s
	}
	return nil
}

// prepare adds what goes ahead of a script in the same write: its source, where the node wants it.
func (f *flight) prepare(commands [][][]byte) [][][]byte {
	if f.loading {
		commands = append(commands, [][]byte{[]byte("SCRIPT"), []byte("LOAD"), f.script.Source})
	}
	return commands
}

// prepared takes the reply to what prepare added off the others. Where the node refused the
// source, that is the answer: the script would only be unknown again.
func (f *flight) prepared(replies []routing.Value) (rest []routing.Value, refused *routing.Value) {
	if !f.loading {
		return replies, nil
	}
	f.loading = false
	if reply := replies[0]; reply.IsError() {
		f.supplied = routing.Address{}
		line := routing.ErrorReply(string(reply.Text) + " (SCRIPT LOAD)")
		refused = &line
	}
	return replies[1:], refused
}
