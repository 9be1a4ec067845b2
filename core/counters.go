package core

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"libglide/routing"
)

// counters is what a client counts of one address, over all its links there. Nobody waits: an
// exchange costs an atomic addition, and one for each read and write of its connection.
type counters struct {
	open      atomic.Int64
	made      atomic.Uint64
	since     atomic.Int64 // Unix nanoseconds; when the first of the open connections was made
	requests  atomic.Uint64
	errors    atomic.Uint64
	redirects atomic.Uint64
	failures  atomic.Uint64
	sent      atomic.Uint64 // bytes
	received  atomic.Uint64
	last      atomic.Pointer[Incident]
}

// Incident is an error and when it was seen.
type Incident struct {
	Message string
	At      time.Time
}

// opened and closed count a connection.
func (n *counters) opened() {
	n.made.Add(1)
	if n.open.Add(1) == 1 {
		n.since.Store(time.Now().UnixNano())
	}
}

func (n *counters) closed() { n.open.Add(-1) }

// wrote and read count bytes.
func (n *counters) wrote(bytes int) { n.sent.Add(uint64(bytes)) }
func (n *counters) read(bytes int)  { n.received.Add(uint64(bytes)) }

// exchanged counts requests that went out together, and their failure. Where the caller lost
// interest nothing failed: others had answered, say; nor where the link was closed. Where the server had hung up before, nothing
// went out, and the same requests come again.
func (n *counters) exchanged(requests int, err error) {
	if errors.Is(err, errIdleClosed) {
		return
	}
	n.requests.Add(uint64(requests))
	if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, net.ErrClosed) {
		n.failures.Add(1)
		n.remember(disclosedError(err))
	}
}

// heard counts the errors among replies.
func (n *counters) heard(replies []routing.Value) {
	for i := range replies {
		if replies[i].IsError() {
			n.refused(string(replies[i].Text))
		}
	}
}

// refused counts an error reply. A redirect tells where a slot is; nothing is wrong with it.
func (n *counters) refused(line string) {
	switch routing.ErrorCode(line) {
	case "MOVED", "ASK":
		n.redirects.Add(1)
	default:
		n.errors.Add(1)
		n.remember(disclosed(line))
	}
}

func (n *counters) remember(message string) { n.last.Store(&Incident{message, time.Now()}) }
