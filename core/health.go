package core

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"time"

	"libglide/routing"
)

// health is what a client knows of a node from the traffic it had: nobody asks a node just to
// know.
type health struct {
	downUntil atomic.Int64  // Unix nanoseconds; a connection failed, so choose others until then
	average   atomic.Uint64 // bits of a float64: seconds that an exchange takes, the latest counting most
}

const (
	// A node that could not be connected to is tried again after so long.
	downTime = time.Second
	// A node that has not answered for so long when the deadline passes counts as down.
	patience = 100 * time.Millisecond
	// weight of the latest exchange in the average.
	weight = 0.1
)

// failed counts a connection that could not be made.
func (h *health) failed() { h.downUntil.Store(time.Now().Add(downTime).UnixNano()) }

// gaveUp says that a failure tells nothing of the node: the caller stopped waiting, or never had
// the time.
func gaveUp(ctx context.Context, began time.Time) bool {
	return ctx.Err() != nil && (errors.Is(ctx.Err(), context.Canceled) || time.Since(began) < patience)
}

// shun leaves a node out of choices for a while: it answers, and says that it cannot serve.
func (s *links) shun(node *routing.Node) {
	if p := s.at(node.Endpoint); p != nil {
		p.health.failed()
	}
}

// took counts an exchange on a connection that stood already. Of two at once one may be lost; an
// average can bear that.
func (h *health) took(elapsed time.Duration) {
	latest := elapsed.Seconds()
	if before := math.Float64frombits(h.average.Load()); before != 0 {
		latest = before + weight*(latest-before)
	}
	h.average.Store(math.Float64bits(latest))
}

// latency is the average as a duration.
func (h *health) latency() time.Duration {
	return time.Duration(math.Float64frombits(h.average.Load()) * float64(time.Second))
}

// answered ends what failed began.
func (h *health) answered() {
	if h.downUntil.Load() != 0 {
		h.downUntil.Store(0)
	}
}

// usable says whether a node may be chosen where there is a choice.
func (s *links) usable(node *routing.Node) bool {
	p := s.at(node.Endpoint)
	if p == nil {
		return true
	}
	until := p.health.downUntil.Load()
	return until == 0 || time.Now().UnixNano() > until
}

// latency is the average of a node in seconds, 0 where it was not asked yet.
func (s *links) latency(node *routing.Node) float64 {
	p := s.at(node.Endpoint)
	if p == nil {
		return 0
	}
	return math.Float64frombits(p.health.average.Load())
}
