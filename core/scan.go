package core

import (
	"context"
	"strconv"
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
		node, err := scan.Next(c.topology.now(), request.Gaps)
		if err != nil {
			return "", nil, planError(err)
		}
		if node == nil {
			return routing.ScanFinished, nil, nil
		}
		keys, failure := c.step(ctx, f, scan, request, node)
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

// step scans a node once. In the same write the node is asked for its epoch, and after its last
// step for the slots that it owns itself: what another node says of it may be older.
func (c *Client) step(ctx context.Context, f *flight, scan *routing.Scan, request *ScanRequest, node *routing.Node) ([]routing.Value, *Error) {
	f.to = targetOf(node)
	f.leg.Words = request.words(scan.Step)
	replies, failure := c.askNode(ctx, f, f.leg.Words, infoWords)
	if failure != nil {
		return nil, failure
	}
	answer := replies[0].Items
	if replies[0].Kind != routing.KindArray || len(answer) != 2 || answer[1].Kind != routing.KindArray {
		return nil, NewError(StatusServer, "SCAN of %s: the reply is no cursor with keys", node.Address)
	}
	if scan.Begins() {
		scan.Epoch = ownEpoch(replies[1])
	}
	scan.Step = string(answer[0].Text)
	if !scan.Begins() {
		return answer[1].Items, nil
	}
	if c.topology.now().Standalone {
		scan.Finish(node.Slots(), scan.Epoch)
		return answer[1].Items, nil
	}
	replies, failure = c.askNode(ctx, f, slotsWords, infoWords)
	if failure != nil {
		return nil, failure
	}
	view, err := parseView(replies, node.Endpoint)
	if err != nil {
		return nil, NewError(StatusServer, "%v", err)
	}
	snapshot := c.complete(view.Snapshot(c.topology.now()))
	c.topology.publish(snapshot) // the node may be no primary any more
	var owned []routing.SlotRange
	if self := snapshot.Find(node.Address); self != nil && self.Role == routing.Primary {
		owned = self.Slots()
	}
	scan.Finish(owned, ownEpoch(replies[1]))
	return answer[1].Items, nil
}

// askNode sends commands that may be sent again at any time to the flight's node.
func (c *Client) askNode(ctx context.Context, f *flight, commands ...[][]byte) ([]routing.Value, *Error) {
	replies, err := c.exchange(ctx, f.to, commands...)
	if err == nil && !replies[0].IsError() {
		return replies, nil
	}
	reply := routing.Value{}
	if err == nil {
		reply = replies[0]
	}
	failure, _ := c.judge(f, reply, err)
	return nil, failure
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

// ownEpoch reads the node's own configuration epoch from CLUSTER INFO; 0 where it has none.
func ownEpoch(info routing.Value) uint64 { return infoNumber(string(info.Text), "cluster_my_epoch") }
