package suite

import (
	"slices"
	"strings"
	"time"

	"libglide/bindings/conformance/fakenode"
)

// easyTimeout is for requests whose deadline is not what the vector is about: a loaded machine is
// no fault. It is still below the pause that a client with no sense of deadlines makes.
const easyTimeout = time.Second

// live judges a vector by a client on fake nodes.
func (t *trial) live(topology *Topology) {
	if len(topology.nodes()) == 0 {
		t.outage()
		return
	}
	script := newScript(t)
	script.expects(t.expect.raw["result"])
	script.lost, _ = get[[]string](t, t.state, "fails_after_write")
	words, _ := get[[]string](t, t.request, "cmd")
	if len(words) > 0 {
		script.own = [][]string{words[:min(2, len(words))]}
	}
	if t.request.has("batch") {
		script.batch, _ = t.batch(same)
		script.own = script.batch.commands
	}
	steps := t.steps(script)
	w := t.build(topology.served(), script)
	defer w.close()
	gone, _ := get[[]string](t, t.state, "disconnected")
	if there, has := get[[]string](t, t.state, "connected"); has {
		for _, address := range w.topology.nodes() {
			if !slices.Contains(there, address) {
				gone = append(gone, address)
			}
		}
	}
	for _, address := range slices.Concat(gone, steps.unreachable()) {
		if n := w.add(address); n != nil {
			n.refused = true
			n.fake.Refuse()
		}
	}
	settings := t.settings()
	if strings.Contains(string(t.expect.raw["targets_over_n"]), `"error"`) {
		t.refusedClient(w, settings)
		return
	}
	if !w.connect(t.clientOptions(settings)...) || !w.prepare(steps) {
		return
	}
	if len(topology.Ranges) == 0 && !topology.Standalone {
		w.topology = topology
		w.tellAll(topology)
	}
	batch, isBatch := t.batch(w.real)
	call := slices.Concat([]string{"execute", subject}, t.timeoutOption(), t.where(t.request, w.real), hexWords(words))
	if isBatch {
		call = slices.Concat([]string{"batch", subject}, batch.options, batch.words())
	}
	w.begin()
	if t.expect.has("targets_over_n") {
		t.shared(func() []string {
			w.begin()
			t.must(call...)
			var nodes []string
			for _, send := range w.sends() {
				nodes = append(nodes, send.node.name)
			}
			return nodes
		})
		return
	}
	began := time.Now()
	answer := t.call(call...)
	if answer == nil {
		return
	}
	took := time.Since(began)
	if t.state.has("refresh_in_progress") && took > promptly {
		t.differ("state.refresh_in_progress", "an answer within "+promptly.String(), took.String())
	}
	w.check(answer, steps, batch, took)
}

// promptly is when a request that waits for nothing has its answer. A look at the topology goes on
// for longer where no node answers it.
const promptly = 200 * time.Millisecond

func (t *trial) timeoutOption() []string {
	if milliseconds, has := get[int](t, t.request, "timeout_ms"); has {
		return []string{option("timeout_ms", milliseconds)}
	}
	return nil
}

// clientOptions are those of the client that the vector is about.
func (t *trial) clientOptions(s settings) []string {
	options := s.options()
	if s.readOnly {
		options = append(options, option("read_only", 1))
	}
	if s.inflight == 0 {
		s.inflight = t.file.InflightLimit
	}
	if s.timeout == 0 {
		s.timeout = easyTimeout
		if t.expect.has("timeout_ms") && t.needsClient() || strings.Contains(string(t.expect.raw["error"]), `"timeout"`) {
			s.timeout = t.file.Timeout
		}
	}
	return append(options, option("inflight", s.inflight), option("timeout_ms", s.timeout.Milliseconds()))
}

// refusedClient: a client with these settings must not come to be.
func (t *trial) refusedClient(w *world, s settings) {
	m := t.inner(t.expect, "targets_over_n")
	want, _ := get[string](t, m, "error")
	get[int](t, m, "n")
	if answer := t.call(w.opening(t.clientOptions(s)...)...); answer != nil && answer.Status == StatusOK {
		w.client = true
		t.differ("client", "the error "+want, StatusOK)
	}
}

// opening is the call that opens a client: on the first node that is there, or on all nodes where
// they are no cluster.
func (w *world) opening(options ...string) []string {
	call := append([]string{"client", subject}, options...)
	if w.topology.Standalone {
		call = append(call, option("cluster", 0))
	}
	for _, address := range w.topology.nodes() {
		n := w.aliases[address]
		if n.refused {
			continue
		}
		call = append(call, n.fake.Address())
		if !w.topology.Standalone {
			break
		}
	}
	return call
}

func (w *world) connect(options ...string) bool {
	w.client = w.trial.must(w.opening(options...)...) != nil
	return w.client
}

// prepare brings about what the vector's state and steps say of the time before the request.
func (w *world) prepare(steps steps) bool {
	t := w.trial
	idle, _ := get[[]string](t, t.state, "fails_before_write")
	for _, address := range append(idle, steps.lostBefore()...) {
		n := w.add(address)
		if !w.met(n) {
			return false
		}
		n.fake.CloseConnections()
	}
	if busy, has := get[int](t, t.state, "inflight"); has && !w.occupy(busy) {
		return false
	}
	if looking, _ := get[bool](t, t.state, "refresh_in_progress"); looking {
		for _, n := range w.nodes {
			n.fake.On("CLUSTER SLOTS", fakenode.Silence())
		}
		w.begin()
		if !w.wantRefresh() || !eventually(time.Second, func() bool { return w.looks() > 0 }) {
			t.differ("state.refresh_in_progress", "a look at the topology", "none")
			return false
		}
	}
	return true
}

// met has the client open a connection to a node.
func (w *world) met(n *node) bool {
	if w.trial.must("execute", subject, option("route", w.addressRoute(n)), hexWord("PING")) == nil {
		return false
	}
	if n.fake.OpenConnections() == 0 {
		w.trial.differ("PING to "+n.name, "a connection to it", "none")
		return false
	}
	return true
}

// occupy has so many requests run until the client is closed.
func (w *world) occupy(busy int) bool {
	for _, n := range w.nodes {
		n.fake.On("BLPOP", fakenode.Silence())
	}
	if w.trial.must("hold", subject, option("count", busy), hexWord("BLPOP"), hexWord("held"), hexWord("0")) == nil {
		return false
	}
	held := 0
	for more := true; more && held < busy; {
		more = eventually(2*time.Second, func() bool {
			now := 0
			for _, n := range w.nodes {
				now += len(n.fake.Got("BLPOP"))
			}
			more := now > held
			held = now
			return more
		})
	}
	if held != busy {
		w.trial.differ("state.inflight", number(busy)+" requests on their way", number(held))
	}
	return held == busy
}

// wantRefresh makes the client look at the topology: for a node that it does not know.
func (w *world) wantRefresh() bool {
	route := "address:" + hexWord("nobody.invalid") + ":1"
	return w.trial.must("hold", subject, option("route", route), hexWord("PING")) != nil
}

func (w *world) addressRoute(n *node) string {
	host, port := splitAddress(n.real())
	return "address:" + hexWord(host) + ":" + number(port)
}

// heavy vectors run alone, since others would miss their deadlines beside them.
func heavy(vector *Vector) bool {
	return strings.Contains(string(vector.members["request"]), `"inflight"`)
}
