package main

/*
#include "shim.h"
*/
import "C"

import (
	"context"
	"sync"
	"time"
	"unsafe"

	"libglide/core"
	"libglide/ffi/internal/handles"
	"libglide/ffi/internal/processors"
	"libglide/ffi/internal/wire"
	"libglide/protobuf"
)

// call is one call of the C interface that may wait, as the owner of what it asks of the core. The
// thread that made it waits in C, on its ticket, or leads; or the call was submitted, and its
// ticket goes to a mailbox. Calls are used again.
type call struct {
	core.Call
	self      uint64 // its handle
	request   request
	text      []byte   // a copy of the caller's bytes
	session   *session // that the call opened
	submitted bool

	mu     sync.Mutex
	turn   uint64          // counts its uses
	ticket *C.glide_ticket // nil: nobody waits any more
	submission
}

// calls holds every call, and those that are free to be used.
var calls = struct {
	handles.Table[call]
	mu   sync.Mutex
	made int        // for threads that wait: as many as did at the same time
	idle [2][]*call // the second: submitted ones
}{Table: handles.Table[call]{Kind: 3}}

// idle is where the calls are that can be used for a ticket.
func idle(submitted bool) *[]*call {
	if submitted {
		return &calls.idle[1]
	}
	return &calls.idle[0]
}

// newCall is a call for a ticket.
func newCall(ticket *C.glide_ticket) *call {
	var k *call
	submitted := ticket.mailbox != nil
	calls.mu.Lock()
	free := idle(submitted)
	if n := len(*free); n > 0 {
		k = (*free)[n-1]
		*free = (*free)[:n-1]
	} else if !submitted {
		calls.made++
	}
	made := calls.made
	calls.mu.Unlock()
	if k == nil {
		k = new(call)
		k.Owner, k.Released = k, true
		k.self = calls.Add(k)
		processors.Provide(made)
	}
	k.mu.Lock()
	k.turn++
	k.ticket, k.submitted = ticket, submitted
	ticket.call, ticket.turn = C.uint64_t(k.self), C.uint64_t(k.turn)
	k.mu.Unlock()
	return k
}

const (
	// Memory of a call beyond this is not kept for its own next use,
	maxKept = 64 << 10
	// but for that of any, up to this.
	mostShared = 4 << 20
)

// texts holds room for large requests.
var texts = sync.Pool{New: func() any { return new([]byte) }}

// read copies the caller's bytes, which the call may need for longer than the caller waits.
func (k *call) read(bytes []byte) {
	if len(bytes) > maxKept && cap(k.text) < len(bytes) {
		k.text = *texts.Get().(*[]byte)
	}
	k.text = append(k.text[:0], bytes...)
}

// decode reads the request of a thread that waits, and what its command goes on with. A large command
// is lent to the core, which copies what it needs for longer than it has the thread.
func (k *call) decode(bytes []byte, args []C.glide_bytes) error {
	if len(args) > 0 {
		return k.decodeWith(bytes, args)
	}
	if k.Lent = len(bytes) > maxKept && k.request.decodeSingle(bytes); k.Lent {
		return nil
	}
	k.read(bytes)
	return k.request.decode(k.text)
}

// decodeWith is decode for a command that goes on.
func (k *call) decodeWith(bytes []byte, args []C.glide_bytes) error {
	k.read(bytes)
	if err := k.request.decode(k.text); err != nil {
		return err
	}
	if len(k.request.Words) == 0 || k.request.Script != nil {
		return badRequest("args are for a single command, and the request is none")
	}
	size := 0
	for _, arg := range args {
		size += int(arg.len)
	}
	k.Lent = size > maxKept
	for _, arg := range args {
		word := input(arg.data, arg.len)
		if !k.Lent {
			start := len(k.text)
			k.text = append(k.text, word...)
			word = k.text[start:len(k.text):len(k.text)]
		}
		k.request.Words = append(k.request.Words, word)
	}
	k.request.words = k.request.Words
	return nil
}

// release makes the call free for another use.
func (k *call) release() {
	if cap(k.text) > maxKept {
		if cap(k.text) <= mostShared {
			large := k.text
			texts.Put(&large)
		}
		k.text = nil
	}
	k.Release()
	calls.mu.Lock()
	free := idle(k.submitted)
	*free = append(*free, k)
	calls.mu.Unlock()
}

// running counts the calls in use. One that was left while it ran is the garbage collector's, and
// not among them.
func running() int {
	calls.mu.Lock()
	defer calls.mu.Unlock()
	return calls.Count() - len(calls.idle[0]) - len(calls.idle[1])
}

// detach takes the ticket from the call; nil where its thread has left.
func (k *call) detach() *C.glide_ticket {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dropTicket()
}

// dropTicket is detach for who holds the lock.
func (k *call) dropTicket() *C.glide_ticket {
	ticket := k.ticket
	k.ticket = nil
	deadlines.remove(k)
	return ticket
}

// answer ends the call with a reply, and is false where nobody waits for it any more. The call is
// not the caller's after that.
func (k *call) answer(r *reply) bool {
	return k.answerWith(0, r)
}

// answerWith is answer with a handle that the call opened. It is false also where that cannot be
// told for want of memory.
func (k *call) answerWith(handle uint64, r *reply) bool {
	ticket := k.detach()
	if ticket == nil {
		return false // what runs may still use the call, so it is left to the garbage collector
	}
	ticket.status = respond(&ticket.response, r)
	told := handle == 0 || ticket.status == C.GLIDE_OK
	if told {
		ticket.handle = C.uint64_t(handle)
	}
	k.release()
	rouse(ticket, C.TICKET_DONE)
	return told
}

// Done is called by the core when the call has ended.
func (k *call) Done() {
	if k.submitted && k.early() {
		return
	}
	r := reply{callback: k.request.callback, outcomes: k.Response.Outcomes}
	if k.Err != nil {
		r.err = asError(k.Err)
	} else {
		r.value, r.failures = &k.Response.Value, k.Response.Failures
	}
	if k.session != nil {
		k.sessionOpened(&r)
		return
	}
	k.answer(&r)
}

// Waits is called by the core before the request goes anywhere.
func (k *call) Waits(timeout time.Duration) { k.ticket.wait_ns = C.int64_t(timeout) }

// Promoted is called by the core when the thread of the call is to lead.
func (k *call) Promoted() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ticket != nil {
		rouse(k.ticket, C.TICKET_LEAD)
	}
}

// Leads says that threads lead that wait for their call.
func (k *call) Leads() bool { return !k.submitted }

// Watches says that a submitted call can be collected by who polls, if the host waits on the
// mailbox.
func (k *call) Watches() bool { return k.submitted && k.ticket.watched >= 0 }

// Watch is called by the core within begin.
func (k *call) Watch(descriptor int, connection uint64) bool {
	return C.mailbox_watch(k.ticket, C.int(descriptor), C.uint64_t(connection)) != 0
}

// Interrupted asks the host. It is called on the thread of the call.
func (k *call) Interrupted() bool { return C.interrupted() != 0 }

// guarded runs a part of a call. An error there is its answer.
func (k *call) guarded(part func() error) {
	err := guard(part)
	if err == nil {
		return
	}
	r := reply{callback: k.request.callback, err: asError(err)}
	if r.err.Status == core.StatusInternal {
		k.forsake(&r)
	} else {
		k.answer(&r)
	}
}

// forsake ends a call in which something panicked. Who knows what still holds it, so it is not used
// again.
func (k *call) forsake(r *reply) {
	_ = guard(func() error {
		k.Abandon(context.Canceled) // hands the lead on, where the call has it
		return nil
	})
	if ticket := k.detach(); ticket != nil {
		calls.Take(k.self)
		ticket.status = respond(&ticket.response, r)
		rouse(ticket, C.TICKET_DONE)
	}
}

//export glideGoClientExecute
func glideGoClientExecute(handle C.glide_client, bytes *C.uint8_t, size C.size_t, ticket *C.glide_ticket) {
	k := newCall(ticket)
	k.guarded(func() error {
		fault("glideGoClientExecute")
		k.request.reset(&k.Request)
		client, err := find(&clients, uint64(handle))
		if err != nil {
			return err
		}
		if err := k.decode(input(bytes, size), unsafe.Slice(ticket.args, int(ticket.arg_count))); err != nil {
			return err
		}
		k.request.start(client, uint64(handle), &k.Call)
		return nil
	})
}

// glideGoClientOpen connects on a goroutine, so that the thread can leave.
//
//export glideGoClientOpen
func glideGoClientOpen(bytes *C.uint8_t, size C.size_t, ticket *C.glide_ticket) {
	k := newCall(ticket)
	k.request.reset(&k.Request)
	k.guarded(func() error {
		fault("glideGoClientOpen")
		config, err := wire.DecodeConfig(input(bytes, size))
		if err != nil {
			return err
		}
		go k.guarded(func() error {
			client, err := core.Open(config)
			if err != nil {
				return err
			}
			return k.opened(client, config.Subscriptions)
		})
		return nil
	})
}

// opened answers with a client, or closes it again where nobody waits for it.
func (k *call) opened(client *core.Client, channels map[core.ChannelKind][][]byte) (err error) {
	handle := clients.Add(client)
	for kind, names := range channels {
		if len(names) == 0 {
			continue
		}
		if _, err = (&subscription{kind: kind, names: names}).change(client, handle); err != nil {
			break
		}
	}
	r := reply{rest: &protobuf.Response{Topology: encodeTopology(client.Topology())}}
	if err != nil || !k.answerWith(handle, &r) {
		clients.Take(handle)
		client.Close()
		forgetSubscriber(handle)
	}
	return err
}

// glideGoCallLead lets the thread of a call lead, after TICKET_LEAD.
//
//export glideGoCallLead
func glideGoCallLead(ticket *C.glide_ticket) {
	k, state := calls.Get(uint64(ticket.call))
	if state == handles.Live {
		k.guarded(func() error {
			fault("glideGoCallLead")
			k.Lead()
			return nil
		})
	}
}

// glideGoCallLeave takes the thread of a call out of it, with the error that why stands for. It is
// 0 where the call is about to be answered, and the thread is to wait for that; where it must not
// wait longer, forsake is 1, and only an answer that is being written keeps it.
//
//export glideGoCallLeave
func glideGoCallLeave(ticket *C.glide_ticket, why C.glide_status, forsake C.int) C.int {
	k, state := calls.Get(uint64(ticket.call))
	if state != handles.Live || k.leave(uint64(ticket.turn), core.Status(why), forsake != 0) == nil {
		return 0
	}
	return 1
}

// leave gives the ticket back, filled with the error that why stands for; nil where the call is
// about to be answered, or has been. forsake: also where that cannot be waited for.
func (k *call) leave(turn uint64, why core.Status, forsake bool) *C.glide_ticket {
	cause := context.DeadlineExceeded
	if why == core.StatusCancelled {
		cause = context.Canceled
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.turn != turn || k.ticket == nil {
		return nil
	}
	r := reply{callback: k.request.callback}
	gone := false
	err := guard(func() error {
		fault("glideGoCallLeave")
		gone = k.Abandon(cause)
		return nil
	})
	switch {
	case err != nil:
		r.err = asError(err)
	case gone:
		r.err = asError(k.Err)
	case forsake:
		r.err = core.NewError(why, "the call was left before it ended; it may have run")
		r.err.Sent = true
	default:
		return nil
	}
	calls.Take(k.self) // it is not used again
	ticket := k.dropTicket()
	ticket.status = respond(&ticket.response, &r)
	return ticket
}
