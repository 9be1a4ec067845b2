package core

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"

	"libglide/routing"
)

// wire is one connection to a node, made when an exchange needs it and made anew after it broke.
// One exchange at a time uses it; the library underneath writes and reads on the goroutine of
// that exchange, so nothing runs in the background, and a panic over a malformed reply stays with
// who caused it.
type wire struct {
	link    *link
	direct  bool // over a blocking socket
	single  bool // its connection is never made anew, and may be idle for ever
	client  valkey.Client
	ready   bool         // the client stands and may dial
	dialled *conn        // by the present exchange
	unmade  bool         // the present exchange asked for a connection and got none
	since   atomic.Int64 // Unix nanoseconds: reach began; 0: it does not run
	sent    bool         // what the present exchange brings was written ahead
	sentAt  time.Time
	request []byte
	built   valkey.Commands
	results []valkey.ValkeyResult
	flat    *room // with the replies of the last exchange, where the results are stubs

	mu    sync.Mutex
	made  bool   // there was a connection
	conn  *conn  // the one that stands
	id    string // of the last one, see conn.id
	ahead *conn  // the same, made ahead of the exchange that will take it
	shut  bool   // it makes no connection any more
}

// Connections idle for so long are closed.
const idleTime = time.Minute

// Buffers of a connection, in bytes. The library's own half a MiB each way would make a client of
// many nodes heavy.
const connBuffer = 32 << 10

func newWire(l *link, direct bool) (*wire, error) {
	w := &wire{link: l, direct: direct}
	return w, w.renewClient()
}

// shared says that the wire is the lane's.
func (w *wire) shared() bool { return w == w.link.lane.wire }

// number is that of its last connection at the server; "": there was none, or it is not known.
func (w *wire) number() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.id
}

// renewClient gives the wire a client of the library, which has no connection yet.
func (w *wire) renewClient() error {
	l, cleanup := w.link, idleTime
	if w.single {
		cleanup = 0
	}
	w.ready = false
	client, err := valkey.NewClient(valkey.ClientOption{
		InitAddress:           []string{l.address()},
		ForceSingleClient:     true,
		DisableAutoPipelining: true, // a pool, whose connections have no goroutines
		PipelineMultiplex:     -1,
		DisableRetry:          true,
		DisableCache:          true,
		BlockingPoolSize:      1,
		BlockingPoolCleanup:   cleanup,
		ReadBufferEachConn:    connBuffer,
		WriteBufferEachConn:   connBuffer,
		ConnWriteTimeout:      math.MaxInt64, // every exchange brings its own deadline
		DialCtxFn:             w.dial,
		Dialer:                net.Dialer{Timeout: l.config.ConnectTimeout, KeepAlive: -1},
		ClientName:            l.config.ClientName,
		ClientSetInfo:         []string{l.config.LibraryName, Version},
		SelectDB:              l.config.Database,
		AlwaysRESP2:           l.config.RESP2,
	})
	if client == nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.client, w.ready = client, true
	return nil
}

// repair replaces the client and its connection, which are out of step: after a panic, or where a
// reply was left behind.
func (w *wire) repair() {
	w.mu.Lock()
	broken := w.conn
	w.mu.Unlock()
	if broken != nil {
		_ = broken.Close()
	}
	w.client.Close()
	_ = w.renewClient() // or else the old one, which is closed, says so
}

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
	made := w.takeAhead()
	if made == nil {
		var err error
		if made, err = w.connect(ctx, address); err != nil {
			w.unmade = true // the library may tell of the context instead
			return nil, err
		}
	}
	w.dialled = made
	return made, nil
}

// reach makes the connection, if none stands, ahead of an exchange: whoever leaves meanwhile has
// sent nothing.
func (w *wire) reach() error {
	w.mu.Lock()
	stands := w.conn != nil
	w.mu.Unlock()
	if stands {
		return nil
	}
	w.since.Store(time.Now().UnixNano())
	defer w.since.Store(0)
	made, err := w.connect(w.link.life, w.link.address())
	if err != nil {
		w.link.counters.exchanged(0, err)
		return err
	}
	w.mu.Lock()
	w.ahead = made
	shut := w.shut
	w.mu.Unlock()
	if shut {
		w.dropAhead()
	}
	return nil
}

// takeAhead is the connection that was made ahead, if there is one; it is the caller's.
func (w *wire) takeAhead() *conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	made := w.ahead
	w.ahead = nil
	return made
}

// dropAhead closes the connection that no exchange will take any more: the library, which closes
// the others, does not know it.
func (w *wire) dropAhead() {
	if made := w.takeAhead(); made != nil {
		_ = made.Close()
	}
}

// blame holds it against the node where somebody gives up waiting for a connection that takes long.
func (w *wire) blame() {
	if since := w.since.Load(); since != 0 && time.Since(time.Unix(0, since)) > patience {
		w.link.health.failed()
	}
}

// connect makes a connection.
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
	if err == nil {
		user := l.config.credentials.now()
		made.renewal = user.renewal
		greeted := context.AfterFunc(ctx, func() {
			if until, _ := ctx.Deadline(); time.Now().Before(until) { // else the socket's own ends it
				made.cut()
			}
		})
		if err = greet(ctx, made, user, l.role); err != nil {
			_ = made.Conn.Close()
		}
		greeted()
	}
	if err != nil {
		l.failed(ctx, began, err)
		return nil, &connError{false, err}
	}
	if err := w.keep(made); err != nil {
		return nil, &connError{false, err}
	}
	l.health.answered()
	l.gate.opened()
	logf(LogInfo, "connected to %s", l.endpoint)
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
	if w.direct {
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

// refusal is an error line with which the server answered the handshake.
type refusal string

func (r refusal) Error() string { return string(r) }

var (
	readOnlyCommand = []byte("*1\r\n$8\r\nREADONLY\r\n")
	selectCommand   = []byte("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")
	idCommand       = []byte("*2\r\n$6\r\nCLIENT\r\n$2\r\nID\r\n")
)

// greet says what goes ahead of the library's own handshake, so that every connection has it, also
// one that was made anew.
//
// A replica serves reads after READONLY, which stays in force through HELLO (seen on servers 8.0 and
// 9.1); a password goes before it. A primary does without: if it is demoted, a connection in that
// mode has it serve stale reads, where another has it say MOVED (seen on server 9.1). A server that
// is not a cluster refuses READONLY; that is as good.
//
// Something is said in any case: a node that accepts connections and answers nothing is as good as
// none, and whoever waits here has sent nothing. SELECT 0 changes nothing, and is answered also by a
// node that is loading.
//
// A connection on which commands may block learns its number, to be unblocked by it; a user who may
// not ask for it goes without.
func greet(ctx context.Context, made *conn, user *credential, role routing.Role) error {
	raw := made.Conn
	if deadline, has := ctx.Deadline(); has {
		if err := raw.SetDeadline(deadline); err != nil {
			return err
		}
	}
	var commands [][]byte
	if auth := user.auth(); auth != nil {
		commands = append(commands, auth)
	}
	if role == routing.Replica {
		commands = append(commands, readOnlyCommand)
	}
	if len(commands) == 0 {
		commands = append(commands, selectCommand)
	}
	asksID := !made.wire.shared()
	if asksID {
		commands = append(commands, idCommand)
	}
	lines, err := say(raw, commands...)
	if err != nil {
		return err
	}
	if last := len(lines) - 1; asksID {
		if number, is := strings.CutPrefix(lines[last], ":"); is {
			made.id = number
		}
		lines = lines[:last]
	}
	for _, line := range lines {
		if err := refusalOf(line); err != nil && !strings.Contains(line, "cluster support disabled") {
			return err
		}
	}
	return raw.SetDeadline(time.Time{})
}

// keep makes a connection the one that stands.
func (w *wire) keep(made *conn) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut {
		_ = made.Conn.Close()
		return net.ErrClosed
	}
	w.conn, w.id, w.made, made.counted = made, made.id, true, true
	w.link.counters.opened()
	return nil
}

// lost forgets a connection that is being closed.
func (w *wire) lost(c *conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == c {
		w.conn = nil
	}
	if c.counted {
		c.counted = false
		w.link.counters.closed()
		w.logLost(c)
	}
	if w.direct {
		w.link.lane.quick.Store(false)
	}
}

// yield gives the connection that stands away: the wire only closes it.
func (w *wire) yield(ctx context.Context) (net.Conn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case ctx.Err() != nil: // maybe before there was anything to cut
		return nil, ctx.Err()
	case w.conn == nil:
		return nil, net.ErrClosed
	}
	return w.conn.Conn, w.conn.SetDeadline(time.Time{})
}

// logLost tells why a connection is closed.
func (w *wire) logLost(c *conn) {
	switch {
	case w.shut || c.ended || c.failure == nil:
		logf(LogInfo, "disconnected from %s", w.link.endpoint)
	case errors.Is(c.failure, errIdleClosed):
		logf(LogInfo, "disconnected from %s: %v", w.link.endpoint, errIdleClosed)
	default:
		logf(LogWarn, "lost the connection to %s: %s", w.link.endpoint, disclosedError(c.failure))
	}
}

// cut ends the exchange that runs, if one does; the connection is lost.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		w.conn.ended = true
		w.conn.cut()
	}
}

// close ends the wire for good, also under an exchange.
func (w *wire) close() {
	w.mu.Lock()
	w.shut = true
	client := w.client // the exchange that runs may replace it
	w.mu.Unlock()
	w.cut()
	w.dropAhead()
	client.Close()
}

// attend names who may interrupt the exchange that follows, nil: nobody, and whether it is worth to
// stay awake for its reply.
func (w *wire) attend(waiting interruptible, awake bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil && w.conn.direct != nil {
		w.conn.direct.waiting, w.conn.direct.awake = waiting, awake
	}
}

// exchange sends the commands in one write and reads a reply to each. The results are the wire's
// and good until its next exchange; error replies are among them. The error is of the transport
// (see wasSent), or a refusal of the handshake.
func (w *wire) exchange(ctx context.Context, commands [][][]byte) (results []valkey.ValkeyResult, err error) {
	if err := ctx.Err(); err != nil && !w.sent {
		return nil, &connError{false, err}
	}
	defer func() {
		w.sent = false
		if fault := recover(); fault != nil {
			Panicked(fault)
			w.repair()
			err = &connError{true, fmt.Errorf("malformed reply: %v", fault)}
		} else if w.owes() {
			w.repair()
		}
		w.link.counters.exchanged(len(commands), err)
	}()
	w.forget()
	w.dialled, w.unmade = nil, false
	w.expect(len(commands))
	_, timed := ctx.Deadline()
	began := w.began()
	if len(commands) == 1 {
		w.results = append(w.results[:0], w.client.Do(ctx, w.build(commands[0], !timed)))
	} else {
		w.built = w.built[:0]
		for _, words := range commands {
			w.built = append(w.built, w.build(words, !timed))
		}
		w.results = append(w.results[:0], w.client.DoMulti(ctx, w.built...)...)
	}
	for _, result := range w.results {
		if err := result.NonValkeyError(); err != nil {
			return nil, w.explain(err)
		}
	}
	if w.dialled == nil {
		w.link.health.took(time.Since(began))
	}
	return w.results, nil
}

// expect tells the connection that stands how many replies are to come. One that was made ahead has
// the library's handshake before it, whose replies are the library's.
func (w *wire) expect(replies int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil && w.conn.rounds > 0 {
		w.conn.expected = replies
	}
}

// sendAhead writes commands before the exchange that reads their replies, if a connection stands.
func (w *wire) sendAhead(ctx *until, commands [][][]byte) {
	w.mu.Lock()
	c := w.conn
	w.mu.Unlock()
	if c == nil {
		return
	}
	w.request = w.request[:0]
	for _, words := range commands {
		w.request = appendCommand(w.request, words)
	}
	_ = c.SetDeadline(ctx.at) // what fails here fails again in the exchange
	w.sentAt = time.Now()
	c.writeAhead(w.request)
	w.sent = true
	if cap(w.request) > connBuffer {
		w.request = nil
	}
}

// owes says that commands were written ahead of an exchange that the library did not begin, as after
// the deadline: their replies are still to come, and would be taken for those to the next commands.
func (w *wire) owes() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn != nil && w.conn.ahead > 0 && !w.shut
}

// appendCommand encodes a command, an array of bulk strings (RESP specification).
func appendCommand(b []byte, words [][]byte) []byte {
	head := func(mark byte, count int) {
		b = append(b, mark)
		b = strconv.AppendInt(b, int64(count), 10)
		b = append(b, '\r', '\n')
	}
	head('*', len(words))
	for _, word := range words {
		head('$', len(word))
		b = append(append(b, word...), '\r', '\n')
	}
	return b
}

// descriptor is that of the socket, to be polled; -1 where there is none, or nothing to wait for
// since what was written ahead was not.
func (w *wire) descriptor() int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn == nil || w.conn.direct == nil || w.conn.aheadErr != nil {
		return -1
	}
	return int32(w.conn.direct.fd)
}

// run is exchange with the replies read.
func (w *wire) run(ctx context.Context, commands [][][]byte) ([]routing.Value, error) {
	results, err := w.exchange(ctx, commands)
	if err != nil {
		return nil, err
	}
	defer w.forget()
	replies := make([]routing.Value, len(results))
	if w.flat != nil {
		replies = w.flat.takeAway(replies[:0], len(results))
		results = nil
	}
	for i := range results {
		message, _ := results[i].ToMessage()
		if replies[i], err = parseReply(&message); err != nil {
			return nil, &unreadable{err}
		}
	}
	w.link.counters.heard(replies)
	return replies, nil
}

// forget lets go of the results of the last exchange.
func (w *wire) forget() {
	clear(w.results)
	if w.flat != nil {
		w.flat.giveBack()
		w.flat = nil
	}
}

func (w *wire) build(words [][]byte, blocking bool) valkey.Completed {
	command := w.client.B().Arbitrary(valkey.BinaryString(words[0]))
	for _, word := range words[1:] {
		command = command.Args(valkey.BinaryString(word))
	}
	if blocking {
		return command.Blocking() // the library sets no deadline of its own
	}
	return command.Build()
}

// explain tells a failed handshake, before which nothing of the caller's was written, from a
// failed exchange.
func (w *wire) explain(err error) error {
	var refused *valkey.ValkeyError
	if errors.As(err, &refused) {
		line, err := parseReply((*valkey.ValkeyMessage)(refused)) // Error() would drop a leading ERR
		if err != nil {
			return &connError{false, err}
		}
		logf(LogWarn, "%s refused the connection: %s", w.link.endpoint, disclosed(string(line.Text)))
		return &connError{false, refusal(line.Text)}
	}
	if w.unmade || w.dialled != nil && w.dialled.rounds <= 1 {
		return &connError{false, err}
	}
	return err
}
