package core

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
)

// blocked is a BLPOP that a fake node has and does not answer until the gate is open, with nil.
func blocked(t *testing.T, f *fakes) (client *Client, p *promise, gate barrier) {
	gate = make(barrier)
	f.three.On("BLPOP", gate.before(fakenode.Nil()))
	client = openFakes(t, f)
	p = newPromise("BLPOP", "foo", "0")
	client.Start(&p.Call)
	eventually(t, func() bool { return len(f.three.Got("BLPOP")) == 1 })
	return client, p, gate
}

// unblocks lists the numbers that a node was asked to unblock.
func unblocks(node *fakenode.Node) (numbers []string) {
	for _, words := range node.Got("CLIENT UNBLOCK") {
		numbers = append(numbers, words[2])
	}
	return numbers
}

func TestACommandThatBlocksAndIsCancelledIsUnblockedBeforeAnybodyIsTold(t *testing.T) {
	f := fakeCluster(t)
	asked := make(chan struct{})
	answer := make(barrier)
	f.three.On("CLIENT UNBLOCK", fakenode.Func(func([]string) fakenode.Reply {
		close(asked)
		<-answer
		return fakenode.Int(1)
	}), fakenode.Int(0))
	_, p, gate := blocked(t, f)
	require.False(t, p.Abandon(context.Canceled))
	<-asked
	require.Equal(t, []string{strconv.Itoa(connectionOf(t, f.three, "BLPOP"))}, unblocks(f.three))
	select {
	case <-p.done:
		t.Fatal("it was told while the server could still serve it")
	case <-time.After(50 * time.Millisecond):
	}
	close(gate)
	close(answer)
	<-p.done
	require.Equal(t, StatusCancelled, p.Err.(*Error).Status)
	require.True(t, p.Err.(*Error).Sent)
}

func TestACommandThatHasNotComeToBlockYetIsUnblockedAgain(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("CLIENT UNBLOCK", fakenode.Int(0), fakenode.Int(0), fakenode.Int(1))
	_, p, gate := blocked(t, f)
	require.False(t, p.Abandon(context.Canceled))
	eventually(t, func() bool { return len(unblocks(f.three)) >= 3 })
	close(gate)
	<-p.done
	require.Equal(t, StatusCancelled, p.Err.(*Error).Status)
}

func TestACommandThatMayNotBeUnblockedIsHungUpOn(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("CLIENT UNBLOCK", fakenode.Err("NOPERM this user has no permissions"))
	client, p, gate := blocked(t, f)
	defer close(gate)
	require.False(t, p.Abandon(context.Canceled))
	<-p.done
	require.Equal(t, StatusCancelled, p.Err.(*Error).Status)
	require.Equal(t, "x", string(run(t, client, command("ECHO", "x")).Value.Text))
}

func TestACommandThatBlocksBeyondItsDeadlineIsUnblockedToo(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("CLIENT UNBLOCK", fakenode.Int(1))
	gate := make(barrier)
	defer close(gate)
	f.three.On("BLPOP", gate.before(fakenode.Nil()))
	request := command("BLPOP", "foo", "0")
	request.Timeout = 200 * time.Millisecond
	failed := failure(t, openFakes(t, f), request)
	require.Equal(t, StatusTimeout, failed.Status)
	require.NotEmpty(t, unblocks(f.three))
}
