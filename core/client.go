package core

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"libglide/routing"
)

// Client is a live client of a cluster or of a standalone server. Any number of goroutines may
// use it at once.
type Client struct {
	config   Config
	links    links
	topology topology
	planner  routing.Planner
	inflight atomic.Int64
	sessions sessions
	opening  opening
	zones    zones

	strangers   *strangers
	subscribers subscribers

	closing context.Context // ends when the client is closed
	close   context.CancelFunc
	done    sync.WaitGroup // the client's own goroutines
}

// Request is what a caller asks for.
type Request struct {
	routing.Request
	Timeout  time.Duration // from the call to its end; 0: the client's
	Outcomes bool          // give the outcome of every target also where one is enough
	Script   *Script       // that the words run; nil: they are another command
}

// Response is what became of a request that did not fail as a whole, and, beside an error, what
// became of its targets.
type Response struct {
	Value routing.Value
	// Outcomes holds every target once, in the order of the plan: for a fan-out always, for a
	// command split by slot where a part failed, else on request or where a fallback served.
	Outcomes []Outcome
	// Failures stands beside the results of a batch: for each that is an error what is known of
	// it, nil for the others. It is nil where every command succeeded.
	Failures []*Error
}

// Outcome is what became of one target.
type Outcome struct {
	Node     *routing.Node // the one that was addressed
	Slots    []routing.SlotRange
	Value    routing.Value // where Err is nil
	Err      *Error
	Sent     bool
	Fallback bool
	ServedBy *routing.Address // the node that answered, where a redirect led to another
}

// Open connects to the first of the addresses that answers and learns the topology from it, or
// leaves that to the first request. It returns by the deadline of the connect timeout. The error is
// an *Error.
func Open(config Config) (*Client, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{config: config, strangers: newStrangers()}
	c.links = links{config: &c.config, peers: make(map[routing.Address]*peer)}
	c.planner = routing.Planner{
		Random: rand.IntN, Reads: config.Reads, Zone: config.Zone, ReadOnly: config.ReadOnly,
		Usable: c.links.usable, Latency: c.links.latency,
	}
	c.topology.changed = func() { c.subscribers.each((*Subscriber).stir) }
	c.topology.trusts = c.trusts
	c.closing, c.close = context.WithCancel(context.Background())
	c.topology.start()
	if !config.Lazy {
		if err := c.connectFirst(); err != nil {
			c.Close()
			return nil, err
		}
	}
	logf(LogInfo, "a client of %v is open", config.Addresses)
	c.done.Add(1)
	go c.refreshLoop()
	return c, nil
}

// Close ends the calls that run on the client with StatusClosed, closes its subscribers and its
// connections. It is false where the client had been closed before.
func (c *Client) Close() bool {
	if c.closing.Err() != nil {
		return false
	}
	c.close()
	c.subscribers.each((*Subscriber).Close)
	c.sessions.close()
	c.links.close()
	c.opening.shut()
	c.done.Wait()
	logf(LogInfo, "a client of %v is closed", c.config.Addresses)
	return true
}

func (c *Client) closed() bool { return c.closing.Err() != nil }

var errClosed = NewError(StatusClosed, "the client is closed")

// InflightLimit is how many requests may run at once.
func (c *Client) InflightLimit() int { return c.config.InflightLimit }

// Topology is the present view of the cluster.
func (c *Client) Topology() *routing.Snapshot { return c.topology.now() }

// router is the client's routing over its present topology.
func (c *Client) router() (*Router, error) {
	if c.closed() {
		return nil, errClosed
	}
	return &Router{&c.planner, c.topology.now()}, nil
}

// Resolve says where a request would go now. The error is an *Error.
func (c *Client) Resolve(request *routing.Request) (*routing.Plan, error) {
	router, err := c.router()
	if err != nil {
		return nil, err
	}
	return router.Resolve(request)
}

// ResolveBatch says where the commands of a batch would go now. The error is an *Error.
func (c *Client) ResolveBatch(batch *routing.Batch) (*routing.BatchPlan, error) {
	router, err := c.router()
	if err != nil {
		return nil, err
	}
	return router.ResolveBatch(batch)
}

// Execute runs a request and returns by its deadline. The error is an *Error; the response then
// holds the outcomes of the targets, if there were any.
func (c *Client) Execute(request *Request) (Response, error) {
	if err := c.enter(); err != nil {
		return Response{}, err
	}
	defer c.leave()
	plan := new(routing.Plan)
	err := c.planner.Plan(plan, &request.Request, c.topology.now())
	ctx, cancel := c.within(c.timeout(request, plan))
	defer cancel()
	return c.run(ctx, plan, request, err)
}

// run carries a request out by its plan. Where there is none for want of a node, it makes one
// after a look at the topology: a node that nobody knows may have joined since the last.
func (c *Client) run(ctx context.Context, plan *routing.Plan, request *Request, unplanned error) (Response, error) {
	err := c.again(ctx, unplanned, func() error {
		return c.planner.Plan(plan, &request.Request, c.topology.now())
	})
	if err != nil {
		return Response{}, err
	}
	if plan.SetsState {
		return Response{}, setsState(request.Words)
	}
	legs := new(cargo).load(plan)
	if request.Script != nil {
		if err := request.Script.carry(legs, c.topology.now()); err != nil {
			return Response{}, err
		}
	}
	c.deliver(ctx, legs)
	return c.conclude(plan, request, legs)
}

// conclude makes the response of the outcomes of all legs.
func (c *Client) conclude(plan *routing.Plan, request *Request, legs []*flight) (Response, error) {
	response, err := combine(plan, request, legs)
	if err != nil && c.closed() {
		return response, errClosed
	}
	return response, err
}

// enter counts a request among those that run, if there is room for it.
func (c *Client) enter() error {
	if c.closed() {
		return errClosed
	}
	if c.inflight.Add(1) > int64(c.config.InflightLimit) {
		c.inflight.Add(-1)
		return tooMany("inflight requests", c.config.InflightLimit)
	}
	return nil
}

func tooMany(things string, limit int) *Error {
	return &Error{Status: StatusBusy, Message: fmt.Sprintf("Reached maximum %s (%d)", things, limit), Retryable: true}
}

func (c *Client) leave() { c.inflight.Add(-1) }

// again plans once more, after a look at the topology, where the first try found no node. The
// error is an *Error.
func (c *Client) again(ctx context.Context, first error, plan func() error) error {
	if first != nil && planError(first).Status == StatusRoute {
		if err := c.connected(ctx); err != nil {
			return err
		}
		if first = plan(); first != nil && planError(first).Status == StatusRoute {
			return c.because(planError(first))
		}
	}
	if first != nil {
		return planError(first)
	}
	return nil
}

// blockingGrace is the time that a blocking command gets beyond what it asks for.
const blockingGrace = 500 * time.Millisecond

// timeout is how long a request may take; 0: as long as it takes.
func (c *Client) timeout(request *Request, plan *routing.Plan) time.Duration {
	if request.Timeout == 0 && plan.Wait.Blocks {
		if plan.Wait.Milliseconds == 0 {
			return 0
		}
		return time.Duration(plan.Wait.Milliseconds)*time.Millisecond + blockingGrace
	}
	return c.orDefault(request.Timeout)
}

func (c *Client) orDefault(timeout time.Duration) time.Duration {
	if timeout == 0 {
		return c.config.RequestTimeout
	}
	return timeout
}

// within is a context that ends with the client, or after a time; 0: only with the client.
func (c *Client) within(timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout == 0 {
		return context.WithCancel(c.closing)
	}
	return context.WithTimeout(c.closing, timeout)
}

func outcomesOf(legs []*flight) []Outcome {
	outcomes := make([]Outcome, len(legs))
	for i, f := range legs {
		outcomes[i] = f.outcome
	}
	return outcomes
}

// combine makes one response of what became of the legs of a plan.
func combine(plan *routing.Plan, request *Request, legs []*flight) (Response, error) {
	replies := make([]routing.Value, len(legs))
	failed, fallback := false, false
	for i, f := range legs {
		outcome := &f.outcome
		replies[i] = outcome.Value
		if outcome.Err != nil {
			replies[i] = routing.ErrorReply(outcome.Err.Message)
			failed = true
		}
		fallback = fallback || outcome.Fallback
	}
	var response Response
	if plan.FanOut() || request.Outcomes || fallback || failed && plan.Split {
		response.Outcomes = outcomesOf(legs)
	}
	value, err := plan.Combine(replies)
	if err != nil {
		cause, _ := err.(*routing.CombineError)
		return response, combinedError(routing.CommandName(request.Words), outcomesOf(legs), cause)
	}
	response.Value = value
	return response, nil
}

func setsState(words [][]byte) *Error {
	return NewError(StatusInvalidArgument, "%s is not sent: it sets a state of one connection, and the client has many; what lasts is set in the connection request, what does not in a session", routing.CommandName(words))
}
