package main

/*
#include "shim.h"
*/
import "C"

import (
	"sync/atomic"
	"time"
	"unsafe"

	"libglide/core"
	"libglide/ffi/internal/handles"
)

// submission is what a submitted call has more than others. Nothing of it ends before its
// submission has: so that can still say that there was no room, and whoever cancels it meets a
// call that is on its way. The call's lock holds for it, and that of the deadlines for the rest.
type submission struct {
	begun  bool      // its submission has ended
	ended  bool      // before that
	posted bool      // who polls collects the reply
	until  time.Time // its deadline

	due           int64 // in ticks; 0: it is not among the deadlines
	before, after *call
}

// glideGoClientLimit is the number of requests that may run at once on a client, and whether events
// may wait.
//
//export glideGoClientLimit
func glideGoClientLimit(handle C.glide_client, limit *C.size_t, events *C.int) C.glide_status {
	if err := guard(func() error {
		fault("glideGoClientLimit")
		client, err := find(&clients, uint64(handle))
		if err == nil {
			*limit, *events = C.size_t(client.InflightLimit()), 0
			if knownSubscriber(uint64(handle)) != nil {
				*events = 1
			}
		}
		return err
	}); err != nil {
		return C.glide_status(asError(err).Status)
	}
	return C.GLIDE_OK
}

// glideGoClientSubmit begins a call whose ticket goes to its mailbox. Where it is not GLIDE_OK
// nothing was begun.
//
//export glideGoClientSubmit
func glideGoClientSubmit(handle C.glide_client, bytes *C.uint8_t, size C.size_t, ticket *C.glide_ticket) C.glide_status {
	client, state := clients.Get(uint64(handle))
	if state != handles.Live {
		return C.glide_status(handleError(state, uint64(handle)).Status)
	}
	return submit(ticket, input(bytes, size), "glideGoClientSubmit", func(k *call) error {
		k.request.start(client, uint64(handle), &k.Call)
		return nil
	})
}

// submit begins the call of a ticket with a request; name is that of the export, for faults.
func submit(ticket *C.glide_ticket, request []byte, name string, start func(*call) error) C.glide_status {
	k := newCall(ticket)
	k.begun, k.ended, k.posted = false, false, false
	if err := guard(func() error {
		fault(name)
		k.read(request)
		k.request.reset(&k.Request)
		if err := k.request.decode(k.text); err != nil {
			return err
		}
		return start(k)
	}); err != nil {
		return k.fail(asError(err))
	}
	return k.begin()
}

// fail ends a call that was not begun well.
func (k *call) fail(err *core.Error) C.glide_status {
	if err.Status == core.StatusInternal {
		k.forsake(&reply{callback: k.request.callback, err: err})
		return C.GLIDE_OK
	}
	k.Err = err
	k.Done()
	return k.begin()
}

// patience is how long the reply to a posted call is left to who polls. The host may be at work on
// something else; its deadlines are kept all the same.
const patience = tick

// expire is called after the deadline of a call, or when nobody has collected it for a while.
func (k *call) expire(turn uint64) {
	if k.takeOver(turn) {
		return
	}
	if ticket := k.leave(turn, core.StatusTimeout, false); ticket != nil {
		rouse(ticket, ticketDone)
	}
}

// takeOver is true where the call has time left and is no longer for who polls to collect.
func (k *call) takeOver(turn uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	left := time.Until(k.until)
	if k.turn != turn || k.ticket == nil || !k.posted || left <= 0 {
		return false
	}
	k.posted = false
	if k.Claim() {
		k.Resume()
	}
	deadlines.add(k, left)
	return true
}

// glideGoCallCollect ends a posted call whose reply has come, on the thread that polls. It is 1 where
// nothing has come and the call is posted as before; at last it is not, and a goroutine waits. It may
// be told of calls that have ended.
//
//export glideGoCallCollect
func glideGoCallCollect(handle, turn C.uint64_t, last C.int) (waits C.int) {
	_ = guard(func() error { // before it claims the call: a goroutine then takes over
		fault("glideGoCallCollect")
		if k, state := calls.Get(uint64(handle)); state == handles.Live && k.claim(uint64(turn)) {
			k.guarded(func() error {
				if k.Collect(last != 0) {
					waits = 1
				}
				return nil
			})
		}
		return nil
	})
	return waits
}

func (k *call) claim(turn uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.turn == turn && k.begun && k.ticket != nil && k.Claim()
}

// early is true, and notes it, where the call has ended before its submission.
func (k *call) early() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = !k.begun
	return k.ended
}

// begin ends the submission of a call: it is on its way, or it is answered, or there was no room.
func (k *call) begin() C.glide_status {
	k.mu.Lock()
	k.begun = true
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&k.ticket.begun)), 1)
	ended := k.ended
	if wait := time.Duration(k.ticket.wait_ns); !ended && wait > 0 {
		k.until = time.Now().Add(wait)
		if k.posted = k.Posted(); k.posted {
			wait = min(wait, patience)
		}
		deadlines.add(k, wait)
	}
	k.mu.Unlock()
	if !ended {
		return C.GLIDE_OK
	}
	if k.Err != nil {
		if status := asError(k.Err).Status; status == core.StatusBusy || status == core.StatusClosed {
			k.detach()
			k.release()
			return C.glide_status(status)
		}
	}
	k.Done()
	return C.GLIDE_OK
}
