package core

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// promise is the owner of a call that a test waits for.
type promise struct {
	Call
	done     chan struct{}
	leading  bool
	leaving  atomic.Bool
	promoted atomic.Int32
}

func newPromise(words ...string) *promise {
	p := &promise{done: make(chan struct{})}
	p.Request, p.Owner = *command(words...), p
	return p
}

func (p *promise) Waits(time.Duration)    {}
func (p *promise) Done()                  { close(p.done) }
func (p *promise) Leads() bool            { return p.leading }
func (p *promise) Interrupted() bool      { return p.leaving.Load() }
func (p *promise) Watches() bool          { return false }
func (p *promise) Watch(int, uint64) bool { return false }
func (p *promise) Promoted()              { p.promoted.Add(1); go p.Lead() }

func (p *promise) value(t *testing.T) routing.Value {
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		t.Fatal("the call has not ended")
	}
	require.NoError(t, p.Err)
	return p.Response.Value
}

// hold has a node answer some words when the test opens the gate.
func hold(node *fakenode.Node, words string) (open func()) {
	gate := make(chan struct{})
	node.On(words, fakenode.Func(func([]string) fakenode.Reply {
		<-gate
		return fakenode.Bulk("held")
	}))
	return func() { close(gate) }
}

func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 20*time.Second, time.Millisecond)
}

// busy begins a request that keeps the lane of node three until it is released.
func busy(t *testing.T, f *fakes, client *Client) (holder *promise, release func()) {
	release = hold(f.three, "GET foo")
	holder = newPromise("GET", "foo")
	holder.Timeout = 20 * time.Second
	client.Start(&holder.Call)
	eventually(t, func() bool { return len(f.three.Got("GET foo")) == 1 })
	return holder, release
}

func TestALaneIsOpenedByOneForAll(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	link, err := client.links.to(mustParse(f.three.Address()), routing.Primary)
	require.NoError(t, err)
	link.lane.led = true // somebody is about to connect
	require.NoError(t, link.lane.open())
	require.Zero(t, f.three.Connections())
	link.lane.led = false
	for range 2 {
		require.NoError(t, link.lane.open())
		require.Equal(t, 1, f.three.Connections())
	}
	run(t, client, command("SET", "foo", "1"))
	require.Equal(t, 1, f.three.Connections())
}

func TestRequestsGoInTheOrderOfTheirComingOverOneConnection(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	holder, release := busy(t, f, client)
	var waiting []*promise
	for i := range 20 {
		p := newPromise("SET", "foo", strconv.Itoa(i))
		p.leading = i%3 == 0
		p.Timeout = 20 * time.Second
		client.Start(&p.Call)
		waiting = append(waiting, p)
	}
	require.Empty(t, f.three.Got("SET"), "one exchange at a time")
	release()
	require.Equal(t, "held", string(holder.value(t).Text))
	for _, p := range waiting {
		require.Equal(t, "OK", string(p.value(t).Text))
	}
	for i, words := range f.three.Got("SET") {
		require.Equal(t, strconv.Itoa(i), words[2])
	}
	require.Equal(t, 1, f.three.Connections())
}

func TestACallerLeavesAtItsDeadlineWhileAnotherLeads(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	holder, release := busy(t, f, client)
	request := command("SET", "foo", "1")
	request.Timeout = 50 * time.Millisecond
	late := failure(t, client, request)
	require.Equal(t, StatusTimeout, late.Status)
	require.False(t, late.Sent)
	require.True(t, late.Retryable)
	release()
	require.Equal(t, "held", string(holder.value(t).Text))
	require.Empty(t, f.three.Got("SET"), "what was given up is not written later")
}

func TestACallThatIsGivenUpInTheQueueIsNeverWritten(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	holder, release := busy(t, f, client)
	p := newPromise("SET", "foo", "1")
	client.Start(&p.Call)
	require.True(t, p.Abandon(context.Canceled))
	var given *Error
	require.ErrorAs(t, p.Err, &given)
	require.Equal(t, StatusCancelled, given.Status)
	require.False(t, given.Sent)
	release()
	holder.value(t)
	run(t, client, command("SET", "foo", "2"))
	require.Equal(t, [][]string{{"SET", "foo", "2"}}, f.three.Got("SET"))
	require.Zero(t, client.inflight.Load())
}

func TestTheReplyOfACallThatWasGivenUpGoesToNobodyElse(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	holder, release := busy(t, f, client)
	answer := hold(f.three, "SET foo one")
	f.three.On("SET foo two", fakenode.Simple("TWO"))
	one, two := newPromise("SET", "foo", "one"), newPromise("SET", "foo", "two")
	for _, p := range []*promise{one, two} {
		p.Timeout = 20 * time.Second
		client.Start(&p.Call)
	}
	release()
	holder.value(t)
	eventually(t, func() bool { return len(f.three.Got("SET foo one")) == 1 })
	require.True(t, one.Abandon(context.DeadlineExceeded))
	var given *Error
	require.ErrorAs(t, one.Err, &given)
	require.Equal(t, StatusTimeout, given.Status)
	require.True(t, given.Sent)
	answer()
	require.Equal(t, "TWO", string(two.value(t).Text))
}

func TestAStalledLeaderTakesNobodyPastTheirDeadline(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Silence())
	f.three.On("GET {foo}2", fakenode.Bulk("v"))
	client := openFakes(t, f)
	run(t, client, command("SET", "foo", "1")) // the connection stands, and was quick
	leader := newPromise("GET", "foo")
	leader.leading, leader.Timeout = true, 100*time.Millisecond
	go client.Start(&leader.Call)
	eventually(t, func() bool { return len(f.three.Got("GET foo")) == 1 })
	require.Equal(t, "v", string(run(t, client, command("GET", "{foo}2")).Value.Text), "over a new connection")
	<-leader.done
	var late *Error
	require.ErrorAs(t, leader.Err, &late)
	require.Equal(t, StatusTimeout, late.Status)
}

func TestACallerThatLeavesWhileTheConnectionIsMadeHasSentNothing(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	f.three.On("HELLO", fakenode.Silence(), fakenode.Usual())
	request := command("SET", "foo", "1")
	request.Timeout = 100 * time.Millisecond
	late := failure(t, client, request)
	require.Equal(t, StatusTimeout, late.Status)
	require.False(t, late.Sent)
	require.Empty(t, f.three.Got("SET"))
}

func TestAnInterruptedLeaderLeavesLongBeforeItsDeadline(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Silence())
	client := openFakes(t, f)
	l, err := client.links.to(mustParse(f.three.Address()), routing.Primary)
	require.NoError(t, err)
	eventually(t, func() bool { // callers lead over a connection that was quick
		run(t, client, command("SET", "foo", "1"))
		return l.lane.quick.Load()
	})
	leader := newPromise("GET", "foo")
	leader.leading, leader.Timeout = true, 60*time.Second
	go client.Start(&leader.Call)
	eventually(t, func() bool { return len(f.three.Got("GET foo")) == 1 })
	leader.leaving.Store(true)
	select {
	case <-leader.done:
		require.Error(t, leader.Err)
	case <-time.After(20 * time.Second):
		t.Fatal("it waits on")
	}
	leader.leaving.Store(false)
	run(t, client, command("SET", "foo", "2"))
}

func TestWhatOneWriteHoldsIsBounded(t *testing.T) {
	n := new(lane)
	queue := func(deadline time.Time, words ...[]byte) {
		e := new(errand)
		e.begin([][][]byte{words}, deadline, &waiter{})
		n.queue = append(n.queue, e)
	}
	soon, later := time.Now().Add(time.Second), time.Now().Add(time.Minute)
	queue(soon, make([]byte, 10))
	queue(soon, make([]byte, batchBytes))
	require.Len(t, n.fill(nil, time.Time{}), 1, "no further than so many bytes")
	require.Len(t, n.fill(nil, time.Time{}), 1, "but one goes however large")
	queue(soon, make([][]byte, batchWords-1)...)
	queue(soon, nil)
	queue(soon, nil)
	require.Len(t, n.fill(nil, time.Time{}), 2, "no further than so many words")
	require.Len(t, n.fill(nil, time.Time{}), 1)
	queue(soon, nil)
	queue(later, nil)
	queue(soon, nil)
	require.Len(t, n.fill(nil, soon.Add(lateness)), 1, "no further than the first that would stay longer")
	require.Len(t, n.queue, 2)
}

func TestABurstOfCallersEachGetsItsOwnReply(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("ECHO", fakenode.Func(func(words []string) fakenode.Reply { return fakenode.Bulk(words[1]) }))
	f.three.On("GET", fakenode.Func(func(words []string) fakenode.Reply { return fakenode.Bulk(strings.ToUpper(words[1])) }))
	client := openFakes(t, f)
	var all []*promise
	for i := range 64 {
		p := newPromise("GET", "{foo}"+strconv.Itoa(i))
		p.leading, p.Timeout = i%2 == 0, 20*time.Second
		all = append(all, p)
		go client.Start(&p.Call)
	}
	for i, p := range all {
		require.Equal(t, "{FOO}"+strconv.Itoa(i), string(p.value(t).Text))
	}
	require.Zero(t, client.inflight.Load())
}

func TestThousandsOfCallsThatNobodyLeadsForNeedNoGoroutinesOfTheirOwn(t *testing.T) {
	f := fakeCluster(t)
	client := open(t, Config{RefreshEvery: -1, InflightLimit: 20000}, f.one.Address()) // so many that none is turned away
	holder, release := busy(t, f, client)
	before := runtime.NumGoroutine()
	all := make([]*promise, 10000)
	for i := range all {
		all[i] = newPromise("SET", "foo", strconv.Itoa(i))
		all[i].Timeout = 60 * time.Second
		client.Start(&all[i].Call)
	}
	require.Less(t, runtime.NumGoroutine(), before+10)
	release()
	holder.value(t)
	for _, p := range all {
		require.Equal(t, "OK", string(p.value(t).Text))
	}
	for i, words := range f.three.Got("SET") {
		require.Equal(t, strconv.Itoa(i), words[2])
	}
}

func TestABlockingReadThatIsCancelledIsNotSentAgain(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("XREAD", fakenode.Silence())
	client := openFakes(t, f)
	p := newPromise("XREAD", "BLOCK", "0", "STREAMS", "foo", "$")
	client.Start(&p.Call)
	eventually(t, func() bool { return len(f.three.Got("XREAD")) == 1 })
	require.False(t, p.Abandon(context.Canceled), "it is told when its connection is closed")
	<-p.done
	var given *Error
	require.ErrorAs(t, p.Err, &given)
	require.Equal(t, StatusCancelled, given.Status)
	require.True(t, given.Sent)
	require.Len(t, f.three.Got("XREAD"), 1)
}

func TestACallEndsAsCancelledWhateverItIsAtThen(t *testing.T) {
	silent := fakenode.Silence()
	for name, c := range map[string]struct {
		words []string
		lazy  bool
		begin func(f *fakes)
		at    func(f *fakes) bool // what it is to be cancelled at
	}{
		"connecting": {[]string{"SET", "foo", "1"}, true, func(f *fakes) { f.one.On("CLUSTER SLOTS", silent) },
			func(f *fakes) bool { return len(f.one.Got("CLUSTER SLOTS")) > 0 }},
		"waiting": {[]string{"SET", "foo", "1"}, false, func(f *fakes) { f.three.On("SET", fakenode.Err("TRYAGAIN x")) },
			func(f *fakes) bool { return len(f.three.Got("SET")) > 3 }},
		"a reply of several": {[]string{"FLUSHALL"}, false, func(f *fakes) { f.three.On("FLUSHALL", silent) },
			func(f *fakes) bool { return len(f.three.Got("FLUSHALL")) > 0 }},
		"a script": {[]string{"EVAL", "x", "2", "foo", "{foo}2"}, false, func(f *fakes) { f.three.On("EVAL", silent) },
			func(f *fakes) bool { return len(f.three.Got("EVAL")) > 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			c.begin(f)
			client := open(t, Config{RefreshEvery: -1, Lazy: c.lazy, RequestTimeout: 20 * time.Second, ConnectTimeout: 20 * time.Second}, f.one.Address())
			p := newPromise(c.words...)
			client.Start(&p.Call)
			eventually(t, func() bool { return c.at(f) })
			if !p.Abandon(context.Canceled) {
				<-p.done
			}
			var given *Error
			require.ErrorAs(t, p.Err, &given)
			require.Equal(t, StatusCancelled, given.Status, given.Message)
		})
	}
}

func TestAReplyThatComesAfterTheDeadlineOfItsFanOutIsGivenToNobodyElse(t *testing.T) {
	f := fakeCluster(t)
	for _, node := range f.all() {
		node.On("GET", fakenode.Bulk("own"))
		node.On("MGET", fakenode.Late(fakenode.Array(fakenode.Bulk("late")), 250*time.Millisecond))
	}
	client := openFakes(t, f)
	for range 3 { // both nodes are quick, so one goroutine leads both lanes
		run(t, client, command("GET", "foo"))
		run(t, client, command("GET", "b"))
	}
	request := command("MGET", "foo", "b")
	request.Timeout = 125 * time.Millisecond
	late := failure(t, client, request)
	require.Equal(t, StatusTimeout, late.Status)
	require.True(t, late.Sent)
	for range 3 {
		require.Equal(t, routing.Bulk("own"), run(t, client, command("GET", "foo")).Value)
		require.Equal(t, routing.Bulk("own"), run(t, client, command("GET", "b")).Value)
	}
	require.Len(t, f.three.Got("GET"), 6)
}

// The goroutine of a call leads lanes that were quick, and then waits in the kernel.
func TestACallWhoseGoroutineLeadsIsCancelledAtOnce(t *testing.T) {
	for name, words := range map[string][]string{
		"several nodes": {"FLUSHALL"}, "one node": {"EVALSHA", "x", "1", "foo"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			client := open(t, Config{RefreshEvery: -1, RequestTimeout: time.Minute}, f.one.Address())
			run := func() *promise {
				p := newPromise(words...)
				client.Start(&p.Call)
				return p
			}
			for range 3 { // until all are quick
				<-run().done
			}
			silent := fakenode.Silence()
			f.three.On(words[0], silent)
			before := len(f.three.Got(words[0]))
			p := run()
			eventually(t, func() bool { return len(f.three.Got(words[0])) > before })
			if !p.Abandon(context.Canceled) {
				select {
				case <-p.done:
				case <-time.After(20 * time.Second):
					t.Fatal("it waits for the reply")
				}
			}
			var given *Error
			require.ErrorAs(t, p.Err, &given)
			require.Equal(t, StatusCancelled, given.Status, given.Message)
		})
	}
}
