package suite

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// send is a command of the request that a node got.
type send struct {
	node       *node
	words      []string
	connection int
	position   int // among the commands of that connection
	at         time.Time
}

func (s send) wanted() wanted               { return wanted{s.node.name, s.words} }
func (s send) String() string               { return s.wanted().String() }
func (s send) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// begin forgets what the nodes have got so far.
func (w *world) begin() {
	for _, n := range w.nodes {
		n.mark = len(n.fake.Commands())
	}
	w.opened = time.Now()
}

// housekeeping is what clients say for themselves.
var housekeeping = []string{
	"HELLO", "AUTH", "READONLY", "READWRITE", "SELECT", "CLIENT SETINFO", "CLIENT SETNAME", "CLIENT CAPA", "CLIENT ID",
	"CLUSTER SLOTS", "CLUSTER SHARDS", "CLUSTER INFO", "CLUSTER NODES", "ROLE", "INFO", "PING", "BLPOP held",
}

func (w *world) ofRequest(words []string) bool {
	line := strings.Join(words, " ") + " "
	begins := func(own []string) bool { return strings.HasPrefix(line, strings.Join(own, " ")+" ") }
	return slices.ContainsFunc(w.script.own, begins) || !slices.ContainsFunc(housekeeping, func(own string) bool {
		return strings.HasPrefix(strings.ToUpper(line), strings.ToUpper(own)+" ")
	})
}

// all are the commands of the request that nodes got since begin, in the order of their arrival.
func (w *world) all() []send {
	var sends []send
	for _, n := range w.nodes {
		positions := make(map[int]int)
		for i, command := range n.fake.Commands() {
			positions[command.Connection]++
			if i >= n.mark && w.ofRequest(command.Words) {
				sends = append(sends, send{n, command.Words, command.Connection, positions[command.Connection], command.At})
			}
		}
	}
	slices.SortStableFunc(sends, func(a, b send) int { return a.at.Compare(b.at) })
	return sends
}

// sends are all without the ASKING that goes before a command.
func (w *world) sends() []send {
	return slices.DeleteFunc(w.all(), func(s send) bool { return s.words[0] == "ASKING" })
}

func wantedOf(sends []send) []string {
	lines := make([]string, len(sends))
	for i, send := range sends {
		lines[i] = send.String()
	}
	return lines
}

// sent checks `sends` and what belongs to it.
func (w *world) sent(answer *Answer) {
	t := w.trial
	want, has := get[[]wanted](t, t.expect, "sends")
	ordered, _ := get[bool](t, t.expect, "ordered")
	pairs, contiguous := get[[]int](t, t.expect, "contiguous")
	if !has {
		if ordered || contiguous {
			t.misread("expect.sends", "none")
		}
		return
	}
	seen := w.sends()
	if slices.ContainsFunc(want, func(s wanted) bool { return s.Argv[0] == "ASKING" }) {
		seen = w.all()
	}
	wantLines := []string{}
	for _, send := range want {
		wantLines = append(wantLines, send.String())
	}
	if to, has := get[string](t, t.expect, "redirected_to"); has {
		wantLines = append(wantLines, w.redirects(to, want, answer)...)
	}
	seenLines := wantedOf(seen)
	if !ordered {
		slices.Sort(wantLines)
		slices.Sort(seenLines)
	}
	t.same("sends", wantLines, seenLines)
	if len(seen) != len(wantLines) {
		return
	}
	if contiguous {
		w.contiguous(pairs, seen)
	}
	if ordered && len(answer.Outcomes) == 1 && answer.Status == StatusOK {
		servedBy := want[len(want)-1].To
		if servedBy == want[0].To {
			servedBy = ""
		}
		t.same("served_by", servedBy, answer.Outcomes[0].ServedBy)
	}
}

// contiguous checks that commands went one right behind the other over one connection: nobody
// else's came between.
func (w *world) contiguous(indexes []int, sends []send) {
	for i, index := range indexes {
		if index < 0 || index >= len(sends) {
			w.trial.misread("expect.contiguous", indexes)
			return
		}
		if i == 0 {
			continue
		}
		if before := sends[indexes[i-1]]; !follows(before, sends[index]) {
			w.trial.differ("contiguous", "both in one go", told([]send{before, sends[index]}))
		}
	}
}

func follows(a, b send) bool {
	return a.node == b.node && a.connection == b.connection && b.position == a.position+1
}

// redirects are the further sends that follow where legs of a request are all sent on to one node.
// Their outcomes say who served them.
func (w *world) redirects(to string, want []wanted, answer *Answer) []string {
	var further []string
	for _, send := range want {
		r := w.script.firstReply(send)
		if r == nil || r.Kind != "e" || !strings.HasSuffix(r.Text, " "+to) {
			continue
		}
		further = append(further, wanted{to, send.Argv}.String())
		for _, outcome := range answer.Outcomes {
			if outcome.Node == send.To {
				w.trial.same("served_by of the outcome of "+send.To, to, outcome.ServedBy)
			}
		}
	}
	if len(further) == 0 {
		w.trial.misread("expect.redirected_to", to)
	}
	return further
}

// firstReply is what a node answers first to a command by the vector's replies.
func (s *script) firstReply(send wanted) *Value {
	for _, r := range s.rules {
		if r.address == send.To && r.nth <= 1 && r.reply.list == nil && (r.words == "" || r.words == strings.Join(send.Argv, " ")) {
			return &r.reply.value
		}
	}
	return nil
}

// looks counts how often the client has looked at the topology since begin. One look may ask
// several nodes at once.
func (w *world) looks() int {
	const apart = 60 * time.Millisecond // at least; clients wait longer between two looks
	var times []time.Time
	for _, n := range w.nodes {
		for _, command := range n.fake.Commands()[n.mark:] {
			line := strings.ToUpper(strings.Join(command.Words, " "))
			if line == "CLUSTER SLOTS" || line == "CLUSTER SHARDS" {
				times = append(times, command.At)
			}
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	looks := 0
	for i, at := range times {
		if i == 0 || at.Sub(times[i-1]) > apart {
			looks++
		}
	}
	return looks
}

// batches are the commands of the request by node.
func batches(sends []send) map[string][][]string {
	parts := make(map[string][][]string)
	for _, send := range sends {
		parts[send.node.name] = append(parts[send.node.name], send.words)
	}
	return parts
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
