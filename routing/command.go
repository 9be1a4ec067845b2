package routing

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed commands.tsv
var commandTable string

// place says how a command finds its node: the route column of commands.tsv.
type place uint8

const (
	placeKey place = iota
	placeKeyOrKEYS
	placeCountedKeys
	placeStreams
	placeCursor
	placeSlot
	placeSplitKeys
	placeSplitKeysLast
	placeSplitPairs
	placeSplitTriples
	placeSplitCountedPairs
	placeAnyNode
	placeAnyPrimary
	placeAllNodes
	placeAllPrimaries
	placeAddress
	placeRefused
)

var places = map[string]place{
	"key": placeKey, "key/KEYS": placeKeyOrKEYS, "numkeys": placeCountedKeys,
	"streams": placeStreams, "cursor": placeCursor, "slot": placeSlot,
	"split-keys": placeSplitKeys, "split-keys-last": placeSplitKeysLast,
	"split-pairs": placeSplitPairs, "split-triples": placeSplitTriples,
	"split-counted-pairs": placeSplitCountedPairs,
	"any-node":            placeAnyNode, "any-primary": placeAnyPrimary,
	"all-nodes": placeAllNodes, "all-primaries": placeAllPrimaries, "address": placeAddress,
}

// refusals are the classes of commands that would break a connection which several callers use,
// or that mean nothing on it.
var refusals = map[string]string{
	"session":  "needs a connection of its own, a session",
	"pubsub":   "is for the client's own subscribe and unsubscribe, which follow the channels",
	"stream":   "turns the connection into a stream",
	"owned":    "sets a state of the connection that the client itself keeps",
	"sentinel": "is for a sentinel, which this client does not talk to",
}

// access says what a command does with its keys.
type access uint8

const (
	accessNone access = iota // it has none
	accessRead
	accessWrite
	accessLook  // it has none, and changes nothing
	accessState // it sets a state of the connection, and changes no key
)

// wait says where a command names the time that it lets the server block.
type wait struct {
	word    int    // index of that word; waitLast, waitAfterBLOCK or waitNever
	seconds bool   // the unit is seconds with a fraction, else milliseconds
	inLine  bool   // it waits for what its own connection brought before
	zero    uint64 // the milliseconds that 0 stands for; 0: for ever
}

const (
	waitNever      = 0
	waitLast       = -1
	waitAfterBLOCK = -2
)

// command is one row of commands.tsv.
type command struct {
	name   string
	place  place
	word   int // the N of key@N and its like
	access access
	wait   wait
	policy Policy
	// Another policy where the command has so many words: CLIENT KILL addr:port answers OK, its
	// other form a number. 0: never.
	formWords  int
	formPolicy Policy
	refusal    string

	subs map[string]*command // of a container, by sub-command in capitals
}

// unknown serves for commands that the table does not have: their first argument is taken as the
// key, and they are taken for writes.
var unknown = command{place: placeKey, word: 1, access: accessWrite}

// unknownSub serves for sub-commands that the table does not have: they may do anything, and no
// word of theirs is known to be a key.
var unknownSub = command{place: placeAnyPrimary}

var commands = sync.OnceValue(func() map[string]*command {
	table := make(map[string]*command, 512)
	for line := range strings.Lines(commandTable) {
		if line[0] == '#' {
			continue
		}
		row, err := parseCommand(strings.TrimRight(line, "\n"))
		if err != nil {
			panic(fmt.Sprintf("commands.tsv: %v in %q", err, line))
		}
		name, sub, isSub := strings.Cut(row.name, " ")
		switch container := table[name]; {
		case !isSub && container == nil:
			table[name] = row
		case !isSub:
			row.subs = container.subs
			table[name] = row
		default:
			if container == nil {
				container = &command{name: name, place: placeAnyPrimary}
				table[name] = container
			}
			if container.subs == nil {
				container.subs = make(map[string]*command)
			}
			container.subs[sub] = row
		}
	}
	return table
})

func parseCommand(line string) (*command, error) {
	field := strings.Split(line, "\t")
	if len(field) != 5 {
		return nil, fmt.Errorf("%d columns", len(field))
	}
	row := &command{name: field[0]}
	if err := row.parseRoute(field[1]); err != nil {
		return nil, err
	}
	switch field[2] {
	case "read":
		row.access = accessRead
	case "write":
		row.access = accessWrite
	case "look":
		row.access = accessLook
	case "state":
		row.access = accessState
	case "-":
	default:
		return nil, fmt.Errorf("access %q", field[2])
	}
	if err := row.parseWait(field[3]); err != nil {
		return nil, err
	}
	return row, row.parsePolicy(field[4])
}

func (c *command) parseRoute(text string) (err error) {
	if reason, refused := refusals[text]; refused {
		c.place, c.refusal = placeRefused, reason
		return nil
	}
	if name, number, numbered := strings.Cut(text, "@"); numbered {
		number, rest, alternative := strings.Cut(number, "/")
		if alternative {
			name += "/" + rest
		}
		if c.word, err = strconv.Atoi(number); err != nil {
			return err
		}
		text = name
	}
	known := false
	if c.place, known = places[text]; !known {
		return fmt.Errorf("route %q", text)
	}
	return nil
}

func (c *command) parseWait(text string) error {
	if text == "-" {
		return nil
	}
	text, c.wait.inLine = strings.CutSuffix(text, " in line")
	word, unit, _ := strings.Cut(text, " ")
	if shorter, zero, has := strings.Cut(unit, ", 0 is "); has {
		number, err := strconv.ParseUint(zero, 10, 32)
		if err != nil {
			return err
		}
		unit, c.wait.zero = shorter, number
	}
	if unit != "s" && unit != "ms" {
		return fmt.Errorf("wait %q", text)
	}
	c.wait.seconds = unit == "s"
	switch word {
	case "last":
		c.wait.word = waitLast
	case "BLOCK":
		c.wait.word = waitAfterBLOCK
	default:
		number, err := strconv.Atoi(word)
		if err != nil {
			return err
		}
		c.wait.word = number
	}
	return nil
}

func (c *command) parsePolicy(text string) error {
	text, form, hasForm := strings.Cut(text, ", of ")
	if hasForm {
		var name string
		if _, err := fmt.Sscanf(form, "%d words %s", &c.formWords, &name); err != nil {
			return err
		}
		if c.formPolicy = policies[name]; c.formPolicy == 0 {
			return fmt.Errorf("policy %q", name)
		}
	}
	if text == "-" {
		c.policy = PolicyPerNode
		return nil
	}
	if c.policy = policies[text]; c.policy == 0 {
		return fmt.Errorf("policy %q", text)
	}
	return nil
}

// find returns the row for the words of a request.
func find(words [][]byte) *command {
	table := commands()
	var upper [64]byte
	row := table[string(capitals(upper[:], words[0]))]
	if row == nil {
		return &unknown
	}
	if row.subs == nil || len(words) == 1 {
		return row
	}
	if sub := row.subs[string(capitals(upper[:], words[1]))]; sub != nil {
		return sub
	}
	return &unknownSub
}

// SetsState says whether a command sets a state of the connection that it comes over.
func SetsState(words [][]byte) bool { return len(words) > 0 && find(words).access == accessState }

// ForPrimaries says whether a command without a route goes to all primaries.
func ForPrimaries(words [][]byte) bool {
	return len(words) > 0 && find(words).place == placeAllPrimaries
}

// CommandName is the name of a command as messages tell it: with its sub-command where it has
// one, and without its arguments.
func CommandName(words [][]byte) string {
	if len(words) == 0 {
		return "a command without words"
	}
	if row := find(words); row.name != "" {
		return row.name
	}
	return strings.ToUpper(string(words[0]))
}

// policyOf is the command's policy for the replies to these words.
func (c *command) policyOf(words [][]byte) Policy {
	if c.formWords != 0 && len(words) == c.formWords {
		return c.formPolicy
	}
	return c.policy
}

// capitals writes word in capitals into room; a word that does not fit is no command's and
// comes back as it is.
func capitals(room, word []byte) []byte {
	if len(word) > len(room) {
		return word
	}
	room = room[:len(word)]
	for i, b := range word {
		if 'a' <= b && b <= 'z' {
			b -= 'a' - 'A'
		}
		room[i] = b
	}
	return room
}

func isWord(word []byte, capital string) bool {
	var upper [16]byte
	return len(word) == len(capital) && string(capitals(upper[:], word)) == capital
}
