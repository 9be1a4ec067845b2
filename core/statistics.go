package core

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"libglide/routing"
)

// Statistics is what a client has counted since it was opened, read at one time or nearly so.
type Statistics struct {
	// Nodes are those of the topology in its order, then other addresses that were talked to.
	Nodes    []NodeStatistics
	Inflight int
	Epoch    uint64 // of the topology
	// Age is the time since servers last told the topology; negative where they never did.
	Age             time.Duration
	Refreshes       uint64 // looks at the topology that gave one
	FailedRefreshes uint64
	// Config is the one in force, without password, keys and certificates.
	Config               Config
	HasPassword          bool
	HasClientCertificate bool
}

// NodeStatistics is what was counted of one node, or of an address that is none.
type NodeStatistics struct {
	Node           *routing.Node
	InTopology     bool // else Node has an address only
	Connections    int
	Made           uint64    // connections, so far
	ConnectedSince time.Time // zero where no connection is open
	Requests       uint64
	Errors         uint64 // error replies other than redirects
	Redirects      uint64
	Failures       uint64 // exchanges without replies
	BytesSent      uint64
	BytesReceived  uint64
	Latency        time.Duration // average of a round trip; 0 where there was none
	LastError      *Incident     // nil where there was none
}

// Statistics reads the counters. The error is an *Error.
func (c *Client) Statistics() (*Statistics, error) {
	if c.closed() {
		return nil, errClosed
	}
	now := c.topology.now()
	s := &Statistics{
		Inflight: int(max(0, c.inflight.Load())), Epoch: now.Epoch, Age: -1,
		Refreshes: c.topology.seen.Load(), FailedRefreshes: c.topology.missed.Load(),
		Config: c.config.disclosed(), HasPassword: c.config.credentials.now().password != "",
		HasClientCertificate: c.config.TLS != nil && (len(c.config.TLS.ClientCert) > 0 || c.config.TLS.ClientCertPath != ""),
	}
	if told := c.topology.told.Load(); told != 0 {
		s.Age = time.Since(time.Unix(0, told))
	}
	counted := c.links.counted()
	for _, node := range now.Nodes() {
		of := NodeStatistics{Node: node, InTopology: true}
		if p, has := counted[node.Endpoint]; has {
			p.read(&of)
			delete(counted, node.Endpoint)
		}
		s.Nodes = append(s.Nodes, of)
	}
	members := len(s.Nodes)
	for address, p := range counted {
		of := NodeStatistics{Node: &routing.Node{Address: address, Endpoint: address}}
		p.read(&of)
		s.Nodes = append(s.Nodes, of)
	}
	slices.SortFunc(s.Nodes[members:], func(a, b NodeStatistics) int {
		return cmp.Compare(a.Node.Address.String(), b.Node.Address.String())
	})
	return s, nil
}

// read copies what was counted.
func (p *peer) read(into *NodeStatistics) {
	n := &p.counters
	into.Connections, into.Made = int(max(0, n.open.Load())), n.made.Load()
	if into.Connections > 0 {
		into.ConnectedSince = time.Unix(0, n.since.Load())
	}
	into.Requests, into.Errors = n.requests.Load(), n.errors.Load()
	into.Redirects, into.Failures = n.redirects.Load(), n.failures.Load()
	into.BytesSent, into.BytesReceived = n.sent.Load(), n.received.Load()
	into.Latency, into.LastError = p.health.latency(), n.last.Load()
}

// counted are the peers by their addresses.
func (s *links) counted() map[routing.Address]*peer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.peers)
}

// disclosed is the configuration without what only servers may see.
func (c Config) disclosed() Config {
	c.Password = ""
	if c.TLS != nil {
		shown := *c.TLS
		shown.ClientKey, shown.ClientCert, shown.RootCerts = nil, nil, nil
		c.TLS = &shown
	}
	c.tls, c.credentials = nil, nil
	return c
}
