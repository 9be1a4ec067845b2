/* See live.h. */
#include "live.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "check.h"

enum { PATIENCE_MS = 5000, WORDS_MAX = 16 };

answer read_answer(glide_status status, glide_buffer buffer)
{
    answer given = {.status = status, .buffer = buffer};

    CHECK(response_read(&given.buffer, &given.view));
    CHECK_INT(given.view.error.status, status);
    return given;
}

void drop(answer *given)
{
    glide_buffer_free(&given->buffer);
    *given = (answer){.status = GLIDE_OK};
}

size_t addresses_of(const char *variable, request_address addresses[CLUSTER_NODES])
{
    const char *text = getenv(variable);
    size_t count = 0;

    if (text != NULL)
        count = request_addresses(text, addresses, CLUSTER_NODES);
    if (count == 0)
        printf("%s is not set; see tests/live.h\n", variable);
    CHECK(count > 0);
    return count;
}

answer open_with(request_connection connection, const char *variable, glide_client *client)
{
    request_address addresses[CLUSTER_NODES];
    glide_buffer buffer;
    glide_status status;

    connection.addresses = addresses;
    connection.address_count = addresses_of(variable, addresses);
    status = request_open(&connection, client, &buffer);
    CHECK((*client != 0) == (status == GLIDE_OK));
    return read_answer(status, buffer);
}

static glide_client open_patient(const char *variable)
{
    request_connection connection = {
        .request_timeout_ms = PATIENCE_MS,
        .connection_timeout_ms = PATIENCE_MS,
    };
    glide_client client;
    answer opened = open_with(connection, variable, &client);

    CHECK_TEXT(opened.view.error.message, "");
    CHECK_INT(opened.status, GLIDE_OK);
    CHECK(opened.view.has_topology);
    drop(&opened);
    return client;
}

glide_client open_cluster(void)
{
    return open_patient("GLIDE_TEST_CLUSTER");
}

glide_client open_standalone(void)
{
    return open_patient("GLIDE_TEST_STANDALONE");
}

answer run(glide_client client, const char *line, request_route route)
{
    wire_bytes words[WORDS_MAX];
    request_command command = {.words = words, .route = route, .outcomes = true};

    command.word_count = request_split(line, words, WORDS_MAX);
    CHECK(command.word_count > 0);
    return run_command(client, command);
}

answer run_command(glide_client client, request_command command)
{
    glide_buffer buffer;
    glide_status status = request_execute(client, &command, &buffer);

    return read_answer(status, buffer);
}

answer resolve_command(glide_client client, request_command command)
{
    glide_buffer buffer;
    glide_status status = request_resolve(client, &command, &buffer);

    return read_answer(status, buffer);
}

answer run_bytes(glide_client client, wire_bytes request)
{
    glide_buffer buffer;
    glide_status status = glide_client_execute(client, request.data, request.len, &buffer);

    return read_answer(status, buffer);
}

response_outcome first_outcome(const answer *given)
{
    response_list outcomes = given->view.outcomes;
    response_outcome outcome;

    if (!response_next_outcome(&outcomes, &outcome))
        outcome = (response_outcome){.sent = false};
    return outcome;
}

size_t outcome_count(const answer *given)
{
    return given->view.outcomes.count;
}

uint32_t told_port(const response_value *value)
{
    response_list items = value->items;
    response_value name, port;
    uint32_t number = 0;

    if (!response_next_value(&items, &name) || !wire_equal(name.text, "port") ||
        !response_next_value(&items, &port))
        return 0;
    for (size_t i = 0; i < port.text.len; i++)
        number = number * 10 + (uint32_t)(port.text.data[i] - '0');
    return number;
}

double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void nap(long milliseconds)
{
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&pause, NULL);
}
