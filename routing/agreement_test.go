package routing

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func viewOf(t *testing.T, epoch uint64, primary string) *View {
	view := vectorTopology{Ranges: []vectorRange{{0, 16383, primary, nil}}}.view(t)
	view.Epoch = epoch
	return view
}

func TestANewerEpochWinsAgainstAnyMajority(t *testing.T) {
	newer := viewOf(t, 8, "h:7002")
	chosen, err := Agree([]*View{viewOf(t, 7, "h:7001"), viewOf(t, 7, "h:7001"), newer, viewOf(t, 7, "h:7001")}, 10, false)
	require.NoError(t, err)
	require.Same(t, newer, chosen)
}

func TestATieIsBrokenByCoverageOnTheLastAttemptOnly(t *testing.T) {
	wide, narrow := viewOf(t, 7, "h:7001"), vectorTopology{Ranges: []vectorRange{{0, 100, "h:7002", nil}}}.view(t)
	narrow.Epoch = 7
	_, err := Agree([]*View{narrow, wide}, 3, false)
	require.ErrorContains(t, err, "no majority")
	chosen, err := Agree([]*View{narrow, wide}, 3, true)
	require.NoError(t, err)
	require.Same(t, wide, chosen)
}

func TestNoViewIsNoAgreement(t *testing.T) {
	_, err := Agree(nil, 3, true)
	require.EqualError(t, err, "no usable view from 3 nodes")
}

// shardNode is a node as CLUSTER SHARDS describes it.
func shardNode(pairs ...string) Value {
	node := Value{Kind: KindMap}
	for i := 0; i < len(pairs); i += 2 {
		value := Bulk(pairs[i+1])
		if pairs[i] == "port" || pairs[i] == "tls-port" {
			port, _ := ParsePort(pairs[i+1])
			value = Integer(int64(port))
		}
		node.Items = append(node.Items, Bulk(pairs[i]), value)
	}
	return node
}

func TestClusterShardsGivesTheSameViewInBothProtocols(t *testing.T) {
	nodes := ArrayOf(
		shardNode("id", "a", "port", "7004", "tls-port", "7104", "endpoint", "10.0.0.2", "role", "replica", "health", "online", "availability-zone", "az-b"),
		shardNode("id", "b", "port", "7005", "endpoint", "10.0.0.3", "role", "replica", "health", "failed"),
		shardNode("id", "c", "port", "7001", "tls-port", "7101", "endpoint", "10.0.0.1", "hostname", "n1.example", "role", "master", "health", "online"))
	slots := ArrayOf(Integer(0), Integer(100), Integer(200), Integer(300))
	for _, kind := range []Kind{KindMap, KindArray} {
		shard := Value{Kind: kind, Items: []Value{Bulk("slots"), slots, Bulk("nodes"), nodes}}
		empty := Value{Kind: kind, Items: []Value{Bulk("slots"), ArrayOf(), Bulk("nodes"), nodes}}
		view, err := ParseShards(ArrayOf(empty, shard), sender, false)
		require.NoError(t, err)
		snapshot := view.Snapshot(nil)
		require.Equal(t, []SlotRange{{0, 100}, {200, 300}}, snapshot.Shards()[0].Slots)
		require.Equal(t, "n1.example:7001", snapshot.Owner(250).Primary.Address.String())
		require.Equal(t, "10.0.0.1:7001", snapshot.Owner(250).Primary.Endpoint.String())
		require.Len(t, snapshot.Owner(0).Replicas, 1)
		require.Equal(t, "az-b", snapshot.Owner(0).Replicas[0].Zone)
		secure, err := ParseShards(ArrayOf(shard), sender, true)
		require.NoError(t, err)
		require.Equal(t, "n1.example:7101", secure.Snapshot(nil).Nodes()[0].Address.String())
	}
}

func TestAShardThatSaysNothingUsefulIsLeftOut(t *testing.T) {
	for _, shard := range []Value{
		{}, Integer(1), ArrayOf(), ArrayOf(Bulk("slots")),
		ArrayOf(Bulk("slots"), ArrayOf(Integer(5), Integer(3)), Bulk("nodes"), ArrayOf(shardNode("port", "1", "endpoint", "h", "role", "master"))),
		ArrayOf(Bulk("slots"), ArrayOf(Integer(0), Integer(3)), Bulk("nodes"), ArrayOf(shardNode("port", "1", "endpoint", "?", "role", "master"))),
		ArrayOf(Bulk("slots"), ArrayOf(Integer(0), Integer(3)), Bulk("nodes"), ArrayOf(shardNode("port", "1", "endpoint", "h", "role", "replica"))),
	} {
		_, err := ParseShards(ArrayOf(shard), sender, false)
		require.EqualError(t, err, "CLUSTER SHARDS of 10.0.0.1:7000: no usable node in 1 entries")
	}
	_, err := ParseShards(Bulk("x"), sender, false)
	require.ErrorContains(t, err, "bulk string instead of an array")
}
