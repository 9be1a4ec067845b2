package core

import (
	"bytes"
	"strings"

	"libglide/routing"
)

// refusal is an error line with which the server answered the handshake.
type refusal string

func (r refusal) Error() string { return string(r) }

var (
	readOnlyCommand = []byte("*1\r\n$8\r\nREADONLY\r\n")
	idCommand       = []byte("*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n")
)

// A connection begins with one write: a greeting, which the library knows nothing of, and the
// library's own handshake. Until that is answered nothing of any caller is sent, and a node that
// accepts connections and answers nothing is as good as none.

// greeting is what a new connection says first.
//
// A replica serves reads after READONLY, which stays in force through HELLO (seen on servers 8.0 and
// 9.1); a password goes before it. A primary does without: if it is demoted, a connection in that
// mode has it serve stale reads, where another has it say MOVED (seen on server 9.1). A server that
// is not a cluster refuses READONLY; that is as good.
//
// A connection on which commands may block learns its number, to be unblocked by it; a user who may
// not ask for it goes without.
func (c *conn) greeting() (greeting []byte) {
	user := c.wire.link.config.credentials.now()
	c.renewal = user.renewal
	say := func(command []byte) {
		greeting = append(greeting, command...)
		c.greeted++
	}
	if auth := user.auth(); auth != nil {
		say(auth)
	}
	if c.wire.link.role == routing.Replica {
		say(readOnlyCommand)
	}
	if c.asksID = !c.wire.shared(); c.asksID {
		say(idCommand)
	}
	return greeting
}

// hear reads the lines that answer the greeting, and gives what follows them.
func (c *conn) hear(p []byte) (int, error) {
	n := 0
	for c.greeted > 0 {
		if n == len(p) {
			return 0, errReplyLine
		}
		more, err := c.pull(p[n:])
		if n += more; more == 0 {
			return 0, err
		}
		for c.greeted > 0 {
			end := bytes.IndexByte(p[:n], '\n')
			if end < 0 {
				break
			}
			if err := c.understand(strings.TrimRight(string(p[:end]), "\r")); err != nil {
				return 0, err
			}
			n = copy(p, p[end+1:n])
		}
	}
	if n == 0 {
		return c.pull(p)
	}
	return n, nil
}

// understand takes the next line of those that answer the greeting.
func (c *conn) understand(line string) error {
	c.greeted--
	number, isNumber := strings.CutPrefix(line, ":")
	switch {
	case c.asksID && c.greeted == 0 && isNumber:
		c.id = number
	case c.asksID && c.greeted == 0 && strings.HasPrefix(line, "-"):
	case strings.Contains(line, "cluster support disabled"):
	default:
		return refusalOf(line)
	}
	return nil
}

// introduced says that the server has answered the library's handshake as well.
func (w *wire) introduced(c *conn) {
	l := w.link
	w.mu.Lock()
	w.id, w.made = c.id, true
	if w.conn == c {
		c.counted = true
		l.counters.opened()
	}
	w.mu.Unlock()
	l.health.answered()
	l.gate.opened()
	logf(LogInfo, "connected to %s", l.endpoint)
}
