/* What the files of the C shim and the Go side share. */
#ifndef GLIDE_SHIM_H
#define GLIDE_SHIM_H

#include <stdlib.h>
#include <string.h>

#include "../include/glide.h"

/* malloc that Go may see fail; cgo's own ends the process. */
static inline void *malloc_or_null(size_t size)
{
#ifdef GLIDE_FAULTS /* see fault.go */
    const char *fault = getenv("LIBGLIDE_FAULT");

    if (fault != NULL && strcmp(fault, "malloc") == 0)
        return NULL;
#endif
    return malloc(size);
}

/* The states of a ticket. The Go side sets TICKET_LEAD and TICKET_DONE, and wakes the thread that
 * it found asleep. */
enum { TICKET_RUNNING, TICKET_ASLEEP, TICKET_LEAD, TICKET_DONE };

struct mailbox;

/*
 * A call as the thread that made it sees it, on that thread's stack: so nobody touches it once the
 * thread has been told that it is done, or has taken it back. The ticket of a submitted call is
 * part of a parcel, see async.c, and is the mailbox's once it is done.
 */
typedef struct glide_ticket {
    uint32_t state;
    uint32_t begun;          /* its submission has ended well; so it may be cancelled */
    struct mailbox *mailbox; /* that it was submitted from; NULL: a thread waits for it */
    const glide_bytes *args; /* that the command of its request goes on with, during the call */
    size_t arg_count;
    int watched;             /* what the host waits on, as an epoll descriptor; -1: nothing */
    glide_status status;   /* from TICKET_DONE on, as are the next two */
    glide_buffer response;
    uint64_t handle;       /* that the call opened */
    uint64_t call;         /* which call this is, for the Go side */
    uint64_t turn;
    int64_t wait_ns;       /* how long it may take; 0: as long as it takes */
} glide_ticket;

/* interrupted - whether the thread that asks would rather leave its call: see
 * glide_on_interrupt. */
int interrupted(void);

/* fail - fill response with an Error of that status, which is returned. */
glide_status fail(glide_buffer *response, glide_status status, const char *message);

/* mailbox_put - hand the ticket of a submitted call, which is done, to who polls. */
void mailbox_put(glide_ticket *ticket);

/* mailbox_watch - have the host wake up when the descriptor of a connection is readable, and try
 * glideGoCallCollect for the call of a ticket in each poll. Returns whether that could be done. Go
 * may hold any of its locks. */
int mailbox_watch(glide_ticket *ticket, int descriptor, uint64_t connection);

/* mailbox_stir - events of a client wait where none did. */
void mailbox_stir(glide_client client);

#endif
