package fakenode

import (
	"slices"
	"strings"
	"time"
)

// Command is one that a node got.
type Command struct {
	Connection int // counted from 1
	At         time.Time
	Words      []string
}

func (n *Node) record(connection int, words []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, Command{connection, time.Now(), words})
}

// Commands returns all that n got, in the order in which it read them, the handshakes too.
func (n *Node) Commands() []Command {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.log)
}

// Got returns the commands that n got, or only those that begin with one of some words, which
// match as those of On do: Got("GET foo", "ASKING").
func (n *Node) Got(beginnings ...string) [][]string {
	return n.got(0, beginnings)
}

// GotOn returns what came on one connection, counted from 1; else as Got.
func (n *Node) GotOn(connection int, beginnings ...string) [][]string {
	return n.got(connection, beginnings)
}

func (n *Node) got(connection int, beginnings []string) [][]string {
	var commands [][]string
	for _, command := range n.Commands() {
		wanted := len(beginnings) == 0 || slices.ContainsFunc(beginnings, func(words string) bool {
			return begins(command.Words, strings.Fields(words))
		})
		if wanted && (connection == 0 || connection == command.Connection) {
			commands = append(commands, command.Words)
		}
	}
	return commands
}
