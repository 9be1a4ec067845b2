package core

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"

	"libglide/routing"
)

// lane is the connection to a node that ordinary requests share. One caller at a time leads: it
// takes all that wait, sends them in one write, reads the replies, gives each to its owner, and
// hands the lead to the first of those who came meanwhile. So the connection never has two
// callers, requests are written in the order in which they came, system calls are shared by those
// who call at once, and a caller that is alone pays for nobody else.
//
// A caller that leads cannot leave before its exchange ends. So it leads only where that is soon:
// over a connection that stands, to a node that was quick the last time. Otherwise a goroutine of
// the lane leads, and callers leave at their deadlines.
type lane struct {
	link *link
	wire *wire

	mu     sync.Mutex
	led    bool      // somebody leads
	queue  []*errand // those who wait, in the order of their coming
	alone  *errand   // that is posted, see post.go; nothing waits behind it
	closed bool

	quick    atomic.Bool  // so was the last exchange, and its connection stands
	progress atomic.Int64 // Unix nanoseconds; when what is led at present was begun; 0: it was not yet

	// The leader's.
	words     [][][]byte
	until     until
	began     time.Time
	gathering vigil // of others before an exchange
}

// errand is what one owner wants of a node: commands in one write, a reply to each.
type errand struct {
	commands [][][]byte
	deadline time.Time // zero: none
	owner    owner
	phase    atomic.Uint32
	tries    int       // exchanges that failed before anything was written
	apart    bool      // it has the server wait: nobody goes along, and its owner, who may leave, does not lead
	batch    []*errand // what its owner carries where it leads

	// What the leader found out, for the owner when it is told.
	replies []routing.Value
	err     error // of the transport, see wasSent
	room    *room // that they are in, to be given back where returns is set; nil: none
	returns bool
}

// owner waits for an errand somewhere. It is told of one thing at a time, on the goroutine of a
// leader, and must not wait there.
type owner interface {
	// arrived says that the errand has its replies or its error.
	arrived(*errand)
	// promoted says that the owner is to lead: to call lane.lead with the errand, or to give up.
	promoted(*errand)
	// leads says whether the owner can be promoted.
	leads() bool
	// interrupted says that the owner would rather leave; asked while it leads.
	interrupted() bool
	// watches says whether an errand may be posted, and watch that its reply is to be waited for
	// at a descriptor; false: the owner does not after all.
	watches() bool
	watch(fd int, connection uint64) bool
	// company is how many requests are under way on its client, its own among them; 0: it does not say.
	company() int64
}

// begin makes an errand ready to join a lane.
func (e *errand) begin(commands [][][]byte, deadline time.Time, owner owner) {
	e.commands, e.deadline, e.owner, e.tries, e.apart, e.err = commands, deadline, owner, 0, false, nil
	e.phase.Store(phaseNew)
}

func (e *errand) leads() bool { return !e.apart && e.owner.leads() }

// interrupted says that nobody waits any more for what the server waits for: it would hold up
// those behind for nothing, perhaps for ever.
func (e *errand) interrupted() bool { return e.apart && e.phase.Load() == phaseLeft }

// The life of an errand. Who moves it on from phaseTaken owns what comes of it.
const (
	phaseNew      uint32 = iota
	phaseQueued          // in the queue
	phasePromoted        // its owner has the lead
	phaseTaken           // a leader carries it
	phaseArrived         // the leader tells the owner, or has
	phaseLeft            // the owner is gone
)

const (
	// A batch ends before its commands come to so many words or bytes.
	batchWords = 1024
	batchBytes = 64 << 10
	// slowTime is the time of an exchange from which on callers do not lead.
	slowTime = 20 * time.Millisecond
	// lateness is how long a leader may be kept beyond its own deadline, for the sake of others
	// in its batch.
	lateness = 20 * time.Millisecond
	// maxTries bounds the new connections for one errand that the server hangs up on.
	maxTries = 3
)

// join puts an errand in line. It is true where its owner leads, and then is to call lead.
func (n *lane) join(e *errand) bool {
	n.link.enter()
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		e.phase.Store(phaseTaken)
		n.tell(e, &connError{false, net.ErrClosed})
		return false
	}
	if !n.led && n.quick.Load() && e.leads() {
		n.led = true
		n.mu.Unlock()
		e.phase.Store(phasePromoted)
		return true
	}
	if !n.led && n.posts(e) {
		n.led = true
		n.mu.Unlock()
		e.phase.Store(phaseTaken)
		n.post(e)
		return false
	}
	e.phase.Store(phaseQueued)
	n.queue = append(n.queue, e)
	drive := !n.led
	n.led = true
	n.displace()
	n.mu.Unlock()
	if drive {
		go n.drive()
	}
	return false
}

// seize has an errand lead at once, or changes nothing.
func (n *lane) seize(e *errand) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.led || !n.quick.Load() {
		return false
	}
	n.link.enter()
	n.led = true
	e.phase.Store(phasePromoted)
	return true
}

// open connects, where nobody has or is about to, on the goroutine of the caller, who stays until
// that ends. An exchange that follows needs no other goroutine.
func (n *lane) open() error {
	n.link.enter()
	defer n.link.leave()
	n.mu.Lock()
	if n.closed || n.led || n.wire.stands() {
		n.mu.Unlock()
		return nil
	}
	n.led = true
	n.mu.Unlock()
	began := time.Now()
	n.progress.Store(began.UnixNano())
	err := n.wire.reach()
	n.quick.Store(err == nil && time.Since(began) < slowTime)
	n.passFrom(false)
	return err
}

// leave takes an errand back from its lane. gone is false where the owner is just being told of
// what became of it; sent says whether it may have run.
func (n *lane) leave(e *errand) (gone, sent bool) {
	n.mu.Lock()
	promoted := false
	switch e.phase.Load() {
	case phaseQueued:
		n.wire.blame()
		at := slices.Index(n.queue, e)
		n.unqueue(at, at+1)
		gone = true
	case phasePromoted:
		gone, promoted = true, true
	case phaseTaken:
		gone = e.phase.CompareAndSwap(phaseTaken, phaseLeft)
		sent = gone // its leader counts it off
		if n.alone == e {
			n.displace()
		}
	}
	if gone && !sent {
		e.phase.Store(phaseLeft)
	}
	n.mu.Unlock()
	if promoted {
		n.passFrom(false)
	}
	if gone && !sent {
		n.link.leave()
	}
	return gone, sent
}

// lead carries an errand and those that wait, on the goroutine of its owner.
func (n *lane) lead(e *errand) {
	n.carry(n.load(e), false)
}

// load makes the batch of a leader: its own errand and what may go with it.
func (n *lane) load(e *errand) []*errand {
	company := e.owner.company()
	if 1 < company && company <= fewToGather {
		n.gathering.keep(atOnce)
	}
	e.batch = append(e.batch[:0], e)
	e.batch = n.fill(e.batch, e.deadline.Add(lateness))
	n.prepare(e.batch)
	n.wire.attend(e.owner, 0 < company && company <= fewToWatch)
	return e.batch
}

// prepare makes a batch the one that the lane carries next.
func (n *lane) prepare(batch []*errand) {
	n.words = n.words[:0]
	n.until.at, n.until.endless = time.Time{}, false
	for _, e := range batch {
		n.words = append(n.words, e.commands...)
		n.until.extend(e.deadline)
	}
	n.began = time.Now()
	n.progress.Store(n.began.UnixNano())
}

// drive leads until a caller can.
func (n *lane) drive() {
	var batch []*errand
	for driving := true; driving; {
		n.progress.Store(time.Now().UnixNano())
		err := n.wire.reach()
		batch = n.fill(batch[:0], time.Time{})
		switch {
		case len(batch) == 0:
			driving = !n.pass()
		case err != nil:
			driving = !n.pass()
			n.tellAll(batch, err)
		default:
			n.prepare(batch)
			n.wire.attend(batch[0], false)
			driving = !n.carry(batch, true)
		}
	}
}

// fill adds to a batch what waits, up to what one write should hold, and to the first that would
// stay beyond a time; zero: no such time.
func (n *lane) fill(batch []*errand, latest time.Time) []*errand {
	words, bytes := 0, 0
	for _, e := range batch {
		e.phase.Store(phaseTaken)
		words, bytes = e.weigh(words, bytes)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	taken := 0
	for _, e := range n.queue {
		late := !latest.IsZero() && (e.deadline.IsZero() || e.deadline.After(latest))
		words, bytes = e.weigh(words, bytes)
		if late || len(batch) > 0 && (e.apart || words > batchWords || bytes > batchBytes) {
			break
		}
		e.phase.Store(phaseTaken)
		batch = append(batch, e)
		if taken++; e.apart {
			break
		}
	}
	n.unqueue(0, taken)
	return batch
}

// unqueue removes some of those who wait.
func (n *lane) unqueue(from, to int) {
	rest := append(n.queue[:from], n.queue[to:]...)
	clear(n.queue[len(rest):])
	n.queue = rest
}

// weigh adds the errand to a count of words and bytes.
func (e *errand) weigh(words, bytes int) (int, int) {
	for _, command := range e.commands {
		words += len(command)
	}
	return words, bytes + weightOf(e.commands)
}

// carry sends the batch that is prepared, passes the lead on, and gives each errand what became of
// it; the leader's own comes first in the batch and is told last, since its batch may be gone after
// that. It is false where the goroutine of the lane, driving, keeps the lead.
func (n *lane) carry(batch []*errand, driving bool) (passed bool) {
	results, err := n.wire.exchange(&n.until, n.words)
	n.quick.Store(err == nil && time.Since(n.began) < slowTime)
	if errors.Is(err, errIdleClosed) {
		return n.sendAgain(batch, err, driving)
	}
	if err == nil {
		for _, e := range batch {
			if in := n.wire.flat; in != nil {
				e.take(in)
			} else {
				e.read(results[:len(e.commands)])
				results = results[len(e.commands):]
			}
			n.link.counters.heard(e.replies)
		}
	}
	n.wire.forget()
	clear(n.words)
	passed = n.passFrom(driving)
	n.tellAll(batch, err)
	return passed
}

func (n *lane) tellAll(batch []*errand, err error) {
	for i := len(batch) - 1; i >= 0; i-- {
		n.tell(batch[i], err)
	}
}

// passFrom is pass for a leader that, if nobody can take the lead, leaves it to a goroutine.
func (n *lane) passFrom(driving bool) bool {
	passed := n.pass()
	if !passed && !driving {
		go n.drive()
	}
	return passed
}

// pass hands the lead to the first of those who wait, or lays it down where nobody does. It is
// false where the first cannot lead.
func (n *lane) pass() bool {
	n.mu.Lock()
	if len(n.queue) == 0 {
		n.led = false
		n.progress.Store(0)
		n.mu.Unlock()
		return true
	}
	first := n.queue[0]
	if !n.quick.Load() || !first.leads() {
		n.mu.Unlock()
		return false
	}
	n.unqueue(0, 1)
	first.phase.Store(phasePromoted)
	n.mu.Unlock()
	first.owner.promoted(first)
	return true
}

// sendAgain puts a batch of which nothing was written back to the head of the queue.
func (n *lane) sendAgain(batch []*errand, err error, driving bool) bool {
	var again, tired []*errand
	n.mu.Lock()
	for _, e := range batch {
		e.tries++
		switch {
		case e.tries == maxTries || n.closed:
			tired = append(tired, e)
		case e.phase.CompareAndSwap(phaseTaken, phaseQueued):
			again = append(again, e)
		default:
			n.link.leave() // its owner has left
		}
	}
	n.queue = append(again, n.queue...)
	n.mu.Unlock()
	for _, e := range tired {
		n.tell(e, err)
	}
	return n.passFrom(driving)
}

// take has the replies to the errand's commands from a room.
func (e *errand) take(in *room) {
	if !e.returns {
		e.replies = in.takeAway(e.replies[:0], len(e.commands))
		return
	}
	e.replies = in.take(e.replies[:0], len(e.commands))
	e.room = in.share()
}

// read has them from the library.
func (e *errand) read(results []valkey.ValkeyResult) {
	e.replies = e.replies[:0]
	for i := range results {
		message, _ := results[i].ToMessage()
		var reply routing.Value
		var err error
		if e.returns && len(results) == 1 {
			reply, e.room, err = parseInto(&message)
		} else {
			reply, err = parseReply(&message)
		}
		if err != nil {
			e.err = &unreadable{err}
			return
		}
		e.replies = append(e.replies, reply)
	}
}

// leaveRoom lets go of the replies.
func (e *errand) leaveRoom() {
	if e.room != nil {
		e.room.giveBack()
		e.room = nil
	}
}

// tell gives the owner what became of its errand, if it still waits.
func (n *lane) tell(e *errand, err error) {
	if err != nil {
		e.err = err
	}
	if e.phase.CompareAndSwap(phaseTaken, phaseArrived) {
		e.owner.arrived(e)
	}
	n.link.leave()
}

// close ends the exchange that runs and turns away those who wait.
func (n *lane) close() {
	n.mu.Lock()
	n.closed = true
	waiting := n.queue
	n.queue = nil
	for _, e := range waiting {
		e.phase.Store(phaseTaken)
	}
	n.displace()
	n.mu.Unlock()
	n.wire.close()
	for _, e := range waiting {
		n.tell(e, &connError{false, net.ErrClosed})
	}
}

// until is the context of an exchange: it ends at a time, or with its link. It is the lane's, used
// again and again; what the library derives from it may look at Done later, so the link stays.
type until struct {
	link    *link
	at      time.Time
	endless bool
}

// extend lets it last until a later time; zero: for ever.
func (u *until) extend(at time.Time) {
	u.endless = u.endless || at.IsZero()
	if at.After(u.at) {
		u.at = at
	}
}

func (u *until) Deadline() (time.Time, bool) { return u.at, !u.endless }
func (u *until) Done() <-chan struct{}       { return u.link.life.Done() }
func (u *until) Value(any) any               { return nil }

func (u *until) Err() error {
	if err := u.link.life.Err(); err != nil {
		return err
	}
	if !u.endless && !time.Now().Before(u.at) {
		return context.DeadlineExceeded
	}
	return nil
}

// waiter is the owner of an errand that waits on a goroutine, as long as its context lasts; nil:
// as long as it takes.
type waiter struct {
	told chan struct{}
	ctx  context.Context
}

func (w *waiter) arrived(*errand)  { w.told <- struct{}{} }
func (w *waiter) promoted(*errand) { w.told <- struct{}{} }
func (w *waiter) leads() bool      { return true }
func (w *waiter) interrupted() bool {
	return w.ctx != nil && errors.Is(w.ctx.Err(), context.Canceled) // a deadline is the socket's
}
func (w *waiter) watches() bool          { return false }
func (w *waiter) watch(int, uint64) bool { return false }
func (w *waiter) company() int64         { return 0 }

// exchange runs an errand for a caller that waits here.
func (n *lane) exchange(ctx context.Context, commands [][][]byte, apart bool) ([]routing.Value, error) {
	// Room for both: told that it leads, it may leave without having looked.
	w := &waiter{make(chan struct{}, 2), ctx}
	e := new(errand)
	deadline, _ := ctx.Deadline()
	e.begin(commands, deadline, w)
	e.apart = apart
	if err := ctx.Err(); err != nil {
		return nil, &connError{false, err}
	}
	if n.join(e) {
		n.lead(e)
	}
	return n.await(ctx, e, w)
}

// await waits for an errand that joined, and leads when it is promoted.
func (n *lane) await(ctx context.Context, e *errand, w *waiter) ([]routing.Value, error) {
	for {
		select {
		case <-w.told:
			if e.phase.Load() == phasePromoted {
				n.lead(e)
				continue
			}
			return e.replies, e.err
		case <-ctx.Done():
			if gone, sent := n.leave(e); gone {
				return nil, &connError{sent, ctx.Err()}
			}
			<-w.told // it is being told
			return e.replies, e.err
		}
	}
}
