package cluster

import (
	"context"
	"fmt"
	"time"
)

const pollInterval = 5 * time.Millisecond

// await asks again and again what is missing until nothing is, the server ends or ctx does.
func (n *Node) await(ctx context.Context, missing func(context.Context) string) error {
	what := "its start"
	for {
		if now := missing(ctx); now == "" {
			return nil
		} else if ctx.Err() == nil {
			what = now
		}
		select {
		case <-ctx.Done():
			return n.failure(what, context.Cause(ctx))
		case <-n.ended():
			return n.failure(what, fmt.Errorf("the server ended"))
		case <-time.After(pollInterval):
		}
	}
}

func (n *Node) ended() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.process.ended
}

// failure is the error of a wait: the node, what it was waited for, why no longer, and its log.
func (n *Node) failure(what string, cause error) error {
	return fmt.Errorf("%s: waited for %s: %w; its log ends:\n%s", n, what, cause, logEnd(n.folder))
}
