#ifndef GLIDE_TICKET_H
#define GLIDE_TICKET_H

#include "shim.h"

/* interruptible - whether this thread has a hook that is not running. */
int interruptible(void);

/* A Go function that begins a call; a handle is what it is on. */
typedef void ticket_begin(uint64_t handle, const uint8_t *bytes, size_t len, glide_ticket *ticket);

/* ticket_call - begin a call and wait until it has ended; its wait_ns counts from now on. Returns
 * its status; the ticket holds the rest. */
glide_status ticket_call(ticket_begin *begin, uint64_t handle, const uint8_t *bytes, size_t len,
                         glide_ticket *ticket);

#endif
