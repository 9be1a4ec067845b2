package core

import (
	"math/rand/v2"
	"sync"
	"time"
)

// cause is why a look at the topology is wanted.
type cause uint8

const (
	ofTrouble cause = iota // a node is lost, or says that it cannot serve
	ofMoved                // a MOVED, which has put its own slot right already
	causes
)

// The pauses between looks for trouble, however much of it there is: at first so short that a
// shard's new primary is found at once, then a sixteenth of the time that the trouble lasts, so
// that a long outage costs little and its end is still found soon.
const (
	refreshFloor   = 100 * time.Millisecond
	refreshCeiling = 2 * time.Second
	refreshShare   = 16
	// A cause so long after the last one is new trouble.
	refreshCalm = 5 * time.Second
)

// The pauses between looks for MOVED. While many slots move every one of them says so, to every
// client; each has cost its caller one redirect and the next caller none. The pause doubles while
// looks find nothing that redirects have not told.
const (
	movedFloor   = time.Second
	movedCeiling = 15 * time.Second
	movedCalm    = 2 * movedCeiling
)

// pace says when the next look may begin.
type pace struct {
	mu       sync.Mutex
	wanted   [causes]bool
	earliest [causes]time.Time
	since    time.Time // the trouble began, or a look last found something new
	last     [causes]time.Time
	moved    time.Duration // the pause after the next look that finds nothing; 0: the floor
}

// asked counts a cause for a look.
func (p *pace) asked(now time.Time, what cause) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case what == ofTrouble && now.Sub(p.last[what]) > refreshCalm:
		p.since = now
	case what == ofMoved && now.Sub(p.last[what]) > movedCalm:
		p.moved, p.earliest[ofMoved] = 0, time.Time{}
	}
	p.wanted[what], p.last[what] = true, now
}

// due is readable when a cause that was counted may have its look; it is nil where there is none.
func (p *pace) due(now time.Time) <-chan time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	var first time.Time
	any := false
	for what, wanted := range p.wanted {
		if wanted && (!any || p.earliest[what].Before(first)) {
			first, any = p.earliest[what], true
		}
	}
	if !any {
		return nil
	}
	return time.After(first.Sub(now))
}

// begins says that a look begins, which serves for every cause until now.
func (p *pace) begins() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.wanted[:])
}

// looked ends a look.
func (p *pace) looked(now time.Time, found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if found {
		p.since, p.moved = now, 0
	}
	pause := refreshFloor
	if share := now.Sub(p.since) / refreshShare; share > pause && now.Sub(p.last[ofTrouble]) <= refreshCalm {
		// The many clients of a cluster meet the same trouble at the same time.
		share = min(share, refreshCeiling)
		pause = share*3/4 + rand.N(share/2)
	}
	p.earliest[ofTrouble] = now.Add(pause)
	p.moved = max(p.moved, movedFloor)
	p.earliest[ofMoved] = now.Add(p.moved*3/4 + rand.N(p.moved/2))
	if !found {
		p.moved = min(p.moved*2, movedCeiling)
	}
}

// next is when any look may begin.
func (p *pace) next() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.earliest[ofTrouble]
}
