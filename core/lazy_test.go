package core

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

func openLazily(t *testing.T, f *fakes) *Client {
	return open(t, Config{Lazy: true, RefreshEvery: -1}, f.one.Address())
}

func connections(f *fakes) int {
	return f.one.Connections() + f.two.Connections() + f.three.Connections() + f.replica.Connections()
}

func TestALazyClientConnectsWithItsFirstRequestAndNotBefore(t *testing.T) {
	f := fakeCluster(t)
	f.three.On("GET foo", fakenode.Bulk("v"))
	client := open(t, Config{Lazy: true, RefreshEvery: time.Millisecond}, f.one.Address())
	require.Empty(t, client.Topology().Nodes())
	_, err := client.Resolve(&command("GET", "foo").Request)
	require.ErrorContains(t, err, "no nodes")
	time.Sleep(20 * time.Millisecond) // twenty times of a look at the topology
	require.Zero(t, connections(f))
	require.Equal(t, routing.Bulk("v"), run(t, client, command("GET", "foo")).Value)
	require.Len(t, client.Topology().Nodes(), 4)
}

func TestEveryKindOfRequestMayBeTheFirst(t *testing.T) {
	first := map[string]func(*Client) error{
		"all nodes": func(c *Client) error {
			_, err := c.Execute(command("CONFIG", "SET", "a", "b"))
			return err
		},
		"slot route": func(c *Client) error {
			_, err := c.Execute(command("PING").to(slotRoute(routing.Replica, 12182)))
			return err
		},
		"split command": func(c *Client) error {
			_, err := c.Execute(command("MSET", "foo", "1", "bar", "2"))
			return err
		},
		"batch": func(c *Client) error {
			_, err := c.ExecuteBatch(batchOf(false, []string{"SET", "foo", "1"}, []string{"SET", "bar", "2"}))
			return err
		},
		"scan": func(c *Client) error {
			_, _, err := c.Scan(&ScanRequest{})
			return err
		},
		"password": func(c *Client) error {
			_, err := c.UpdatePassword(&PasswordUpdate{Password: "p", Immediate: true})
			return err
		},
	}
	for name, request := range first {
		f := fakeCluster(t)
		for _, node := range []*fakenode.Node{f.one, f.two, f.three} {
			node.On("SCAN", fakenode.Array(fakenode.Bulk("0"), fakenode.Array()))
		}
		require.NoError(t, request(openLazily(t, f)), name)
	}
}

func TestFirstRequestsAtOnceShareOneAttemptToConnect(t *testing.T) {
	f := fakeCluster(t)
	f.one.On("CLUSTER INFO", fakenode.Late(fakenode.Bulk(""), 100*time.Millisecond))
	client := openLazily(t, f)
	var callers sync.WaitGroup
	for range 20 {
		callers.Go(func() {
			if _, err := client.Execute(command("SET", "foo", "1")); err != nil {
				t.Error(err)
			}
		})
	}
	callers.Wait()
	require.Len(t, f.one.Got("CLUSTER SLOTS"), 1)
}

func TestAFirstConnectThatFailedIsTriedAgainByTheNextRequest(t *testing.T) {
	f := fakeCluster(t)
	client := openLazily(t, f)
	f.one.Refuse()
	failed := failure(t, client, command("SET", "foo", "1"))
	require.Equal(t, StatusConnection, failed.Status)
	require.Contains(t, failed.Message, "no usable server: "+f.one.Address())
	require.False(t, failed.Sent)
	require.True(t, failed.Retryable)
	require.NoError(t, f.one.Listen())
	// The address is left alone for some milliseconds after it failed.
	require.Eventually(t, func() bool {
		_, err := client.Execute(command("SET", "foo", "1"))
		return err == nil
	}, 5*time.Second, 5*time.Millisecond)
}

func TestConnectingGoesOnAfterTheFirstRequestsDeadline(t *testing.T) {
	f := fakeCluster(t)
	f.one.On("CLUSTER INFO", fakenode.Late(fakenode.Bulk(""), 400*time.Millisecond))
	client := openLazily(t, f)
	hasty := command("SET", "foo", "1")
	hasty.Timeout = 100 * time.Millisecond
	late := failure(t, client, hasty)
	require.Equal(t, StatusTimeout, late.Status)
	require.False(t, late.Sent)
	require.Contains(t, late.Message, "not connected to any of ["+f.one.Address()+"] by the deadline")
	run(t, client, command("SET", "foo", "1"))
	require.Len(t, f.one.Got("CLUSTER SLOTS"), 1, "the second request waited for the first one's attempt")
}

func TestALazyClientThatIsClosedEndsItsFirstRequest(t *testing.T) {
	f := fakeCluster(t)
	f.one.On("CLUSTER SLOTS", fakenode.Silence())
	client := openLazily(t, f)
	ended := make(chan error, 1)
	go func() {
		_, err := client.Execute(command("SET", "foo", "1"))
		ended <- err
	}()
	require.Eventually(t, func() bool { return len(f.one.Got("CLUSTER SLOTS")) == 1 }, 5*time.Second, time.Millisecond)
	require.True(t, client.Close())
	require.Equal(t, StatusClosed, (<-ended).(*Error).Status)
	require.Equal(t, StatusClosed, failure(t, client, command("SET", "foo", "1")).Status)
}

func TestAFirstRequestThatIsCancelledSaysSoAndNotThatItIsLate(t *testing.T) {
	f := fakeCluster(t)
	f.one.On("CLUSTER SLOTS", fakenode.Silence())
	client := openLazily(t, f)
	p := newPromise("SET", "foo", "1")
	client.Start(&p.Call)
	eventually(t, func() bool { return len(f.one.Got("CLUSTER SLOTS")) == 1 })
	require.False(t, p.Abandon(context.Canceled), "it is told when it no longer waits")
	<-p.done
	var given *Error
	require.ErrorAs(t, p.Err, &given)
	require.Equal(t, StatusCancelled, given.Status)
	require.Equal(t, "cancelled before any of ["+f.one.Address()+"] was connected to", given.Message)
	require.False(t, given.Sent)
	require.True(t, given.Retryable)
}
