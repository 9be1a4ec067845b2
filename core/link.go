package core

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"

	"libglide/routing"
)

// link is the connections to one node.
//
// The library underneath gives each exchange a connection of its own from a pool, dialled on the
// caller's goroutine: nothing runs in the background, deadlines are the socket's, a blocking
// command delays nobody, and a panic over a malformed reply stays with its caller.
type link struct {
	config   *Config
	endpoint routing.Address
	client   valkey.Client
	conns    connSet
	ready    atomic.Bool
	health   health
	users    atomic.Int64 // exchanges that run
	retired  atomic.Bool  // the node has left: the last user closes the link
	ended    sync.Once
}

// Connections idle for so long are closed.
const idleTime = time.Minute

// Buffers of a connection, in bytes. The library's own half a MiB each way would make a client of
// many nodes heavy.
const connBuffer = 32 << 10

func newLink(config *Config, endpoint routing.Address) (*link, error) {
	l := &link{config: config, endpoint: endpoint}
	client, err := valkey.NewClient(valkey.ClientOption{
		InitAddress:           []string{endpoint.Dial()},
		ForceSingleClient:     true,
		DisableAutoPipelining: true,
		PipelineMultiplex:     -1,
		DisableRetry:          true,
		DisableCache:          true,
		BlockingPoolSize:      config.InflightLimit + 8, // never the limit: requests are counted before
		BlockingPoolCleanup:   idleTime,
		ReadBufferEachConn:    connBuffer,
		WriteBufferEachConn:   connBuffer,
		ConnWriteTimeout:      math.MaxInt64, // every exchange brings its own deadline
		DialCtxFn:             l.dial,
		Dialer:                net.Dialer{Timeout: config.ConnectTimeout, KeepAlive: -1},
		Username:              config.Username,
		Password:              config.Password,
		ClientName:            config.ClientName,
		ClientSetInfo:         []string{config.LibraryName, Version},
		SelectDB:              config.Database,
		AlwaysRESP2:           config.RESP2,
	})
	l.client = client
	l.ready.Store(true)
	if client == nil {
		return nil, err
	}
	return l, nil
}

var errNotYet = errors.New("connections are made when they are needed")

// dial makes a connection for the library. It refuses the one that NewClient asks for, which the
// pool would never use.
//
// READONLY goes ahead of the library's own handshake: it lets a replica serve reads, changes
// nothing on a primary, and stays in force through HELLO (seen on servers 8.0 and 9.1). So every
// connection has it, also one that was made anew.
func (l *link) dial(ctx context.Context, address string, _ *net.Dialer, _ *tls.Config) (net.Conn, error) {
	if !l.ready.Load() {
		return nil, errNotYet
	}
	ctx, cancel := context.WithTimeout(ctx, l.config.ConnectTimeout)
	defer cancel()
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}}
	began := time.Now()
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		l.health.failed(ctx, began)
		return nil, &connError{false, err}
	}
	if tcp, is := raw.(*net.TCPConn); is && l.config.Nagle {
		_ = tcp.SetNoDelay(false)
	}
	secured, err := l.secure(ctx, raw)
	if err == nil {
		err = l.greet(ctx, secured)
	}
	if err != nil {
		l.health.failed(ctx, began)
		_ = raw.Close()
		return nil, &connError{false, err}
	}
	made, err := l.conns.add(secured, raw)
	if err != nil {
		return nil, &connError{false, err}
	}
	l.health.answered()
	if trace, traced := ctx.Value(traceKey{}).(*trace); traced {
		trace.dialled = made
	}
	return made, nil
}

// refusal is an error line with which the server answered the handshake.
type refusal string

func (r refusal) Error() string { return string(r) }

// greet authenticates, since a server with a password refuses READONLY before that, and sends
// READONLY. A server that is not a cluster refuses READONLY; that is as good.
func (l *link) greet(ctx context.Context, raw net.Conn) error {
	if deadline, has := ctx.Deadline(); has {
		if err := raw.SetDeadline(deadline); err != nil {
			return err
		}
	}
	lines := 1
	request := "*1\r\n$8\r\nREADONLY\r\n"
	if l.config.Password != "" || l.config.Username != "" {
		lines++
		user := l.config.Username
		if user == "" {
			user = "default"
		}
		request = fmt.Sprintf("*3\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(user), user, len(l.config.Password), l.config.Password) + request
	}
	if _, err := raw.Write([]byte(request)); err != nil {
		return err
	}
	// The reader holds nothing back: the server says no more than these lines.
	reader := bufio.NewReader(raw)
	for ; lines > 0; lines-- {
		line, err := reader.ReadString('\n')
		if err != nil {
			return err
		}
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "-") && (lines > 1 || !strings.Contains(line, "cluster support disabled")) {
			return refusal(line[1:])
		}
	}
	return raw.SetDeadline(time.Time{})
}

// trace learns whether an exchange had to dial.
type trace struct{ dialled *conn }

type traceKey struct{}

// exchange sends the commands in one write and reads a reply to each. Error replies are values.
// The error is of the transport (see wasSent), or a refusal of the handshake.
func (l *link) exchange(ctx context.Context, commands ...[][]byte) (replies []routing.Value, err error) {
	if err := ctx.Err(); err != nil {
		return nil, &connError{false, err}
	}
	l.users.Add(1)
	defer func() {
		if fault := recover(); fault != nil {
			err = &connError{true, fmt.Errorf("malformed reply: %v", fault)}
		}
		if l.users.Add(-1) == 0 && l.retired.Load() {
			l.close()
		}
	}()
	built := make(valkey.Commands, len(commands))
	_, timed := ctx.Deadline()
	for i, words := range commands {
		built[i] = l.build(words, !timed)
	}
	trace := new(trace)
	began := time.Now()
	results := l.client.DoMulti(context.WithValue(ctx, traceKey{}, trace), built...)
	replies = make([]routing.Value, len(results))
	for i, result := range results {
		if err := result.NonValkeyError(); err != nil {
			return nil, l.explain(err, trace)
		}
		message, _ := result.ToMessage()
		if replies[i], err = parseReply(&message); err != nil {
			return nil, &unreadable{err}
		}
	}
	if trace.dialled == nil {
		l.health.took(time.Since(began))
	}
	return replies, nil
}

func (l *link) build(words [][]byte, blocking bool) valkey.Completed {
	command := l.client.B().Arbitrary(valkey.BinaryString(words[0]))
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
func (l *link) explain(err error, trace *trace) error {
	var refused *valkey.ValkeyError
	if errors.As(err, &refused) {
		line, err := parseReply((*valkey.ValkeyMessage)(refused)) // Error() would drop a leading ERR
		if err != nil {
			return &connError{false, err}
		}
		return &connError{false, refusal(line.Text)}
	}
	if trace.dialled != nil && trace.dialled.rounds <= 1 {
		return &connError{false, err}
	}
	return err
}

// retire closes the link when nobody uses it any more.
func (l *link) retire() {
	l.retired.Store(true)
	if l.users.Load() == 0 {
		l.close()
	}
}

// close ends also the exchanges that run.
func (l *link) close() {
	l.ended.Do(func() {
		l.conns.close()
		l.client.Close()
	})
}

// links are the links of a client, by endpoint. They connect when they are first used.
type links struct {
	config *Config
	mu     sync.RWMutex
	open   map[routing.Address]*link
	closed bool
}

func (s *links) to(endpoint routing.Address) (*link, error) {
	s.mu.RLock()
	l := s.open[endpoint]
	s.mu.RUnlock()
	if l != nil {
		return l, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, &connError{false, net.ErrClosed}
	}
	if l := s.open[endpoint]; l != nil {
		return l, nil
	}
	l, err := newLink(s.config, endpoint)
	if err != nil {
		return nil, &connError{false, err}
	}
	s.open[endpoint] = l
	return l, nil
}

// renew lets the next exchange with an endpoint begin with new connections.
func (s *links) renew(endpoint routing.Address) {
	s.keep(func(other routing.Address) bool { return other != endpoint })
}

// keep retires the links to endpoints that are not wanted any more.
func (s *links) keep(wanted func(routing.Address) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for endpoint, l := range s.open {
		if !wanted(endpoint) {
			delete(s.open, endpoint)
			l.retire()
		}
	}
}

func (s *links) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for endpoint, l := range s.open {
		delete(s.open, endpoint)
		l.close()
	}
}
