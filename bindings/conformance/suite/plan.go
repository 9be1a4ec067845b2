package suite

import (
	"slices"
	"strings"
)

// wanted is a command that a node has to get.
type wanted struct {
	To   string   `json:"to"`
	Argv []string `json:"argv"`
}

func (w wanted) String() string { return w.To + " " + strings.Join(w.Argv, " ") }

func same(address string) string { return address }

// planned asks a router over the vector's topology where the request would go.
func (t *trial) planned(topology *Topology) {
	settings := t.settings()
	call := append([]string{"router", subject}, settings.options()...)
	if topology.Standalone {
		call = append(call, option("standalone", 1))
	}
	for _, shard := range topology.shards() {
		call = append(call, shardWord(topology, shard))
	}
	if t.must(call...) == nil {
		return
	}
	defer t.close()
	if batch, is := t.batch(same); is {
		if answer := t.must(slices.Concat([]string{"resolve-batch", subject}, batch.plan(), batch.words())...); answer != nil {
			t.plan(answer.Plan)
		}
		return
	}
	words, _ := get[[]string](t, t.request, "cmd")
	resolve := slices.Concat([]string{"resolve", subject}, t.where(t.request, same), hexWords(words))
	if t.expect.has("targets_over_n") {
		t.shared(func() []string {
			if answer := t.must(resolve...); answer != nil && answer.Plan != nil {
				return nodesOf(answer.Plan)
			}
			return nil
		})
		return
	}
	if answer := t.must(resolve...); answer != nil {
		t.plan(answer.Plan)
	}
}

// shardWord is a shard as the call that opens a router takes it.
func shardWord(topology *Topology, s *shard) string {
	var ranges []string
	for _, held := range s.slots {
		ranges = append(ranges, number(held[0])+"-"+number(held[1]))
	}
	word := strings.Join(ranges, ",")
	for _, node := range append([]string{s.primary}, s.replicas...) {
		word += "|" + node + "@" + topology.Zones[node]
	}
	return word
}

func nodesOf(plan *Plan) []string {
	var nodes []string
	for _, leg := range plan.Legs {
		nodes = append(nodes, leg.Node)
	}
	return nodes
}

// plan checks what can be seen in a plan.
func (t *trial) plan(plan *Plan) {
	if plan == nil {
		t.differ("plan", "a plan", "none")
		return
	}
	var seen []string
	for i := range plan.Legs {
		seen = append(seen, wanted{plan.Legs[i].Node, plan.Legs[i].words()}.String())
	}
	if sends, has := get[[]wanted](t, t.expect, "sends"); has && !t.needsClient() {
		var want []string
		for _, send := range sends {
			want = append(want, send.String())
		}
		slices.Sort(want)
		slices.Sort(seen)
		t.same("sends", want, seen)
	}
	if choice, has := get[[]string](t, t.expect, "one_of"); has {
		t.oneOf(choice, plan)
	}
	if policy, has := get[string](t, t.expect, "policy"); has {
		t.same("policy", policyName(policy), plan.Policy)
	}
	if t.expect.has("timeout_ms") && !t.needsClient() {
		t.planTimeout(plan)
	}
	if parts, has := get[map[string][][]string](t, t.expect, "sub_batches"); has {
		t.parts(parts, plan)
	}
}

// oneOf: exactly one of these nodes gets the request, and nobody else anything of it.
func (t *trial) oneOf(choice []string, plan *Plan) {
	nodes := slices.Compact(nodesOf(plan))
	if len(nodes) != 1 || !slices.Contains(choice, nodes[0]) {
		t.differ("one_of", "one of "+told(choice), told(nodes))
		return
	}
	if argv, has := get[[]string](t, t.expect, "argv"); has {
		t.same("argv", argv, plan.Legs[0].words())
	}
}

// planTimeout: a command that blocks gets the time that it asks for and half a second; null stands
// for no end. Others have that of the client.
func (t *trial) planTimeout(plan *Plan) {
	const grace = 500
	want, _ := get[*int](t, t.expect, "timeout_ms")
	var seen *int
	switch {
	case plan.BlockingMS == nil:
		milliseconds := int(t.file.Timeout.Milliseconds())
		seen = &milliseconds
	case *plan.BlockingMS != 0:
		milliseconds := *plan.BlockingMS + grace
		seen = &milliseconds
	}
	t.same("timeout_ms", want, seen)
}

// parts checks what each node would get of a batch. A transaction goes between MULTI and EXEC,
// which a plan only hints at.
func (t *trial) parts(want map[string][][]string, plan *Plan) {
	seen := make(map[string][][]string)
	for i := range plan.Legs {
		leg := &plan.Legs[i]
		seen[leg.Node] = append(seen[leg.Node], leg.words())
	}
	if plan.Atomic {
		for node, commands := range seen {
			seen[node] = slices.Concat([][]string{{"MULTI"}}, commands, [][]string{{"EXEC"}})
		}
	}
	t.same("sub_batches", want, seen)
}

// shared checks how n requests are shared out. Next sends one and gives the nodes that got it.
func (t *trial) shared(next func() []string) {
	m := t.inner(t.expect, "targets_over_n")
	n, _ := get[int](t, m, "n")
	want, _ := get[map[string]int](t, m, "counts")
	seen := make(map[string]int)
	for range n {
		for _, node := range next() {
			seen[node]++
		}
	}
	t.same("targets_over_n", want, seen)
}
