package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// behindNAT is a cluster of two fake nodes that announce addresses which lead nowhere, and the
// map that leads to them.
func behindNAT(t *testing.T) (nodes [2]*fakenode.Node, announced [2]routing.Address, mapped map[routing.Address]routing.Address) {
	mapped = make(map[routing.Address]routing.Address)
	var endpoints [2]fakenode.Endpoint
	for i := range nodes {
		nodes[i] = fakenode.Start(t)
		announced[i] = routing.Address{Host: []string{"inner-1.test", "10.255.255.2"}[i], Port: 7001}
		mapped[announced[i]] = mustParse(nodes[i].Address())
		endpoints[i] = nodes[i].Endpoint().At(fakenode.Bulk(announced[i].Host))
		endpoints[i].Port = 7001
	}
	slots := fakenode.Slots(fakenode.Serves(0, 8191, endpoints[0]), fakenode.Serves(8192, 16383, endpoints[1]))
	for i, node := range nodes {
		node.On("CLUSTER SLOTS", slots)
		node.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:1\r\n"))
		node.On("GET", fakenode.Bulk(announced[i].Host))
	}
	return nodes, announced, mapped
}

func TestNodesBehindATranslationAreReachedAndKeepTheirAnnouncedNames(t *testing.T) {
	nodes, announced, mapped := behindNAT(t)
	client := open(t, Config{RefreshEvery: -1, AddressMap: mapped}, nodes[0].Address())
	for key, i := range map[string]int{"bar": 0, "foo": 1} {
		response := run(t, client, command("GET", key).to(keyRoute(routing.Primary, key)))
		require.Equal(t, announced[i].Host, string(response.Value.Text))
		require.Equal(t, announced[i], response.Outcomes[0].Node.Address)
	}
}

func TestARouteMayNameTheAnnouncedOrTheDialledAddress(t *testing.T) {
	nodes, announced, mapped := behindNAT(t)
	client := open(t, Config{RefreshEvery: -1, AddressMap: mapped}, nodes[0].Address())
	check := func() {
		for i, node := range nodes {
			for _, name := range []string{announced[i].String(), node.Address()} {
				response := run(t, client, command("GET", "x").to(byAddress(name, 0)))
				require.Equal(t, announced[i].Host, string(response.Value.Text))
			}
		}
	}
	check()
	client.refresh(t.Context())
	check()
}

func TestARedirectToAnAnnouncedAddressIsDialledThroughTheMap(t *testing.T) {
	nodes, announced, mapped := behindNAT(t)
	client := open(t, Config{RefreshEvery: -1, AddressMap: mapped}, nodes[0].Address())
	third := fakenode.Start(t)
	third.On("GET", fakenode.Bulk("third"))
	mapped[routing.Address{Host: "10.255.255.3", Port: 7001}] = mustParse(third.Address()) // a node that joined
	nodes[1].On("GET foo", fakenode.Err("ASK 12182 10.255.255.3:7001"))
	nodes[0].On("GET bar", fakenode.Err("MOVED 5061 "+announced[1].String()))
	require.Equal(t, "third", string(run(t, client, command("GET", "foo")).Value.Text))
	require.Equal(t, announced[1].Host, string(run(t, client, command("GET", "bar")).Value.Text))
}

func TestSeedsGoThroughTheMapAsWell(t *testing.T) {
	_, announced, mapped := behindNAT(t)
	client := open(t, Config{RefreshEvery: -1, AddressMap: mapped}, announced[1].String())
	run(t, client, command("GET", "foo"))
}

func TestStandaloneReplicasThatAreDiscoveredGoThroughTheMap(t *testing.T) {
	primary, replica := fakeGroup(t)
	primary.On("ROLE", fakenode.Array(fakenode.Bulk("master"), fakenode.Int(0), fakenode.Array(
		fakenode.Array(fakenode.Bulk("inner.test"), fakenode.Bulk("7001"), fakenode.Bulk("0")))))
	inner := routing.Address{Host: "inner.test", Port: 7001}
	client := open(t, Config{
		Standalone: true, Discovery: DiscoverAll, RefreshEvery: -1,
		AddressMap: map[routing.Address]routing.Address{inner: mustParse(replica.Address())},
	}, primary.Address())
	require.NotNil(t, client.Topology().Find(inner))
	run(t, client, command("GET", "x").to(byAddress(replica.Address(), 0)))
	require.Len(t, replica.Got("GET"), 1)
}

func TestTheTopologyIsAskedOfTheSeedsFirstWhereThatIsWanted(t *testing.T) {
	f := fakeCluster(t)
	seed := fakenode.Start(t) // a name that leads to some node of the cluster
	seed.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:7\r\n"))
	before := fakenode.Slots(fakenode.Serves(0, 10922, f.one.Endpoint()), fakenode.Serves(10923, 16383, f.three.Endpoint()))
	seed.On("CLUSTER SLOTS", before, fakenode.Slots(fakenode.Serves(0, 16383, f.two.Endpoint())))
	client := open(t, Config{RefreshEvery: -1, FromSeeds: true}, seed.Address())
	client.refresh(t.Context())
	require.Equal(t, f.two.Address(), primaryOf(client))
	require.Empty(t, append(f.one.Got("CLUSTER SLOTS"), f.three.Got("CLUSTER SLOTS")...))
	require.Equal(t, 2, seed.Connections(), "the name was looked up anew")
	seed.Stop()
	f.two.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, f.three.Endpoint())))
	client.refresh(t.Context())
	require.Equal(t, f.three.Address(), primaryOf(client), "where no seed answers the known nodes are asked")
}
