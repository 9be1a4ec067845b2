package core

import (
	"context"
	"errors"
	"fmt"
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
	hints   []routing.Address // nodes that a MOVED named: they know better
	wake    chan struct{}     // a refresh is wanted
	turn    chan struct{}     // holds one token: whoever has it looks
	looks   atomic.Uint64     // refreshes that ended
	looked  time.Time         // when the last one ended; for the holder of the token
}

func (t *topology) start(snapshot *routing.Snapshot) {
	t.wake, t.turn = make(chan struct{}, 1), make(chan struct{}, 1)
	t.turn <- struct{}{}
	t.view = snapshot
	t.current.Store(snapshot)
}

func (t *topology) now() *routing.Snapshot { return t.current.Load() }

// moved applies one MOVED and returns the snapshot that holds it.
func (t *topology) moved(slot routing.Slot, to routing.Address) *routing.Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	next := t.current.Load().Moved(slot, to)
	t.current.Store(next)
	return next
}

// publish puts a full view in force. A view that says the same as the last one, or is older, does
// not undo what MOVED has taught since: the node that gave it may not have heard of it yet.
func (t *topology) publish(view *routing.Snapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if view.Epoch < t.view.Epoch || view.Equal(t.view) {
		return
	}
	t.view = view
	t.current.Store(view)
}

func (t *topology) hint(addresses []routing.Address) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, address := range addresses {
		if !slices.Contains(t.hints, address) {
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

// refreshFloor is the least time between two looks at the topology, however many causes there
// are.
const refreshFloor = 100 * time.Millisecond

// refreshSoon asks for a look at the topology in the background; better are nodes to ask first.
func (c *Client) refreshSoon(better ...routing.Address) {
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
		case <-c.topology.wake:
		}
		ctx, cancel := context.WithTimeout(c.closing, c.config.ConnectTimeout)
		c.refresh(ctx)
		cancel()
	}
}

// refresh looks at the topology, or waits for the look of another caller that has begun. Looks
// keep their distance.
func (c *Client) refresh(ctx context.Context) {
	seen := c.topology.looks.Load()
	select {
	case <-ctx.Done():
		return
	case <-c.topology.turn:
	}
	defer func() { c.topology.turn <- struct{}{} }()
	if c.topology.looks.Load() != seen {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-time.After(time.Until(c.topology.looked.Add(refreshFloor))):
	}
	c.look(ctx)
	c.topology.looks.Add(1)
	c.topology.looked = time.Now()
}

// viewGrace is how long the views of further nodes are waited for when one has answered.
const viewGrace = 20 * time.Millisecond

// look takes the view that the first nodes agree on which give one: those that a MOVED named, then
// the known ones, then the configured addresses. Without a view the topology stands.
func (c *Client) look(ctx context.Context) {
	var candidates []routing.Address
	add := func(address routing.Address) {
		if !slices.Contains(candidates, address) {
			candidates = append(candidates, address)
		}
	}
	for _, address := range c.topology.takeHints() {
		add(address)
	}
	now := c.topology.now()
	if !now.Standalone {
		for _, node := range now.Nodes() {
			add(node.Endpoint)
		}
	}
	for _, address := range c.config.Addresses {
		add(address)
	}
	// Three at a time: one that hangs must not use up the time of all.
	for group := range slices.Chunk(candidates, 3) {
		if now.Standalone {
			group = candidates
		}
		attempt, cancel := context.WithTimeout(ctx, max(c.config.ConnectTimeout/4, 250*time.Millisecond))
		snapshot, err := c.discover(attempt, group, viewGrace)
		cancel()
		if err == nil {
			c.topology.publish(snapshot)
			c.links.keep(snapshotWants(c.topology.now(), c.config.Addresses))
			return
		}
	}
}

func snapshotWants(snapshot *routing.Snapshot, seeds []routing.Address) func(routing.Address) bool {
	return func(endpoint routing.Address) bool {
		return snapshot.Find(endpoint) != nil || slices.Contains(seeds, endpoint)
	}
}

// finding is what one address says of itself and of the cluster.
type finding struct {
	order int // of the address among those asked
	from  routing.Address
	view  *routing.View // of a cluster
	role  routing.Role  // of a standalone server
	err   error
}

// discover asks addresses at once. Where they are a cluster it makes a snapshot of what those
// agree on that answer within the grace after the first one, else of all the answers. The error is
// an *Error that names every address.
func (c *Client) discover(ctx context.Context, addresses []routing.Address, grace time.Duration) (*routing.Snapshot, error) {
	findings := make(chan finding, len(addresses))
	for i, address := range addresses {
		go func() { findings <- c.ask(ctx, i, address) }()
	}
	all := make([]finding, len(addresses))
	var views []*routing.View
	var late <-chan time.Time
	for left := len(addresses); left > 0; {
		select {
		case found := <-findings:
			left--
			if found.view == nil {
				all[found.order] = found
				continue
			}
			if views = append(views, found.view); grace == 0 {
				left = 0
			} else if late == nil {
				late = time.After(grace)
			}
		case <-late:
			left = 0
		}
	}
	if len(views) == 0 {
		return standalone(all, c.config.ReadOnly)
	}
	chosen, err := routing.Agree(views, len(views), true)
	if err != nil {
		return nil, NewError(StatusInternal, "%v", err)
	}
	return chosen.Snapshot(c.topology.now()), nil
}

var (
	slotsWords = [][]byte{[]byte("CLUSTER"), []byte("SLOTS")}
	infoWords  = [][]byte{[]byte("CLUSTER"), []byte("INFO")}
	roleWords  = [][]byte{[]byte("ROLE")}
)

// ask asks one address.
func (c *Client) ask(ctx context.Context, order int, address routing.Address) (found finding) {
	found = finding{order: order, from: address}
	defer func() {
		if fault := recover(); fault != nil {
			found = finding{order: order, from: address, err: fmt.Errorf("panic: %v", fault)}
		}
	}()
	if !c.config.Standalone {
		replies, err := c.exchange(ctx, target{endpoint: address}, slotsWords, infoWords)
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
	replies, err := c.exchange(ctx, target{endpoint: address}, roleWords)
	switch {
	case err != nil:
		found.err = err
	case replies[0].IsError():
		found.err = refusal(replies[0].Text)
	case len(replies[0].Items) > 0 && string(replies[0].Items[0].Text) != "master":
		found.role = routing.Replica
	}
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

// standalone makes a snapshot of addresses that are no cluster: one primary and its replicas. For
// a client that only reads replicas will do: the first stands where the primary would.
func standalone(all []finding, readOnly bool) (*routing.Snapshot, error) {
	var primaries, replicas []routing.Address
	for _, found := range all {
		switch {
		case found.err != nil:
		case found.role == routing.Replica:
			replicas = append(replicas, found.from)
		default:
			primaries = append(primaries, found.from)
		}
	}
	switch {
	case len(primaries) == 1:
		return routing.NewStandalone(primaries[0], replicas...), nil
	case len(primaries) > 1:
		return nil, NewError(StatusConfig, "%v are all primaries: name one of them and its replicas, or set cluster_mode_enabled for a cluster", primaries)
	case len(replicas) > 0 && readOnly:
		return routing.NewStandalone(replicas[0], replicas[1:]...), nil
	case len(replicas) > 0:
		return nil, NewError(StatusConfig, "%v are replicas; the address of their primary is missing", replicas)
	}
	return nil, unreachable(all)
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
