/*
 * The asynchronous form: requests are submitted with a tag, and what became of them is polled from
 * a mailbox.
 *
 * The mailbox of a client is made when it is first used. It knows every tag from its submission
 * until its completion was polled, so it outlives the client until then. Only submitting and
 * cancelling enter Go; polling takes from a queue that the Go side fills, and enters Go only for
 * the events of subscriptions, which stay there until they are polled.
 *
 * Locks: of the registry, then of a mailbox, then those of Go, then that of a watch. Go holds none of
 * its own when it calls mailbox_put(), and in mailbox_stir() those of a subscriber, which nothing takes
 * that is called from here under a lock.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "async.h"
#include "fork.h"
#include "watch.h"

/* A submitted request, until its completion was polled. */
typedef struct parcel {
    glide_ticket ticket;  /* first, since the Go side knows the parcel by it */
    uint64_t tag;
    bool done;            /* it is in the queue */
    struct parcel *next;  /* in the queue */
    struct parcel *chain; /* of those in its bucket */
} parcel;

enum { BUCKETS_MAX = 1 << 16, REGISTRY_BUCKETS = 64 };

typedef struct mailbox {
    glide_client client;
    struct mailbox *chain; /* of the registry */
    pthread_mutex_t lock;  /* of all that follows */
    size_t limit;          /* of parcels */
    size_t count;
    parcel **buckets;      /* the parcels by tag; a power of two of them */
    size_t bucket_count;
    parcel *first, **last; /* the queue */
    bool events;           /* of subscriptions, may wait in Go */
    bool events_first;     /* in the next poll that has room for one completion */
    bool closed;           /* the client is */
    int collecting;        /* threads that poll and do not hold the lock meanwhile */

    /* What the host waits on, once it has asked for it, or -1. The set watches the event, which is
     * readable (`signalled`) while the queue holds something, and the connections of posted calls. */
    int set, event;
    bool signalled;
    bool reading; /* a thread sees to the posted calls */
    watch watch;  /* these; with a lock of its own */
} mailbox;

static struct {
    pthread_mutex_t lock;
    mailbox *buckets[REGISTRY_BUCKETS];
    int end; /* an eventfd that is always readable, for the sets of mailboxes that are over; or -1 */
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER, .end = -1};

/* ---- Mailboxes ----------------------------------------------------------------------------- */

/* place_of - where in the registry the mailbox of a client is, or would be. */
static mailbox **place_of(glide_client client)
{
    mailbox **place = &registry.buckets[client % REGISTRY_BUCKETS];

    while (*place != NULL && (*place)->client != client)
        place = &(*place)->chain;
    return place;
}

static mailbox *make_mailbox(glide_client client, size_t limit, bool events)
{
    mailbox *box = calloc(1, sizeof *box);

    if (box == NULL)
        return NULL;
    box->bucket_count = 16;
    while (box->bucket_count < limit && box->bucket_count < BUCKETS_MAX)
        box->bucket_count *= 2;
    box->buckets = calloc(box->bucket_count, sizeof(parcel *));
    if (box->buckets == NULL) {
        free(box);
        return NULL;
    }
    pthread_mutex_init(&box->lock, NULL);
    watch_init(&box->watch);
    box->client = client;
    box->limit = limit;
    box->events = events;
    box->last = &box->first;
    box->set = box->event = -1;
    return box;
}

/*
 * hold - the mailbox of a client, locked. The client is looked at under the lock of the registry,
 * which mailbox_close() takes after the client was closed; so none is made for a closed one.
 */
static glide_status hold(glide_client client, mailbox **box)
{
    glide_status status = GLIDE_OK;
    mailbox **place;
    size_t limit;
    int events;

    pthread_mutex_lock(&registry.lock);
    place = place_of(client);
    if (*place == NULL) {
        status = glideGoClientLimit(client, &limit, &events);
        if (status == GLIDE_OK) {
            *place = make_mailbox(client, limit, events != 0);
            status = *place == NULL ? GLIDE_ERR_INTERNAL : GLIDE_OK;
        }
    }
    *box = *place;
    if (status == GLIDE_OK)
        pthread_mutex_lock(&(*box)->lock);
    pthread_mutex_unlock(&registry.lock);
    return status;
}

static bool over(const mailbox *box)
{
    return box->closed && box->count == 0 && box->collecting == 0;
}

/* end_set - make a set readable for good, so that who waits on the host's own descriptor of it hears
 * of the end. The registry is locked. */
static void end_set(int set)
{
    struct epoll_event always = {.events = EPOLLIN};

    if (registry.end < 0)
        registry.end = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
    epoll_ctl(set, EPOLL_CTL_ADD, registry.end, &always);
}

/* release - unlock a mailbox that is held, and let it go if it is over. */
static void release(mailbox *box)
{
    const glide_client client = box->client;
    const bool maybe = over(box);
    mailbox **place;

    pthread_mutex_unlock(&box->lock);
    if (!maybe)
        return;
    pthread_mutex_lock(&registry.lock);
    place = place_of(client);
    box = *place;
    if (box != NULL) { /* or else another thread has done it meanwhile */
        *place = box->chain;
        pthread_mutex_lock(&box->lock); /* of who found it last */
        pthread_mutex_unlock(&box->lock);
    }
    if (box != NULL && box->set >= 0)
        end_set(box->set);
    pthread_mutex_unlock(&registry.lock);
    if (box == NULL)
        return;
    if (box->set >= 0) {
        close(box->event);
        close(box->set);
    }
    pthread_mutex_destroy(&box->lock);
    watch_destroy(&box->watch);
    free(box->buckets);
    free(box);
}

/* find - the mailbox of a client, locked; NULL where it has none. */
static mailbox *find(glide_client client)
{
    mailbox *box;

    pthread_mutex_lock(&registry.lock);
    box = *place_of(client);
    if (box != NULL)
        pthread_mutex_lock(&box->lock);
    pthread_mutex_unlock(&registry.lock);
    return box;
}

void mailbox_close(glide_client client)
{
    mailbox *box = find(client);

    if (box != NULL) {
        box->closed = true;
        release(box);
    }
}

/* ---- Parcels -------------------------------------------------------------------------------- */

/* link_of - what points, or would point, to the parcel of a tag. Tags may be addresses, whose low
 * bits say little. */
static parcel **link_of(const mailbox *box, uint64_t tag)
{
    const uint64_t mixed = tag * 0x9e3779b97f4a7c15u >> 32;
    parcel **link = &box->buckets[mixed & (box->bucket_count - 1)];

    while (*link != NULL && (*link)->tag != tag)
        link = &(*link)->chain;
    return link;
}

/* admit - a new parcel in a mailbox that is held, or why there is none. */
static glide_status admit(mailbox *box, uint64_t tag, parcel **admitted)
{
    parcel **link = link_of(box, tag);

    if (box->closed)
        return GLIDE_ERR_CLOSED;
    if (*link != NULL)
        return GLIDE_ERR_INVALID_ARGUMENT;
    if (box->count >= box->limit)
        return GLIDE_ERR_BUSY;
    *link = *admitted = calloc(1, sizeof **admitted);
    if (*admitted == NULL)
        return GLIDE_ERR_INTERNAL;
    (*admitted)->tag = tag;
    (*admitted)->ticket.mailbox = box;
    box->count++;
    return GLIDE_OK;
}

/* discard - a parcel leaves its mailbox, which is held. */
static void discard(mailbox *box, parcel *leaving)
{
    parcel **link = link_of(box, leaving->tag);

    *link = leaving->chain;
    box->count--;
    free(leaving);
}

/* signal_host - make the event readable while there is something to poll; not while a thread
 * collects, which will take what is there. */
static void signal_host(mailbox *box)
{
    const bool wanted = box->first != NULL || box->events;
    eventfd_t ignored;

    if (box->event < 0 || box->collecting > 0 || wanted == box->signalled)
        return;
    if (wanted)
        eventfd_write(box->event, 1);
    else
        eventfd_read(box->event, &ignored);
    box->signalled = wanted;
}

/* enqueue - a parcel is done. */
static void enqueue(mailbox *box, parcel *done)
{
    done->done = true;
    done->next = NULL;
    *box->last = done;
    box->last = &done->next;
    signal_host(box);
}

void mailbox_put(glide_ticket *ticket)
{
    mailbox *box = ticket->mailbox;

    pthread_mutex_lock(&box->lock);
    enqueue(box, (parcel *)ticket);
    pthread_mutex_unlock(&box->lock);
}

void mailbox_stir(glide_client client)
{
    mailbox *box = find(client);

    if (box != NULL) { /* or else the one that is made later looks by itself */
        box->events = true;
        signal_host(box);
        release(box);
    }
}

/* dequeue - the completion of the first in the queue. */
static glide_completion dequeue(mailbox *box)
{
    parcel *first = box->first;
    glide_completion completion = {first->tag, first->ticket.response, first->ticket.status,
                                   GLIDE_COMPLETION_RESPONSE};

    box->first = first->next;
    if (box->first == NULL)
        box->last = &box->first;
    discard(box, first);
    return completion;
}

/* ---- What the host waits on ------------------------------------------------------------------ */

/* make_set - the set and the event of a mailbox, if it has none; false where there can be none. */
static bool make_set(mailbox *box)
{
    struct epoll_event queue = {.events = EPOLLIN}; /* with 0, which is no connection */

    if (box->set >= 0)
        return true;
    box->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    box->set = epoll_create1(EPOLL_CLOEXEC);
    if (box->event >= 0 && box->set >= 0 &&
        epoll_ctl(box->set, EPOLL_CTL_ADD, box->event, &queue) == 0) {
        signal_host(box);
        return true;
    }
    close(box->event);
    close(box->set);
    box->set = box->event = -1;
    return false;
}

int mailbox_watch(glide_ticket *ticket, int descriptor, uint64_t connection)
{
    return watch_post(&ticket->mailbox->watch, ticket->watched, descriptor,
                      (posting){ticket->call, ticket->turn, connection});
}

/* collect - have a posted call whose reply has come end on this thread. The mailbox is held, and let
 * go meanwhile. */
static void collect(mailbox *box)
{
    if (box->set < 0 || box->reading)
        return;
    box->reading = true;
    box->collecting++;
    pthread_mutex_unlock(&box->lock);
    watch_collect(&box->watch, box->set);
    pthread_mutex_lock(&box->lock);
    box->collecting--;
    box->reading = false;
}

/* take_events - a completion with events of subscriptions, if any wait: 1 or 0. The mailbox is held,
 * and let go meanwhile. */
static size_t take_events(mailbox *box, glide_completion *completion)
{
    glide_buffer events = {NULL, 0};
    glide_status status;
    int more = 0;

    box->events = false; /* whatever comes from now on says so */
    box->collecting++;
    pthread_mutex_unlock(&box->lock);
    status = glideGoClientEvents(box->client, &events, &more);
    pthread_mutex_lock(&box->lock);
    box->collecting--;
    box->events |= more != 0;
    if (status == GLIDE_OK && events.len == 0)
        return 0;
    *completion = (glide_completion){0, events, status, GLIDE_COMPLETION_EVENTS};
    return 1;
}

/* events_now - whether a poll takes events: one completion of them, and where there is room for no
 * more, by turns with the others. */
static bool events_now(mailbox *box, size_t capacity)
{
    if (!box->events)
        return false;
    if (capacity > 1 || box->first == NULL)
        return true;
    box->events_first = !box->events_first;
    return box->events_first;
}

/* ---- The functions of glide.h ---------------------------------------------------------------- */

/* A Go function that begins a call whose ticket goes to its mailbox. */
typedef glide_status submission(uint64_t handle, uint8_t *request, size_t len,
                                glide_ticket *ticket);

/* submit - begin a call on a client, or on a session of it, which is the handle. */
static glide_status submit(submission *begin, glide_client client, uint64_t handle,
                           const uint8_t *request, size_t len, uint64_t tag)
{
    glide_status status;
    mailbox *box;
    parcel *sent;

    status = hold(client, &box);
    if (status != GLIDE_OK)
        return status;
    status = admit(box, tag, &sent);
    if (status != GLIDE_OK) {
        release(box);
        return status;
    }
    sent->ticket.watched = box->set;
    pthread_mutex_unlock(&box->lock);
    status = begin(handle, (uint8_t *)request, len, &sent->ticket);
    if (status != GLIDE_OK) {
        pthread_mutex_lock(&box->lock); /* which is there: it has the parcel */
        discard(box, sent);
        release(box);
    }
    return status;
}

glide_status glide_client_submit(glide_client client, const uint8_t *request, size_t len,
                                 uint64_t tag)
{
    if ((request == NULL && len > 0) || len > INT32_MAX)
        return GLIDE_ERR_INVALID_ARGUMENT;
    if (forked())
        return forked_client_submit(client, request, len, tag);
    return submit(glideGoClientSubmit, client, client, request, len, tag);
}

glide_status glide_session_submit(glide_session session, const uint8_t *request, size_t len,
                                  uint64_t tag)
{
    glide_status status;
    glide_client client;

    if ((request == NULL && len > 0) || len > INT32_MAX)
        return GLIDE_ERR_INVALID_ARGUMENT;
    if (forked())
        return forked_session_submit(session, request, len, tag);
    status = glideGoSessionClient(session, &client);
    return status != GLIDE_OK ? status
                              : submit(glideGoSessionSubmit, client, session, request, len, tag);
}

int32_t glide_client_event_fd(glide_client client)
{
    glide_status status;
    mailbox *box;
    int copy;

    if (forked())
        return forked_client_event_fd(client);
    status = hold(client, &box);
    if (status != GLIDE_OK)
        return -status;
    copy = make_set(box) ? fcntl(box->set, F_DUPFD_CLOEXEC, 0) : -1;
    release(box);
    return copy < 0 ? -GLIDE_ERR_INTERNAL : copy;
}

glide_status glide_client_poll(glide_client client, glide_completion *completions, size_t capacity,
                               size_t *count)
{
    glide_status status;
    mailbox *box;

    if (count != NULL)
        *count = 0;
    if (completions == NULL || capacity == 0 || count == NULL)
        return GLIDE_ERR_INVALID_ARGUMENT;
    if (forked())
        return forked_client_poll(client, completions, capacity, count);
    status = hold(client, &box);
    if (status != GLIDE_OK)
        return status;
    collect(box);
    if (events_now(box, capacity))
        *count = take_events(box, completions);
    while (*count < capacity && box->first != NULL)
        completions[(*count)++] = dequeue(box);
    signal_host(box);
    if (*count == 0 && over(box))
        status = GLIDE_ERR_CLOSED;
    release(box);
    return status;
}

void glide_completions_free(glide_completion *completions, size_t count)
{
    for (size_t i = 0; completions != NULL && i < count; i++)
        glide_buffer_free(&completions[i].response);
}

glide_status glide_client_cancel(glide_client client, uint64_t tag)
{
    glide_status status;
    mailbox *box;
    parcel *unwanted;

    if (forked())
        return forked_client_cancel(client, tag);
    status = hold(client, &box);
    if (status != GLIDE_OK)
        return status;
    unwanted = *link_of(box, tag);
    /* A submission that has not ended yet comes after this. */
    if (unwanted == NULL || !__atomic_load_n(&unwanted->ticket.begun, __ATOMIC_ACQUIRE))
        status = GLIDE_ERR_INVALID_ARGUMENT;
    else if (!unwanted->done && glideGoCallLeave(&unwanted->ticket, GLIDE_ERR_CANCELLED, 0))
        enqueue(box, unwanted);
    release(box);
    return status;
}
