package core

import (
	"context"
	"errors"
	"sync"
	"time"

	"libglide/routing"
)

// Call is one request on its way, for an owner that waits for it somewhere else than on a
// goroutine: on a thread of another language, or in an event loop. It may be used again once it
// has ended without Abandon; its zero value is ready.
type Call struct {
	Request
	Owner CallOwner
	// Released says that the owner calls Release when it is done with the response.
	Released bool
	// Lent says that the words of the request are only there until Start returns.
	Lent bool

	// Response and Err, an *Error, say what became of it, as those of Execute. They live until the
	// call is used again.
	Response Response
	Err      error

	client   *Client
	plan     routing.Plan
	flight   flight
	lane     *lane // that has the errand; nil: the call runs on a goroutine
	errand   errand
	commands [1][][]byte
	convoy   convoy    // that the call led
	cargo    *cargo    // where it has many flights
	deadline time.Time // zero: none
	kept     *room     // with the words that were lent; nil: none

	mu        sync.Mutex
	cancel    context.CancelFunc // of the goroutine
	abandoned bool
}

// CallOwner is told about its call on any goroutine, and must not wait there.
type CallOwner interface {
	// Waits says how long the call may take; 0: as long as it takes. It is told first, within
	// Start.
	Waits(time.Duration)
	// Done says that the call has ended. It is told once, unless Abandon was true before.
	Done()
	// Promoted says that the call waits for its owner to call Lead.
	Promoted()
	// Leads says whether the owner can be promoted.
	Leads() bool
	// Interrupted says that the owner would rather leave; asked on the thread that leads, while
	// it waits.
	Interrupted() bool
	// Watches says whether the owner can watch a connection: it then calls Posted after Start.
	Watches() bool
	// Watch says that the call waits for its owner to call Claim when the descriptor is readable;
	// asked within Posted. It is false where the owner does not after all. The descriptor is that
	// of a connection with a number of its own, not 0, so that an owner who watches it already
	// knows it again.
	Watch(fd int, connection uint64) bool
}

// Start begins a request. The owner is told when it has ended, perhaps before Start returns. Where
// the owner leads, Start may wait for the server on its behalf.
func (c *Client) Start(k *Call) {
	if !k.begin(c) {
		return
	}
	err := c.planner.Plan(&k.plan, &k.Request.Request, c.topology.now())
	k.waits(c.timeout(&k.Request, &k.plan))
	large := err == nil && k.large()
	if k.Lent && !large {
		k.keep()
		if k.plan.Split {
			err = c.planner.Plan(&k.plan, &k.Request.Request, c.topology.now())
		}
	}
	switch {
	case large:
		k.ferry()
	case err == nil && k.single():
		k.board()
	case err == nil && len(k.plan.Legs) > 1 && k.ordinary():
		k.cargo = takeCargo()
		legs := k.cargo.load(&k.plan)
		k.deliver(legs, func() (Response, error) { return c.conclude(&k.plan, &k.Request, legs) })
	default:
		k.goOnAs(func(ctx context.Context) (Response, error) {
			return c.run(ctx, &k.plan, &k.Request, err)
		})
	}
}

// deliver brings flights to their outcomes and then concludes the call: on this thread, where it
// may lead all the lanes at once and nothing goes wrong, else on a goroutine.
func (k *Call) deliver(all []*flight, conclude func() (Response, error)) {
	c := k.client
	board(all, k.deadline)
	together, apart := c.convoyOf(all, k.deadline)
	if len(apart) > 0 || !k.Owner.Leads() || !together.seize() {
		k.goOnAs(func(ctx context.Context) (Response, error) {
			c.scatter(ctx, all)
			return conclude()
		})
		return
	}
	k.convoy = together
	for _, t := range together {
		t.call, t.returns = k, k.Released
	}
	together.lead()
	if !together.good() {
		k.goOnAs(func(ctx context.Context) (Response, error) {
			c.unloadAll(ctx, together)
			return conclude()
		})
		return
	}
	c.unloadAll(c.closing, together) // which waits for nothing now
	k.Response, k.Err = conclude()
	k.end()
}

// StartNow does something that does not wait, on this goroutine. It needs no room among the requests
// that run.
func (c *Client) StartNow(k *Call, work func() (Response, error)) {
	k.reset(c)
	k.waits(0)
	k.Response, k.Err = work()
	k.Owner.Done()
}

// startAs begins work that goes on on a goroutine, for so long; 0: as long as it takes.
func (c *Client) startAs(k *Call, timeout time.Duration, work func(context.Context) (Response, error)) {
	if k.begin(c) {
		k.waits(timeout)
		k.goOnAs(work)
	}
}

// begin makes the call one of the client's, if there is room for it; or else it has ended.
func (k *Call) begin(c *Client) bool {
	k.reset(c)
	if k.Err = c.enter(); k.Err != nil {
		k.Owner.Done()
		return false
	}
	return true
}

func (k *Call) reset(c *Client) {
	k.client, k.Response, k.lane = c, Response{}, nil
	k.cancel, k.abandoned = nil, false
}

func (k *Call) waits(timeout time.Duration) {
	if k.deadline = (time.Time{}); timeout > 0 {
		k.deadline = time.Now().Add(timeout)
	}
	k.Owner.Waits(timeout)
}

// ordinary says whether the call neither blocks, nor is refused, nor runs a script.
func (k *Call) ordinary() bool {
	return !k.plan.Wait.Blocks && !k.plan.SetsState && k.Script == nil
}

// single says whether the call is one ordinary command for one node.
func (k *Call) single() bool { return len(k.plan.Legs) == 1 && k.ordinary() }

// board puts the call on the lane of its node.
func (k *Call) board() {
	link := k.aim()
	if link == nil {
		return
	}
	k.lane = &link.lane
	k.errand.begin(k.commands[:], k.deadline, (*boarded)(k))
	k.errand.returns = k.Released
	if k.lane.join(&k.errand) {
		k.lane.lead(&k.errand)
	}
}

// aim makes the flight of the call ready to go over a link; nil where it went nowhere, and the call
// has ended or goes on elsewhere.
func (k *Call) aim() *link {
	f := &k.flight
	k.commands[0] = k.plan.Legs[0].Words
	f.begin(&k.plan, &k.plan.Legs[0])
	f.first, f.to, f.margin = f.leg.Node, targetOf(f.leg.Node), marginOf(k.deadline)
	if k.client.turnAway([]*flight{f}) {
		k.Response, k.Err = k.client.conclude(&k.plan, &k.Request, []*flight{f})
		k.end()
		return nil
	}
	link, err := k.client.links.to(f.to.endpoint, f.to.role)
	if err != nil {
		k.settle(routing.Value{}, err)
		return nil
	}
	return link
}

// Lead is for the owner that was promoted. It waits for the server.
func (k *Call) Lead() { k.lane.lead(&k.errand) }

// Posted says whether the owner watches for the reply of a call that it has started. It is to be
// asked once.
func (k *Call) Posted() bool { return k.lane != nil && k.lane.posted(&k.errand) }

// Claim is for the owner that was to watch, and need not any more: true obliges it to call Collect
// or Resume.
func (k *Call) Claim() bool { return k.lane != nil && k.lane.claim(&k.errand) }

// Collect ends a call whose reply has come. Where nothing has come, waits says that the call is
// posted as before; unless this is the last try, then a goroutine waits for the reply.
func (k *Call) Collect(last bool) (waits bool) { return k.lane.collect(&k.errand, last) }

// Resume has a goroutine wait for the reply.
func (k *Call) Resume() { go k.lane.resume(&k.errand) }

// Abandon gives a call up: because of context.DeadlineExceeded, or of context.Canceled. Where it is
// true the call has ended, Err says as what, and the owner will not be told. Where it is false the
// owner is about to be told, unless what runs is stuck. In both cases the call must not be used
// again.
func (k *Call) Abandon(why error) bool {
	if k.lane != nil {
		if gone, sent := k.lane.leave(&k.errand); gone {
			f := &k.flight
			k.Err = transportError(f.describe(), f.to, &connError{sent, why}, f.readOnly)
			k.client.leave()
			return true
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if errors.Is(why, context.DeadlineExceeded) {
		return false // what runs knows its deadline
	}
	k.abandoned = true
	if k.cancel != nil {
		k.cancel()
	}
	return false
}

// Release lets go of what a call that has ended holds.
func (k *Call) Release() {
	k.lane, k.Response, k.Err = nil, Response{}, nil
	clear(k.errand.replies)
	k.errand.leaveRoom()
	for _, t := range k.convoy {
		t.leaveRoom()
	}
	k.convoy = nil
	k.letGo()
	if k.cargo != nil {
		k.cargo.giveBack()
		k.cargo = nil
	}
}

// boarded is the call as the owner of its errand.
type boarded Call

func (b *boarded) promoted(*errand)                     { b.Owner.Promoted() }
func (b *boarded) leads() bool                          { return b.Owner.Leads() }
func (b *boarded) interrupted() bool                    { return b.Owner.Interrupted() }
func (b *boarded) watch(fd int, connection uint64) bool { return b.Owner.Watch(fd, connection) }

// watches: only a call that is alone on its client. With several under way goroutines do the work
// of the nodes while the thread of the owner does its own.
func (b *boarded) watches() bool {
	return b.Owner.Watches() && b.client.inflight.Load() == 1
}

func (b *boarded) company() int64 { return b.client.inflight.Load() }

func (b *boarded) arrived(e *errand) {
	k := (*Call)(b)
	var reply routing.Value
	if e.err == nil {
		reply = e.replies[0]
	}
	k.settle(reply, e.err)
}

// settle ends the call with the answer to its errand, or goes on with it on a goroutine.
func (k *Call) settle(reply routing.Value, err error) {
	c, f := k.client, &k.flight
	failure, next := c.judge(f, reply, err)
	if failure != nil && next != giveUp {
		k.keep()
		k.goOnAs(func(ctx context.Context) (Response, error) {
			c.goOn(ctx, f, failure, next)
			return c.conclude(&k.plan, &k.Request, []*flight{f})
		})
		return
	}
	if failure == nil && k.plan.Policy == routing.PolicyDefault && !k.Outcomes && !f.leg.Fallback {
		k.Response.Value = reply
	} else {
		f.end(reply, failure)
		k.Response, k.Err = c.conclude(&k.plan, &k.Request, []*flight{f})
	}
	k.end()
}

// goOnAs runs the rest of the call on a goroutine.
func (k *Call) goOnAs(rest func(context.Context) (Response, error)) {
	go func() {
		ctx, cancel := k.context()
		defer cancel()
		defer func() {
			if fault := recover(); fault != nil {
				k.Err = Panicked(fault)
			}
			k.end()
		}()
		k.Response, k.Err = rest(ctx)
		k.Err = k.calledOff(k.Err)
	}()
}

// calledOff is the error of a call that was abandoned: whatever it was at when that cut it short, as
// connecting, waiting, or reading from several nodes, it ended for that reason. What a server said
// for good stays its answer.
func (k *Call) calledOff(err error) error {
	failure, failed := err.(*Error)
	k.mu.Lock()
	defer k.mu.Unlock()
	if !failed || !k.abandoned {
		return err
	}
	switch failure.Status {
	case StatusTimeout, StatusConnection, StatusRoute, StatusPartial:
	case StatusServer:
		if !failure.Retryable {
			return err
		}
	default:
		return err
	}
	told := *failure
	told.Status, told.Message = StatusCancelled, "cancelled: "+failure.Message
	return &told
}

// context ends at the deadline, with the client, or when the call is abandoned.
func (k *Call) context() (context.Context, context.CancelFunc) {
	var ctx context.Context
	var cancel context.CancelFunc
	if k.deadline.IsZero() {
		ctx, cancel = context.WithCancel(k.client.closing)
	} else {
		ctx, cancel = context.WithDeadline(k.client.closing, k.deadline)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cancel = cancel
	if k.abandoned {
		cancel()
	}
	return ctx, cancel
}

func (k *Call) end() {
	k.client.leave()
	k.Owner.Done()
}
