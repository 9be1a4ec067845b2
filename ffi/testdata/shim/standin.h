/*
 * standin.h - the Go side of the library, played in C: it answers calls as their first byte says.
 *
 *   'n' at once            'l' a moment later, from another thread
 *   'b' as 'l', with an answer of BIG bytes, whose memory is used again
 *   'p' by the thread of the call itself, which is told to lead from another thread
 *   's' never: the thread leaves at its deadline, or when it is interrupted
 *
 * The answer is the request. It keeps to the rules of ffi/call.go: under the lock of a call its ticket
 * is taken once, by who answers or by the thread that leaves, and nobody touches it afterwards.
 */
#ifndef STANDIN_H
#define STANDIN_H

#include "../../../include/glide.h"

enum {
    BIG = 200 << 10,
    STANDIN_LIMIT = 64,    /* of requests that are submitted to a client */
    STANDIN_CLIENTS = 1000 /* from this one on they can be closed, in the order of their numbers */
};

/* standin_tell - an event for a client. */
void standin_tell(glide_client client);

/* standin_start, standin_stop - the threads that answer later. */
void standin_start(void);
void standin_stop(void);

/* How often what happened, of all calls. */
extern int standin_led, standin_left;

#endif
