package core

import (
	"context"
	"strconv"
	"strings"
	"time"

	"libglide/routing"
)

// ScanRequest asks for the next keys of a scan over the whole cluster.
type ScanRequest struct {
	Cursor  string // "" or "0" begins; then what the last step gave
	Match   []byte // a pattern; nil: every key
	Count   int64  // how many keys the server looks at in one step; 0: its default
	Type    string // of the keys' values; "": any
	Gaps    bool   // go on where slots have no shard
	Timeout time.Duration
}

// Scan gives some keys and the cursor for the next step, routing.ScanFinished after the last. A
// key that is there throughout is given at least once, perhaps several times. A node that fails
// or changes is begun again. The error is an *Error.
func (c *Client) Scan(request *ScanRequest) (cursor string, keys []routing.Value, err error) {
	if err := c.enter(); err != nil {
		return "", nil, err
	}
	defer c.leave()
	ctx, cancel := c.within(c.orDefault(request.Timeout))
	defer cancel()
	return c.scan(ctx, request)
}

// StartScan is Scan for an owner that waits elsewhere; see Start. The value is an array of the
// cursor and an array of the keys.
func (c *Client) StartScan(k *Call, request *ScanRequest) {
	c.startAs(k, c.orDefault(request.Timeout), func(ctx context.Context) (Response, error) {
		cursor, keys, err := c.scan(ctx, request)
		return Response{Value: routing.ArrayOf(routing.Bulk(cursor), routing.ArrayOf(keys...))}, err
	})
}

func (c *Client) scan(ctx context.Context, request *ScanRequest) (cursor string, keys []routing.Value, err error) {
	scan, err := routing.ParseScan(request.Cursor)
	if err != nil {
		return "", nil, planError(err)
	}
	if c.topology.unknown() {
		if err := c.connect(ctx); err != nil {
			return "", nil, err
		}
	}
	deadline, _ := ctx.Deadline()
	f := &flight{leg: &routing.Leg{Slot: routing.NoSlot}, readOnly: true, margin: marginOf(deadline)}
	for {
		address, left, err := scan.Next(c.topology.now(), request.Gaps)
		if err != nil {
			return "", nil, planError(err)
		}
		if !left {
			return routing.ScanFinished, nil, nil
		}
		keys, failure := c.step(ctx, f, scan, request, address)
		if failure == nil {
			return scan.String(), keys, nil
		}
		if !failure.Retryable || !f.pause(ctx) {
			return "", nil, failure
		}
		c.refresh(ctx)
		scan.Restart()
	}
}

// step scans a node once: in its turn's first step with the question how it stands ahead of the
// scan, and after the last step with that question again.
func (c *Client) step(ctx context.Context, f *flight, scan *routing.Scan, request *ScanRequest, address routing.Address) ([]routing.Value, *Error) {
	f.to = target{endpoint: address}
	if node := c.topology.now().Find(address); node != nil {
		f.to = targetOf(node)
	} else if failure := c.vouch(ctx, f, scan); failure != nil {
		return nil, failure
	}
	f.leg.Words = request.words(scan.Step)
	var replies []routing.Value
	var failure *Error
	if scan.Begins() {
		var standing *routing.Standing
		if standing, replies, failure = c.stands(ctx, f, f.leg.Words); failure == nil {
			scan.Begin(standing)
		}
	} else {
		replies, failure = c.askNode(ctx, f, f.leg.Words)
	}
	if failure != nil {
		return nil, failure
	}
	answer := replies[0].Items
	if replies[0].Kind != routing.KindArray || len(answer) != 2 || answer[1].Kind != routing.KindArray {
		return nil, NewError(StatusServer, "SCAN of %s: the reply is no cursor with keys", f.to.name())
	}
	scan.Step = string(answer[0].Text)
	if !scan.Begins() {
		return answer[1].Items, nil
	}
	return answer[1].Items, c.finish(ctx, f, scan)
}

// finish ends the turn of a node. What it says of the cluster is published: it may be no primary
// any more.
func (c *Client) finish(ctx context.Context, f *flight, scan *routing.Scan) *Error {
	if c.topology.now().Standalone {
		standing, _, failure := c.stands(ctx, f)
		if failure == nil {
			scan.Finish(standing, nil, c.topology.now())
		}
		return failure
	}
	standing, replies, failure := c.stands(ctx, f, slotsWords, infoWords)
	if failure != nil {
		return failure
	}
	view, err := parseView(replies, f.to.endpoint)
	if err != nil {
		return NewError(StatusServer, "%v", err)
	}
	c.topology.publish(c.complete(view.Snapshot(c.topology.now())))
	witnesses, failure := c.witnesses(ctx, f, scan, &standing.Owned)
	if failure == nil {
		scan.Finish(standing, witnesses, c.topology.now())
	}
	return failure
}

// vouch refuses the address of a node that is in no topology, unless the owner of a slot says that
// it hands that over to it.
func (c *Client) vouch(ctx context.Context, f *flight, scan *routing.Scan) *Error {
	to := f.to
	defer func() { f.to = to }()
	witnesses, failure := c.witnesses(ctx, f, scan, new(routing.SlotSet))
	if failure == nil && !scan.Vouched(witnesses, c.topology.now()) {
		failure = NewError(StatusRoute, "scan: no node hands slots over to %s any more", to.endpoint)
		failure.Retryable = true
	}
	return failure
}

// witnesses asks those that the turn needs.
func (c *Client) witnesses(ctx context.Context, f *flight, scan *routing.Scan, owned *routing.SlotSet) ([]*routing.Standing, *Error) {
	var all []*routing.Standing
	for _, node := range scan.Witnesses(c.topology.now(), owned) {
		f.to = targetOf(node)
		standing, _, failure := c.stands(ctx, f)
		if failure != nil {
			return nil, failure
		}
		all = append(all, standing)
	}
	return all, nil
}

var nodesWords = [][]byte{[]byte("CLUSTER"), []byte("NODES")}

// stands asks the flight's node how it stands, and for more in the same write, after that.
func (c *Client) stands(ctx context.Context, f *flight, more ...[][]byte) (*routing.Standing, []routing.Value, *Error) {
	commands := append([][][]byte{serverWords}, more...)
	if c.topology.now().Standalone {
		replies, failure := c.askNode(ctx, f, commands...)
		if failure != nil {
			return nil, nil, failure
		}
		standing := &routing.Standing{Run: runOf(replies[0]), Owned: routing.SetOf(routing.SlotRange{First: 0, Last: routing.SlotCount - 1})}
		return standing, replies[1:], nil
	}
	replies, failure := c.askNode(ctx, f, append([][][]byte{nodesWords}, commands...)...)
	if failure != nil {
		return nil, nil, failure
	}
	standing, err := routing.ParseStanding(string(replies[0].Text), runOf(replies[1]))
	if err != nil {
		return nil, nil, NewError(StatusServer, "%s: %v", f.to.name(), err)
	}
	return standing, replies[2:], nil
}

// runOf reads the id of the server's process from INFO; "" where it may not be known.
func runOf(info routing.Value) string {
	_, rest, _ := strings.Cut(string(info.Text), "run_id:")
	id, _, _ := strings.Cut(rest, "\r")
	if len(id) != 40 || strings.Trim(id, "0123456789abcdef") != "" {
		return ""
	}
	return id
}

// askNode sends commands that may be sent again at any time to the flight's node. INFO may be
// refused; an error of another one is the error of all.
func (c *Client) askNode(ctx context.Context, f *flight, commands ...[][]byte) ([]routing.Value, *Error) {
	replies, err := c.exchange(ctx, f.to, commands...)
	if err != nil {
		failure, _ := c.judge(f, routing.Value{}, err)
		return nil, failure
	}
	for i, reply := range replies {
		if reply.IsError() && string(commands[i][0]) != "INFO" {
			failure, _ := c.judge(f, reply, nil)
			return nil, failure
		}
	}
	return replies, nil
}

func (r *ScanRequest) words(step string) [][]byte {
	words := [][]byte{[]byte("SCAN"), []byte(step)}
	if r.Match != nil {
		words = append(words, []byte("MATCH"), r.Match)
	}
	if r.Count != 0 {
		words = append(words, []byte("COUNT"), strconv.AppendInt(nil, r.Count, 10))
	}
	if r.Type != "" {
		words = append(words, []byte("TYPE"), []byte(r.Type))
	}
	return words
}
