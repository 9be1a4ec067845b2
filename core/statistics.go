package core

import (
	"cmp"
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
		if l, has := counted[node.Endpoint]; has {
			l.read(&of)
			delete(counted, node.Endpoint)
		}
		s.Nodes = append(s.Nodes, of)
	}
	members := len(s.Nodes)
	for address, l := range counted {
		of := NodeStatistics{Node: &routing.Node{Address: address, Endpoint: address}}
		l.read(&of)
		s.Nodes = append(s.Nodes, of)
	}
	slices.SortFunc(s.Nodes[members:], func(a, b NodeStatistics) int {
		return cmp.Compare(a.Node.Address.String(), b.Node.Address.String())
	})
	return s, nil
}

// read copies what was counted.
func (l *linkCount) read(into *NodeStatistics) {
	n := l.counters
	into.Connections, into.Made = int(max(0, n.open.Load())), n.made.Load()
	if into.Connections > 0 {
		into.ConnectedSince = time.Unix(0, n.since.Load())
	}
	into.Requests, into.Errors = n.requests.Load(), n.errors.Load()
	into.Redirects, into.Failures = n.redirects.Load(), n.failures.Load()
	into.BytesSent, into.BytesReceived = n.sent.Load(), n.received.Load()
	into.Latency, into.LastError = l.latency, n.last.Load()
}

// linkCount is the counters of an address and the latency that its link knows.
type linkCount struct {
	counters *counters
	latency  time.Duration
}

// countersOf are the counters of an address, which outlive its links. The caller holds the lock.
func (s *links) countersOf(endpoint routing.Address) *counters {
	n := s.counts[endpoint]
	if n == nil {
		n = new(counters)
		s.counts[endpoint] = n
	}
	return n
}

func (s *links) counted() map[routing.Address]*linkCount {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make(map[routing.Address]*linkCount, len(s.counts))
	for endpoint, n := range s.counts {
		all[endpoint] = &linkCount{counters: n}
		if l := s.open[endpoint]; l != nil {
			all[endpoint].latency = l.health.latency()
		}
	}
	return all
}

// forget drops the counters of addresses that are neither wanted nor connected to.
func (s *links) forget(wanted func(routing.Address) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for endpoint, n := range s.counts {
		if !wanted(endpoint) && s.open[endpoint] == nil && n.open.Load() <= 0 {
			delete(s.counts, endpoint)
		}
	}
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
