package routing

import (
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

func TestRepliesOfABatchComeBackInTheOrderOfItsCommands(t *testing.T) {
	p, err := planner.Batch(batch(false,
		[]string{"SET", "foo", "1"}, []string{"MGET", "bar", "foo"}, []string{"DBSIZE"}, []string{"GET", "bar"},
		[]string{"CONFIG", "GET", "port"}, []string{"BGSAVE"}), three(t))
	require.NoError(t, err)
	var addressed []string
	replies := make([][]Value, len(p.Parts))
	for i, part := range p.Parts {
		addressed = append(addressed, part.Node.Address.String())
		for _, step := range part.Steps {
			switch string(step.Words[0]) {
			case "SET":
				replies[i] = append(replies[i], Simple("OK"))
			case "MGET":
				replies[i] = append(replies[i], ArrayOf(Bulk("of "+string(step.Words[1]))))
			case "DBSIZE":
				replies[i] = append(replies[i], Integer(2))
			case "GET":
				replies[i] = append(replies[i], ErrorReply("WRONGTYPE x"))
			case "BGSAVE":
				replies[i] = append(replies[i], Simple(part.Node.Address.String()))
			default:
				replies[i] = append(replies[i], Value{})
			}
		}
	}
	require.Equal(t, []string{"h:7003", "h:7001", "h:7002"}, addressed)
	results, err := p.Combine(replies)
	require.NoError(t, err)
	require.Equal(t, []Value{
		Simple("OK"), ArrayOf(Bulk("of bar"), Bulk("of foo")), Integer(6), ErrorReply("WRONGTYPE x"), {},
		{Kind: KindMap, Items: []Value{
			Bulk("h:7001"), Simple("h:7001"), Bulk("h:7002"), Simple("h:7002"), Bulk("h:7003"), Simple("h:7003"),
		}},
	}, results)
	_, err = p.Combine(replies[1:])
	require.EqualError(t, err, "replies of 2 nodes to 3 parts")
	replies[0] = replies[0][1:]
	_, err = p.Combine(replies)
	require.ErrorContains(t, err, "replies of h:7003 to")
}

func TestACommandOfABatchThatCannotBeIsNamedByItsPlace(t *testing.T) {
	for message, b := range map[string]*Batch{
		"command 1 of the batch: MULTI is not sent: it needs a connection of its own": batch(false, []string{"GET", "a"}, []string{"MULTI"}),
		"command 0 of the batch: the command has no words":                            batch(true, []string{}),
		"CROSSSLOT command 2 of the atomic batch has its keys in slot 5061, another one in slot 12182": batch(true,
			[]string{"SET", "foo", "1"}, []string{"PING"}, []string{"DEL", "bar"}),
	} {
		_, err := planner.Batch(b, three(t))
		require.EqualError(t, err, message)
	}
	all := batch(false, []string{"PING"})
	all.Route.Kind = RouteAllNodes
	_, err := planner.Batch(all, three(t))
	require.ErrorContains(t, err, "not to all nodes")
}

func TestAnAtomicBatchHasItsKeysInOneSlot(t *testing.T) {
	for _, words := range [][]string{{"MGET", "foo", "bar"}, {"MSET", "foo", "1", "{3}", "2"}, {"MSETEX", "2", "foo", "1", "bar", "2"}} {
		_, err := planner.Batch(batch(true, []string{"SET", "foo", "1"}, words), three(t))
		require.EqualError(t, err, "CROSSSLOT command 1 of the atomic batch has keys in several slots")
	}
	p, err := planner.Batch(batch(true, []string{"PING"}, []string{"MGET", "foo", "{foo}2"}), three(t))
	require.NoError(t, err)
	require.Equal(t, "h:7003", p.Parts[0].Node.Address.String())
	require.EqualValues(t, 12182, p.Parts[0].Slot)
}
