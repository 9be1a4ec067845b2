package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func waiting(w *wheel, waits ...time.Duration) (calls []*call) {
	for i, wait := range waits {
		k := &call{submitted: true, turn: uint64(i + 1)}
		w.add(k, wait)
		calls = append(calls, k)
	}
	return calls
}

// lateBy is what is due once so much time has passed since the last look.
func lateBy(w *wheel, passed time.Duration) (turns []uint64) {
	w.timer.Stop()
	w.start = w.start.Add(-passed)
	for _, late := range w.late() {
		turns = append(turns, late.turn)
	}
	return turns
}

func TestACallIsLateAfterItsDeadlineAndNotBefore(t *testing.T) {
	w := newWheel()
	waiting(w, time.Hour, time.Hour+time.Minute, time.Hour+2*time.Minute)
	require.Empty(t, lateBy(w, time.Hour-time.Second))
	require.Equal(t, []uint64{1}, lateBy(w, 2*time.Second))
	require.Empty(t, lateBy(w, 30*time.Second))
	require.ElementsMatch(t, []uint64{2, 3}, lateBy(w, time.Hour), "a long sleep of the machine")
	require.False(t, w.running)
}

func TestCallsThatShareABucketAreTakenOutOneByOne(t *testing.T) {
	w := newWheel()
	round := wheelSize * tick
	calls := waiting(w, time.Hour, time.Hour, time.Hour+round, time.Hour, time.Hour+2*round)
	w.remove(calls[1])
	w.remove(calls[1])
	require.ElementsMatch(t, []uint64{1, 4}, lateBy(w, time.Hour+round/2))
	w.remove(calls[4])
	require.Equal(t, []uint64{3}, lateBy(w, round))
	require.Zero(t, w.count)
	waiting(w, time.Second)
	require.True(t, w.running)
	require.Equal(t, []uint64{1}, lateBy(w, 2*time.Second))
}
