package suite

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// event is something that happens to a client, at a time of the vector's time line.
type event struct {
	at   time.Duration
	text string
}

// periodic says that the client comes to it by itself.
func (e event) periodic() bool { return strings.HasPrefix(e.text, "periodic") }

func (t *trial) events(m *members) []event {
	pairs, _ := get[[][2]any](t, m, "events")
	var events []event
	for _, pair := range pairs {
		number, isNumber := pair[0].(json.Number)
		text, isText := pair[1].(string)
		if !isNumber || !isText {
			t.misread("input.events", pair)
			continue
		}
		seconds, _ := number.Float64()
		events = append(events, event{time.Duration(seconds * float64(time.Second)), text})
	}
	return events
}

// eventKinds are the sentences in which vectors tell what happens.
var eventKinds = []struct {
	pattern *regexp.Regexp
	play    func(*timeline, []string) bool
}{
	{regexp.MustCompile(`^periodic tick, view (unchanged|changed)$`), (*timeline).tick},
	{regexp.MustCompile(`^connection lost (\S+:\d+)$`), (*timeline).connectionLost},
	{regexp.MustCompile(`^all connections lost$`), (*timeline).allLost},
	{regexp.MustCompile(`^route without connection$`), (*timeline).routeWithoutNode},
	{regexp.MustCompile(`^refresh requested$`), (*timeline).requested},
	{regexp.MustCompile(`^refresh: view without (\S+:\d+)$`), (*timeline).viewWithout},
	{regexp.MustCompile(`^([A-Z]+)(?: (\S+:\d+))?$`), (*timeline).refused},
}

// timeline plays events before a client.
type timeline struct {
	*world
	trial *trial
	seed  *node // the only address that the client is given, and no node of the cluster
	keys  int
	vain  int // looks that attempts which no node saw may have been the cause of
}

// compression is how much faster than told a time line is played: the vectors carry a pause of
// 15 s between two looks at the topology, where this client has one of 1 s after a redirect.
const compression = 15

// shortestLook is its pause where nodes are lost: attempts that fail for as long may cause one more
// look.
const shortestLook = 100 * time.Millisecond

// refreshed judges vectors about what makes a client look at its topology. Other clients hold back
// longer between two looks. So of several causes the expected number is the least, and one look
// for each is the most; where none is expected there must be none.
func (t *trial) refreshed() {
	input := t.inner(t.request, "input")
	events := t.events(input)
	if len(events) == 1 && events[0].text == "refresh: CLUSTER SLOTS -> NOPERM" {
		t.forbidden()
		return
	}
	w := t.build(t.topology(), newScript(t))
	defer w.close()
	l := &timeline{world: w, trial: t, seed: w.add("seed:7000")}
	w.startTranslation()
	options := append(t.clientOptions(t.settings()), option("timeout_ms", easyTimeout.Milliseconds()))
	if slices.ContainsFunc(events, event.periodic) {
		options = append(options, option("refresh_s", 1))
	}
	w.client = t.must(slices.Concat([]string{"client", subject}, options, []string{l.seed.fake.Address()})...) != nil
	if !w.client {
		return
	}
	for _, n := range w.nodes {
		if n != l.seed && !w.met(n) {
			return
		}
	}
	w.begin()
	for _, event := range events {
		if !event.periodic() {
			time.Sleep(time.Until(w.opened.Add(event.at / compression)))
		}
		if !l.play(event) {
			return
		}
	}
	l.expected()
}

func (l *timeline) play(e event) bool {
	for _, known := range eventKinds {
		if found := known.pattern.FindStringSubmatch(e.text); found != nil {
			return known.play(l, found)
		}
	}
	l.trial.misread("input.events", e.text)
	return false
}

// expected checks what came of the events.
func (l *timeline) expected() {
	t := l.trial
	if want, has := get[int](t, t.expect, "full_refreshes"); has {
		l.looked("full_refreshes", want, len(l.sends())+l.vain)
	}
	if back, _ := get[bool](t, t.expect, "reconnect_seeds"); back && len(l.seed.fake.Commands()) == l.seed.mark {
		t.differ("reconnect_seeds", "a command to the first address", "none")
	}
	reconnected, _ := get[[]string](t, t.expect, "reconnects")
	for _, address := range reconnected {
		if n := l.aliases[address]; n == nil || n.fake.Connections() < 2 {
			t.differ("reconnects", "another connection to "+address, "none")
		}
	}
	closed, _ := get[[]string](t, t.expect, "closed")
	for _, address := range closed {
		n := l.aliases[address]
		if n == nil || !eventually(settling, func() bool { return n.fake.OpenConnections() == 0 }) {
			t.differ("closed", "no connection to "+address, "it is open")
		}
	}
}

// key is a key that no other event has used, and the primary of its slot.
func (l *timeline) key() (string, *node) {
	l.keys++
	key := "event" + number(l.keys)
	slot := int(routing.SlotOf([]byte(key)))
	for _, held := range l.topology.Ranges {
		if held.Start <= slot && slot <= held.End {
			return key, l.aliases[held.Primary]
		}
	}
	return key, nil
}

// get reads a key and says whether that went well and somebody was asked for it at all.
func (l *timeline) get(key string) bool {
	if l.trial.must("execute", subject, hexWord("GET"), hexWord(key)) == nil {
		return false
	}
	asked := slices.ContainsFunc(l.sends(), func(s send) bool { return slices.Equal(s.words, []string{"GET", key}) })
	if !asked {
		l.trial.differ("GET "+key, "that a node gets it", "none did")
	}
	return asked
}

// refused: the primary of a key refuses a command with a code, once. A redirect goes to another
// primary, unless it says where to.
func (l *timeline) refused(words []string) bool {
	key, primary := l.key()
	if primary == nil {
		return false
	}
	code, to := words[1], words[2]
	line := code + " x"
	if code == "MOVED" || code == "ASK" {
		for _, shard := range l.topology.shards() {
			if to == "" && shard.primary != primary.name {
				to = shard.primary
			}
		}
		line = code + " " + number(int(routing.SlotOf([]byte(key)))) + " " + to
	}
	primary.fake.On("GET "+key, fakenode.Err(l.script.realLine(line)), fakenode.Bulk("v"))
	return l.get(key)
}

// tick: the client looks from time to time by itself, every second here.
func (l *timeline) tick(words []string) bool {
	if words[1] == "changed" {
		l.tellAll(l.swapped())
	}
	time.Sleep(time.Until(l.opened.Add(1200 * time.Millisecond)))
	if words[1] == "unchanged" {
		return true
	}
	first := l.topology.Ranges[0]
	answer := l.trial.must("topology", subject)
	if answer == nil || answer.Topology == nil {
		return false
	}
	if _, role := answer.Topology.home(first.Primary); role != "replica" {
		l.trial.differ("role of "+first.Primary+" in the changed view", "replica", role)
	}
	return true
}

// swapped is the topology after a failover in the first shard.
func (l *timeline) swapped() *Topology {
	first := l.topology.Ranges[0]
	if len(first.Replicas) == 0 {
		l.trial.misread("topology", "a first shard without a replica")
		return l.topology
	}
	const aside = "?"
	return l.topology.renamed(first.Primary, aside).renamed(first.Replicas[0], first.Primary).renamed(aside, first.Replicas[0])
}

// connectionLost: a node hangs up on a read.
func (l *timeline) connectionLost(words []string) bool {
	for {
		key, primary := l.key()
		if primary == nil {
			return false
		}
		if primary.name == words[1] {
			primary.fake.On("GET "+key, fakenode.Hangup(), fakenode.Bulk("v"))
			return l.get(key)
		}
		if l.keys > 1000 {
			l.trial.misread("input.events", words[0])
			return false
		}
	}
}

// allLost: every node is gone, and others serve their slots, of which the first address knows.
func (l *timeline) allLost([]string) bool {
	topology := l.topology
	lost := l.topology.nodes()
	for i, address := range lost {
		topology = topology.renamed(address, joinAddress("other", 1+i))
	}
	l.tell(l.seed, topology)
	for _, address := range topology.nodes() {
		n := l.add(address)
		l.tell(n, topology)
		l.script.serve(n)
	}
	for _, address := range lost {
		l.aliases[address].fake.Stop()
	}
	key, _ := l.key()
	began := time.Now()
	good := l.get(key)
	l.vain = 1 + int(time.Since(began)/shortestLook)
	return good
}

// routeWithoutNode: a request names a node that is not there. It fails when the client has looked.
func (l *timeline) routeWithoutNode([]string) bool {
	route := "address:" + hexWord("nobody.invalid") + ":1"
	answer := l.trial.call("execute", subject, option("route", route), hexWord("PING"))
	return answer != nil
}

// requested: somebody wants a look, and it takes its time.
func (l *timeline) requested([]string) bool {
	for _, n := range l.nodes {
		n.fake.On("CLUSTER SLOTS", fakenode.Late(l.slots(l.topology), 50*time.Millisecond))
	}
	return l.wantRefresh()
}

// viewWithout: the next view lacks a node.
func (l *timeline) viewWithout(words []string) bool {
	topology := l.topology.renamed("", "")
	for i := range topology.Ranges {
		held := &topology.Ranges[i]
		held.Replicas = slices.DeleteFunc(held.Replicas, func(address string) bool { return address == words[1] })
	}
	l.tellAll(topology)
	return l.routeWithoutNode(nil)
}

// forbidden: the server does not let the client see the topology. The error is told at once.
func (t *trial) forbidden() {
	w := t.build(t.topology(), newScript(t))
	defer w.close()
	for _, n := range w.nodes {
		n.fake.On("CLUSTER SLOTS", fakenode.Err("NOPERM User default has no permissions to run the 'cluster|slots' command"))
	}
	w.begin()
	answer := t.call(w.opening()...)
	if answer == nil {
		return
	}
	w.client = answer.Status == StatusOK
	want, _ := get[string](t, t.expect, "error")
	t.failure(want, answer)
	if retries, has := get[int](t, t.expect, "retries"); has {
		t.same("retries", retries, len(w.nodes[0].fake.Got("CLUSTER SLOTS"))-1)
	}
}
