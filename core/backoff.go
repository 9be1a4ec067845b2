package core

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// Backoff says how long a node that could not be connected to is left alone: First after the first
// failure, Base times as long after each further one, up to Steps times.
type Backoff struct {
	Steps  int
	First  time.Duration
	Base   int // at least 1
	Jitter int // percent of each time, up or down; 0..100
}

// defaultBackoff ends at 160 ms: what it is for is that a thousand callers do not dial a dead node
// at once, and then again.
var defaultBackoff = Backoff{Steps: 4, First: 10 * time.Millisecond, Base: 2, Jitter: 20}

// maxBackoff bounds what a configuration may ask for. A node left alone for longer is as good as
// lost, and nobody would know why.
const maxBackoff = time.Hour

func (b Backoff) check() error {
	const name = "connection_retry_strategy"
	switch {
	case b.Base < 1:
		return NewError(StatusConfig, "%s: exponent_base %d is below 1", name, b.Base)
	case b.Jitter > 100:
		return NewError(StatusConfig, "%s: jitter_percent %d is above 100", name, b.Jitter)
	case b.length(b.Steps) > float64(maxBackoff):
		return NewError(StatusConfig, "%s: %d steps from %v at a base of %d come to more than %v", name, b.Steps, b.First, b.Base, maxBackoff)
	}
	return nil
}

// length is the time after so many steps, without jitter.
func (b Backoff) length(steps int) float64 {
	if b.First == 0 {
		return 0 // also where the power is infinite
	}
	return float64(b.First) * math.Pow(float64(b.Base), float64(steps))
}

// after is the time to leave a node alone after so many failures in a row, at least 1.
func (b Backoff) after(failures int) time.Duration {
	jitter := float64(b.Jitter) / 100 * (2*rand.Float64() - 1)
	return time.Duration(b.length(min(failures-1, b.Steps)) * (1 + jitter))
}

// gate keeps callers from dialling a node that could not be connected to. When its time has come it
// lets one of them try; the others learn what that one found.
type gate struct {
	failures atomic.Int32
	until    atomic.Int64 // Unix nanoseconds; 0: open
	last     atomic.Pointer[error]
}

// pass is nil where the caller may dial, else why the last one that did failed.
func (g *gate) pass(backoff *Backoff) error {
	until := g.until.Load()
	if until == 0 {
		return nil
	}
	now := time.Now()
	if now.UnixNano() >= until && g.until.CompareAndSwap(until, now.Add(backoff.after(int(g.failures.Load()))).UnixNano()) {
		return nil
	}
	if last := g.last.Load(); last != nil {
		return *last
	}
	return nil
}

// failed closes the gate for a while, after so many failures in a row.
func (g *gate) failed(backoff *Backoff, err error) (failures int) {
	g.last.Store(&err)
	failures = int(g.failures.Add(1))
	g.until.Store(time.Now().Add(backoff.after(failures)).UnixNano())
	return failures
}

func (g *gate) opened() {
	if g.until.Load() != 0 {
		g.failures.Store(0)
		g.until.Store(0)
	}
}

// hasten lets every node be dialled at once: what was wrong may be right now.
func (s *links) hasten() {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.peers {
		p.gate.opened()
	}
}
