package core

import (
	"errors"
	"fmt"

	"libglide/routing"
)

// verdict is what to do with a leg that failed.
type verdict uint8

const (
	giveUp    verdict = iota
	sendAgain         // to f.to, at once
	sendAside         // to another node that will do, at once
	waitFirst         // then to where the topology says
	vetFirst          // to where a redirect says, if that is no stranger to the cluster
)

// transient are the codes with which a server refuses a command that may work a little later.
// Nothing has run, so also a write may be sent again.
var transient = map[string]bool{
	"TRYAGAIN": true, "CLUSTERDOWN": true, "MASTERDOWN": true, "LOADING": true,
}

// judge decides by what the server said, or by whether anything was written, never by hope. A
// nil failure means that the reply is good.
func (c *Client) judge(f *flight, reply routing.Value, err error) (*Error, verdict) {
	if err != nil {
		return c.judgeTransport(f, err)
	}
	if !reply.IsError() {
		return nil, giveUp
	}
	line := string(reply.Text)
	failure := serverError(line, f.to.name())
	switch code := failure.Code; {
	case code == "MOVED" || code == "ASK":
		return failure, c.redirect(f, line)
	case (code == "LOADING" || code == "MASTERDOWN") && f.to.node != nil && f.leg.Chooses(f.to.node):
		c.links.shun(f.to.node)
		return failure, sendAside
	case transient[code]:
		if f.waits > 0 && (code == "CLUSTERDOWN" || code == "MASTERDOWN") {
			c.refreshSoon() // it lasts
		}
		return failure, waitFirst
	case unknownScript(line) && f.supply():
		return failure, sendAgain
	case code == "READONLY" && f.leg.Movable() && c.config.Discovery != DiscoverStatic:
		c.refreshSoon() // the primary became a replica
		return failure, waitFirst
	}
	return failure, giveUp
}

func (c *Client) judgeTransport(f *flight, err error) (*Error, verdict) {
	what := f.describe()
	if c.closed() {
		closed := *errClosed
		closed.Sent = wasSent(err)
		return &closed, giveUp
	}
	var refused refusal
	if errors.As(err, &refused) {
		failure := serverError(string(refused), f.to.name())
		failure.Message = fmt.Sprintf("%s: %s refused the connection: %s", what, f.to, refused)
		failure.Sent = false
		if failure.Retryable {
			return failure, waitFirst
		}
		return failure, giveUp
	}
	var odd *unreadable
	if errors.As(err, &odd) {
		failure := NewError(StatusServer, "%s: %s: %v", what, f.to, odd)
		failure.Node, failure.Sent = f.to.name(), true
		return failure, giveUp
	}
	failure := transportError(what, f.to, err, f.readOnly)
	switch {
	case errors.Is(err, errIdleClosed):
		return failure, sendAgain
	case failure.Status == StatusTimeout && failure.Sent, failure.Status == StatusCancelled:
		return failure, giveUp
	case !failure.Sent:
		c.refreshSoon()
		return c.because(failure), waitFirst
	case f.readOnly && !f.resent:
		c.refreshSoon()
		f.resent = true
		return failure, sendAgain
	}
	c.refreshSoon()
	return failure, giveUp
}

// redirect turns the leg to where a MOVED or an ASK points, which is a primary whatever the topology
// says. MOVED also repairs the topology at once. A write to all nodes is not turned: each of its legs would run on the one owner of the key.
func (c *Client) redirect(f *flight, line string) verdict {
	move, good := routing.ParseRedirect(line, f.to.endpoint)
	if !good {
		c.refreshSoon()
		return giveUp
	}
	snapshot := c.topology.now()
	if snapshot.Standalone {
		return giveUp
	}
	if !c.trusts(move.To) {
		if f.line = line; f.stay {
			return giveUp
		}
		return vetFirst
	}
	if !move.Ask {
		snapshot = c.topology.moved(move.Slot, move.To)
		c.refreshFor(ofMoved, move.To)
	}
	if f.redirects++; f.redirects > maxRedirects || f.stay {
		return giveUp
	}
	logf(LogDebug, "%s: %s redirects: %s", f.describe(), f.to, line)
	before := f.to.endpoint
	f.to, f.asking = target{endpoint: move.To}, move.Ask
	if node := snapshot.Find(move.To); node != nil {
		f.to.endpoint, f.to.node = node.Endpoint, node
	}
	if f.to.endpoint == before {
		// The node contradicts itself: it is taking the slot over, or the connection leads to
		// another node than the address does by now.
		c.links.renew(before)
		return waitFirst
	}
	return sendAgain
}

// blame keeps why an attempt failed, for the case that the deadline ends the next one before
// anything was sent: "connection refused" says more than that there was no connection by then.
func (f *flight) blame(failure *Error, next verdict) {
	if next != sendAgain && (failure.Status != StatusTimeout || failure.Sent) {
		f.reason = failure
	}
}

// steer gives the leg its target anew after a wait; a redirect has named it already.
func (c *Client) steer(f *flight, next verdict) {
	if next == sendAgain {
		return
	}
	f.asking = false
	if c.planner.Choose(f.leg, c.topology.now()) == nil {
		f.to = targetOf(f.leg.Node)
	}
}
