package core

import (
	"errors"
	"syscall"
	"time"
)

// An errand is posted where its owner waits in an event loop and it is alone on a quick lane: it is
// written on the thread of the owner, which watches the connection along with whatever else it
// watches, and reads the reply itself. So a request that is alone wakes no other thread, which
// would take longer than the server does.
//
// Nobody else waits for that owner to read. As soon as another errand comes to the lane, or the
// owner does not come back, or finds a part of a reply only, a goroutine takes the lane over.

// What is written without waiting: the connection has nothing under way, so the kernel has room
// for so much.
const (
	postedBytes = 4 << 10
	postedWords = 64
)

// posts says whether the errand can be posted on the lane, which nobody leads. The lane's lock is
// held.
func (n *lane) posts(e *errand) bool {
	if !n.quick.Load() || len(e.commands) != 1 || !e.owner.watches() {
		return false
	}
	words, bytes := e.weigh(0, 0)
	return words <= postedWords && bytes <= postedBytes && n.wire.posts()
}

// post writes an errand for its owner, who is asked to watch by posted.
func (n *lane) post(e *errand) {
	e.batch = append(e.batch[:0], e)
	n.prepare(e.batch)
	n.wire.attend(nil, false)
	n.wire.sendAhead(&n.until, n.words)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.wire.descriptor() >= 0 && len(n.queue) == 0 && !n.closed {
		n.alone = e
	} else {
		go n.resume(e)
	}
}

// posted has the owner of a posted errand watch for its reply; false where it need not.
func (n *lane) posted(e *errand) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.alone != e {
		return false
	}
	if n.wire.watch(e.owner) {
		return true
	}
	n.alone = nil
	go n.resume(e)
	return false
}

// claim takes a posted errand, to be collected or resumed; false where another has it.
func (n *lane) claim(e *errand) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.alone != e {
		return false
	}
	n.alone = nil
	return true
}

// collect carries an errand that was claimed, on the thread of its owner, if its reply is there. If
// nothing is, it posts it again, which waits says, or leaves it to a goroutine at last.
func (n *lane) collect(e *errand, last bool) (waits bool) {
	whole, some := n.wire.answered()
	switch {
	case whole:
		n.carry(e.batch, false)
	case !some && !last && n.repost(e):
		return true
	default:
		go n.resume(e)
	}
	return false
}

// repost is false where the errand cannot be posted again: its owner has left meanwhile, or others wait
// behind it.
func (n *lane) repost(e *errand) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.queue) > 0 || n.closed || e.phase.Load() != phaseTaken {
		return false
	}
	n.alone = e
	return true
}

// resume carries an errand that was claimed, and leads on, on a goroutine.
func (n *lane) resume(e *errand) {
	if !n.carry(e.batch, true) {
		n.drive()
	}
}

// displace takes the posted errand from its owner for a goroutine, where there is one. The lane's
// lock is held.
func (n *lane) displace() {
	if e := n.alone; e != nil {
		n.alone = nil
		go n.resume(e)
	}
}

// posts says whether what is written now goes out as it is, on a connection that can be watched.
func (w *wire) posts() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.conn
	return c != nil && c.direct != nil && c.Conn == c.direct && c.renewal == w.link.config.credentials.now().renewal
}

// watch has an owner watch the connection.
func (w *wire) watch(owner owner) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil || w.conn.direct == nil || !w.conn.direct.enter() {
		return false
	}
	defer w.conn.direct.leave()
	return owner.watch(w.conn.direct.fd, w.conn.direct.number)
}

// answered says whether the reply to one command can be read without waiting, since it has come as a
// whole or there will be none, and whether some of it has come. That is kept for the exchange that
// reads it.
func (w *wire) answered() (whole, some bool) {
	c := w.standing()
	if c == nil || c.direct == nil || c.come != nil || !c.direct.enter() {
		return true, false
	}
	defer c.direct.leave()
	in := takeRoom()
	if cap(in.text) == 0 {
		in.widen()
	}
	n, _, err := syscall.Recvfrom(c.direct.fd, in.text[:cap(in.text)], syscall.MSG_DONTWAIT)
	if n <= 0 {
		in.giveBack()
		return !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR), false
	}
	w.link.counters.read(n)
	in.text = in.text[:n]
	c.come = in
	return isReply(in.text), true
}

// began is when the exchange that follows was begun.
func (w *wire) began() time.Time {
	if w.sent {
		return w.sentAt
	}
	return time.Now()
}
