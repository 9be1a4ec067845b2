package core

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// fakes are scripted nodes that say they are a cluster: three primaries, and a replica of the
// third, which holds the slot of "foo".
type fakes struct{ one, two, three, replica *fakenode.Node }

func fakeCluster(t *testing.T) *fakes {
	f := &fakes{fakenode.Start(t), fakenode.Start(t), fakenode.Start(t), fakenode.Start(t)}
	slots := fakenode.Slots(
		fakenode.Serves(0, 5460, f.one.Endpoint()),
		fakenode.Serves(5461, 10922, f.two.Endpoint()),
		fakenode.Serves(10923, 16383, f.three.Endpoint(), f.replica.Endpoint()))
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.On("CLUSTER SLOTS", slots)
		node.On("CLUSTER INFO", fakenode.Bulk("cluster_state:ok\r\ncluster_current_epoch:7\r\n"))
		node.Otherwise(fakenode.Simple("OK"))
	}
	f.one.On("CLUSTER NODES", f.one.Standing("0-5460"))
	f.two.On("CLUSTER NODES", f.two.Standing("5461-10922"))
	f.three.On("CLUSTER NODES", f.three.Standing("10923-16383"))
	return f
}

// openFakes gives a client that does not look at the topology but for a cause.
func openFakes(t *testing.T, f *fakes) *Client {
	return open(t, Config{RefreshEvery: -1, RequestTimeout: time.Second}, f.one.Address())
}

func moved(slot int, to *fakenode.Node) fakenode.Value {
	return fakenode.Err(fmt.Sprintf("MOVED %d %s", slot, to.Address()))
}

func TestAMovedWithoutAHostMeansTheHostOfTheNodeThatSaidIt(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Err(fmt.Sprintf("MOVED 12182 :%d", f.two.Port())))
	f.two.On("GET foo", fakenode.Bulk("v"))
	client := openFakes(t, f)
	require.Equal(t, routing.Bulk("v"), run(t, client, command("GET", "foo")).Value)
	require.Equal(t, f.two.Address(), client.Topology().Owner(12182).Primary.Address.String())
}

func TestARedirectThatCannotBeFollowedIsTheAnswer(t *testing.T) {
	for _, line := range []string{"MOVED", "MOVED 12182 ?:7001", "MOVED 99999 127.0.0.1:7001", "ASK 12182 nowhere"} {
		f := fakeCluster(t)
		f.three.On("GET foo", fakenode.Err(line))
		refused := failure(t, openFakes(t, f), command("GET", "foo"))
		require.Equal(t, StatusServer, refused.Status)
		require.Equal(t, line, refused.Message)
		require.Len(t, f.three.Got("GET"), 1)
	}
}

func TestNodesThatSendACallerInACircleAreLeftAfterSixteenRedirects(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SET foo", moved(12182, f.two))
	f.two.On("SET foo", moved(12182, f.three))
	refused := failure(t, openFakes(t, f), command("SET", "foo", "1"))
	require.Equal(t, "MOVED", refused.Code)
	require.Len(t, append(f.two.Got("SET"), f.three.Got("SET")...), maxRedirects+1)
}

func TestANodeThatMovesASlotToItselfIsAskedAgain(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SET foo", moved(12182, f.three), fakenode.Simple("OK"))
	run(t, openFakes(t, f), command("SET", "foo", "1"))
	require.Len(t, f.three.Got("SET"), 2)
}

func TestAWriteThatTheServerRefusedForAWhileIsSentAgain(t *testing.T) {
	for _, line := range []string{"TRYAGAIN x", "CLUSTERDOWN Hash slot not served", "MASTERDOWN x", "LOADING x"} {
		f := fakeCluster(t)
		f.three.On("INCR foo", fakenode.Err(line), fakenode.Err(line), fakenode.Int(1))
		require.EqualValues(t, 1, run(t, openFakes(t, f), command("INCR", "foo")).Value.Integer, line)
		require.Len(t, f.three.Got("INCR"), 3)
	}
}

func TestARefusalThatLastsIsTheAnswerNotATimeout(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("INCR foo", fakenode.Err("CLUSTERDOWN The cluster is down"))
	request := command("INCR", "foo")
	request.Timeout = 500 * time.Millisecond
	refused := failure(t, openFakes(t, f), request)
	require.Equal(t, StatusServer, refused.Status)
	require.Equal(t, "CLUSTERDOWN", refused.Code)
	require.True(t, refused.Retryable)
	require.Greater(t, len(f.three.Got("INCR")), 2)
}

func TestAnErrorThatIsNotTransientIsNotRetried(t *testing.T) {
	for _, line := range []string{"ERR x", "CROSSSLOT x", "NOPERM x", "NOSCRIPT x", "OOM x", "WRONGTYPE x"} {
		f := fakeCluster(t)
		f.three.On("SET foo", fakenode.Err(line))
		refused := failure(t, openFakes(t, f), command("SET", "foo", "1"))
		require.Equal(t, line, refused.Message)
		require.False(t, refused.Retryable)
		require.Len(t, f.three.Got("SET"), 1)
	}
}

func TestAWriteWhoseReplyWasLostIsNotSentAgain(t *testing.T) {
	for name, fault := range map[string]fakenode.Reply{
		"hang-up": fakenode.Hangup(), "reset": fakenode.Reset(), "half a reply": fakenode.Half(fakenode.Bulk("a long enough reply")),
	} {
		f := fakeCluster(t)
		f.three.On("INCR foo", fault, fakenode.Int(1))
		lost := failure(t, openFakes(t, f), command("INCR", "foo"))
		require.Equal(t, StatusConnection, lost.Status, name)
		require.True(t, lost.Sent)
		require.False(t, lost.Retryable)
		require.Contains(t, lost.Message, "INCR (slot 12182): connection to "+f.three.Address()+" (primary) was lost after the command was written; it may have run")
		require.Len(t, f.three.Got("INCR"), 1)
	}
}

func TestAReadWhoseReplyWasLostIsSentOnceMore(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Hangup(), fakenode.Bulk("v"))
	require.Equal(t, routing.Bulk("v"), run(t, openFakes(t, f), command("GET", "foo")).Value)
	f.three.On("GET {foo}2", fakenode.Hangup())
	lost := failure(t, openFakes(t, f), command("GET", "{foo}2"))
	require.True(t, lost.Retryable)
	require.Len(t, f.three.Got("GET {foo}2"), 2)
}

func TestALookAtANodeWhoseReplyWasLostIsTakenOnceMore(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	for _, words := range [][]string{{"INFO"}, {"PING"}, {"CONFIG", "GET", "port"}, {"DBSIZE"}, {"PUBSUB", "NUMPAT"}} {
		f.three.On(words[0], fakenode.Hangup(), fakenode.Int(1))
		for _, node := range []*fakenode.Node{f.one, f.two} {
			node.On(words[0], fakenode.Int(1))
		}
		run(t, client, command(words...).to(routing.Route{Kind: routing.RouteAllPrimaries}))
		require.Len(t, f.three.Got(words[0]), 2, words)
	}
	f.three.On("SCRIPT", fakenode.Hangup())
	refused := failure(t, client, command("SCRIPT", "FLUSH").to(routing.Route{Kind: routing.RouteAllPrimaries}))
	require.False(t, refused.Retryable)
	require.Len(t, f.three.Got("SCRIPT"), 1, "it is no look")
}

func TestAWriteToANodeThatComesUpWithinTheDeadlineSucceeds(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	f.three.Refuse()
	time.AfterFunc(100*time.Millisecond, func() { _ = f.three.Listen() })
	run(t, client, command("SET", "foo", "1"))
	require.Len(t, f.three.Got("SET"), 1)
}

func TestANodeThatRefusesConnectionsIsNamedAndNothingWasSent(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	f.three.Refuse()
	request := command("SET", "foo", "1")
	request.Timeout = 100 * time.Millisecond
	refused := failure(t, client, request)
	require.Equal(t, StatusConnection, refused.Status)
	require.False(t, refused.Sent)
	require.True(t, refused.Retryable)
	require.Equal(t, f.three.Address(), refused.Node)
	require.Contains(t, refused.Message, "connection refused")
}

func TestAskingGoesInOneWriteWithItsCommand(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Err("ASK 12182 "+f.one.Address()))
	f.one.On("GET foo", fakenode.Bulk("v"))
	client := openFakes(t, f)
	require.Equal(t, routing.Bulk("v"), run(t, client, command("GET", "foo")).Value)
	commands := f.one.Commands()
	at := slices.IndexFunc(commands, func(c fakenode.Command) bool { return c.Words[0] == "ASKING" })
	require.GreaterOrEqual(t, at, 0)
	require.Equal(t, []string{"GET", "foo"}, commands[at+1].Words)
	require.Equal(t, commands[at].Connection, commands[at+1].Connection)
	require.Equal(t, f.three.Address(), client.Topology().Owner(12182).Primary.Address.String())
}

func TestAnAskToANodeThatIsGoneLeadsBackToTheOwner(t *testing.T) {
	f := fakeCluster(t)
	gone := fakenode.Start(t)
	f.three.On("SET foo", fakenode.Err("ASK 12182 "+gone.Address()), fakenode.Simple("OK"))
	gone.Refuse()
	run(t, openFakes(t, f), command("SET", "foo", "1"))
	require.Len(t, f.three.Got("SET"), 2)
}

func TestEveryLegOfAFanOutFollowsItsOwnRedirectAndKeepsItsName(t *testing.T) {
	f := fakeCluster(t)
	f.one.On("GET foo", moved(12182, f.three))
	f.two.On("GET foo", moved(12182, f.three))
	f.three.On("GET foo", fakenode.Bulk("v"))
	response := run(t, openFakes(t, f), command("GET", "foo").to(routing.Route{Kind: routing.RouteAllPrimaries}))
	var addressed []string
	for _, outcome := range response.Outcomes {
		addressed = append(addressed, outcome.Node.Address.String())
		require.Equal(t, routing.Bulk("v"), outcome.Value)
	}
	require.Equal(t, []string{f.one.Address(), f.two.Address(), f.three.Address()}, addressed)
	require.Equal(t, f.three.Address(), response.Outcomes[0].ServedBy.String())
}

func TestAWriteToAllNodesRunsOnItsOwnerOnce(t *testing.T) {
	f := fakeCluster(t)
	f.one.On("INCR foo", moved(12182, f.three))
	f.two.On("INCR foo", fakenode.Err("ASK 12182 "+f.three.Address()))
	f.replica.On("INCR foo", moved(12182, f.three))
	f.three.On("INCR foo", fakenode.Int(1))
	response, err := openFakes(t, f).Execute(command("INCR", "foo").to(routing.Route{Kind: routing.RouteAllNodes}))
	var partial *Error
	require.ErrorAs(t, err, &partial)
	require.Equal(t, StatusPartial, partial.Status)
	require.Len(t, response.Outcomes, 4)
	require.Len(t, f.three.Got("INCR"), 1)
}

func TestACommandThatSetsAStateOfTheConnectionIsNotSent(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	for _, words := range [][]string{{"SELECT", "1"}, {"AUTH", "secret"}, {"HELLO", "2"}, {"RESET"}, {"CLIENT", "TRACKING", "on"}} {
		refused := failure(t, client, command(words...))
		require.Equal(t, StatusInvalidArgument, refused.Status)
		require.Contains(t, refused.Message, "sets a state of one connection")
		require.NotContains(t, refused.Message, "secret")
	}
}

func TestAFanOutThatFailsOnOneNodeKeepsTheOutcomeOfEveryOther(t *testing.T) {
	f := fakeCluster(t)
	f.two.On("CONFIG SET", fakenode.Err("ERR no such option"))
	client := openFakes(t, f)
	response, err := client.Execute(command("CONFIG", "SET", "a", "b"))
	var partial *Error
	require.ErrorAs(t, err, &partial)
	require.Equal(t, StatusPartial, partial.Status)
	require.Equal(t, "CONFIG SET: 1 of 4 targets failed; "+f.two.Address()+": ERR no such option", partial.Message)
	require.Len(t, response.Outcomes, 4)
	for _, outcome := range response.Outcomes {
		require.Equal(t, outcome.Node.Address.String() == f.two.Address(), outcome.Err != nil)
	}
}

func TestOnePartOfASplitCommandThatFailsIsNamedWithItsSlot(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("MGET foo", fakenode.Array(fakenode.Bulk("1")))
	f.one.On("MGET bar", fakenode.Err("NOPERM x"))
	response, err := openFakes(t, f).Execute(command("MGET", "foo", "bar"))
	var partial *Error
	require.ErrorAs(t, err, &partial)
	require.Equal(t, StatusPartial, partial.Status)
	require.Len(t, response.Outcomes, 2)
	require.Equal(t, []routing.SlotRange{{First: 5061, Last: 5061}}, response.Outcomes[1].Slots)
	require.Equal(t, "NOPERM", response.Outcomes[1].Err.Code)
	require.Len(t, f.three.Got("MGET"), 1, "a part that succeeded is not sent again")
}

func TestPartsForOneNodeTravelInOneWrite(t *testing.T) {
	f := fakeCluster(t)
	f.one.On("DEL", fakenode.Int(1))
	response := run(t, openFakes(t, f), command("DEL", "bar", "baz")) // slots 5061 and 4813
	require.EqualValues(t, 2, response.Value.Integer)
	commands := f.one.Commands()
	require.Equal(t, commands[len(commands)-2].Connection, commands[len(commands)-1].Connection)
}

func TestAPrimaryThatBecameAReplicaIsFoundAgainBehindREADONLY(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SET foo", fakenode.Err("READONLY You can't write against a read only replica."))
	client := openFakes(t, f)
	after := fakenode.Slots(
		fakenode.Serves(0, 10922, f.one.Endpoint()),
		fakenode.Serves(10923, 16383, f.replica.Endpoint(), f.three.Endpoint()))
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.On("CLUSTER SLOTS", after)
	}
	run(t, client, command("SET", "foo", "1"))
	require.Len(t, f.replica.Got("SET"), 1)
}

func TestAFanOutToPrimariesFindsTheReplicaThatTookTheirPlace(t *testing.T) {
	for name, fault := range map[string]func(*fakenode.Node){
		"demoted": func(n *fakenode.Node) {
			n.On("FLUSHALL", fakenode.Err("READONLY You can't write against a read only replica."))
		},
		"gone": (*fakenode.Node).Stop,
	} {
		f := fakeCluster(t)
		client := openFakes(t, f)
		f.say(8, fakenode.Slots(
			fakenode.Serves(0, 5460, f.one.Endpoint()),
			fakenode.Serves(5461, 10922, f.two.Endpoint()),
			fakenode.Serves(10923, 16383, f.replica.Endpoint(), f.three.Endpoint())))
		fault(f.three)
		response := run(t, client, command("FLUSHALL"))
		require.Len(t, response.Outcomes, 3, name)
		require.Equal(t, f.three.Address(), response.Outcomes[2].Node.Address.String(), "as it was addressed")
		require.Equal(t, f.replica.Address(), response.Outcomes[2].ServedBy.String())
		for _, node := range []*fakenode.Node{f.one, f.two, f.replica} {
			require.Len(t, node.Got("FLUSHALL"), 1, name)
		}
	}
}

func TestAShardWhosePrimaryHasNoKnownEndpointHasNoRoute(t *testing.T) {
	f := fakeCluster(t)
	for _, node := range []*fakenode.Node{f.one, f.two} {
		node.On("CLUSTER SLOTS", fakenode.Slots(
			fakenode.Serves(0, 10922, f.one.Endpoint()),
			fakenode.Serves(10923, 16383, f.three.Endpoint().At(fakenode.Bulk("?")), f.replica.Endpoint())))
	}
	refused := failure(t, openFakes(t, f), command("PING").to(slotRoute(routing.Primary, 12182)))
	require.Equal(t, StatusRoute, refused.Status)
	require.Contains(t, refused.Message, "no route to slot 12182")
	require.Empty(t, f.replica.Got("PING"))
}

func TestAnEmptyEndpointIsTheHostOfTheNodeThatAnswered(t *testing.T) {
	f := fakeCluster(t)
	for _, host := range []fakenode.Value{fakenode.Bulk(""), fakenode.Nil()} {
		f.one.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, f.two.Endpoint().At(host))))
		client := openFakes(t, f)
		require.Equal(t, f.two.Address(), client.Topology().Owner(0).Primary.Address.String())
	}
}

func TestAMalformedReplyIsAnErrorAndTheClientGoesOn(t *testing.T) {
	deep := fakenode.Int(1)
	for range maxDepth + 2 {
		deep = fakenode.Array(deep)
	}
	for reason, reply := range map[string]fakenode.Value{
		"nested deeper than": deep,
		"unknown type":       fakenode.Raw("\x07garbage\r\n"),
		"length that is":     fakenode.Raw("*-5\r\n"),
		"malformed reply":    fakenode.Raw("$-7\r\n"),
	} {
		f := fakeCluster(t)
		f.three.On("SET foo", reply, fakenode.Simple("OK"))
		client := openFakes(t, f)
		failed := failure(t, client, command("SET", "foo", "1"))
		require.True(t, failed.Sent)
		require.True(t, strings.Contains(failed.Message, reason), "%s: %s", reason, failed.Message)
		run(t, client, command("SET", "foo", "2"))
	}
}

func TestOfferingNoViewIsAnErrorThatNamesTheAddress(t *testing.T) {
	node := fakenode.Start(t)
	node.On("CLUSTER SLOTS", fakenode.Array())
	node.On("CLUSTER INFO", fakenode.Bulk(""))
	_, err := Open(Config{Addresses: []routing.Address{mustParse(node.Address())}})
	require.ErrorContains(t, err, "no usable server: "+node.Address()+": CLUSTER SLOTS of "+node.Address()+": no usable node in 0 entries")
	node.On("CLUSTER SLOTS", fakenode.Err("NOPERM no permission to run 'cluster|slots'"))
	_, err = Open(Config{Addresses: []routing.Address{mustParse(node.Address())}})
	var refused *Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "NOPERM", refused.Code)
	require.False(t, refused.Retryable)
}

func TestANodeThatLeftIsClosedWhenItsRequestsHaveEnded(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Late(fakenode.Bulk("v"), 300*time.Millisecond))
	client := openFakes(t, f)
	answered := make(chan routing.Value, 1)
	go func() { answered <- run(t, client, command("GET", "foo")).Value }()
	require.Eventually(t, func() bool { return len(f.three.Got("GET")) == 1 }, time.Second, time.Millisecond)
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, f.one.Endpoint(), f.two.Endpoint())))
		node.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:8\r\n"))
	}
	client.refresh(t.Context())
	require.Nil(t, client.Topology().Find(mustParse(f.three.Address())))
	require.Equal(t, routing.Bulk("v"), <-answered)
	require.Eventually(t, func() bool { return f.three.OpenConnections() == 0 }, time.Second, time.Millisecond)
}

func TestOfTwoViewsTheOneOfTheNewerEpochIsTaken(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	for _, node := range []*fakenode.Node{f.one, f.two} {
		node.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, f.one.Endpoint())))
		node.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:8\r\n"))
	}
	for _, node := range []*fakenode.Node{f.three, f.replica} { // one of them is among any three
		node.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, f.two.Endpoint())))
		node.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:9\r\n"))
	}
	client.refresh(t.Context())
	require.EqualValues(t, 9, client.Topology().Epoch)
	require.Equal(t, f.two.Address(), client.Topology().Owner(0).Primary.Address.String())
}

func TestTheHighestEpochIsKnown(t *testing.T) {
	require.EqualValues(t, 7, openFakes(t, fakeCluster(t)).Topology().Epoch)
}
