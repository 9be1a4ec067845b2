/* See submitted.h. */
#include "submitted.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

enum { WORDS_MAX = 16, PATIENCE_MS = 20000 };

glide_status submit_for(glide_client client, const char *line, uint64_t tag, uint32_t timeout_ms)
{
    wire_bytes words[WORDS_MAX];
    request_command command = {.words = words, .timeout_ms = timeout_ms};

    command.word_count = request_split(line, words, WORDS_MAX);
    CHECK(command.word_count > 0);
    return request_submit(client, &command, tag);
}

glide_status submit(glide_client client, const char *line, uint64_t tag)
{
    return submit_for(client, line, tag, 0);
}

bool readable(int fd, int milliseconds)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};

    int ready;

    do
        ready = poll(&waiting, 1, milliseconds);
    while (ready < 0 && errno == EINTR); /* by a signal of the Go runtime */
    return ready == 1 && waiting.revents == POLLIN;
}

completed complete(glide_client client)
{
    const double patience = seconds() + PATIENCE_MS / 1000.0;
    const int fd = glide_client_event_fd(client);
    glide_completion next = {.tag = UINT64_MAX};
    size_t count = 0;

    CHECK(fd >= 0);
    while (count == 0 && seconds() < patience && CHECK(readable(fd, PATIENCE_MS)))
        if (!CHECK_INT(glide_client_poll(client, &next, 1, &count), GLIDE_OK))
            break;
    close(fd);
    if (!CHECK_INT(count, 1))
        return (completed){.tag = UINT64_MAX};
    CHECK_INT(next.kind, GLIDE_COMPLETION_RESPONSE);
    return (completed){next.tag, read_answer(next.status, next.response)};
}

void complete_all(glide_client client, answer *answers, size_t count)
{
    bool *seen = calloc(count, sizeof *seen);

    if (seen == NULL)
        abort();
    memset(answers, 0, count * sizeof *answers);
    for (size_t i = 0; i < count; i++) {
        completed next = complete(client);

        if (!CHECK(next.tag < count) || !CHECK(!seen[next.tag]))
            break;
        seen[next.tag] = true;
        answers[next.tag] = next.given;
    }
    free(seen);
    CHECK(complete_nothing(client));
}

bool complete_nothing(glide_client client)
{
    glide_completion next;
    size_t count = 1;
    const glide_status status = glide_client_poll(client, &next, 1, &count);

    return (status == GLIDE_OK || status == GLIDE_ERR_CLOSED) && count == 0;
}

static void tell_node(const char *key, const char *line)
{
    glide_client client = open_cluster();
    answer given = run(client, line, request_slot_key(REQUEST_PRIMARY, wire_text(key)));

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

void pause_node(const char *key)
{
    tell_node(key, "CLIENT PAUSE 20000 WRITE");
}

void resume_node(const char *key)
{
    tell_node(key, "CLIENT UNPAUSE");
}

void await_blocked(const char *key, int wanted)
{
    const request_route route = request_slot_key(REQUEST_PRIMARY, wire_text(key));
    const double patience = seconds() + 10;
    glide_client client = open_cluster();
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
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
