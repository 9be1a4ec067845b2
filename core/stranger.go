package core

import (
	"context"
	"slices"
	"sync"
	"time"

	"libglide/routing"
)

// strangers are the addresses that redirects named and no topology has. An error line that begins
// with MOVED may come from a script, or from a server that is out of date, so a client with a
// password does not log in wherever it leads: the node that redirects must name the address as one
// of its cluster. A node that has just joined is so, before any view has it.
type strangers struct {
	turn  chan struct{} // holds one token: whoever has it asks
	mu    sync.Mutex
	known map[routing.Address]opinion
}

// opinion is what a node said of a stranger.
type opinion struct {
	member bool
	at     time.Time
}

// opinionTime is how long a node's word on a stranger stands, so that the many requests which a
// redirect turns at once do not all ask.
const opinionTime = time.Second

func newStrangers() *strangers {
	s := &strangers{turn: make(chan struct{}, 1), known: make(map[routing.Address]opinion)}
	s.turn <- struct{}{}
	return s
}

// of is what was said of a stranger lately.
func (s *strangers) of(address routing.Address) (member, asked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	said, asked := s.known[address]
	if !asked || time.Since(said.at) > opinionTime {
		return false, false
	}
	return said.member, true
}

func (s *strangers) remember(address routing.Address, member bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other, said := range s.known { // or else a server that invents addresses fills the memory
		if time.Since(said.at) > opinionTime {
			delete(s.known, other)
		}
	}
	s.known[address] = opinion{member, time.Now()}
}

// trusts says whether a redirect to an address may be followed without asking anybody.
func (c *Client) trusts(address routing.Address) bool {
	if c.config.TrustRedirects || c.config.credentials.now().none() ||
		c.topology.now().Find(address) != nil || slices.Contains(c.config.Addresses, address) {
		return true
	}
	member, _ := c.strangers.of(address)
	return member
}

// vet goes on with a flight that was redirected to a stranger: it asks the node that redirected.
func (c *Client) vet(ctx context.Context, f *flight, failure *Error) (*Error, verdict) {
	move, _ := routing.ParseRedirect(f.line, f.to.endpoint)
	member, err := c.isMember(ctx, f.to, move.To)
	switch {
	case err != nil:
		c.refreshSoon(f.to.endpoint)
		return failure, waitFirst
	case member:
		return failure, c.redirect(f, f.line)
	}
	c.refreshSoon(f.to.endpoint)
	told := *failure
	told.Message += "; not followed: " + f.to.name() + " names no such node of its cluster, and would have the client log in there (trust_redirects has it do so)"
	logf(LogWarn, "%s: a redirect by %s to %s is not followed: it names no such node of its cluster", f.describe(), f.to, move.To)
	return &told, giveUp
}

// isMember asks a node whether its cluster has another one, unless that was asked lately.
func (c *Client) isMember(ctx context.Context, by target, address routing.Address) (bool, error) {
	select {
	case <-c.strangers.turn:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	defer func() { c.strangers.turn <- struct{}{} }()
	if member, asked := c.strangers.of(address); asked {
		return member, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.lookTime())
	defer cancel()
	replies, err := c.aside(ctx, by, nodesWords, slotsWords)
	if err != nil {
		return false, err
	}
	member := !replies[0].IsError() && routing.HasMember(string(replies[0].Text), address, by.endpoint)
	if view, err := routing.ParseSlots(replies[1], by.endpoint); err == nil && !member { // who may not see NODES may see SLOTS
		member = view.Snapshot(nil).Find(address) != nil
	}
	c.strangers.remember(address, member)
	return member, nil
}
