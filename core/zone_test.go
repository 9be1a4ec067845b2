package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// helloWith answers HELLO without arguments with a zone, as 8.1 does, and else as usual.
func helloWith(zone string) fakenode.Reply {
	return fakenode.Func(func(words []string) fakenode.Reply {
		if len(words) > 1 {
			return fakenode.Usual()
		}
		return fakenode.Map(fakenode.Bulk("server"), fakenode.Bulk("valkey"), fakenode.Bulk("availability_zone"), fakenode.Bulk(zone))
	})
}

// zonedFakes is a shard of three whose slots come without zones.
func zonedFakes(t *testing.T, hello func(node *fakenode.Node, zone string)) []*fakenode.Node {
	nodes := []*fakenode.Node{fakenode.Start(t), fakenode.Start(t), fakenode.Start(t)}
	slots := fakenode.Slots(fakenode.Serves(0, 16383, nodes[0].Endpoint(), nodes[1].Endpoint(), nodes[2].Endpoint()))
	for i, zone := range []string{"az-a", "az-b", "az-c"} {
		nodes[i].On("CLUSTER SLOTS", slots)
		nodes[i].On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:1\r\n"))
		nodes[i].On("INFO", fakenode.Bulk("# Server\r\nredis_version:7.2.4\r\n"))
		nodes[i].Otherwise(fakenode.Simple("OK"))
		hello(nodes[i], zone)
	}
	return nodes
}

func TestServersThatTellOnlyTheirOwnZoneAreAskedForIt(t *testing.T) {
	for name, hello := range map[string]func(*fakenode.Node, string){
		"HELLO of 8.1": func(n *fakenode.Node, zone string) { n.On("HELLO", helloWith(zone)) },
		"INFO of 8.0": func(n *fakenode.Node, zone string) {
			n.On("INFO", fakenode.Bulk("# Server\r\navailability_zone:"+zone+"\r\n"))
		},
	} {
		for _, resp2 := range []bool{false, true} {
			nodes := zonedFakes(t, hello)
			client := open(t, Config{RefreshEvery: -1, RESP2: resp2, Reads: routing.ReadZoneReplicas, Zone: "az-c"}, nodes[0].Address())
			for range 10 {
				run(t, client, command("GET", "key"))
			}
			require.Len(t, nodes[2].Got("GET"), 10, name)
			asked := len(nodes[2].Got("INFO"))
			client.refresh(t.Context())
			require.Equal(t, "az-c", client.Topology().Find(mustParse(nodes[2].Address())).Zone)
			require.Len(t, nodes[2].Got("INFO"), asked, "a zone holds for a while")
		}
	}
}

func TestANodeThatDoesNotTellItsZoneIsWithoutOne(t *testing.T) {
	nodes := zonedFakes(t, func(n *fakenode.Node, zone string) {
		switch zone {
		case "az-b":
			n.On("HELLO", helloWith(zone))
		case "az-c":
			n.On("INFO", fakenode.Err("NOPERM this user has no permissions to run the 'info' command"))
		}
	})
	client := open(t, Config{RefreshEvery: -1, Reads: routing.ReadZoneReplicas, Zone: "az-b"}, nodes[0].Address())
	require.Empty(t, client.Topology().Find(mustParse(nodes[2].Address())).Zone)
	for range 10 {
		run(t, client, command("GET", "key"))
	}
	require.Len(t, nodes[1].Got("GET"), 10)
}

func TestAClientWithoutAZoneAsksNobodyForTheirs(t *testing.T) {
	nodes := zonedFakes(t, func(n *fakenode.Node, zone string) { n.On("HELLO", helloWith(zone)) })
	client := open(t, Config{RefreshEvery: -1}, nodes[0].Address())
	run(t, client, command("PING"))
	require.Empty(t, nodes[1].Got("INFO"))
}

func TestStandaloneServersHaveZonesToo(t *testing.T) {
	nodes := group(t, 3)
	for i, zone := range []string{"az-a", "az-b", "az-c"} {
		_, err := nodes[i].Do(t.Context(), "CONFIG", "SET", "availability-zone", zone)
		require.NoError(t, err)
	}
	client := open(t, Config{Standalone: true, Reads: routing.ReadZoneReplicas, Zone: "az-b"}, addressesOf(nodes)...)
	for range 10 {
		response := command("GET", "key")
		response.Outcomes = true
		require.Equal(t, nodes[1].Address(), run(t, client, response).Outcomes[0].Node.Address.String())
	}
}

func TestAScanDoesNotForgetTheZones(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Replicas: cluster.NoReplicas})
	_, err := c.Nodes[0].Do(t.Context(), "CONFIG", "SET", "availability-zone", "az-a")
	require.NoError(t, err)
	client := open(t, Config{RefreshEvery: -1, Reads: routing.ReadZoneAllNodes, Zone: "az-a"}, c.Addresses()[0])
	scanAll(t, client, ScanRequest{}, func(int) {})
	require.True(t, client.Topology().HasZones())
}
