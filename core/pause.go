package core

import (
	"context"
	"math/rand/v2"
	"time"
)

// The wait before a further attempt: a random time up to a bound that doubles each time.
const (
	firstPause = 2 * time.Millisecond
	maxPause   = 200 * time.Millisecond
	maxMargin  = 25 * time.Millisecond
)

// marginOf is the part of the time until a deadline that an attempt must be left with.
func marginOf(deadline time.Time) time.Duration {
	if deadline.IsZero() {
		return 0
	}
	return min(maxMargin, time.Until(deadline)/10)
}

// pause waits. It is false, without waiting, where too little time would be left for an attempt:
// the server's last word then is the answer, rather than a deadline that passes half-way.
func (f *flight) pause(ctx context.Context) bool {
	bound := min(firstPause<<min(f.waits, 10), maxPause)
	f.waits++
	pause := rand.N(bound) + time.Millisecond/4
	if deadline, has := ctx.Deadline(); has && time.Until(deadline) <= pause+f.margin {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause is that of a flight, for so many, which are counted among those who wait for their node.
func (c *Client) pause(ctx context.Context, f *flight, count int) bool {
	p := c.links.at(f.to.endpoint)
	if p == nil {
		return f.pause(ctx)
	}
	p.pausing.Add(int64(count))
	defer p.pausing.Add(-int64(count))
	return f.pause(ctx)
}
