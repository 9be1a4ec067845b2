package chaos

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"libglide/core"
	"libglide/routing"
)

// Calls opens the client as other languages use it: a call is begun, and its owner waits, leads
// where it is asked to, and leaves at the deadline.
func Calls(config core.Config) (Subject, error) { return asGuest(config, false) }

// Submitted opens the client as event loops use it: a call is begun, and its owner, who never
// leads, reads the reply where it is alone and leaves at the deadline.
func Submitted(config core.Config) (Subject, error) { return asGuest(config, true) }

func asGuest(config core.Config, watching bool) (Subject, error) {
	client, err := core.Open(config)
	if err != nil {
		return nil, err
	}
	return guest{client, watching}, nil
}

type guest struct {
	client   *core.Client
	watching bool
}

func (g guest) Close() bool { return g.client.Close() }

func (g guest) Execute(request *core.Request) (core.Response, error) {
	p := g.newPromise()
	p.Request = *request
	g.client.Start(&p.Call)
	if p.watching && p.Posted() {
		p.watch()
	}
	return p.await()
}

func (g guest) ExecuteBatch(request *core.BatchRequest) (core.Response, error) {
	p := g.newPromise()
	g.client.StartBatch(&p.Call, request)
	return p.await()
}

func (g guest) Scan(request *core.ScanRequest) (cursor string, keys []routing.Value, err error) {
	p := g.newPromise()
	g.client.StartScan(&p.Call, request)
	response, err := p.await()
	if err != nil {
		return "", nil, err
	}
	return string(response.Value.Items[0].Text), response.Value.Items[1].Items, nil
}

// promise is the owner of a call.
type promise struct {
	core.Call
	began time.Time
	limit time.Duration
	done  chan struct{}
	lead  chan struct{}

	watching bool
	fd       int // of the connection that is watched
}

func (g guest) newPromise() *promise {
	p := &promise{began: time.Now(), done: make(chan struct{}, 1), lead: make(chan struct{}, 1), watching: g.watching}
	p.Owner = p
	return p
}

func (p *promise) Waits(limit time.Duration) { p.limit = limit }
func (p *promise) Done()                     { p.done <- struct{}{} }
func (p *promise) Promoted()                 { p.lead <- struct{}{} }
func (p *promise) Leads() bool               { return !p.watching }
func (p *promise) Interrupted() bool         { return false }
func (p *promise) Watches() bool             { return p.watching }

func (p *promise) Watch(fd int, _ uint64) bool {
	p.fd = fd
	return p.watching
}

// glance is how long the owner of a call looks at its connection before it does something else.
const glance = 4 * time.Millisecond

// watch is one round of an event loop.
func (p *promise) watch() {
	readable, _ := unix.Poll([]unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}, int(glance/time.Millisecond))
	switch {
	case !p.Claim(): // somebody else has it meanwhile
	case readable == 1:
		p.Collect(true)
	default:
		p.Resume()
	}
}

// await waits until the call has ended, or its deadline has come.
func (p *promise) await() (core.Response, error) {
	var deadline <-chan time.Time
	if p.limit > 0 {
		timer := time.NewTimer(time.Until(p.began.Add(p.limit)))
		defer timer.Stop()
		deadline = timer.C
	}
	for {
		select {
		case <-p.done:
			return p.Response, p.Err
		case <-p.lead:
			p.Lead()
		case <-deadline:
			if p.Abandon(context.DeadlineExceeded) {
				return core.Response{}, p.Err
			}
		}
	}
}
