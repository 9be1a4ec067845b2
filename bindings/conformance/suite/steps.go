package suite

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// steps are the way of a request as a vector tells it.
type steps []step

type step struct {
	kind       string // of stepKinds
	node       string
	words      []string // first words of the commands that the node gets
	contiguous bool
}

// stepKinds are the sentences that vectors tell a way in.
var stepKinds = []struct {
	kind    string
	pattern *regexp.Regexp
}{
	{"send", regexp.MustCompile(`^send (\S+:\d+)(?:: ([^:]*?)( contiguous)?)?$`)},
	{"enqueue", regexp.MustCompile(`^enqueue (\S+:\d+)$`)},
	{"wait", regexp.MustCompile(`^wait$`)},
	{"refresh", regexp.MustCompile(`^(?:throttled )?refresh$`)},
	{"reconnect", regexp.MustCompile(`^reconnect(?: (\S+:\d+))?$`)},
	{"drop", regexp.MustCompile(`^drop connection (\S+:\d+)$`)},
	{"lost after", regexp.MustCompile(`^connection fails after the write$`)},
	{"lost before", regexp.MustCompile(`^connection fails before the bytes were written$`)},
	{"unreachable", regexp.MustCompile(`^(?:ASK|MOVED) to (\S+:\d+) \(unreachable\)$`)},
	{"back", regexp.MustCompile(`^back to the original route$`)},
}

// steps reads expect.steps, and has the nodes hang up where they tell of it.
func (t *trial) steps(script *script) steps {
	lines, _ := get[[]string](t, t.expect, "steps")
	var all steps
	sends := make(map[string]int)
	last := ""
	for _, line := range lines {
		s, known := readStep(line)
		if !known {
			t.misread("expect.steps", line)
			continue
		}
		switch s.kind {
		case "send":
			sends[s.node]++
			last = s.node
		case "lost after":
			if script.hangUps[last] == nil {
				script.hangUps[last] = make(map[int]bool)
			}
			script.hangUps[last][sends[last]] = true
		}
		all = append(all, s)
	}
	return all
}

func readStep(line string) (step, bool) {
	for _, known := range stepKinds {
		found := known.pattern.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		s := step{kind: known.kind}
		if len(found) > 1 {
			s.node = found[1]
		}
		if len(found) > 2 && found[2] != "" {
			s.words, s.contiguous = strings.Split(found[2], ", "), found[3] != ""
		}
		return s, true
	}
	return step{}, false
}

func (all steps) unreachable() []string { return all.nodes("unreachable") }

// lostBefore are the nodes whose connection is closed before anything is written to it.
func (all steps) lostBefore() []string {
	if slices.ContainsFunc(all, func(s step) bool { return s.kind == "lost before" }) {
		return all.nodes("enqueue")
	}
	return nil
}

func (all steps) nodes(kind string) []string {
	var nodes []string
	for _, s := range all {
		if s.kind == kind {
			nodes = append(nodes, s.node)
		}
	}
	return nodes
}

// walk is what is known while the way of a request is compared with the steps.
type walk struct {
	world   *world
	batch   bool
	left    []send        // not yet told of by a step
	before  *send         // the last one told of
	on      map[*node]int // the connection that a node was last met on
	waits   bool          // the next send comes after a pause,
	renewed bool          // and over another connection
	dropped map[*node]int // a connection that is not to be met again
}

// shortestPause is what a client that waits leaves at least between two sends.
const shortestPause = 200 * time.Microsecond

// walk checks that the sends are those of the steps, in their order, and no others.
func (w *world) walk(all steps, batch *batch) {
	if len(all) == 0 {
		return
	}
	k := &walk{world: w, batch: batch != nil, left: w.all(), on: make(map[*node]int), dropped: make(map[*node]int)}
	for i := range all {
		if !k.step(&all[i]) {
			return
		}
	}
	if len(k.left) > 0 {
		w.trial.differ("steps", "no more than the steps", told(k.left))
	}
}

// step goes one step on; false where the rest would make no sense.
func (k *walk) step(s *step) bool {
	w := k.world
	switch s.kind {
	case "send":
		return k.send(s)
	case "enqueue":
		if n := w.aliases[s.node]; n.mark > 0 {
			k.on[n] = n.fake.Commands()[n.mark-1].Connection
		}
	case "wait":
		k.waits = true
	case "reconnect":
		k.renewed = true
	case "drop":
		n := w.aliases[s.node]
		k.dropped[n] = k.on[n]
	case "refresh":
		if !eventually(settling, func() bool { return w.looks() > 0 }) {
			w.trial.differ("steps", "a look at the topology", "none")
		}
	}
	return true
}

func (k *walk) send(s *step) bool {
	t := k.world.trial
	group := k.take(s)
	if len(group) == 0 {
		seen := "nothing more"
		if len(k.left) > 0 {
			seen = k.left[0].String()
		}
		t.differ("steps", "send "+s.node, seen)
		return false
	}
	first, last := group[0], group[len(group)-1]
	if s.words != nil {
		var words []string
		for _, one := range group {
			words = append(words, one.words[0])
		}
		t.same("commands to "+s.node, s.words, words)
	}
	if s.contiguous && last.position-first.position != len(group)-1 {
		t.differ("commands to "+s.node, "one right behind the other", told(group))
	}
	if k.renewed && k.on[first.node] == first.connection {
		t.differ("steps", "another connection to "+s.node, fmt.Sprintf("again connection %d", first.connection))
	}
	if at, is := k.dropped[first.node]; is && at == first.connection {
		t.differ("steps", "a connection to "+s.node+" that is dropped", "it is used again")
	}
	if k.waits && k.before != nil && first.at.Sub(k.before.at) < shortestPause {
		t.differ("steps", "a pause before send "+s.node, first.at.Sub(k.before.at).String())
	}
	k.before, k.waits, k.renewed = &last, false, false
	k.on[first.node] = first.connection
	return true
}

// take takes the commands of one send off the list: one, or of a batch as many as came in a row.
func (k *walk) take(s *step) []send {
	count := 0
	for count < len(k.left) {
		one := k.left[count]
		if one.node != k.world.aliases[s.node] || count > 0 && one.connection != k.left[0].connection {
			break
		}
		count++
		if !k.batch && one.words[0] != "ASKING" || s.words != nil && count == len(s.words) || one.words[0] == "EXEC" {
			break
		}
	}
	group := k.left[:count]
	k.left = k.left[count:]
	return group
}
