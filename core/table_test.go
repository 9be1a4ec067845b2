package core

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/routing"
)

// serverCommand is what a server says of a command in its answer to COMMAND.
type serverCommand struct {
	words       [][]byte
	flags, tips []string
	keyed       bool
}

// serverCommands are the commands of a server, sub-commands in place of their containers.
func serverCommands(entries []routing.Value) (all []serverCommand) {
	text := func(list routing.Value) (texts []string) {
		for _, item := range list.Items {
			texts = append(texts, string(item.Text))
		}
		return texts
	}
	for _, entry := range entries {
		if subs := entry.Items[9].Items; len(subs) > 0 {
			all = append(all, serverCommands(subs)...)
			continue
		}
		name := strings.Split(string(entry.Items[0].Text), "|")
		all = append(all, serverCommand{
			command(name...).Words, text(entry.Items[2]), text(entry.Items[7]), len(entry.Items[8].Items) > 0,
		})
	}
	return all
}

// The rows of the table that differ from the server's own tips and flags, each with its reason.
var tableDiffers = map[string]string{
	"TOUCH":             "the server calls it a read, but on a replica it does not refresh the primary's memory of use",
	"CLUSTERSCAN":       "the server calls it a read, but a replica may lag behind",
	"LATENCY DOCTOR":    "primaries, as other clients do it",
	"LATENCY GRAPH":     "primaries, as other clients do it",
	"LATENCY HISTOGRAM": "primaries, as other clients do it",
	"LATENCY HISTORY":   "primaries, as other clients do it",
	"LATENCY LATEST":    "primaries, as other clients do it",
	"LATENCY RESET":     "primaries, as other clients do it",
	"FUNCTION KILL":     "all nodes: a read-only function may run on a replica",
	"FUNCTION STATS":    "all nodes: a read-only function may run on a replica",
	"SCRIPT KILL":       "all nodes: a read-only script may run on a replica",
}

func TestTheTableAgreesWithTheCommandsOfALiveServer(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	primaries, nodes := len(client.Topology().Primaries()), len(client.Topology().Nodes())
	server := serverCommands(run(t, client, command("COMMAND")).Value.Items)
	require.Greater(t, len(server), 300)
	differed := make(map[string]bool)
	for _, s := range server {
		name := routing.CommandName(s.words)
		words := append(slices.Clone(s.words), command("1", "1", "1", "1", "1", "1").Words...)
		plan, err := client.Resolve(&routing.Request{Words: words})
		if err != nil {
			require.NotContains(t, err.Error(), "panic", name)
			continue // it is not sent, or needs an address
		}
		legs := 1
		switch {
		case slices.Contains(s.tips, "request_policy:all_nodes"):
			legs = nodes
		case slices.Contains(s.tips, "request_policy:all_shards"):
			legs = primaries
		case !s.keyed:
			legs = len(plan.Legs) // the server has no opinion
		}
		reads := slices.Contains(s.flags, "readonly") && s.keyed
		agrees := len(plan.Legs) == legs && (!s.keyed || plan.SetsState || plan.ReadOnly == reads && plan.Writes != reads)
		if _, listed := tableDiffers[name]; listed {
			require.False(t, agrees, "%s does not differ any more", name)
			differed[name] = true
			continue
		}
		require.True(t, agrees, "%s: %d legs for %d, reads %v for %v", name, len(plan.Legs), legs, plan.ReadOnly, reads)
	}
	require.Len(t, differed, len(tableDiffers))
}

func TestClusterShardsAndClusterSlotsOfALiveServerAgree(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	first := mustParse(cluster.Shared(t)[0])
	replies, err := client.exchange(t.Context(), target{endpoint: first}, slotsWords, command("CLUSTER", "SHARDS").Words)
	require.NoError(t, err)
	slots, err := routing.ParseSlots(replies[0], first)
	require.NoError(t, err)
	shards, err := routing.ParseShards(replies[1], first, false)
	require.NoError(t, err)
	require.True(t, slots.Snapshot(nil).Equal(shards.Snapshot(nil)))
}
