package suite

import (
	"sync/atomic"
	"time"
)

// pulse watches over the machine: where a goroutine that wants to run every few milliseconds does
// not get to, deadlines pass that nobody is to blame for.
type pulse struct {
	stalls atomic.Int64
	stop   chan struct{}
}

const (
	beat  = 5 * time.Millisecond
	stall = 50 * time.Millisecond
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
				p.stalls.Add(1)
			}
			last = now
		}
	}()
	return p
}

func (p *pulse) end() { close(p.stop) }
