package routing

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// thousand is a cluster of 500 shards with a replica each.
func thousand(b *testing.B) *Snapshot { return clusterOf(500).snapshot(b) }

func clusterOf(shards int64) (topology vectorTopology) {
	for i := int64(0); i < shards; i++ {
		first, last := i*SlotCount/shards, (i+1)*SlotCount/shards-1
		topology.Ranges = append(topology.Ranges, vectorRange{first, last,
			fmt.Sprintf("10.0.%d.%d:7001", i/250, i%250), []string{fmt.Sprintf("10.1.%d.%d:7001", i/250, i%250)}})
	}
	return topology
}

func BenchmarkPlanOfAKeyedCommand(b *testing.B) {
	snapshot, request, p := three(b), &Request{Words: words("GET", "foo")}, new(Plan)
	b.ReportAllocs()
	for b.Loop() {
		_ = planner.Plan(p, request, snapshot)
	}
}

func BenchmarkPlanOf100KeysOverAllSlots(b *testing.B) {
	snapshot, request, p := three(b), &Request{Words: words("MGET")}, new(Plan)
	for i := range 100 {
		request.Words = append(request.Words, []byte(fmt.Sprintf("key:%d", i)))
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = planner.Plan(p, request, snapshot)
	}
}

func BenchmarkSlotOf16Bytes(b *testing.B) {
	key := []byte("0123456789abcdef")
	for b.Loop() {
		SlotOf(key)
	}
}

func BenchmarkPlanIn1000Nodes(b *testing.B) {
	snapshot, request, p := thousand(b), &Request{Words: words("GET", "foo")}, new(Plan)
	for b.Loop() {
		_ = planner.Plan(p, request, snapshot)
	}
}

// The same while another thread publishes one new snapshot after the other.
func BenchmarkPlanIn1000NodesWhileTheSnapshotIsSwapped(b *testing.B) {
	var current atomic.Pointer[Snapshot]
	current.Store(thousand(b))
	stop, stopped := make(chan struct{}), make(chan struct{})
	swaps := 0
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				s := current.Load()
				current.Store(s.Moved(Slot(swaps%SlotCount), s.Nodes()[swaps%2*2].Address))
				swaps++
			}
		}
	}()
	request, p := &Request{Words: words("GET", "foo")}, new(Plan)
	for b.Loop() {
		_ = planner.Plan(p, request, current.Load())
	}
	close(stop)
	<-stopped
	b.ReportMetric(float64(swaps)/b.Elapsed().Seconds(), "swaps/s")
}

func BenchmarkMovedIn1000Nodes(b *testing.B) {
	snapshot := thousand(b)
	for i := 0; b.Loop(); i++ {
		snapshot.Moved(Slot(i%SlotCount), snapshot.Nodes()[i%2*2].Address)
	}
}

func BenchmarkSnapshotOf6Nodes(b *testing.B)    { benchmarkSnapshot(b, 3) }
func BenchmarkSnapshotOf1000Nodes(b *testing.B) { benchmarkSnapshot(b, 500) }

func benchmarkSnapshot(b *testing.B, shards int64) {
	topology := clusterOf(shards)
	for b.Loop() {
		chosen, err := Agree([]*View{topology.view(b)}, 1, true)
		require.NoError(b, err)
		chosen.Snapshot(Unknown())
	}
}
