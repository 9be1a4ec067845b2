package core

import (
	"context"
	"math/rand/v2"
	"slices"
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
	t.view = routing.Unknown()
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
