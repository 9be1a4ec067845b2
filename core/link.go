package core

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"libglide/routing"
)

// link is the connections to one node: the lane that ordinary requests share, and wires of their
// own for those that would hold it up.
type link struct {
	config   *Config
	endpoint routing.Address
	lane     lane
	counters *counters
	health   health
	gate     gate
	users    atomic.Int64 // exchanges that run
	retired  atomic.Bool  // the node has left: the last user closes the link
	life     context.Context
	end      context.CancelFunc

	mu     sync.Mutex
	wires  map[*wire]struct{} // all but the lane's
	spare  []*wire            // of them, those that nobody uses
	closed bool
}

// maxSpare wires that nobody uses are kept.
const maxSpare = 16

func newLink(config *Config, endpoint routing.Address, counters *counters) (*link, error) {
	l := &link{config: config, endpoint: endpoint, counters: counters, wires: make(map[*wire]struct{})}
	l.life, l.end = context.WithCancel(context.Background())
	var err error
	l.lane.link, l.lane.until.link = l, l
	l.lane.wire, err = newWire(l, true)
	if err != nil {
		return nil, err
	}
	return l, nil
}

// address is where the node is dialled.
func (l *link) address() string { return l.config.dialled(l.endpoint).Dial() }

// exchange sends the commands in one write and reads a reply to each. Error replies are values.
// The error is of the transport (see wasSent), or a refusal of the handshake.
func (l *link) exchange(ctx context.Context, commands ...[][]byte) ([]routing.Value, error) {
	return l.lane.exchange(ctx, commands)
}

// aside is exchange over a wire of its own, for what takes long: it delays nobody, and ends with
// its context.
func (l *link) aside(ctx context.Context, commands ...[][]byte) ([]routing.Value, error) {
	w, err := l.take()
	if err != nil {
		return nil, &connError{false, err}
	}
	cancelled := context.AfterFunc(ctx, w.cut)
	defer func() { l.give(w, cancelled()) }()
	return w.run(ctx, commands)
}

// failed counts a connection that could not be made, unless it was the caller who stopped waiting.
func (l *link) failed(ctx context.Context, began time.Time, err error) {
	if gaveUp(ctx, began) {
		return
	}
	l.health.failed()
	l.gate.failed(l.config.Backoff, err)
}

// take gives a wire to one user, until give.
func (l *link) take() (*wire, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.spare); n > 0 {
		w := l.spare[n-1]
		l.spare = l.spare[:n-1]
		l.enter()
		return w, nil
	}
	return l.grow(&wire{link: l})
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

// links are the links of a client, by endpoint. They connect when they are first used.
type links struct {
	config *Config
	mu     sync.RWMutex
	open   map[routing.Address]*link
	counts map[routing.Address]*counters
	closed bool
}

func (s *links) to(endpoint routing.Address) (*link, error) {
	s.mu.RLock()
	l := s.open[endpoint]
	s.mu.RUnlock()
	if l != nil {
		return l, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &connError{false, net.ErrClosed}
	}
	if l := s.open[endpoint]; l != nil {
		return l, nil
	}
	l, err := newLink(s.config, endpoint, s.countersOf(endpoint))
	if err != nil {
		return nil, &connError{false, err}
	}
	s.open[endpoint] = l
	return l, nil
}

// renew lets the next exchange with an endpoint begin with new connections.
func (s *links) renew(endpoint routing.Address) {
	s.keep(func(other routing.Address) bool { return other != endpoint })
}

// keep retires the links to endpoints that are not wanted any more.
func (s *links) keep(wanted func(routing.Address) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for endpoint, l := range s.open {
		if !wanted(endpoint) {
			delete(s.open, endpoint)
			l.retire()
		}
	}
}

func (s *links) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for endpoint, l := range s.open {
		delete(s.open, endpoint)
		l.close()
	}
}
