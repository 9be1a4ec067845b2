package core

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
)

// connError is a failure of a connection that knows whether the command had been written.
type connError struct {
	sent bool
	err  error
}

func (e *connError) Error() string { return e.err.Error() }
func (e *connError) Unwrap() error { return e.err }

// wasSent says whether the command may have reached the server. Where nobody knows it did: a
// deadline that passed inside the library, say.
func wasSent(err error) bool {
	var known *connError
	return !errors.As(err, &known) || known.sent
}

var (
	errIdleClosed   = errors.New("the server had closed the idle connection")
	errServerClosed = errors.New("the server closed it")
)

// conn is a connection as the library underneath sees it. One caller at a time uses it, so what
// it wrote since the last byte it read belongs to one exchange.
type conn struct {
	net.Conn
	raw    syscall.RawConn
	set    *connSet
	wrote  bool // and has read nothing since
	rounds int  // exchanges begun; the first is the handshake
}

// Write refuses, with nothing sent, where the server has hung up since the last exchange.
// Without that look the bytes would go into the kernel and vanish, and nobody could tell whether
// the command ran.
func (c *conn) Write(p []byte) (int, error) {
	if !c.wrote {
		if c.hungUp() {
			return 0, &connError{false, errIdleClosed}
		}
		c.rounds++
	}
	n, err := c.Conn.Write(p)
	c.wrote = c.wrote || n > 0
	if err != nil {
		err = &connError{c.wrote, err}
	}
	return n, err
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.wrote = false
	}
	if errors.Is(err, io.EOF) {
		err = errServerClosed
	}
	if err != nil {
		err = &connError{true, err}
	}
	return n, err
}

// hungUp peeks at the socket without waiting: end of file and errors are a hang-up, nothing to
// read and a message to read are not. Under TLS the server's farewell is such a message, so there
// a hang-up may be seen only when the reply is missing.
func (c *conn) hungUp() bool {
	if c.raw == nil {
		return false
	}
	gone := false
	err := c.raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == nil:
			gone = n == 0
		case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		default:
			gone = true
		}
	})
	return gone || err != nil
}

func (c *conn) Close() error {
	c.set.remove(c)
	return c.Conn.Close()
}

// connSet holds the open connections of a link, so that closing the link ends the calls that
// wait on them.
type connSet struct {
	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
}

// add wraps a connection; socket is what it comes over, itself where it is plain.
func (s *connSet) add(c, socket net.Conn) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	wrapped := &conn{Conn: c, set: s}
	if tcp, is := socket.(syscall.Conn); is {
		raw, err := tcp.SyscallConn()
		if err != nil {
			_ = c.Close()
			return nil, fmt.Errorf("descriptor of the connection: %w", err)
		}
		wrapped.raw = raw
	}
	if s.conns == nil {
		s.conns = make(map[*conn]struct{})
	}
	s.conns[wrapped] = struct{}{}
	return wrapped, nil
}

func (s *connSet) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// close closes every connection, also those in use; their readers return at once.
func (s *connSet) close() {
	s.mu.Lock()
	open := s.conns
	s.conns, s.closed = nil, true
	s.mu.Unlock()
	for c := range open {
		_ = c.Conn.Close()
	}
}
