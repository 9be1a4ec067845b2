package core

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/bindings/conformance/fakenode"
	"libglide/routing"
)

// scanAll scans to the end and counts how often each key was given.
func scanAll(t testing.TB, client *Client, request ScanRequest, between func(step int)) map[string]int {
	t.Helper()
	seen := make(map[string]int)
	for step := 0; request.Cursor != routing.ScanFinished; step++ {
		cursor, keys, err := client.Scan(&request)
		require.NoError(t, err)
		for _, key := range keys {
			seen[string(key.Text)]++
		}
		request.Cursor = cursor
		if between != nil {
			between(step)
		}
	}
	return seen
}

func fill(t testing.TB, client *Client, prefix string, n int) {
	t.Helper()
	request := batchOf(false)
	for i := range n {
		request.Commands = append(request.Commands, command("SET", prefix+strconv.Itoa(i), "v").Words)
	}
	runBatch(t, client, request)
}

func TestAScanSeesEveryKeyOfEveryShard(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{}, c.Addresses()[0])
	fill(t, client, "key:", 2000)
	run(t, client, command("LPUSH", "list", "x"))
	require.Len(t, scanAll(t, client, ScanRequest{}, nil), 2001)
	require.Len(t, scanAll(t, client, ScanRequest{Match: []byte("key:1?"), Count: 1000}, nil), 10)
	require.Equal(t, map[string]int{"list": 1}, scanAll(t, client, ScanRequest{Type: "list", Count: 500}, nil))
}

func TestAScanOverASlotThatMovesAndAFailoverStillSeesEveryKey(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RefreshEvery: -1}, c.Addresses()[0])
	fill(t, client, "{foo}", 300)
	fill(t, client, "key:", 600)
	seen := scanAll(t, client, ScanRequest{Count: 50}, func(step int) {
		switch step {
		case 1:
			require.NoError(t, c.MigrateSlot(t.Context(), 12182, c.Owner(0)))
		case 3:
			for _, replica := range c.Replicas() {
				if replica.Primary() == c.Owner(6000) {
					require.NoError(t, c.Failover(t.Context(), replica))
					break
				}
			}
		}
	})
	require.Len(t, seen, 900)
}

func TestAScanOfAStandaloneServerEndsAsWell(t *testing.T) {
	node, err := cluster.StartStandalone(t.Context(), cluster.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, node.Stop()) }()
	client := open(t, Config{}, node.Address())
	fill(t, client, "key:", 100)
	require.Len(t, scanAll(t, client, ScanRequest{}, nil), 100)
}

func TestAScanStepGoesOnAfterALostConnection(t *testing.T) {
	f := fakeCluster(t)
	for _, node := range []*fakenode.Node{f.two, f.three} {
		node.On("SCAN", fakenode.Array(fakenode.Bulk("0"), fakenode.Array()))
	}
	f.one.On("SCAN", fakenode.Hangup(), fakenode.Err("CLUSTERDOWN x"), fakenode.Array(fakenode.Bulk("0"), fakenode.Array(fakenode.Bulk("k"))))
	require.Equal(t, map[string]int{"k": 1}, scanAll(t, openFakes(t, f), ScanRequest{}, nil))
}

func TestAScanThatCannotGoOnNamesWhy(t *testing.T) {
	f := fakeCluster(t)
	f.one.On("SCAN", fakenode.Err("NOPERM x"))
	client := openFakes(t, f)
	for message, request := range map[string]ScanRequest{
		"NOPERM x":         {},
		`scan cursor "no"`: {Cursor: "no"},
	} {
		_, _, err := client.Scan(&request)
		require.ErrorContains(t, err, message)
	}
	f.one.On("SCAN", fakenode.Silence())
	_, _, err := client.Scan(&ScanRequest{Timeout: 100 * time.Millisecond})
	var late *Error
	require.ErrorAs(t, err, &late)
	require.Equal(t, StatusTimeout, late.Status)
}
