// Package fakenode is a Valkey node that does what a script says, for faults that a real server
// does not show on demand: half a reply, a hang-up after the command, redirects in circles.
//
//	n := fakenode.Start(t)
//	n.On("CLUSTER SLOTS", fakenode.Slots(fakenode.Serves(0, 16383, n.Endpoint())))
//	n.On("GET foo", fakenode.Hangup(), fakenode.Bulk("bar")) // and bar from then on
//
// It answers the handshake of a connection by itself, in RESP3 after HELLO 3, and records all
// commands it gets.
package fakenode

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

const host = "127.0.0.1"

// Node is a fake node. Its methods may be called at any time and from any goroutine.
type Node struct {
	port int

	mu       sync.Mutex
	listener net.Listener // nil while connections are refused
	open     map[*connection]bool
	accepted int
	rules    []*rule
	fallback *rule
	log      []Command
}

// Start starts a node for one test.
func Start(t testing.TB) *Node {
	t.Helper()
	n, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

// Listen starts a node, which Stop ends.
//
// Its port is from below those that systems give to outgoing connections: a port of those could
// be taken while the node refuses connections, even by the connection to itself.
func Listen() (*Node, error) {
	const first, last = 20000, 31999
	var err error
	for range 1000 {
		n := &Node{port: first + rand.IntN(last-first+1), open: map[*connection]bool{}}
		if err = n.Listen(); err == nil {
			return n, nil
		}
	}
	return nil, fmt.Errorf("no free port in %d..%d: %w", first, last, err)
}

// Address is "127.0.0.1:port".
func (n *Node) Address() string { return net.JoinHostPort(host, strconv.Itoa(n.port)) }

// Port is the port that n listens on, also while it refuses connections.
func (n *Node) Port() int { return n.port }

// ID is the name of the node in a cluster, 40 hexadecimal digits.
func (n *Node) ID() string { return fmt.Sprintf("%040x", n.port) }

// Listen accepts connections again after Refuse or Stop, on the same port.
func (n *Node) Listen() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp", n.Address())
	if err != nil {
		return err
	}
	n.listener = listener
	go n.accept(listener)
	return nil
}

// Refuse has new connections refused. Those that are open stay.
func (n *Node) Refuse() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listener != nil {
		n.listener.Close()
		n.listener = nil
	}
}

// CloseConnections closes all connections. New ones are accepted as before.
func (n *Node) CloseConnections() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for c := range n.open {
		c.close()
		delete(n.open, c)
	}
}

// Stop closes all connections and has new ones refused.
func (n *Node) Stop() {
	n.Refuse()
	n.CloseConnections()
}

// Connections returns how many connections were accepted so far. They are numbered from 1.
func (n *Node) Connections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.accepted
}

// OpenConnections returns how many connections are open now.
func (n *Node) OpenConnections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.open)
}

func (n *Node) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		n.mu.Lock()
		if n.listener != listener { // refused in the meantime
			conn.Close()
		} else {
			n.accepted++
			c := newConnection(n, n.accepted, conn.(*net.TCPConn))
			n.open[c] = true
			go c.serve()
		}
		n.mu.Unlock()
	}
}

func (n *Node) forget(c *connection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.open, c)
}
