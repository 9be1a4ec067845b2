package routing

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATopologyThatContradictsItselfIsRefused(t *testing.T) {
	node := func(name string) *Node { return &Node{Address: address(t, name), Endpoint: address(t, name)} }
	one := Shard{Slots: []SlotRange{{0, 100}}, Primary: node("h:1")}
	many := make([]Shard, maxShards+1)
	for i := range many {
		many[i] = Shard{Primary: node(fmt.Sprintf("h%d:1", i))}
	}
	for message, topology := range map[string]Topology{
		"slot 50 is given twice":                  {Shards: []Shard{one, {Slots: []SlotRange{{50, 60}}, Primary: node("h:2")}}},
		"node h:1 stands in two places":           {Shards: []Shard{{Primary: node("h:1"), Replicas: []*Node{node("h:1")}}}},
		"a standalone server is one shard, not 0": {Standalone: true},
		"16385 shards; there can be 16384":        {Shards: many},
	} {
		_, err := topology.Snapshot()
		require.EqualError(t, err, message)
	}
	snapshot, err := (&Topology{Epoch: 3, Shards: []Shard{one}}).Snapshot()
	require.NoError(t, err)
	require.Equal(t, "h:1", primaryOf(snapshot, 100))
	require.Nil(t, snapshot.Owner(101))
}

func TestMoreShardsThanSlotsAreLeftOutOfAView(t *testing.T) {
	reply := Value{Kind: KindArray}
	for i := range int64(70000) {
		reply.Items = append(reply.Items, ArrayOf(Integer(i%SlotCount), Integer(i%SlotCount),
			ArrayOf(Bulk(fmt.Sprintf("h%d", i)), Integer(7000))))
	}
	view, err := ParseSlots(reply, sender)
	require.NoError(t, err)
	require.Len(t, view.Snapshot(nil).Shards(), SlotCount)
	require.Equal(t, "h16383:7000", primaryOf(view.Snapshot(nil), 16383))
}
