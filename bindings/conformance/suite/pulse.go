package suite

import (
	"sync/atomic"
	"time"
)

// pulse watches over the machine: where a goroutine that wants to run every few milliseconds does
// not get to, deadlines pass that nobody is to blame for.
type pulse struct {
	latest atomic.Int64 // stall, as Unix nanoseconds of its end
	stop   chan struct{}
}

const (
	beat  = 5 * time.Millisecond
	stall = 20 * time.Millisecond
	calm  = 200 * time.Millisecond
)

func startPulse() *pulse {
	p := &pulse{stop: make(chan struct{})}
	go func() {
		for last := time.Now(); ; {
			select {
			case <-p.stop:
				return
			case <-time.After(beat):
			}
			now := time.Now()
			if now.Sub(last) > beat+stall {
				p.latest.Store(now.UnixNano())
			}
			last = now
		}
	}()
	return p
}

func (p *pulse) end() { close(p.stop) }

// stalledSince says whether the machine stood still after a time, at least for a moment.
func (p *pulse) stalledSince(then time.Time) bool { return p.latest.Load() > then.UnixNano() }

// settle waits until the machine has run well for a while, but not for long.
func (p *pulse) settle() {
	eventually(10*time.Second, func() bool { return !p.stalledSince(time.Now().Add(-calm)) })
}
