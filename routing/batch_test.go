package routing

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func batch(atomic bool, commands ...[]string) *Batch {
	b := &Batch{Atomic: atomic}
	for _, command := range commands {
		b.Commands = append(b.Commands, words(command...))
	}
	return b
}

func TestTheStepsOfABatchAreTheLegsOfItsCommandsNodeByNode(t *testing.T) {
	p, err := planBatch(planner, batch(false,
		[]string{"SET", "foo", "1"}, []string{"MGET", "bar", "foo"}, []string{"GET", "bar"},
		[]string{"CONFIG", "GET", "port"}, []string{"DBSIZE"}), three(t))
	require.NoError(t, err)
	type sent struct {
		command int
		words   string
	}
	gets := make(map[string][]sent)
	var addressed []string
	for _, part := range p.Parts {
		name := part.Node.Address.String()
		addressed = append(addressed, name)
		for _, step := range part.Steps {
			_, leg := p.Of(step)
			require.Same(t, part.Node, leg.Node)
			require.Equal(t, leg.Words, step.Words)
			gets[name] = append(gets[name], sent{step.Command, string(bytes.Join(step.Words, []byte(" ")))})
		}
	}
	require.Equal(t, []string{"h:7003", "h:7001", "h:7002"}, addressed)
	require.Equal(t, map[string][]sent{
		"h:7003": {{0, "SET foo 1"}, {1, "MGET foo"}, {3, "CONFIG GET port"}, {4, "DBSIZE"}},
		"h:7001": {{1, "MGET bar"}, {2, "GET bar"}, {4, "DBSIZE"}},
		"h:7002": {{4, "DBSIZE"}},
	}, gets)
}

func TestACommandOfABatchThatCannotBeIsNamedByItsPlace(t *testing.T) {
	for message, b := range map[string]*Batch{
		"command 1 of the batch: MULTI is not sent: it needs a connection of its own, a session": batch(false, []string{"GET", "a"}, []string{"MULTI"}),
		"command 0 of the batch: the command has no words":                                       batch(true, []string{}),
		"CROSSSLOT command 2 of the atomic batch has its keys in slot 5061, another one in slot 12182": batch(true,
			[]string{"SET", "foo", "1"}, []string{"PING"}, []string{"DEL", "bar"}),
	} {
		_, err := planBatch(planner, b, three(t))
		require.EqualError(t, err, message)
	}
	all := batch(false, []string{"PING"})
	all.Route.Kind = RouteAllNodes
	_, err := planBatch(planner, all, three(t))
	require.ErrorContains(t, err, "not to all nodes")
}

func TestAnAtomicBatchHasItsKeysInOneSlot(t *testing.T) {
	for _, words := range [][]string{{"MGET", "foo", "bar"}, {"MSET", "foo", "1", "{3}", "2"}, {"MSETEX", "2", "foo", "1", "bar", "2"}} {
		_, err := planBatch(planner, batch(true, []string{"SET", "foo", "1"}, words), three(t))
		require.EqualError(t, err, "CROSSSLOT command 1 of the atomic batch has keys in several slots")
	}
	p, err := planBatch(planner, batch(true, []string{"PING"}, []string{"MGET", "foo", "{foo}2"}), three(t))
	require.NoError(t, err)
	require.Equal(t, "h:7003", p.Parts[0].Node.Address.String())
	require.EqualValues(t, 12182, p.Parts[0].Slot)
}

// replicated is one shard of a primary and three replicas.
func replicated(t *testing.T) *Snapshot {
	t.Helper()
	topology := vectorTopology{Ranges: []vectorRange{{0, 16383, "h:7001", []string{"h:7004", "h:7005", "h:7006"}}}}
	return topology.snapshot(t)
}

func TestTheRouteOfABatchIsToOneNodeForAllOfItsCommands(t *testing.T) {
	snapshot := replicated(t)
	drawn := 0
	planner := &Planner{Random: func(n int) int { drawn++; return drawn % n }}
	for _, atomic := range []bool{false, true} {
		for kind, route := range map[string]Route{
			"random":  {Kind: RouteRandomNode},
			"replica": {Kind: RouteSlotKey, Role: Replica, Key: []byte("foo")},
			"slot":    {Kind: RouteSlotID, Role: Replica, SlotID: 5},
			"address": {Kind: RouteByAddress, Host: "h", Port: 7005},
		} {
			b := batch(atomic, []string{"GET", "a"}, []string{"PING"}, []string{"GET", "{a}b"}, []string{"INFO"})
			b.Route = route
			for range 4 {
				p, err := planBatch(planner, b, snapshot)
				require.NoError(t, err)
				require.Len(t, p.Parts, 1, "%s, atomic %v", kind, atomic)
				require.Len(t, p.Parts[0].Steps, 4)
			}
		}
	}
}

func TestABatchThatWritesIsDrawnAPrimary(t *testing.T) {
	snapshot := replicated(t)
	planner := &Planner{Random: func(n int) int { return n - 1 }}
	for _, atomic := range []bool{false, true} {
		b := batch(atomic, []string{"GET", "a"}, []string{"SET", "a", "1"})
		b.Route = Route{Kind: RouteRandomNode}
		p, err := planBatch(planner, b, snapshot)
		require.NoError(t, err)
		require.Equal(t, "h:7001", p.Parts[0].Node.Address.String())
		require.Len(t, p.Parts[0].Steps, 2)
	}
}

// planBatch plans a batch in memory that had another plan.
func planBatch(by *Planner, b *Batch, s *Snapshot) (*BatchPlan, error) {
	p := new(BatchPlan)
	_ = by.Batch(p, batch(false, []string{"MGET", "a", "b", "c"}, []string{"GET", "d"}), s)
	p.Clear()
	return p, by.Batch(p, b, s)
}
