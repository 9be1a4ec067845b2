package core

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"libglide/bindings/conformance/cluster"
	"libglide/routing"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("libglide/bindings/conformance/cluster.spawnServers"))
}

// open connects to servers and closes the client with the test.
func open(t testing.TB, config Config, addresses ...string) *Client {
	t.Helper()
	for _, text := range addresses {
		address, err := routing.ParseAddress(text)
		require.NoError(t, err)
		config.Addresses = append(config.Addresses, address)
	}
	if config.RequestTimeout == 0 {
		config.RequestTimeout = 5 * time.Second // a loaded machine is no fault
	}
	client, err := Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { client.Close() })
	return client
}

func command(text ...string) *Request {
	request := new(Request)
	for _, word := range text {
		request.Words = append(request.Words, []byte(word))
	}
	return request
}

func (r *Request) to(route routing.Route) *Request {
	r.Route, r.Outcomes = route, true
	return r
}

func run(t testing.TB, client *Client, request *Request) Response {
	t.Helper()
	response, err := client.Execute(request)
	require.NoError(t, err)
	return response
}

func failure(t testing.TB, client *Client, request *Request) *Error {
	t.Helper()
	_, err := client.Execute(request)
	var known *Error
	require.ErrorAs(t, err, &known)
	return known
}

// portOf is the port that a node itself reports, whatever address it was reached under.
func portOf(t testing.TB, value routing.Value) uint16 {
	t.Helper()
	require.Len(t, value.Items, 2, "CONFIG GET port")
	port, err := strconv.ParseUint(string(value.Items[1].Text), 10, 16)
	require.NoError(t, err)
	return uint16(port)
}

func slotRoute(role routing.Role, slot int32) routing.Route {
	return routing.Route{Kind: routing.RouteSlotID, Role: role, SlotID: slot}
}

func keyRoute(role routing.Role, key string) routing.Route {
	return routing.Route{Kind: routing.RouteSlotKey, Role: role, Key: []byte(key)}
}

func byAddress(host string, port int32) routing.Route {
	return routing.Route{Kind: routing.RouteByAddress, Host: host, Port: port}
}

func TestAllNodesAnswersOnceForEveryNodeOfTheTopology(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	response := run(t, client, command("CONFIG", "GET", "port").to(routing.Route{Kind: routing.RouteAllNodes}))
	require.Equal(t, routing.KindPerNode, response.Value.Kind)
	require.Len(t, response.Outcomes, 6)
	seen := make(map[routing.Address]bool)
	for _, outcome := range response.Outcomes {
		require.Equal(t, outcome.Node.Address.Port, portOf(t, outcome.Value))
		require.True(t, outcome.Sent)
		seen[outcome.Node.Address] = true
	}
	require.Len(t, seen, 6)
}

func TestAllPrimariesAnswersOnceForEveryPrimary(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	response := run(t, client, command("CONFIG", "GET", "port").to(routing.Route{Kind: routing.RouteAllPrimaries}))
	require.Len(t, response.Outcomes, 3)
	for _, outcome := range response.Outcomes {
		require.Equal(t, routing.Primary, outcome.Node.Role)
		require.Equal(t, outcome.Node.Address.Port, portOf(t, outcome.Value))
	}
}

func TestRandomNodeReachesEveryNodeInTime(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	seen := make(map[uint16]bool)
	for range 300 { // 6 × (5/6)^300: it cannot miss one
		response := run(t, client, command("CONFIG", "GET", "port").to(routing.Route{Kind: routing.RouteRandomNode}))
		seen[portOf(t, response.Value)] = true
	}
	require.Len(t, seen, 6)
}

func TestASlotRouteReachesThePrimaryOrTheReplicaOfTheShard(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	for slot := int32(0); slot < routing.SlotCount; slot += 1365 {
		shard := client.Topology().Owner(routing.Slot(slot))
		primary := run(t, client, command("CONFIG", "GET", "port").to(slotRoute(routing.Primary, slot)))
		require.Equal(t, shard.Primary.Address.Port, portOf(t, primary.Value))
		replica := run(t, client, command("CONFIG", "GET", "port").to(slotRoute(routing.Replica, slot)))
		require.Equal(t, shard.Replicas[0].Address.Port, portOf(t, replica.Value))
		require.False(t, replica.Outcomes[0].Fallback)
	}
}

func TestAKeyRouteReachesTheShardOfTheKey(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	for _, key := range []string{"", "foo", "{user1000}.following", "\x00\xff{\x00}"} {
		shard := client.Topology().Owner(routing.SlotOf([]byte(key)))
		response := run(t, client, command("CONFIG", "GET", "port").to(keyRoute(routing.Primary, key)))
		require.Equal(t, shard.Primary.Address.Port, portOf(t, response.Value))
	}
}

// readsOf counts the GETs that a node served itself.
func readsOf(t testing.TB, client *Client, node *routing.Node) int {
	t.Helper()
	response := run(t, client, command("INFO", "COMMANDSTATS").to(byAddress(node.Address.Host, int32(node.Address.Port))))
	_, rest, found := strings.Cut(string(response.Value.Text), "cmdstat_get:calls=")
	if !found {
		return 0
	}
	digits, _, _ := strings.Cut(rest, ",")
	calls, err := strconv.Atoi(digits)
	require.NoError(t, err)
	return calls
}

func TestAReplicaRouteIsServedByTheReplicaAlsoAfterAReconnect(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1})
	client := open(t, Config{}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "v"))
	run(t, client, command("WAIT", "1", "5000"))
	replica := client.Topology().Owner(12182).Replicas[0]
	before := readsOf(t, client, replica)
	get := func() {
		response := run(t, client, command("GET", "foo").to(keyRoute(routing.Replica, "foo")))
		require.Equal(t, "v", string(response.Value.Text))
		require.Nil(t, response.Outcomes[0].ServedBy, "a redirect was followed")
	}
	for range 5 {
		get()
	}
	_, err := c.Replicas()[0].Do(t.Context(), "CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")
	require.NoError(t, err)
	for range 5 {
		get()
	}
	require.Equal(t, before+10, readsOf(t, client, replica))
}

func TestAWriteOnAReplicaRouteIsRedirectedToThePrimary(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	response := run(t, client, command("SET", "redirected", "v").to(keyRoute(routing.Replica, "redirected")))
	outcome := response.Outcomes[0]
	require.Equal(t, routing.Replica, outcome.Node.Role)
	require.Equal(t, client.Topology().Owner(routing.SlotOf([]byte("redirected"))).Primary.Address, *outcome.ServedBy)
}

func TestAShardWithoutReplicaServesAReplicaRouteByItsPrimaryAndSaysSo(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Replicas: cluster.NoReplicas})
	client := open(t, Config{}, c.Addresses()[0])
	request := command("CONFIG", "GET", "port")
	request.Route = slotRoute(routing.Replica, 1) // outcomes not asked for
	response := run(t, client, request)
	require.Len(t, response.Outcomes, 1)
	require.True(t, response.Outcomes[0].Fallback)
	require.Equal(t, routing.Primary, response.Outcomes[0].Node.Role)
}

func TestAnAddressMatchesInEverySpelling(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	node := client.Topology().Nodes()[3]
	port := int32(node.Address.Port)
	for _, route := range []routing.Route{
		byAddress("127.0.0.1", port), byAddress("::ffff:127.0.0.1", port), byAddress("localhost", port),
		byAddress(node.Address.String(), 0), byAddress("LOCALHOST:"+strconv.Itoa(int(port)), 0),
	} {
		response := run(t, client, command("CONFIG", "GET", "port").to(route))
		require.EqualValues(t, port, portOf(t, response.Value), "%+v", route)
	}
}

func TestIPv6NodesMatchInEverySpelling(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Host: "::1"})
	client := open(t, Config{}, c.Addresses()[0])
	port := int32(c.Nodes[1].Port)
	text := strconv.Itoa(int(port))
	for _, route := range []routing.Route{
		byAddress("::1", port), byAddress("[::1]", port), byAddress("0:0:0:0:0:0:0:1", port),
		byAddress("::1:"+text, 0), byAddress("[::1]:"+text, 0), byAddress("0000::0001", port),
	} {
		response := run(t, client, command("CONFIG", "GET", "port").to(route))
		require.EqualValues(t, port, portOf(t, response.Value), "%+v", route)
	}
}

func TestAHostNameIsTheNameOfANodeAndItsIPAnAlias(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Hostname: "node.test"})
	client := open(t, Config{}, c.Addresses()[0])
	port := int32(c.Nodes[0].Port)
	require.Equal(t, "node.test", client.Topology().Nodes()[0].Address.Host)
	for _, host := range []string{"node.test", "Node.Test.", "127.0.0.1"} {
		response := run(t, client, command("CONFIG", "GET", "port").to(byAddress(host, port)))
		require.EqualValues(t, port, portOf(t, response.Value), host)
	}
}

func TestAnUnknownAddressIsRefusedWithTheKnownOnes(t *testing.T) {
	addresses := cluster.Shared(t)
	client := open(t, Config{}, addresses[0])
	refused := failure(t, client, command("PING").to(byAddress("10.9.8.7", 7001)))
	require.Equal(t, StatusRoute, refused.Status)
	require.False(t, refused.Sent)
	for _, address := range addresses {
		require.Contains(t, refused.Message, address)
	}
}

func TestWithoutARouteAKeyGoesToItsOwnerAndAFanOutIsCombined(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{}, c.Addresses()[0])
	for i := range 30 {
		request := command("SET", "key"+strconv.Itoa(i), strconv.Itoa(i))
		request.Outcomes = true
		response := run(t, client, request)
		require.Nil(t, response.Outcomes[0].ServedBy, "it went to the wrong node first")
	}
	size := run(t, client, command("DBSIZE"))
	require.Equal(t, routing.Integer(30), size.Value)
	require.Len(t, size.Outcomes, 3)
	values := run(t, client, command("MGET", "key1", "none", "key2", "key3"))
	require.Equal(t, routing.ArrayOf(routing.Bulk("1"), routing.Value{}, routing.Bulk("2"), routing.Bulk("3")), values.Value)
	require.Equal(t, routing.Integer(3), run(t, client, command("DEL", "key1", "key2", "key3", "none")).Value)
	require.Equal(t, "OK", string(run(t, client, command("MSET", "a", "1", "b", "2", "c", "3")).Value.Text))
	keys := run(t, client, command("KEYS", "*"))
	require.Len(t, keys.Value.Items, 30)
}

func TestAnErrorOfTheServerNamesItsCodeAndTheNode(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	run(t, client, command("SET", "text", "v"))
	refused := failure(t, client, command("LPUSH", "text", "v"))
	require.Equal(t, StatusServer, refused.Status)
	require.Equal(t, "WRONGTYPE", refused.Code)
	require.True(t, refused.Sent)
	require.False(t, refused.Retryable)
	require.Equal(t, client.Topology().Owner(routing.SlotOf([]byte("text"))).Primary.Address.String(), refused.Node)
}

func TestAMovedSlotIsFollowedAndRepairedAtOnce(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "v"))
	to := c.Owner(0)
	require.NoError(t, c.MigrateSlot(t.Context(), 12182, to))
	first := command("GET", "foo")
	first.Outcomes = true
	response := run(t, client, first)
	require.Equal(t, "v", string(response.Value.Text))
	require.Equal(t, to.Address(), response.Outcomes[0].ServedBy.String())
	require.Equal(t, to.Address(), client.Topology().Owner(12182).Primary.Address.String())
	again := command("GET", "foo")
	again.Outcomes = true
	require.Nil(t, run(t, client, again).Outcomes[0].ServedBy)
}

func TestAskIsFollowedByManyCallersAtOnceAndLeavesTheTopologyAlone(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	from, to := c.Owner(12182), c.Owner(0)
	require.NoError(t, c.BeginMigration(t.Context(), 12182, to))
	// No key of the slot is on the source, so it sends every caller to the target.
	var callers sync.WaitGroup
	for i := range 20 {
		callers.Go(func() {
			for j := range 20 {
				request := command("SET", "{foo}"+strconv.Itoa(i*100+j), "v")
				request.Outcomes = true
				response, err := client.Execute(request)
				if err != nil || response.Outcomes[0].ServedBy == nil || response.Outcomes[0].ServedBy.String() != to.Address() {
					t.Errorf("caller %d: %v %v", i, response, err)
				}
			}
		})
	}
	callers.Wait()
	require.Equal(t, from.Address(), client.Topology().Owner(12182).Primary.Address.String())
	require.NoError(t, c.FinishMigration(t.Context(), 12182))
	require.Equal(t, "v", string(run(t, client, command("GET", "{foo}1919")).Value.Text))
}

func TestAFailoverIsFollowed(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "1"))
	replica := c.Owner(12182)
	for _, node := range c.Replicas() {
		if node.Primary() == c.Owner(12182) {
			replica = node
		}
	}
	require.NoError(t, c.Failover(t.Context(), replica))
	require.Equal(t, routing.Integer(2), run(t, client, command("INCR", "foo")).Value)
	require.Equal(t, replica.Address(), client.Topology().Owner(12182).Primary.Address.String())
}

func TestAPausedNodeCostsItsCallersTheirDeadlineAndOthersNothing(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 3, Replicas: cluster.NoReplicas})
	client := open(t, Config{}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "v"))
	run(t, client, command("SET", "bar", "v"))
	run(t, client, command("DBSIZE")) // every node is connected to
	paused := c.Owner(12182)
	require.NoError(t, paused.Pause())
	defer func() { require.NoError(t, paused.Continue()) }()
	slow := command("INCR", "foo")
	slow.Timeout = 300 * time.Millisecond
	began := time.Now()
	failed := failure(t, client, slow)
	require.Less(t, time.Since(began), 600*time.Millisecond)
	require.Equal(t, StatusTimeout, failed.Status)
	require.True(t, failed.Sent)
	require.Contains(t, failed.Message, "INCR (slot 12182)")
	require.Contains(t, failed.Message, paused.Address())
	run(t, client, command("GET", "bar"))
	all := command("DBSIZE")
	all.Timeout = 300 * time.Millisecond
	response, err := client.Execute(all)
	var partial *Error
	require.ErrorAs(t, err, &partial)
	require.Equal(t, StatusPartial, partial.Status)
	require.Contains(t, partial.Message, "1 of 3")
	require.Len(t, response.Outcomes, 3)
}

func TestARequestOnAConnectionThatTheServerClosedMeanwhileRunsOnce(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Replicas: cluster.NoReplicas})
	client := open(t, Config{}, c.Addresses()[0])
	for i := range 20 {
		response := run(t, client, command("INCR", "counter"))
		require.EqualValues(t, i+1, response.Value.Integer)
		_, err := c.Nodes[0].Do(t.Context(), "CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "YES")
		require.NoError(t, err)
	}
}

func TestABlockingCommandDelaysNobodyAndEndsWithTheClient(t *testing.T) {
	client := open(t, Config{RequestTimeout: time.Second}, cluster.Shared(t)[0])
	blocked := make(chan error, 1)
	go func() {
		_, err := client.Execute(command("BLPOP", "nobody-pushes-here", "0"))
		blocked <- err
	}()
	for range 50 {
		run(t, client, command("PING"))
	}
	select {
	case err := <-blocked:
		t.Fatal("BLPOP ended: ", err)
	case <-time.After(1500 * time.Millisecond): // past the request timeout
	}
	require.True(t, client.Close())
	var closed *Error
	require.ErrorAs(t, <-blocked, &closed)
	require.Equal(t, StatusClosed, closed.Status)
	require.False(t, client.Close())
	require.Equal(t, StatusClosed, failure(t, client, command("PING")).Status)
}

func TestABlockingCommandGetsTheTimeItAsksFor(t *testing.T) {
	client := open(t, Config{RequestTimeout: 100 * time.Millisecond}, cluster.Shared(t)[0])
	response := run(t, client, command("BLPOP", "nobody-pushes-here", "0.6"))
	require.True(t, response.Value.IsNil())
}

func TestTheInflightLimitAnswersBusyAndIsGivenBack(t *testing.T) {
	client := open(t, Config{InflightLimit: 2}, cluster.Shared(t)[0])
	var blocked sync.WaitGroup
	for range 2 {
		blocked.Go(func() { _, _ = client.Execute(command("BLPOP", "nobody-pushes-here", "0.5")) })
	}
	require.Eventually(t, func() bool { return client.inflight.Load() == 2 }, 5*time.Second, time.Millisecond)
	require.Equal(t, StatusBusy, failure(t, client, command("PING")).Status)
	blocked.Wait()
	run(t, client, command("PING"))
}

func TestAWrongPasswordIsTheServersAnswerNotATimeout(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Replicas: cluster.NoReplicas, Password: "s3cret"})
	address, err := routing.ParseAddress(c.Addresses()[0])
	require.NoError(t, err)
	for password, code := range map[string]string{"": "NOAUTH", "wrong": "WRONGPASS"} {
		_, err = Open(Config{Addresses: []routing.Address{address}, Password: password})
		var refused *Error
		require.ErrorAs(t, err, &refused)
		require.Equal(t, StatusServer, refused.Status)
		require.Equal(t, code, refused.Code)
		require.NotContains(t, refused.Message, "wrong password:")
	}
	client := open(t, Config{Password: "s3cret"}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "v"))
	named := open(t, Config{Username: "default", Password: "s3cret", ClientName: "tester", LibraryName: "test-lib"}, c.Addresses()[0])
	info := string(run(t, named, command("CLIENT", "INFO")).Value.Text)
	require.Contains(t, info, "name=tester")
	require.Contains(t, info, "lib-name=test-lib")
}

func TestNoServerAtTheAddressIsNamedWithTheReason(t *testing.T) {
	_, err := Open(Config{Addresses: []routing.Address{{Host: "127.0.0.1", Port: 1}}})
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, StatusConnection, refused.Status)
	require.Contains(t, refused.Message, "127.0.0.1:1: ")
	require.Contains(t, refused.Message, "connection refused")
}

func TestAServerThatDoesNotAnswerEndsTheOpenAtItsTimeout(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	node, err := cluster.StartStandalone(ctx, cluster.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, node.Stop()) }()
	require.NoError(t, node.Pause())
	address, err := routing.ParseAddress(node.Address())
	require.NoError(t, err)
	began := time.Now()
	_, err = Open(Config{Addresses: []routing.Address{address}, ConnectTimeout: 300 * time.Millisecond})
	require.Less(t, time.Since(began), 600*time.Millisecond)
	var late *Error
	require.ErrorAs(t, err, &late)
	require.Equal(t, StatusTimeout, late.Status)
	require.NoError(t, node.Continue())
}

func TestAStandaloneServerServesEverythingButSlotRoutes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	primary, err := cluster.StartStandalone(ctx, cluster.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, primary.Stop()) }()
	replica, err := cluster.StartStandalone(ctx, cluster.Options{Args: []string{"--replicaof", "127.0.0.1 " + strconv.Itoa(primary.Port)}})
	require.NoError(t, err)
	defer func() { require.NoError(t, replica.Stop()) }()
	for _, standalone := range []bool{false, true} {
		client := open(t, Config{Standalone: standalone}, replica.Address(), primary.Address())
		require.True(t, client.Topology().Standalone)
		run(t, client, command("MSET", "foo", "1", "bar", "2"))
		require.Len(t, run(t, client, command("MGET", "foo", "bar")).Value.Items, 2)
		all := run(t, client, command("CONFIG", "GET", "port").to(routing.Route{Kind: routing.RouteAllNodes}))
		require.Len(t, all.Outcomes, 2)
		there := run(t, client, command("CONFIG", "GET", "port").to(byAddress("127.0.0.1", int32(replica.Port))))
		require.EqualValues(t, replica.Port, portOf(t, there.Value))
		refused := failure(t, client, command("GET", "foo").to(slotRoute(routing.Primary, 1)))
		require.Equal(t, StatusInvalidArgument, refused.Status)
		require.Contains(t, refused.Message, "a slot route needs a cluster")
		readOnly := failure(t, client, command("SET", "foo", "2").to(byAddress("127.0.0.1", int32(replica.Port))))
		require.Equal(t, "READONLY", readOnly.Code)
	}
}

func TestAClientThatOnlyReadsIsContentWithAReplica(t *testing.T) {
	primary, err := cluster.StartStandalone(t.Context(), cluster.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, primary.Stop()) }()
	replica, err := cluster.StartStandalone(t.Context(), cluster.Options{Args: []string{"--replicaof", "127.0.0.1 " + strconv.Itoa(primary.Port)}})
	require.NoError(t, err)
	defer func() { require.NoError(t, replica.Stop()) }()
	for _, addresses := range [][]string{{replica.Address()}, {primary.Address(), replica.Address()}} {
		client := open(t, Config{Standalone: true, ReadOnly: true}, addresses...)
		request := command("GET", "foo")
		request.Outcomes = true
		require.Equal(t, replica.Address(), run(t, client, request).Outcomes[0].Node.Address.String())
		refused := failure(t, client, command("SET", "foo", "1"))
		require.Equal(t, "SET may write, and the client is read-only", refused.Message)
	}
	_, err = Open(Config{Addresses: []routing.Address{mustParse(replica.Address())}, ReadOnly: true})
	require.ErrorContains(t, err, "read_only is for standalone servers")
}

func TestRESP2GivesTheSameRoutes(t *testing.T) {
	client := open(t, Config{RESP2: true}, cluster.Shared(t)[0])
	require.Len(t, run(t, client, command("PING").to(routing.Route{Kind: routing.RouteAllNodes})).Outcomes, 6)
	run(t, client, command("HSET", "hash", "f", "v"))
	fields := run(t, client, command("HGETALL", "hash")).Value
	require.Equal(t, routing.ArrayOf(routing.Bulk("f"), routing.Bulk("v")), fields)
}

func TestManyCallersShareOneClient(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	var callers sync.WaitGroup
	for i := range 32 {
		callers.Go(func() {
			for j := range 100 {
				key := "many" + strconv.Itoa(i) + "." + strconv.Itoa(j)
				_, set := client.Execute(command("SET", key, key))
				got, get := client.Execute(command("GET", key))
				if err := errors.Join(set, get); err != nil || string(got.Value.Text) != key {
					t.Errorf("%s: %q %v", key, got.Value.Text, err)
				}
			}
		})
	}
	callers.Wait()
}

func TestNothingIsWrittenToTheStandardStreams(t *testing.T) {
	read, write, err := os.Pipe()
	require.NoError(t, err)
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = write, write
	_, failed := Open(Config{Addresses: []routing.Address{{Host: "127.0.0.1", Port: 1}}})
	client, opened := Open(Config{Addresses: []routing.Address{mustParse(cluster.Shared(t)[0])}})
	if opened == nil {
		_, _ = client.Execute(command("LPUSH", "text"))
		client.Close()
	}
	os.Stdout, os.Stderr = stdout, stderr
	require.NoError(t, write.Close())
	said := make([]byte, 1)
	n, _ := read.Read(said)
	require.Zero(t, n)
	require.Error(t, failed)
	require.NoError(t, opened)
}

func mustParse(text string) routing.Address {
	address, err := routing.ParseAddress(text)
	if err != nil {
		panic(err)
	}
	return address
}
