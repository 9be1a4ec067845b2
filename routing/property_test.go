package routing

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// aSnapshot draws a topology: some shards, each with some ranges and replicas, perhaps with gaps.
func aSnapshot(t *rapid.T) *Snapshot {
	shards := rapid.IntRange(1, 6).Draw(t, "shards")
	reply := Value{Kind: KindArray}
	port := int64(7000)
	member := func(zone string) Value {
		port++
		return ArrayOf(Bulk("h"), Integer(port), Bulk(fmt.Sprint(port)), ArrayOf(Bulk("availability-zone"), Bulk(zone)))
	}
	zones := rapid.SampledFrom([]string{"", "az-a", "az-b"})
	primaries := make([][]Value, shards)
	for i := range primaries {
		primaries[i] = append(primaries[i], member(zones.Draw(t, "zone")))
		for range rapid.IntRange(0, 3).Draw(t, "replicas") {
			primaries[i] = append(primaries[i], member(zones.Draw(t, "zone")))
		}
	}
	for first := 0; first < SlotCount; {
		last := min(first+rapid.IntRange(1, 6000).Draw(t, "length"), SlotCount) - 1
		if owner := rapid.IntRange(-1, shards-1).Draw(t, "owner"); owner >= 0 {
			entry := ArrayOf(Integer(int64(first)), Integer(int64(last)))
			entry.Items = append(entry.Items, primaries[owner]...)
			reply.Items = append(reply.Items, entry)
		}
		first = last + 1
	}
	view, err := ParseSlots(reply, sender)
	if err != nil {
		t.Skip("no slot is covered")
	}
	return view.Snapshot(nil)
}

func aKey(t *rapid.T) []byte {
	return rapid.SliceOfN(rapid.SampledFrom([]byte("ab{}\x00\xff")), 0, 8).Draw(t, "key")
}

// aCommand draws a command of the table, with arguments that may or may not fit.
func aCommand(t *rapid.T) [][]byte {
	names := make([]string, 0, len(commands()))
	for name, row := range commands() {
		names = append(names, name)
		for sub := range row.subs {
			names = append(names, name+" "+sub)
		}
	}
	slices.Sort(names)
	var list [][]byte
	name := rapid.SampledFrom(names).Draw(t, "name")
	for _, word := range slices.Collect(fields(name)) {
		list = append(list, []byte(word))
	}
	for range rapid.IntRange(0, 6).Draw(t, "arguments") {
		list = append(list, rapid.OneOf(
			rapid.Custom(aKey),
			rapid.SampledFrom([][]byte{[]byte("0"), []byte("1"), []byte("2"), []byte("STREAMS"), []byte("block"), []byte("KEYS"), []byte("NX"), []byte("-1"), []byte("16384")}),
		).Draw(t, "argument"))
	}
	return list
}

func aRoute(t *rapid.T) Route {
	return Route{
		Kind:   RouteKind(rapid.IntRange(0, 7).Draw(t, "kind")),
		Role:   Role(rapid.IntRange(0, 1).Draw(t, "role")),
		Key:    aKey(t),
		SlotID: rapid.Int32Range(-2, SlotCount+1).Draw(t, "slot"),
		Host:   rapid.SampledFrom([]string{"", "h", "h:7001", "::1"}).Draw(t, "host"),
		Port:   rapid.SampledFrom([]int32{-1, 0, 7001, 7002, 65536}).Draw(t, "port"),
	}
}

func aPlanner(t *rapid.T) *Planner {
	p := &Planner{
		Random: func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "random") },
		Reads:  ReadStrategy(rapid.IntRange(0, int(ReadZoneAllNodes)).Draw(t, "reads")),
		Zone:   rapid.SampledFrom([]string{"", "az-a"}).Draw(t, "client zone"),
	}
	if rapid.Bool().Draw(t, "some are down") {
		p.Usable = func(n *Node) bool { return n.Address.Port%2 == 0 }
	}
	return p
}

func TestEveryTargetOfAPlanIsInTheSnapshotAndInTheShardOfItsSlot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot, planner, request := aSnapshot(t), aPlanner(t), &Request{Words: aCommand(t), Route: aRoute(t)}
		var plan Plan
		if err := planner.Plan(&plan, request, snapshot); err != nil {
			require.IsType(t, &Error{}, err)
			require.NotEmpty(t, err.Error())
			return
		}
		require.NotEmpty(t, plan.Legs)
		seen := make(map[*Node]bool)
		for i := range plan.Legs {
			leg := &plan.Legs[i]
			require.Same(t, leg.Node, snapshot.Find(leg.Node.Address))
			require.Equal(t, leg.Fallback, leg.Role == Replica && leg.Node.Role == Primary)
			if leg.Slot != NoSlot && snapshot.Owner(Slot(leg.Slot)) != nil {
				require.Contains(t, snapshot.Owner(Slot(leg.Slot)).members(), leg.Node)
			}
			if plan.FanOut() {
				require.False(t, seen[leg.Node], "a node is addressed twice")
				seen[leg.Node] = true
			}
		}
	})
}

func TestAPrimaryRouteIsAPrimaryAndAWriteIsNeverGivenToAReplicaByItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot, planner := aSnapshot(t), aPlanner(t)
		request := &Request{Words: [][]byte{[]byte("SET"), aKey(t), []byte("v")}}
		var plan Plan
		require.NoError(t, planner.Plan(&plan, request, snapshot))
		require.Equal(t, Primary, plan.Legs[0].Node.Role)
		request = &Request{Words: words("GET", "k"), Route: Route{Kind: RouteSlotKey, Key: aKey(t)}}
		if planner.Plan(&plan, request, snapshot) == nil {
			require.Equal(t, Primary, plan.Legs[0].Node.Role)
		}
	})
}

func TestPartsOfASplitCommandHoldEveryArgumentOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot := aSnapshot(t)
		command := rapid.SampledFrom([]struct {
			name   string
			stride int
			last   []string // behind the keys of every part
		}{
			{"MGET", 1, nil}, {"DEL", 1, nil}, {"EXISTS", 1, nil}, {"UNLINK", 1, nil}, {"TOUCH", 1, nil}, {"WATCH", 1, nil},
			{"MSET", 2, nil}, {"JSON.MSET", 3, nil}, {"JSON.MGET", 1, []string{"$"}}, {"MSETEX", 2, []string{"EX", "5"}},
		}).Draw(t, "command")
		list := [][]byte{[]byte(command.name)}
		count := rapid.IntRange(1, 20).Draw(t, "keys")
		first := 1
		if command.name == "MSETEX" {
			list, first = append(list, []byte(strconv.Itoa(count))), 2
		}
		for i := range count {
			list = append(list, aKey(t))
			for j := 1; j < command.stride; j++ {
				list = append(list, []byte(fmt.Sprintf("value %d.%d", i, j)))
			}
		}
		behind := words(command.last...)
		list = append(list, behind...)
		var plan Plan
		if aPlanner(t).Plan(&plan, &Request{Words: list}, snapshot) != nil {
			t.Skip("a slot is uncovered")
		}
		var given [][]byte
		replies := make([]Value, len(plan.Legs))
		for i := range plan.Legs {
			leg := &plan.Legs[i]
			require.Equal(t, list[0], leg.Words[0])
			end := len(leg.Words) - len(behind)
			require.Equal(t, texts(behind), texts(leg.Words[end:]), "every part has it")
			for at := first; at < end; at += command.stride {
				require.True(t, !plan.Split || SlotOf(leg.Words[at]) == Slot(leg.Slot))
				replies[i].Items = append(replies[i].Items, Value{Kind: KindBulk, Text: leg.Words[at]})
			}
			if first == 2 {
				require.Equal(t, strconv.Itoa(len(replies[i].Items)), string(leg.Words[1]), "its own count")
			}
			replies[i].Kind = KindArray
			given = append(given, leg.Words[first:end]...)
		}
		require.ElementsMatch(t, list[first:len(list)-len(behind)], given)
		if plan.Split && plan.Policy == PolicyCombineArrays {
			combined, err := plan.Combine(replies)
			require.NoError(t, err)
			for i, item := range combined.Items {
				require.Equal(t, list[i+1], item.Text, "the reply is not in the order of the keys")
			}
		}
	})
}

func TestAShardsReplicasAreNeverItsPrimaryWhateverMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snapshot := aSnapshot(t)
		for range rapid.IntRange(1, 10).Draw(t, "moves") {
			slot := Slot(rapid.IntRange(0, SlotCount-1).Draw(t, "slot"))
			to := Address{"h", uint16(rapid.IntRange(7001, 7030).Draw(t, "to"))}
			snapshot = snapshot.Moved(slot, to)
			require.Equal(t, to, snapshot.Owner(slot).Primary.Address)
			seen := make(map[Address]bool)
			for _, node := range snapshot.Nodes() {
				require.False(t, seen[node.Address], "%s stands in two places", node.Address)
				seen[node.Address] = true
			}
			for _, shard := range snapshot.Shards() {
				require.Equal(t, Primary, shard.Primary.Role)
				for _, replica := range shard.Replicas {
					require.Equal(t, Replica, replica.Role)
				}
			}
		}
	})
}

// aReply draws any value.
func aReply(t *rapid.T, depth int) Value {
	v := Value{Kind: Kind(rapid.IntRange(0, int(KindError)).Draw(t, "kind")), Integer: rapid.Int64().Draw(t, "integer")}
	switch v.Kind {
	case KindArray, KindMap, KindSet:
		if depth > 0 {
			for range rapid.IntRange(0, 3).Draw(t, "items") {
				v.Items = append(v.Items, aReply(t, depth-1))
			}
		}
	case KindBulk, KindSimple, KindError:
		v.Text = []byte(rapid.SampledFrom([]string{"", "OK", "ERR x", "name"}).Draw(t, "text"))
	}
	return v
}

func TestCombineNeverPanicsAndNamesTheLegToBlame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := Policy(rapid.IntRange(0, int(policyCount)).Draw(t, "policy"))
		replies := make([]Value, rapid.IntRange(0, 4).Draw(t, "legs"))
		for i := range replies {
			replies[i] = aReply(t, 2)
		}
		_, err := Combine(policy, replies)
		if err != nil {
			blamed := err.(*CombineError)
			require.Less(t, blamed.Leg, max(len(replies), 1))
		}
	})
}

func TestAPlanCombinesAnyRepliesOrSaysWhoseFitNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var plan Plan
		if aPlanner(t).Plan(&plan, &Request{Words: aCommand(t), Route: aRoute(t)}, aSnapshot(t)) != nil {
			t.Skip("no plan")
		}
		replies := make([]Value, len(plan.Legs)+rapid.SampledFrom([]int{-1, 0, 0, 0, 1}).Draw(t, "too many"))
		for i := range replies {
			replies[i] = aReply(t, 2)
		}
		if _, err := plan.Combine(replies); err != nil {
			require.Less(t, err.(*CombineError).Leg, len(replies))
		} else {
			require.Len(t, replies, len(plan.Legs))
		}
	})
}

func TestEveryCommandOfABatchIsPlannedOnceForEachOfItsLegs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &Batch{Atomic: rapid.Bool().Draw(t, "atomic")}
		for range rapid.IntRange(1, 6).Draw(t, "commands") {
			b.Commands = append(b.Commands, aCommand(t))
		}
		plan, err := planBatch(aPlanner(t), b, aSnapshot(t))
		if err != nil {
			return
		}
		seen := make(map[[2]int]bool)
		for _, part := range plan.Parts {
			last := -1
			for _, step := range part.Steps {
				require.GreaterOrEqual(t, step.Command, last, "the order within a node is not the caller's")
				last = step.Command
				require.False(t, seen[[2]int{step.Command, step.Leg}])
				seen[[2]int{step.Command, step.Leg}] = true
			}
		}
		for i := range b.Commands {
			legs := 1
			if !plan.Atomic {
				command, _ := plan.Of(Step{Command: i})
				legs = len(command.Legs)
			}
			for leg := range legs {
				require.True(t, seen[[2]int{i, leg}], "leg %d of command %d goes nowhere", leg, i)
			}
		}
	})
}
