package routing

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// vectorFile is the part of routing-conformance/1 that needs no node.
type vectorFile struct {
	Format     string
	Topologies map[string]vectorTopology
	Vectors    []vector
}

type vectorTopology struct {
	Ranges     []vectorRange
	Zones      map[string]string `json:"az"`
	Standalone bool
	Primary    string
	Replicas   []string
}

type vectorRange struct {
	Start, End int64
	Primary    string
	Replicas   []string
}

type vector struct {
	ID, Group, Topology, Note string
	Config                    map[string]any
	Request                   struct {
		Cmd   []string
		Route *vectorRoute
		Input json.RawMessage
		State map[string]any
		Batch struct {
			Atomic   bool
			Route    *vectorRoute
			Commands [][]string
		}
	}
	Expect map[string]json.RawMessage
}

type vectorRoute struct {
	Type, Value, Host string
	SlotKey           string `json:"slot_key"`
	SlotType          string `json:"slot_type"`
	SlotID            int32  `json:"slot_id"`
	Port              int32
}

func loadVectors(t *testing.T) *vectorFile {
	bytes, err := os.ReadFile("../bindings/conformance/vectors.json")
	require.NoError(t, err)
	file := new(vectorFile)
	require.NoError(t, json.Unmarshal(bytes, file))
	require.Equal(t, "routing-conformance/1", file.Format)
	return file
}

// eachVector runs check over the vectors of some groups. It fails where a group has none, so
// that a renamed group is noticed.
func eachVector(t *testing.T, check func(*testing.T, *vectorFile, *vector), groups ...string) {
	file := loadVectors(t)
	seen := make(map[string]int)
	for i := range file.Vectors {
		v := &file.Vectors[i]
		if slices.Contains(groups, v.Group) {
			seen[v.Group]++
			t.Run(v.ID, func(t *testing.T) { check(t, file, v) })
		}
	}
	for _, group := range groups {
		require.NotZero(t, seen[group], group)
	}
}

func expect[T any](t *testing.T, v *vector, name string) (value T, has bool) {
	raw, has := v.Expect[name]
	if has {
		require.NoError(t, json.Unmarshal(raw, &value), name)
	}
	return value, has
}

func input[T any](t *testing.T, v *vector) (value T) {
	require.NoError(t, json.Unmarshal(v.Request.Input, &value))
	return value
}

func address(t testing.TB, text string) Address {
	parsed, err := ParseAddress(text)
	require.NoError(t, err)
	return parsed
}

func words(text ...string) [][]byte {
	list := make([][]byte, len(text))
	for i, word := range text {
		list[i] = []byte(word)
	}
	return list
}

func texts(words [][]byte) []string {
	list := make([]string, len(words))
	for i, word := range words {
		list[i] = string(word)
	}
	return list
}

func (v vectorTopology) node(text string) Value {
	colon := strings.LastIndexByte(text, ':')
	var port int64
	_, _ = fmt.Sscan(text[colon+1:], &port)
	return ArrayOf(Bulk(text[:colon]), Integer(port), Bulk("id-"+text),
		ArrayOf(Bulk("availability-zone"), Bulk(v.Zones[text])))
}

// snapshot makes the topology of a vector, over the same parser that a live answer takes.
func (v vectorTopology) snapshot(t testing.TB) *Snapshot {
	if v.Standalone {
		var replicas []Address
		for _, replica := range v.Replicas {
			replicas = append(replicas, address(t, replica))
		}
		return NewStandalone(address(t, v.Primary), replicas...)
	}
	return v.view(t).Snapshot(nil)
}

func (v vectorTopology) view(t testing.TB) *View {
	reply := Value{Kind: KindArray}
	for _, held := range v.Ranges {
		entry := ArrayOf(Integer(held.Start), Integer(held.End), v.node(held.Primary))
		for _, replica := range held.Replicas {
			entry.Items = append(entry.Items, v.node(replica))
		}
		reply.Items = append(reply.Items, entry)
	}
	view, err := ParseSlots(reply, Address{"seed", 7000})
	require.NoError(t, err)
	view.Epoch = 1
	return view
}

// configure sets the planner up as the vector's config and state say.
func (v *vector) configure(t testing.TB, planner *Planner) {
	strategies := map[any]ReadStrategy{
		nil: ReadPrimary, "primary": ReadPrimary, "prefer_replica": ReadPreferReplica, "all_nodes": ReadAllNodes,
		"az_affinity": ReadZoneReplicas, "az_affinity_replicas_and_primary": ReadZoneReplicasAndPrimary,
		"az_affinity_all_nodes": ReadZoneAllNodes, "lowest_latency": ReadLowestLatency,
	}
	strategy, known := strategies[v.Config["read_from"]]
	require.True(t, known)
	planner.Reads = strategy
	planner.Zone, _ = v.Config["client_az"].(string)
	planner.ReadOnly, _ = v.Config["read_only"].(bool)
	if gone, has := v.Request.State["disconnected"].([]any); has {
		planner.Usable = func(node *Node) bool { return !slices.Contains(gone, any(node.Address.String())) }
	}
}

func (r *vectorRoute) route() Route {
	if r == nil {
		return Route{}
	}
	role := Primary
	if r.SlotType == "replica" {
		role = Replica
	}
	switch r.Type {
	case "simple":
		return Route{Kind: map[string]RouteKind{"AllNodes": RouteAllNodes, "AllPrimaries": RouteAllPrimaries, "RandomNode": RouteRandomNode}[r.Value]}
	case "slot_key":
		return Route{Kind: RouteSlotKey, Role: role, Key: []byte(r.SlotKey)}
	case "slot_id":
		return Route{Kind: RouteSlotID, Role: role, SlotID: r.SlotID}
	}
	return Route{Kind: RouteByAddress, Host: r.Host, Port: r.Port}
}

func TestHashVectors(t *testing.T) {
	eachVector(t, func(t *testing.T, _ *vectorFile, v *vector) {
		key := []byte(input[string](t, v))
		if digits, binary := strings.CutPrefix(string(key), "hex:"); binary {
			var err error
			key, err = hex.DecodeString(digits)
			require.NoError(t, err)
		}
		slot, _ := expect[int](t, v, "slot")
		require.EqualValues(t, slot, SlotOf(key))
	}, "hash")
}

func TestParseVectors(t *testing.T) {
	eachVector(t, func(t *testing.T, _ *vectorFile, v *vector) {
		in := input[struct {
			From  string `json:"from_"`
			Reply any
		}](t, v)
		view, err := ParseSlots(fromJSON(in.Reply), address(t, in.From))
		if message, fails := expect[string](t, v, "error"); fails {
			require.ErrorContains(t, err, message)
			return
		}
		require.NoError(t, err)
		snapshot := view.Snapshot(nil)
		ranges, _ := expect[[]vectorRange](t, v, "ranges")
		require.Equal(t, ranges, rangesOf(snapshot))
		ips, _ := expect[map[string]string](t, v, "ip")
		for name, ip := range ips {
			named := address(t, name)
			if ip != named.Host {
				require.Contains(t, snapshot.Find(named).Aliases, NewAddress(ip, named.Port))
			}
		}
		zones, _ := expect[map[string]string](t, v, "az")
		for name, zone := range zones {
			require.Equal(t, zone, snapshot.Find(address(t, name)).Zone)
		}
		if dial, has := expect[[]string](t, v, "dial"); has {
			require.Equal(t, dial[0], snapshot.Nodes()[0].Endpoint.Dial())
		}
		if shards, has := expect[int](t, v, "shards"); has {
			require.Len(t, snapshot.Shards(), shards)
		}
		uncovered, _ := expect[[][2]Slot](t, v, "uncovered")
		for _, gap := range uncovered {
			require.Nil(t, snapshot.Owner(gap[0]))
			require.Nil(t, snapshot.Owner(gap[1]))
		}
	}, "parse")
}

func TestViewVectors(t *testing.T) {
	eachVector(t, func(t *testing.T, _ *vectorFile, v *vector) {
		in := input[struct {
			Queried, Attempt int
			Views            []string
			Coverage         map[string]int64
		}](t, v)
		if equal, has := expect[bool](t, v, "equal"); has {
			replicas := []string{"h:7004", "h:7005"}
			one := vectorTopology{Ranges: []vectorRange{{0, 16383, "h:7001", replicas}}}.view(t)
			slices.Reverse(replicas)
			other := vectorTopology{Ranges: []vectorRange{{0, 16383, "h:7001", replicas}}}.view(t)
			require.Equal(t, equal, one.text() == other.text())
			return
		}
		var views []*View
		for i, name := range in.Views {
			if name != "error" {
				primary := fmt.Sprintf("%s:%d", name, 7000)
				views = append(views, vectorTopology{Ranges: []vectorRange{{0, in.Coverage[name] - 1, primary, nil}}}.view(t))
				require.NotNil(t, views[len(views)-1], i)
			}
		}
		chosen, err := Agree(views, in.Queried, in.Attempt >= 3)
		if message, fails := expect[string](t, v, "error"); fails {
			require.ErrorContains(t, err, message)
			return
		}
		require.NoError(t, err)
		name, _ := expect[string](t, v, "chosen")
		require.Equal(t, strings.ToLower(name), chosen.Snapshot(nil).Nodes()[0].Address.Host)
	}, "views")
}

func TestBatchVectors(t *testing.T) {
	eachVector(t, func(t *testing.T, file *vectorFile, v *vector) {
		planner := &Planner{Random: func(n int) int { return n - 1 }}
		v.configure(t, planner)
		batch := &Batch{Atomic: v.Request.Batch.Atomic, Route: v.Request.Batch.Route.route()}
		for _, command := range v.Request.Batch.Commands {
			batch.Commands = append(batch.Commands, words(command...))
		}
		plan, err := planBatch(planner, batch, file.Topologies[v.Topology].snapshot(t))
		if message, fails := expect[string](t, v, "error"); fails {
			code, _, _ := strings.Cut(message, " ")
			require.ErrorContains(t, err, code)
			return
		}
		require.NoError(t, err)
		if choice, random := expect[[]string](t, v, "one_of"); random {
			require.Contains(t, choice, plan.Parts[0].Node.Address.String())
		}
		parts, exact := expect[map[string][][]string](t, v, "sub_batches")
		if exact {
			require.Len(t, plan.Parts, len(parts))
		}
		for _, part := range plan.Parts {
			if expected := parts[part.Node.Address.String()]; exact {
				if batch.Atomic {
					expected = expected[1 : len(expected)-1] // MULTI and EXEC
				}
				var steps [][]string
				for _, step := range part.Steps {
					steps = append(steps, texts(step.Words))
				}
				require.Equal(t, expected, steps)
			}
		}
	}, "batch")
}

// fromJSON makes the reply that a server would give.
func fromJSON(value any) Value {
	switch value := value.(type) {
	case nil:
		return Value{}
	case string:
		return Bulk(value)
	case float64:
		return Integer(int64(value))
	case []any:
		list := Value{Kind: KindArray}
		for _, item := range value {
			list.Items = append(list.Items, fromJSON(item))
		}
		return list
	case map[string]any:
		pairs := Value{Kind: KindMap}
		for key, item := range value {
			pairs.Items = append(pairs.Items, Bulk(key), fromJSON(item))
		}
		return pairs
	}
	panic(fmt.Sprintf("%T", value))
}

func rangesOf(s *Snapshot) []vectorRange {
	var ranges []vectorRange
	for _, shard := range s.Shards() {
		for _, held := range shard.Slots {
			one := vectorRange{int64(held.First), int64(held.Last), shard.Primary.Address.String(), []string{}}
			for _, replica := range shard.Replicas {
				one.Replicas = append(one.Replicas, replica.Address.String())
			}
			ranges = append(ranges, one)
		}
	}
	return ranges
}

// Vectors that need what this package does not have yet, or more than a plan.
var notPlans = map[string]string{
	"R-29": "an empty topology: the client connects to the seeds again",
	"R-30": "an empty topology",
}

func TestPlanVectors(t *testing.T) {
	eachVector(t, func(t *testing.T, file *vectorFile, v *vector) {
		if reason, skip := notPlans[v.ID]; skip {
			t.Skip(reason)
		}
		var plan Plan
		snapshot := file.Topologies[v.Topology].snapshot(t)
		request := &Request{Words: words(v.Request.Cmd...), Route: v.Request.Route.route()}
		planner := &Planner{Random: func(n int) int { return n - 1 }}
		v.configure(t, planner)
		err := planner.Plan(&plan, request, snapshot)
		sends, exact := expect[[]struct {
			To   string
			Argv []string
		}](t, v, "sends")
		if failure, fails := expect[struct{ Contains string }](t, v, "error"); fails {
			require.ErrorContains(t, err, failure.Contains)
			require.Empty(t, sends)
			return
		}
		require.NoError(t, err)
		if choice, random := expect[[]string](t, v, "one_of"); random {
			require.Len(t, plan.Legs, 1)
			require.Contains(t, choice, plan.Legs[0].Node.Address.String())
		}
		if ordered, _ := expect[bool](t, v, "ordered"); ordered {
			sends = sends[:1] // redirects follow
		}
		if exact {
			require.Len(t, plan.Legs, len(sends))
		}
		for _, send := range sends {
			require.True(t, slices.ContainsFunc(plan.Legs, func(leg Leg) bool {
				return leg.Node.Address.String() == send.To && slices.Equal(texts(leg.Words), send.Argv)
			}), "%v to %s", send.Argv, send.To)
		}
		if policy, has := expect[string](t, v, "policy"); has {
			require.Equal(t, strings.TrimPrefix(policy, "agg_"), plan.Policy.String())
		}
		if wait, has := expect[*int64](t, v, "timeout_ms"); has {
			require.True(t, plan.Wait.Blocks)
			if wait == nil {
				require.Zero(t, plan.Wait.Milliseconds)
			} else {
				require.EqualValues(t, *wait-500, plan.Wait.Milliseconds)
			}
		}
	}, "route", "default", "split")
}

func TestReadVectors(t *testing.T) {
	wrong := map[string]string{
		"F-17": "lowest latency is a strategy here, not an error",
	}
	eachVector(t, func(t *testing.T, file *vectorFile, v *vector) {
		if reason, skip := wrong[v.ID]; skip {
			t.Skip(reason)
		}
		planner := &Planner{Random: func(n int) int { return n - 1 }}
		v.configure(t, planner)
		targets, _ := expect[struct {
			N      int
			Counts map[string]int
		}](t, v, "targets_over_n")
		snapshot, request := file.Topologies[v.Topology].snapshot(t), &Request{Words: words(v.Request.Cmd...)}
		counts := make(map[string]int)
		for range targets.N {
			var plan Plan
			require.NoError(t, planner.Plan(&plan, request, snapshot))
			counts[plan.Legs[0].Node.Address.String()]++
		}
		require.Equal(t, targets.Counts, counts)
	}, "read_from")
}

func TestAggregateVectors(t *testing.T) {
	eachVector(t, func(t *testing.T, _ *vectorFile, v *vector) {
		in := input[struct {
			Policy  string
			Replies [][2]any
		}](t, v)
		name := strings.TrimPrefix(in.Policy, "agg_")
		if name == "none" || name == "special" {
			name = "per_node"
		}
		var replies []Value
		for _, reply := range in.Replies {
			replies = append(replies, reply2value(reply[1]))
		}
		combined, err := Combine(policies[name], replies)
		if message, fails := expect[string](t, v, "error"); fails {
			require.ErrorContains(t, err, message)
			return
		}
		require.NoError(t, err)
		result, _ := expect[any](t, v, "result")
		if name == "per_node" {
			require.Equal(t, KindPerNode, combined.Kind)
			return
		}
		require.Equal(t, reply2value(result), combined)
	}, "aggregate")
}

// reply2value reads a reply as vectors write it: {"i": 1}, {"a": [...]}, {"e": "ERR x"}.
func reply2value(reply any) Value {
	for kind, value := range reply.(map[string]any) {
		switch kind {
		case "s":
			return Simple(value.(string))
		case "b":
			return Bulk(value.(string))
		case "i":
			number := value.(float64)
			if number >= 1<<63 {
				return Integer(1<<63 - 1) // JSON numbers round
			}
			return Integer(int64(number))
		case "nil":
			return Value{}
		case "e":
			return ErrorReply(value.(string))
		case "a":
			list := Value{Kind: KindArray}
			for _, item := range value.([]any) {
				list.Items = append(list.Items, reply2value(item))
			}
			return list
		case "m":
			pairs := Value{Kind: KindMap}
			for _, pair := range value.([]any) {
				pairs.Items = append(pairs.Items, reply2value(pair.([]any)[0]), reply2value(pair.([]any)[1]))
			}
			return pairs
		}
	}
	panic(fmt.Sprint(reply))
}
