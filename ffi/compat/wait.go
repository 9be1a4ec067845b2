package main

import (
	"context"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"libglide/core"
	"libglide/ffi/internal/processors"
)

// waiter is the owner of a call of a synchronous client. Its thread waits in the kernel, on a futex:
// to wake a goroutine that is bound to a thread of the host takes two switches of threads instead
// of one.
type waiter struct {
	core.Call
	word  uint32        // of the states
	limit time.Duration // 0: none
}

// The states of a waiter.
const (
	running uint32 = iota
	asleep
	promoted // it is to lead
	done
)

var (
	waiters = sync.Pool{New: func() any {
		w := new(waiter)
		w.Owner = w
		return w
	}}
	waiting atomic.Int64 // threads
)

// execute runs a request, for a synchronous client on its own thread.
func (c *client) execute(request *core.Request) (core.Response, error) {
	if c.callbacks != nil {
		return c.Execute(request)
	}
	processors.Provide(int(waiting.Add(1)))
	defer waiting.Add(-1)
	w := waiters.Get().(*waiter)
	defer func() {
		if fault := recover(); fault != nil {
			w.Abandon(context.Canceled) // hands the lead on, where the call has it
			panic(fault)
		}
	}()
	w.Request = *request
	atomic.StoreUint32(&w.word, running)
	began := time.Now()
	c.Start(&w.Call)
	spent := w.wait(began)
	response, err := w.Response, w.Err
	if !spent { // or else it must not be used again
		w.Release()
		w.Request = core.Request{}
		waiters.Put(w)
	}
	return response, err
}

// wait leads when it is to, and returns when the call has ended, and whether it was given up at its
// deadline.
func (w *waiter) wait(began time.Time) (spent bool) {
	limit := w.limit
	for {
		switch atomic.LoadUint32(&w.word) {
		case done:
			return spent
		case promoted:
			atomic.StoreUint32(&w.word, running)
			w.Lead()
			continue
		}
		rest := limit - time.Since(began)
		if limit == 0 || rest > 0 {
			w.sleep(rest)
			continue
		}
		if w.Abandon(context.DeadlineExceeded) {
			return true
		}
		limit, spent = 0, true // what runs knows the deadline and is about to tell
	}
}

const (
	futexWait = 0 | 128 // FUTEX_WAIT | FUTEX_PRIVATE_FLAG
	futexWake = 1 | 128
)

// sleep waits for another state, so long at most where there is a limit.
func (w *waiter) sleep(rest time.Duration) {
	if !atomic.CompareAndSwapUint32(&w.word, running, asleep) {
		return
	}
	var timeout *syscall.Timespec
	if w.limit > 0 && rest > 0 {
		t := syscall.NsecToTimespec(rest.Nanoseconds())
		timeout = &t
	}
	_, _, _ = syscall.Syscall6(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&w.word)), futexWait, uintptr(asleep),
		uintptr(unsafe.Pointer(timeout)), 0, 0)
	atomic.CompareAndSwapUint32(&w.word, asleep, running)
}

func (w *waiter) rouse(state uint32) {
	if atomic.SwapUint32(&w.word, state) == asleep {
		_, _, _ = syscall.RawSyscall(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(&w.word)), futexWake, 1)
	}
}

// Waits is called by the core before the request goes anywhere.
func (w *waiter) Waits(limit time.Duration) { w.limit = limit }

// Done is called by the core when the call has ended.
func (w *waiter) Done() { w.rouse(done) }

// Promoted is called by the core when the thread is to lead.
func (w *waiter) Promoted() { w.rouse(promoted) }

// Leads says that threads lead that wait for their call.
func (w *waiter) Leads() bool { return true }

// Interrupted says that nobody does: the interface has no way to.
func (w *waiter) Interrupted() bool { return false }

// Watches says that nobody polls.
func (w *waiter) Watches() bool { return false }

// Watch is not called, since nobody watches.
func (w *waiter) Watch(int, uint64) bool { return false }
