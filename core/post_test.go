package core

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"libglide/bindings/conformance/fakenode"
)

// watcher is the owner of a call that watches for its reply.
type watcher struct {
	promise
	fd int
}

func newWatcher(words ...string) *watcher {
	w := &watcher{fd: -1}
	w.done = make(chan struct{})
	w.Request, w.Owner = *command(words...), w
	w.Timeout = 20 * time.Second
	return w
}

func (w *watcher) Watches() bool { return true }
func (w *watcher) Watch(fd int, _ uint64) bool {
	w.fd = fd
	return true
}

func (w *watcher) readable(wait time.Duration) bool {
	count, _ := unix.Poll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}, int(wait/time.Millisecond))
	return count == 1
}

// quickly opens a client whose connection to node three stands and was quick.
func quickly(t *testing.T, f *fakes) *Client {
	client := openFakes(t, f)
	run(t, client, command("TTL", "foo"))
	return client
}

// posted begins a call that its owner is to collect.
func posted(t *testing.T, client *Client, words ...string) *watcher {
	w := newWatcher(words...)
	client.Start(&w.Call)
	require.True(t, w.Posted())
	return w
}

func (w *watcher) failure(t *testing.T) *Error {
	select {
	case <-w.done:
	case <-time.After(20 * time.Second):
		t.Fatal("the call has not ended")
	}
	var given *Error
	require.ErrorAs(t, w.Err, &given)
	return given
}

func TestALoneCallIsWrittenByItsOwnerAndCollectedWhenItsReplyIsThere(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Bulk("v"))
	client := quickly(t, f)
	for range 3 {
		w := posted(t, client, "GET", "foo")
		require.True(t, w.readable(20*time.Second))
		require.True(t, w.Claim())
		require.False(t, w.Claim(), "once")
		w.Collect(true)
		select {
		case <-w.done:
		default:
			t.Fatal("collecting waits for nobody")
		}
		require.Equal(t, "v", string(w.value(t).Text))
	}
	require.Equal(t, 1, f.three.Connections())
	require.Len(t, f.three.Got("GET foo"), 3)
}

func TestNothingWaitsForTheOwnerOfAPostedCallToCollect(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Bulk("v"))
	client := quickly(t, f)
	w := posted(t, client, "GET", "foo")
	require.Equal(t, "OK", string(run(t, client, command("SET", "foo", "1")).Value.Text))
	require.Equal(t, "v", string(w.value(t).Text), "a goroutine has collected it")
	require.False(t, w.Claim())
}

func TestAReplyThatIsNotThereYetIsWaitedForOnAGoroutine(t *testing.T) {
	f := fakeCluster(t)
	client := quickly(t, f)
	answer := hold(f.three, "GET foo")
	w := posted(t, client, "GET", "foo")
	require.False(t, w.readable(0))
	require.True(t, w.Claim())
	w.Collect(true)
	answer()
	require.Equal(t, "held", string(w.value(t).Text))
}

func TestAPostedCallThatNobodyCollectsGoesOnWhenItIsResumed(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Bulk("v"))
	client := quickly(t, f)
	w := posted(t, client, "GET", "foo")
	require.True(t, w.Claim())
	w.Resume()
	require.Equal(t, "v", string(w.value(t).Text))
}

func TestTheReplyOfAPostedCallThatWasGivenUpGoesToNobodyElse(t *testing.T) {
	f := fakeCluster(t)
	client := quickly(t, f)
	answer := hold(f.three, "GET foo")
	w := posted(t, client, "GET", "foo")
	require.True(t, w.Abandon(context.Canceled))
	require.True(t, w.givenUp(t).Sent)
	require.False(t, w.Claim())
	answer()
	f.three.On("GET {foo}2", fakenode.Bulk("other"))
	require.Equal(t, "other", string(run(t, client, command("GET", "{foo}2")).Value.Text))
	require.Equal(t, 1, f.three.Connections(), "the connection is kept")
}

func TestTheReplyOfAPostedCallThatNobodyTookByItsDeadlineGoesToNobodyElse(t *testing.T) {
	f := fakeCluster(t)
	client := quickly(t, f)
	answer := hold(f.three, "GET foo")
	w := newWatcher("GET", "foo")
	w.Timeout = 20 * time.Millisecond
	client.Start(&w.Call)
	require.True(t, w.Posted())
	time.Sleep(40 * time.Millisecond)
	require.True(t, w.Abandon(context.DeadlineExceeded))
	require.True(t, w.givenUp(t).Sent)
	answer()
	f.three.On("TTL foo", fakenode.Int(7))
	require.EqualValues(t, 7, run(t, client, command("TTL", "foo")).Value.Integer)
}

// givenUp is what an abandoned call says.
func (w *watcher) givenUp(t *testing.T) *Error {
	var given *Error
	require.ErrorAs(t, w.Err, &given)
	return given
}

func TestAPostedWriteWhoseConnectionIsLostIsNotSentTwice(t *testing.T) {
	for _, end := range []string{"the owner collects", "a goroutine does"} {
		t.Run(end, func(t *testing.T) {
			f := fakeCluster(t)
			f.three.On("INCR foo", fakenode.Hangup())
			client := quickly(t, f)
			w := posted(t, client, "INCR", "foo")
			require.True(t, w.readable(20*time.Second))
			require.True(t, w.Claim())
			if end == "the owner collects" {
				w.Collect(true)
			} else {
				w.Resume()
			}
			lost := w.failure(t)
			require.Equal(t, StatusConnection, lost.Status)
			require.True(t, lost.Sent)
			require.Len(t, f.three.Got("INCR foo"), 1)
		})
	}
}

func TestAPostedWriteIsNotSentTwiceWhereItsConnectionIsGoneWhenItIsCollected(t *testing.T) {
	f := fakeCluster(t)
	client := quickly(t, f)
	answer := hold(f.three, "INCR foo")
	defer answer()
	w := posted(t, client, "INCR", "foo")
	eventually(t, func() bool { return len(f.three.Got("INCR foo")) == 1 })
	_ = w.lane.wire.conn.Close() // as where a panic has it made anew
	require.True(t, w.Claim())
	w.Collect(true)
	require.True(t, w.failure(t).Sent)
	require.Len(t, f.three.Got("INCR foo"), 1)
}

func TestClosingEndsAPostedCall(t *testing.T) {
	f := fakeCluster(t)
	client := quickly(t, f)
	answer := hold(f.three, "GET foo")
	defer answer()
	w := posted(t, client, "GET", "foo")
	client.Close()
	require.Equal(t, StatusClosed, w.failure(t).Status)
	require.False(t, w.Claim())
}

func TestARedirectIsFollowedFromACollectedReply(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", moved(12182, f.two))
	f.two.On("GET foo", fakenode.Bulk("v"))
	client := quickly(t, f)
	w := posted(t, client, "GET", "foo")
	require.True(t, w.readable(20*time.Second))
	require.True(t, w.Claim())
	w.Collect(true)
	require.Equal(t, "v", string(w.value(t).Text))
}

func TestOnlyASmallCallThatIsAloneIsPosted(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	refused := func(words ...string) {
		w := newWatcher(words...)
		client.Start(&w.Call)
		require.False(t, w.Posted(), words[0])
		w.value(t)
	}
	refused("SET", "foo", "the connection does not stand yet")
	refused("SET", "foo", string(make([]byte, postedBytes)))
	refused("MSET", "foo", "1", "bar", "2")
	answer := hold(f.two, "GET hello")
	other := newPromise("GET", "hello")
	client.Start(&other.Call)
	refused("SET", "foo", "another call is under way")
	answer()
	other.value(t)
	w := posted(t, client, "SET", "foo", "x")
	w.Claim()
	w.Resume()
	w.value(t)
}

func TestACallOfWhichNothingHasComeStaysPosted(t *testing.T) {
	f := fakeCluster(t)
	client := quickly(t, f)
	answer := hold(f.three, "GET foo")
	w := posted(t, client, "GET", "foo")
	for range 2 {
		require.True(t, w.Claim())
		require.True(t, w.Collect(false))
	}
	answer()
	require.True(t, w.readable(20*time.Second))
	require.True(t, w.Claim())
	require.False(t, w.Collect(false))
	select {
	case <-w.done:
	default:
		t.Fatal("collecting waits for nobody")
	}
	require.Equal(t, "held", string(w.value(t).Text))
}

func TestACallIsNotPostedAgainWhereAnotherCameMeanwhile(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET {foo}2", fakenode.Bulk("other"))
	client := quickly(t, f)
	answer := hold(f.three, "GET foo")
	w := posted(t, client, "GET", "foo")
	require.True(t, w.Claim())
	other := newPromise("GET", "{foo}2")
	client.Start(&other.Call)
	require.False(t, w.Collect(false))
	answer()
	require.Equal(t, "held", string(w.value(t).Text))
	require.Equal(t, "other", string(other.value(t).Text))
}

func TestACallThatIsGivenUpWhileItIsLookedAtIsNotPostedAgain(t *testing.T) {
	f := fakeCluster(t)
	client := quickly(t, f)
	answer := hold(f.three, "GET foo")
	w := posted(t, client, "GET", "foo")
	require.True(t, w.Claim())
	require.True(t, w.Abandon(context.Canceled))
	require.False(t, w.Collect(false))
	answer()
	require.Equal(t, "OK", string(run(t, client, command("SET", "foo", "1")).Value.Text))
	require.Equal(t, 1, f.three.Connections())
}

func TestTheRestOfAReplyIsWaitedForOnAGoroutine(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Slowly(fakenode.Bulk("slow"), 20*time.Millisecond))
	client := quickly(t, f)
	w := posted(t, client, "GET", "foo")
	require.True(t, w.readable(20*time.Second))
	require.True(t, w.Claim())
	require.False(t, w.Collect(false))
	require.Equal(t, "slow", string(w.value(t).Text))
}
