/* Sessions on a live cluster. */
#include <pthread.h>
#include <string.h>

#include "check.h"
#include "submitted.h"

/* open_session - for the primary of a key; 0 and a failed check where there is none. */
static glide_session open_session(glide_client client, const char *key)
{
    glide_buffer buffer;
    glide_session session = 1;
    glide_status status = request_session_open(
        client, request_slot_key(REQUEST_PRIMARY, wire_text(key)), 5000, &session, &buffer);
    answer given = read_answer(status, buffer);

    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(outcome_count(&given), 1);
    CHECK(first_outcome(&given).node.port != 0 && !first_outcome(&given).node.replica);
    drop(&given);
    return session;
}

/* say - run a line in a session. */
static answer say(glide_session session, const char *line)
{
    wire_bytes words[8];
    request_command command = {.words = words, .word_count = request_split(line, words, 8)};
    glide_buffer buffer;
    glide_status status = request_session_execute(session, &command, &buffer);

    return read_answer(status, buffer);
}

/* check_says - the status and the text that a line answers with. */
static void check_says(glide_session session, const char *line, glide_status status,
                       const char *text)
{
    answer given = say(session, line);

    CHECK_INT(given.status, status);
    CHECK_HAS(status == GLIDE_OK ? given.view.value.text : given.view.error.message, text);
    drop(&given);
}

TEST(a_transaction_of_a_session_is_nil_where_a_watched_key_was_changed)
{
    glide_client client = open_cluster();
    glide_session session = open_session(client, "{c}watched");
    answer given;

    for (int changed = 0; changed < 2; changed++) {
        check_says(session, "WATCH {c}watched", GLIDE_OK, "OK");
        if (changed) {
            given = run(client, "SET {c}watched x", NO_ROUTE);
            drop(&given);
        }
        check_says(session, "MULTI", GLIDE_OK, "OK");
        check_says(session, "SET {c}watched mine", GLIDE_OK, "QUEUED");
        given = say(session, "EXEC");
        CHECK_INT(given.status, GLIDE_OK);
        CHECK_INT(given.view.value.kind, changed ? RESPONSE_NIL : RESPONSE_ARRAY);
        drop(&given);
    }
    check_says(session, "DEL {c}watched", GLIDE_OK, "");
    CHECK_INT(glide_session_close(session), GLIDE_OK);
    CHECK_INT(glide_session_close(session), GLIDE_ERR_CLOSED);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_session_of_another_node_names_where_the_key_is)
{
    glide_client client = open_cluster();
    glide_session session = open_session(client, "foo");

    check_says(session, "GET bar", GLIDE_ERR_SERVER, "MOVED 5061 ");
    check_says(session, "GET bar", GLIDE_ERR_SERVER, "a session does not follow");
    CHECK_INT(glide_session_close(session), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_session_runs_a_script_that_its_node_does_not_know)
{
    glide_client client = open_cluster();
    glide_session session = open_session(client, "foo");
    request_script script = {.source = wire_text("return 'of a session in C'")};
    glide_buffer buffer;
    glide_status status;
    answer given;

    check_says(session, "SCRIPT FLUSH", GLIDE_OK, "OK");
    status = request_session_script(session, &script, &buffer);
    given = read_answer(status, buffer);
    CHECK_INT(given.status, GLIDE_OK);
    CHECK_TEXT(given.view.value.text, "of a session in C");
    drop(&given);
    CHECK_INT(glide_session_close(session), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

static void *close_soon(void *session)
{
    nap(200);
    glide_session_close(*(glide_session *)session);
    return NULL;
}

TEST(closing_a_session_from_another_thread_ends_its_call)
{
    glide_client client = open_cluster();
    glide_session session = open_session(client, "{c}nothing");
    pthread_t closer;

    CHECK_INT(pthread_create(&closer, NULL, close_soon, &session), 0);
    check_says(session, "BLPOP {c}nothing 0", GLIDE_ERR_CLOSED, "the session is closed");
    CHECK_INT(pthread_join(closer, NULL), 0);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(closing_the_client_ends_its_sessions)
{
    glide_client client = open_cluster();
    glide_session session = open_session(client, "foo");

    CHECK_INT(glide_client_close(client), GLIDE_OK);
    check_says(session, "PING", GLIDE_ERR_CLOSED, "the client is closed");
    CHECK_INT(glide_session_close(session), GLIDE_OK);
}

/* refused_bytes - a session refuses what a writer holds, by a message that has a text. */
static void refused_bytes(glide_session session, wire_writer *writer, const char *text)
{
    glide_buffer buffer;
    glide_status status = glide_session_execute(session, writer->data, writer->len, &buffer);
    answer given = read_answer(status, buffer);

    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, text);
    drop(&given);
    wire_writer_free(writer);
}

TEST(what_is_for_the_whole_client_is_refused_by_a_session)
{
    glide_client client = open_cluster();
    glide_session session = open_session(client, "foo");
    wire_writer writer = {0};

    CHECK(request_encode_scan(&writer, &(request_scan){.count = 1}));
    refused_bytes(session, &writer, "cluster_scan goes over all shards");
    writer = (wire_writer){0};
    CHECK(request_encode_password(&writer, &(request_password){.password = "x"}));
    refused_bytes(session, &writer, "update_connection_password is for the client");
    CHECK_INT(glide_session_close(session), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_session_that_cannot_be_is_refused)
{
    glide_client client = open_cluster();
    glide_session session = 1;
    glide_buffer buffer;
    request_command ping = {.words = (wire_bytes[]){wire_text("PING")}, .word_count = 1};
    glide_status status;
    answer given;

    CHECK_INT(glide_session_open(client, NULL, 0, NULL, &buffer), GLIDE_ERR_INVALID_ARGUMENT);
    glide_buffer_free(&buffer);
    CHECK_INT(glide_session_open(client, NULL, 0, &session, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(session, 0);
    status = request_session_open(client, NO_ROUTE, 0, &session, &buffer);
    given = read_answer(status, buffer);
    CHECK_HAS(given.view.error.message, "a session on a cluster needs a route");
    drop(&given);
    status = request_session_open(client, request_all_primaries(), 0, &session, &buffer);
    given = read_answer(status, buffer);
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, "a session is with one node");
    CHECK_INT(session, 0);
    drop(&given);
    {
        wire_writer writer = {0};

        CHECK(request_encode_command(&writer, &ping));
        status = glide_session_open(client, writer.data, writer.len, &session, &buffer);
        given = read_answer(status, buffer);
        CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_HAS(given.view.error.message, "by a request without a command");
        drop(&given);
        wire_writer_free(&writer);
    }
    session = open_session(client, "foo");
    ping.route = request_random_node();
    status = request_session_execute(session, &ping, &buffer);
    given = read_answer(status, buffer);
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, "route: ");
    drop(&given);
    CHECK_INT(glide_client_execute(session, NULL, 0, &buffer), GLIDE_ERR_INVALID_ARGUMENT);
    glide_buffer_free(&buffer);
    CHECK_INT(glide_session_close(client), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_session_close(session), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

static glide_status submit_to(glide_session session, const char *line, uint64_t tag)
{
    wire_bytes words[8];
    request_command command = {.words = words, .word_count = request_split(line, words, 8)};

    return request_session_submit(session, &command, tag);
}

TEST(what_is_submitted_to_a_session_runs_in_its_order_and_completes_at_its_client)
{
    static const char *const LINES[] = {"MULTI", "SET {c}submitted 1", "INCR {c}submitted", "EXEC",
                                        "GET {c}submitted"};
    enum { ROUNDS = 50, COUNT = 5 };
    glide_client client = open_cluster();
    glide_session session = open_session(client, "{c}submitted");
    answer answers[COUNT];

    for (int round = 0; round < ROUNDS && !check_failed(); round++) {
        for (uint64_t i = 0; i < COUNT; i++)
            CHECK_INT(submit_to(session, LINES[i], i), GLIDE_OK);
        complete_all(client, answers, COUNT);
        CHECK_TEXT(answers[1].view.value.text, "QUEUED");
        CHECK_INT(answers[3].view.value.kind, RESPONSE_ARRAY);
        CHECK_TEXT(answers[4].view.value.text, "2");
        for (int i = 0; i < COUNT; i++)
            drop(&answers[i]);
    }
    CHECK_INT(glide_session_close(session), GLIDE_OK);
    CHECK_INT(submit_to(session, "PING", 1), GLIDE_ERR_CLOSED);
    CHECK_INT(submit_to(client, "PING", 1), GLIDE_ERR_INVALID_ARGUMENT); /* it is no session */
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_request_of_a_session_that_blocks_can_be_cancelled_and_takes_nothing_afterwards)
{
    glide_client client = open_cluster();
    glide_session session = open_session(client, "{c}blocks");
    completed ended;
    answer given;

    given = run(client, "DEL {c}blocks", NO_ROUTE);
    drop(&given);
    CHECK_INT(submit_to(session, "BLPOP {c}blocks 0", 7), GLIDE_OK);
    await_blocked("{c}blocks", 1);
    CHECK_INT(glide_client_cancel(client, 7), GLIDE_OK);
    ended = complete(client);
    CHECK_INT(ended.tag, 7);
    CHECK_INT(ended.given.status, GLIDE_ERR_CANCELLED);
    drop(&ended.given);
    given = run(client, "RPUSH {c}blocks x", NO_ROUTE);
    drop(&given);
    given = run(client, "LLEN {c}blocks", NO_ROUTE);
    CHECK_INT(first_outcome(&given).value.integer, 1);
    drop(&given);
    CHECK_INT(glide_session_close(session), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(requests_of_a_session_that_was_closed_complete_with_that)
{
    glide_client client = open_cluster();
    glide_session session = open_session(client, "{c}ended");
    completed ended;

    CHECK_INT(submit_to(session, "BLPOP {c}ended 0", 1), GLIDE_OK);
    await_blocked("{c}ended", 1);
    CHECK_INT(glide_session_close(session), GLIDE_OK);
    ended = complete(client);
    CHECK_INT(ended.tag, 1);
    CHECK_INT(ended.given.status, GLIDE_ERR_CLOSED);
    drop(&ended.given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
