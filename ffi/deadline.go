package main

import (
	"sync"
	"time"
)

// deadlines are those of the submitted calls, which no thread waits for. A call is in the bucket
// of the tick at which it is due; ticks a round apart share one. So to come and to go costs the
// same however many there are, and one timer serves all of them; it runs until there are none.
var deadlines = newWheel()

type wheel struct {
	start   time.Time // of its first tick
	mu      sync.Mutex
	buckets [wheelSize]*call // each the first of a list
	count   int
	swept   int64 // the last tick whose calls were looked at
	timer   *time.Timer
	running bool // the timer is
}

const (
	tick      = 4 * time.Millisecond
	wheelSize = 256
)

func newWheel() *wheel { return &wheel{start: time.Now()} }

func (w *wheel) ticks(until time.Time) int64 { return int64(until.Sub(w.start) / tick) }

// add has a call that is not among them leave after a time, and up to two ticks. The caller holds
// the call's lock.
func (w *wheel) add(k *call, wait time.Duration) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	k.due = w.ticks(now.Add(wait)) + 1
	first := &w.buckets[k.due%wheelSize]
	k.before, k.after = nil, *first
	if k.after != nil {
		k.after.before = k
	}
	*first = k
	w.count++
	if w.running {
		return
	}
	w.running = true
	w.swept = w.ticks(now)
	if w.timer == nil {
		w.timer = time.AfterFunc(tick, w.sweep)
	} else {
		w.timer.Reset(tick)
	}
}

// remove takes a call out, if it is among them. The caller holds the call's lock.
func (w *wheel) remove(k *call) {
	if !k.submitted {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if k.due != 0 {
		w.unlink(k)
	}
}

func (w *wheel) unlink(k *call) {
	if k.before != nil {
		k.before.after = k.after
	} else {
		w.buckets[k.due%wheelSize] = k.after
	}
	if k.after != nil {
		k.after.before = k.before
	}
	k.before, k.after, k.due = nil, nil, 0
	w.count--
}

// sweep has the calls leave that are due.
func (w *wheel) sweep() {
	for _, late := range w.late() {
		_ = guard(func() error {
			late.call.expire(late.turn)
			return nil
		})
	}
}

// lateCall is one use of a call, which may have ended since.
type lateCall struct {
	call *call
	turn uint64
}

// late takes the calls out that are due, and sets the timer where others stay.
func (w *wheel) late() (all []lateCall) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.ticks(time.Now())
	for at := max(w.swept+1, now-wheelSize+1); at <= now; at++ {
		for k := w.buckets[at%wheelSize]; k != nil; {
			next := k.after
			if k.due <= now {
				w.unlink(k)
				all = append(all, lateCall{k, k.turn})
			}
			k = next
		}
	}
	w.swept = now
	if w.running = w.count > 0; w.running {
		w.timer.Reset(tick)
	}
	return all
}
