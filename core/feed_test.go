package core

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// pushed is what a server says unasked, in RESP3 or RESP2.
func pushed(words ...string) string { return aggregate('>', words...) }
func array(words ...string) string  { return aggregate('*', words...) }

func aggregate(mark byte, words ...string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%c%d\r\n", mark, len(words))
	for _, word := range words {
		if strings.HasPrefix(word, ":") {
			text.WriteString(word + "\r\n")
		} else {
			fmt.Fprintf(&text, "$%d\r\n%s\r\n", len(word), word)
		}
	}
	return text.String()
}

// raw is one reply of all these.
func raw(texts ...string) fakenode.Value { return fakenode.Raw(strings.Join(texts, "")) }

func TestAnAnswerThatNobodyCanUnderstandCostsTheConnectionAndNothingElse(t *testing.T) {
	nested := strings.Repeat("*1\r\n", maxDepth+2) + ":1\r\n"
	for name, odd := range map[string]string{
		"a number":              ":1\r\n",
		"OK":                    "+OK\r\n",
		"nothing":               "",
		"another channel":       pushed("ssubscribe", "bar", ":1"),
		"another verb":          pushed("sunsubscribe", "foo", ":1"),
		"a push without words":  ">0\r\n",
		"a push cut short":      pushed("ssubscribe"),
		"a negative length":     "*-5\r\n",
		"a huge length":         "$99999999999\r\n",
		"a huge array":          "*1000000000\r\n:1\r\n",
		"a type of its own":     "\x07garbage\r\n",
		"an empty line":         "\r\n",
		"a line without end":    "+" + strings.Repeat("x", 2*connBuffer),
		"a string that goes on": "$1\r\nabc\r\n",
		"nesting":               nested,
		"an echo of the future": "$3\r\n999\r\n",
		"an echo that is none":  "$4\r\nwhat\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			f.three.On("SSUBSCRIBE foo", raw(odd), raw(pushed("ssubscribe", "foo", ":1")))
			l := listen(t, openFakes(t, f), SubscriberConfig{})
			require.NoError(t, l.Subscribe(Sharded, []byte("foo")))
			l.await("subscribed", func() bool { return len(l.seen(EventSubscribed)) == 1 })
			require.Len(t, l.seen(EventLost), 1)
			require.Contains(t, l.seen(EventLost)[0].Err.Message, "subscriptions at "+f.three.Address()+": ")
			require.Len(t, f.three.Got("SSUBSCRIBE"), 2)
		})
	}
}

func TestFaultsOfTheConnectionAreMendedAndTold(t *testing.T) {
	confirmation := raw(pushed("ssubscribe", "foo", ":1"))
	for name, fault := range map[string]fakenode.Reply{
		"hang-up": fakenode.Hangup(), "reset": fakenode.Reset(), "half": fakenode.Half(confirmation), "silence": fakenode.Silence(),
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			f.three.On("SSUBSCRIBE foo", fault, confirmation)
			l := listen(t, openFakes(t, f), SubscriberConfig{PingEvery: 20 * time.Millisecond, Silence: 300 * time.Millisecond})
			require.NoError(t, l.Subscribe(Sharded, []byte("foo")))
			l.await("subscribed", func() bool { return len(l.seen(EventSubscribed)) == 1 })
			require.Len(t, l.seen(EventLost), 1)
			require.True(t, l.seen(EventLost)[0].Since.IsZero(), "nothing had come yet")
			require.Empty(t, l.seen(EventGap))
		})
	}
}

func TestARefusedHandshakeIsToldWithWhatTheServerSays(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("HELLO", fakenode.Err("WRONGPASS invalid username-password pair"), fakenode.Usual())
	f.three.On("SSUBSCRIBE foo", raw(pushed("ssubscribe", "foo", ":1")))
	l := listen(t, openFakes(t, f), SubscriberConfig{})
	require.NoError(t, l.Subscribe(Sharded, []byte("foo")))
	l.await("subscribed", func() bool { return len(l.seen(EventSubscribed)) == 1 })
	lost := l.seen(EventLost)[0].Err
	require.Equal(t, StatusServer, lost.Status)
	require.Equal(t, "WRONGPASS", lost.Code)
	require.Equal(t, f.three.Address(), lost.Node)
}

func TestWhatTheServerRefusesForAWhileIsAskedForAgain(t *testing.T) {
	for _, line := range []string{"LOADING x", "CLUSTERDOWN x", "TRYAGAIN x", "MASTERDOWN x", "BUSY x", "MOVED 1 ?:7"} {
		f := fakeCluster(t)
		f.three.On("SSUBSCRIBE foo", fakenode.Err(line), fakenode.Err(line), raw(pushed("ssubscribe", "foo", ":1")))
		l := listen(t, openFakes(t, f), SubscriberConfig{})
		require.NoError(t, l.Subscribe(Sharded, []byte("foo")))
		l.await("subscribed", func() bool { return len(l.seen(EventSubscribed)) == 1 })
		require.Len(t, l.seen(EventLost), 1, "it is told once")
		require.Equal(t, routing.ErrorCode(line), l.seen(EventLost)[0].Err.Code)
		connections := make(map[int]int)
		for _, c := range f.three.Commands() {
			if c.Words[0] == "SSUBSCRIBE" {
				connections[c.Connection]++
			}
		}
		require.Len(t, connections, 1, "the connection stays")
		require.Len(t, f.three.Got("SSUBSCRIBE"), 3)
	}
}

func TestARedirectLeadsToTheOwnerAndIsNoLoss(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SSUBSCRIBE foo", moved(12182, f.one))
	f.one.On("SSUBSCRIBE foo", raw(pushed("ssubscribe", "foo", ":1")))
	client := openFakes(t, f)
	l := listen(t, client, SubscriberConfig{})
	l.join(Sharded, "foo")
	require.Empty(t, l.seen(EventLost))
	require.Equal(t, f.one.Address(), client.Topology().Owner(12182).Primary.Address.String())
	require.True(t, within(func() bool { return f.three.OpenConnections() <= 1 }), "a connection without channels is closed")
}

func TestNodesThatSendASubscriptionInACircleAreAskedMoreAndMoreSeldom(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SSUBSCRIBE foo", moved(12182, f.two))
	f.two.On("SSUBSCRIBE foo", moved(12182, f.three))
	l := listen(t, openFakes(t, f), SubscriberConfig{})
	require.NoError(t, l.Subscribe(Sharded, []byte("foo")))
	tries := func() []fakenode.Command {
		var tries []fakenode.Command
		for _, c := range append(f.two.Commands(), f.three.Commands()...) {
			if c.Words[0] == "SSUBSCRIBE" {
				tries = append(tries, c)
			}
		}
		return tries
	}
	require.True(t, within(func() bool { return len(tries()) >= 12 }))
	first, last := tries()[0].At, tries()[0].At
	for _, c := range tries() {
		if c.At.Before(first) {
			first = c.At
		}
		if c.At.After(last) {
			last = c.At
		}
	}
	require.Greater(t, last.Sub(first), time.Second)
	l.await("told", func() bool { return len(l.seen(EventLost)) == 1 })
	require.Equal(t, "MOVED", l.seen(EventLost)[0].Err.Code)
}

func TestASlotThatMovesWhileItsChannelIsBeingUnsubscribedConfusesNobody(t *testing.T) {
	f := fakeCluster(t)
	for _, name := range []string{"{foo}1", "{foo}2", "{foo}3"} {
		f.three.On("SSUBSCRIBE "+name, raw(pushed("ssubscribe", name, ":1")))
	}
	// The server says by itself that the channel is gone, and then refuses what came too late.
	f.three.On("SUNSUBSCRIBE {foo}1", raw(pushed("sunsubscribe", "{foo}1", ":0"), "-MOVED 12182 "+f.one.Address()+"\r\n"))
	l := listen(t, openFakes(t, f), SubscriberConfig{})
	l.join(Sharded, "{foo}1", "{foo}2")
	require.NoError(t, l.Unsubscribe(Sharded, []byte("{foo}1")))
	require.NoError(t, l.Subscribe(Sharded, []byte("{foo}3")))
	l.await("both", func() bool { return len(l.names(EventUnsubscribed)) == 1 && len(l.names(EventSubscribed)) == 3 })
	require.Equal(t, []string{"{foo}1"}, l.names(EventUnsubscribed))
	require.Empty(t, l.seen(EventLost))
	require.Empty(t, l.seen(EventRefused))
}

func TestAServerThatUnsubscribesByItselfIsAskedWhereTheSlotIs(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SSUBSCRIBE foo", raw(pushed("ssubscribe", "foo", ":1"), pushed("smessage", "foo", "1"), pushed("sunsubscribe", "foo", ":0")), moved(12182, f.two))
	f.two.On("SSUBSCRIBE foo", raw(pushed("ssubscribe", "foo", ":1"), pushed("smessage", "foo", "2")))
	l := listen(t, openFakes(t, f), SubscriberConfig{})
	require.NoError(t, l.Subscribe(Sharded, []byte("foo")))
	l.await("both messages", func() bool { return len(l.payloads(Sharded)) == 2 })
	var kinds []EventKind
	for _, e := range l.events {
		kinds = append(kinds, e.Kind)
	}
	require.Equal(t, []EventKind{EventSubscribed, EventMessage, EventLost, EventGap, EventMessage}, kinds)
	gap := l.seen(EventGap)[0]
	require.False(t, gap.Since.After(gap.Until))
}

func TestInRESP2MessagesAndEchoesAreArrays(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SSUBSCRIBE foo", raw(array("ssubscribe", "foo", ":1"), array("smessage", "foo", "1")))
	f.three.On("SUNSUBSCRIBE foo", raw(array("sunsubscribe", "foo", ":0")))
	subscribed := fakenode.Func(func(words []string) fakenode.Reply {
		if len(words) == 1 {
			return fakenode.Simple("PONG")
		}
		return fakenode.Array(fakenode.Bulk("pong"), fakenode.Bulk(words[1]))
	})
	f.three.On("PING", subscribed)
	client := open(t, Config{RESP2: true, RefreshEvery: -1}, f.one.Address())
	l := listen(t, client, SubscriberConfig{PingEvery: 10 * time.Millisecond})
	l.join(Sharded, "foo")
	l.await("the message", func() bool { return len(l.payloads(Sharded)) == 1 })
	require.True(t, within(func() bool { return len(f.three.Got("PING")) > 5 }))
	f.three.On("PING", fakenode.Usual())
	require.NoError(t, l.Unsubscribe(Sharded))
	l.await("unsubscribed", func() bool { return len(l.seen(EventUnsubscribed)) == 1 })
	require.Empty(t, l.seen(EventLost))
	require.NotContains(t, f.three.Got("HELLO"), []string{"HELLO", "3"})
}

func TestPushesOfOtherKindsAndAttributesArePassedOver(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SSUBSCRIBE foo", raw(
		">2\r\n$10\r\ninvalidate\r\n*1\r\n$3\r\nkey\r\n", pushed("server-cpu-usage", "1"),
		"|1\r\n+ttl\r\n:3600\r\n"+pushed("ssubscribe", "foo", ":1"), pushed("smessage", "foo", "1")))
	l := listen(t, openFakes(t, f), SubscriberConfig{})
	l.join(Sharded, "foo")
	l.await("the message", func() bool { return len(l.payloads(Sharded)) == 1 })
	require.Empty(t, l.seen(EventLost))
}

func TestAServerThatDoesNotLetGoIsToldAndTheChannelStays(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("SSUBSCRIBE foo", raw(pushed("ssubscribe", "foo", ":1")))
	f.three.On("SUNSUBSCRIBE foo", fakenode.Err("BUSY x"), fakenode.Err("NOPERM x"))
	l := listen(t, openFakes(t, f), SubscriberConfig{})
	l.join(Sharded, "foo")
	require.NoError(t, l.Unsubscribe(Sharded, []byte("foo")))
	l.await("refused", func() bool { return len(l.seen(EventRefused)) == 1 })
	require.Equal(t, "NOPERM", l.seen(EventRefused)[0].Err.Code)
	require.Equal(t, []Subscription{{Sharded, []byte("foo"), true}}, l.Subscriptions())
}

func TestANodeThatLeftTheClusterIsLeft(t *testing.T) {
	f := fakeCluster(t)
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		node.On("SUBSCRIBE news", raw(pushed("subscribe", "news", ":1")))
	}
	client := openFakes(t, f)
	l := listen(t, client, SubscriberConfig{})
	l.join(Exact, "news")
	for _, node := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
		if mustParse(node.Address()) == l.home {
			continue
		}
		for _, other := range []*fakenode.Node{f.one, f.two, f.three, f.replica} {
			other.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, node.Endpoint())))
			other.On("CLUSTER INFO", fakenode.Bulk("cluster_current_epoch:8\r\n"))
		}
		client.refresh(t.Context())
		l.await("a gap", func() bool { return len(l.seen(EventGap)) == 1 })
		require.Len(t, node.Got("SUBSCRIBE"), 1)
		require.Contains(t, l.seen(EventLost)[0].Err.Message, errLeft.Error())
		return
	}
}
