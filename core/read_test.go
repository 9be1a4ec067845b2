package core

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// readers counts who served n reads of "foo", by what the servers themselves say.
func readers(t *testing.T, c *cluster.Cluster, client *Client, n int) []int {
	before := make([]int, len(c.Nodes))
	count := func(i int) int {
		node := client.Topology().Find(mustParse(c.Nodes[i].Address()))
		return readsOf(t, client, node)
	}
	for i := range c.Nodes {
		before[i] = count(i)
	}
	for range n {
		run(t, client, command("GET", "foo"))
	}
	served := make([]int, len(c.Nodes))
	for i := range c.Nodes {
		served[i] = count(i) - before[i]
	}
	return served
}

func TestReadsAreSharedAsTheStrategySays(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Replicas: 2}) // the primary comes first
	writer := open(t, Config{}, c.Addresses()[0])
	run(t, writer, command("SET", "foo", "v"))
	run(t, writer, command("WAIT", "2", "5000"))
	for strategy, served := range map[routing.ReadStrategy][]int{
		routing.ReadPrimary:       {30, 0, 0},
		routing.ReadPreferReplica: {0, 15, 15},
		routing.ReadAllNodes:      {10, 10, 10},
	} {
		client := open(t, Config{Reads: strategy}, c.Addresses()[0])
		require.Equal(t, served, readers(t, c, client, 30), strategy)
	}
}

func TestReadsPreferTheNodesOfTheClientsZone(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Replicas: 2})
	for i, zone := range []string{"az-a", "az-b", "az-c"} {
		_, err := c.Nodes[i].Do(t.Context(), "CONFIG", "SET", "availability-zone", zone)
		require.NoError(t, err)
	}
	// Nodes tell each other with their heartbeats.
	require.Eventually(t, func() bool {
		client := open(t, Config{}, c.Addresses()[0])
		for _, node := range client.Topology().Nodes() {
			if node.Zone == "" {
				return false
			}
		}
		return true
	}, 30*time.Second, 100*time.Millisecond)
	for _, expected := range []struct {
		strategy routing.ReadStrategy
		zone     string
		served   []int
	}{
		{routing.ReadZoneReplicas, "az-b", []int{0, 10, 0}},
		{routing.ReadZoneReplicas, "az-a", []int{0, 5, 5}},
		{routing.ReadZoneReplicasAndPrimary, "az-a", []int{10, 0, 0}},
		{routing.ReadZoneAllNodes, "az-c", []int{0, 0, 10}},
	} {
		client := open(t, Config{Reads: expected.strategy, Zone: expected.zone}, c.Addresses()[0])
		require.Equal(t, expected.served, readers(t, c, client, 10), "%+v", expected)
	}
}

func TestAZoneWithoutAStrategyOrWithoutServersThatKnowTheirsIsRefused(t *testing.T) {
	address := mustParse(cluster.Shared(t)[0])
	for _, config := range []Config{
		{Zone: "az-a"}, {Reads: routing.ReadZoneReplicas}, {Reads: routing.ReadZoneReplicas, Zone: "az-a"},
	} {
		config.Addresses = []routing.Address{address}
		_, err := Open(config)
		var refused *Error
		require.ErrorAs(t, err, &refused)
		require.Equal(t, StatusConfig, refused.Status)
		require.Contains(t, refused.Message, "client_az")
	}
}

func TestTheQuickestNodeServesMostReads(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET", fakenode.Late(fakenode.Bulk("v"), 20*time.Millisecond))
	f.replica.On("GET", fakenode.Bulk("v"))
	client := open(t, Config{RefreshEvery: -1, Reads: routing.ReadLowestLatency}, f.one.Address())
	for range 100 {
		run(t, client, command("GET", "foo"))
	}
	require.Greater(t, len(f.replica.Got("GET")), 80)
	require.NotEmpty(t, f.three.Got("GET"), "nobody would notice that it has become quicker")
}

func TestAReplicaThatWasOneOfManySeedsIsUsableAtOnce(t *testing.T) {
	addresses := cluster.Shared(t)
	for range 30 { // the first seed that answers ends the wait for the others
		client := open(t, Config{}, addresses...)
		for slot := int32(0); slot < routing.SlotCount; slot += 5461 {
			response := run(t, client, command("CONFIG", "GET", "port").to(slotRoute(routing.Replica, slot)))
			require.False(t, response.Outcomes[0].Fallback)
		}
	}
}

func TestAReplicaThatIsLoadingIsPassedOverAtOnce(t *testing.T) {
	f := fakeCluster(t)
	f.replica.On("GET", fakenode.Err("LOADING x"))
	f.three.On("GET", fakenode.Bulk("primary"))
	client := open(t, Config{RefreshEvery: -1, Reads: routing.ReadPreferReplica}, f.one.Address())
	for range 5 {
		require.Equal(t, routing.Bulk("primary"), run(t, client, command("GET", "foo")).Value)
	}
	require.Len(t, f.replica.Got("GET"), 1)
	response := run(t, client, command("GET", "foo").to(keyRoute(routing.Replica, "foo")))
	require.True(t, response.Outcomes[0].Fallback)
}

func TestAReplicaThatRefusesConnectionsIsLeftOutForAWhile(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET", fakenode.Bulk("primary"))
	f.replica.Refuse()
	client := open(t, Config{RefreshEvery: -1, Reads: routing.ReadPreferReplica}, f.one.Address())
	for i := range 10 {
		got := run(t, client, command("GET", "{foo}"+strconv.Itoa(i)))
		require.Equal(t, "primary", string(got.Value.Text))
	}
	route := command("GET", "foo").to(keyRoute(routing.Replica, "foo"))
	require.True(t, run(t, client, route).Outcomes[0].Fallback)
}

func TestAReplicaThatDropsPacketsIsLeftOutForAWhile(t *testing.T) {
	f := fakeCluster(t)
	lost := deaf(t)
	f.say(7, fakenode.Slots(
		fakenode.Serves(0, 10922, f.one.Endpoint()),
		fakenode.Serves(10923, 16383, f.three.Endpoint(), fakenode.Endpoint{Host: fakenode.Bulk(lost.Host), Port: int(lost.Port), ID: "lost"})))
	client := open(t, Config{RefreshEvery: -1, RequestTimeout: 300 * time.Millisecond, Reads: routing.ReadPreferReplica}, f.one.Address())
	require.Equal(t, StatusTimeout, failure(t, client, command("GET", "foo")).Status)
	run(t, client, command("GET", "foo"))
	require.Len(t, f.three.Got("GET foo"), 1, "the primary serves")
}
