package core

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

const largeBytes = maxShared + 1

// lent is a call of a thread that lends its words; 0: with the client's timeout.
func lent(timeout time.Duration, words ...string) *promise {
	p := newPromise(words...)
	p.leading, p.Lent, p.Released, p.Timeout = true, true, true, timeout
	return p
}

// lend has a thread start a call whose words are overwritten as soon as Start returns.
func lend(client *Client, words ...string) *promise {
	p := lent(0, words...)
	before := slices.Clone(p.Words)
	client.Start(&p.Call)
	for _, word := range before {
		for i := range word {
			word[i] = '#'
		}
	}
	return p
}

// ended says whether the call has; the test does not wait for it.
func (p *promise) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func TestALargeCommandIsSentAsItWasLent(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	value := strings.Repeat("v", largeBytes)
	answer := hold(f.three, "SET foo")
	for round := range 3 {
		p := lend(client, "SET", "foo", value)
		if round == 0 {
			require.False(t, p.ended(), "a goroutine connects, and reads the reply")
			answer()
		} else {
			require.True(t, p.ended(), "on the thread of its owner where a connection stands")
		}
		require.Equal(t, "held", string(p.value(t).Text))
		p.Release()
		require.Equal(t, []string{"SET", "foo", value}, f.three.Got("SET")[round])
	}
	connections := map[int]bool{}
	for _, sent := range f.three.Commands() {
		if sent.Words[0] == "SET" {
			connections[sent.Connection] = true
		}
	}
	require.Len(t, connections, 1, "one connection does for calls one after another")
}

func TestACommandThatIsLentIsCopiedForWhoeverNeedsItLonger(t *testing.T) {
	value := strings.Repeat("v", largeBytes)
	for name, c := range map[string]struct {
		words []string
		sent  [][]string
	}{
		"small enough to share": {[]string{"SET", "foo", value[1:]}, [][]string{{"SET", "foo", value[1:]}}},
		"split over nodes":      {[]string{"MSET", "foo", value, "bar", value}, [][]string{{"MSET", "foo", value}, {"MSET", "bar", value}}},
		"for all primaries":     {[]string{"SCRIPT", "LOAD", value}, [][]string{{"SCRIPT", "LOAD", value}, {"SCRIPT", "LOAD", value}, {"SCRIPT", "LOAD", value}}},
		"for any node":          {[]string{"EVAL", value, "0"}, [][]string{{"EVAL", value, "0"}}},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			client := openFakes(t, f)
			p := lend(client, c.words...)
			p.value(t)
			var sent [][]string
			for _, node := range []*fakenode.Node{f.one, f.two, f.three} {
				sent = append(sent, node.Got(c.words[0])...)
			}
			require.ElementsMatch(t, c.sent, sent)
		})
	}
}

func TestALargeCommandFollowsARedirectFromItsCopy(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	value := strings.Repeat("v", largeBytes)
	lend(client, "SET", "foo", "before"+value).value(t) // the connection stands
	f.three.On("SET foo", moved(12182, f.two))
	p := lend(client, "SET", "foo", value)
	require.Equal(t, "OK", string(p.value(t).Text))
	require.Equal(t, [][]string{{"SET", "foo", value}}, f.two.Got("SET"))
}

func TestALargeCommandWhoseConnectionTheServerHadClosedIsSentAgain(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	value := strings.Repeat("v", largeBytes)
	lend(client, "SET", "foo", "before"+value).value(t)
	f.three.CloseConnections()
	require.Equal(t, "OK", string(lend(client, "SET", "foo", value).value(t).Text))
	require.Len(t, f.three.Got("SET"), 2)
}

func TestALargeWriteToANodeThatReadsNothingEndsAtItsDeadline(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RequestTimeout: 500 * time.Millisecond}, c.Addresses()...)
	value := strings.Repeat("v", 16<<20) // more than the kernel takes
	first := lend(client, "SET", "foo", value[:largeBytes])
	require.Equal(t, "OK", string(first.value(t).Text))
	require.NoError(t, c.Owner(12182).Pause())
	t.Cleanup(func() { _ = c.Owner(12182).Continue() })
	p := lend(client, "SET", "foo", value)
	require.True(t, p.ended(), "it holds on to what it was lent no longer than Start lasts")
	var late *Error
	require.ErrorAs(t, p.Err, &late)
	require.Equal(t, StatusTimeout, late.Status)
	require.True(t, late.Sent)
	require.NoError(t, c.Owner(12182).Continue())
	require.Equal(t, value[:largeBytes], string(run(t, client, command("GET", "foo")).Value.Text), "a part is no command")
}

func TestAnInterruptedLargeCommandLeavesLongBeforeItsDeadline(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	value := strings.Repeat("v", largeBytes)
	lend(client, "SET", "foo", value).value(t)
	f.three.On("SET foo", fakenode.Silence())
	p := lent(time.Minute, "SET", "foo", value)
	go client.Start(&p.Call)
	eventually(t, func() bool { return len(f.three.Got("SET")) == 2 })
	p.leaving.Store(true)
	eventually(t, p.ended)
	require.Error(t, p.Err)
}

// ferries starts large commands that a node holds, each on a thread of its own.
func ferries(t *testing.T, f *fakes, client *Client, count int) (held []*promise, release func()) {
	value := strings.Repeat("v", largeBytes)
	for range count { // connections that stand
		lend(client, "SET", "foo", value).value(t)
	}
	before := len(f.three.Got("SET"))
	release = hold(f.three, "SET foo")
	for range count {
		p := lent(time.Minute, "SET", "foo", value)
		go client.Start(&p.Call)
		held = append(held, p)
	}
	eventually(t, func() bool { return len(f.three.Got("SET")) == before+count })
	return held, release
}

func TestALargeCommandHoldsUpNobody(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	held, release := ferries(t, f, client, 1)
	f.three.On("GET foo", fakenode.Bulk("v"))
	require.Equal(t, routing.Bulk("v"), run(t, client, command("GET", "foo")).Value)
	release()
	require.Equal(t, "held", string(held[0].value(t).Text))
}

func TestALargeCommandWaitsNoLongerThanAWhileForThoseThatHaveTheirTurn(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	held, release := ferries(t, f, client, atATime)
	f.three.On("SET {foo}2", fakenode.Simple("mine"))
	require.Equal(t, "mine", string(lend(client, "SET", "{foo}2", strings.Repeat("v", largeBytes)).value(t).Text))
	release()
	for _, p := range held {
		require.Equal(t, "held", string(p.value(t).Text))
	}
}

func TestATurnIsGivenBackHoweverTheCommandEnds(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	value := strings.Repeat("v", largeBytes)
	lend(client, "SET", "foo", value).value(t)
	f.three.On("SET foo", fakenode.Silence(), fakenode.Hangup(), moved(12182, f.two), fakenode.Err("ERR no"))
	for range 4 {
		p := lent(100*time.Millisecond, "SET", "foo", value)
		client.Start(&p.Call)
		eventually(t, p.ended)
	}
	l, err := client.links.to(mustParse(f.three.Address()), routing.Primary)
	require.NoError(t, err)
	require.Empty(t, l.large)
}
