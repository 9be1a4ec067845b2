/* Requests of the asynchronous form: each completes once, whatever becomes of it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "submitted.h"

enum { MANY = 10000, LATE_MS = 200 };

static glide_client open_limited(uint32_t limit)
{
    request_connection connection = {.inflight_limit = limit, .request_timeout_ms = 20000};
    glide_client client;
    answer given = open_with(connection, "GLIDE_TEST_CLUSTER", &client);

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    return client;
}

/* ---- Many at once -------------------------------------------------------------------------- */

/* thread_count - of this process. */
static long thread_count(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[128];
    long count = 0;

    while (status != NULL && count == 0 && fgets(line, sizeof line, status) != NULL)
        sscanf(line, "Threads: %ld", &count);
    if (status != NULL)
        fclose(status);
    return count;
}

TEST(one_thread_has_ten_thousand_requests_under_way_and_each_gets_its_own_reply)
{
    static const char *const keys[] = {"submit:a", "submit:b", "submit:c", "submit:d"};
    glide_client client = open_limited(MANY);
    answer *answers = calloc(MANY, sizeof *answers);
    char line[64], value[32];

    for (int i = 0; i < 4; i++)
        pause_node(keys[i]);
    for (uint64_t i = 0; i < MANY; i++) {
        snprintf(line, sizeof line, "GETSET submit:%d %d", (int)i, (int)i);
        if (!CHECK_INT(submit(client, line, i), GLIDE_OK))
            break;
    }
    CHECK_INT(submit(client, "GET submit:more", MANY), GLIDE_ERR_BUSY);
    CHECK(thread_count() > 1 && thread_count() < 100);
    for (int i = 0; i < 4; i++)
        resume_node(keys[i]);
    complete_all(client, answers, MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        CHECK_INT(answers[i].status, GLIDE_OK);
        drop(&answers[i]);
        snprintf(line, sizeof line, "GET submit:%d", (int)i);
        CHECK_INT(submit(client, line, i), GLIDE_OK);
    }
    complete_all(client, answers, MANY);
    for (uint64_t i = 0; i < MANY; i++) {
        snprintf(value, sizeof value, "%d", (int)i);
        CHECK_TEXT(answers[i].view.value.text, value);
        drop(&answers[i]);
    }
    free(answers);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(requests_of_one_thread_for_one_node_run_in_the_order_of_their_submission)
{
    enum { COUNT = 1000 };
    glide_client client = open_limited(COUNT + 1);
    answer *answers = calloc(COUNT, sizeof *answers);
    answer given = run(client, "DEL {submit:order}", NO_ROUTE);

    drop(&given);
    for (uint64_t i = 0; i < COUNT; i++)
        CHECK_INT(submit(client, "INCR {submit:order}", i), GLIDE_OK);
    complete_all(client, answers, COUNT);
    for (int i = 0; i < COUNT; i++) {
        CHECK_INT(answers[i].view.value.integer, i + 1);
        drop(&answers[i]);
    }
    free(answers);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(every_kind_of_request_completes_as_a_call_that_waits_would_end)
{
    static const char *const lines[] = {
        "SET {submit}kind x", "GET {submit}kind",      "MGET {submit}kind submit:other",
        "DBSIZE",             "BLPOP {submit}empty 1", "LPUSH {submit}kind x",
    };
    enum { COUNT = sizeof lines / sizeof lines[0] };
    glide_client client = open_cluster();
    answer answers[COUNT], error;

    for (uint64_t i = 0; i < COUNT; i++)
        CHECK_INT(submit(client, lines[i], i), GLIDE_OK);
    complete_all(client, answers, COUNT);
    CHECK_TEXT(answers[0].view.value.text, "OK");
    CHECK_TEXT(answers[1].view.value.text, "x");
    CHECK_INT(answers[2].view.value.items.count, 2);
    CHECK_INT(outcome_count(&answers[3]), CLUSTER_PRIMARIES);
    CHECK_INT(answers[4].view.value.kind, RESPONSE_NIL);
    error = answers[5];
    CHECK_INT(error.status, GLIDE_ERR_SERVER);
    CHECK_TEXT(error.view.error.code, "WRONGTYPE");
    for (int i = 0; i < COUNT; i++)
        drop(&answers[i]);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

enum { SUBMITTERS = 4, OF_EACH = 500 };

typedef struct submitter {
    glide_client client;
    uint64_t number;
    atomic_int *times;     /* that it completed, by tag */
    atomic_int *left;      /* of all */
} submitter;

/* submit_and_poll - OF_EACH requests, and the completions of whomever, until all are there. */
static void *submit_and_poll(void *argument)
{
    const submitter *self = argument;
    const double patience = seconds() + 30;
    glide_completion completions[7];
    uint64_t begun = 0;
    size_t count;

    while (*self->left > 0 && seconds() < patience) {
        if (begun < OF_EACH &&
            submit(self->client, "GET submit:threads", self->number * OF_EACH + begun) == GLIDE_OK)
            begun++;
        CHECK_INT(glide_client_poll(self->client, completions, 7, &count), GLIDE_OK);
        for (size_t i = 0; i < count; i++) {
            const answer given = read_answer(completions[i].status, completions[i].response);

            CHECK_INT(given.status, GLIDE_OK);
            CHECK_TEXT(given.view.error.message, "");
            self->times[completions[i].tag]++;
        }
        *self->left -= (int)count;
        glide_completions_free(completions, count);
    }
    return NULL;
}

TEST(four_threads_submit_and_poll_on_one_client_and_each_request_completes_once)
{
    static atomic_int times[SUBMITTERS * OF_EACH];
    atomic_int left = SUBMITTERS * OF_EACH;
    glide_client client = open_limited(100);
    pthread_t threads[SUBMITTERS];
    submitter submitters[SUBMITTERS];

    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i] = (submitter){client, (uint64_t)i, times, &left};
        CHECK(pthread_create(&threads[i], NULL, submit_and_poll, &submitters[i]) == 0);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(left, 0);
    for (int i = 0; i < SUBMITTERS * OF_EACH; i++)
        CHECK_INT(times[i], 1);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Deadlines ----------------------------------------------------------------------------- */

/* time_out - submit a request that the server does not answer; how late it completed, in seconds
 * beyond its deadline. */
static double time_out(glide_client client, const char *line, bool sent)
{
    const double began = seconds();
    completed late;

    CHECK_INT(submit_for(client, line, 1, LATE_MS), GLIDE_OK);
    late = complete(client);
    CHECK_INT(late.tag, 1);
    CHECK_INT(late.given.status, GLIDE_ERR_TIMEOUT);
    CHECK(late.given.view.error.sent == sent);
    drop(&late.given);
    return seconds() - began - LATE_MS / 1000.0;
}

TEST(a_submitted_request_completes_at_its_deadline_and_leaves_the_client_usable)
{
    glide_client client = open_limited(10);
    double late = 1;
    completed next;

    pause_node("submit:late");
    CHECK_INT(submit(client, "SET submit:late first", 0), GLIDE_OK);
    await_blocked("submit:late", 1); /* it keeps the connection, so what follows is not sent */
    for (int i = 0; i < TRIES && late > 0.05; i++) {
        late = time_out(client, "SET submit:late second", false);
        CHECK(late > 0);
    }
    CHECK(late <= 0.05);
    for (late = 1; late > 0.05;) {
        late = time_out(client, "BLPOP {submit:late}empty 0", true);
        CHECK(late > 0);
    }
    resume_node("submit:late");
    next = complete(client);
    CHECK_INT(next.tag, 0);
    CHECK_INT(next.given.status, GLIDE_OK);
    drop(&next.given);
    CHECK_INT(submit(client, "GET submit:late", 2), GLIDE_OK);
    next = complete(client);
    CHECK_TEXT(next.given.view.value.text, "first");
    drop(&next.given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- The limit, and tags ------------------------------------------------------------------- */

TEST(completions_that_nobody_polled_count_in_the_limit)
{
    glide_client client = open_limited(3);
    answer answers[3];

    for (uint64_t i = 0; i < 3; i++)
        CHECK_INT(submit(client, "GET submit:unpolled", i), GLIDE_OK);
    nap(200); /* for all of them to end; if not, what follows holds anyway */
    CHECK_INT(submit(client, "GET submit:unpolled", 3), GLIDE_ERR_BUSY);
    complete_all(client, answers, 3);
    for (int i = 0; i < 3; i++)
        drop(&answers[i]);
    CHECK_INT(submit(client, "GET submit:unpolled", 0), GLIDE_OK);
    complete_all(client, answers, 1);
    drop(&answers[0]);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(calls_that_wait_and_submitted_requests_share_the_limit)
{
    glide_client client = open_limited(1);
    answer given;
    completed next;

    CHECK_INT(submit(client, "BLPOP {submit}limit 0", 5), GLIDE_OK);
    await_blocked("{submit}limit", 1);
    given = run(client, "GET submit:limit", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_ERR_BUSY);
    drop(&given);
    CHECK_INT(glide_client_cancel(client, 5), GLIDE_OK);
    next = complete(client);
    drop(&next.given);
    given = run(client, "GET submit:limit", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_tag_under_way_is_refused_and_its_request_goes_on)
{
    glide_client client = open_limited(10);
    completed next;

    CHECK_INT(submit(client, "BLPOP {submit}tag 0", 7), GLIDE_OK);
    CHECK_INT(submit(client, "GET submit:tag", 7), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(submit(client, "RPUSH {submit}tag item", 8), GLIDE_OK);
    for (int i = 0; i < 2; i++) {
        next = complete(client);
        CHECK(next.tag == 7 || next.tag == 8);
        CHECK_INT(next.given.status, GLIDE_OK);
        drop(&next.given);
    }
    CHECK(complete_nothing(client));
    CHECK_INT(submit(client, "PING", 7), GLIDE_OK); /* free again */
    next = complete(client);
    CHECK_INT(next.tag, 7);
    drop(&next.given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_tag_is_any_number)
{
    const uint64_t tags[] = {0, 1, UINT64_MAX, UINT64_C(1) << 32, UINT64_C(0x7fff00001000)};
    glide_client client = open_limited(10);

    for (size_t i = 0; i < 5; i++) {
        completed next;

        CHECK_INT(submit(client, "PING", tags[i]), GLIDE_OK);
        next = complete(client);
        CHECK(next.tag == tags[i]);
        drop(&next.given);
    }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_request_that_cannot_be_completes_with_what_is_wrong)
{
    const uint8_t garbage[] = {0xff, 0xff};
    glide_client client = open_limited(10);
    answer answers[3];

    CHECK_INT(glide_client_submit(client, garbage, sizeof garbage, 0), GLIDE_OK);
    CHECK_INT(glide_client_submit(client, NULL, 0, 1), GLIDE_OK);
    CHECK_INT(submit(client, "SELECT 1", 2), GLIDE_OK);
    complete_all(client, answers, 3);
    CHECK_INT(answers[0].status, GLIDE_ERR_DECODE);
    CHECK_INT(answers[1].status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(answers[2].status, GLIDE_ERR_INVALID_ARGUMENT);
    for (int i = 0; i < 3; i++) {
        CHECK(answers[i].view.error.message.len > 0);
        drop(&answers[i]);
    }
    CHECK_INT(glide_client_submit(client, NULL, 1, 0), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_client_submit(client, garbage, (size_t)INT32_MAX + 1, 0),
              GLIDE_ERR_INVALID_ARGUMENT);
    CHECK(complete_nothing(client));
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Closing ------------------------------------------------------------------------------- */

TEST(closing_completes_what_is_under_way_and_keeps_what_nobody_polled)
{
    glide_client client = open_limited(10);
    const int fd = glide_client_event_fd(client);
    glide_completion next;
    answer answers[5];
    size_t count;

    pause_node("submit:close");
    CHECK_INT(submit(client, "GET submit:close", 0), GLIDE_OK);
    CHECK(readable(fd, 20000)); /* it waits to be polled */
    CHECK_INT(submit(client, "SET submit:close a", 1), GLIDE_OK);
    CHECK_INT(submit(client, "SET submit:close b", 2), GLIDE_OK);
    CHECK_INT(submit(client, "BLPOP {submit}close 0", 3), GLIDE_OK);
    CHECK_INT(submit(client, "DBSIZE", 4), GLIDE_OK);
    await_blocked("{submit}close", 1);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    CHECK_INT(submit(client, "PING", 5), GLIDE_ERR_CLOSED);
    for (int i = 0; i < 5; i++) {
        CHECK(readable(fd, 20000));
        while (glide_client_poll(client, &next, 1, &count) == GLIDE_OK && count == 0)
            nap(1);
        if (!CHECK_INT(count, 1) || !CHECK(next.tag < 5))
            return;
        answers[next.tag] = read_answer(next.status, next.response);
    }
    CHECK_INT(answers[0].status, GLIDE_OK);
    CHECK_INT(answers[1].status, GLIDE_ERR_CLOSED);
    CHECK_INT(answers[2].status, GLIDE_ERR_CLOSED);
    CHECK_INT(answers[3].status, GLIDE_ERR_CLOSED);
    CHECK(answers[4].status == GLIDE_ERR_CLOSED || answers[4].status == GLIDE_OK);
    for (int i = 0; i < 5; i++)
        drop(&answers[i]);
    resume_node("submit:close");
    CHECK(readable(fd, 0)); /* for whoever waits there: the client is over */
    count = 1;
    CHECK_INT(glide_client_poll(client, &next, 1, &count), GLIDE_ERR_CLOSED);
    CHECK_INT(count, 0);
    CHECK_INT(glide_client_cancel(client, 0), GLIDE_ERR_CLOSED);
    CHECK_INT(glide_client_event_fd(client), -GLIDE_ERR_CLOSED);
    close(fd);
}

TEST(a_handle_that_never_was_is_told_from_a_closed_one)
{
    glide_client client = open_cluster();
    glide_completion next;
    size_t count;

    CHECK_INT(glide_client_close(client), GLIDE_OK);
    CHECK_INT(submit(client, "PING", 0), GLIDE_ERR_CLOSED);
    CHECK_INT(glide_client_poll(client, &next, 1, &count), GLIDE_ERR_CLOSED);
    for (int i = 0; i < 2; i++) {
        const glide_client made_up = i == 0 ? 0 : client + 1000;

        CHECK_INT(submit(made_up, "PING", 0), GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_INT(glide_client_poll(made_up, &next, 1, &count), GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_INT(glide_client_cancel(made_up, 0), GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_INT(glide_client_event_fd(made_up), -GLIDE_ERR_INVALID_ARGUMENT);
    }
}
