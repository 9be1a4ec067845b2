package core

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
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
	link     *link
	direct   bool // over a blocking socket
	single   bool // its connection is never made anew, and may be idle for ever
	client   valkey.Client
	ready    bool         // the client stands and may dial
	dialled  *conn        // by the present exchange
	unmade   bool         // the present exchange asked for a connection and got none
	reaching bool         // the present exchange is for a connection only
	since    atomic.Int64 // Unix nanoseconds: reach began; 0: it does not run
	sent     bool         // what the present exchange brings was written ahead
	sentAt   time.Time
	built    valkey.Commands
	results  []valkey.ValkeyResult
	flat     *room // with the replies of the last exchange; nil: the results hold them

	mu   sync.Mutex
	made bool   // there was a connection
	conn *conn  // the one that stands
	id   string // of the last one, see conn.id
	shut bool   // it makes no connection any more
}

// Connections idle for so long are closed, but for those of lanes and sessions.
var idleTime = time.Minute // the tests have less

// Buffers of a connection, in bytes. The library's own half a MiB each way would make a client of
// many nodes heavy. On a shared connection it writes nothing but its handshake.
const connBuffer, handshakeBuffer = 32 << 10, 1 << 10

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
	l, cleanup, writing := w.link, idleTime, connBuffer
	switch {
	case w.shared():
		cleanup, writing = 0, handshakeBuffer
	case w.single:
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
		WriteBufferEachConn:   writing,
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

// keep makes a connection the one that stands.
func (w *wire) keep(made *conn) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.shut {
		_ = made.Conn.Close()
		return net.ErrClosed
	}
	w.conn = made
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
	if w.shared() {
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
// and good until its next exchange; error replies are among them. Where flat has the replies, results
// are none, or nulls. The error is of the transport (see wasSent), or a refusal of the handshake.
func (w *wire) exchange(ctx context.Context, commands [][][]byte) (results []valkey.ValkeyResult, err error) {
	if err := ctx.Err(); err != nil && !w.sent {
		return nil, &connError{false, err}
	}
	began := w.began()
	defer func() {
		w.sent = false
		if fault := recover(); fault != nil {
			Panicked(fault)
			w.repair()
			err = &connError{true, fmt.Errorf("malformed reply: %v", fault)}
		} else if w.owes() {
			w.repair()
		}
		if w.dialled != nil && w.dialled.rounds <= 1 && w.link.life.Err() == nil {
			w.link.failed(ctx, began, err)
		}
		requests := len(commands)
		if w.reaching {
			requests = 0
		}
		w.link.counters.exchanged(requests, err)
	}()
	w.forget()
	w.dialled, w.unmade = nil, false
	if !w.exchangeFlat(ctx, commands) {
		w.ask(ctx, commands)
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

// ask has the library exchange the commands.
func (w *wire) ask(ctx context.Context, commands [][][]byte) {
	_, timed := ctx.Deadline()
	if len(commands) == 1 {
		w.results = append(w.results, w.client.Do(ctx, w.build(commands[0], !timed)))
		return
	}
	w.built = w.built[:0]
	for _, words := range commands {
		w.built = append(w.built, w.build(words, !timed))
	}
	w.results = append(w.results, w.client.DoMulti(ctx, w.built...)...)
}

// exchangeFlat exchanges the commands past the library, where a connection that is shared stands and
// the replies are flat. Where it is false the library goes on from there: what was written it takes
// for written, and it reads what has come, or how the connection failed.
func (w *wire) exchangeFlat(ctx context.Context, commands [][][]byte) bool {
	c := w.standing()
	switch {
	case c == nil:
		return false // the library's handshake goes before the replies
	case !w.sent && !w.shared():
		c.expected = len(commands)
		return false
	}
	_ = c.SetDeadline(deadlineOf(ctx)) // what fails here fails again in the exchange
	if !w.sent {
		w.write(c, commands)
	}
	if c.aheadErr != nil || c.between() {
		return false
	}
	if w.flat, c.broken = c.readFlat(len(commands)); w.flat == nil {
		return false
	}
	c.settled()
	return true
}

// deadlineOf is that of a context; zero: it has none.
func deadlineOf(ctx context.Context) time.Time {
	deadline, has := ctx.Deadline()
	if !has {
		return time.Time{}
	}
	return deadline
}

// standing is the connection that stands; nil: none does.
func (w *wire) standing() *conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn
}

// sendAhead writes commands before the exchange that reads their replies, if a connection stands.
func (w *wire) sendAhead(ctx context.Context, commands [][][]byte) {
	if c := w.standing(); c != nil {
		_ = c.SetDeadline(deadlineOf(ctx)) // what fails here fails again in the exchange
		w.sentAt = time.Now()
		w.write(c, commands)
	}
}

// write writes commands past the library. How that ended the exchange finds out.
func (w *wire) write(c *conn, commands [][][]byte) {
	out := takeRoom()
	defer out.giveBack()
	for _, words := range commands {
		out.text = appendCommand(out.text, words)
	}
	c.writeAhead(out.text)
	w.sent = true
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
	replies := make([]routing.Value, 0, len(commands))
	if w.flat != nil {
		replies = w.flat.takeAway(replies, len(commands))
		results = nil // where there are any, they are nulls
	}
	for i := range results {
		message, _ := results[i].ToMessage()
		reply, err := parseReply(&message)
		if err != nil {
			return nil, &unreadable{err}
		}
		replies = append(replies, reply)
	}
	w.link.counters.heard(replies)
	return replies, nil
}

// forget lets go of the results of the last exchange.
func (w *wire) forget() {
	clear(w.results)
	w.results = w.results[:0]
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
	switch made := w.dialled; {
	case w.unmade:
		return &connError{false, err}
	case made != nil && made.rounds <= 1:
		if made.failure != nil { // the library may tell of the context instead
			err = made.failure
		}
		return &connError{false, err}
	}
	return err
}
