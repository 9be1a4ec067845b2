package main

/*
#include "shim.h"
*/
import "C"

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

// A ticket is the C side of a call. Its thread sleeps on the word of its state.

const ticketDone = C.TICKET_DONE

func ticketState(ticket *C.glide_ticket) *uint32 {
	return (*uint32)(unsafe.Pointer(&ticket.state))
}

// rouse tells the thread of a ticket about a new state, or puts the ticket, which is done, into its
// mailbox. It may be gone as soon as the state is there; to wake an address where nobody sleeps
// is harmless.
func rouse(ticket *C.glide_ticket, state uint32) {
	if ticket.mailbox != nil {
		C.mailbox_put(ticket)
		return
	}
	word := ticketState(ticket)
	if atomic.SwapUint32(word, state) == C.TICKET_ASLEEP {
		const wakePrivate = 1 | 128 // FUTEX_WAKE | FUTEX_PRIVATE_FLAG
		_, _, _ = syscall.RawSyscall(syscall.SYS_FUTEX, uintptr(unsafe.Pointer(word)), wakePrivate, 1)
	}
}
