package core

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

func TestWaitIsForTheWritesThatTheClientHasMade(t *testing.T) {
	c := cluster.Run(t, cluster.Options{Shards: 1})
	client := open(t, Config{}, c.Addresses()[0])
	run(t, client, command("SET", "foo", "1"))
	require.EqualValues(t, 1, run(t, client, command("WAIT", "1", "0")).Value.Integer)
	replica := c.Replicas()[0]
	require.NoError(t, replica.Pause())
	run(t, client, command("SET", "foo", "2"))
	require.EqualValues(t, 0, run(t, client, command("WAIT", "1", "100")).Value.Integer, "the replica stands still")
	results := runBatch(t, client, batchOf(false, []string{"SET", "foo", "3"}, []string{"WAIT", "1", "100"}))
	require.Zero(t, results[1].Integer)
	require.NoError(t, replica.Continue())
	require.EqualValues(t, 1, run(t, client, command("WAIT", "1", "0")).Value.Integer)
}

func TestWhoComesBehindAWaitIsServedOnceItIsGivenUp(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("WAIT", fakenode.Silence(), fakenode.Int(1))
	client := openFakes(t, f)
	run(t, client, command("SET", "foo", "1")) // so that the node is known to be quick
	p := newPromise("WAIT", "1", "0")
	p.Route = routing.Route{Kind: routing.RouteSlotKey, Key: []byte("foo")}
	p.leading = true
	client.Start(&p.Call)
	eventually(t, func() bool { return len(f.three.Got("WAIT")) == 1 })
	behind := crowd(t, client, 3, func(i int) *Request { return patiently(command("SET", "foo", strconv.Itoa(i))) })
	require.False(t, p.Abandon(context.Canceled), "what runs ends it")
	<-p.done
	require.Equal(t, StatusCancelled, p.Err.(*Error).Status)
	require.True(t, p.Err.(*Error).Sent)
	behind.Wait()
}

func TestABlockingCommandThatIsSentOnWaitsForTheRestOfItsTime(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("BLPOP", fakenode.Late(moved(12182, f.two), 100*time.Millisecond))
	f.two.On("BLPOP", fakenode.Nil())
	require.True(t, run(t, openFakes(t, f), command("BLPOP", "foo", "60")).Value.IsNil())
	require.Equal(t, []string{"BLPOP", "foo", "60"}, f.three.Got("BLPOP")[0])
	left, err := strconv.ParseFloat(f.two.Got("BLPOP")[0][2], 64)
	require.NoError(t, err)
	require.LessOrEqual(t, left, 59.9)
	require.Greater(t, left, 30.0)
}
