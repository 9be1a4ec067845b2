package core

import (
	"time"

	"libglide/routing"
)

// The last one in so many of a client's places for requests is for nodes that answer, and a node
// that does not is turned away from them once it has as many places itself. So those who wait for
// one node never take all there is, and the other nodes go on.
const reserve = 4

// silence is how long a node has not answered that counts as one that does not: as long as a request
// may take, and a second at most. Before that it may just be at something long, and those who wait
// for it would rather wait.
func (c *Config) silence() time.Duration {
	return max(patience, min(c.RequestTimeout, time.Second))
}

// turnAway ends flights to a node that does not answer, if they would take places from others. It
// is false where they may go.
func (c *Client) turnAway(group []*flight) bool {
	limit := int64(c.config.InflightLimit)
	if c.inflight.Load() <= limit-limit/reserve || len(c.topology.now().Nodes()) < 2 {
		return false
	}
	to := group[0].to
	waiting := c.links.crowd(to.endpoint, c.config.silence())
	if waiting < max(limit/reserve, 1) || !c.othersAnswer(to.endpoint) {
		return false
	}
	for _, f := range group {
		failure := NewError(StatusConnection, "%s: not sent to %s, which does not answer and has %d requests waiting: the last of the %d that may run at once are for other nodes",
			f.describe(), to, waiting, limit)
		failure.Node, failure.Retryable = to.name(), true
		f.end(routing.Value{}, failure)
	}
	return true
}

// othersAnswer says whether the places would be of use: some other shard has a primary for which
// nobody waits in vain.
func (c *Client) othersAnswer(than routing.Address) bool {
	for _, shard := range c.topology.now().Shards() {
		if shard.Primary != nil && shard.Primary.Endpoint != than && c.links.crowd(shard.Primary.Endpoint, c.config.silence()) == 0 {
			return true
		}
	}
	return false
}

// crowd is how many requests wait for a node that has not answered for a while; 0 where it answers.
func (s *links) crowd(endpoint routing.Address, silence time.Duration) (waiting int64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := s.peers[endpoint]
	if p == nil {
		return 0
	}
	down := time.Now().UnixNano() < p.health.downUntil.Load()
	if down {
		waiting = p.pausing.Load()
	}
	for _, l := range p.links {
		if l != nil {
			waiting += l.lane.crowd(down, silence)
		}
	}
	return waiting
}

// crowd is how many errands wait for a node that is down, or behind one that has not ended for a
// while; 0 where none does.
func (n *lane) crowd(down bool, silence time.Duration) int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	began := n.progress.Load()
	if !n.led || !down && (began == 0 || time.Since(time.Unix(0, began)) < silence) {
		return 0
	}
	return int64(len(n.queue))
}
