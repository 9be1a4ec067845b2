package core

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"libglide/routing"
)

// Session is one connection to one node, its caller's own until it is closed: for WATCH, MULTI and
// EXEC, and for other state that a server keeps for one connection.
//
// Its commands go to that node and nowhere else, one call after the other. None is sent again and
// no redirect is followed, since what the server remembers of the connection would not come along.
// Closing closes the connection, so nobody else ever meets what was set on it.
type Session struct {
	client *Client
	link   *link
	wire   *wire
	to     target
	turns  turns // whoever has the turn uses the wire
	life   context.Context
	end    context.CancelFunc

	// Of whoever has the turn.
	queues bool // since MULTI: the server keeps commands and runs none before EXEC
	lost   bool // the connection
}

var errSessionClosed = NewError(StatusClosed, "the session is closed")

// OpenSession connects to the node of a route; without a route to the primary of a standalone
// server. It returns by the timeout, 0: the one for connecting. The error is an *Error.
func (c *Client) OpenSession(route routing.Route, timeout time.Duration) (*Session, error) {
	if err := c.enter(); err != nil {
		return nil, err
	}
	defer c.leave()
	ctx, cancel := c.within(c.orConnect(timeout))
	defer cancel()
	return c.session(ctx, route)
}

// StartSession is OpenSession for an owner that waits elsewhere; see Start. opened is given the
// session before the owner is told; where it is not wanted any more opened closes it.
func (c *Client) StartSession(k *Call, route routing.Route, timeout time.Duration, opened func(*Session)) {
	c.startAs(k, c.orConnect(timeout), func(ctx context.Context) (Response, error) {
		s, err := c.session(ctx, route)
		if err != nil {
			return Response{}, err
		}
		opened(s)
		return Response{Outcomes: []Outcome{{Node: s.Node(), Slots: s.Node().Slots(), Sent: true}}}, nil
	})
}

func (c *Client) orConnect(timeout time.Duration) time.Duration {
	if timeout == 0 {
		return c.config.ConnectTimeout
	}
	return timeout
}

func (c *Client) session(ctx context.Context, route routing.Route) (*Session, error) {
	if c.topology.unknown() {
		if err := c.connect(ctx); err != nil {
			return nil, err
		}
	}
	leg, err := c.planner.Session(route, c.topology.now())
	if err := c.again(ctx, err, func() (err error) {
		leg, err = c.planner.Session(route, c.topology.now())
		return err
	}); err != nil {
		return nil, err
	}
	leg.Words = [][]byte{[]byte("session")} // for messages; it is not sent
	deadline, _ := ctx.Deadline()
	f := &flight{leg: leg, first: leg.Node, to: targetOf(leg.Node), margin: marginOf(deadline), readOnly: true}
	for {
		s, reply, err := c.connectSession(ctx, f)
		failure, next := c.judge(f, reply, err)
		switch {
		case failure == nil && c.sessions.add(s, c.config.InflightLimit):
			return s, nil
		case failure == nil:
			s.shut()
			if c.closed() {
				return nil, errClosed
			}
			return nil, tooMany("sessions", c.config.InflightLimit)
		case next == giveUp || next == vetFirst || next == waitFirst && !f.pause(ctx):
			return nil, failure
		}
		c.steer(f, next)
	}
}

// connectSession makes a session with the flight's target, which answers before it counts as made.
func (c *Client) connectSession(ctx context.Context, f *flight) (*Session, routing.Value, error) {
	l, err := c.links.to(f.to.endpoint, f.to.role)
	if err != nil {
		return nil, routing.Value{}, err
	}
	w, err := l.dedicate()
	if err != nil {
		return nil, routing.Value{}, &connError{false, err}
	}
	s := &Session{client: c, link: l, wire: w, to: f.to}
	s.life, s.end = context.WithCancel(c.closing)
	replies, err := s.exchange(ctx, pingWords)
	if err == nil && !replies[0].IsError() {
		return s, replies[0], nil
	}
	s.shut()
	if err != nil {
		return nil, routing.Value{}, err
	}
	return nil, replies[0], nil
}

// Node is the one that the session is with.
func (s *Session) Node() *routing.Node { return s.to.node }

// Close closes the connection; a call that runs on it ends with StatusClosed. It is false where
// the session had been closed before, or its client.
func (s *Session) Close() bool {
	if !s.client.sessions.remove(s) {
		return false
	}
	s.shut()
	return true
}

func (s *Session) shut() {
	s.end()
	s.link.give(s.wire, false)
}

// await waits for the turn of a call, which must then end it.
func (s *Session) await(ctx context.Context, mine place) error {
	select {
	case <-mine:
		if s.life.Err() == nil {
			return nil
		}
	case <-s.life.Done():
	case <-ctx.Done():
		s.turns.leave(mine)
		if s.life.Err() != nil { // which ends the context too
			return s.closedError()
		}
		failure := transportError("session", s.to, &connError{false, ctx.Err()}, false)
		failure.Message = "session: another call on it has not ended: " + ctx.Err().Error()
		return failure
	}
	s.turns.leave(mine)
	return s.closedError()
}

func (s *Session) closedError() *Error {
	if s.client.closed() {
		return errClosed
	}
	return errSessionClosed
}

// Execute runs a command, or a script, over the session's connection. The value is what the server
// said, as "QUEUED" in a transaction; that of EXEC is nil where a watched key was changed. A route
// or a policy has no meaning here. The error is an *Error.
func (s *Session) Execute(request *Request) (Response, error) {
	timeout, err := s.timeout(request)
	if err != nil {
		return Response{}, err
	}
	return s.enter(timeout, func(ctx context.Context) (Response, error) { return s.execute(ctx, s.turns.line(), request) })
}

// Start is Execute for an owner that waits elsewhere; see Client.Start. Calls have their turns in
// the order in which they were started.
func (s *Session) Start(k *Call) {
	timeout, err := s.timeout(&k.Request)
	s.startAs(k, timeout, func(ctx context.Context, mine place) (Response, error) {
		if err != nil {
			s.turns.leave(mine)
			return Response{}, err
		}
		return s.execute(ctx, mine, &k.Request)
	})
}

// startAs begins work that has a place in the line, which it leaves or takes its turn.
func (s *Session) startAs(k *Call, timeout time.Duration, work func(context.Context, place) (Response, error)) {
	if k.begin(s.client) {
		k.waits(timeout)
		mine := s.turns.line()
		k.goOnAs(func(ctx context.Context) (Response, error) { return work(ctx, mine) })
	}
}

// enter runs a call as one of the client's.
func (s *Session) enter(timeout time.Duration, run func(context.Context) (Response, error)) (Response, error) {
	if err := s.client.enter(); err != nil {
		return Response{}, err
	}
	defer s.client.leave()
	ctx, cancel := s.client.within(timeout)
	defer cancel()
	return run(ctx)
}

// timeout is how long a command may take, if it may be sent; 0: as long as it takes.
func (s *Session) timeout(request *Request) (time.Duration, error) {
	wait, err := s.client.planner.InSession(request.Words)
	if err != nil {
		return s.client.orDefault(0), planError(err)
	}
	return s.client.timeout(request, &routing.Plan{Wait: wait}), nil
}

func (s *Session) execute(ctx context.Context, mine place, request *Request) (Response, error) {
	if err := s.await(ctx, mine); err != nil {
		return Response{}, err
	}
	defer s.turns.end()
	reply, failure := s.perform(ctx, request)
	var response Response
	if failure == nil {
		response = Response{Value: reply}
		if reply.Kind == routing.KindArray && isExec(request.Words) {
			response, _ = transacted(reply, len(reply.Items), s.to.name())
		}
	}
	if request.Outcomes {
		outcome := Outcome{Node: s.to.node, Slots: s.to.node.Slots(), Value: response.Value, Err: failure, Sent: failure == nil || failure.Sent}
		response.Outcomes = []Outcome{outcome}
	}
	if failure != nil {
		return response, failure
	}
	return response, nil
}

// perform runs one command. In a transaction the server only queues a script and would not know it
// when it runs, so there its source goes along.
func (s *Session) perform(ctx context.Context, request *Request) (routing.Value, *Error) {
	words, script := request.Words, request.Script
	if script != nil && script.Source != nil && s.queues {
		words = slices.Concat([][]byte{[]byte("EVAL"), script.Source}, words[2:])
	}
	replies, failure := s.send(ctx, words)
	if failure != nil {
		return routing.Value{}, failure
	}
	reply := replies[0]
	if reply.IsError() && script != nil && script.Source != nil && unknownScript(string(reply.Text)) {
		f := &flight{leg: &routing.Leg{Words: words}, script: script, loading: true}
		if replies, failure = s.send(ctx, f.appendTo(nil)...); failure != nil {
			return routing.Value{}, failure
		}
		reply, _ = f.answer(replies)
	}
	if reply.IsError() {
		return routing.Value{}, s.refused(string(reply.Text))
	}
	return reply, nil
}

// ExecuteBatch runs several commands in one write over the session's connection, between MULTI and
// EXEC where the batch is atomic. The response is that of Client.ExecuteBatch. The error is an
// *Error.
func (s *Session) ExecuteBatch(request *BatchRequest) (Response, error) {
	return s.enter(s.client.orDefault(request.Timeout), func(ctx context.Context) (Response, error) {
		return s.batch(ctx, s.turns.line(), request)
	})
}

// StartBatch is ExecuteBatch for an owner that waits elsewhere; see Start.
func (s *Session) StartBatch(k *Call, request *BatchRequest) {
	s.startAs(k, s.client.orDefault(request.Timeout), func(ctx context.Context, mine place) (Response, error) {
		return s.batch(ctx, mine, request)
	})
}

func (s *Session) batch(ctx context.Context, mine place, request *BatchRequest) (Response, error) {
	err := s.checkBatch(request.Commands)
	if err != nil {
		s.turns.leave(mine)
		return Response{}, err
	}
	if err = s.await(ctx, mine); err != nil {
		return Response{}, err
	}
	defer s.turns.end()
	var response Response
	if request.Atomic {
		response, err = s.transact(ctx, request.Commands)
	} else {
		response, err = s.pipeline(ctx, request.Commands)
	}
	if err == nil && request.Raise {
		err = response.firstFailure()
	}
	if err != nil {
		return Response{}, err
	}
	return response, nil
}

func (s *Session) checkBatch(commands [][][]byte) error {
	if len(commands) == 0 {
		return NewError(StatusInvalidArgument, "empty batch: it has no commands")
	}
	for i, words := range commands {
		if _, err := s.client.planner.InSession(words); err != nil {
			return NewError(StatusInvalidArgument, "command %d of the batch: %v", i, err)
		}
	}
	return nil
}

func (s *Session) transact(ctx context.Context, commands [][][]byte) (Response, error) {
	if s.queues {
		return Response{}, NewError(StatusInvalidArgument, "an atomic batch inside of MULTI: the session's transaction has begun already")
	}
	replies, failure := s.send(ctx, slices.Concat([][][]byte{multiWords}, commands, [][][]byte{execWords})...)
	if failure != nil {
		return Response{}, failure
	}
	reply := executed(replies)
	if reply.IsError() {
		return Response{}, s.refused(string(reply.Text))
	}
	return transacted(reply, len(commands), s.to.name())
}

func (s *Session) pipeline(ctx context.Context, commands [][][]byte) (Response, error) {
	replies, failure := s.send(ctx, commands...)
	if failure != nil {
		return Response{}, failure
	}
	response := Response{Value: routing.ArrayOf(replies...)}
	for i, reply := range replies {
		if reply.IsError() {
			response.fail(i, s.refused(string(reply.Text)))
		}
	}
	return response, nil
}

var errLostBefore = errors.New("the connection of the session was lost; what was set on it is gone: open another session")

// send sends commands in one write and keeps account of what the connection is in.
func (s *Session) send(ctx context.Context, commands ...[][]byte) ([]routing.Value, *Error) {
	if s.lost {
		return nil, s.broken(commands, &connError{false, errLostBefore})
	}
	replies, err := s.exchange(ctx, commands...)
	if err != nil {
		return nil, s.broken(commands, err)
	}
	for i, words := range commands {
		switch name := routing.CommandName(words); {
		case name == "MULTI":
			s.queues = s.queues || !replies[i].IsError()
		case name == "DISCARD", isExec(words):
			s.queues = false
		}
	}
	return replies, nil
}

func isExec(words [][]byte) bool { return routing.CommandName(words) == "EXEC" }

// exchange is one exchange over the session's wire. A connection that broke is not made anew.
func (s *Session) exchange(ctx context.Context, commands ...[][]byte) ([]routing.Value, error) {
	replies, whole, err := s.wire.link.over(ctx, s.wire, commands, slices.ContainsFunc(commands, s.blocks))
	var odd *unreadable
	s.lost = !whole || err != nil && !errors.As(err, &odd)
	return replies, err
}

// blocks says whether the server may wait before it answers.
func (s *Session) blocks(words [][]byte) bool {
	wait, err := s.client.planner.InSession(words)
	return err == nil && wait.Blocks && !wait.InLine
}

// broken is the error of commands that have no reply. What the server only queued has not run: it
// forgets the transaction with the connection.
func (s *Session) broken(commands [][][]byte, err error) *Error {
	what := "session: " + routing.CommandName(commands[0])
	if last := commands[len(commands)-1]; len(commands) > 1 {
		what += " ... " + routing.CommandName(last)
	}
	var odd *unreadable
	switch {
	case s.life.Err() != nil:
		closed := *s.closedError()
		closed.Sent = wasSent(err)
		return &closed
	case errors.As(err, &odd):
		failure := NewError(StatusServer, "%s: %s: %v", what, s.to, odd)
		failure.Node, failure.Sent = s.to.name(), true
		return failure
	}
	failure := transportError(what, s.to, err, false)
	if s.queues && failure.Sent && !slices.ContainsFunc(commands, isExec) {
		failure.Message += "; the server had not begun the transaction and forgets it"
		failure.Retryable = true
	}
	if !errors.Is(err, errLostBefore) {
		s.client.refreshSoon()
	}
	return failure
}

// refused is the error of a command that the server refused. A redirect corrects the topology and
// is not followed.
func (s *Session) refused(line string) *Error {
	failure := serverError(line, s.to.name())
	move, redirected := routing.ParseRedirect(line, s.to.endpoint)
	switch {
	case redirected && move.Ask:
		failure.Message += "; a session does not follow: it stays with its node while the slot moves"
	case redirected:
		s.client.topology.moved(move.Slot, move.To)
		failure.Message += "; a session does not follow, since what it watches cannot move: open another one, which will be with that node"
	case failure.Code != "READONLY":
		return failure
	}
	s.client.refreshSoon()
	failure.Retryable = true // by another session: nothing has run
	return failure
}

// sessions are those of a client that are open.
type sessions struct {
	mu     sync.Mutex
	open   map[*Session]struct{}
	closed bool
}

// add is false where there are as many as may be, or the client is closed.
func (all *sessions) add(s *Session, limit int) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.closed || len(all.open) >= limit {
		return false
	}
	if all.open == nil {
		all.open = make(map[*Session]struct{})
	}
	all.open[s] = struct{}{}
	return true
}

func (all *sessions) remove(s *Session) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	_, is := all.open[s]
	delete(all.open, s)
	return is
}

func (all *sessions) close() {
	all.mu.Lock()
	open := all.open
	all.open, all.closed = nil, true
	all.mu.Unlock()
	for s := range open {
		s.shut()
	}
}
