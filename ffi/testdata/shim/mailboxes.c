/* See mailboxes.h. */
#define _GNU_SOURCE
#include "mailboxes.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "shim.h"
#include "standin.h"

enum { ROUNDS = 40, THREADS = 6, SUBMITTED = 300, EVENTS = 50, AT_ONCE = 8 };

static void must(int held, const char *what, int line)
{
    if (held)
        return;
    fprintf(stderr, "mailboxes.c:%d: not so: %s\n", line, what);
    exit(1);
}
#define MUST(condition) must(condition, #condition, __LINE__)

/* One client; the counts are of all threads. */
typedef struct client {
    glide_client handle;
    uint64_t tags, submitted, completed, events, cancelled;
} client;

#define COUNT(number) __atomic_fetch_add(&(number), 1, __ATOMIC_SEQ_CST)
#define READ(number) __atomic_load_n(&(number), __ATOMIC_SEQ_CST)

static void count(client *on, const glide_completion *taken)
{
    if (taken->kind == GLIDE_COMPLETION_EVENTS) {
        MUST(taken->tag == 0 && taken->status == GLIDE_OK && taken->response.len == 5);
        COUNT(on->events);
        return;
    }
    MUST(taken->kind == GLIDE_COMPLETION_RESPONSE && taken->response.len > 0);
    MUST(taken->status == GLIDE_OK || taken->status == GLIDE_ERR_CANCELLED ||
         taken->status == GLIDE_ERR_CLOSED);
    COUNT(on->completed);
}

static glide_status poll_some(client *on, size_t capacity)
{
    glide_completion taken[AT_ONCE];
    size_t found = 77;
    const glide_status status = glide_client_poll(on->handle, taken, capacity, &found);

    MUST(status == GLIDE_OK || (status == GLIDE_ERR_CLOSED && found == 0));
    MUST(found <= capacity);
    for (size_t i = 0; i < found; i++)
        count(on, &taken[i]);
    glide_completions_free(taken, found);
    return status;
}

/* submit - a request of a form; where there is no room, poll until there is. */
static uint64_t submit(client *on, const char *form)
{
    const uint64_t tag = COUNT(on->tags) + 1;
    glide_status status;

    do {
        const uint8_t *text = (const uint8_t *)form;

        status = tag % 5 == 0 ? glide_session_submit(on->handle, text, strlen(form), tag)
                              : glide_client_submit(on->handle, text, strlen(form), tag);
        if (status == GLIDE_ERR_BUSY)
            poll_some(on, AT_ONCE);
    } while (status == GLIDE_ERR_BUSY);
    MUST(status == GLIDE_OK);
    COUNT(on->submitted);
    return tag;
}

static void *work(void *argument)
{
    static const char *const forms[] = {"n", "l", "b", "l", "s"};
    client *on = argument;
    int fd = glide_client_event_fd(on->handle);

    MUST(fd >= 0);
    for (int i = 0; i < SUBMITTED; i++) {
        const char *form = forms[i % 5];
        const uint64_t tag = submit(on, form);

        if (*form == 's' || i % 7 == 0) { /* the others may have ended, and been polled */
            const glide_status status = glide_client_cancel(on->handle, tag);

            MUST(status == GLIDE_OK || (*form != 's' && status == GLIDE_ERR_INVALID_ARGUMENT));
            COUNT(on->cancelled);
        }
        if (i % 3 == 0) {
            struct pollfd waiting = {.fd = fd, .events = POLLIN};

            poll(&waiting, 1, 1);
            poll_some(on, (size_t)(1 + i % AT_ONCE));
        }
        if (i % 100 == 0) {
            close(fd); /* the host's own */
            fd = glide_client_event_fd(on->handle);
        }
    }
    close(fd);
    return NULL;
}

static void *tell(void *argument)
{
    client *on = argument;

    for (int i = 0; i < EVENTS; i++) {
        standin_tell(on->handle);
        usleep(200);
    }
    return NULL;
}

/* finish - poll until all has come; close the client with some requests under way. */
static void finish(client *on)
{
    int fd = glide_client_event_fd(on->handle);
    struct pollfd waiting = {.fd = fd, .events = POLLIN};

    while (READ(on->completed) < READ(on->submitted) || READ(on->events) < EVENTS) {
        MUST(poll(&waiting, 1, 30000) == 1);
        poll_some(on, AT_ONCE);
    }
    for (int i = 0; i < 10; i++)
        submit(on, i % 2 ? "s" : "l");
    MUST(glide_client_close(on->handle) == GLIDE_OK);
    MUST(glide_client_submit(on->handle, (const uint8_t *)"n", 1, 1) == GLIDE_ERR_CLOSED);
    do
        MUST(poll(&waiting, 1, 30000) == 1);
    while (poll_some(on, 1) == GLIDE_OK);
    MUST(READ(on->completed) == READ(on->submitted));
    close(fd);
}

void mailboxes_try(void)
{
    uint64_t submitted = 0, cancelled = 0;

    for (int round = 0; round < ROUNDS; round++) {
        client on = {.handle = (glide_client)(STANDIN_CLIENTS + round)};
        pthread_t threads[THREADS], teller;

        for (int i = 0; i < THREADS; i++)
            MUST(pthread_create(&threads[i], NULL, work, &on) == 0);
        MUST(pthread_create(&teller, NULL, tell, &on) == 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        pthread_join(teller, NULL);
        finish(&on);
        submitted += on.submitted;
        cancelled += on.cancelled;
    }
    printf("%llu requests of %d clients submitted, %llu cancelled\n",
           (unsigned long long)submitted, ROUNDS, (unsigned long long)cancelled);
}
