package core

import (
	"context"
	"strings"
	"time"

	"libglide/routing"
)

// refusal is an error line with which the server answered the handshake.
type refusal string

func (r refusal) Error() string { return string(r) }

var (
	readOnlyCommand = []byte("*1\r\n$8\r\nREADONLY\r\n")
	selectCommand   = []byte("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")
	idCommand       = []byte("*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n")
)

// greet says what goes ahead of the library's own handshake, so that every connection has it, also
// one that was made anew.
//
// A replica serves reads after READONLY, which stays in force through HELLO (seen on servers 8.0 and
// 9.1); a password goes before it. A primary does without: if it is demoted, a connection in that
// mode has it serve stale reads, where another has it say MOVED (seen on server 9.1). A server that
// is not a cluster refuses READONLY; that is as good.
//
// Something is said in any case: a node that accepts connections and answers nothing is as good as
// none, and whoever waits here has sent nothing. SELECT 0 changes nothing, and is answered also by a
// node that is loading.
//
// A connection on which commands may block learns its number, to be unblocked by it; a user who may
// not ask for it goes without.
func greet(ctx context.Context, made *conn, user *credential, role routing.Role) error {
	raw := made.Conn
	if deadline, has := ctx.Deadline(); has {
		if err := raw.SetDeadline(deadline); err != nil {
			return err
		}
	}
	var commands [][]byte
	if auth := user.auth(); auth != nil {
		commands = append(commands, auth)
	}
	if role == routing.Replica {
		commands = append(commands, readOnlyCommand)
	}
	if len(commands) == 0 {
		commands = append(commands, selectCommand)
	}
	asksID := !made.wire.shared()
	if asksID {
		commands = append(commands, idCommand)
	}
	lines, err := say(raw, commands...)
	if err != nil {
		return err
	}
	if last := len(lines) - 1; asksID {
		if number, is := strings.CutPrefix(lines[last], ":"); is {
			made.id = number
		}
		lines = lines[:last]
	}
	for _, line := range lines {
		if err := refusalOf(line); err != nil && !strings.Contains(line, "cluster support disabled") {
			return err
		}
	}
	return raw.SetDeadline(time.Time{})
}
