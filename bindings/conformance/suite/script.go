package suite

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// script is what the fake nodes answer to the request of a vector.
type script struct {
	trial *trial
	world *world
	rules []*rule

	mu      sync.Mutex
	got     map[*node]int              // commands of the request so far
	queued  map[*node][]fakenode.Value // results of the commands after a MULTI
	hangUps map[string]map[int]bool    // by node: after which of its commands, from 1 on
	lost    []string                   // nodes that hang up after a command, once
	own     [][]string                 // beginnings of the commands that are the request's
	batch   *batch
	result  *Value // expected of the request: what it is answered where no rule says more
}

// rule is one entry of the vector's replies.
type rule struct {
	address string // empty: any
	nth     int    // command of that node; 0: any
	words   string // the whole command; empty: any
	reply   reply
	given   map[*node]int // elements of the list
}

// reply is one value for ever, one of several for each command on the wire, or silence.
type reply struct {
	value Value
	list  []reply
	never bool
}

func (r *reply) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '[':
		return decode(raw, &r.list)
	case '"':
		if string(raw) != `"never"` {
			return errors.New(`a reply is a value, a list of values or "never"`)
		}
		r.never = true
		return nil
	}
	return decode(raw, &r.value)
}

// key is the name of a reply: "*", "addr", "addr#n", "addr CMD words" or "CMD words".
var key = regexp.MustCompile(`^(?:(\*|\S*[^\s#]:\d+)(?:#(\d+))?(?:\s+|$))?(.*)$`)

func newScript(t *trial) *script {
	s := &script{
		trial: t, got: make(map[*node]int), queued: make(map[*node][]fakenode.Value),
		hangUps: make(map[string]map[int]bool),
	}
	for _, name := range t.replies.memberNames() {
		answer, good := get[reply](t, t.replies, name)
		if !good {
			continue
		}
		found := key.FindStringSubmatch(name)
		r := s.add(found[1], answer)
		r.nth, _ = strconv.Atoi(found[2])
		r.words = strings.Join(wordsOf(found[3]), " ")
		if r.nth > 0 && answer.list != nil {
			s.follow(r)
		}
	}
	return s
}

// follow makes the lists "addr#1", "addr#2" ... of a batch one list: its commands come again after
// the first of them were refused. They stand in their order.
func (s *script) follow(later *rule) {
	later.nth = 0
	for i, first := range s.rules[:len(s.rules)-1] {
		if first.address == later.address && first.words == later.words && first.reply.list != nil {
			s.rules[i].reply.list = append(first.reply.list, later.reply.list...)
			s.rules = s.rules[:len(s.rules)-1]
			return
		}
	}
}

func (s *script) add(address string, answer reply) *rule {
	if address == "*" {
		address = ""
	}
	r := &rule{address: address, reply: answer, given: make(map[*node]int)}
	s.rules = append(s.rules, r)
	return r
}

// expects takes the expected result for the answer to the request, or to its commands.
func (s *script) expects(raw json.RawMessage) {
	if raw == nil || raw[0] == '"' {
		return
	}
	var value Value
	if raw[0] == '[' {
		value.Kind = "a"
		if decode(raw, &value.Items) == nil {
			s.result = &value
		}
	} else if decode(raw, &value) == nil {
		s.result = &value
	}
}

// addresses are those that the replies name.
func (s *script) addresses() []string {
	var addresses []string
	var inValue func(Value)
	inValue = func(v Value) {
		if v.Kind == "e" {
			addresses = append(addresses, addressesIn(v.Text)...)
		}
		for _, item := range v.Items {
			inValue(item)
		}
	}
	for _, r := range s.rules {
		if r.address != "" {
			addresses = append(addresses, r.address)
		}
		for _, answer := range append([]reply{r.reply}, r.reply.list...) {
			inValue(answer.value)
		}
	}
	return addresses
}

// serve has a node answer by the script.
func (s *script) serve(n *node) {
	decide := fakenode.Func(func(words []string) fakenode.Reply { return s.decide(n, words) })
	n.fake.Otherwise(decide)
	n.fake.On("ASKING", decide)
	for _, words := range s.own {
		if len(words) > 0 && len(wordsOf(words[0])) == 1 {
			n.fake.On(words[0], decide)
		}
	}
}

func (s *script) decide(n *node, words []string) fakenode.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	asking := words[0] == "ASKING"
	if !asking {
		if !s.world.ofRequest(words) {
			return fakenode.Usual()
		}
		s.got[n]++
		if at := slices.Index(s.lost, n.name); at >= 0 {
			s.lost = slices.Delete(s.lost, at, at+1)
			return fakenode.Hangup()
		}
		if s.hangUps[n.name][s.got[n]] {
			return fakenode.Hangup()
		}
	}
	if r := s.find(n, words); r != nil {
		answer := r.reply
		if answer.list != nil {
			answer = answer.list[r.given[n]]
			r.given[n]++
		}
		if answer.never {
			return fakenode.Silence()
		}
		return s.onWire(answer.value)
	}
	if asking {
		return fakenode.Simple("OK")
	}
	return s.usual(n, words)
}

// find gives the rule that says most about a command.
func (s *script) find(n *node, words []string) *rule {
	line := strings.Join(words, " ")
	var best *rule
	bestRank := -1
	last := 0 // number for which the node has a reply of its own
	for _, r := range s.rules {
		if s.world.aliases[r.address] == n {
			last = max(last, r.nth)
		}
	}
	for _, r := range s.rules {
		rank := 0
		switch {
		case r.address != "" && s.world.aliases[r.address] != n,
			r.words != "" && r.words != line,
			r.nth > 0 && r.nth != min(s.got[n], last),
			r.reply.list != nil && r.given[n] >= len(r.reply.list),
			words[0] == "ASKING" && r.words == "" && r.reply.list == nil:
			continue
		}
		if r.words != "" {
			rank += 4
		}
		if r.address != "" {
			rank += 2
		}
		if r.nth > 0 {
			rank++
		}
		if rank > bestRank {
			best, bestRank = r, rank
		}
	}
	return best
}

// usual is what a node answers where no rule is for the command: what the vector expects in the
// end. A slot that nobody serves is refused as servers do it.
func (s *script) usual(n *node, words []string) fakenode.Reply {
	switch words[0] {
	case "MULTI":
		s.queued[n] = []fakenode.Value{}
		return fakenode.Simple("OK")
	case "EXEC":
		results := s.queued[n]
		delete(s.queued, n)
		return fakenode.Array(results...)
	}
	value := s.expected(words)
	if s.queued[n] != nil {
		s.queued[n] = append(s.queued[n], value)
		return fakenode.Simple("QUEUED")
	}
	if s.result == nil && len(words) > 1 && !s.world.topology.serves(int(routing.SlotOf([]byte(words[1])))) {
		return fakenode.Err("CLUSTERDOWN Hash slot not served")
	}
	return value
}

// expected is the expected result of a command.
func (s *script) expected(words []string) fakenode.Value {
	switch {
	case s.result == nil:
		return fakenode.Simple("OK")
	case s.batch == nil:
		return s.onWire(*s.result)
	}
	for i, command := range s.batch.commands {
		if slices.Equal(command, words) && i < len(s.result.Items) {
			return s.onWire(s.result.Items[i])
		}
	}
	return fakenode.Simple("OK")
}

// onWire is a value as a server sends it.
func (s *script) onWire(v Value) fakenode.Value {
	var items []fakenode.Value
	for _, item := range v.Items {
		items = append(items, s.onWire(item))
	}
	switch v.Kind {
	case "s":
		return fakenode.Simple(v.Text)
	case "i":
		return fakenode.Int(int(v.Int))
	case "nil":
		return fakenode.Nil()
	case "a":
		return fakenode.Array(items...)
	case "m":
		return fakenode.Map(items...)
	case "e":
		return fakenode.Err(s.realLine(v.Text))
	case "d":
		return fakenode.Raw("," + v.Text + "\r\n")
	case "t":
		return fakenode.Raw(map[int64]string{0: "#f\r\n", 1: "#t\r\n"}[v.Int])
	}
	return fakenode.Bulk(v.Text)
}

// realLine is an error line with the real address of the node that a redirect names.
func (s *script) realLine(line string) string {
	words := wordsOf(line)
	if len(words) < 3 || words[0] != "MOVED" && words[0] != "ASK" {
		return line
	}
	host, port := splitAddress(words[2])
	for address, n := range s.world.aliases {
		_, other := splitAddress(address)
		switch {
		case address == words[2]:
			words[2] = joinAddress(loopback, n.fake.Port())
			return strings.Join(words, " ")
		case other == port && (host == "" || host == "?"):
			words[2] = joinAddress(host, n.fake.Port())
			return strings.Join(words, " ")
		}
	}
	return line
}
