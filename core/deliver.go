package core

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"libglide/routing"
)

// target is where a leg goes at present: to a node of the topology, or to an address that a
// redirect named and the topology does not know.
type target struct {
	endpoint routing.Address
	node     *routing.Node // nil where the topology does not know it
}

func targetOf(node *routing.Node) target { return target{node.Endpoint, node} }

func (t target) name() string {
	if t.node != nil {
		return t.node.Address.String()
	}
	return t.endpoint.String()
}

func (t target) String() string {
	if t.node != nil {
		return fmt.Sprintf("%s (%s)", t.node.Address, t.node.Role)
	}
	return t.endpoint.String()
}

// flight is one leg on its way, through redirects and retries, to its outcome.
type flight struct {
	leg      *routing.Leg
	readOnly bool
	stay     bool // it follows no redirect
	to       target
	asking   bool // the next command goes with ASKING

	redirects int
	waits     int
	margin    time.Duration // of the deadline, to be left for an attempt to be worth beginning
	resent    bool          // a read was sent again after its reply was lost
}

// maxRedirects bounds the redirects of one leg; the nodes then disagree about the slot.
const maxRedirects = 16

// deliver sends the legs of a plan, those for one node in one write, and returns their outcomes
// in the order of the legs.
func (c *Client) deliver(ctx context.Context, plan *routing.Plan) []Outcome {
	outcomes := make([]Outcome, len(plan.Legs))
	if len(plan.Legs) == 1 {
		c.fly(ctx, plan, []int{0}, outcomes)
		return outcomes
	}
	byNode := make(map[routing.Address][]int)
	for i := range plan.Legs {
		endpoint := plan.Legs[i].Node.Endpoint
		byNode[endpoint] = append(byNode[endpoint], i)
	}
	var landed sync.WaitGroup
	for _, legs := range byNode {
		landed.Go(func() { c.fly(ctx, plan, legs, outcomes) })
	}
	landed.Wait()
	return outcomes
}

// fly brings the legs for one node to their outcomes.
func (c *Client) fly(ctx context.Context, plan *routing.Plan, legs []int, outcomes []Outcome) {
	commands := make([][][]byte, len(legs))
	for i, leg := range legs {
		commands[i] = plan.Legs[leg].Words
	}
	replies, err := c.exchange(ctx, targetOf(plan.Legs[legs[0]].Node), commands...)
	var landed sync.WaitGroup
	for i, leg := range legs {
		f := &flight{leg: &plan.Legs[leg], readOnly: plan.ReadOnly, stay: plan.FanOut() && plan.Writes, to: targetOf(plan.Legs[leg].Node)}
		reply := routing.Value{}
		if err == nil {
			reply = replies[i]
		}
		if err == nil && !reply.IsError() {
			outcomes[leg] = f.outcome(f.leg.Node, reply, nil)
			continue
		}
		if len(legs) == 1 {
			outcomes[leg] = c.land(ctx, f, reply, err)
			continue
		}
		landed.Go(func() { outcomes[leg] = c.land(ctx, f, reply, err) })
	}
	landed.Wait()
}

// land goes on with a leg whose first answer was an error, until it has an outcome.
func (c *Client) land(ctx context.Context, f *flight, reply routing.Value, err error) Outcome {
	first := f.leg.Node
	if deadline, has := ctx.Deadline(); has {
		f.margin = min(maxMargin, time.Until(deadline)/10)
	}
	for {
		failure, next := c.judge(f, reply, err)
		if failure == nil {
			return f.outcome(first, reply, nil)
		}
		if next == giveUp || next == waitFirst && !f.pause(ctx) {
			return f.outcome(first, reply, failure)
		}
		c.steer(f, next)
		if f.asking {
			f.asking = false
			// The server forgets ASKING with the next command of the connection, so both go in
			// one write (cluster specification, "ASK redirection").
			var replies []routing.Value
			if replies, err = c.exchange(ctx, f.to, askingWords, f.leg.Words); err == nil {
				reply = replies[1]
			}
			continue
		}
		var replies []routing.Value
		if replies, err = c.exchange(ctx, f.to, f.leg.Words); err == nil {
			reply = replies[0]
		}
	}
}

var askingWords = [][]byte{[]byte("ASKING")}

// exchange sends commands to a target in one write.
func (c *Client) exchange(ctx context.Context, to target, commands ...[][]byte) ([]routing.Value, error) {
	l, err := c.links.to(to.endpoint)
	if err != nil {
		return nil, err
	}
	return l.exchange(ctx, commands...)
}

// verdict is what to do with a leg that failed.
type verdict uint8

const (
	giveUp    verdict = iota
	sendAgain         // to f.to, at once
	waitFirst         // then to where the topology says
)

// transient are the codes with which a server refuses a command that may work a little later.
// Nothing has run, so also a write may be sent again.
var transient = map[string]bool{
	"TRYAGAIN": true, "CLUSTERDOWN": true, "MASTERDOWN": true, "LOADING": true,
}

// judge decides by what the server said, or by whether anything was written, never by hope. A
// nil failure means that the reply is good.
func (c *Client) judge(f *flight, reply routing.Value, err error) (*Error, verdict) {
	if err != nil {
		return c.judgeTransport(f, err)
	}
	if !reply.IsError() {
		return nil, giveUp
	}
	line := string(reply.Text)
	failure := serverError(line, f.to.name())
	switch code := failure.Code; {
	case code == "MOVED" || code == "ASK":
		return failure, c.redirect(f, line)
	case transient[code]:
		if code == "CLUSTERDOWN" || code == "MASTERDOWN" {
			c.refreshSoon()
		}
		return failure, waitFirst
	case code == "READONLY" && f.leg.Movable():
		c.refreshSoon() // the primary became a replica
		return failure, waitFirst
	}
	return failure, giveUp
}

func (c *Client) judgeTransport(f *flight, err error) (*Error, verdict) {
	what := describe(f.leg)
	if c.closed() {
		closed := *errClosed
		closed.Sent = wasSent(err)
		return &closed, giveUp
	}
	var refused refusal
	if errors.As(err, &refused) {
		failure := serverError(string(refused), f.to.name())
		failure.Message = fmt.Sprintf("%s: %s refused the connection: %s", what, f.to, refused)
		failure.Sent = false
		if failure.Retryable {
			return failure, waitFirst
		}
		return failure, giveUp
	}
	var odd *unreadable
	if errors.As(err, &odd) {
		failure := NewError(StatusServer, "%s: %s: %v", what, f.to, odd)
		failure.Node, failure.Sent = f.to.name(), true
		return failure, giveUp
	}
	failure := transportError(what, f.to, err, f.readOnly)
	switch {
	case errors.Is(err, errIdleClosed):
		return failure, sendAgain
	case failure.Status == StatusTimeout && failure.Sent:
		return failure, giveUp
	case !failure.Sent:
		c.refreshSoon()
		return failure, waitFirst
	case f.readOnly && !f.resent:
		c.refreshSoon()
		f.resent = true
		return failure, sendAgain
	}
	c.refreshSoon()
	return failure, giveUp
}

// redirect turns the leg to where a MOVED or an ASK points. MOVED also repairs the topology at
// once. A write to all nodes is not turned: each of its legs would run on the one owner of the key.
func (c *Client) redirect(f *flight, line string) verdict {
	move, good := routing.ParseRedirect(line, f.to.endpoint)
	if !good {
		c.refreshSoon()
		return giveUp
	}
	snapshot := c.topology.now()
	if snapshot.Standalone {
		return giveUp
	}
	if !move.Ask {
		snapshot = c.topology.moved(move.Slot, move.To)
		c.refreshSoon(move.To)
	}
	if f.redirects++; f.redirects > maxRedirects || f.stay {
		return giveUp
	}
	before := f.to.endpoint
	f.to, f.asking = target{endpoint: move.To}, move.Ask
	if node := snapshot.Find(move.To); node != nil {
		f.to = targetOf(node)
	}
	if f.to.endpoint == before {
		return waitFirst // the node contradicts itself; it is taking the slot over
	}
	return sendAgain
}

// The wait before a further attempt: a random time up to a bound that doubles each time.
const (
	firstPause = 2 * time.Millisecond
	maxPause   = 200 * time.Millisecond
	maxMargin  = 25 * time.Millisecond
)

// pause waits. It is false, without waiting, where too little time would be left for an attempt:
// the server's last word then is the answer, rather than a deadline that passes half-way.
func (f *flight) pause(ctx context.Context) bool {
	bound := min(firstPause<<min(f.waits, 10), maxPause)
	f.waits++
	pause := rand.N(bound) + time.Millisecond/4
	if deadline, has := ctx.Deadline(); has && time.Until(deadline) <= pause+f.margin {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// steer gives the leg its target anew after a wait; a redirect has named it already.
func (c *Client) steer(f *flight, next verdict) {
	if next != waitFirst {
		return
	}
	f.asking = false
	if c.planner.Choose(f.leg, c.topology.now()) == nil {
		f.to = targetOf(f.leg.Node)
	}
}

// outcome is the outcome of the leg, told of the node that was addressed first.
func (f *flight) outcome(first *routing.Node, reply routing.Value, failure *Error) Outcome {
	outcome := Outcome{Node: first, Slots: f.leg.Slots(), Value: reply, Err: failure, Sent: true, Fallback: f.leg.Fallback}
	if failure != nil {
		outcome.Value, outcome.Sent = routing.Value{}, failure.Sent
	} else if f.to.endpoint != first.Endpoint {
		served := f.to.endpoint
		if f.to.node != nil {
			served = f.to.node.Address
		}
		outcome.ServedBy = &served
	}
	return outcome
}

func describe(leg *routing.Leg) string {
	name := routing.CommandName(leg.Words)
	if leg.Slot != routing.NoSlot {
		return fmt.Sprintf("%s (slot %d)", name, leg.Slot)
	}
	return name
}
