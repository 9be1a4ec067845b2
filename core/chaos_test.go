package core

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"libglide/bindings/conformance/cluster"
	"libglide/routing"
)

// writers keep counting on one key for each shard until they are told to stop.
type writers struct {
	stop    chan struct{}
	stopped sync.WaitGroup
	good    [3]atomic.Int64          // increments that were acknowledged, by shard
	unsure  [3]atomic.Int64          // that failed and may have run
	unsent  [3]atomic.Int64          // that failed and did not run
	first   [3]atomic.Pointer[Error] // the first failure of each shard
}

// The keys are of the three shards of a usual cluster, in their order.
var shardKeys = [3]string{"bar", "test", "foo"}

func startWriters(client *Client, each int) *writers {
	w := &writers{stop: make(chan struct{})}
	for shard, key := range shardKeys {
		for range each {
			w.stopped.Go(func() { w.write(client, shard, key) })
		}
	}
	return w
}

func (w *writers) write(client *Client, shard int, key string) {
	for {
		select {
		case <-w.stop:
			return
		default:
		}
		_, err := client.Execute(command("INCR", key))
		if err == nil {
			w.good[shard].Add(1)
			continue
		}
		failed := err.(*Error)
		w.first[shard].CompareAndSwap(nil, failed)
		if failed.Sent && failed.Status != StatusServer {
			w.unsure[shard].Add(1)
		} else {
			w.unsent[shard].Add(1)
		}
	}
}

func (w *writers) end() {
	close(w.stop)
	w.stopped.Wait()
}

// counts reads the counters themselves.
func counts(t *testing.T, client *Client) (found [3]int64) {
	for shard, key := range shardKeys {
		value := run(t, client, command("INCRBY", key, "0")).Value
		found[shard] = value.Integer
	}
	return found
}

// require holds the counters against what the writers were told: nothing acknowledged is missing,
// and nothing was counted twice.
func (w *writers) require(t *testing.T, found [3]int64) {
	t.Helper()
	for shard := range shardKeys {
		require.GreaterOrEqual(t, found[shard], w.good[shard].Load(), "shard %d lost writes", shard)
		require.LessOrEqual(t, found[shard], w.good[shard].Load()+w.unsure[shard].Load(), "shard %d has writes twice", shard)
	}
}

func TestWritersGoOnOverPlannedFailoversAndMovingSlotsWithoutLosingOrDoublingAnything(t *testing.T) {
	c := cluster.Run(t, cluster.Options{})
	client := open(t, Config{RequestTimeout: 2 * time.Second}, c.Addresses()...)
	w := startWriters(client, 3)
	for range 2 {
		for _, shard := range []int{0, 1, 2} {
			slot := int(routing.SlotOf([]byte(shardKeys[shard])))
			for _, replica := range c.Replicas() {
				if replica.Primary() == c.Owner(slot) {
					require.NoError(t, c.Failover(t.Context(), replica))
					break
				}
			}
		}
		home := c.Owner(12182)
		require.NoError(t, c.MigrateSlot(t.Context(), 12182, c.Owner(0)))
		require.NoError(t, c.MigrateSlot(t.Context(), 12182, home))
	}
	w.end()
	found := counts(t, client)
	w.require(t, found)
	for shard := range shardKeys {
		require.Zero(t, w.unsent[shard].Load(), "a failover that is planned costs nobody an error: %v", w.first[shard].Load())
	}
	t.Log(found)
}

func TestAKilledPrimaryHurtsItsOwnShardOnlyAndIsReplaced(t *testing.T) {
	// With full coverage required the servers themselves refuse everything while a shard is down.
	c := cluster.Run(t, cluster.Options{Args: []string{"--cluster-require-full-coverage", "no"}})
	client := open(t, Config{RequestTimeout: time.Second}, c.Addresses()...)
	victim := c.Owner(12182)
	w := startWriters(client, 3)
	time.Sleep(200 * time.Millisecond)
	require.NoError(t, victim.Kill())
	killed := time.Now()
	before := w.good[2].Load()
	require.Eventually(t, func() bool { return w.good[2].Load() > before+10 }, 30*time.Second, time.Millisecond, "nobody took over")
	took := time.Since(killed)
	w.end()
	for shard := range 2 {
		require.Zero(t, w.unsure[shard].Load()+w.unsent[shard].Load(), "another shard was hurt: %v", w.first[shard].Load())
	}
	require.NotEqual(t, victim.Address(), client.Topology().Owner(12182).Primary.Address.String())
	t.Logf("first good write %s after the kill", took.Round(time.Millisecond))
}
