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
	a, begun, err := c.opening.join(c)
	if err != nil {
		return err
	}
	if begun {
		go a.run(c)
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

// connectFirst is connect for the opening of the client: nobody else knows it yet, so the attempt needs
// no goroutine of its own.
func (c *Client) connectFirst() error {
	a, begun, err := c.opening.join(c)
	if begun {
		a.run(c)
		err = a.err
	}
	return err
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

// join gives the attempt that there is, or one that the caller has begun and is to run.
func (o *opening) join(c *Client) (a *attempt, begun bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case c.closed():
		return nil, false, errClosed
	case o.attempt != nil:
		return o.attempt, false, nil
	}
	a = &attempt{ended: make(chan struct{})}
	if !c.topology.unknown() {
		close(a.ended)
		return a, false, nil
	}
	o.attempt = a
	c.done.Add(1) // the lock is held, and Close takes it after it has ended the context
	return a, true, nil
}

// run makes the attempt, and ends it.
func (a *attempt) run(c *Client) {
	defer c.done.Done()
	defer close(a.ended)
	defer c.opening.finish()
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
