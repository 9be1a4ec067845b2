package fakenode

import (
	"slices"
	"strings"
)

// usual returns what a node answers by itself: what clients send on a new connection, and what
// they put before other commands.
func usual(c *connection, command []string) (Reply, bool) {
	switch strings.ToUpper(command[0]) {
	case "HELLO":
		return fault(hello), true
	case "AUTH", "READONLY", "READWRITE", "ASKING", "SELECT":
		return Simple("OK"), true
	case "CLIENT":
		known := []string{"SETINFO", "SETNAME", "CAPA", "NO-EVICT", "NO-TOUCH"}
		if len(command) > 1 && slices.Contains(known, strings.ToUpper(command[1])) {
			return Simple("OK"), true
		}
		if len(command) > 1 && strings.EqualFold(command[1], "ID") {
			return Int(c.number), true
		}
	case "PING":
		if len(command) > 1 {
			return Bulk(command[1]), true
		}
		return Simple("PONG"), true
	case "ECHO":
		if len(command) == 2 {
			return Bulk(command[1]), true
		}
		return Err("ERR wrong number of arguments for 'echo' command"), true
	}
	return nil, false
}

// hello accepts any user, password and name.
func hello(c *connection, command []string) bool {
	if len(command) > 1 {
		switch command[1] {
		case "2":
			c.protocol = 2
		case "3":
			c.protocol = 3
		default:
			return c.write(Err("NOPROTO unsupported protocol version"))
		}
	}
	return c.write(Map(
		Bulk("server"), Bulk("valkey"),
		Bulk("version"), Bulk("9.1.0"),
		Bulk("proto"), Int(c.protocol),
		Bulk("id"), Int(c.number),
		Bulk("mode"), Bulk("cluster"),
		Bulk("role"), Bulk("master"),
		Bulk("modules"), Array(),
	))
}
