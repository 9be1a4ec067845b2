package core

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/routing"
)

// listener takes the events of a subscriber as they come and keeps them.
type listener struct {
	*Subscriber
	t      *testing.T
	more   chan struct{}
	mu     sync.Mutex
	events []Event
}

// listen makes a subscriber whose events are taken, until the end of the test.
func listen(t *testing.T, client *Client, config SubscriberConfig) *listener {
	t.Helper()
	l := &listener{t: t, more: make(chan struct{}, 1)}
	config.Ready = func() {
		select {
		case l.more <- struct{}{}:
		default:
		}
	}
	subscriber, err := client.Subscriber(config)
	require.NoError(t, err)
	l.Subscriber = subscriber
	var taking sync.WaitGroup
	taking.Go(l.take)
	t.Cleanup(func() {
		subscriber.Close()
		close(l.more)
		taking.Wait()
	})
	return l
}

func (l *listener) take() {
	room := make([]Event, 16)
	for range l.more {
		for n := l.Take(room); n > 0; n = l.Take(room) {
			l.mu.Lock()
			l.events = append(l.events, room[:n]...)
			l.mu.Unlock()
		}
	}
}

// seen are the events of a kind so far.
func (l *listener) seen(kind EventKind) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var events []Event
	for _, e := range l.events {
		if e.Kind == kind {
			events = append(events, e)
		}
	}
	return events
}

// names are those of all events of a kind so far.
func (l *listener) names(kind EventKind) (names []string) {
	for _, e := range l.seen(kind) {
		for _, name := range e.Names {
			names = append(names, string(name))
		}
	}
	return names
}

// payloads are those of the messages of a kind so far.
func (l *listener) payloads(kind ChannelKind) (payloads []string) {
	for _, e := range l.seen(EventMessage) {
		if e.Channels == kind {
			payloads = append(payloads, string(e.Payload))
		}
	}
	return payloads
}

// await waits until something is so.
func (l *listener) await(what string, so func() bool) {
	l.t.Helper()
	if !within(so) {
		l.mu.Lock()
		defer l.mu.Unlock()
		for _, e := range l.events[max(0, len(l.events)-20):] {
			l.t.Log(e.Kind, e.Channels, string(e.Channel), len(e.Names), e.Err, e.Since, e.Until)
		}
		l.t.Fatal("never: " + what)
	}
}

func within(so func() bool) bool {
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// join subscribes and waits for the confirmations.
func (l *listener) join(kind ChannelKind, names ...string) {
	l.t.Helper()
	before := len(l.names(EventSubscribed))
	require.NoError(l.t, l.Subscribe(kind, words(names)...))
	l.await("subscribed", func() bool { return len(l.names(EventSubscribed)) == before+len(names) })
}

func words(names []string) (words [][]byte) {
	for _, name := range names {
		words = append(words, []byte(name))
	}
	return words
}

func publish(t testing.TB, client *Client, word, channel, payload string) {
	t.Helper()
	run(t, client, command(word, channel, payload))
}

func TestMessagesOfEachKindComeOnceAndInTheirOrder(t *testing.T) {
	for _, resp2 := range []bool{false, true} {
		client := open(t, Config{RESP2: resp2}, cluster.Shared(t)[0])
		l := listen(t, client, SubscriberConfig{})
		name := fmt.Sprintf("kinds-%v-", resp2)
		l.join(Exact, name+"a")
		l.join(Pattern, name+"[p]")
		l.join(Sharded, name+"s1", name+"s2", name+"s3", name+"a")
		var expected []string
		for i := range 200 {
			payload := strconv.Itoa(i)
			expected = append(expected, payload)
			publish(t, client, "PUBLISH", name+"a", payload)
			publish(t, client, "PUBLISH", name+"p", payload)
			publish(t, client, "SPUBLISH", name+"s2", payload)
		}
		for _, kind := range []ChannelKind{Exact, Pattern, Sharded} {
			l.await("all messages", func() bool { return len(l.payloads(kind)) >= len(expected) })
			require.Equal(t, expected, l.payloads(kind), kind)
		}
		for _, e := range l.seen(EventMessage) {
			require.Equal(t, map[ChannelKind]string{Exact: name + "a", Pattern: name + "p", Sharded: name + "s2"}[e.Channels], string(e.Channel))
			require.Equal(t, map[ChannelKind]string{Pattern: name + "[p]"}[e.Channels], string(e.Pattern))
		}
		require.Empty(t, l.seen(EventLost))
		require.Empty(t, l.seen(EventGap))
	}
}

func TestAMessageIsAnyBytesAndMayBeEmptyOrLarge(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	l := listen(t, client, SubscriberConfig{})
	channel := "bytes \x00\xff\r\n"
	l.join(Sharded, channel)
	large := string(make([]byte, 5<<20))
	expected := []string{"", "\x00\xff\r\n$5\r\n", large}
	for _, payload := range expected {
		publish(t, client, "SPUBLISH", channel, payload)
	}
	l.await("all messages", func() bool { return len(l.seen(EventMessage)) == 3 })
	require.True(t, slices.Equal(expected, l.payloads(Sharded)))
	require.Equal(t, channel, string(l.seen(EventMessage)[0].Channel))
}

func TestWhatIsUnsubscribedIsConfirmedAndComesNoMore(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	l := listen(t, client, SubscriberConfig{})
	for kind, publishing := range map[ChannelKind]string{Exact: "PUBLISH", Pattern: "PUBLISH", Sharded: "SPUBLISH"} {
		gone, stays := fmt.Sprintf("{un%d}gone", kind), fmt.Sprintf("{un%d}stays", kind)
		l.join(kind, gone, stays)
		require.NoError(t, l.Unsubscribe(kind, []byte(gone)))
		l.await("unsubscribed", func() bool { return slices.Contains(l.names(EventUnsubscribed), gone) })
		publish(t, client, publishing, gone, "gone")
		publish(t, client, publishing, stays, "stays")
		l.await("the message", func() bool { return len(l.payloads(kind)) > 0 })
		require.Equal(t, []string{"stays"}, l.payloads(kind))
		require.NoError(t, l.Unsubscribe(kind))
		l.await("all unsubscribed", func() bool { return slices.Contains(l.names(EventUnsubscribed), stays) })
	}
	require.Empty(t, l.Subscriptions())
	require.NoError(t, l.Unsubscribe(Exact, []byte("never")))
	l.await("told of what never was", func() bool { return slices.Contains(l.names(EventUnsubscribed), "never") })
}

func TestOppositeWishesInQuickSuccessionEndAsTheLastSays(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	l := listen(t, client, SubscriberConfig{})
	channel := []byte("quick")
	for range 200 {
		require.NoError(t, l.Subscribe(Sharded, channel))
		require.NoError(t, l.Unsubscribe(Sharded, channel))
	}
	require.NoError(t, l.Subscribe(Sharded, channel))
	l.await("subscribed", func() bool {
		all := l.Subscriptions()
		return len(all) == 1 && all[0].Active
	})
	publish(t, client, "SPUBLISH", "quick", "1")
	l.await("the message", func() bool { return len(l.payloads(Sharded)) == 1 })
	require.NoError(t, l.Unsubscribe(Sharded, channel))
	l.await("nobody listens", func() bool { return run(t, client, command("SPUBLISH", "quick", "2")).Value.Integer == 0 })
	require.Equal(t, "1", l.payloads(Sharded)[0])
	require.Empty(t, l.seen(EventLost))
}

func TestAThousandChannelsOfEachKindAreSubscribedOverOneConnectionForEachNode(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{}, c.Addresses()[0])
	l := listen(t, client, SubscriberConfig{})
	var names []string
	for i := range 1000 {
		names = append(names, "many-"+strconv.Itoa(i))
	}
	for _, kind := range []ChannelKind{Exact, Sharded} {
		l.join(kind, names...)
	}
	for _, name := range names {
		publish(t, client, "PUBLISH", name, name)
		publish(t, client, "SPUBLISH", name, name)
	}
	l.await("all messages", func() bool { return len(l.seen(EventMessage)) == 2000 })
	require.ElementsMatch(t, names, l.payloads(Exact), "each is published at another node")
	require.ElementsMatch(t, names, l.payloads(Sharded))
	connections := 0
	for _, node := range c.Nodes {
		list, err := node.Do(t.Context(), "CLIENT", "LIST", "TYPE", "PUBSUB")
		require.NoError(t, err)
		text, err := list.ToString()
		require.NoError(t, err)
		connections += countLines(text)
	}
	require.LessOrEqual(t, connections, 4, "three owners, and a node for what is not sharded")
}

func countLines(text string) (lines int) {
	for _, b := range []byte(text) {
		if b == '\n' {
			lines++
		}
	}
	return lines
}

func TestAChannelThatTheUserMayNotHaveIsRefusedAndTheOthersAreNot(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Replicas: cluster.NoReplicas})
	for _, node := range c.Nodes {
		_, err := node.Do(t.Context(), "ACL", "SETUSER", "guest", "on", ">pass", "+@all", "~*", "resetchannels", "&good*")
		require.NoError(t, err)
	}
	client := open(t, Config{Username: "guest", Password: "pass"}, c.Addresses()[0])
	l := listen(t, client, SubscriberConfig{})
	for _, kind := range []ChannelKind{Exact, Pattern, Sharded} {
		refused := fmt.Sprint("bad-", kind)
		require.NoError(t, l.Subscribe(kind, []byte("good1"), []byte(refused), []byte("good*")))
		l.await("refused", func() bool { return slices.Contains(l.names(EventRefused), refused) })
	}
	for _, e := range l.seen(EventRefused) {
		require.Equal(t, "NOPERM", e.Err.Code)
		require.NotEmpty(t, e.Err.Node)
	}
	l.await("the others", func() bool { return len(l.names(EventSubscribed)) == 5 })
	require.Contains(t, l.names(EventRefused), "good1", "a pattern must be allowed as it stands")
	require.Len(t, l.names(EventRefused), 4)
}

func TestAUserWithoutPermissionToPingGetsMessagesAllTheSame(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1, Replicas: cluster.NoReplicas})
	_, err := c.Nodes[0].Do(t.Context(), "ACL", "SETUSER", "guest", "on", ">pass", "+@all", "-ping", "~*", "resetchannels", "&good*")
	require.NoError(t, err)
	client := open(t, Config{Username: "guest", Password: "pass"}, c.Addresses()[0])
	l := listen(t, client, SubscriberConfig{PingEvery: 20 * time.Millisecond, Silence: time.Second})
	require.NoError(t, l.Subscribe(Exact, []byte("bad"), []byte("good1"), []byte("worse"), []byte("good2")))
	l.await("all answers", func() bool { return len(l.names(EventRefused)) == 2 && len(l.names(EventSubscribed)) == 2 })
	require.ElementsMatch(t, []string{"bad", "worse"}, l.names(EventRefused))
	time.Sleep(1500 * time.Millisecond) // longer than a node may be silent
	publish(t, client, "PUBLISH", "good2", "v")
	l.await("the message", func() bool { return len(l.payloads(Exact)) == 1 })
	require.Empty(t, l.seen(EventLost))
}

func TestASlowConsumerLosesTheLatestMessagesAndIsToldHowMany(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	subscriber, err := client.Subscriber(SubscriberConfig{MaxMessages: 10})
	require.NoError(t, err)
	require.NoError(t, subscriber.Subscribe(Sharded, []byte("slow")))
	require.True(t, within(func() bool { return len(subscriber.Subscriptions()) == 1 && subscriber.Subscriptions()[0].Active }))
	for i := range 1000 {
		require.EqualValues(t, 1, run(t, client, command("SPUBLISH", "slow", strconv.Itoa(i))).Value.Integer, "the connection stalls")
	}
	dropped := func() uint64 {
		subscriber.inbox.mu.Lock()
		defer subscriber.inbox.mu.Unlock()
		if last := subscriber.inbox.last(); last != nil {
			return last.Dropped
		}
		return 0
	}
	require.True(t, within(func() bool { return dropped() == 990 }))
	events := make([]Event, 100)
	n := subscriber.Take(events)
	require.Equal(t, 12, n)
	require.Equal(t, EventSubscribed, events[0].Kind)
	for i, e := range events[1:11] {
		require.Equal(t, strconv.Itoa(i), string(e.Payload))
	}
	require.Equal(t, EventOverflow, events[11].Kind)
	require.EqualValues(t, 990, events[11].Dropped)
	publish(t, client, "SPUBLISH", "slow", "next")
	require.True(t, within(func() bool { n = subscriber.Take(events); return n > 0 }))
	require.Equal(t, "next", string(events[0].Payload))
}

func TestAClosedClientEndsItsSubscribersAndTheyTakeNoWishes(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	subscriber, err := client.Subscriber(SubscriberConfig{})
	require.NoError(t, err)
	require.NoError(t, subscriber.Subscribe(Exact, []byte("a")))
	require.NoError(t, subscriber.Subscribe(Sharded, []byte("a"), []byte("b"), []byte("c")))
	client.Close()
	for _, refused := range []error{subscriber.Subscribe(Exact, []byte("b")), subscriber.Unsubscribe(Exact)} {
		var closed *Error
		require.ErrorAs(t, refused, &closed)
		require.Equal(t, StatusClosed, closed.Status)
	}
	_, err = client.Subscriber(SubscriberConfig{})
	require.Equal(t, errClosed, err)
	subscriber.Close()
}

func TestWishesThatCannotBeAreRefused(t *testing.T) {
	client := open(t, Config{}, cluster.Shared(t)[0])
	subscriber, err := client.Subscriber(SubscriberConfig{})
	require.NoError(t, err)
	require.EqualError(t, subscriber.Subscribe(Sharded), "SSUBSCRIBE: no channel is named")
	require.ErrorContains(t, subscriber.Subscribe(3, []byte("a")), "kind of subscription 3")
	require.ErrorContains(t, subscriber.Unsubscribe(3), "kind of subscription 3")
	require.Empty(t, subscriber.Subscriptions())
	subscriber.Close()
	require.EqualError(t, subscriber.Subscribe(Exact, []byte("a")), "the subscriber is closed")
}

func TestAServerThatIsNoClusterHasChannelsOfEveryKind(t *testing.T) {
	server, err := cluster.StartStandalone(t.Context(), cluster.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	client := open(t, Config{Standalone: true}, server.Address())
	l := listen(t, client, SubscriberConfig{})
	for _, kind := range []ChannelKind{Exact, Pattern, Sharded} {
		l.join(kind, fmt.Sprint("alone", kind))
	}
	publish(t, client, "PUBLISH", fmt.Sprint("alone", Exact), "e")
	publish(t, client, "PUBLISH", fmt.Sprint("alone", Pattern), "p")
	publish(t, client, "SPUBLISH", fmt.Sprint("alone", Sharded), "s")
	l.await("all messages", func() bool { return len(l.seen(EventMessage)) == 3 })
	require.Equal(t, [][]string{{"e"}, {"p"}, {"s"}}, [][]string{l.payloads(Exact), l.payloads(Pattern), l.payloads(Sharded)})
	_ = routing.SlotCount
}

func TestALazyClientConnectsToSubscribe(t *testing.T) {
	client := open(t, Config{Lazy: true}, cluster.Shared(t)[0])
	l := listen(t, client, SubscriberConfig{})
	require.Empty(t, client.Topology().Nodes())
	l.join(Sharded, "lazy")
	publish(t, client, "SPUBLISH", "lazy", "v")
	l.await("the message", func() bool { return len(l.payloads(Sharded)) == 1 })
}

func TestALazyClientThatReachesNobodySaysSoAndGoesOn(t *testing.T) {
	f := fakeCluster(t)
	f.one.Refuse()
	f.three.On("SSUBSCRIBE foo", raw(pushed("ssubscribe", "foo", ":1")))
	l := listen(t, open(t, Config{Lazy: true}, f.one.Address()), SubscriberConfig{})
	require.NoError(t, l.Subscribe(Sharded, []byte("foo")))
	l.await("told", func() bool { return len(l.seen(EventLost)) == 1 })
	require.Contains(t, l.seen(EventLost)[0].Err.Message, "connection refused")
	require.NoError(t, f.one.Listen())
	l.await("subscribed", func() bool { return len(l.seen(EventSubscribed)) == 1 })
	require.Len(t, l.seen(EventLost), 1)
}
