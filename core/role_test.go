package core

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// modes says of each command with these words that a node got whether it came over a connection in
// READONLY mode.
func modes(node *fakenode.Node, words string) (readOnly []bool) {
	for _, got := range node.Commands() {
		if strings.Join(got.Words, " ") == words {
			readOnly = append(readOnly, len(node.GotOn(got.Connection, "READONLY")) > 0)
		}
	}
	return readOnly
}

// rolesOf are those in which the client has a link to a node.
func rolesOf(client *Client, node *fakenode.Node) (roles []routing.Role) {
	client.links.mu.RLock()
	defer client.links.mu.RUnlock()
	for role, l := range client.links.peers[mustParse(node.Address())].links {
		if l != nil {
			roles = append(roles, routing.Role(role))
		}
	}
	return roles
}

// failOver has two fake nodes change their roles, and say so.
func (f *fakes) failOver(primary, replica *fakenode.Node, epoch int) {
	slots := fakenode.Slots(
		fakenode.Serves(0, 5460, f.one.Endpoint()),
		fakenode.Serves(5461, 10922, f.two.Endpoint()),
		fakenode.Serves(10923, 16383, primary.Endpoint(), replica.Endpoint()))
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.On("CLUSTER SLOTS", slots)
		node.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:"+strconv.Itoa(epoch)+"\r\n"))
	}
}

var toAll = routing.Route{Kind: routing.RouteAllNodes}

func TestOnlyConnectionsToReplicasAreInReadonlyMode(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	run(t, client, command("ECHO", "x").to(toAll))
	for _, role := range []routing.Role{routing.Primary, routing.Replica} {
		run(t, client, command("BLPOP", "foo", "1").to(keyRoute(role, "foo"))) // over a connection of its own
		s, err := client.OpenSession(keyRoute(role, "foo"), 0)
		require.NoError(t, err)
		tell(t, s, "GET", "foo")
		require.True(t, s.Close())
	}
	for _, words := range []string{"ECHO x", "BLPOP foo 1", "GET foo"} {
		require.Equal(t, []bool{true}, modes(f.replica, words), words)
	}
	for _, node := range []*fakenode.Node{f.one, f.two, f.three} {
		require.NotEmpty(t, node.Got("ECHO x"))
		require.Empty(t, node.Got("READONLY", "READWRITE"))
	}
}

func TestAConnectionToAReplicaThatIsMadeAnewIsInReadonlyModeAfterThePassword(t *testing.T) {
	f := fakeCluster(t)
	client := open(t, Config{RefreshEvery: -1, Password: "sesame"}, f.one.Address())
	for connection := 1; connection <= 2; connection++ {
		run(t, client, command("GET", "foo").to(keyRoute(routing.Replica, "foo")))
		require.Equal(t, []string{"AUTH", "READONLY"}, names(f.replica.GotOn(connection))[:2])
		f.replica.CloseConnections()
	}
	require.Equal(t, []string{"AUTH", "HELLO"}, names(f.one.GotOn(1))[:2])
}

func TestARedirectLeadsToAPrimaryWhateverTheTopologySays(t *testing.T) {
	for name, line := range map[string]string{"ASK": "ASK 12182 ", "MOVED": "MOVED 12182 "} {
		f := fakeCluster(t)
		client := openFakes(t, f)
		run(t, client, command("ECHO", "x").to(toAll)) // a connection to the replica stands
		f.three.On("GET foo", fakenode.Err(line+f.replica.Address()))
		run(t, client, command("GET", "foo"))
		require.Equal(t, []bool{false}, modes(f.replica, "GET foo"), name)
	}
}

func TestASeedThatIsAReplicaIsConnectedToAsOneOnceThatIsKnown(t *testing.T) {
	f := fakeCluster(t)
	client := open(t, Config{RefreshEvery: -1}, f.replica.Address())
	require.Equal(t, []bool{false}, modes(f.replica, "CLUSTER SLOTS"))
	run(t, client, command("GET", "foo").to(keyRoute(routing.Replica, "foo")))
	require.Equal(t, []bool{true}, modes(f.replica, "GET foo"))
	require.Eventually(t, func() bool { return f.replica.OpenConnections() == 1 }, 10*time.Second, time.Millisecond)
	for range 3 { // looks ask it over one more, which they keep
		for _, node := range []*fakenode.Node{f.one, f.two, f.three} {
			node.Refuse()
		}
		client.refresh(t.Context())
	}
	require.Equal(t, 3, f.replica.Connections())
	require.Len(t, modes(f.replica, "CLUSTER SLOTS"), 4)
}

func TestANodeWhoseRoleChangesIsConnectedToAnewAndOnce(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	run(t, client, command("ECHO", "0").to(toAll))
	nodes := [2]*fakenode.Node{f.three, f.replica}
	for turn := 1; turn <= 2; turn++ {
		replica, primary := nodes[1-turn%2], nodes[turn%2]
		f.failOver(primary, replica, 7+turn)
		client.refresh(t.Context())
		before := [2]int{replica.Connections(), primary.Connections()}
		words := "ECHO " + strconv.Itoa(turn)
		for range 3 {
			run(t, client, command(strings.Fields(words)...).to(toAll))
			client.refresh(t.Context())
		}
		require.Equal(t, []bool{true, true, true}, modes(replica, words))
		require.Equal(t, []bool{false, false, false}, modes(primary, words))
		// One for requests, and one for looks.
		require.LessOrEqual(t, replica.Connections()-before[0], 2, "turn %d", turn)
		require.LessOrEqual(t, primary.Connections()-before[1], 2, "turn %d", turn)
		require.Equal(t, []routing.Role{routing.Replica}, rolesOf(client, replica))
		require.Equal(t, []routing.Role{routing.Primary}, rolesOf(client, primary))
		for _, node := range nodes {
			require.Eventually(t, func() bool { return node.OpenConnections() <= 2 }, 10*time.Second, time.Millisecond)
			require.LessOrEqual(t, statisticsOf(t, client).of(t, node).Connections, 2)
		}
	}
	require.GreaterOrEqual(t, statisticsOf(t, client).of(t, f.three).Requests, uint64(7), "what was counted stays")
}

func TestARequestThatWasPlannedBeforeAFailoverIsNotServedByTheReplica(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	planned := targetOf(client.Topology().Owner(12182).Primary)
	f.failOver(f.replica, f.three, 8)
	client.refresh(t.Context())
	for range 3 {
		run(t, client, command("ECHO", "x").to(toAll))
		_, err := client.exchange(t.Context(), planned, command("GET", "foo").Words)
		require.NoError(t, err)
	}
	require.Equal(t, []bool{false, false, false}, modes(f.three, "GET foo"))
	require.Equal(t, []bool{true, true, true}, modes(f.three, "ECHO x"))
	require.Len(t, rolesOf(client, f.three), 2, "neither ends the other")
	client.refresh(t.Context())
	require.Equal(t, []routing.Role{routing.Replica}, rolesOf(client, f.three))
	// One for requests, and perhaps one for looks.
	require.Eventually(t, func() bool { return f.three.OpenConnections() <= 2 }, 10*time.Second, time.Millisecond)
}

func TestARequestThatRunsWhileItsNodeChangesItsRoleEndsInPeace(t *testing.T) {
	f := fakeCluster(t)
	arrived, goOn := make(chan struct{}), make(chan struct{})
	f.three.On("BLPOP foo", fakenode.Func(func([]string) fakenode.Reply {
		close(arrived)
		<-goOn
		return fakenode.Bulk("v")
	}))
	client := openFakes(t, f)
	s := openSession(t, client, "foo")
	answered := make(chan error, 1)
	go func() {
		_, err := client.Execute(command("BLPOP", "foo", "60"))
		answered <- err
	}()
	<-arrived
	f.failOver(f.replica, f.three, 8)
	client.refresh(t.Context())
	close(goOn)
	require.NoError(t, <-answered)
	tell(t, s, "GET", "foo")
	require.Equal(t, []bool{false}, modes(f.three, "GET foo"), "a session stays what it was opened as")
}

func TestABackoffHoldsForBothRolesOfANode(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("HELLO", fakenode.Hangup())
	client := open(t, Config{RefreshEvery: -1, Backoff: &Backoff{First: time.Minute, Base: 1}}, f.one.Address())
	hasty := command("SET", "foo", "1")
	hasty.Timeout = 300 * time.Millisecond
	failure(t, client, hasty)
	dialled := f.three.Connections()
	f.failOver(f.replica, f.three, 8)
	client.refresh(t.Context())
	there := command("ECHO", "x").to(byAddress("127.0.0.1", int32(f.three.Port())))
	there.Timeout = 300 * time.Millisecond
	require.Equal(t, StatusConnection, failure(t, client, there).Status)
	require.Equal(t, dialled, f.three.Connections())
}

func TestStandaloneServersAreNotAskedForReadonlyMode(t *testing.T) {
	primary, replica := fakeGroup(t)
	client := open(t, Config{Standalone: true, RefreshEvery: -1, Reads: routing.ReadPreferReplica}, primary.Address(), replica.Address())
	for range 3 {
		run(t, client, command("GET", "foo"))
		client.refresh(t.Context())
	}
	require.Len(t, replica.Got("GET foo"), 3)
	require.Empty(t, append(primary.Got("READONLY"), replica.Got("READONLY")...))
	require.Equal(t, 1, replica.Connections())
}

// served counts what a node ran itself, refused calls aside.
func served(t testing.TB, node *cluster.Node, commands ...string) (calls int) {
	t.Helper()
	reply, err := node.Do(t.Context(), "INFO", "COMMANDSTATS")
	require.NoError(t, err)
	text, err := reply.ToString()
	require.NoError(t, err)
	for _, name := range commands {
		_, rest, _ := strings.Cut(text, "cmdstat_"+name+":calls=")
		digits, _, _ := strings.Cut(rest, ",")
		count, _ := strconv.Atoi(digits) // 0 where it was never called
		calls += count
	}
	return calls
}

// replicaOf is a replica of the primary that has the slot of "foo".
func replicaOf(t testing.TB, c *cluster.Cluster) *cluster.Node {
	t.Helper()
	for _, replica := range c.Replicas() {
		if replica.Primary() == c.Owner(12182) {
			return replica
		}
	}
	require.FailNow(t, "the shard has no replica")
	return nil
}

func TestReadsAfterAFailoverAreNeverAnsweredByThePrimaryThatBecameAReplica(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	reads := []*Request{
		command("GET", "foo"),
		command("EVAL", "return server.call('GET', KEYS[1])", "1", "foo"),
		scriptOf(t, "return server.call('GET', KEYS[1]) -- by its hash", "foo"),
	}
	for i, request := range reads {
		client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
		run(t, client, command("SET", "foo", "before"))
		run(t, client, request) // the connection stands
		var value atomic.Pointer[string]
		stop, stopped := make(chan struct{}), make(chan struct{})
		go func() { // others read meanwhile
			defer close(stopped)
			for {
				select {
				case <-stop:
					return
				default:
				}
				expected := value.Load() // what was there before the read began
				response, err := client.Execute(request)
				if err != nil || expected != nil && string(response.Value.Text) != *expected {
					t.Errorf("read %d: %q, %v", i, response.Value.Text, err)
					return
				}
			}
		}()
		demoted, replica := c.Owner(12182), replicaOf(t, c)
		require.NoError(t, c.Failover(t.Context(), replica))
		before := served(t, demoted, "get", "eval", "evalsha")
		run(t, open(t, Config{}, replica.Address()), command("SET", "foo", "after"))
		after := "after"
		value.Store(&after)
		for range 50 {
			require.Equal(t, after, string(run(t, client, request).Value.Text))
		}
		close(stop)
		<-stopped
		ran := served(t, demoted, "get", "eval", "evalsha") - before
		require.Zero(t, ran, "read %d", i)
		require.Equal(t, replica.Address(), client.Topology().Owner(12182).Primary.Address.String())
	}
}

func TestAReplicaRouteIsServedByTheReplicaAfterAFailoverBothWays(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	for _, value := range []string{"at first", "there", "and back"} {
		if value != "at first" {
			require.NoError(t, c.Failover(t.Context(), replicaOf(t, c)))
		}
		run(t, client, command("SET", "foo", value)) // which tells the client
		node, get := replicaOf(t, c), command("GET", "foo").to(keyRoute(routing.Replica, "foo"))
		require.Eventually(t, func() bool { // replication is not there at once
			response := run(t, client, get)
			return string(response.Value.Text) == value && !response.Outcomes[0].Fallback
		}, 20*time.Second, 5*time.Millisecond)
		before := served(t, node, "get")
		for range 5 {
			response := run(t, client, get)
			require.Equal(t, value, string(response.Value.Text))
			require.Equal(t, node.Address(), response.Outcomes[0].Node.Address.String())
			require.Nil(t, response.Outcomes[0].ServedBy, "a redirect was followed")
		}
		require.Equal(t, before+5, served(t, node, "get"))
	}
}
