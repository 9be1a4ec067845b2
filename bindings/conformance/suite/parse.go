package suite

import (
	"net/netip"
	"slices"
	"strings"

	"libglide/bindings/conformance/fakenode"
)

// parsed: a node answers CLUSTER SLOTS, and the client takes it for its topology. The node stands
// for the one that the vector says the answer comes from.
func (t *trial) parsed() {
	input := t.inner(t.request, "input")
	from, _ := get[string](t, input, "from_")
	form, _ := get[string](t, input, "metadata_form")
	reply, has := get[any](t, input, "reply")
	if !has {
		t.misread("input.reply", input.raw["reply"])
		return
	}
	fake, err := listen()
	if err != nil {
		t.differ("fake node", "a free port", err)
		return
	}
	w := &world{trial: t, nodes: []*node{{name: from, fake: fake}}, client: true}
	defer w.close()
	fake.On("CLUSTER SLOTS", t.plain(reply))
	fake.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:1\r\n"))
	host, _ := splitAddress(from)
	t.rename = strings.NewReplacer(loopback+":", host+":")
	call := []string{"client", subject}
	if strings.Contains(form, "RESP2") {
		call = append(call, option("resp2", 1))
	}
	answer := t.call(append(call, fake.Address())...)
	if answer == nil {
		return
	}
	if want, fails := get[string](t, t.expect, "error"); fails {
		t.failure(want, answer)
		return
	}
	if answer.Status != StatusOK {
		t.differ("client", StatusOK, answer.said())
		return
	}
	if answer = t.must("topology", subject); answer == nil || answer.Topology == nil {
		return
	}
	t.understood(answer.Topology)
}

// plain is the reply that a server would give for a JSON value.
func (t *trial) plain(value any) fakenode.Value {
	switch value := value.(type) {
	case nil:
		return fakenode.Nil()
	case string:
		return fakenode.Bulk(value)
	case interface{ Int64() (int64, error) }:
		n, err := value.Int64()
		if err == nil {
			return fakenode.Int(int(n))
		}
	case []any:
		var items []fakenode.Value
		for _, item := range value {
			items = append(items, t.plain(item))
		}
		return fakenode.Array(items...)
	case map[string]any:
		var pairs []fakenode.Value
		for _, name := range sortedKeys(value) {
			pairs = append(pairs, fakenode.Bulk(name), t.plain(value[name]))
		}
		return fakenode.Map(pairs...)
	}
	t.misread("input.reply", value)
	return fakenode.Nil()
}

// understood compares what a client made of the answer.
func (t *trial) understood(topology *TopologyAnswer) {
	if want, has := get[[]Range](t, t.expect, "ranges"); has {
		for i := range want {
			slices.Sort(want[i].Replicas)
		}
		t.same("ranges", want, topology.ranges())
	}
	if want, has := get[int](t, t.expect, "shards"); has {
		t.same("shards", want, len(topology.Shards))
	}
	gaps, _ := get[[][2]int](t, t.expect, "uncovered")
	for _, gap := range gaps {
		for slot := gap[0]; slot <= gap[1]; slot++ {
			if owner := topology.owner(slot); owner != nil {
				t.differ("slot "+number(slot), "no owner", owner.Primary.Address)
				break
			}
		}
	}
	if ips, has := get[map[string]string](t, t.expect, "ip"); has {
		t.ips(ips, topology)
	}
	zones, _ := get[map[string]string](t, t.expect, "az")
	for _, address := range sortedKeys(zones) {
		if node := topology.node(address); node == nil || node.Zone != zones[address] {
			t.differ("zone of "+address, zones[address], told(node))
		}
	}
	dial, has := get[[]string](t, t.expect, "dial")
	if pure, is := t.session.(Pure); is && has {
		var seen []string
		for _, address := range topology.addresses() {
			form, err := pure.Dial(address)
			if err != nil {
				form = err.Error()
			}
			seen = append(seen, form)
		}
		t.same("dial", dial, seen)
	}
}

// ips checks by which IPs nodes are known beside their names. A node that is not in the list has
// none.
func (t *trial) ips(want map[string]string, topology *TopologyAnswer) {
	for _, address := range topology.addresses() {
		var seen []string
		for _, name := range append([]string{address}, topology.node(address).Aliases...) {
			host, _ := splitAddress(name)
			if ip, err := netip.ParseAddr(host); err == nil {
				seen = append(seen, ip.String())
			}
		}
		if ip, has := want[address]; has && !slices.Contains(seen, ip) {
			t.differ("IPs of "+address, ip, told(seen))
		} else if !has && len(seen) > 0 {
			t.differ("IPs of "+address, "none", told(seen))
		}
	}
	for _, address := range sortedKeys(want) {
		if topology.node(address) == nil {
			t.differ("nodes", address, told(topology.addresses()))
		}
	}
}

func (t *TopologyAnswer) addresses() []string {
	var addresses []string
	for _, shard := range t.Shards {
		addresses = append(addresses, shard.Primary.Address)
		for _, replica := range shard.Replicas {
			addresses = append(addresses, replica.Address)
		}
	}
	return addresses
}

func (t *TopologyAnswer) node(address string) *NodeAnswer {
	home, _ := t.home(address)
	if home == nil {
		return nil
	}
	for _, node := range append([]NodeAnswer{home.Primary}, home.Replicas...) {
		if node.Address == address {
			return &node
		}
	}
	return nil
}

// ranges are the ranges of all shards, in the order of their slots.
func (t *TopologyAnswer) ranges() []Range {
	ranges := []Range{}
	for _, shard := range t.Shards {
		replicas := []string{}
		for _, replica := range shard.Replicas {
			replicas = append(replicas, replica.Address)
		}
		slices.Sort(replicas)
		for _, held := range shard.Slots {
			ranges = append(ranges, Range{held[0], held[1], shard.Primary.Address, replicas})
		}
	}
	slices.SortFunc(ranges, func(a, b Range) int { return a.Start - b.Start })
	return ranges
}
