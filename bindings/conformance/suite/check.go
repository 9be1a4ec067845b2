package suite

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// check compares what came of a request with all that the vector expects of it.
func (w *world) check(answer *Answer, steps steps, batch *batch, took time.Duration) {
	t := w.trial
	sends := w.sends()
	t.settled(answer, sends)
	w.sent(answer)
	w.walk(steps, batch)
	if want, has := get[*int](t, t.expect, "timeout_ms"); has && t.needsClient() {
		t.endedAt(want, took)
	}
	if most, has := get[int](t, t.expect, "sends_max"); has && (len(sends) == 0 || len(sends) > most) {
		t.differ("sends_max", "1 to "+number(most)+" sends", number(len(sends)))
	}
	if choice, has := get[[]string](t, t.expect, "one_of"); has {
		w.oneOf(choice, sends)
	}
	if batch != nil {
		w.checkBatch(batch, sends)
	}
	if t.expect.has("redirect") {
		w.legs()
	}
	if to, has := get[[]string](t, t.expect, "connect"); has {
		for _, address := range to {
			if n := w.aliases[address]; n == nil || n.fake.Connections() == 0 {
				t.differ("connect", "a connection to "+address, "none")
			}
		}
	}
	w.checkTopology()
	w.refreshed(len(sends))
}

// endedAt checks that a request ended at its deadline: not before, and not much later.
func (t *trial) endedAt(want *int, took time.Duration) {
	const late = 150 * time.Millisecond
	if want == nil {
		t.misread("expect.timeout_ms", "null, for a request that ends")
		return
	}
	deadline := time.Duration(*want) * time.Millisecond
	if took < deadline-2*time.Millisecond || took > deadline+late {
		t.differ("timeout_ms", deadline.String(), took.String())
	}
}

// oneOf checks that one of some nodes got the request first, and no other any of it.
func (w *world) oneOf(choice []string, sends []send) {
	t := w.trial
	if len(sends) == 0 {
		t.differ("one_of", "a send to one of "+told(choice), "none")
		return
	}
	argv, has := get[[]string](t, t.expect, "argv")
	for _, send := range sends {
		if !slices.Contains(choice, send.node.name) {
			t.differ("one_of", "sends to "+told(choice), send)
		}
		if has {
			t.same("argv", argv, send.words)
		}
	}
}

// checkBatch checks what nodes got of a batch, and which commands went again.
func (w *world) checkBatch(batch *batch, sends []send) {
	t := w.trial
	if parts, has := get[map[string][][]string](t, t.expect, "sub_batches"); has {
		t.same("sub_batches on the wire", parts, batches(sends))
	}
	again, has := get[[]int](t, t.expect, "retry_only")
	if !has {
		return
	}
	for i, command := range batch.commands {
		times := 0
		for _, send := range sends {
			if slices.Equal(send.words, command) {
				times++
			}
		}
		if more := slices.Contains(again, i); times == 0 || more != (times > 1) {
			t.differ("retry_only", "command "+number(i)+map[bool]string{true: " more than once", false: " once"}[more], number(times)+" times")
		}
	}
}

// legs checks the way of single parts of a command: the nodes that got it one after another, the
// last one behind an ASKING where that is expected.
func (w *world) legs() {
	t := w.trial
	legs, _ := get[[]struct {
		Leg    string
		To     []string
		Asking bool
	}](t, t.expect, "redirect")
	all := w.all()
	for _, leg := range legs {
		var way []string
		asked := false
		for _, one := range all {
			if strings.Join(one.words, " ") == leg.Leg {
				way = append(way, one.node.name)
				asked = slices.ContainsFunc(all, func(other send) bool { return other.words[0] == "ASKING" && follows(other, one) })
			}
		}
		t.same("way of "+leg.Leg, leg.To, way)
		t.same("ASKING before "+leg.Leg, leg.Asking, asked)
	}
}

// checkTopology checks what the client has learnt of the cluster.
func (w *world) checkTopology() {
	t := w.trial
	slots, hasSlots := get[map[string]string](t, t.expect, "slot_map")
	roles, hasRoles := get[map[string]string](t, t.expect, "roles")
	var shards []string
	for _, name := range t.expect.memberNames() {
		if strings.HasPrefix(name, "shard_of_") {
			shards = append(shards, name)
		}
	}
	if !hasSlots && !hasRoles && len(shards) == 0 {
		return
	}
	answer := t.must("topology", subject)
	if answer == nil || answer.Topology == nil {
		return
	}
	topology := answer.Topology
	for _, name := range sortedKeys(slots) {
		first, last, good := slotRange(name)
		if !good {
			t.misread("expect.slot_map", name)
			continue
		}
		for slot := first; slot <= last; slot++ {
			owner := topology.owner(slot)
			if owner == nil || owner.Primary.Address != slots[name] {
				t.differ("owner of slot "+number(slot), slots[name], told(owner))
				break
			}
		}
	}
	for _, address := range sortedKeys(roles) {
		_, role := topology.home(address)
		t.same("role of "+address, roles[address], role)
	}
	for _, name := range shards {
		w.shardOf(name, topology)
	}
}

// slotRange reads "12182" or "10923..16383".
func slotRange(text string) (first, last int, good bool) {
	from, to, is := strings.Cut(text, "..")
	if !is {
		to = from
	}
	first, err := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	return first, last, err == nil && err2 == nil && first <= last
}

// shardOf checks the shard of a node that is named by its place in the topology: P2 is the primary
// of the second shard, R1 the first replica of the first.
func (w *world) shardOf(name string, topology *TopologyAnswer) {
	t := w.trial
	want, _ := get[string](t, t.expect, name)
	place := strings.TrimPrefix(name, "shard_of_")
	index, err := strconv.Atoi(place[1:])
	shards := w.topology.shards()
	if err != nil || index < 1 || index > len(shards) || want != "new, without replicas" {
		t.misread("expect."+name, t.expect.raw[name])
		return
	}
	address := shards[index-1].primary
	if place[0] == 'R' && len(shards[index-1].replicas) > 0 {
		address = shards[index-1].replicas[0]
	} else if place[0] != 'P' {
		t.misread("expect."+name, t.expect.raw[name])
		return
	}
	home, role := topology.home(address)
	if home == nil || role != "primary" || len(home.Replicas) > 0 {
		t.differ(name, address+" as the primary of a shard without replicas", told(home))
	}
}

// settling is how long a look that somebody asked for may take to begin, and how long after the
// last one another would have begun.
const (
	settling = 500 * time.Millisecond
	quiet    = 150 * time.Millisecond
)

// refreshed checks how often the client looked at the topology because of the request: as often as
// expected, but no more than once for each time that the request was sent, since every one of them
// may have been a cause.
func (w *world) refreshed(sends int) {
	t := w.trial
	want := 1
	switch raw := t.expect.raw["refresh"]; {
	case raw == nil:
		return
	case raw[0] == '"':
		if word, _ := get[string](t, t.expect, "refresh"); word != "throttled" {
			t.misread("expect.refresh", raw)
			return
		}
	default:
		want, _ = get[int](t, t.expect, "refresh")
	}
	w.looked("refresh", want, sends)
}

func (w *world) looked(what string, want, sends int) {
	eventually(settling, func() bool { return w.looks() >= want })
	time.Sleep(quiet)
	most := want
	if want > 0 {
		most = max(want, sends)
	}
	if seen := w.looks(); seen < want || seen > most {
		w.trial.differ(what, number(want)+" to "+number(most)+" looks at the topology", number(seen))
	}
}
