package core

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"libglide/routing"
)

// credentials are whom connections log in as. The password may change while they are made.
type credentials struct {
	current atomic.Pointer[credential]
}

// credential is a user and its password at one time.
type credential struct {
	username, password string
	// renewal counts the updates that were for the connections that stand as well. One that logged
	// in under an earlier number logs in again before its next exchange.
	renewal uint64
}

func newCredentials(username, password string) *credentials {
	c := new(credentials)
	c.current.Store(&credential{username: username, password: password})
	return c
}

func (c *credentials) now() *credential { return c.current.Load() }

// replace puts another password in force, of two callers at once that of the later one.
func (c *credentials) replace(password string, standing bool) {
	for {
		before := c.current.Load()
		next := &credential{username: before.username, password: password, renewal: before.renewal}
		if standing {
			next.renewal++
		}
		if c.current.CompareAndSwap(before, next) {
			return
		}
	}
}

// none says that there is nothing to log in with.
func (c *credential) none() bool { return c.username == "" && c.password == "" }

// auth is the AUTH command; nil where there is nothing to log in with.
func (c *credential) auth() []byte {
	if c.none() {
		return nil
	}
	user := c.username
	if user == "" {
		user = "default"
	}
	return fmt.Appendf(nil, "*3\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(user), user, len(c.password), c.password)
}

// say writes a command and reads the line that the server answers, see refusalOf. It goes ahead of
// anything the library underneath reads, and the server says no more than that line, so the
// reader holds nothing back.
func say(raw net.Conn, command []byte) error {
	if _, err := raw.Write(command); err != nil {
		return err
	}
	reader := bufio.NewReader(io.LimitReader(raw, maxLineBytes))
	line, err := reader.ReadString('\n')
	switch {
	case err != nil:
		return err
	case reader.Buffered() > 0:
		return errReplyString
	}
	return refusalOf(strings.TrimRight(line, "\r\n"))
}

// refusalOf is the error that a line is, or that it is no status; nil where it is one.
func refusalOf(line string) error {
	if text, refused := strings.CutPrefix(line, "-"); refused {
		return refusal(text)
	}
	if !strings.HasPrefix(line, "+") {
		return errReplyType
	}
	return nil
}

// renew logs the connection in again where an update of the password asks for it. The deadline is
// that of the exchange that is about to begin. That of a session stays as its caller has left it: an
// AUTH of the client would be queued in a transaction.
func (c *conn) renew() error {
	now := c.wire.link.config.credentials.now()
	if now.renewal == c.renewal || c.wire.single {
		return nil
	}
	auth := now.auth()
	if auth == nil {
		return nil
	}
	if err := say(c.Conn, auth); err != nil {
		return err
	}
	c.renewal = now.renewal
	return nil
}

// PasswordUpdate is a new password for the client's user.
type PasswordUpdate struct {
	Password string // empty: none any more
	// Immediate has the connections that stand log in again: one of each node now, the others before
	// their next request.
	Immediate bool
	Timeout   time.Duration // of what Immediate asks for; 0: the client's
}

var pingWords = [][]byte{[]byte("PING")}

// UpdatePassword replaces the password that connections log in with from now on. With Immediate
// it returns the outcome of every node, and fails where one did not take the password; the new one
// is in force all the same. The error is an *Error.
func (c *Client) UpdatePassword(update *PasswordUpdate) (Response, error) {
	if err := c.enter(); err != nil {
		return Response{}, err
	}
	defer c.leave()
	ctx, cancel := c.within(c.orDefault(update.Timeout))
	defer cancel()
	return c.updatePassword(ctx, update)
}

// StartPassword is UpdatePassword for an owner that waits elsewhere; see Start.
func (c *Client) StartPassword(k *Call, update *PasswordUpdate) {
	c.startAs(k, c.orDefault(update.Timeout), func(ctx context.Context) (Response, error) {
		return c.updatePassword(ctx, update)
	})
}

func (c *Client) updatePassword(ctx context.Context, update *PasswordUpdate) (response Response, err error) {
	if update.Immediate && update.Password == "" {
		return response, NewError(StatusInvalidArgument, "update_connection_password: immediate_auth needs a password")
	}
	c.config.credentials.replace(update.Password, update.Immediate)
	c.links.hasten()
	logf(LogInfo, "the password of a client of %v is replaced", c.config.Addresses)
	if update.Immediate {
		// A connection logs in before its next exchange, so any exchange will do.
		ping := new(Request)
		ping.Words, ping.Route = pingWords, routing.Route{Kind: routing.RouteAllNodes}
		plan := new(routing.Plan)
		unplanned := c.planner.Plan(plan, &ping.Request, c.topology.now())
		response, err = c.run(ctx, plan, ping, unplanned)
	}
	if err == nil {
		response.Value = routing.Simple("OK")
	}
	return response, err
}
