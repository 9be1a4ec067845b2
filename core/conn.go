package core

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"unsafe"
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
	cut    func()      // ends the exchange that runs, from any goroutine
	gone   func() bool // peeks whether the server has hung up; nil: nobody can tell
	direct *socket     // below the TLS, where the wire wants one
	wire   *wire
	wrote  bool // and has read nothing since
	rounds int  // exchanges begun; the first is the handshake
	guard  guard

	greeted int  // lines that answer the greeting, still to come
	asksID  bool // the last of them is the connection's number

	expected int    // replies of the exchange, of which none was read
	come     *room  // with the beginning of them, read ahead of the exchange; nil: none
	broken   error  // that reading past the library ended with, for the library
	pending  []byte // what is still to be given to the library before it reads on
	lent     *room  // that it is in; nil: none

	ahead    int   // bytes that were written ahead of the exchange that will bring them
	aheadErr error // how that ended

	id      string // its number at the server; "": not known
	renewal uint64 // of the credential that it logged in with
	counted bool   // among those that are open; the wire's lock guards it
	failure error  // why it is of no use any more
	ended   bool   // by the client itself; the wire's lock guards it
}

// Write refuses, with nothing sent, where the server has hung up since the last exchange.
// Without that look the bytes would go into the kernel and vanish, and nobody could tell whether
// the command ran.
func (c *conn) Write(p []byte) (int, error) {
	if c.ahead > 0 {
		return c.passAhead(p)
	}
	var greeting []byte
	switch {
	case c.wrote:
	case c.rounds == 0:
		greeting = c.greeting()
		p = append(greeting, p...)
		c.rounds++
	default:
		if err := c.ready(); err != nil {
			c.failure = err
			return 0, &connError{false, err}
		}
		if c.rounds++; c.rounds == 2 {
			c.wire.introduced(c)
		}
		if c.wire.reaching && string(p) == probe {
			c.pending = []byte(probeReply)
			return len(p), nil
		}
	}
	n, err := c.Conn.Write(p)
	c.wire.link.counters.wrote(n)
	c.wrote = c.wrote || n > 0
	if err != nil {
		err = &connError{c.wrote, err}
		c.failure = err
	}
	return max(n-len(greeting), 0), err
}

// ready says that the server has not hung up since the last exchange, and knows the password in force.
func (c *conn) ready() error {
	switch {
	case c.gone == nil || !c.gone():
		return c.renew()
	case c.rounds == 1: // on its own account, and may do so again
		return errServerClosed
	}
	return errIdleClosed
}

// WriteString spares the library the copy of a large word through its buffer.
func (c *conn) WriteString(s string) (int, error) {
	return c.Write(unsafe.Slice(unsafe.StringData(s), len(s)))
}

// writeAhead writes what an exchange will bring, so that the exchange itself writes nothing.
func (c *conn) writeAhead(p []byte) {
	_, c.aheadErr = c.Write(p)
	c.ahead = len(p)
}

// passAhead takes what was written ahead for written.
func (c *conn) passAhead(p []byte) (int, error) {
	if c.aheadErr != nil {
		err := c.aheadErr
		c.ahead, c.aheadErr = 0, nil
		return 0, err
	}
	if len(p) > c.ahead {
		return 0, &connError{true, fmt.Errorf("%d bytes to write, %d of them written ahead", len(p), c.ahead)}
	}
	c.ahead -= len(p)
	return len(p), nil
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.receive(p)
	if n > 0 {
		c.wrote = false
		if odd := c.guard.check(p[:n]); odd != nil {
			return 0, &connError{true, odd}
		}
	}
	if errors.Is(err, io.EOF) {
		err = errServerClosed
	}
	if err != nil {
		err = &connError{true, err}
		c.failure = err
	}
	return n, err
}

// pull reads what comes next.
func (c *conn) pull(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.wire.link.counters.read(n)
	return n, err
}

// receive reads for the library. Flat replies are kept from it.
func (c *conn) receive(p []byte) (int, error) {
	expected := c.expected
	c.expected = 0
	switch {
	case c.broken != nil:
		err := c.broken
		c.broken = nil
		return 0, err
	case len(c.pending) > 0:
	case c.greeted > 0:
		return c.hear(p)
	case expected > 0:
		read, err := c.readFlat(expected)
		if err != nil {
			return 0, err
		}
		if c.wire.flat = read; read != nil { // behind the replies is what nobody asked for
			c.pending = append(stubsOf(expected), c.pending...)
		}
	case c.come != nil:
		c.pending, c.lent, c.come = c.come.text, c.come, nil
	default:
		return c.pull(p)
	}
	n := copy(p, c.pending)
	if c.pending = c.pending[n:]; len(c.pending) == 0 && c.lent != nil {
		c.lent.giveBack()
		c.lent = nil
	}
	return n, nil
}

// between says that the library has the beginning of something, or is to have more of it: what nobody
// asked for, behind what it was asked to read.
func (c *conn) between() bool { return len(c.pending) > 0 || c.guard.within() }

// settled ends an exchange whose replies were read past the library. Behind them is what nobody asked
// for; the next exchange meets it.
func (c *conn) settled() {
	c.ahead, c.wrote = 0, false
	if len(c.pending) > 0 {
		c.come = takeRoom()
		c.come.text = append(c.come.text, c.pending...)
	}
	c.pending = nil
}

func (c *conn) Close() error {
	c.wire.lost(c)
	return c.Conn.Close()
}

// peekGone peeks at a socket without waiting: end of file and errors are a hang-up, nothing to
// read and a message to read are not. Under TLS the server's farewell is such a message, so there
// a hang-up may be seen only when the reply is missing.
func peekGone(fd int) bool {
	var b [1]byte
	n, _, err := syscall.Recvfrom(fd, b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	switch {
	case err == nil:
		return n == 0
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return false
	}
	return true
}

// peekThrough is peekGone for a connection of the Go runtime's poller.
func peekThrough(raw syscall.RawConn) func() bool {
	return func() bool {
		gone := false
		err := raw.Control(func(fd uintptr) { gone = peekGone(int(fd)) })
		return gone || err != nil
	}
}
