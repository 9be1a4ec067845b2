/* See standin.h. */
#define _GNU_SOURCE
#include "standin.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "buffer.h"
#include "shim.h"

enum { CALLS = 1024, ANSWERERS = 3, WAIT_MS = 20 };

/* One place for each call that runs; a place is used again. */
static struct call {
    pthread_mutex_t lock;
    glide_ticket *ticket; /* NULL: nobody waits */
    glide_client client;  /* that it was submitted to; 0: a thread waits */
    uint64_t turn;
    uint8_t text[64];
    size_t len;
    bool due; /* an answerer is to look at it */
} calls[CALLS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static size_t idle[CALLS], idle_count;
static bool running;
static pthread_t answerers[ANSWERERS];

static bool closed(glide_client client);

int standin_led, standin_left;

/* ---- Calls ----------------------------------------------------------------------------------- */

static struct call *new_call(void)
{
    struct call *made = NULL;

    pthread_mutex_lock(&lock);
    if (idle_count > 0)
        made = &calls[idle[--idle_count]];
    pthread_mutex_unlock(&lock);
    return made;
}

static void release(struct call *which)
{
    pthread_mutex_lock(&lock);
    idle[idle_count++] = (size_t)(which - calls);
    pthread_mutex_unlock(&lock);
}

/* rouse - as in ffi/ticket.go. */
static void rouse(glide_ticket *ticket, uint32_t state)
{
    if (ticket->mailbox != NULL)
        mailbox_put(ticket);
    else if (__atomic_exchange_n(&ticket->state, state, __ATOMIC_SEQ_CST) == TICKET_ASLEEP)
        syscall(SYS_futex, &ticket->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void fill(glide_buffer *buffer, const uint8_t *bytes, size_t len)
{
    buffer->len = len > 0 && bytes[0] == 'b' ? BIG : len;
    buffer->data = buffer_allocate(buffer->len);
    memset(buffer->data, 'b', buffer->len);
    memcpy(buffer->data, bytes, len);
}

/* end_with - end the call, if somebody still waits; with a client, if it was submitted there. */
static void end_with(struct call *which, glide_status status, glide_client client)
{
    glide_ticket *ticket = NULL;

    pthread_mutex_lock(&which->lock);
    if (client == 0 || client == which->client) {
        ticket = which->ticket;
        which->ticket = NULL;
    }
    if (ticket != NULL) {
        ticket->status = status;
        ticket->handle = which->turn;
        fill(&ticket->response, which->text, which->len);
    }
    pthread_mutex_unlock(&which->lock);
    if (ticket != NULL) {
        release(which);
        rouse(ticket, TICKET_DONE);
    }
}

static void answer(struct call *which)
{
    end_with(which, GLIDE_OK, 0);
}

static void promote(struct call *which)
{
    pthread_mutex_lock(&which->lock);
    if (which->ticket != NULL)
        rouse(which->ticket, TICKET_LEAD);
    pthread_mutex_unlock(&which->lock);
}

static void begin_for(glide_client client, const uint8_t *bytes, size_t len, glide_ticket *ticket)
{
    struct call *made = new_call();
    uint8_t what = len > 0 ? bytes[0] : 'n';

    if (made == NULL)
        abort(); /* more threads than CALLS */
    pthread_mutex_lock(&made->lock);
    made->ticket = ticket;
    made->client = client;
    made->len = len < sizeof made->text ? len : sizeof made->text;
    memcpy(made->text, bytes, made->len);
    ticket->call = (uint64_t)(made - calls);
    ticket->turn = ++made->turn;
    ticket->wait_ns = what == 's' ? WAIT_MS * 1000000LL : 0;
    made->due = what == 'l' || what == 'p' || what == 'b';
    if (client != 0)
        __atomic_store_n(&ticket->begun, 1, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&made->lock);
    if (what == 'n')
        answer(made);
    else if (closed(client)) /* as the last of it was being begun */
        end_with(made, GLIDE_ERR_CLOSED, client);
}

static void begin(const uint8_t *bytes, size_t len, glide_ticket *ticket)
{
    begin_for(0, bytes, len, ticket);
}

static void *answer_later(void *nothing)
{
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST)) {
        const struct timespec moment = {0, 50000};

        for (size_t i = 0; i < CALLS; i++) {
            struct call *which = &calls[i];
            bool due;

            pthread_mutex_lock(&which->lock);
            due = which->due && which->ticket != NULL;
            which->due = false;
            pthread_mutex_unlock(&which->lock);
            if (due && which->text[0] == 'p' && which->client == 0)
                promote(which);
            else if (due)
                answer(which);
        }
        nanosleep(&moment, NULL);
    }
    return nothing;
}

void standin_start(void)
{
    for (size_t i = 0; i < CALLS; i++) {
        pthread_mutex_init(&calls[i].lock, NULL);
        idle[idle_count++] = i;
    }
    __atomic_store_n(&running, true, __ATOMIC_SEQ_CST);
    for (int i = 0; i < ANSWERERS; i++)
        pthread_create(&answerers[i], NULL, answer_later, NULL);
}

void standin_stop(void)
{
    __atomic_store_n(&running, false, __ATOMIC_SEQ_CST);
    for (int i = 0; i < ANSWERERS; i++)
        pthread_join(answerers[i], NULL);
}

/* ---- What the shim calls ----------------------------------------------------------------------- */

void glideGoClientExecute(glide_client client, uint8_t *bytes, size_t len, glide_ticket *ticket)
{
    (void)client;
    begin(bytes, len, ticket);
}

void glideGoClientOpen(uint8_t *bytes, size_t len, glide_ticket *ticket)
{
    begin(bytes, len, ticket);
}

void glideGoSessionOpen(glide_client client, uint8_t *bytes, size_t len, glide_ticket *ticket)
{
    (void)client;
    begin(bytes, len, ticket);
}

void glideGoSessionExecute(glide_session session, uint8_t *bytes, size_t len, glide_ticket *ticket)
{
    (void)session;
    begin(bytes, len, ticket);
}

glide_status glideGoSessionClose(glide_session session)
{
    return session == 0 ? GLIDE_ERR_INVALID_ARGUMENT : GLIDE_OK;
}

void glideGoCallLead(glide_ticket *ticket)
{
    __atomic_fetch_add(&standin_led, 1, __ATOMIC_SEQ_CST);
    if (interrupted()) /* as a leader asks while it reads */
        return;
    answer(&calls[ticket->call]);
}

int glideGoCallLeave(glide_ticket *ticket, glide_status why, int forsake)
{
    struct call *which = &calls[ticket->call];
    int left = 0;

    (void)forsake;
    pthread_mutex_lock(&which->lock);
    if (which->ticket == ticket && which->turn == ticket->turn) {
        which->ticket = NULL;
        ticket->status = why;
        fill(&ticket->response, which->text, which->len);
        left = 1;
    }
    pthread_mutex_unlock(&which->lock);
    if (left) {
        release(which);
        __atomic_fetch_add(&standin_left, 1, __ATOMIC_SEQ_CST);
    }
    return left;
}

/* echo - a call that does not wait; its buffer must be empty when Go gets it. */
static glide_status echo(uint8_t *bytes, size_t len, glide_buffer *response)
{
    if (response->data != NULL || response->len != 0)
        return GLIDE_ERR_INTERNAL;
    fill(response, bytes, len);
    return GLIDE_OK;
}

glide_status glideGoClientResolve(glide_client client, uint8_t *bytes, size_t len,
                                  glide_buffer *response)
{
    (void)client;
    return echo(bytes, len, response);
}

glide_status glideGoClientTopology(glide_client client, glide_buffer *response)
{
    (void)client;
    return echo((uint8_t *)"topology", 8, response);
}

glide_status glideGoClientStatistics(glide_client client, glide_buffer *response)
{
    (void)client;
    return echo((uint8_t *)"statistics", 10, response);
}

glide_status glideGoRouterOpen(uint8_t *bytes, size_t len, glide_router *router,
                               glide_buffer *response)
{
    *router = 1;
    return echo(bytes, len, response);
}

glide_status glideGoRouterResolve(glide_router router, uint8_t *bytes, size_t len,
                                  glide_buffer *response)
{
    (void)router;
    return echo(bytes, len, response);
}

glide_status glideGoRouterClose(glide_router router)
{
    return router == 0 ? GLIDE_ERR_INVALID_ARGUMENT : GLIDE_OK;
}

glide_status glideGoSchema(glide_buffer *schema)
{
    return echo((uint8_t *)"schema", 6, schema);
}

int32_t glideGoKeySlot(uint8_t *key, size_t len)
{
    (void)key;
    return (int32_t)len;
}

glide_status glideGoSetLog(int32_t level, glide_log_callback callback, uintptr_t context)
{
    (void)level, (void)callback, (void)context;
    return GLIDE_OK;
}

int glideGoLogSettled(void)
{
    return 1;
}

/* ---- The asynchronous form ------------------------------------------------------------------- */

static glide_client open_until = STANDIN_CLIENTS; /* those below were closed */
static int events_waiting;

/* The first clients are always open: those of the calls that wait. */
static bool closed(glide_client client)
{
    return client >= STANDIN_CLIENTS &&
           client < __atomic_load_n(&open_until, __ATOMIC_SEQ_CST);
}

glide_status glideGoClientClose(glide_client client)
{
    if (client == 0)
        return GLIDE_ERR_INVALID_ARGUMENT;
    if (client >= STANDIN_CLIENTS)
        __atomic_store_n(&open_until, client + 1, __ATOMIC_SEQ_CST);
    for (size_t i = 0; i < CALLS; i++)
        end_with(&calls[i], GLIDE_ERR_CLOSED, client);
    return GLIDE_OK;
}

glide_status glideGoClientLimit(glide_client client, size_t *limit, int *events)
{
    if (closed(client))
        return GLIDE_ERR_CLOSED;
    *limit = STANDIN_LIMIT;
    *events = 1;
    return GLIDE_OK;
}

void standin_tell(glide_client client)
{
    __atomic_fetch_add(&events_waiting, 1, __ATOMIC_SEQ_CST);
    mailbox_stir(client);
}

/* One event at a time. */
glide_status glideGoClientEvents(glide_client client, glide_buffer *response, int *more)
{
    int waiting = __atomic_load_n(&events_waiting, __ATOMIC_SEQ_CST);

    (void)client;
    while (waiting > 0 && !__atomic_compare_exchange_n(&events_waiting, &waiting, waiting - 1, false,
                                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    *more = waiting > 1;
    return waiting > 0 ? echo((uint8_t *)"event", 5, response) : GLIDE_OK;
}

/* As in ffi/async.go: nothing of a call ends before its submission does. */
glide_status glideGoClientSubmit(glide_client client, uint8_t *bytes, size_t size,
                                 glide_ticket *ticket)
{
    if (closed(client))
        return GLIDE_ERR_CLOSED;
    begin_for(client, bytes, size, ticket);
    return GLIDE_OK;
}

glide_status glideGoSessionClient(glide_session session, glide_client *client)
{
    *client = session;
    return closed(session) ? GLIDE_ERR_CLOSED : GLIDE_OK;
}

glide_status glideGoSessionSubmit(glide_session session, uint8_t *bytes, size_t size,
                                  glide_ticket *ticket)
{
    return glideGoClientSubmit(session, bytes, size, ticket);
}

int glideGoCallCollect(uint64_t call, uint64_t turn, int last)
{
    (void)call; /* none is posted */
    (void)turn;
    (void)last;
    return 0;
}
