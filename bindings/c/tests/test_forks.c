/* What works in the children of a fork, and in theirs; and that the parent does not notice. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "children.h"
#include "live.h"
#include "routers.h"
#include "submitted.h"

enum { CHILDREN = 10, DEPTH = 4, THREADS = 8, FORKS = 20 };

/* open_session - with any node. */
static glide_session open_session(glide_client client)
{
    glide_session session;
    glide_buffer buffer;
    const glide_status status =
        request_session_open(client, request_random_node(), 0, &session, &buffer);
    answer opened = read_answer(status, buffer);

    CHECK_INT(opened.status, GLIDE_OK);
    drop(&opened);
    return session;
}

/* ping_in_session - a session of this process's own works. */
static void ping_in_session(glide_client client)
{
    const glide_session session = open_session(client);
    wire_bytes words[] = {wire_text("PING")};
    const request_command ping = {.words = words, .word_count = 1};
    glide_buffer buffer;
    const glide_status status = request_session_execute(session, &ping, &buffer);
    answer given = read_answer(status, buffer);

    CHECK_TEXT(given.view.value.text, "PONG");
    drop(&given);
    CHECK_INT(glide_session_close(session), GLIDE_OK);
}

/* submit_anew - the asynchronous form works on a client of this process's own. */
static void submit_anew(glide_client client)
{
    completed next;

    CHECK_INT(submit(client, "BLPOP {forks}none 0", 1), GLIDE_OK);
    CHECK_INT(submit(client, "GET forks:key", 2), GLIDE_OK);
    next = complete(client);
    CHECK_INT(next.tag, 2);
    CHECK_TEXT(next.given.view.value.text, "value");
    drop(&next.given);
    CHECK_INT(glide_client_cancel(client, 1), GLIDE_OK);
    next = complete(client);
    CHECK_INT(next.given.status, GLIDE_ERR_CANCELLED);
    drop(&next.given);
}

/* read_anew - set and get a key through a client of this process's own. */
static void *read_anew(void *nothing)
{
    glide_client client = open_cluster();
    answer given = run(client, "SET forks:key value", NO_ROUTE);

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    given = run(client, "GET forks:key", NO_ROUTE);
    CHECK_TEXT(given.view.value.text, "value");
    drop(&given);
    ping_in_session(client);
    submit_anew(client);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_ERR_CLOSED);
    return nothing;
}

static void read_in_child(void *nothing)
{
    read_anew(nothing);
}

/* refused - whether a call answered FORKED with an error that says so. */
static bool refused(glide_status status, glide_buffer *buffer)
{
    answer given = read_answer(status, *buffer);
    bool good = CHECK_INT(given.status, GLIDE_ERR_FORKED) &&
                CHECK_HAS(given.view.error.message, "before this process was forked");

    drop(&given);
    return good;
}

typedef struct inheritance {
    glide_client client;
    glide_session session;
    glide_router router;
    glide_buffer buffer;
    int depth; /* of children yet to come */
    const struct inheritance *older;
} inheritance;

/* check_inherited - that the handles of a parent are known as such, and can be closed. */
static void check_inherited(const inheritance *parent)
{
    const glide_client client = parent->client;
    const glide_session session = parent->session;
    const glide_router router = parent->router;
    wire_bytes words[] = {wire_text("PING")};
    const request_command ping = {.words = words, .word_count = 1};
    glide_completion completion;
    glide_session other;
    glide_buffer buffer;
    size_t count;

    CHECK(refused(request_execute(client, &ping, &buffer), &buffer));
    CHECK(refused(glide_client_execute(client, NULL, 0, &buffer), &buffer));
    CHECK(refused(request_session_open(client, NO_ROUTE, 0, &other, &buffer), &buffer));
    CHECK(refused(request_session_execute(session, &ping, &buffer), &buffer));
    CHECK(refused(request_resolve(client, &ping, &buffer), &buffer));
    CHECK(refused(glide_client_topology(client, &buffer), &buffer));
    CHECK_INT(submit(client, "PING", 1), GLIDE_ERR_FORKED);
    CHECK_INT(request_session_submit(session, &ping, 1), GLIDE_ERR_FORKED);
    CHECK_INT(glide_client_event_fd(client), -GLIDE_ERR_FORKED);
    CHECK_INT(glide_client_poll(client, &completion, 1, &count), GLIDE_ERR_FORKED);
    CHECK_INT(glide_client_cancel(client, 1), GLIDE_ERR_FORKED);
    CHECK(refused(glide_client_statistics(client, &buffer), &buffer));
    CHECK(refused(topology_resolve(router, &ping, &buffer), &buffer));
    for (int i = 0; i < 2; i++) {
        CHECK_INT(glide_session_close(session), GLIDE_OK);
        CHECK_INT(glide_client_close(client), GLIDE_OK);
        CHECK_INT(glide_router_close(router), GLIDE_OK);
    }
    CHECK(refused(request_execute(client, &ping, &buffer), &buffer));
}

/* ---- The parent's handles ------------------------------------------------------------------ */

static void use_inherited(void *argument)
{
    inheritance *from_parent = argument;

    check_inherited(from_parent);
    read_anew(NULL);
    check_inherited(from_parent);
    glide_buffer_free(&from_parent->buffer);
    CHECK(from_parent->buffer.data == NULL);
}

TEST(a_child_uses_what_it_opens_and_not_what_its_parent_opened)
{
    inheritance own = {.client = open_cluster(), .router = open_router(READ_PRIMARY, NULL)};
    answer given = run(own.client, "PING", NO_ROUTE);

    own.session = open_session(own.client);
    own.buffer = given.buffer;
    for (int i = 0; i < 3; i++) {
        CHECK_CHILD(use_inherited, &own);
        CHECK_TEXT(given.view.value.text, "PONG");
        CHECK_TEXT(wire_text(planned_host(plan(own.router, "GET foo", NO_ROUTE)).text), "p3");
    }
    drop(&given);
    given = run(own.client, "PING", request_all_nodes());
    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(outcome_count(&given), CLUSTER_NODES);
    drop(&given);
    CHECK_INT(glide_router_close(own.router), GLIDE_OK);
    CHECK_INT(glide_client_close(own.client), GLIDE_OK);
}

static void use_each_generation(void *argument)
{
    const inheritance *parents = argument;
    inheritance own = {.depth = parents->depth - 1, .older = parents};

    for (const inheritance *older = parents; older != NULL; older = older->older)
        check_inherited(older);
    own.client = open_cluster();
    own.session = open_session(own.client);
    own.router = open_router(READ_PRIMARY, NULL);
    for (const inheritance *older = parents; older != NULL; older = older->older) {
        CHECK(older->client != own.client && older->router != own.router);
        check_inherited(older);
    }
    if (own.depth > 0)
        CHECK_CHILD(use_each_generation, &own);
    CHECK_TEXT(wire_text(planned_host(plan(own.router, "GET foo", NO_ROUTE)).text), "p3");
    CHECK_INT(glide_router_close(own.router), GLIDE_OK);
    CHECK_INT(glide_client_close(own.client), GLIDE_OK);
}

TEST(each_generation_uses_its_own_handles_and_knows_all_older_ones)
{
    inheritance own = {.client = open_cluster(),
                       .router = open_router(READ_PRIMARY, NULL),
                       .depth = DEPTH};

    own.session = open_session(own.client);
    CHECK_CHILD(use_each_generation, &own);
    CHECK_INT(glide_router_close(own.router), GLIDE_OK);
    CHECK_INT(glide_client_close(own.client), GLIDE_OK);
}

/* A child that does nothing with the library leaves the fork to its own children. */
static void fork_again(void *argument)
{
    inheritance *from_parent = argument;

    if (from_parent->depth-- > 0)
        CHECK_CHILD(fork_again, from_parent);
    else
        use_inherited(from_parent);
}

TEST(a_grandchild_works_where_its_parents_did_not_use_the_library)
{
    inheritance own = {.client = open_cluster(),
                       .router = open_router(READ_PRIMARY, NULL),
                       .depth = DEPTH};

    own.session = open_session(own.client);
    CHECK_CHILD(fork_again, &own);
    CHECK_INT(glide_router_close(own.router), GLIDE_OK);
    CHECK_INT(glide_client_close(own.client), GLIDE_OK);
}

static void use_made_up(void *argument)
{
    static const glide_client made_up[] = {
        UINT64_C(1) << 52,
        UINT64_C(0x1010000001000001),
        UINT64_C(0x1ff0000001000001),
        UINT64_MAX,
    };
    wire_bytes words[] = {wire_text("PING")};
    const request_command ping = {.words = words, .word_count = 1};
    glide_client client = 0;

    for (int loaded = 0; loaded < 2; loaded++) {
        for (size_t i = 0; i < sizeof made_up / sizeof made_up[0]; i++) {
            answer given = run_command(made_up[i] + (uint64_t)loaded, ping);

            CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
            CHECK_HAS(given.view.error.message, "never given out");
            drop(&given);
            CHECK_INT(glide_client_close(made_up[i] + (uint64_t)loaded),
                      GLIDE_ERR_INVALID_ARGUMENT);
        }
        CHECK_INT(glide_client_close(0), GLIDE_ERR_INVALID_ARGUMENT);
        client = open_cluster();
    }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    (void)argument;
}

TEST(a_made_up_handle_is_refused_in_a_child_too)
{
    CHECK_CHILD(use_made_up, NULL);
}

static void use_without_a_server(void *argument)
{
    const uint8_t key[] = {'f', 'o', 'o'};
    glide_buffer schema;
    glide_router router;

    CHECK_TEXT(wire_text(glide_status_name(GLIDE_OK)), "OK");
    CHECK_INT(glide_abi_version(), GLIDE_ABI_VERSION);
    CHECK_INT(glide_key_slot(key, sizeof key), 12182);
    CHECK_INT(glide_key_slot(NULL, 1), -1);
    CHECK_INT(glide_schema(&schema), GLIDE_OK);
    CHECK(schema.len > 0);
    glide_buffer_free(&schema);
    router = open_router(READ_PRIMARY, NULL);
    CHECK_TEXT(wire_text(planned_host(plan(router, "GET foo", NO_ROUTE)).text), "p3");
    CHECK_INT(glide_router_close(router), GLIDE_OK);
    (void)argument;
}

TEST(everything_without_a_server_works_in_a_child)
{
    CHECK_CHILD(use_without_a_server, NULL);
}

TEST(children_that_are_forked_one_after_another_all_work)
{
    pid_t children[CHILDREN];

    for (int i = 0; i < CHILDREN; i++)
        children[i] = start_child(read_in_child, NULL);
    for (int i = 0; i < CHILDREN; i++)
        CHECK_INT(status_of(children[i]), 0);
}

/* ---- Threads ------------------------------------------------------------------------------- */

static void in_threads(void *(*act)(void *), void *argument)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, act, argument) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void read_in_threads(void *nothing)
{
    in_threads(read_anew, nothing);
}

TEST(the_threads_of_a_child_may_be_the_first_to_use_the_library_at_once)
{
    CHECK_CHILD(read_in_threads, NULL);
}

static void *fork_reader(void *nothing)
{
    CHECK_CHILD(read_in_child, nothing);
    return nothing;
}

TEST(threads_may_fork_at_the_same_time)
{
    in_threads(fork_reader, NULL);
}

static void *read_or_fork(void *turn)
{
    return atomic_fetch_add((atomic_int *)turn, 1) % 2 == 0 ? read_anew(NULL) : fork_reader(NULL);
}

static void read_and_fork_in_threads(void *argument)
{
    atomic_int turn = 0;

    in_threads(read_or_fork, &turn);
    (void)argument;
}

TEST(a_child_may_fork_while_another_thread_of_it_is_the_first_to_use_the_library)
{
    for (int i = 0; i < 3; i++)
        CHECK_CHILD(read_and_fork_in_threads, NULL);
}

static void end_only_thread(void *nothing)
{
    (void)nothing;
    if (!check_failed())
        pthread_exit(NULL); /* of the only thread, so the process ends with 0 */
}

static void *outlive(void *thread)
{
    CHECK(pthread_join(*(pthread_t *)thread, NULL) == 0);
    read_anew(NULL);
    _exit(check_failed());
}

static void end_first_thread(void *nothing)
{
    static pthread_t self, other;

    read_anew(nothing);
    self = pthread_self();
    CHECK(pthread_create(&other, NULL, outlive, &self) == 0);
    pthread_exit(NULL);
}

static void *fork_both(void *nothing)
{
    read_anew(nothing); /* so that the parent's Go runtime knows this thread */
    CHECK_CHILD(end_only_thread, nothing);
    CHECK_CHILD(end_first_thread, nothing);
    return nothing;
}

TEST(the_thread_that_was_forked_may_end_in_the_child)
{
    in_threads(fork_both, NULL);
}

/* ---- A parent that is at work -------------------------------------------------------------- */

typedef struct work {
    glide_client client;
    atomic_bool done;
    atomic_int requests;
} work;

static void *set_and_get(void *argument)
{
    work *all = argument;

    while (!all->done) {
        answer given = run(all->client, "INCR forks:requests", NO_ROUTE);

        CHECK_INT(given.status, GLIDE_OK);
        drop(&given);
        all->requests++;
    }
    return NULL;
}

static void *open_and_close(void *argument)
{
    work *all = argument;

    while (!all->done)
        read_anew(NULL);
    return NULL;
}

static void *block(void *argument)
{
    work *all = argument;
    answer given = run(all->client, "BLPOP forks:empty 0", NO_ROUTE);

    CHECK_INT(given.status, GLIDE_ERR_CLOSED);
    drop(&given);
    return NULL;
}

TEST(children_work_that_were_forked_while_the_parents_threads_were_in_calls)
{
    void *(*const acts[])(void *) = {set_and_get, set_and_get, open_and_close, block};
    work all = {.client = open_cluster()};
    pthread_t threads[4];
    int before;

    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, acts[i], &all) == 0);
    for (int i = 0; i < FORKS; i++)
        CHECK_CHILD(read_in_child, NULL);
    for (before = all.requests; all.requests < before + 100 && !check_failed();)
        nap(1);
    all.done = true;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(glide_client_close(all.client), GLIDE_OK);
    pthread_join(threads[3], NULL);
}

/* ---- Ends ---------------------------------------------------------------------------------- */

static void leave_open(void *argument)
{
    answer given = run(open_cluster(), "PING", NO_ROUTE);

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    if (argument != NULL && !check_failed())
        abort();
    if (!check_failed())
        exit(7);
}

TEST(a_child_may_end_with_an_open_client)
{
    int signalled = 1;

    CHECK_INT(status_of(start_child(leave_open, NULL)), 7);
    CHECK_INT(status_of(start_child(leave_open, &signalled)), 1000 + 6);
}
