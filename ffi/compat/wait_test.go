package main

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/fakenode"
	"libglide/core"
	"libglide/routing"
)

// openFake is a synchronous client of a node that echoes the key of GET.
func openFake(t *testing.T, timeout time.Duration) (*fakenode.Node, *client) {
	node := fakenode.Start(t)
	node.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, node.Endpoint())))
	node.On("CLUSTER INFO", fakenode.Bulk("cluster_state:ok\r\ncluster_current_epoch:7\r\n"))
	node.On("GET", fakenode.Func(func(words []string) fakenode.Reply { return fakenode.Bulk(words[1]) }))
	node.Otherwise(fakenode.Simple("OK"))
	config := core.Config{RefreshEvery: -1, RequestTimeout: timeout}
	address, err := routing.ParseAddress(node.Address())
	require.NoError(t, err)
	config.Addresses = []routing.Address{address}
	made, err := core.Open(config)
	require.NoError(t, err)
	t.Cleanup(func() { made.Close() })
	return node, &client{Client: made, config: config}
}

func get(key string) *core.Request {
	return &core.Request{Request: routing.Request{Words: [][]byte{[]byte("GET"), []byte(key)}}}
}

func TestEachOfManyThreadsGetsItsOwnReply(t *testing.T) {
	_, c := openFake(t, 20*time.Second)
	var all sync.WaitGroup
	for thread := range 32 {
		all.Go(func() {
			for i := range 200 {
				key := fmt.Sprintf("%d:%d", thread, i)
				response, err := c.execute(get(key))
				if err != nil || string(response.Value.Text) != key {
					t.Errorf("%s: %q, %v", key, response.Value.Text, err)
				}
			}
		})
	}
	all.Wait()
}

func TestThreadsLeaveAtTheirDeadlinesAndTheNextCallsGoOn(t *testing.T) {
	node, c := openFake(t, 100*time.Millisecond)
	node.On("GET late", fakenode.Silence())
	for range 3 {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				_, err := c.execute(get("late"))
				var failure *core.Error
				if !errors.As(err, &failure) || failure.Status != core.StatusTimeout {
					t.Errorf("not a time-out: %v", err)
				}
			})
		}
		all.Wait()
		require.Eventually(t, func() bool {
			response, err := c.execute(get("soon"))
			return err == nil && string(response.Value.Text) == "soon"
		}, 20*time.Second, time.Millisecond)
	}
}
