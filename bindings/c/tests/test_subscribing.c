/* Subscriptions: what is subscribed to, and what glide_client_poll() tells of it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "submitted.h"

enum { PATIENCE_MS = 20000 };

/* What came of a client's subscriptions since the last look, one word for each event. */
typedef struct seen {
    char text[4096];
    uint64_t messages; /* and those that OVERFLOW counts */
} seen;

static void note(seen *all, const char *what, wire_bytes which)
{
    const size_t used = strlen(all->text);

    snprintf(all->text + used, sizeof all->text - used, "%s%s%s%.*s", used > 0 ? " " : "", what,
             which.len > 0 ? ":" : "", WIRE_PRINT(which));
}

static void note_event(seen *all, response_event *event)
{
    static const char *const KINDS[] = {"message", "subscribed", "unsubscribed", "refused",
                                        "lost",    "gap",        "overflow"};
    wire_bytes name;

    if (!CHECK(event->kind <= RESPONSE_OVERFLOW))
        return;
    if (event->kind == RESPONSE_MESSAGE || event->kind == RESPONSE_OVERFLOW)
        note(all, KINDS[event->kind], event->payload);
    while (response_next_bytes(&event->names, &name))
        note(all, KINDS[event->kind], name);
    all->messages += event->kind == RESPONSE_MESSAGE ? 1 : event->dropped;
}

/* look - take the events that wait. */
static void look(glide_client client, seen *all)
{
    glide_completion completions[4];
    response_event event;
    size_t count;

    if (!CHECK_INT(glide_client_poll(client, completions, 4, &count), GLIDE_OK))
        return;
    for (size_t i = 0; i < count; i++) {
        answer given = read_answer(completions[i].status, completions[i].response);

        CHECK_INT(completions[i].kind, GLIDE_COMPLETION_EVENTS);
        CHECK_INT(completions[i].tag, 0);
        CHECK_INT(given.status, GLIDE_OK);
        CHECK(given.view.events.count > 0);
        while (response_next_event(&given.view.events, &event))
            note_event(all, &event);
        drop(&given);
    }
}

/* await - take events until one of them is the last word of `last`, and give all up to then. */
static seen await(glide_client client, const char *last)
{
    const double patience = seconds() + PATIENCE_MS / 1000.0;
    const int fd = glide_client_event_fd(client);
    seen all = {.messages = 0};

    while (strstr(all.text, last) == NULL && seconds() < patience)
        if (readable(fd, 100))
            look(client, &all);
    CHECK(strstr(all.text, last) != NULL);
    close(fd);
    return all;
}

static glide_status change(glide_client client, request_channel_kind kind, const char *name,
                           bool unsubscribe)
{
    const wire_bytes names[] = {wire_text(name)};
    const request_channels channels = {
        .kind = kind, .names = names, .name_count = *name != 0, .unsubscribe = unsubscribe};
    glide_buffer buffer;
    const glide_status status = request_execute_channels(client, &channels, &buffer);
    answer given = read_answer(status, buffer);

    if (status == GLIDE_OK)
        CHECK_TEXT(given.view.value.text, "OK");
    drop(&given);
    return status;
}

static void subscribe(glide_client client, request_channel_kind kind, const char *name)
{
    char confirmed[64];

    CHECK_INT(change(client, kind, name, false), GLIDE_OK);
    snprintf(confirmed, sizeof confirmed, "subscribed:%s", name);
    await(client, confirmed);
}

/* tell - run the words of a line on another client. */
static void tell(const char *line)
{
    glide_client client = open_cluster();
    answer given = run(client, line, NO_ROUTE);

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

static glide_client open_listener(const request_channels *channels, uint32_t event_queue_limit)
{
    const request_connection connection = {.request_timeout_ms = 5000,
                                           .channels = channels,
                                           .channels_count = channels != NULL,
                                           .event_queue_limit = event_queue_limit};
    glide_client client;
    answer given = open_with(connection, "GLIDE_TEST_CLUSTER", &client);

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    return client;
}

TEST(messages_of_channels_patterns_and_sharded_channels_are_polled)
{
    glide_client client = open_cluster();

    subscribe(client, REQUEST_CHANNELS, "c:news");
    tell("PUBLISH c:news one");
    CHECK_TEXT(wire_text(await(client, "message").text), "message:one");
    subscribe(client, REQUEST_PATTERNS, "c:pattern.*");
    tell("PUBLISH c:pattern.x two");
    CHECK_TEXT(wire_text(await(client, "message").text), "message:two");
    subscribe(client, REQUEST_SHARDED, "c:sharded");
    tell("SPUBLISH c:sharded three");
    CHECK_TEXT(wire_text(await(client, "message").text), "message:three");
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_message_says_by_which_channel_and_which_pattern_it_came)
{
    glide_client client = open_cluster();
    const int fd = glide_client_event_fd(client);
    glide_completion completion;
    response_event event = {.kind = RESPONSE_LOST};
    answer given;
    size_t count;

    subscribe(client, REQUEST_PATTERNS, "c:which.*");
    tell("PUBLISH c:which.one payload");
    CHECK(readable(fd, PATIENCE_MS));
    CHECK_INT(glide_client_poll(client, &completion, 1, &count), GLIDE_OK);
    if (!CHECK_INT(count, 1))
        return;
    given = read_answer(completion.status, completion.response);
    CHECK(response_next_event(&given.view.events, &event));
    CHECK_INT(event.kind, RESPONSE_MESSAGE);
    CHECK_INT(event.channels, REQUEST_PATTERNS);
    CHECK_TEXT(event.channel, "c:which.one");
    CHECK_TEXT(event.pattern, "c:which.*");
    CHECK_TEXT(event.payload, "payload");
    CHECK(!response_next_event(&given.view.events, &event));
    CHECK(!readable(fd, 0));
    drop(&given);
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(no_message_comes_of_a_channel_that_was_unsubscribed)
{
    glide_client client = open_cluster();

    subscribe(client, REQUEST_CHANNELS, "c:left");
    subscribe(client, REQUEST_CHANNELS, "c:kept");
    CHECK_INT(change(client, REQUEST_CHANNELS, "c:left", true), GLIDE_OK);
    CHECK_TEXT(wire_text(await(client, "unsubscribed").text), "unsubscribed:c:left");
    tell("PUBLISH c:left one");
    tell("PUBLISH c:kept two");
    CHECK_TEXT(wire_text(await(client, "message").text), "message:two");
    CHECK_INT(change(client, REQUEST_CHANNELS, "", true), GLIDE_OK); /* all of them */
    CHECK_TEXT(wire_text(await(client, "unsubscribed").text), "unsubscribed:c:kept");
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_client_can_be_subscribed_from_the_start)
{
    const wire_bytes names[] = {wire_text("c:start")};
    const request_channels channels = {.names = names, .name_count = 1};
    glide_client client = open_listener(&channels, 0);

    CHECK_TEXT(wire_text(await(client, "subscribed").text), "subscribed:c:start");
    tell("PUBLISH c:start one");
    CHECK_TEXT(wire_text(await(client, "message").text), "message:one");
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(events_that_nobody_polls_are_counted_and_what_comes_later_arrives)
{
    glide_client client = open_listener(NULL, 10);
    glide_client teller = open_cluster();
    char line[64];
    seen all;

    subscribe(client, REQUEST_CHANNELS, "c:slow");
    for (int i = 0; i < 100; i++) {
        answer given;

        snprintf(line, sizeof line, "PUBLISH c:slow %d", i);
        given = run(teller, line, NO_ROUTE);
        CHECK_INT(given.status, GLIDE_OK);
        drop(&given);
    }
    nap(300); /* what is published travels between nodes */
    all = await(client, "overflow");
    if (all.messages < 100) { /* the last of them were still on their way */
        subscribe(client, REQUEST_CHANNELS, "c:slow");
        tell("PUBLISH c:slow end");
        CHECK(await(client, "message:end").messages + all.messages >= 101);
    }
    CHECK(strncmp(all.text, "message:0 message:1 message:2 ", 30) == 0);
    CHECK_INT(glide_client_close(teller), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_lost_connection_is_told_and_what_is_published_after_the_gap_comes)
{
    glide_client client = open_cluster(), killer = open_cluster();
    answer given;
    seen all;

    subscribe(client, REQUEST_CHANNELS, "c:lost");
    given = run(killer, "CLIENT KILL TYPE PUBSUB", request_all_nodes());
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    all = await(client, "gap");
    CHECK_TEXT(wire_text(all.text), "lost:c:lost gap:c:lost");
    tell("PUBLISH c:lost again");
    CHECK_TEXT(wire_text(await(client, "message").text), "message:again");
    CHECK_INT(glide_client_close(killer), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_poll_with_room_for_one_gives_responses_and_events_by_turns)
{
    glide_client client = open_cluster();
    const int fd = glide_client_event_fd(client);
    glide_completion completions[2];
    size_t count;

    subscribe(client, REQUEST_CHANNELS, "c:turns");
    for (uint64_t i = 1; i <= 2; i++)
        CHECK_INT(submit(client, "PUBLISH c:turns x", i), GLIDE_OK);
    CHECK(readable(fd, PATIENCE_MS));
    nap(500); /* now both responses and both messages wait */
    for (int i = 0; i < 2; i++) {
        CHECK_INT(glide_client_poll(client, &completions[i], 1, &count), GLIDE_OK);
        CHECK_INT(count, 1);
    }
    CHECK(completions[0].kind != completions[1].kind);
    glide_completions_free(completions, 2);
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

static void check_session_refuses(glide_session session)
{
    const wire_bytes names[] = {wire_text("c:session")};
    const request_channels channels = {.names = names, .name_count = 1};
    wire_writer request = {0};
    glide_buffer buffer;
    answer given;

    CHECK(request_encode_channels(&request, &channels));
    given.status = glide_session_execute(session, request.data, request.len, &buffer);
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    given = read_answer(given.status, buffer);
    CHECK_HAS(given.view.error.message, "subscribe and unsubscribe are for the client");
    drop(&given);
    wire_writer_free(&request);
}

TEST(subscriptions_that_cannot_be_are_refused)
{
    glide_client client = open_cluster();
    const request_channels channels = {.kind = (request_channel_kind)3};
    glide_session session;
    glide_buffer buffer;
    answer given;

    CHECK_INT(change(client, REQUEST_CHANNELS, "", false), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(request_execute_channels(client, &channels, &buffer), GLIDE_ERR_INVALID_ARGUMENT);
    given = read_answer(GLIDE_ERR_INVALID_ARGUMENT, buffer);
    CHECK_TEXT(given.view.error.message, "kind 3 of channels is none");
    drop(&given);
    given = run(client, "SUBSCRIBE c:command", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    drop(&given);
    CHECK_INT(request_session_open(client, request_slot_id(REQUEST_PRIMARY, 0), 5000, &session,
                                   &buffer),
              GLIDE_OK);
    glide_buffer_free(&buffer);
    check_session_refuses(session);
    CHECK_INT(glide_session_close(session), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    CHECK_INT(change(client, REQUEST_CHANNELS, "c:none", false), GLIDE_ERR_CLOSED);
}

TEST(events_that_wait_when_a_client_is_closed_are_gone)
{
    glide_client client = open_cluster();
    const int fd = glide_client_event_fd(client);
    glide_completion completion;
    size_t count;

    subscribe(client, REQUEST_CHANNELS, "c:closed");
    tell("PUBLISH c:closed x");
    CHECK(readable(fd, PATIENCE_MS));
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    CHECK(readable(fd, PATIENCE_MS));
    CHECK_INT(glide_client_poll(client, &completion, 1, &count), GLIDE_ERR_CLOSED);
    CHECK_INT(count, 0);
    close(fd);
}
