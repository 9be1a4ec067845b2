package core

import (
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
	group  []*flight
	lane   *lane
	loaded []*errand // what it carries while it leads
	call   *Call     // whose thread this is; nil: a goroutine
}

func newTrip(l *link, group []*flight, commands [][][]byte, deadline time.Time) *trip {
	t := &trip{lane: &l.lane, group: group, waiter: waiter{told: make(chan struct{}, 2)}}
	t.begin(commands, deadline, t)
	t.apart = waitInLine(group)
	return t
}

// leads: a trip may take the lead of a lane that nobody leads, and is not promoted later, when its
// goroutine may wait for another node.
func (t *trip) leads() bool { return t.phase.Load() == phaseNew }

func (t *trip) interrupted() bool {
	if t.call != nil {
		return t.call.Owner.Interrupted()
	}
	return t.waiter.interrupted()
}

// join puts every trip in line.
func (v convoy) join() {
	for _, t := range v {
		if t.lane.join(&t.errand) {
			t.loaded = t.lane.load(&t.errand)
		}
	}
}

// seize has every trip lead its lane, or changes nothing.
func (v convoy) seize() bool {
	for i, t := range v {
		if t.apart || !t.lane.seize(&t.errand) {
			for _, seized := range v[:i] {
				seized.lane.leave(&seized.errand)
				seized.phase.Store(phaseNew)
			}
			return false
		}
	}
	for _, t := range v {
		t.loaded = t.lane.load(&t.errand)
	}
	return true
}

// lead carries the trips that lead.
func (v convoy) lead() {
	var led convoy
	for _, t := range v {
		if t.loaded != nil {
			led = append(led, t)
		}
	}
	if len(led) > 1 {
		for _, t := range led {
			t.lane.wire.sendAhead(&t.lane.until, t.lane.words)
		}
	}
	for len(led) > 0 {
		led = led.arrive()
	}
}

// good says whether all trips have arrived, and no reply is an error.
func (v convoy) good() bool {
	for _, t := range v {
		if t.phase.Load() != phaseArrived || t.err != nil || anyError(t.replies) {
			return false
		}
	}
	return true
}

// arrive waits until a node answers, or a deadline passes, and gives those that are still to come.
func (v convoy) arrive() (left convoy) {
	fds := make([]unix.PollFd, len(v))
	slice := waitSlice
	for i, t := range v {
		fds[i] = unix.PollFd{Fd: t.lane.wire.descriptor(), Events: unix.POLLIN}
		if fds[i].Fd < 0 {
			slice = 0
		}
	}
	if len(v) > 1 {
		answered, _ := unix.Poll(fds, int(slice/time.Millisecond)) // who reads will see what is wrong
		if answered <= 0 && v[0].interrupted() {
			v.hasten()
		}
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

// hasten brings the deadlines forward after an interrupt: see lastWords.
func (v convoy) hasten() {
	last := time.Now().Add(lastWords)
	for _, t := range v {
		if until := &t.lane.until; until.endless || until.at.After(last) {
			until.at, until.endless = last, false
		}
	}
}
