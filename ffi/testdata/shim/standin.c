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
    uint64_t turn;
    uint8_t text[64];
    size_t len;
    bool due; /* an answerer is to look at it */
} calls[CALLS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of what follows */
static size_t idle[CALLS], idle_count;
static bool running;
static pthread_t answerers[ANSWERERS];

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
    if (__atomic_exchange_n(&ticket->state, state, __ATOMIC_SEQ_CST) == TICKET_ASLEEP)
        syscall(SYS_futex, &ticket->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void fill(glide_buffer *buffer, const uint8_t *bytes, size_t len)
{
    buffer->len = len > 0 && bytes[0] == 'b' ? BIG : len;
    buffer->data = buffer_allocate(buffer->len);
    memset(buffer->data, 'b', buffer->len);
    memcpy(buffer->data, bytes, len);
}

/* answer - end the call, if its thread still waits. */
static void answer(struct call *which)
{
    glide_ticket *ticket;

    pthread_mutex_lock(&which->lock);
    ticket = which->ticket;
    which->ticket = NULL;
    if (ticket != NULL) {
        ticket->status = GLIDE_OK;
        ticket->handle = which->turn;
        fill(&ticket->response, which->text, which->len);
    }
    pthread_mutex_unlock(&which->lock);
    if (ticket != NULL) {
        release(which);
        rouse(ticket, TICKET_DONE);
    }
}

static void promote(struct call *which)
{
    pthread_mutex_lock(&which->lock);
    if (which->ticket != NULL)
        rouse(which->ticket, TICKET_LEAD);
    pthread_mutex_unlock(&which->lock);
}

static void begin(const uint8_t *bytes, size_t len, glide_ticket *ticket)
{
    struct call *made = new_call();
    uint8_t what = len > 0 ? bytes[0] : 'n';

    if (made == NULL)
        abort(); /* more threads than CALLS */
    pthread_mutex_lock(&made->lock);
    made->ticket = ticket;
    made->len = len < sizeof made->text ? len : sizeof made->text;
    memcpy(made->text, bytes, made->len);
    ticket->call = (uint64_t)(made - calls);
    ticket->turn = ++made->turn;
    ticket->wait_ns = what == 's' ? WAIT_MS * 1000000LL : 0;
    made->due = what == 'l' || what == 'p' || what == 'b';
    pthread_mutex_unlock(&made->lock);
    if (what == 'n')
        answer(made);
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
            if (due && which->text[0] == 'p')
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

glide_status glideGoClientClose(glide_client client)
{
    return client == 0 ? GLIDE_ERR_INVALID_ARGUMENT : GLIDE_OK;
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

/* The asynchronous form has no stand-in: it is turned away, and its C tests run under the address
 * sanitizer with the library itself. */
glide_status glideGoClientLimit(glide_client client, size_t *limit, int *events)
{
    (void)client;
    *limit = 0;
    *events = 0;
    return GLIDE_ERR_CLOSED;
}

glide_status glideGoClientEvents(glide_client client, glide_buffer *response, int *more)
{
    (void)client, (void)response;
    *more = 0;
    return GLIDE_ERR_CLOSED;
}

glide_status glideGoClientSubmit(glide_client client, uint8_t *bytes, size_t size,
                                 glide_ticket *ticket)
{
    (void)client, (void)bytes, (void)size, (void)ticket;
    return GLIDE_ERR_CLOSED;
}

glide_status glideGoSessionClient(glide_session session, glide_client *client)
{
    (void)session;
    *client = 0;
    return GLIDE_ERR_CLOSED;
}

glide_status glideGoSessionSubmit(glide_session session, uint8_t *bytes, size_t size,
                                  glide_ticket *ticket)
{
    (void)session, (void)bytes, (void)size, (void)ticket;
    return GLIDE_ERR_CLOSED;
}

void glideGoCallCollect(uint64_t call)
{
    (void)call;
}
