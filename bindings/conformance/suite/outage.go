package suite

import (
	"slices"

	"libglide/bindings/conformance/fakenode"
)

// outage judges a request of a client that has lost every node: it goes back to the addresses that
// it was given at first.
func (t *trial) outage() {
	topology := &Topology{Ranges: []Range{{0, slotCount - 1, "h:7001", nil}}}
	words, _ := get[[]string](t, t.request, "cmd")
	script := newScript(t)
	script.own = [][]string{words}
	w := t.build(topology, script)
	defer w.close()
	seed := w.add("seed:7000")
	w.startTranslation()
	t.settings()
	w.client = t.must("client", subject, seed.fake.Address()) != nil
	if !w.client {
		return
	}
	w.aliases["h:7001"].fake.Stop()
	seed.fake.CloseConnections()
	seed.fake.On("CLUSTER SLOTS", fakenode.Hangup())
	seed.fake.On("HELLO", fakenode.Hangup())
	before := seed.fake.Connections()
	w.begin()
	answer := t.call(slices.Concat([]string{"execute", subject}, t.where(t.request, w.real), hexWords(words))...)
	if answer == nil {
		return
	}
	t.settled(answer, w.sends())
	w.sent(answer)
	if back, _ := get[bool](t, t.expect, "reconnect_seeds"); back &&
		!eventually(settling, func() bool { return seed.fake.Connections() > before }) {
		t.differ("reconnect_seeds", "a connection to the first address", "none")
	}
}
