package core

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/routing"
)

func TestAStormOfClosedConnectionsLosesAndDoublesNothing(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	client := open(t, Config{}, c.Addresses()[0])
	w := startWriters(client, 4)
	for range 100 {
		for _, node := range c.Nodes {
			_, err := node.Do(t.Context(), "CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")
			require.NoError(t, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.end()
	w.require(t, counts(t, client))
	for shard := range shardKeys {
		require.Positive(t, w.good[shard].Load())
		if first := w.first[shard].Load(); first != nil {
			require.Equal(t, StatusConnection, first.Status, first.Message)
		}
	}
}

func TestAPausedServerMakesCallersWaitAndRunsEachCommandOnce(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	client := open(t, Config{}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "0"))
	run(t, client, command("SET", "bar", "0"))
	pause := func() {
		_, err := c.Owner(12182).Do(t.Context(), "CLIENT", "PAUSE", "60000", "WRITE")
		require.NoError(t, err)
	}
	resume := func() {
		_, err := c.Owner(12182).Do(t.Context(), "CLIENT", "UNPAUSE")
		require.NoError(t, err)
	}
	pause()
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			if _, err := client.Execute(patiently(command("INCR", "foo"))); err != nil {
				t.Error(err)
			}
		})
	}
	hasty := command("DEL", "{foo}other")
	hasty.Timeout = 100 * time.Millisecond
	require.Equal(t, StatusTimeout, failure(t, client, hasty).Status)
	for range 20 {
		run(t, client, command("INCR", "bar"))
	}
	resume()
	callers.Wait()
	require.Equal(t, "10", string(run(t, client, command("GET", "foo")).Value.Text))
	require.Equal(t, "20", string(run(t, client, command("GET", "bar")).Value.Text))
}

func TestACommandOfKeysOnTwoNodesWaitsForTheMigrationOfTheirSlot(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	client := open(t, Config{}, c.Addresses()[0])
	run(t, client, command("MSET", "{foo}1", "a", "{foo}2", "b"))
	require.NoError(t, c.BeginMigration(t.Context(), 12182, c.Owner(0)))
	moved, err := c.MoveKeys(t.Context(), 12182, 1)
	require.NoError(t, err)
	require.Equal(t, 1, moved)
	hasty := command("MGET", "{foo}1", "{foo}2")
	hasty.Timeout = 100 * time.Millisecond
	refused := failure(t, client, hasty)
	require.Equal(t, "TRYAGAIN", refused.Code, "the server's word rather than a time-out")
	require.True(t, refused.Retryable)
	for i := range 2 { // each key for itself is served, by either node
		run(t, client, command("GET", "{foo}"+strconv.Itoa(i+1)))
	}
	answered := make(chan routing.Value, 1)
	go func() {
		response, err := client.Execute(patiently(command("MGET", "{foo}1", "{foo}2")))
		if err != nil {
			t.Error(err)
		}
		answered <- response.Value
	}()
	require.NoError(t, c.FinishMigration(t.Context(), 12182))
	require.Equal(t, routing.ArrayOf(routing.Bulk("a"), routing.Bulk("b")), <-answered)
}

func TestTheClientGoesOnAfterAllNodesWereRestartedAtOnce(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	client := open(t, Config{RequestTimeout: 500 * time.Millisecond}, c.Addresses()...)
	run(t, client, command("SET", "foo", "1"))
	for _, node := range c.Nodes {
		require.NoError(t, node.Kill())
	}
	down := failure(t, client, command("SET", "foo", "2"))
	require.False(t, down.Sent)
	require.Equal(t, StatusConnection, down.Status, down.Message)
	for _, node := range c.Nodes {
		require.NoError(t, node.Restart(t.Context()))
	}
	require.NoError(t, c.Settle(t.Context()))
	require.Eventually(t, func() bool {
		_, err := client.Execute(command("MSET", "foo", "3", "bar", "3", "test", "3"))
		return err == nil
	}, 20*time.Second, time.Millisecond)
	require.Len(t, run(t, client, command("PING").to(routing.Route{Kind: routing.RouteAllNodes})).Outcomes, 3)
}

func TestAPasswordThatWasChangedRefusesNewConnectionsAndSendsNothing(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Replicas: cluster.NoReplicas, Password: "before"})
	client := open(t, Config{Password: "before"}, c.Addresses()[0])
	change := func(password string) {
		for _, words := range [][]string{{"CONFIG", "SET", "requirepass", password}, {"CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES"}} {
			_, err := c.Nodes[0].Do(t.Context(), words...)
			require.NoError(t, err)
		}
	}
	run(t, client, command("INCR", "foo"))
	change("after")
	refused := failure(t, client, command("INCR", "foo"))
	require.Equal(t, StatusServer, refused.Status)
	require.Equal(t, "WRONGPASS", refused.Code)
	require.False(t, refused.Sent)
	require.NotContains(t, refused.Message, "before")
	change("before")
	require.Eventually(t, func() bool { // when the node's back-off has ended
		_, err := client.Execute(command("GET", "foo"))
		return err == nil
	}, 10*time.Second, time.Millisecond)
	require.EqualValues(t, 2, run(t, client, command("INCR", "foo")).Value.Integer)
}

func TestNodesThatJoinAreUsedAndNodesThatLeaveAreLetGo(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 2, Replicas: cluster.NoReplicas})
	client := open(t, Config{RefreshEvery: 50 * time.Millisecond}, c.Addresses()[0])
	w := startWriters(client, 2)
	joined, err := c.Add(t.Context(), nil)
	require.NoError(t, err)
	home := c.Owner(12182)
	require.NoError(t, c.MigrateSlot(t.Context(), 12182, joined))
	pings := func() int {
		return len(run(t, client, command("PING").to(routing.Route{Kind: routing.RouteAllNodes})).Outcomes)
	}
	require.Eventually(t, func() bool { return pings() == 3 }, 10*time.Second, time.Millisecond)
	require.Equal(t, joined.Address(), client.Topology().Owner(12182).Primary.Address.String())
	require.NoError(t, c.MigrateSlot(t.Context(), 12182, home))
	require.Eventually(t, func() bool { return pings() == 2 }, 10*time.Second, time.Millisecond)
	require.Nil(t, client.Topology().Find(mustParse(joined.Address())))
	require.Eventually(t, func() bool {
		list, err := joined.Do(t.Context(), "CLIENT", "LIST", "TYPE", "NORMAL")
		require.NoError(t, err)
		text, err := list.ToString()
		require.NoError(t, err)
		return !strings.Contains(text, "lib-name=libglide")
	}, 10*time.Second, 10*time.Millisecond, "its connections are closed")
	require.NoError(t, c.Remove(t.Context(), joined))
	w.end()
	w.require(t, counts(t, client))
	for shard := range shardKeys {
		require.Zero(t, w.unsent[shard].Load()+w.unsure[shard].Load(), "growing and shrinking costs nobody an error: %v", w.first[shard].Load())
	}
}
