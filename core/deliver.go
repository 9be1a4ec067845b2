package core

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"libglide/routing"
)

// target is where a leg goes at present: to a node of the topology, or to an address that a
// redirect named and the topology does not know.
type target struct {
	endpoint routing.Address
	node     *routing.Node // nil where the topology does not know it
	role     routing.Role  // in which it is addressed; a primary's where nobody knows
}

func targetOf(node *routing.Node) target { return target{node.Endpoint, node, node.Role} }

// targetAt is an address, in the role that the topology knows it to have.
func (c *Client) targetAt(address routing.Address) target {
	to := target{endpoint: address}
	if node := c.topology.now().Find(address); node != nil {
		to.role = node.Role
	}
	return to
}

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
	readOnly bool // or else may run twice
	stay     bool // it follows no redirect
	to       target
	asking   bool // the next command goes with ASKING
	asked    bool // the last one did
	// transaction is what goes in place of the leg's words: MULTI, commands, EXEC.
	transaction [][][]byte
	alone       bool            // over a connection of its own: it blocks
	wait        *routing.Wait   // for how long; nil: it does not
	began       time.Time       // where it blocks
	anew        bool            // the next attempt is not the first
	script      *Script         // that the words run
	loading     bool            // the next attempt loads its source first
	supplied    routing.Address // the node that was given the source last

	first     *routing.Node // that was addressed first
	redirects int
	line      string // of a redirect to a stranger
	waits     int
	margin    time.Duration // of the deadline, to be left for an attempt to be worth beginning
	resent    bool          // a read was sent again after its reply was lost
	reason    *Error        // why the last attempt failed that was not cut short by the deadline
	outcome   Outcome
}

// maxRedirects bounds the redirects of one leg; the nodes then disagree about the slot.
const maxRedirects = 16

// begin makes it a leg of a plan, ready to go.
func (f *flight) begin(plan *routing.Plan, leg *routing.Leg) {
	*f = flight{leg: leg, readOnly: plan.ReadOnly, stay: plan.FanOut() && plan.Writes}
	if plan.Wait.Blocks {
		f.wait, f.began, f.alone = &plan.Wait, time.Now(), !plan.Wait.InLine
	}
}

// deliver brings flights to their outcomes: those for one node go in one write, in their order.
func (c *Client) deliver(ctx context.Context, all []*flight) {
	deadline, _ := ctx.Deadline()
	board(all, deadline)
	c.scatter(ctx, all)
}

// board makes flights ready for their first attempt.
func board(all []*flight, deadline time.Time) {
	margin := marginOf(deadline)
	for _, f := range all {
		f.first, f.to, f.margin = f.leg.Node, targetOf(f.leg.Node), margin
	}
}

// scatter sends flights to their targets, those for one in one write.
func (c *Client) scatter(ctx context.Context, all []*flight) {
	deadline, _ := ctx.Deadline()
	together, apart := c.convoyOf(all, deadline)
	for _, t := range together {
		t.waiter.ctx = ctx
	}
	var landed sync.WaitGroup
	for _, group := range apart {
		landed.Go(func() {
			defer mend(group)
			c.fly(ctx, group)
		})
	}
	together.join()
	together.lead()
	c.unloadAll(ctx, together)
	landed.Wait()
}

// convoyOf makes trips of flights; apart are those that go over connections of their own.
func (c *Client) convoyOf(all []*flight, deadline time.Time) (together convoy, apart [][]*flight) {
	for _, group := range byTarget(all) {
		if c.turnAway(group) {
			continue
		}
		commands, blocks, large := commandsOf(group)
		l, err := c.links.to(group[0].to.endpoint, group[0].to.role)
		if blocks || large || err != nil {
			apart = append(apart, group)
		} else {
			together = append(together, newTrip(l, group, commands, deadline))
		}
	}
	return together, apart
}

// unloadAll waits for the trips of a convoy and goes on with their flights.
func (c *Client) unloadAll(ctx context.Context, together convoy) {
	var landed sync.WaitGroup
	for _, t := range together {
		replies, err := t.lane.await(ctx, &t.errand, &t.waiter)
		if replies = resultsOf(t.group, replies); err == nil && !anyError(replies) {
			c.unload(ctx, t.group, replies, nil)
			continue
		}
		landed.Go(func() {
			defer mend(t.group)
			c.unload(ctx, t.group, replies, err)
		})
	}
	landed.Wait()
}

func anyError(replies []routing.Value) bool {
	return slices.ContainsFunc(replies, routing.Value.IsError)
}

// byTarget groups flights by their targets, each group in their order.
func byTarget(all []*flight) [][]*flight {
	index := make(map[target]int)
	numbers := make([]int, len(all)) // of the group of each
	var sizes []int
	for i, f := range all {
		to := target{endpoint: f.to.endpoint, role: f.to.role} // nodes of two snapshots may be one
		number, known := index[to]
		if !known {
			number = len(sizes)
			index[to] = number
			sizes = append(sizes, 0)
		}
		numbers[i] = number
		sizes[number]++
	}
	groups, places := make([][]*flight, len(sizes)), make([]*flight, len(all))
	for number, size := range sizes {
		groups[number], places = places[:0:size], places[size:]
	}
	for i, f := range all {
		groups[numbers[i]] = append(groups[numbers[i]], f)
	}
	return groups
}

// mend makes a panic on a goroutine of the client an outcome of the flights it was about. Nobody
// else could recover it there.
func mend(group []*flight) {
	if fault := recover(); fault != nil {
		failure := Panicked(fault)
		for _, f := range group {
			f.end(routing.Value{}, failure)
		}
	}
}

// fly sends flights to the one target they have.
func (c *Client) fly(ctx context.Context, group []*flight) {
	replies, err := c.attempt(ctx, group...)
	c.unload(ctx, group, replies, err)
}

// unload goes on with flights after their first attempt. Where nothing of it was written they go
// again together, so that their order stays; where some failed, each of those goes on alone.
func (c *Client) unload(ctx context.Context, group []*flight, replies []routing.Value, err error) {
	if err != nil && len(group) > 1 && !wasSent(err) {
		failure, next := c.judge(group[0], routing.Value{}, err)
		if next == sendAgain || next == waitFirst && c.pause(ctx, group[0], len(group)) {
			for _, f := range group {
				f.waits, f.anew = group[0].waits, true
				f.blame(failure, next)
				c.steer(f, next)
			}
			logf(LogDebug, "%d commands for %s go again: none was written: %s", len(group), group[0].to, disclosedError(err))
			c.scatter(ctx, group)
			return
		}
	}
	var landed sync.WaitGroup
	for i, f := range group {
		reply := routing.Value{}
		if err == nil {
			reply = replies[i]
		}
		if len(group) == 1 || err == nil && !reply.IsError() {
			c.land(ctx, f, reply, err)
			continue
		}
		landed.Go(func() {
			defer mend([]*flight{f})
			c.land(ctx, f, reply, err)
		})
	}
	landed.Wait()
}

// land goes on with a flight until it has an outcome, from the answer to its first attempt.
func (c *Client) land(ctx context.Context, f *flight, reply routing.Value, err error) {
	failure, next := c.judge(f, reply, err)
	if failure == nil {
		f.end(reply, nil)
		return
	}
	c.goOn(ctx, f, failure, next)
}

// goOn goes on with a flight that failed, by the verdict on it, until it has an outcome.
func (c *Client) goOn(ctx context.Context, f *flight, failure *Error, next verdict) {
	var reply routing.Value
	for failure != nil {
		if next == vetFirst {
			failure, next = c.vet(ctx, f, failure)
		}
		if next == giveUp || next == vetFirst || next == waitFirst && !c.pause(ctx, f, 1) {
			break
		}
		f.blame(failure, next)
		c.steer(f, next)
		f.anew = true
		logf(LogDebug, "%s goes again, to %s, after: %s", f.describe(), f.to, disclosed(failure.Message))
		replies, err := c.attempt(ctx, f)
		if err == nil {
			reply = replies[0]
		}
		failure, next = c.judge(f, reply, err)
	}
	f.end(reply, failure)
}

var askingWords = [][]byte{[]byte("ASKING")}

// attempt sends flights to the target they share in one write, and gives one reply for each.
func (c *Client) attempt(ctx context.Context, group ...*flight) ([]routing.Value, error) {
	commands, blocks, large := commandsOf(group)
	to := group[0].to
	l, err := c.links.to(to.endpoint, to.role)
	if err != nil {
		return nil, err
	}
	exchange := l.exchange
	switch {
	case blocks:
		exchange = l.blocking
	case large:
		exchange = l.aside
	case waitInLine(group):
		exchange = l.inLine
	}
	replies, err := exchange(ctx, commands...)
	if err != nil {
		return nil, err
	}
	return resultsOf(group, replies), nil
}

// waitInLine says whether flights have their node wait on the connection that they share with others.
func waitInLine(group []*flight) bool {
	return slices.ContainsFunc(group, func(f *flight) bool { return f.wait != nil && !f.alone })
}

// commandsOf is what flights send in one write: over a connection of their own where they block, or
// are large.
func commandsOf(group []*flight) (commands [][][]byte, blocks, large bool) {
	commands = make([][][]byte, 0, len(group))
	for _, f := range group {
		commands = f.appendTo(commands)
		blocks = blocks || f.alone
	}
	return commands, blocks, weightOf(commands) > maxShared
}

// resultsOf reduces the replies to what commandsOf sent to one for each flight.
func resultsOf(group []*flight, replies []routing.Value) []routing.Value {
	if len(replies) == len(group) { // one of each: nothing was added
		for _, f := range group {
			f.asked = false
		}
		return replies
	}
	if replies == nil {
		return nil
	}
	results := make([]routing.Value, len(group))
	for i, f := range group {
		results[i], replies = f.answer(replies)
	}
	return results
}

// appendTo adds what the flight sends in its next attempt. The server forgets ASKING with the next
// command of the connection, MULTI aside, so both go in that write, with nothing between (cluster
// specification, "ASK redirection").
func (f *flight) appendTo(commands [][][]byte) [][][]byte {
	commands = f.prepare(commands)
	if f.asking {
		commands = append(commands, askingWords)
	}
	switch {
	case f.transaction != nil:
		return append(commands, f.transaction...)
	case f.wait != nil && f.anew:
		// A server that hands a slot over sends those who block there on; they wait no longer for it.
		return append(commands, f.wait.After(f.leg.Words, time.Since(f.began)))
	}
	return append(commands, f.leg.Words)
}

// answer reduces the replies to what appendTo added to the one that counts; rest are those to the
// commands after.
func (f *flight) answer(replies []routing.Value) (reply routing.Value, rest []routing.Value) {
	rest, refused := f.prepared(replies)
	if f.asked = f.asking; f.asking {
		f.asking, rest = false, rest[1:]
	}
	if count := len(f.transaction); count > 0 {
		return executed(rest[:count]), rest[count:]
	}
	if reply = rest[0]; refused != nil {
		reply = *refused
	}
	return reply, rest[1:]
}

// exchange sends commands to a target in one write.
func (c *Client) exchange(ctx context.Context, to target, commands ...[][]byte) ([]routing.Value, error) {
	l, err := c.links.to(to.endpoint, to.role)
	if err != nil {
		return nil, err
	}
	return l.exchange(ctx, commands...)
}

// open makes the connection to a target that requests share.
func (c *Client) open(to target) error {
	l, err := c.links.to(to.endpoint, to.role)
	if err != nil {
		return err
	}
	return l.lane.open()
}

// aside sends commands to a target in one write over a connection of their own.
func (c *Client) aside(ctx context.Context, to target, commands ...[][]byte) ([]routing.Value, error) {
	l, err := c.links.to(to.endpoint, to.role)
	if err != nil {
		return nil, err
	}
	return l.aside(ctx, commands...)
}

// Commands of more bytes than maxShared would hold up others on a shared connection.
const maxShared = 256 << 10

func weightOf(commands [][][]byte) (bytes int) {
	for _, words := range commands {
		for _, word := range words {
			bytes += len(word)
		}
	}
	return bytes
}

// end sets the outcome, told of the node that was addressed first.
func (f *flight) end(reply routing.Value, failure *Error) {
	if failure != nil && failure.Status == StatusTimeout && !failure.Sent && f.reason != nil {
		failure = f.reason
	}
	f.outcome = Outcome{Node: f.first, Slots: f.leg.Slots(), Value: reply, Err: failure, Sent: true, Fallback: f.leg.Fallback}
	if failure != nil {
		f.outcome.Value, f.outcome.Sent = routing.Value{}, failure.Sent
	} else if f.to.endpoint != f.first.Endpoint {
		served := f.to.endpoint
		if f.to.node != nil {
			served = f.to.node.Address
		}
		f.outcome.ServedBy = &served
	}
}

func (f *flight) describe() string {
	leg, name := f.leg, "transaction"
	if f.transaction == nil {
		name = routing.CommandName(leg.Words)
	}
	if leg.Slot != routing.NoSlot {
		return fmt.Sprintf("%s (slot %d)", name, leg.Slot)
	}
	return name
}
