package core

import (
	"context"
	"errors"
	"sync"
)

// opening is the first connecting of a client, at its opening or at its first request. One attempt
// runs at a time; whoever comes meanwhile waits for that one.
type opening struct {
	mu      sync.Mutex
	attempt *attempt // that runs; nil where none does
}

type attempt struct {
	ended chan struct{}
	err   error // once ended is closed
}

// connect waits until the client knows a topology, as long as ctx allows. The attempt itself has
// the connect timeout: where it takes longer than this caller can wait, a later one finds it done.
// The error is an *Error; the next call tries again.
func (c *Client) connect(ctx context.Context) error {
	a, err := c.opening.join(c)
	if err != nil {
		return err
	}
	select {
	case <-a.ended:
		return a.err
	case <-ctx.Done():
	}
	if c.closed() {
		return errClosed
	}
	late := NewError(StatusTimeout, "not connected to any of %v by the deadline", c.config.Addresses)
	if errors.Is(ctx.Err(), context.Canceled) {
		late = NewError(StatusCancelled, "cancelled before any of %v was connected to", c.config.Addresses)
	}
	late.Retryable = true
	return late
}

// connected looks at the topology, at one that is not known yet by connecting. The error is an
// *Error.
func (c *Client) connected(ctx context.Context) error {
	if c.topology.unknown() {
		return c.connect(ctx)
	}
	c.refresh(ctx)
	return nil
}

// join gives the attempt that runs, or begins one.
func (o *opening) join(c *Client) (*attempt, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case c.closed():
		return nil, errClosed
	case o.attempt != nil:
		return o.attempt, nil
	}
	a := &attempt{ended: make(chan struct{})}
	if !c.topology.unknown() {
		close(a.ended)
		return a, nil
	}
	o.attempt = a
	c.done.Add(1) // the lock is held, and Close takes it after it has ended the context
	go func() {
		defer c.done.Done()
		defer close(a.ended)
		defer o.finish()
		defer func() {
			if fault := recover(); fault != nil {
				a.err = Panicked(fault)
			}
		}()
		ctx, cancel := context.WithTimeout(c.closing, c.config.ConnectTimeout)
		defer cancel()
		a.err = c.learn(ctx)
		if c.closed() {
			a.err = errClosed
		}
	}()
	return a, nil
}

func (o *opening) finish() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attempt = nil
}

// shut waits until nobody is about to begin an attempt; the client's context has ended.
func (o *opening) shut() {
	o.mu.Lock()
	defer o.mu.Unlock()
}
