#ifndef GLIDE_TICKET_H
#define GLIDE_TICKET_H

#include "shim.h"

/* monotonic_ns - the time on a clock that nobody sets, in nanoseconds. */
int64_t monotonic_ns(void);

/* interruptible - whether this thread has a hook that is not running. */
int interruptible(void);

/* ticket_wait - wait until the call of a ticket has ended, from a time on which its wait_ns
 * counts. Returns its status; the ticket holds the rest. */
glide_status ticket_wait(glide_ticket *ticket, int64_t began);

#endif
