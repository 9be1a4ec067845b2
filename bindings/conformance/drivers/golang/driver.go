// Package golang is the conformance driver of the Go core: the calls of the line protocol go to
// routing and core directly, in the process of the suite.
package golang

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"libglide/bindings/conformance/suite"
	"libglide/core"
	"libglide/routing"
)

// Driver runs calls on the Go core.
func Driver() suite.Driver {
	return suite.Driver{Name: "go", Start: func() (suite.Session, error) {
		return &session{clients: map[string]*core.Client{}, routers: map[string]*core.Router{}}, nil
	}}
}

type session struct {
	clients map[string]*core.Client
	routers map[string]*core.Router
}

// calls are what a call may be.
var calls = map[string]func(*session, *call) (*suite.Answer, error){
	"slot": (*session).slot, "router": (*session).router, "client": (*session).client,
	"resolve": (*session).resolve, "resolve-batch": (*session).resolveBatch,
	"execute": (*session).execute, "hold": (*session).hold, "batch": (*session).batch, "scan": (*session).scan,
	"topology": (*session).topology, "close": (*session).close,
}

// Call runs one call.
func (s *session) Call(words ...string) ([]byte, error) {
	run, known := calls[words[0]]
	if !known {
		return json.Marshal(&suite.Answer{Status: suite.StatusUnsupported, Error: &suite.Failure{Message: "no call " + words[0]}})
	}
	c := newCall(words[1:])
	answer, err := run(s, c)
	if err == nil {
		err = c.fault
	}
	if answer == nil {
		answer = new(suite.Answer)
	}
	answer.Status = suite.StatusOK
	var refused *core.Error
	switch {
	case errors.As(err, &refused):
		answer.Status, answer.Error, answer.Value = statuses[refused.Status], failure(refused), nil
	case err != nil:
		answer.Status, answer.Error = suite.StatusMalformed, &suite.Failure{Message: err.Error()}
	}
	return json.Marshal(answer)
}

// Close ends what is still open.
func (s *session) Close() {
	for _, client := range s.clients {
		client.Close()
	}
}

var statuses = [...]string{"OK", "INVALID_ARGUMENT", "DECODE", "CONFIG", "ROUTE", "SERVER", "PARTIAL", "TIMEOUT",
	"CONNECTION", "CLOSED", "BUSY", "CANCELLED", "FORKED", "INTERNAL"}

// call is the words of a call behind its name: the name of a client or router, options, and the
// rest. What cannot be read is a fault of the whole call.
type call struct {
	subject string
	options map[string]string
	rest    []string
	fault   error
}

func newCall(words []string) *call {
	c := &call{options: make(map[string]string)}
	if len(words) > 0 {
		c.subject, words = words[0], words[1:]
	}
	for len(words) > 0 {
		name, value, is := strings.Cut(words[0], "=")
		if !is {
			break
		}
		c.options[name] = value
		words = words[1:]
	}
	c.rest = words
	return c
}

func (c *call) wrong(format string, args ...any) {
	if c.fault == nil {
		c.fault = fmt.Errorf(format, args...)
	}
}

// only refuses options that a call does not have.
func (c *call) only(names ...string) {
	for name := range c.options {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ") {
			c.wrong("no option %s", name)
		}
	}
}

func (c *call) number(name string) int {
	text, has := c.options[name]
	if !has {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		c.wrong("option %s: %v", name, err)
	}
	return n
}

func (c *call) milliseconds(name string) time.Duration {
	return time.Duration(c.number(name)) * time.Millisecond
}

func (c *call) bytes(word string) []byte {
	if word == "-" {
		return []byte{}
	}
	bytes, err := hex.DecodeString(word)
	if err != nil {
		c.wrong("%q: %v", word, err)
	}
	return bytes
}

func (c *call) words() [][]byte {
	var words [][]byte
	for _, word := range c.rest {
		words = append(words, c.bytes(word))
	}
	return words
}

// commands are the words of several commands, with "/" between them.
func (c *call) commands() [][][]byte {
	if len(c.rest) == 0 {
		return nil
	}
	commands := make([][][]byte, 1)
	for _, word := range c.rest {
		if word == "/" {
			commands = append(commands, nil)
			continue
		}
		last := &commands[len(commands)-1]
		*last = append(*last, c.bytes(word))
	}
	return commands
}

func (c *call) address(text string) routing.Address {
	address, err := routing.ParseAddress(text)
	if err != nil {
		c.wrong("%v", err)
	}
	return address
}

// route reads the option route: "all-nodes", "key:primary:HEX", "id:replica:-1",
// "address:HOSTHEX:PORT" and so on.
func (c *call) route() routing.Route {
	text, has := c.options["route"]
	simple := map[string]routing.RouteKind{
		"": routing.RouteDefault, "all-nodes": routing.RouteAllNodes,
		"all-primaries": routing.RouteAllPrimaries, "random": routing.RouteRandomNode,
	}
	if kind, is := simple[text]; is && (has == (text != "")) {
		return routing.Route{Kind: kind}
	}
	part := strings.Split(text, ":")
	if len(part) != 3 {
		c.wrong("route %q", text)
		return routing.Route{}
	}
	number, err := strconv.ParseInt(part[2], 10, 32)
	role, isRole := map[string]routing.Role{"primary": routing.Primary, "replica": routing.Replica}[part[1]]
	switch {
	case part[0] == "key" && isRole:
		return routing.Route{Kind: routing.RouteSlotKey, Role: role, Key: c.bytes(part[2])}
	case part[0] == "id" && isRole && err == nil:
		return routing.Route{Kind: routing.RouteSlotID, Role: role, SlotID: int32(number)}
	case part[0] == "address" && err == nil:
		return routing.Route{Kind: routing.RouteByAddress, Host: string(c.bytes(part[1])), Port: int32(number)}
	}
	c.wrong("route %q", text)
	return routing.Route{}
}

var strategies = map[string]routing.ReadStrategy{
	"": routing.ReadPrimary, "primary": routing.ReadPrimary, "prefer_replica": routing.ReadPreferReplica,
	"lowest_latency": routing.ReadLowestLatency, "all_nodes": routing.ReadAllNodes,
	"az_affinity": routing.ReadZoneReplicas, "az_affinity_all_nodes": routing.ReadZoneAllNodes,
	"az_affinity_replicas_and_primary": routing.ReadZoneReplicasAndPrimary,
}

func (c *call) reads() routing.ReadStrategy {
	strategy, known := strategies[c.options["read_from"]]
	if !known {
		c.wrong("read_from %q", c.options["read_from"])
	}
	return strategy
}
