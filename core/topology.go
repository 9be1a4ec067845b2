package core

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"libglide/routing"
)

// topology is the snapshot in force and what is known against it.
type topology struct {
	current atomic.Pointer[routing.Snapshot]
	mu      sync.Mutex        // held to publish
	view    *routing.Snapshot // the last full view, without what MOVED has taught since
	taught  time.Time         // when a MOVED last did
	hints   []routing.Address // nodes that a MOVED named: they know better
	changed func()            // called when another snapshot is in force
	// trusts says whether a MOVED may name an address.
	trusts  func(routing.Address) bool
	wake    chan struct{} // a refresh is wanted
	turn    chan struct{} // holds one token: whoever has it looks
	looks   atomic.Uint64 // refreshes that ended
	pace    pace
	refused atomic.Pointer[Error] // what servers said to the last look, where none gave a view
	blind   int                   // looks in a row that gave no view; for the holder of the token

	told   atomic.Int64  // Unix nanoseconds; when servers last gave a view
	seen   atomic.Uint64 // looks that gave a view
	missed atomic.Uint64 // looks that gave none
}

func (t *topology) start() {
	t.wake, t.turn = make(chan struct{}, 1), make(chan struct{}, 1)
	t.turn <- struct{}{}
	t.view = routing.NewUnknown()
	t.current.Store(t.view)
}

func (t *topology) now() *routing.Snapshot { return t.current.Load() }

// unknown says that no server has told anything yet.
func (t *topology) unknown() bool { return len(t.now().Nodes()) == 0 }

// hear counts a view that servers gave.
func (t *topology) hear() {
	t.seen.Add(1)
	t.told.Store(time.Now().UnixNano())
}

// moved applies one MOVED and returns the snapshot in force, which does not hold it where it is to a
// stranger.
func (t *topology) moved(slot routing.Slot, to routing.Address) *routing.Snapshot {
	if !t.trusts(to) {
		return t.now()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	before := t.current.Load()
	next := before.Moved(slot, to)
	if next != before {
		t.taught = time.Now()
		t.current.Store(next)
		t.changed()
	}
	return next
}

// trust is how long a MOVED counts for more than a view that has not changed: news take a second or
// two through a cluster. A server that lies, or a node that never comes, is forgotten after it.
const trust = 5 * time.Second

// publish puts a full view in force. A view that is older than the last one, or says the same, does
// not undo what MOVED has taught lately: the node that gave it may not have heard of it yet.
func (t *topology) publish(view *routing.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case view.Epoch < t.view.Epoch, view.Equal(t.view) && time.Since(t.taught) < trust:
	case view.Equal(t.current.Load()):
		t.view = view
	default:
		logTopology(t.current.Load(), view)
		t.view = view
		t.current.Store(view)
		t.changed()
	}
}

func (t *topology) hint(addresses []routing.Address) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, address := range addresses {
		if !slices.Contains(t.hints, address) && t.trusts(address) {
			t.hints = append(t.hints, address)
		}
	}
}

func (t *topology) takeHints() []routing.Address {
	t.mu.Lock()
	defer t.mu.Unlock()
	hints := t.hints
	t.hints = nil
	return hints
}

// refreshSoon asks for a look at the topology in the background; better are nodes to ask first.
func (c *Client) refreshSoon(better ...routing.Address) { c.refreshFor(ofTrouble, better...) }

func (c *Client) refreshFor(what cause, better ...routing.Address) {
	c.topology.pace.asked(time.Now(), what)
	c.topology.hint(better)
	select {
	case c.topology.wake <- struct{}{}:
	default:
	}
}

// refreshLoop looks at the topology when asked to and from time to time. Requests never wait for
// it.
func (c *Client) refreshLoop() {
	defer c.done.Done()
	var tick <-chan time.Time
	if c.config.RefreshEvery > 0 {
		ticker := time.NewTicker(c.config.RefreshEvery)
		defer ticker.Stop()
		tick = ticker.C
	}
	for {
		select {
		case <-c.closing.Done():
			return
		case <-tick:
		case <-c.topology.wake: // another cause may be due before the one that is waited for
			continue
		case <-c.topology.pace.due(time.Now()):
		}
		if c.topology.unknown() {
			c.topology.pace.begins() // nothing is connected to before the first request
			continue
		}
		ctx, cancel := context.WithTimeout(c.closing, refreshCeiling*2+c.config.ConnectTimeout)
		c.refresh(ctx)
		cancel()
	}
}

// refresh looks at the topology, or waits for the look of another caller that has begun. Looks
// keep their distance: where the next one may not begin before the deadline there is none.
func (c *Client) refresh(ctx context.Context) {
	seen := c.topology.looks.Load()
	next := c.topology.pace.next()
	if deadline, has := ctx.Deadline(); has && deadline.Before(next) {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-time.After(time.Until(next)):
	}
	select {
	case <-ctx.Done():
		return
	case <-c.topology.turn:
	}
	defer func() { c.topology.turn <- struct{}{} }()
	if c.topology.looks.Load() != seen {
		return
	}
	before := c.topology.now()
	c.topology.pace.begins()
	c.look(ctx)
	c.topology.looks.Add(1)
	c.topology.pace.looked(time.Now(), c.topology.now() != before)
}

// viewGrace is how long the views of further nodes are waited for when one has answered.
const viewGrace = 20 * time.Millisecond

// lookTime is how long servers have to answer a look.
func (c *Client) lookTime() time.Duration {
	return max(c.config.ConnectTimeout/4, 250*time.Millisecond)
}

// look takes the view that the first nodes agree on which give one. Without a view the topology
// stands.
func (c *Client) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, c.config.ConnectTimeout)
	defer cancel()
	var refused *Error
	var failed error
	for _, group := range c.candidates() {
		attempt, cancel := context.WithTimeout(ctx, c.lookTime())
		snapshot, err := c.discover(attempt, group, viewGrace)
		cancel()
		if err == nil {
			c.topology.refused.Store(nil)
			c.topology.blind = 0
			c.accept(ctx, snapshot)
			c.tidy()
			return
		}
		if failure, is := err.(*Error); is && failure.Status == StatusServer && !failure.Retryable {
			refused = failure
		}
		failed = err
		if ctx.Err() != nil {
			break
		}
	}
	c.topology.refused.Store(refused)
	c.topology.missed.Add(1)
	if c.topology.blind++; c.topology.blind == 1 && !c.closed() {
		logf(LogWarn, "nobody tells the topology: %v", failed)
	}
}

// candidates are whom to ask for the topology, in groups that are asked one after another: the
// nodes that a MOVED named, then the known ones, then the configured addresses, or those first.
// They are three at a time: one that hangs must not use up the time of all.
func (c *Client) candidates() [][]routing.Address {
	now, seeds := c.topology.now(), c.config.Addresses
	known := now.Nodes()
	nodes := make([]routing.Address, len(known))
	for i, at := range rand.Perm(len(known)) { // or else all clients would ask the same ones
		nodes[i] = known[at].Endpoint
	}
	hints := c.topology.takeHints()
	if c.config.FromSeeds {
		c.links.renewStrangers(seeds, now)
	}
	switch {
	case now.Standalone && c.config.Discovery != DiscoverAll:
		return [][]routing.Address{seeds}
	case now.Standalone && c.config.FromSeeds:
		return [][]routing.Address{seeds, nodes}
	case now.Standalone:
		return [][]routing.Address{distinct(seeds, nodes)}
	case c.config.FromSeeds:
		return append(threes(seeds), threes(distinct(hints, nodes))...)
	}
	return threes(distinct(hints, nodes, seeds))
}

func threes(addresses []routing.Address) [][]routing.Address {
	return slices.Collect(slices.Chunk(addresses, 3))
}

func distinct(lists ...[]routing.Address) (all []routing.Address) {
	seen := make(map[routing.Address]bool)
	for _, list := range lists {
		for _, address := range list {
			if !seen[address] {
				seen[address] = true
				all = append(all, address)
			}
		}
	}
	return all
}

// because adds to a failure that the topology might explain why it is not known better: what the
// servers said when they were last asked for it.
func (c *Client) because(failure *Error) *Error {
	if refused := c.topology.refused.Load(); refused != nil {
		told := *failure
		told.Message += "; the topology cannot be looked at: " + refused.Message
		return &told
	}
	return failure
}

// renewStrangers has the seeds that are no node's own address connected to anew: their names may
// lead elsewhere by now.
func (s *links) renewStrangers(seeds []routing.Address, now *routing.Snapshot) {
	for _, seed := range seeds {
		if now.Find(seed) == nil {
			s.renew(seed)
		}
	}
}

// learn is the first look. The error is an *Error.
func (c *Client) learn(ctx context.Context) error {
	snapshot, err := c.discover(ctx, c.config.Addresses, 0)
	if err != nil {
		c.topology.missed.Add(1)
		return err
	}
	c.askZones(ctx, snapshot)
	if snapshot = c.complete(snapshot); c.config.Zone != "" && !c.config.AnyZone && !snapshot.HasZones() {
		return NewError(StatusConfig, "client_az: no server names its availability zone (Valkey 8.0 and later do, where it is configured)")
	}
	c.topology.publish(snapshot)
	c.topology.hear()
	c.tidy() // seeds were connected to before their roles were known
	return nil
}

// accept puts a view in force that servers just gave.
func (c *Client) accept(ctx context.Context, snapshot *routing.Snapshot) {
	c.askZones(ctx, snapshot)
	c.topology.publish(c.complete(snapshot))
	c.topology.hear()
}

// complete adds to a view what no server tells with it: the addresses to dial, as names of the
// nodes, and zones.
func (c *Client) complete(view *routing.Snapshot) *routing.Snapshot {
	if len(c.config.AddressMap) == 0 && c.config.Zone == "" {
		return view
	}
	return view.Amended(func(node *routing.Node) {
		if dialled, mapped := c.config.AddressMap[node.Endpoint]; mapped {
			node.Alias(dialled)
		}
		if node.Zone == "" && c.config.Zone != "" {
			node.Zone = c.zones.of(node.Endpoint)
		}
	})
}

// tidy retires the links that have no place in the topology in force.
func (c *Client) tidy() {
	now := c.topology.now()
	c.links.keep(func(endpoint routing.Address, role routing.Role) bool {
		node := now.Find(endpoint)
		switch {
		case node == nil:
			return role == routing.Primary && slices.Contains(c.config.Addresses, endpoint)
		case c.config.Standalone:
			return role == routing.Primary // the one link there is
		}
		return role == node.Role
	})
}

// finding is what one address says of itself and of the cluster.
type finding struct {
	order   int // of the address among those asked
	from    routing.Address
	view    *routing.View     // of a cluster
	role    routing.Role      // of a standalone server
	names   []routing.Address // of the servers that belong to it
	process string            // of a standalone server: the id of its run; two addresses may lead to one
	err     error
}

// log tells what was wrong with an answer.
func (f *finding) log() {
	var refused refusal
	switch {
	case f.err == nil || f.err == errLate:
	case errors.As(f.err, &refused):
		logf(LogWarn, "%s does not tell the topology: %s", f.from, disclosed(string(refused)))
	default:
		logf(LogDebug, "%s does not tell the topology: %v", f.from, f.err)
	}
}

// errLate stands where others had answered and nobody waited any longer.
var errLate = errors.New("no answer yet")

// discover asks addresses at once. Where they are a cluster it makes a snapshot of what those
// agree on that answer within the grace after the first one; without a grace the first one decides.
// The error is an *Error that names every address.
func (c *Client) discover(ctx context.Context, addresses []routing.Address, grace time.Duration) (*routing.Snapshot, error) {
	all := c.askAll(ctx, addresses, grace)
	for hop := 0; c.config.Discovery == DiscoverAll && hop < maxHops; hop++ {
		if further := named(all); len(further) > 0 {
			all = append(all, c.askAll(ctx, further, grace)...)
		}
	}
	var views []*routing.View
	for _, found := range all {
		found.log()
		if found.view != nil {
			views = append(views, found.view)
		}
	}
	if len(views) == 0 {
		return c.standalone(all)
	}
	chosen, err := routing.Agree(views, len(views), true)
	if err != nil {
		return nil, NewError(StatusInternal, "%v", err)
	}
	return chosen.Snapshot(c.topology.now()), nil
}

// askAll asks addresses at once. When one has said what there is to know, a node of a cluster or a
// primary, the others have the grace left; without a grace a standalone server's have a while.
func (c *Client) askAll(ctx context.Context, addresses []routing.Address, grace time.Duration) []finding {
	findings := make(chan finding, len(addresses))
	all := make([]finding, len(addresses))
	for i, address := range addresses {
		all[i] = finding{order: i, from: address, err: errLate}
		go func() { findings <- c.ask(ctx, i, address) }()
	}
	var late <-chan time.Time
	for left := len(addresses); left > 0; {
		select {
		case found := <-findings:
			left--
			all[found.order] = found
			switch {
			case found.err != nil || late != nil || found.view == nil && found.role != routing.Primary:
			case grace > 0:
				late = time.After(grace)
			case found.view != nil:
				left = 0
			default:
				late = time.After(c.lookTime())
			}
		case <-late:
			left = 0
		}
	}
	return all
}

var (
	slotsWords = [][]byte{[]byte("CLUSTER"), []byte("SLOTS")}
	infoWords  = [][]byte{[]byte("CLUSTER"), []byte("INFO")}
)

// ask asks one address.
func (c *Client) ask(ctx context.Context, order int, address routing.Address) (found finding) {
	found = finding{order: order, from: address}
	defer func() {
		if fault := recover(); fault != nil {
			found = finding{order: order, from: address, err: Panicked(fault)}
		}
	}()
	// Over a connection of its own, so that requests do not wait behind it, but for the first look.
	exchange := c.aside
	if c.topology.unknown() {
		exchange = c.exchange
	}
	if !c.config.Standalone {
		replies, err := exchange(ctx, c.targetAt(address), slotsWords, infoWords)
		switch {
		case err != nil:
			found.err = err
			return found
		case !replies[0].IsError():
			found.view, found.err = parseView(replies, address)
			return found
		case !strings.Contains(string(replies[0].Text), "cluster support disabled"):
			found.err = refusal(replies[0].Text)
			return found
		}
	}
	c.askRole(ctx, &found)
	return found
}

// parseView reads what a node answered to slotsWords and infoWords.
func parseView(replies []routing.Value, from routing.Address) (*routing.View, error) {
	view, err := routing.ParseSlots(replies[0], from)
	if err != nil {
		return nil, err
	}
	view.Epoch = infoNumber(string(replies[1].Text), "cluster_current_epoch")
	return view, nil
}

// infoNumber reads a number from CLUSTER INFO; 0 where it is missing.
func infoNumber(info, name string) uint64 {
	_, rest, _ := strings.Cut(info, name+":")
	digits, _, _ := strings.Cut(rest, "\r")
	number, _ := strconv.ParseUint(digits, 10, 64)
	return number
}

// unreachable tells why none of the addresses served. A server that refused says more than one
// that did not answer.
func unreachable(all []finding) *Error {
	e := &Error{Status: StatusConnection, Retryable: true}
	reasons := make([]string, len(all))
	timeouts := 0
	for i, found := range all {
		reasons[i] = fmt.Sprintf("%s: %v", found.from, found.err)
		var refused refusal
		if errors.As(found.err, &refused) {
			code := routing.ErrorCode(string(refused))
			e.Status, e.Code, e.Node, e.Retryable = StatusServer, code, found.from.String(), transient[code]
		}
		if isTimeout(found.err) {
			timeouts++
		}
	}
	if timeouts == len(all) {
		e.Status = StatusTimeout
	}
	e.Message = "no usable server: " + strings.Join(reasons, "; ")
	return e
}
