/*
 * The C shim under the thread sanitizer: the handing over of tickets between the threads of callers
 * and those that answer. Go's side is played by standin.c, since the sanitizer cannot see what Go
 * does; what Go itself does is tested with its race detector.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mailboxes.h"
#include "shim.h"
#include "standin.h"

enum { THREADS = 16, CALLS = 1500, PATIENCE_S = 120 };

static void must(int held, const char *what, int line)
{
    if (held)
        return;
    fprintf(stderr, "main.c:%d: not so: %s\n", line, what);
    exit(1);
}
#define MUST(condition) must(condition, #condition, __LINE__)

static _Thread_local int asked;

/* Every hundredth time that it is asked it interrupts. */
static int sometimes(void)
{
    return ++asked % 100 == 0;
}

/* holds - the buffer has what was asked for, and nothing else is its. */
static void holds(glide_buffer *buffer, const char *text)
{
    MUST(buffer->len == (text[0] == 'b' ? BIG : strlen(text)));
    MUST(memcmp(buffer->data, text, strlen(text)) == 0 && buffer->data[buffer->len - 1] != 0);
    glide_buffer_free(buffer);
    MUST(buffer->data == NULL && buffer->len == 0);
}

/* soil - what a caller's stack may have left in a buffer. */
static glide_buffer soil(void)
{
    return (glide_buffer){(uint8_t *)(uintptr_t)0xc000012345, 77};
}

static void ask(int thread, int call)
{
    static const char forms[] = "nlpbnlpllpns"; /* how the stand-in answers */
    const char form = forms[call % (int)(sizeof forms - 1)];
    glide_buffer buffer = soil();
    glide_status status;
    uint64_t client = 0;
    char text[32];

    snprintf(text, sizeof text, "%c %d/%d", form, thread, call);
    if (call % 3 == 0)
        status = glide_client_open((uint8_t *)text, strlen(text), &client, &buffer);
    else if (call % 7 == 0)
        status = glide_session_execute(1, (uint8_t *)text, strlen(text), &buffer);
    else
        status = glide_client_execute(1, (uint8_t *)text, strlen(text), &buffer);
    if (form == 's')
        MUST(status == GLIDE_ERR_TIMEOUT || status == GLIDE_ERR_CANCELLED);
    else
        MUST(status == GLIDE_OK || status == GLIDE_ERR_CANCELLED);
    MUST(call % 3 != 0 || (client != 0) == (status == GLIDE_OK));
    holds(&buffer, text);
}

static void ask_without_waiting(int call)
{
    glide_buffer buffer = soil();
    glide_router router;
    glide_client none = 1;

    MUST(glide_client_resolve(1, (uint8_t *)"plan", 4, &buffer) == GLIDE_OK);
    holds(&buffer, "plan");
    buffer = soil();
    MUST(glide_client_topology(1, &buffer) == GLIDE_OK);
    holds(&buffer, "topology");
    buffer = soil();
    MUST(glide_client_statistics(1, &buffer) == GLIDE_OK);
    holds(&buffer, "statistics");
    buffer = soil();
    MUST(glide_router_open((uint8_t *)"topology", 8, &router, &buffer) == GLIDE_OK && router == 1);
    holds(&buffer, "topology");
    buffer = soil();
    MUST(glide_router_resolve(1, (uint8_t *)"plan", 4, &buffer) == GLIDE_OK);
    holds(&buffer, "plan");
    buffer = soil();
    MUST(glide_schema(&buffer) == GLIDE_OK);
    holds(&buffer, "schema");
    buffer = soil();
    MUST(glide_client_open(NULL, 1, &none, &buffer) == GLIDE_ERR_INVALID_ARGUMENT && none == 0);
    glide_buffer_free(&buffer);
    MUST(glide_key_slot((uint8_t *)"key", 3) == 3);
    MUST(glide_set_log(call % 5, NULL, NULL) == GLIDE_OK);
}

static void *work(void *argument)
{
    const int thread = (int)(intptr_t)argument;

    glide_on_interrupt(thread % 2 ? sometimes : NULL);
    for (int call = 0; call < CALLS; call++) {
        ask(thread, call);
        if (call % 10 == 0)
            ask_without_waiting(call);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];

    alarm(PATIENCE_S); /* a call that nobody wakes would wait for ever */
    standin_start();
    for (intptr_t i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    MUST(standin_led > THREADS * CALLS / 10);
    MUST(standin_left >= THREADS * CALLS / 12);
    printf("%d calls of %d threads: %d led, %d left\n", THREADS * CALLS, THREADS, standin_led,
           standin_left);
    mailboxes_try();
    standin_stop();
    return 0;
}
