package chaos

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"libglide/core"
)

// verdict is what a caller was told of a command.
type verdict uint8

const (
	good    verdict = iota // acknowledged
	refused                // it did not run
	unsure                 // it may have run
)

// call is one command of a worker, as its caller saw it.
type call struct {
	began, ended time.Time
	verdict      verdict
}

// judge says what a failure means. A command that the server refused did not run, and neither did
// one that was never sent.
func judge(err error) verdict {
	var failure *core.Error
	switch {
	case err == nil:
		return good
	case !errors.As(err, &failure), failure.Sent && failure.Status != core.StatusServer:
		return unsure
	}
	return refused
}

// calls counts all calls of a run, and looks at each whether it came back in time.
type calls struct {
	stalls *stalls
	count  [3]atomic.Int64 // by verdict
	late   atomic.Int64    // unanswered: came back too late
	worst  atomic.Int64    // nanoseconds past the deadline, what the machine stood still taken off

	mu       sync.Mutex
	failures map[string]int // by status and code
	odd      []string       // failures that must not be, the first ones
	latest   []string       // what the late ones were, the first ones
}

// grace is how much later than its deadline a call may come back.
const grace = 50 * time.Millisecond

// shown is how many examples of something wrong are kept.
const shown = 5

// do runs one call that has to be back within a time.
func (c *calls) do(what string, deadline time.Duration, run func() error) call {
	began := time.Now()
	err := run()
	ended := time.Now()
	done := call{began, ended, judge(err)}
	c.count[done.verdict].Add(1)
	if over := ended.Sub(began) - deadline; over > 0 {
		stood := c.stalls.between(began, ended)
		over -= stood
		for worst := c.worst.Load(); int64(over) > worst && !c.worst.CompareAndSwap(worst, int64(over)); worst = c.worst.Load() {
		}
		if over > grace {
			c.late.Add(1)
			c.note(&c.latest, fmt.Sprintf("%s took %s of %s from %s on, in which the machine stood still for %s: %v",
				what, ended.Sub(began), deadline, began.Format(clock), stood, err))
		}
	}
	if err != nil {
		c.failed(what, err)
	}
	return done
}

func (c *calls) failed(what string, err error) {
	var failure *core.Error
	if !errors.As(err, &failure) {
		c.note(&c.odd, fmt.Sprintf("%s: an error of no known kind: %v", what, err))
		return
	}
	name := statuses[failure.Status]
	if failure.Code != "" {
		name += " " + failure.Code
	}
	if !expected[failure.Status] {
		c.note(&c.odd, fmt.Sprintf("%s: %s: %v", what, name, err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures[name]++
}

func (c *calls) note(list *[]string, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(*list) < shown {
		*list = append(*list, text)
	}
}

// expected are the failures that faults of servers may cause.
var expected = map[core.Status]bool{
	core.StatusServer: true, core.StatusTimeout: true, core.StatusConnection: true,
	core.StatusPartial: true, core.StatusRoute: true,
}

var statuses = map[core.Status]string{
	core.StatusInvalidArgument: "INVALID_ARGUMENT", core.StatusConfig: "CONFIG", core.StatusRoute: "ROUTE",
	core.StatusServer: "SERVER", core.StatusPartial: "PARTIAL", core.StatusTimeout: "TIMEOUT",
	core.StatusConnection: "CONNECTION", core.StatusClosed: "CLOSED", core.StatusBusy: "BUSY",
	core.StatusCancelled: "CANCELLED", core.StatusInternal: "INTERNAL",
}
