package core

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// openSession opens a session for a key and closes it with the test.
func openSession(t testing.TB, client *Client, key string) *Session {
	t.Helper()
	s, err := client.OpenSession(keyRoute(routing.Primary, key), 5*time.Second)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// tell runs a command in a session.
func tell(t testing.TB, s *Session, words ...string) routing.Value {
	t.Helper()
	response, err := s.Execute(command(words...))
	require.NoError(t, err)
	return response.Value
}

// refusedBy is the error of a command in a session.
func refusedBy(t testing.TB, s *Session, words ...string) *Error {
	t.Helper()
	_, err := s.Execute(command(words...))
	var known *Error
	require.ErrorAs(t, err, &known)
	return known
}

// increment adds one to a counter, if nobody else changes it meanwhile. It says whether.
func increment(s *Session, key string, atOnce bool) (bool, error) {
	if _, err := s.Execute(command("WATCH", key)); err != nil {
		return false, err
	}
	before, err := s.Execute(command("GET", key))
	if err != nil {
		return false, err
	}
	count, _ := strconv.Atoi(string(before.Value.Text))
	set := []string{"SET", key, strconv.Itoa(count + 1)}
	if atOnce {
		response, err := s.ExecuteBatch(batchOf(true, set))
		return !response.Value.IsNil(), err
	}
	for _, words := range [][]string{{"MULTI"}, set} {
		if _, err := s.Execute(command(words...)); err != nil {
			return false, err
		}
	}
	response, err := s.Execute(command("EXEC"))
	return !response.Value.IsNil(), err
}

func TestCountersUnderOptimisticLockingLoseNoUpdate(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	const callers, each = 8, 25
	for _, atOnce := range []bool{false, true} {
		run(t, client, command("DEL", "{watched}counter"))
		var all sync.WaitGroup
		for range callers {
			s := openSession(t, client, "{watched}counter")
			all.Go(func() {
				for done := 0; done < each; {
					counted, err := increment(s, "{watched}counter", atOnce)
					if err != nil {
						t.Error(err)
						return
					}
					if counted {
						done++
					}
				}
			})
		}
		all.Wait()
		require.Equal(t, strconv.Itoa(callers*each), string(run(t, client, command("GET", "{watched}counter")).Value.Text))
	}
}

func TestATransactionOfASessionIsGivenUpWhereAWatchedKeyWasChanged(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	s := openSession(t, client, "foo")
	tell(t, s, "WATCH", "foo")
	run(t, client, command("SET", "foo", "by another"))
	require.Equal(t, routing.Simple("OK"), tell(t, s, "MULTI"))
	require.Equal(t, routing.Simple("QUEUED"), tell(t, s, "SET", "foo", "by the session"))
	require.True(t, tell(t, s, "EXEC").IsNil())
	require.Equal(t, "by another", string(run(t, client, command("GET", "foo")).Value.Text))
	response, err := s.ExecuteBatch(batchOf(true, []string{"SET", "foo", "later"}, []string{"LPUSH", "foo", "x"}))
	require.NoError(t, err, "the watch ended with EXEC")
	require.Equal(t, routing.Simple("OK"), response.Value.Items[0])
	require.Equal(t, "WRONGTYPE", response.Failures[1].Code)
	require.Equal(t, s.Node().Address.String(), response.Failures[1].Node)
}

func TestUnwatchAndDiscardEndWhatTheyShould(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	s := openSession(t, client, "foo")
	tell(t, s, "WATCH", "foo")
	run(t, client, command("SET", "foo", "by another"))
	tell(t, s, "UNWATCH")
	tell(t, s, "MULTI")
	tell(t, s, "SET", "foo", "never")
	tell(t, s, "DISCARD")
	require.Equal(t, "by another", string(tell(t, s, "GET", "foo").Text))
	require.Contains(t, refusedBy(t, s, "EXEC").Message, "EXEC without MULTI")
}

func TestAnErrorWhileQueueingDiscardsTheTransaction(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	s := openSession(t, client, "foo")
	tell(t, s, "SET", "foo", "before")
	tell(t, s, "MULTI")
	tell(t, s, "SET", "foo", "never")
	require.Contains(t, refusedBy(t, s, "NOSUCH").Message, "unknown command")
	require.Equal(t, "EXECABORT", refusedBy(t, s, "EXEC").Code)
	_, err := s.ExecuteBatch(batchOf(true, []string{"SET", "foo", "never"}, []string{"GET"}))
	require.ErrorContains(t, err, "wrong number of arguments", "not EXECABORT")
	require.Equal(t, "before", string(tell(t, s, "GET", "foo").Text))
	tell(t, s, "MULTI")
	_, err = s.ExecuteBatch(batchOf(true, []string{"SET", "foo", "never"}))
	require.ErrorContains(t, err, "the session's transaction has begun already")
}

// kill ends the session's connection from outside; id is its CLIENT ID.
func kill(t testing.TB, client *Client, s *Session, id string) {
	t.Helper()
	node := s.Node().Address
	request := command("CLIENT", "KILL", "ID", id).to(byAddress(node.Host, int32(node.Port)))
	require.Equal(t, routing.Integer(1), run(t, client, request).Value)
}

func idOf(t testing.TB, s *Session) string {
	t.Helper()
	return strconv.FormatInt(tell(t, s, "CLIENT", "ID").Integer, 10)
}

func TestAConnectionKilledUnderAWatchIsAnErrorAndNothingIsDoneTwice(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	run(t, client, command("SET", "foo", "0"))
	s := openSession(t, client, "foo")
	id := idOf(t, s)
	tell(t, s, "WATCH", "foo")
	tell(t, s, "MULTI")
	tell(t, s, "INCR", "foo")
	kill(t, client, s, id)
	for _, words := range [][]string{{"EXEC"}, {"INCR", "foo"}, {"WATCH", "foo"}} {
		lost := refusedBy(t, s, words...)
		require.Equal(t, StatusConnection, lost.Status)
		require.Contains(t, lost.Message, "session: "+words[0]+": ")
		require.False(t, lost.Sent, lost.Message)
	}
	require.Contains(t, refusedBy(t, s, "PING").Message, "open another session")
	require.Equal(t, "0", string(run(t, client, command("GET", "foo")).Value.Text))
}

func TestAReplyThatWasLostSaysWhetherTheCommandMayHaveRun(t *testing.T) {
	for name, c := range map[string]struct {
		before    []string
		words     []string
		retryable bool
		message   string
	}{
		"a write":          {nil, []string{"INCR", "foo"}, false, "it may have run"},
		"a queued command": {[]string{"MULTI"}, []string{"INCR", "foo"}, true, "the server had not begun the transaction"},
		"EXEC":             {[]string{"MULTI"}, []string{"EXEC"}, false, "it may have run"},
	} {
		f := fakeCluster(t)
		f.three.On(c.words[0], fakenode.Hangup())
		client := openFakes(t, f)
		s := openSession(t, client, "foo")
		for _, words := range c.before {
			tell(t, s, words)
		}
		lost := refusedBy(t, s, c.words...)
		require.Equal(t, StatusConnection, lost.Status, name)
		require.True(t, lost.Sent, name)
		require.Equal(t, c.retryable, lost.Retryable, name)
		require.Contains(t, lost.Message, c.message)
		require.Len(t, f.three.Got(c.words[0]), 1, "nothing is sent again")
	}
}

func TestASlotMovedUnderAWatchIsAnErrorThatNamesTheNewNode(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "0"))
	s := openSession(t, client, "foo")
	tell(t, s, "WATCH", "foo")
	tell(t, s, "MULTI")
	to := c.Owner(0)
	require.NoError(t, c.MigrateSlot(t.Context(), 12182, to))
	moved := refusedBy(t, s, "SET", "foo", "lost")
	require.Equal(t, "MOVED", moved.Code)
	require.Contains(t, moved.Message, "MOVED 12182 "+to.Address()+"; a session does not follow")
	require.True(t, moved.Retryable)
	require.Equal(t, "EXECABORT", refusedBy(t, s, "EXEC").Code)
	again := openSession(t, client, "foo")
	require.Equal(t, to.Address(), again.Node().Address.String())
	counted, err := increment(again, "foo", true)
	require.NoError(t, err)
	require.True(t, counted)
	require.Equal(t, "1", string(run(t, client, command("GET", "foo")).Value.Text))
}

func TestAKeyOnItsWayToAnotherNodeIsAnErrorThatNamesIt(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	s := openSession(t, client, "foo")
	to := c.Owner(0)
	require.NoError(t, c.BeginMigration(t.Context(), 12182, to))
	asked := refusedBy(t, s, "GET", "foo")
	require.Equal(t, "ASK", asked.Code)
	require.Contains(t, asked.Message, to.Address())
	require.True(t, asked.Retryable)
	require.NoError(t, c.FinishMigration(t.Context(), 12182))
}

func TestASessionWithAPrimaryThatBecameAReplicaServesNoStaleReads(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	s := openSession(t, client, "foo")
	tell(t, s, "WATCH", "foo")
	for _, replica := range c.Replicas() {
		if replica.Primary() == c.Owner(12182) {
			require.NoError(t, c.Failover(t.Context(), replica))
			break
		}
	}
	require.Equal(t, "MOVED", refusedBy(t, s, "GET", "foo").Code)
	require.Equal(t, c.Owner(12182).Address(), openSession(t, client, "foo").Node().Address.String())
}

func TestASessionWithAReplicaReadsThere(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	s, err := client.OpenSession(keyRoute(routing.Replica, "foo"), 0)
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, routing.Replica, s.Node().Role)
	tell(t, s, "GET", "foo")
	require.Equal(t, "MOVED", refusedBy(t, s, "SET", "foo", "1").Code)
}

func TestStateOfTheConnectionStaysInTheSession(t *testing.T) {
	node, err := cluster.StartStandalone(t.Context(), cluster.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, node.Stop()) }()
	client := open(t, Config{Standalone: true}, node.Address())
	s, err := client.OpenSession(routing.Route{}, 0)
	require.NoError(t, err)
	require.Equal(t, routing.Simple("OK"), tell(t, s, "SELECT", "5"))
	tell(t, s, "CLIENT", "SETNAME", "mine")
	tell(t, s, "SET", "k", "of database 5")
	require.Equal(t, "of database 5", string(tell(t, s, "GET", "k").Text))
	require.True(t, run(t, client, command("GET", "k")).Value.IsNil())
	require.True(t, s.Close())
	other, err := client.OpenSession(routing.Route{}, 0)
	require.NoError(t, err)
	defer other.Close()
	require.True(t, tell(t, other, "GET", "k").IsNil())
	require.NotEqual(t, "mine", string(tell(t, other, "CLIENT", "GETNAME").Text))
}

func TestACallOfASessionEndsAtItsDeadlineAndTheConnectionWithIt(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Silence())
	s := openSession(t, openFakes(t, f), "foo")
	request := command("GET", "foo")
	request.Timeout = 100 * time.Millisecond
	_, err := s.Execute(request)
	var late *Error
	require.ErrorAs(t, err, &late)
	require.Equal(t, StatusTimeout, late.Status)
	require.True(t, late.Sent)
	require.Contains(t, refusedBy(t, s, "PING").Message, "open another session", "its reply may yet come")
}

func TestABlockingCommandOfASessionHasItsOwnTime(t *testing.T) {
	client := open(t, Config{RequestTimeout: 250 * time.Millisecond}, cluster.Shared(t)[0])
	s := openSession(t, client, "{blocked}")
	tell(t, s, "DEL", "{blocked}")
	require.True(t, tell(t, s, "BLPOP", "{blocked}", "0.5").IsNil())
	require.Equal(t, routing.Simple("PONG"), tell(t, s, "PING"))
}

func TestClosingEndsTheCallThatRuns(t *testing.T) {
	address := cluster.Shared(t)[0]
	observer := open(t, Config{}, address)
	for name, end := range map[string]func(*Client, *Session) bool{
		"the session": func(_ *Client, s *Session) bool { return s.Close() },
		"the client":  func(c *Client, _ *Session) bool { return c.Close() },
	} {
		client := open(t, Config{}, address)
		s := openSession(t, client, "{blocked}")
		id := idOf(t, s)
		ended := make(chan error)
		go func() {
			_, err := s.Execute(command("BLPOP", "{blocked}", "0"))
			ended <- err
		}()
		node := s.Node().Address
		list := command("CLIENT", "LIST", "ID", id).to(byAddress(node.Host, int32(node.Port)))
		require.Eventually(t, func() bool {
			response, err := observer.Execute(list)
			return err == nil && strings.Contains(string(response.Value.Text), "cmd=blpop")
		}, 10*time.Second, 5*time.Millisecond)
		require.True(t, end(client, s), name)
		var closed *Error
		require.ErrorAs(t, <-ended, &closed, name)
		require.Equal(t, StatusClosed, closed.Status)
		require.True(t, closed.Sent)
		require.Equal(t, name+" is closed", strings.Replace(closed.Message, "The", "the", 1))
		require.Equal(t, StatusClosed, refusedBy(t, s, "PING").Status)
		require.False(t, s.Close())
		require.Eventually(t, func() bool {
			response, err := observer.Execute(list)
			return err == nil && !strings.Contains(string(response.Value.Text), "id=")
		}, 10*time.Second, 5*time.Millisecond, "the server still has its connection")
	}
}

func TestSessionsThatAreClosedLeaveNoConnectionAndTheirPlaceToOthers(t *testing.T) {
	client := open(t, Config{InflightLimit: 4, ClientName: "leak-check"}, cluster.Shared(t)[0])
	for range 3 {
		var all []*Session
		for range 4 {
			all = append(all, openSession(t, client, "foo"))
		}
		_, err := client.OpenSession(keyRoute(routing.Primary, "foo"), 0)
		var full *Error
		require.ErrorAs(t, err, &full)
		require.Equal(t, StatusBusy, full.Status)
		for _, s := range all {
			tell(t, s, "WATCH", "foo")
			require.True(t, s.Close())
		}
	}
	node := client.Topology().Owner(12182).Primary.Address
	require.Eventually(t, func() bool {
		response, err := client.Execute(command("CLIENT", "LIST").to(byAddress(node.Host, int32(node.Port))))
		list := string(response.Value.Text)
		return err == nil && strings.Count(list, "name=leak-check") == 1 && !strings.Contains(list, "watch=1")
	}, 10*time.Second, 5*time.Millisecond)
}

func TestCallsOfManyThreadsOnOneSessionTakeTurns(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	s := openSession(t, client, "{turns}")
	tell(t, s, "DEL", "{turns}")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 25 {
				if _, err := s.Execute(command("INCR", "{turns}")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, "200", string(tell(t, s, "GET", "{turns}").Text))
	all.Go(func() { _, _ = s.Execute(command("BLPOP", "{turns}none", "3")) })
	require.Eventually(t, s.turns.busy, 10*time.Second, time.Millisecond)
	request := command("PING")
	request.Timeout = 50 * time.Millisecond
	_, err := s.Execute(request)
	require.ErrorContains(t, err, "session: another call on it has not ended")
	s.Close()
	all.Wait()
}

func TestASessionRunsScripts(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	s := openSession(t, client, "foo")
	tell(t, s, "SCRIPT", "FLUSH")
	request := scriptOf(t, "return 'of a session'", "foo")
	for _, inside := range []bool{true, false, true} {
		if inside {
			tell(t, s, "MULTI")
		}
		response, err := s.Execute(request)
		require.NoError(t, err)
		if inside {
			require.Equal(t, routing.Simple("QUEUED"), response.Value)
			response.Value = tell(t, s, "EXEC").Items[0]
			tell(t, s, "SCRIPT", "FLUSH")
		}
		require.Equal(t, routing.Bulk("of a session"), response.Value)
	}
}

func TestAPipelineOfASessionKeepsItsOrderAndItsErrorsInTheirPlaces(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	s := openSession(t, client, "foo")
	request := batchOf(false, []string{"SET", "foo", "1"}, []string{"LPUSH", "foo", "x"}, []string{"GET", "bar"}, []string{"INCR", "foo"})
	response, err := s.ExecuteBatch(request)
	require.NoError(t, err)
	require.Equal(t, routing.Simple("OK"), response.Value.Items[0])
	require.Equal(t, "WRONGTYPE", response.Failures[1].Code)
	require.Equal(t, "MOVED", response.Failures[2].Code)
	require.Equal(t, routing.Integer(2), response.Value.Items[3])
	request.Raise = true
	_, err = s.ExecuteBatch(request)
	require.ErrorContains(t, err, "WRONGTYPE")
}

func TestWhatASessionCannotBeOrSendIsRefusedByName(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	for message, route := range map[string]routing.Route{
		"needs a route":              {},
		"a session is with one node": {Kind: routing.RouteAllPrimaries},
		"slot 16384 is out of range": slotRoute(routing.Primary, 16384),
		"not found in the topology":  byAddress("127.0.0.1", 1),
	} {
		_, err := client.OpenSession(route, time.Second)
		require.ErrorContains(t, err, message)
	}
	s := openSession(t, client, "foo")
	for message, line := range map[string]string{
		"HELLO is not sent in a session":               "HELLO 2",
		"RESET is not sent in a session":               "RESET",
		"CLIENT TRACKING is not sent in a session":     "CLIENT TRACKING ON",
		"CLIENT CACHING is not sent in a session":      "CLIENT CACHING YES",
		"SCRIPT DEBUG is not sent in a session":        "SCRIPT DEBUG YES",
		"CLIENT REPLY is not sent: it sets a state":    "CLIENT REPLY OFF",
		"ASKING is not sent: it sets a state":          "ASKING",
		"READONLY is not sent: it sets a state":        "READONLY",
		"QUIT is not sent: it sets a state":            "QUIT",
		"SUBSCRIBE is not sent: it is for the client":  "SUBSCRIBE channel",
		"MONITOR is not sent: it turns the connection": "MONITOR",
	} {
		refused := refusedBy(t, s, strings.Fields(line)...)
		require.Equal(t, StatusInvalidArgument, refused.Status)
		require.Contains(t, refused.Message, message)
		_, err := s.ExecuteBatch(batchOf(false, []string{"PING"}, strings.Fields(line)))
		require.ErrorContains(t, err, "command 1 of the batch: "+message)
	}
	require.Equal(t, routing.Simple("PONG"), tell(t, s, "PING"))
	_, err := s.ExecuteBatch(batchOf(false))
	require.ErrorContains(t, err, "empty batch")
}

func TestASessionIsOpenedAsSoonAsTheNodeAcceptsIt(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	f.three.Refuse()
	time.AfterFunc(100*time.Millisecond, func() { _ = f.three.Listen() })
	s := openSession(t, client, "foo")
	require.Equal(t, f.three.Address(), s.Node().Address.String())
	f.two.Refuse()
	_, err := client.OpenSession(keyRoute(routing.Primary, "c"), 200*time.Millisecond)
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Contains(t, refused.Message, fmt.Sprintf("SESSION (slot 7365): no connection to %s (primary)", f.two.Address()))
	require.True(t, refused.Retryable)
}

func TestANewPasswordLeavesTheTransactionOfASessionAlone(t *testing.T) {
	node, err := cluster.StartStandalone(t.Context(), cluster.Options{Password: "old"})
	require.NoError(t, err)
	defer func() { require.NoError(t, node.Stop()) }()
	client := open(t, Config{Standalone: true, Password: "old"}, node.Address())
	s, err := client.OpenSession(routing.Route{}, 0)
	require.NoError(t, err)
	defer s.Close()
	tell(t, s, "MULTI")
	_, err = client.UpdatePassword(&PasswordUpdate{Password: "old", Immediate: true})
	require.NoError(t, err)
	tell(t, s, "INCR", "n")
	require.Equal(t, routing.ArrayOf(routing.Integer(1)), tell(t, s, "EXEC"))
}

func TestASessionConnectsALazyClient(t *testing.T) {
	client := open(t, Config{Lazy: true}, cluster.Shared(t)[0])
	s := openSession(t, client, "foo")
	require.Equal(t, routing.Primary, s.Node().Role)
	require.Equal(t, routing.Simple("PONG"), tell(t, s, "PING"))
}
