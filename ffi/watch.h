/* What a host waits on besides the queue of a mailbox: the connection of a posted call. */
#ifndef GLIDE_WATCH_H
#define GLIDE_WATCH_H

#include <pthread.h>

#include "shim.h"

enum { CONNECTIONS_ARMED = 16 };

/* A call whose reply is read by who polls. Its client has one at a time. */
typedef struct {
    uint64_t call, turn; /* 0: none */
    uint64_t connection; /* that the reply comes over */
} posting;

typedef struct {
    pthread_mutex_t lock; /* of all that follows; nothing else is locked under it */
    posting posted;
    /* Connections of which the set knows and that wake the host, once; 0: none. They stay so
     * from call to call, as long as nobody has to ask the set. */
    uint64_t armed[CONNECTIONS_ARMED];
    unsigned next; /* of these, to be forgotten */
} watch;

void watch_init(watch *watched);
void watch_destroy(watch *watched);

/* watch_post - have a set wake the host when the descriptor of a posting's connection is readable. */
int watch_post(watch *watched, int set, int descriptor, posting posted);

/* watch_collect - have a posted call end on this thread whose reply has come. It calls Go. One thread
 * at a time does it. */
void watch_collect(watch *watched, int set);

#endif
