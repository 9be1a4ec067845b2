package core

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// barrier holds replies back until it is opened.
type barrier chan struct{}

func (g barrier) before(reply fakenode.Reply) fakenode.Reply {
	return fakenode.Func(func([]string) fakenode.Reply {
		<-g
		return reply
	})
}

// crowd has callers run requests that are expected to succeed, each in its own goroutine.
func crowd(t *testing.T, client *Client, size int, request func(i int) *Request) *sync.WaitGroup {
	callers := new(sync.WaitGroup)
	for i := range size {
		callers.Go(func() {
			if _, err := client.Execute(request(i)); err != nil {
				t.Errorf("caller %d: %v", i, err)
			}
		})
	}
	return callers
}

func patiently(request *Request) *Request {
	request.Timeout = time.Minute
	return request
}

func TestCallersOfAStuckNodeHoldUpNobodyElse(t *testing.T) {
	f := fakeCluster(t)
	stuck := make(barrier)
	f.three.On("GET", stuck.before(fakenode.Bulk("v")))
	client := openFakes(t, f)
	waiting := crowd(t, client, 100, func(i int) *Request { return patiently(command("GET", "{foo}"+strconv.Itoa(i))) })
	require.Eventually(t, func() bool { return len(f.three.Got("GET")) > 0 }, 10*time.Second, time.Millisecond)
	for range 20 { // to the end, while not one of the hundred can have ended
		crowd(t, client, 20, func(i int) *Request {
			return patiently(command("SET", []string{"bar", "test"}[i%2], "v"))
		}).Wait()
	}
	close(stuck)
	waiting.Wait()
}

func TestAFanOutAndABatchWaitForTheStuckNodeAlone(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("DBSIZE", fakenode.Silence())
	f.three.On("SET foo", fakenode.Silence())
	f.one.On("DBSIZE", fakenode.Int(1))
	f.two.On("DBSIZE", fakenode.Int(2))
	client := openFakes(t, f)
	all := command("DBSIZE")
	all.Timeout = 300 * time.Millisecond
	response, err := client.Execute(all)
	require.Equal(t, StatusPartial, err.(*Error).Status)
	require.Len(t, response.Outcomes, 3)
	for _, outcome := range response.Outcomes {
		require.Equal(t, outcome.Node.Address.String() == f.three.Address(), outcome.Err != nil)
	}
	batch := batchOf(false, []string{"SET", "bar", "1"}, []string{"SET", "foo", "1"}, []string{"SET", "test", "1"})
	batch.Timeout = 300 * time.Millisecond
	response, err = client.ExecuteBatch(batch)
	require.NoError(t, err)
	for i, key := range []string{"bar", "foo", "test"} {
		if key != "foo" {
			require.Equal(t, routing.Simple("OK"), response.Value.Items[i])
			continue
		}
		require.Equal(t, StatusTimeout, response.Failures[i].Status)
		require.True(t, response.Failures[i].Sent)
	}
}

func TestBlockingCommandsDelayNobodyOnTheirOwnNode(t *testing.T) {
	f := fakeCluster(t)
	pushed := make(barrier)
	f.three.On("BLPOP", pushed.before(fakenode.Array(fakenode.Bulk("foo"), fakenode.Bulk("v"))))
	client := openFakes(t, f)
	waiting := crowd(t, client, 30, func(int) *Request { return command("BLPOP", "foo", "0") })
	require.Eventually(t, func() bool { return len(f.three.Got("BLPOP")) == 30 }, 10*time.Second, time.Millisecond)
	for range 10 {
		crowd(t, client, 20, func(int) *Request { return patiently(command("SET", "foo", "v")) }).Wait()
	}
	close(pushed)
	waiting.Wait()
}

func TestThoseWhoWaitBehindASlowReplyLeaveAtTheirDeadlinesWithNothingSent(t *testing.T) {
	f := fakeCluster(t)
	slow := make(barrier)
	f.three.On("GET {foo}slow", slow.before(fakenode.Bulk("v")))
	client := openFakes(t, f)
	waiting := crowd(t, client, 1, func(int) *Request { return patiently(command("GET", "{foo}slow")) })
	require.Eventually(t, func() bool { return len(f.three.Got("GET {foo}slow")) == 1 }, 10*time.Second, time.Millisecond)
	for range 3 {
		hasty := command("INCR", "foo")
		hasty.Timeout = 100 * time.Millisecond
		late := failure(t, client, hasty)
		require.Equal(t, StatusTimeout, late.Status)
		require.Equal(t, late.Sent, len(f.three.Got("INCR")) > 0, late.Message)
	}
	close(slow)
	waiting.Wait()
	run(t, client, command("GET", "foo"))
}

// bound is how many requests are for a node by now, in line or until they go to it again.
func bound(client *Client, node *fakenode.Node) int64 {
	client.links.mu.RLock()
	defer client.links.mu.RUnlock()
	p := client.links.peers[mustParse(node.Address())]
	waiting := p.pausing.Load()
	for _, l := range p.links {
		if l != nil {
			waiting += l.users.Load()
		}
	}
	return waiting
}

func TestANodeThatDoesNotAnswerLeavesPlacesToTheOthers(t *testing.T) {
	const limit = 40
	for name, fault := range map[string]func(f *fakes) (mend func()){
		"stuck": func(f *fakes) func() {
			stuck := make(barrier)
			f.three.On("INCR", stuck.before(fakenode.Int(1)))
			return func() { close(stuck) }
		},
		"gone": func(f *fakes) func() {
			f.three.On("INCR", fakenode.Int(1))
			f.three.Refuse()
			f.three.CloseConnections()
			return func() { require.NoError(t, f.three.Listen()) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fakeCluster(t)
			client := open(t, Config{RefreshEvery: -1, InflightLimit: limit}, f.one.Address())
			run(t, client, command("SET", "foo", "v"))
			mend := fault(f)
			wait := func(i int) *Request { return patiently(command("INCR", "{foo}"+strconv.Itoa(i))) }
			first := crowd(t, client, limit/2, wait)
			eventually(t, func() bool {
				return client.links.crowd(mustParse(f.three.Address()), client.config.silence()) >= limit/reserve
			})
			more := crowd(t, client, limit/4, wait)
			eventually(t, func() bool { return bound(client, f.three) == limit*3/4 })
			turnedAway := 0
			for range 50 {
				others := crowd(t, client, limit/4-1, func(i int) *Request {
					return patiently(command("SET", []string{"bar", "test"}[i%2], "v"))
				})
				hasty := command("INCR", "foo")
				hasty.Timeout = 200 * time.Millisecond
				refused := failure(t, client, hasty)
				require.False(t, refused.Sent)
				require.True(t, refused.Retryable)
				if strings.Contains(refused.Message, "are for other nodes") {
					require.Equal(t, StatusConnection, refused.Status)
					turnedAway++
				}
				others.Wait()
			}
			require.Greater(t, turnedAway, 25, "the others come and go between two tries of a node that is gone")
			mend()
			first.Wait()
			more.Wait()
			run(t, client, command("INCR", "foo"))
		})
	}
}

func TestANodeThatWasIdleIsNotTakenForOneThatDoesNotAnswer(t *testing.T) {
	f := fakeCluster(t)
	client := openFakes(t, f)
	run(t, client, command("GET", "foo"))
	l, err := client.links.to(mustParse(f.three.Address()), routing.Primary)
	require.NoError(t, err)
	const silence = 10 * time.Millisecond
	time.Sleep(2 * silence)
	begin := func() { // as many that come at once do, before the first of them has been sent
		l.lane.mu.Lock()
		defer l.lane.mu.Unlock()
		l.lane.led, l.lane.queue = true, make([]*errand, 30)
	}
	begin()
	require.Zero(t, l.lane.crowd(false, silence))
	l.lane.progress.Store(time.Now().Add(-2 * silence).UnixNano())
	require.EqualValues(t, 30, l.lane.crowd(false, silence))
	l.lane.queue = nil
	require.True(t, l.lane.pass())
}
