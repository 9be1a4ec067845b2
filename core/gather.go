package core

import (
	"sync/atomic"
	"time"
)

// Where a few threads call at the same time, those whose replies one leader has brought come back
// within microseconds of each other. A leader that sends at once has its own request alone in the
// exchange, and the others have to wait for the next. So it lets the threads that are ready run first:
// they join it, and one exchange, with one write and one read here and at the server, is for all of
// them. With 8 threads an exchange then holds 4 requests in place of 1.8.
//
// Where many call, enough of them wait without that, and to gather all would leave the server idle
// meanwhile.

const (
	// fewCompanions is up to how many requests may be under way on a client for a leader to gather.
	fewCompanions = 9
	// A machine that is busy with something else runs that, for a slice of its scheduler: a gathering
	// that took longGather is followed by none for gatherPause.
	longGather  = 1500 * time.Microsecond
	gatherPause = 500 * time.Millisecond
)

// gathering is what the leaders of a process have found out about its machine.
type gathering struct {
	yield func() // lets the threads run that are ready
	start time.Time
	from  atomic.Int64 // nanoseconds after start: none before that
}

var leaders = newGathering(yieldThread)

func newGathering(yield func()) *gathering { return &gathering{yield: yield, start: time.Now()} }

// gather lets other threads run that may have something for the lane.
func (g *gathering) gather() {
	began := time.Since(g.start)
	if int64(began) < g.from.Load() {
		return
	}
	g.yield()
	if ended := time.Since(g.start); ended-began > longGather {
		g.from.Store(int64(ended + gatherPause))
	}
}
