package core

import (
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
)

// telling is a message that was published.
type telling struct {
	began, ended time.Time
	sure         bool // the server said that it took it
}

// teller publishes numbers on channels until it is told to stop.
type teller struct {
	client  *Client
	word    string
	stop    chan struct{}
	stopped sync.WaitGroup
	mu      sync.Mutex
	told    map[string][]telling // by channel; the payload is the index
}

func startTeller(t *testing.T, client *Client, word string, channels ...string) *teller {
	p := &teller{client: client, word: word, stop: make(chan struct{}), told: make(map[string][]telling)}
	for _, channel := range channels {
		p.stopped.Go(func() { p.run(channel) })
	}
	t.Cleanup(p.end)
	return p
}

func (p *teller) run(channel string) {
	for i := 0; ; i++ {
		select {
		case <-p.stop:
			return
		case <-time.After(time.Millisecond):
		}
		one := telling{began: time.Now()}
		_, err := p.client.Execute(command(p.word, channel, strconv.Itoa(i)))
		one.ended, one.sure = time.Now(), err == nil
		p.mu.Lock()
		p.told[channel] = append(p.told[channel], one)
		p.mu.Unlock()
	}
}

func (p *teller) end() {
	select {
	case <-p.stop:
	default:
		close(p.stop)
	}
	p.stopped.Wait()
}

// sure counts the messages that a server took on a channel.
func (p *teller) sure(channel string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.told[channel] {
		if one.sure {
			n++
		}
	}
	return n
}

// await waits until servers have taken more messages of every channel.
func (p *teller) await(t *testing.T, more int, channels ...string) {
	t.Helper()
	for _, channel := range channels {
		from := p.sure(channel)
		require.True(t, within(func() bool { return p.sure(channel) >= from+more }), "nobody takes messages of %s", channel)
	}
}

// settle waits until messages of every channel come that were published after this was called.
func (p *teller) settle(l *listener, channels ...string) {
	l.t.Helper()
	for _, channel := range channels {
		p.mu.Lock()
		next := len(p.told[channel])
		p.mu.Unlock()
		l.await("news of "+channel, func() bool { return len(l.numbers(channel)) > 0 && l.lastNumber(channel) > next })
	}
}

// numbers are those of the messages of a channel, as they came.
func (l *listener) numbers(channel string) (numbers []int) {
	for _, e := range l.seen(EventMessage) {
		if string(e.Channel) == channel {
			number, err := strconv.Atoi(string(e.Payload))
			require.NoError(l.t, err)
			numbers = append(numbers, number)
		}
	}
	return numbers
}

func (l *listener) lastNumber(channel string) int {
	numbers := l.numbers(channel)
	return numbers[len(numbers)-1]
}

// gaps are those of a channel.
func (l *listener) gaps(channel string) (gaps []Event) {
	for _, e := range l.seen(EventGap) {
		for _, name := range e.Names {
			if string(name) == channel {
				gaps = append(gaps, e)
			}
		}
	}
	return gaps
}

// account ends the teller and holds what came against what was told: every message that is missing,
// and every one that comes again, is within a gap; all others come once and in order.
func (p *teller) account(l *listener, channel string) {
	l.t.Helper()
	p.end()
	gaps := l.gaps(channel)
	excused := func(number int) bool {
		one := p.told[channel][number]
		return slices.ContainsFunc(gaps, func(gap Event) bool {
			return !one.ended.Before(gap.Since) && !one.began.After(gap.Until)
		})
	}
	came := make(map[int]bool)
	last := -1
	for _, number := range l.numbers(channel) {
		if number <= last {
			require.True(l.t, excused(number), "%s: %d after %d outside of all gaps", channel, number, last)
		}
		came[number], last = true, max(last, number)
	}
	outside, missing := 0, 0
	for number, one := range p.told[channel][:last+1] {
		if !excused(number) {
			outside++
		}
		if one.sure && !came[number] {
			missing++
			require.True(l.t, excused(number), "%s: message %d of %s is missing outside of all gaps %v", channel, number, one.began, gaps)
		}
	}
	require.Positive(l.t, outside, "a gap that holds everything says nothing")
	l.t.Logf("%s: %d came, %d are missing, all within %d gaps", channel, len(came), missing, len(gaps))
}

func TestShardedChannelsFollowTheirSlotThroughMigrationsAndFailovers(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RequestTimeout: 2 * time.Second}, c.Addresses()...)
	l := listen(t, client, SubscriberConfig{PingEvery: 100 * time.Millisecond})
	channels := shardKeys[:]
	l.join(Sharded, channels...)
	p := startTeller(t, client, "SPUBLISH", channels...)
	p.await(t, 500, channels...)
	for range 2 {
		home := c.Owner(12182)
		require.NoError(t, c.MigrateSlot(t.Context(), 12182, c.Owner(0)))
		p.settle(l, channels...)
		for _, replica := range c.Replicas() {
			if replica.Primary() == c.Owner(12182) {
				require.NoError(t, c.Failover(t.Context(), replica))
				break
			}
		}
		p.settle(l, channels...)
		require.NoError(t, c.MigrateSlot(t.Context(), 12182, home))
		p.settle(l, channels...)
	}
	for _, channel := range channels {
		p.account(l, channel)
	}
	require.GreaterOrEqual(t, len(l.gaps("foo")), 6)
	require.Empty(t, l.gaps("test"), "a shard that nobody touched has no gap")
	require.Equal(t, len(l.names(EventLost)), len(l.names(EventGap)))
}

func TestShardedChannelsOfAKilledPrimaryFollowToItsReplica(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Args: []string{"--cluster-require-full-coverage", "no"}})
	client := open(t, Config{RequestTimeout: time.Second}, c.Addresses()...)
	l := listen(t, client, SubscriberConfig{PingEvery: 100 * time.Millisecond})
	l.join(Sharded, shardKeys[:]...)
	p := startTeller(t, client, "SPUBLISH", shardKeys[:]...)
	p.await(t, 500, shardKeys[:]...)
	require.NoError(t, c.Owner(12182).Kill())
	p.settle(l, shardKeys[:]...)
	for _, channel := range shardKeys {
		p.account(l, channel)
	}
	require.Len(t, l.gaps("foo"), 1)
	require.Empty(t, l.gaps("bar"))
	require.Empty(t, l.gaps("test"))
	lost := l.seen(EventLost)[0]
	require.Equal(t, [][]byte{[]byte("foo")}, lost.Names)
	require.Equal(t, l.gaps("foo")[0].Since, lost.Since)
	require.NotNil(t, lost.Err)
}

// subscribedNode is the one that serves a subscriber's channels and patterns.
func subscribedNode(t *testing.T, c *cluster.Cluster, l *listener) *cluster.Node {
	t.Helper()
	l.Subscriber.mu.Lock()
	defer l.Subscriber.mu.Unlock()
	for _, node := range c.Nodes {
		if mustParse(node.Address()) == l.home {
			return node
		}
	}
	t.Fatalf("no node %s", l.home)
	return nil
}

// faults end or stop the connection of a subscriber to a node.
var nodeFaults = map[string]func(t *testing.T, node *cluster.Node){
	"killed": func(t *testing.T, node *cluster.Node) { require.NoError(t, node.Kill()) },
	"paused": func(t *testing.T, node *cluster.Node) { require.NoError(t, node.Pause()) },
	"CLIENT KILL": func(t *testing.T, node *cluster.Node) {
		_, err := node.Do(t.Context(), "CLIENT", "KILL", "TYPE", "PUBSUB")
		require.NoError(t, err)
	},
}

func TestChannelsAndPatternsMoveToAnotherNodeOnlyWhenTheirsFails(t *testing.T) {
	for name, fault := range nodeFaults {
		t.Run(name, func(t *testing.T) {
			// Nodes that miss each other's heartbeats reconnect, and what they tell meanwhile is lost.
			c := cluster.Run(t, cluster.Options{Args: []string{"--cluster-require-full-coverage", "no", "--cluster-node-timeout", "5000"}})
			client := open(t, Config{RequestTimeout: time.Second}, c.Addresses()...)
			l := listen(t, client, SubscriberConfig{PingEvery: 100 * time.Millisecond, Silence: time.Second})
			channels := []string{"news.foo", "news.bar", "news.test"}
			l.join(Exact, channels[0], "is.foo")
			l.join(Pattern, "news.[bt]*")
			l.await("the nodes are connected", func() bool {
				publish(t, client, "PUBLISH", "is.foo", "0")
				return len(l.numbers("is.foo")) > 0
			})
			node := subscribedNode(t, c, l)
			p := startTeller(t, client, "PUBLISH", channels...)
			p.await(t, 300, channels...)
			fault(t, node)
			l.await("a gap", func() bool { return len(l.names(EventGap)) == 3 })
			if name == "paused" {
				require.Equal(t, StatusTimeout, l.seen(EventLost)[0].Err.Status)
				require.NoError(t, node.Continue())
			}
			p.settle(l, channels...)
			p.end()
			p.account(l, channels[0])
			// Gaps of patterns are told by pattern.
			require.Len(t, l.gaps("news.[bt]*"), 1)
			require.Equal(t, name == "CLIENT KILL", node == subscribedNode(t, c, l))
		})
	}
}

func TestANodeThatHangsDoesNotHoldUpTheOthersNorTheEnd(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Args: []string{"--cluster-require-full-coverage", "no", "--cluster-node-timeout", "60000"}})
	client := open(t, Config{RequestTimeout: time.Second, ConnectTimeout: time.Minute}, c.Addresses()...)
	l := listen(t, client, SubscriberConfig{PingEvery: 50 * time.Millisecond, Silence: 500 * time.Millisecond})
	l.join(Sharded, shardKeys[:]...)
	require.NoError(t, c.Owner(12182).Pause())
	t.Cleanup(func() { _ = c.Owner(12182).Continue() })
	l.await("foo lost", func() bool { return len(l.names(EventLost)) == 1 })
	l.join(Sharded, "{bar}2")
	publish(t, client, "SPUBLISH", "{bar}2", "v")
	l.await("the message", func() bool { return len(l.payloads(Sharded)) == 1 })
	require.NoError(t, l.Unsubscribe(Sharded, []byte("foo")))
	l.await("given up", func() bool { return len(l.names(EventUnsubscribed)) == 1 })
	require.NoError(t, l.Subscribe(Sharded, []byte("foo")))
	began := time.Now()
	l.Close()
	require.Less(t, time.Since(began), 30*time.Second, "it waits for a connection that nobody wants")
}
