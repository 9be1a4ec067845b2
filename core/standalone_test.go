package core

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// group is servers that are no cluster: the first a primary, the others its replicas.
func group(t *testing.T, size int) []*cluster.Node {
	t.Helper()
	nodes := make([]*cluster.Node, size)
	for i := range nodes {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		node, err := cluster.StartStandalone(ctx, cluster.Options{})
		cancel()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, node.Stop()) })
		nodes[i] = node
	}
	for _, node := range nodes[1:] {
		follow(t, node, nodes[0])
	}
	inSync(t, nodes[0], size-1)
	return nodes
}

func follow(t *testing.T, replica, primary *cluster.Node) {
	t.Helper()
	_, err := replica.Do(t.Context(), "REPLICAOF", primary.Host, strconv.Itoa(primary.Port))
	require.NoError(t, err)
}

// inSync waits until a primary has so many replicas that are in sync.
func inSync(t *testing.T, primary *cluster.Node, replicas int) {
	t.Helper()
	require.Eventually(t, func() bool {
		reply, err := primary.Do(t.Context(), "ROLE")
		require.NoError(t, err)
		answer, err := reply.ToArray()
		require.NoError(t, err)
		online, err := answer[2].ToArray()
		return err == nil && len(online) == replicas
	}, time.Minute, 50*time.Millisecond)
}

// holds waits until a server has a value for a key.
func holds(t *testing.T, node *cluster.Node, key, value string) {
	t.Helper()
	require.Eventually(t, func() bool {
		reply, err := node.Do(t.Context(), "GET", key)
		text, _ := reply.ToString()
		return err == nil && text == value
	}, time.Minute, 10*time.Millisecond)
}

func addressesOf(nodes []*cluster.Node) (addresses []string) {
	for _, node := range nodes {
		addresses = append(addresses, node.Address())
	}
	return addresses
}

func primaryOf(client *Client) string { return client.Topology().Primaries()[0].Address.String() }

func TestThePrimaryAmongStandaloneServersIsFoundWhereverItStands(t *testing.T) {
	nodes := group(t, 3)
	for _, order := range [][]*cluster.Node{{nodes[0], nodes[1], nodes[2]}, {nodes[2], nodes[1], nodes[0]}} {
		client := open(t, Config{Standalone: true}, addressesOf(order)...)
		require.Equal(t, nodes[0].Address(), primaryOf(client))
		require.Len(t, client.Topology().Nodes(), 3)
		run(t, client, command("SET", "key", "v"))
	}
	_, err := Open(Config{Standalone: true, Addresses: []routing.Address{mustParse(nodes[1].Address())}})
	require.ErrorContains(t, err, "the address of their primary is missing")
}

func TestReadsOfStandaloneServersFollowTheStrategy(t *testing.T) {
	nodes := group(t, 3)
	calls := func(node *cluster.Node) int {
		client := open(t, Config{Standalone: true, ReadOnly: true}, node.Address())
		return readsOf(t, client, client.Topology().Nodes()[0])
	}
	for strategy, served := range map[routing.ReadStrategy][3]int{
		routing.ReadPrimary: {30, 0, 0}, routing.ReadPreferReplica: {0, 15, 15}, routing.ReadAllNodes: {10, 10, 10},
	} {
		var before [3]int
		for i, node := range nodes {
			before[i] = calls(node)
		}
		client := open(t, Config{Standalone: true, Reads: strategy}, addressesOf(nodes)...)
		for range 30 {
			run(t, client, command("GET", "key"))
		}
		for i, node := range nodes {
			require.Equal(t, served[i], calls(node)-before[i], "strategy %d, node %d", strategy, i)
		}
	}
}

func TestAPrimaryThatWasDemotedLeadsToTheNewOneWithoutAFailedWrite(t *testing.T) {
	nodes := group(t, 3)
	client := open(t, Config{Standalone: true, RefreshEvery: -1, Reads: routing.ReadPreferReplica}, addressesOf(nodes)...)
	run(t, client, command("INCR", "counter"))
	for round, next := range []*cluster.Node{nodes[1], nodes[2], nodes[0]} {
		holds(t, next, "counter", strconv.Itoa(round+1))
		_, err := next.Do(t.Context(), "REPLICAOF", "NO", "ONE")
		require.NoError(t, err)
		for _, node := range nodes {
			if node != next {
				follow(t, node, next)
			}
		}
		// Replicas that are taking a copy still have the roles that count.
		require.EqualValues(t, round+2, run(t, client, command("INCR", "counter")).Value.Integer)
		require.Equal(t, next.Address(), primaryOf(client))
		require.Len(t, client.Topology().Nodes(), 3)
		inSync(t, next, 2)
		for _, node := range nodes {
			holds(t, node, "counter", strconv.Itoa(round+2))
		}
		require.Equal(t, strconv.Itoa(round+2), string(run(t, client, command("GET", "counter")).Value.Text))
		results := runBatch(t, client, batchOf(true, []string{"SET", "other", "1"}, []string{"GET", "counter"}))
		require.Len(t, results, 2)
	}
}

func TestATransactionFindsTheNewPrimaryToo(t *testing.T) {
	nodes := group(t, 2)
	client := open(t, Config{Standalone: true, RefreshEvery: -1}, addressesOf(nodes)...)
	run(t, client, command("SET", "key", "1"))
	holds(t, nodes[1], "key", "1")
	_, err := nodes[1].Do(t.Context(), "REPLICAOF", "NO", "ONE")
	require.NoError(t, err)
	follow(t, nodes[0], nodes[1])
	results := runBatch(t, client, batchOf(true, []string{"INCR", "key"}, []string{"INCR", "key"}))
	require.EqualValues(t, 3, results[1].Integer)
}

func TestAKilledPrimaryIsReplacedByTheReplicaThatSomebodyPromotes(t *testing.T) {
	nodes := group(t, 2)
	client := open(t, Config{Standalone: true, RefreshEvery: -1}, addressesOf(nodes)...)
	run(t, client, command("SET", "key", "v"))
	require.NoError(t, nodes[0].Kill())
	hasty := command("SET", "key", "w")
	hasty.Timeout = 200 * time.Millisecond
	require.Contains(t, []Status{StatusConnection, StatusTimeout}, failure(t, client, hasty).Status)
	_, err := nodes[1].Do(t.Context(), "REPLICAOF", "NO", "ONE")
	require.NoError(t, err)
	run(t, client, command("SET", "key", "w"))
	require.Equal(t, nodes[1].Address(), primaryOf(client))
}

func TestAPausedReplicaDelaysNeitherOpeningNorTheSearchForThePrimary(t *testing.T) {
	nodes := group(t, 3)
	client := open(t, Config{Standalone: true, RefreshEvery: -1, ConnectTimeout: time.Minute}, addressesOf(nodes)...)
	require.NoError(t, nodes[2].Pause())
	defer func() { require.NoError(t, nodes[2].Continue()) }()
	_, err := nodes[1].Do(t.Context(), "REPLICAOF", "NO", "ONE")
	require.NoError(t, err)
	follow(t, nodes[0], nodes[1])
	run(t, client, command("SET", "key", "v"))
	require.Equal(t, nodes[1].Address(), primaryOf(client))
	require.Len(t, client.Topology().Nodes(), 3, "who is late stays what it was")
}

func TestDiscoverAllFindsTheWholeGroupFromOneReplica(t *testing.T) {
	nodes := group(t, 3)
	client := open(t, Config{Standalone: true, RefreshEvery: -1, Discovery: DiscoverAll}, nodes[1].Address())
	require.Equal(t, nodes[0].Address(), primaryOf(client))
	require.Len(t, client.Topology().Nodes(), 3)
	run(t, client, command("SET", "key", "v"))
	// The seed goes; those that it led to still find the new primary.
	_, err := nodes[2].Do(t.Context(), "REPLICAOF", "NO", "ONE")
	require.NoError(t, err)
	follow(t, nodes[0], nodes[2])
	require.NoError(t, nodes[1].Kill())
	run(t, client, command("SET", "key", "w"))
	require.Equal(t, nodes[2].Address(), primaryOf(client))
}

func TestTwoAddressesOfOneServerAreOneNode(t *testing.T) {
	nodes := group(t, 1)
	local := "localhost:" + strconv.Itoa(nodes[0].Port)
	client := open(t, Config{Standalone: true}, nodes[0].Address(), local)
	require.Len(t, client.Topology().Nodes(), 1)
	run(t, client, command("PING").to(byAddress(local, 0)))
}

// fakeGroup is scripted servers that are no cluster: a primary and a replica.
func fakeGroup(t *testing.T) (primary, replica *fakenode.Node) {
	primary, replica = fakenode.Start(t), fakenode.Start(t)
	primary.On("ROLE", fakenode.Array(fakenode.Bulk("master"), fakenode.Int(0), fakenode.Array(
		fakenode.Array(fakenode.Bulk("127.0.0.1"), fakenode.Bulk(strconv.Itoa(replica.Port())), fakenode.Bulk("0")))))
	replica.On("ROLE", fakenode.Array(fakenode.Bulk("slave"), fakenode.Bulk("127.0.0.1"), fakenode.Int(primary.Port()),
		fakenode.Bulk("connected"), fakenode.Int(0)))
	for _, node := range []*fakenode.Node{primary, replica} {
		node.Otherwise(fakenode.Simple("OK"))
	}
	return primary, replica
}

func TestStaticDiscoveryTakesTheFirstAddressForThePrimaryAndAsksNobody(t *testing.T) {
	primary, replica := fakeGroup(t)
	client := open(t, Config{Standalone: true, Discovery: DiscoverStatic, RefreshEvery: -1}, replica.Address(), primary.Address())
	require.Equal(t, replica.Address(), primaryOf(client))
	replica.On("SET", fakenode.Err("READONLY You can't write against a read only replica."))
	refused := failure(t, client, command("SET", "key", "v"))
	require.Equal(t, "READONLY", refused.Code)
	require.Len(t, replica.Got("SET"), 1, "who the primary is was said once for all")
	require.Empty(t, append(primary.Got("ROLE", "INFO"), replica.Got("ROLE", "INFO")...))
	replica.Refuse()
	primary.Refuse()
	_, err := Open(Config{
		Standalone: true, Discovery: DiscoverStatic, Addresses: []routing.Address{mustParse(primary.Address())},
	})
	require.ErrorContains(t, err, "no usable server")
}

func TestWithRolesOnlyTheConfiguredAddressesAreUsed(t *testing.T) {
	primary, _ := fakeGroup(t)
	client := open(t, Config{Standalone: true, RefreshEvery: -1}, primary.Address())
	require.Len(t, client.Topology().Nodes(), 1)
}

func TestDiscoverAllPassesOverServersThatAreNotThere(t *testing.T) {
	primary, replica := fakeGroup(t)
	replica.Refuse()
	client := open(t, Config{Standalone: true, Discovery: DiscoverAll, RefreshEvery: -1}, primary.Address())
	require.Len(t, client.Topology().Nodes(), 1)
}

func TestADiscoveryModeIsForStandaloneServers(t *testing.T) {
	_, err := Open(Config{Discovery: DiscoverAll, Addresses: []routing.Address{{Host: "h", Port: 1}}})
	require.ErrorContains(t, err, "node_discovery_mode is for standalone servers")
}
