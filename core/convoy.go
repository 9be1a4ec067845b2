package core

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// convoy is several errands of one owner, to as many nodes. Where it leads their lanes, it writes
// to all of them before it reads from any, on one goroutine: the nodes work at the same time, and
// nothing has to be started and woken for each.
type convoy []*trip

// trip is one errand of a convoy.
type trip struct {
	errand
	waiter
	lane   *lane
	loaded []*errand // what it carries while it leads
}

func newTrip(l *link, commands [][][]byte, deadline time.Time) *trip {
	t := &trip{lane: &l.lane, waiter: waiter{told: make(chan struct{}, 2)}}
	t.begin(commands, deadline, t)
	return t
}

// leads: a trip may take the lead of a lane that nobody leads, and is not promoted later, when its
// goroutine may wait for another node.
func (t *trip) leads() bool { return t.phase.Load() == phaseNew }

// run brings every trip to its replies or its error.
func (v convoy) run(ctx context.Context) {
	var led convoy
	for _, t := range v {
		if t.lane.join(&t.errand) {
			led = append(led, t)
			t.loaded = t.lane.load(&t.errand)
			t.lane.wire.sendAhead(&t.lane.until, t.lane.words)
		}
	}
	for len(led) > 0 {
		led = led.arrive()
	}
	for _, t := range v {
		t.replies, t.err = t.lane.await(ctx, &t.errand, &t.waiter)
	}
}

// arrive waits until a node answers, or a deadline passes, and gives those that are still to come.
func (v convoy) arrive() (left convoy) {
	fds := make([]unix.PollFd, len(v))
	for i, t := range v {
		fds[i] = unix.PollFd{Fd: t.lane.wire.descriptor(), Events: unix.POLLIN}
	}
	if len(v) > 1 {
		_, _ = unix.Poll(fds, int(waitSlice/time.Millisecond)) // who reads will see what is wrong
	}
	for i, t := range v {
		if len(v) == 1 || fds[i].Revents != 0 || fds[i].Fd < 0 || t.lane.until.Err() != nil {
			t.lane.carry(t.loaded, false)
		} else {
			left = append(left, t)
		}
	}
	return left
}
