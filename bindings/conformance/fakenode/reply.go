package fakenode

import "time"

// Reply is what a node does about a command: give a Value, or one of the faults below.
type Reply interface {
	// give does it, and returns false where the connection is to be closed.
	give(c *connection, command []string) bool
}

func (v Value) give(c *connection, _ []string) bool { return c.write(v) }

type fault func(c *connection, command []string) bool

func (f fault) give(c *connection, command []string) bool { return f(c, command) }

// Silence never answers, nor what follows on the connection, which stays open: a server that is
// stuck. The commands are still read and recorded.
func Silence() Reply {
	return fault(func(c *connection, _ []string) bool {
		c.silent = true
		return true
	})
}

// Hangup closes the connection instead of an answer.
func Hangup() Reply {
	return fault(func(*connection, []string) bool { return false })
}

// Reset closes the connection with a TCP reset instead of an answer.
func Reset() Reply {
	return fault(func(c *connection, _ []string) bool {
		c.conn.SetLinger(0)
		return false
	})
}

// Half writes the first half of a value and closes the connection.
func Half(value Value) Reply {
	return fault(func(c *connection, _ []string) bool {
		bytes := value.bytes(c.protocol)
		c.writeBytes(bytes[:len(bytes)/2])
		return false
	})
}

// Slowly writes a value a byte at a time, with a pause before each.
func Slowly(value Value, pause time.Duration) Reply {
	return fault(func(c *connection, _ []string) bool {
		for _, b := range value.bytes(c.protocol) {
			if !c.wait(pause) || !c.writeBytes([]byte{b}) {
				return false
			}
		}
		return true
	})
}

// Endless writes a beginning, and then the same bytes until nobody reads them any more.
func Endless(beginning, again string) Reply {
	return fault(func(c *connection, _ []string) bool {
		for c.writeBytes([]byte(beginning)) {
			beginning = again
		}
		return false
	})
}

// Late does what reply does after a pause. Other commands on the connection wait meanwhile.
func Late(reply Reply, pause time.Duration) Reply {
	return fault(func(c *connection, command []string) bool {
		return c.wait(pause) && reply.give(c, command)
	})
}

// Func asks a function what to do about a command. It may block; only this connection waits.
func Func(decide func(words []string) Reply) Reply {
	return fault(func(c *connection, command []string) bool {
		return decide(command).give(c, command)
	})
}

// Usual is what the node would answer by itself, to follow a fault of the handshake:
// On("HELLO", Err("LOADING ..."), Usual()).
func Usual() Reply {
	return fault(func(c *connection, command []string) bool {
		reply, known := usual(c, command)
		if !known {
			reply = Err("ERR fakenode: it answers no " + command[0] + " by itself")
		}
		return reply.give(c, command)
	})
}
