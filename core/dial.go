package core

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"
)

var errNotYet = errors.New("connections are made when they are needed")

// dial gives the library a connection. It refuses the one that NewClient asks for, which the pool
// would never use.
func (w *wire) dial(ctx context.Context, address string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
	if !w.ready {
		return nil, errNotYet
	}
	if w.single && w.made {
		return nil, &connError{false, errLostBefore}
	}
	if w.sent {
		return nil, &connError{true, errServerClosed} // it must not be sent twice
	}
	made, err := w.connect(ctx, address)
	if err != nil {
		w.unmade = true // the library may tell of the context instead
		return nil, err
	}
	w.dialled = made
	return made, nil
}

// The library connects where there is a command to send. This one goes no further than the connection.
var probe = string(appendCommand(nil, pingWords))

const probeReply = "+PONG\r\n"

// reach makes the connection, if none stands, ahead of an exchange: whoever leaves meanwhile has
// sent nothing.
func (w *wire) reach() error {
	if w.stands() {
		return nil
	}
	w.since.Store(time.Now().UnixNano())
	w.reaching = true
	defer func() {
		w.since.Store(0)
		w.reaching = false
	}()
	_, err := w.exchange(w.link.life, [][][]byte{pingWords})
	w.forget()
	if err != nil {
		return &connError{false, err}
	}
	return nil
}

// stands says whether the connection does.
func (w *wire) stands() bool { return w.standing() != nil }

// blame holds it against the node where somebody gives up waiting for a connection that takes long.
func (w *wire) blame() {
	if since := w.since.Load(); since != 0 && time.Since(time.Unix(0, since)) > patience {
		w.link.health.failed()
	}
}

// connect makes a connection, which is still to be introduced.
func (w *wire) connect(ctx context.Context, address string) (*conn, error) {
	l := w.link
	if err := l.gate.pass(l.config.Backoff); err != nil {
		return nil, &connError{false, err}
	}
	ctx, cancel := w.dialing(ctx)
	defer cancel()
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	began := time.Now()
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		l.failed(ctx, began, err)
		return nil, &connError{false, err}
	}
	made, err := w.prepare(ctx, raw)
	if err != nil {
		l.failed(ctx, began, err)
		return nil, &connError{false, err}
	}
	if err := w.keep(made); err != nil {
		return nil, &connError{false, err}
	}
	return made, nil
}

// dialing is the context of a dial: it ends with that of the exchange, and with the link. The one
// of a lane is the lane's again after the exchange, so nothing may be derived from it.
func (w *wire) dialing(exchange context.Context) (context.Context, context.CancelFunc) {
	until := time.Now().Add(w.link.config.ConnectTimeout)
	if deadline, has := exchange.Deadline(); has && deadline.Before(until) {
		until = deadline
	}
	ctx, cancel := context.WithDeadline(w.link.life, until)
	if w.shared() {
		return ctx, cancel
	}
	stop := context.AfterFunc(exchange, cancel)
	return ctx, func() { stop(); cancel() }
}

// prepare gives a connection the form that the wire wants, TLS over it included. On an error it
// is closed.
func (w *wire) prepare(ctx context.Context, raw net.Conn) (*conn, error) {
	made := &conn{wire: w}
	tcp, is := raw.(*net.TCPConn)
	if is && w.link.config.Nagle {
		_ = tcp.SetNoDelay(false)
	}
	if is && w.direct {
		direct, err := newSocket(tcp)
		if err != nil {
			return nil, err
		}
		raw, made.direct, made.cut, made.gone = direct, direct, direct.hangUp, direct.gone
	} else {
		made.cut = func() { _ = raw.Close() }
		if is {
			if inner, err := tcp.SyscallConn(); err == nil {
				made.gone = peekThrough(inner)
			}
		}
	}
	secured, err := w.link.secure(ctx, raw)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	made.Conn = secured
	return made, nil
}
