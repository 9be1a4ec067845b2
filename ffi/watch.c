/*
 * A call that is alone on its client is posted: its host wakes up when the connection is readable,
 * and reads the reply when it polls, without any other thread.
 *
 * To read is tried first, and the set is asked only where nothing had come: so the set has nothing to
 * report, the connection stays armed, and the next call over it asks the kernel for nothing but to
 * write, to wait and to read. What wakes the host for nothing, as a reply that another thread has
 * read or the end of a connection, is disarmed when the set reports it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>

#include "_cgo_export.h"
#include "watch.h"

void watch_init(watch *watched)
{
    *watched = (watch){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void watch_destroy(watch *watched)
{
    pthread_mutex_destroy(&watched->lock);
}

/* place_of - where an armed connection is noted; NULL: it is not. */
static uint64_t *place_of(watch *watched, uint64_t connection)
{
    for (int i = 0; i < CONNECTIONS_ARMED; i++)
        if (watched->armed[i] == connection)
            return &watched->armed[i];
    return NULL;
}

/* arm - have a connection wake the host. It is 0 where that cannot be. */
static int arm(watch *watched, int set, int descriptor, uint64_t connection)
{
    struct epoll_event once = {.events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
                               .data = {.u64 = connection}};

    if (epoll_ctl(set, EPOLL_CTL_MOD, descriptor, &once) != 0 &&
        (errno != ENOENT || epoll_ctl(set, EPOLL_CTL_ADD, descriptor, &once) != 0))
        return 0;
    watched->armed[watched->next++ % CONNECTIONS_ARMED] = connection;
    return 1;
}

int watch_post(watch *watched, int set, int descriptor, posting posted)
{
    int good;

    pthread_mutex_lock(&watched->lock);
    good = place_of(watched, posted.connection) != NULL ||
           arm(watched, set, descriptor, posted.connection);
    if (good)
        watched->posted = posted;
    pthread_mutex_unlock(&watched->lock);
    return good;
}

static posting posted_by(watch *watched)
{
    posting posted;

    pthread_mutex_lock(&watched->lock);
    posted = watched->posted;
    pthread_mutex_unlock(&watched->lock);
    return posted;
}

/* forget - a call is not posted any more; another may be meanwhile. */
static void forget(watch *watched, posting gone)
{
    pthread_mutex_lock(&watched->lock);
    if (watched->posted.call == gone.call && watched->posted.turn == gone.turn)
        watched->posted = (posting){0, 0, 0};
    pthread_mutex_unlock(&watched->lock);
}

/* disarm - whatever the set has to report does not wake the host any more. Gives the posted call
 * where its connection is among that. */
static posting disarm(watch *watched, int set)
{
    struct epoll_event ready[CONNECTIONS_ARMED];
    posting readable = {0, 0, 0};
    uint64_t *place;
    int count;

    pthread_mutex_lock(&watched->lock);
    count = epoll_wait(set, ready, CONNECTIONS_ARMED, 0);
    for (int i = 0; i < count; i++) {
        if (ready[i].data.u64 == 0) /* the queue's */
            continue;
        place = place_of(watched, ready[i].data.u64);
        if (place != NULL)
            *place = 0;
        if (watched->posted.call != 0 && watched->posted.connection == ready[i].data.u64)
            readable = watched->posted;
    }
    pthread_mutex_unlock(&watched->lock);
    return readable;
}

void watch_collect(watch *watched, int set)
{
    posting posted = posted_by(watched);

    if (posted.call != 0 && !glideGoCallCollect(posted.call, posted.turn, 0)) {
        forget(watched, posted);
        return;
    }
    posted = disarm(watched, set);
    if (posted.call != 0) {
        glideGoCallCollect(posted.call, posted.turn, 1);
        forget(watched, posted);
    }
}
