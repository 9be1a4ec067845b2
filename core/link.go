package core

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"libglide/routing"
)

// link is the connections to one node in one role: the lane that ordinary requests share, and
// wires of their own for those that would hold it up.
type link struct {
	*peer
	config   *Config
	endpoint routing.Address
	role     routing.Role // a replica's connections are in READONLY mode
	lane     lane
	large    chan struct{} // holds one for each large command that has its turn, see ferry.go
	users    atomic.Int64  // exchanges that run
	retired  atomic.Bool   // the node has left, or its role: the last user closes the link
	life     context.Context
	end      context.CancelFunc

	mu     sync.Mutex
	wires  map[*wire]struct{} // all but the lane's
	spare  []*wire            // of them, those that nobody uses
	closed bool
}

// maxSpare wires that nobody uses are kept.
const maxSpare = 32

func newLink(config *Config, endpoint routing.Address, role routing.Role, to *peer) (*link, error) {
	l := &link{peer: to, config: config, endpoint: endpoint, role: role, large: make(chan struct{}, atATime), wires: make(map[*wire]struct{})}
	l.life, l.end = context.WithCancel(context.Background())
	l.lane.link, l.lane.until.link = l, l
	l.lane.wire = &wire{link: l, direct: true}
	if err := l.lane.wire.renewClient(); err != nil {
		return nil, err
	}
	return l, nil
}

// address is where the node is dialled.
func (l *link) address() string { return l.config.dialled(l.endpoint).Dial() }

// exchange sends the commands in one write and reads a reply to each. Error replies are values.
// The error is of the transport (see wasSent), or a refusal of the handshake.
func (l *link) exchange(ctx context.Context, commands ...[][]byte) ([]routing.Value, error) {
	return l.lane.exchange(ctx, commands, false)
}

// inLine is exchange for what has the server wait for what the shared connection brought before.
// Whoever comes after it waits too.
func (l *link) inLine(ctx context.Context, commands ...[][]byte) ([]routing.Value, error) {
	return l.lane.exchange(ctx, commands, true)
}

// aside is exchange over a wire of its own, for what takes long: it delays nobody, and ends with
// its context.
func (l *link) aside(ctx context.Context, commands ...[][]byte) ([]routing.Value, error) {
	return l.apart(ctx, commands, false)
}

// blocking is aside for what may have the server wait, which ends there before it ends here.
func (l *link) blocking(ctx context.Context, commands ...[][]byte) ([]routing.Value, error) {
	return l.apart(ctx, commands, true)
}

func (l *link) apart(ctx context.Context, commands [][][]byte, blocks bool) ([]routing.Value, error) {
	w, err := l.take(false)
	if err != nil {
		return nil, &connError{false, err}
	}
	replies, whole, err := l.over(ctx, w, commands, blocks)
	l.give(w, whole)
	return replies, err
}

// failed counts a connection that could not be made, unless it was the caller who stopped waiting.
func (l *link) failed(ctx context.Context, began time.Time, err error) {
	if gaveUp(ctx, began) {
		return
	}
	l.health.failed()
	level := LogDebug // of failures in a row only the first is news
	if l.gate.failed(l.config.Backoff, err) == 1 {
		level = LogWarn
	}
	logf(level, "no connection to %s: %s", l.endpoint, disclosedError(err))
}

// take gives a wire to one user, until give. direct: one over a blocking socket, for a thread of its
// own.
func (l *link) take(direct bool) (*wire, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, w := range slices.Backward(l.spare) {
		if w.direct == direct {
			l.spare = slices.Delete(l.spare, i, i+1)
			l.enter()
			return w, nil
		}
	}
	return l.grow(&wire{link: l, direct: direct})
}

// dedicate gives a new wire of one connection to one user, until give.
func (l *link) dedicate() (*wire, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.grow(&wire{link: l, single: true})
}

// grow adds a wire that has a user. The caller holds mu.
func (l *link) grow(w *wire) (*wire, error) {
	if l.closed {
		return nil, net.ErrClosed
	}
	if err := w.renewClient(); err != nil {
		return nil, err
	}
	l.wires[w] = struct{}{}
	l.enter()
	return w, nil
}

// give takes a wire back. One that is not sound is not used again.
func (l *link) give(w *wire, sound bool) {
	l.mu.Lock()
	sound = sound && !l.closed && len(l.spare) < maxSpare
	if sound {
		l.spare = append(l.spare, w)
	} else {
		delete(l.wires, w)
	}
	l.mu.Unlock()
	if !sound {
		w.close()
	}
	l.leave()
}

// listen makes a connection for somebody who reads and writes it himself, the handshake done, until
// the context ends or he calls release.
func (l *link) listen(ctx context.Context) (c net.Conn, release func(), err error) {
	w, err := l.dedicate()
	if err != nil {
		return nil, nil, err
	}
	ends := context.AfterFunc(ctx, w.cut)
	release = func() {
		ends()
		l.give(w, false)
	}
	greeting, cancel := context.WithTimeout(ctx, l.config.ConnectTimeout)
	defer cancel()
	if _, err = w.exchange(greeting, [][][]byte{{pingWord}}); err == nil {
		c, err = w.yield(ctx)
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return c, release, nil
}

// enter counts a user of the link; leave ends that.
func (l *link) enter() { l.users.Add(1) }

func (l *link) leave() {
	if l.users.Add(-1) == 0 && l.retired.Load() {
		l.close()
	}
}

// retire closes the link when nobody uses it any more.
func (l *link) retire() {
	l.retired.Store(true)
	if l.users.Load() == 0 {
		l.close()
	}
}

// close ends also the exchanges that run.
func (l *link) close() {
	l.mu.Lock()
	open := l.wires
	l.wires, l.spare, l.closed = nil, nil, true
	l.mu.Unlock()
	l.end()
	for w := range open {
		w.close()
	}
	l.lane.close()
}

// peer is what a client knows of one address, over all its links there and beyond them.
type peer struct {
	counters counters
	health   health
	gate     gate
	pausing  atomic.Int64 // requests that wait before they go to it again
	links    [2]*link     // by role; nil where none stands. The lock of the client's links guards them
}

// links are the links of a client, by endpoint and role. They connect when they are first used.
type links struct {
	config *Config
	mu     sync.RWMutex
	peers  map[routing.Address]*peer
	closed bool
}

// to is the link to a node in a role. A server that is no cluster refuses READONLY and serves reads
// without it, so there one link is for both.
func (s *links) to(endpoint routing.Address, role routing.Role) (*link, error) {
	if s.config.Standalone {
		role = routing.Primary
	}
	s.mu.RLock()
	p := s.peers[endpoint]
	var l *link
	if p != nil {
		l = p.links[role]
	}
	s.mu.RUnlock()
	if l != nil {
		return l, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &connError{false, net.ErrClosed}
	}
	if p = s.peers[endpoint]; p == nil {
		p = new(peer)
		s.peers[endpoint] = p
	}
	if p.links[role] == nil {
		l, err := newLink(s.config, endpoint, role, p)
		if err != nil {
			return nil, &connError{false, err}
		}
		p.links[role] = l
	}
	return p.links[role], nil
}

// renew lets the next exchange with an endpoint begin with new connections, at once.
func (s *links) renew(endpoint routing.Address) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.peers[endpoint]; p != nil {
		p.retire(func(routing.Role) bool { return true })
		p.gate.opened()
	}
}

// keep retires the links that are not wanted any more: to endpoints that have left, and in roles
// that those which stay do not have. It forgets peers that are not known and not connected to.
func (s *links) keep(wanted func(routing.Address, routing.Role) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for endpoint, p := range s.peers {
		p.retire(func(role routing.Role) bool { return !wanted(endpoint, role) })
		known := wanted(endpoint, routing.Primary) || wanted(endpoint, routing.Replica)
		if !known && p.counters.open.Load() <= 0 {
			delete(s.peers, endpoint)
		}
	}
}

// retire retires the links in some roles. Exchanges that run on them end in peace.
func (p *peer) retire(unwanted func(routing.Role) bool) {
	for role, l := range p.links {
		if l != nil && unwanted(routing.Role(role)) {
			p.links[role] = nil
			l.retire()
		}
	}
}

func (s *links) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, p := range s.peers {
		for role, l := range p.links {
			if l != nil {
				p.links[role] = nil
				l.close()
			}
		}
	}
}

// at is what is known of an endpoint; nil where there was no link yet.
func (s *links) at(endpoint routing.Address) *peer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.peers[endpoint]
}
