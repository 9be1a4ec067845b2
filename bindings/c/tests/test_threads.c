/* Many threads on one client, deadlines, and calls that are running when it is closed. */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "check.h"
#include "live.h"

/* ---- Many at once -------------------------------------------------------------------------- */

enum { THREADS = 8, REQUESTS = 500, BLOCKED = 4 };

typedef struct worker {
    glide_client client;
    int number;
    atomic_int *answered;
} worker;

/* set_and_get - REQUESTS requests, each with what another one must not be answered with. */
static void *set_and_get(void *argument)
{
    const worker *self = argument;

    for (int i = 0; i < REQUESTS / 2; i++) {
        char line[64], value[32];
        answer given;

        snprintf(value, sizeof value, "%d/%d", self->number, i);
        snprintf(line, sizeof line, "SET threads:%d:%d %s", self->number, i % 50, value);
        given = run(self->client, line, NO_ROUTE);
        *self->answered += CHECK_INT(given.status, GLIDE_OK);
        drop(&given);
        snprintf(line, sizeof line, "GET threads:%d:%d", self->number, i % 50);
        given = run(self->client, line, NO_ROUTE);
        *self->answered += CHECK_TEXT(given.view.value.text, value);
        drop(&given);
    }
    return NULL;
}

TEST(eight_threads_share_a_client_and_each_gets_its_own_replies)
{
    glide_client client = open_cluster();
    pthread_t threads[THREADS];
    worker workers[THREADS];
    atomic_int answered = 0;

    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){client, i, &answered};
        CHECK(pthread_create(&threads[i], NULL, set_and_get, &workers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(answered, THREADS * REQUESTS);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

static void *open_and_close(void *argument)
{
    for (int i = 0; i < 10; i++) {
        glide_client client = open_cluster();
        answer given = run(client, "PING", request_all_nodes());

        CHECK_INT(given.status, GLIDE_OK);
        drop(&given);
        CHECK_INT(glide_client_close(client), GLIDE_OK);
    }
    return argument;
}

TEST(threads_open_and_close_clients_beside_each_other)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, open_and_close, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- Calls that block ---------------------------------------------------------------------- */

/* block - BLPOP without a limit on a key of the thread's own; counts where it ends as CLOSED. */
static void *block(void *argument)
{
    const worker *self = argument;
    char line[64];
    answer given;

    snprintf(line, sizeof line, "BLPOP {threads:empty}:%d 0", self->number);
    given = run(self->client, line, NO_ROUTE);
    *self->answered += CHECK_INT(given.status, GLIDE_ERR_CLOSED);
    CHECK(given.view.error.message.len > 0);
    drop(&given);
    return NULL;
}

/* await_blocked - wait until so many clients block on the server of the keys. */
static void await_blocked(glide_client client, int wanted)
{
    const request_route route = request_slot_key(REQUEST_PRIMARY, wire_text("{threads:empty}"));
    const double patience = seconds() + 10;
    char text[32];
    bool there = false;

    snprintf(text, sizeof text, "blocked_clients:%d\r\n", wanted);
    while (!there && seconds() < patience) {
        answer given = run(client, "INFO clients", route);
        const wire_bytes info = given.view.value.text;

        for (size_t at = 0; at + strlen(text) <= info.len && !there; at++)
            there = memcmp(info.data + at, text, strlen(text)) == 0;
        drop(&given);
        nap(10);
    }
    CHECK(there);
}

TEST(closing_the_client_ends_the_calls_that_block_on_it)
{
    glide_client client = open_cluster(), watcher = open_cluster();
    pthread_t threads[BLOCKED];
    worker workers[BLOCKED];
    atomic_int ended = 0;
    double started;

    for (int i = 0; i < BLOCKED; i++) {
        workers[i] = (worker){client, i, &ended};
        CHECK(pthread_create(&threads[i], NULL, block, &workers[i]) == 0);
    }
    await_blocked(watcher, BLOCKED);
    CHECK_INT(ended, 0);
    started = seconds();
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    for (int i = 0; i < BLOCKED; i++)
        pthread_join(threads[i], NULL);
    CHECK(seconds() - started < 1);
    CHECK_INT(ended, BLOCKED);
    await_blocked(watcher, 0);
    CHECK_INT(glide_client_close(watcher), GLIDE_OK);
}

static void *block_until_pushed(void *argument)
{
    const worker *self = argument;
    answer given = run(self->client, "BLPOP {threads:empty}:queue 0", NO_ROUTE);

    *self->answered += CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(given.view.value.items.count, 2);
    drop(&given);
    return NULL;
}

TEST(a_request_beyond_the_limit_is_refused_as_busy)
{
    request_connection connection = {.inflight_limit = 1, .request_timeout_ms = 5000};
    glide_client client, watcher = open_cluster();
    answer given = open_with(connection, "GLIDE_TEST_CLUSTER", &client);
    atomic_int answered = 0;
    worker blocking = {client, 0, &answered};
    pthread_t thread;

    drop(&given);
    CHECK(pthread_create(&thread, NULL, block_until_pushed, &blocking) == 0);
    await_blocked(watcher, 1);
    given = run(client, "GET threads:busy", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_ERR_BUSY);
    CHECK(given.view.error.retryable && !given.view.error.sent);
    drop(&given);
    given = run(watcher, "RPUSH {threads:empty}:queue item", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    pthread_join(thread, NULL);
    CHECK_INT(answered, 1);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    CHECK_INT(glide_client_close(watcher), GLIDE_OK);
}

/* get_paused - a GET that a paused server keeps for half a second and more; counts where that took
 * next to no processor time. */
static void *get_paused(void *argument)
{
    const worker *self = argument;
    answer given = run(self->client, "GET threads:paused", NO_ROUTE);
    struct timespec used;

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    *self->answered += CHECK(used.tv_sec == 0 && used.tv_nsec < 100000000);
    return NULL;
}

TEST(threads_that_wait_for_long_sleep)
{
    const request_route route = request_slot_key(REQUEST_PRIMARY, wire_text("threads:paused"));
    request_connection connection = {.request_timeout_ms = 20000};
    glide_client client;
    answer given = open_with(connection, "GLIDE_TEST_CLUSTER", &client);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    atomic_int slept = 0;
    double started;

    drop(&given);
    given = run(client, "CLIENT PAUSE 800 ALL", route);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    started = seconds();
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){client, i, &slept};
        CHECK(pthread_create(&threads[i], NULL, get_paused, &workers[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK(seconds() - started > 0.5);
    CHECK_INT(slept, THREADS);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Deadlines ----------------------------------------------------------------------------- */

TEST(a_request_ends_at_its_own_deadline_and_leaves_the_client_usable)
{
    const request_route route = request_slot_key(REQUEST_PRIMARY, wire_text("threads:late"));
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("SET"), wire_text("threads:late"), wire_text("x")};
    request_command set = {.words = words, .word_count = 3, .timeout_ms = 200};
    answer given = run(client, "CLIENT PAUSE 20000 WRITE", route);
    double took = 1;

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    for (int i = 0; i < TRIES && took > 0.25; i++) {
        const double started = seconds();

        given = run_command(client, set);
        took = seconds() - started;
        CHECK_INT(given.status, GLIDE_ERR_TIMEOUT);
        CHECK(given.view.error.sent && !given.view.error.retryable);
        CHECK(took > 0.19);
        drop(&given);
    }
    CHECK(took <= 0.25);
    given = run(client, "CLIENT UNPAUSE", route);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    given = run(client, "SET threads:late again", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- The threads of the Go runtime ---------------------------------------------------------- */

/* slack_of - how much later than it asks for a thread may be woken, in ns; -1: the kernel does not
 * say. */
static long slack_of(const char *thread)
{
    char path[300];
    long slack = -1;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/timerslack_ns", thread);
    file = fopen(path, "r");
    if (file == NULL)
        return -1;
    if (fscanf(file, "%ld", &slack) != 1)
        slack = -1;
    fclose(file);
    return slack;
}

TEST(the_thread_that_watches_the_others_alone_may_be_late)
{
    const long usual = prctl(PR_GET_TIMERSLACK, 0L, 0L, 0L, 0L);
    glide_client client = open_cluster();
    DIR *tasks = opendir("/proc/self/task");
    int late = 0, other = 0, unknown = 0;

    CHECK(tasks != NULL);
    if (tasks == NULL)
        return;
    for (struct dirent *task; (task = readdir(tasks)) != NULL;) {
        const long slack = task->d_name[0] == '.' ? usual : slack_of(task->d_name);

        late += slack == 1000000;
        other += slack >= 0 && slack != usual && slack != 1000000;
        unknown += slack < 0;
    }
    closedir(tasks);
    if (unknown == 0) /* of other threads the kernel tells only some users */
        CHECK_INT(late, 1);
    CHECK_INT(other, 0);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
