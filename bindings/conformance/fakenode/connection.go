package fakenode

import (
	"bufio"
	"net"
	"sync"
	"time"
)

// connection serves one client, one command after another as a server does.
type connection struct {
	node     *Node
	number   int
	conn     *net.TCPConn
	protocol int  // of RESP
	silent   bool // after Silence: an answer to a later command would pass for one to this
	closed   chan struct{}
	once     sync.Once
}

func newConnection(node *Node, number int, conn *net.TCPConn) *connection {
	return &connection{node: node, number: number, conn: conn, protocol: 2, closed: make(chan struct{})}
}

func (c *connection) serve() {
	defer c.node.forget(c)
	defer c.close()
	reader := bufio.NewReader(c.conn)
	for {
		words, err := readCommand(reader)
		if err != nil {
			if wrong, ok := err.(protocolError); ok {
				c.write(Err("ERR Protocol error: " + string(wrong)))
			}
			return
		}
		c.node.record(c.number, words)
		if c.silent {
			continue
		}
		if !c.node.answer(c, words).give(c, words) {
			return
		}
	}
}

func (c *connection) close() {
	c.once.Do(func() {
		close(c.closed)
		c.conn.Close()
	})
}

func (c *connection) write(v Value) bool { return c.writeBytes(v.bytes(c.protocol)) }

func (c *connection) writeBytes(bytes []byte) bool {
	_, err := c.conn.Write(bytes)
	return err == nil
}

// wait returns false where the connection was closed in the meantime.
func (c *connection) wait(pause time.Duration) bool {
	select {
	case <-time.After(pause):
		return true
	case <-c.closed:
		return false
	}
}
