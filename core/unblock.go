package core

import (
	"cmp"
	"context"
	"time"

	"libglide/routing"
)

// A command that blocks and is given up must take nothing afterwards. To hang up is not enough: a
// server that finds the end of that connection and the next element in one round of its loop serves
// the element first, to nobody (seen on server 9.1, busy). So it is told, over the shared connection,
// to unblock the one of that number; whatever is sent after its answer finds nobody blocked.

const (
	// For that there is so much time before the connection is cut after all: of a request that was
	// cancelled, and of one whose time is over.
	unblockTime     = time.Second
	unblockLateTime = lateness
	// unblockPause is between two tries: the command may not have come to block yet.
	unblockPause = 5 * time.Millisecond
)

// over exchanges commands on a wire until the context ends; whole says that it did not before they
// had ended, or else the wire is of no use any more. blocks: they may have the server wait.
func (l *link) over(ctx context.Context, w *wire, commands [][][]byte, blocks bool) (replies []routing.Value, whole bool, err error) {
	ended, let := make(chan struct{}), make(chan struct{})
	end := func() {
		limit := unblockTime
		if late(ctx) {
			limit = unblockLateTime
		}
		if blocks {
			l.unblock(w, ended, limit)
		}
		w.cut()
	}
	stop := context.AfterFunc(ctx, func() {
		defer close(let)
		end()
	})
	replies, err = w.run(ctx, commands)
	close(ended)
	switch {
	case !stop():
		<-let
	case err != nil && late(ctx): // the connection's own deadline came before the context's
		end()
	default:
		return replies, true, err
	}
	reason := cmp.Or(ctx.Err(), context.DeadlineExceeded)
	switch {
	case err != nil: // rather than what the cut looked like
		err = &connError{wasSent(err), reason}
	case blocks && replies[len(replies)-1].IsNil(): // as of one that was unblocked
		replies, err = nil, &connError{true, reason}
	}
	return replies, false, err
}

func late(ctx context.Context) bool {
	deadline, has := ctx.Deadline()
	return has && !time.Now().Before(deadline)
}

// unblock has the server end the command that a wire waits for. It returns when the exchange of the
// wire has ended, or when that is not to be had.
func (l *link) unblock(w *wire, ended <-chan struct{}, limit time.Duration) {
	number := w.number()
	if number == "" {
		return
	}
	ctx, cancel := context.WithTimeout(l.life, limit)
	defer cancel()
	for {
		replies, err := l.exchange(ctx, [][]byte{[]byte("CLIENT"), []byte("UNBLOCK"), []byte(number)})
		if err != nil || replies[0].IsError() {
			return
		}
		select {
		case <-ended:
			return
		case <-ctx.Done():
			return
		case <-time.After(unblockPause):
		}
	}
}
