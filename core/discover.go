package core

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"libglide/routing"
)

// finding is what one address says of itself and of the cluster.
type finding struct {
	order   int // of the address among those asked
	from    routing.Address
	view    *routing.View     // of a cluster
	role    routing.Role      // of a standalone server
	names   []routing.Address // of the servers that belong to it
	process string            // of a standalone server: the id of its run; two addresses may lead to one
	err     error
}

// log tells what was wrong with an answer.
func (f *finding) log() {
	var refused refusal
	switch {
	case f.err == nil || f.err == errLate:
	case errors.As(f.err, &refused):
		logf(LogWarn, "%s does not tell the topology: %s", f.from, disclosed(string(refused)))
	default:
		logf(LogDebug, "%s does not tell the topology: %v", f.from, f.err)
	}
}

// errLate stands where others had answered and nobody waited any longer.
var errLate = errors.New("no answer yet")

// discover asks addresses. Where they are a cluster it makes a snapshot of what those agree on that
// answer within the grace after the first one; without a grace the first one decides.
// The error is an *Error that names every address.
func (c *Client) discover(ctx context.Context, addresses []routing.Address, grace time.Duration) (*routing.Snapshot, error) {
	all := c.askAll(ctx, addresses, grace)
	for hop := 0; c.config.Discovery == DiscoverAll && hop < maxHops; hop++ {
		if further := named(all); len(further) > 0 {
			all = append(all, c.askAll(ctx, further, grace)...)
		}
	}
	var views []*routing.View
	for _, found := range all {
		found.log()
		if found.view != nil {
			views = append(views, found.view)
		}
	}
	if len(views) == 0 {
		return c.standalone(all)
	}
	chosen, err := routing.Agree(views, len(views), true)
	if err != nil {
		return nil, NewError(StatusInternal, "%v", err)
	}
	return chosen.Snapshot(c.topology.now()), nil
}

// headStart is how long the first of several addresses has to itself where the first answer decides:
// a server near by has told everything by then, and connections to all the others would have been
// made for nothing.
const headStart = 20 * time.Millisecond

// askAll asks addresses. When one has said what there is to know, a node of a cluster or a primary,
// the others have the grace left. Without a grace the first address has a head start, and the others
// of a standalone server have a while.
func (c *Client) askAll(ctx context.Context, addresses []routing.Address, grace time.Duration) []finding {
	findings := make(chan finding, len(addresses))
	all := make([]finding, len(addresses))
	for i, address := range addresses {
		all[i] = finding{order: i, from: address, err: errLate}
	}
	asked := 0
	ask := func(count int) {
		for ; asked < count; asked++ {
			go func(i int) { findings <- c.ask(ctx, i, addresses[i]) }(asked)
		}
	}
	var ahead, late <-chan time.Time
	if grace > 0 {
		ask(len(addresses))
	} else {
		ask(1)
		ahead = time.After(headStart)
	}
	for left := len(addresses); left > 0; {
		select {
		case found := <-findings:
			left--
			all[found.order] = found
			if found.view == nil {
				ask(len(addresses))
			}
			switch {
			case found.err != nil || late != nil || found.view == nil && found.role != routing.Primary:
			case grace > 0:
				late = time.After(grace)
			case found.view != nil:
				left = 0
			default:
				late = time.After(c.lookTime())
			}
		case <-ahead:
			ask(len(addresses))
		case <-late:
			left = 0
		}
	}
	return all
}

var (
	slotsWords = [][]byte{[]byte("CLUSTER"), []byte("SLOTS")}
	infoWords  = [][]byte{[]byte("CLUSTER"), []byte("INFO")}
)

// ask asks one address.
func (c *Client) ask(ctx context.Context, order int, address routing.Address) (found finding) {
	found = finding{order: order, from: address}
	defer func() {
		if fault := recover(); fault != nil {
			found = finding{order: order, from: address, err: Panicked(fault)}
		}
	}()
	// Over a connection of its own, so that requests do not wait behind it, but for the first look.
	exchange, to := c.aside, c.targetAt(address)
	if c.topology.unknown() {
		exchange = c.exchange
		if found.err = c.open(to); found.err != nil {
			return found
		}
	}
	if !c.config.Standalone {
		replies, err := exchange(ctx, to, slotsWords, infoWords)
		switch {
		case err != nil:
			found.err = err
			return found
		case !replies[0].IsError():
			found.view, found.err = parseView(replies, address)
			return found
		case !strings.Contains(string(replies[0].Text), "cluster support disabled"):
			found.err = refusal(replies[0].Text)
			return found
		}
	}
	c.askRole(ctx, &found)
	return found
}

// parseView reads what a node answered to slotsWords and infoWords.
func parseView(replies []routing.Value, from routing.Address) (*routing.View, error) {
	view, err := routing.ParseSlots(replies[0], from)
	if err != nil {
		return nil, err
	}
	view.Epoch = infoNumber(string(replies[1].Text), "cluster_current_epoch")
	return view, nil
}

// infoNumber reads a number from CLUSTER INFO; 0 where it is missing.
func infoNumber(info, name string) uint64 {
	_, rest, _ := strings.Cut(info, name+":")
	digits, _, _ := strings.Cut(rest, "\r")
	number, _ := strconv.ParseUint(digits, 10, 64)
	return number
}

// unreachable tells why none of the addresses served. A server that refused says more than one
// that did not answer.
func unreachable(all []finding) *Error {
	e := &Error{Status: StatusConnection, Retryable: true}
	reasons := make([]string, len(all))
	timeouts := 0
	for i, found := range all {
		reasons[i] = fmt.Sprintf("%s: %v", found.from, found.err)
		var refused refusal
		if errors.As(found.err, &refused) {
			code := routing.ErrorCode(string(refused))
			e.Status, e.Code, e.Node, e.Retryable = StatusServer, code, found.from.String(), transient[code]
		}
		if isTimeout(found.err) {
			timeouts++
		}
	}
	if timeouts == len(all) {
		e.Status = StatusTimeout
	}
	e.Message = "no usable server: " + strings.Join(reasons, "; ")
	return e
}
