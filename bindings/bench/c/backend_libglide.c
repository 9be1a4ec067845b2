/* backend_libglide.c - this library, through include/glide.h and the codec of bindings/c. */
#include <poll.h>
#include <unistd.h>

#include "backend.h"
#include "fault.h"
#include "request.h"
#include "response.h"

enum { COLLECTED_AT_ONCE = 256, PATIENCE_MS = 30000 };

static glide_client client;
static int completed = -1; /* readable while completions wait */
static backend_reader hearer;
static bool subscribed;

/* read_response - what a call answered; ends the process unless that is a value. */
static response read_response(const char *call, glide_status status, const glide_buffer *buffer)
{
    response reply;

    if (!response_read(buffer, &reply))
        fault("libglide: %s: the response is malformed", call);
    if (status != GLIDE_OK)
        fault("libglide: %s: %s: %.*s", call, glide_status_name(status),
              WIRE_PRINT(reply.error.message));
    return reply;
}

/* await - wait for completions; how many there are. */
static size_t await(glide_completion completions[COLLECTED_AT_ONCE])
{
    struct pollfd waiting = {.fd = completed, .events = POLLIN};
    glide_status status;
    size_t count;

    if (poll(&waiting, 1, PATIENCE_MS) == 0)
        fault("libglide: nothing has come for %d ms", PATIENCE_MS);
    status = glide_client_poll(client, completions, COLLECTED_AT_ONCE, &count);
    if (status != GLIDE_OK)
        fault("libglide: poll: %s", glide_status_name(status));
    return count;
}

static void hear(void)
{
    glide_completion completions[COLLECTED_AT_ONCE];
    const size_t count = await(completions);
    response_event event;

    for (size_t i = 0; i < count; i++) {
        response told =
            read_response("poll", completions[i].status, &completions[i].response);

        while (response_next_event(&told.events, &event))
            if (event.kind == RESPONSE_MESSAGE)
                hearer.string(hearer.context, event.payload);
            else if (event.kind == RESPONSE_SUBSCRIBED)
                subscribed = true;
            else
                fault("libglide: an event of kind %d", (int)event.kind);
        glide_buffer_free(&completions[i].response);
    }
}

static void start(const backend_options *options)
{
    const wire_bytes channel = wire_text(options->channel);
    const request_channels channels = {
        .kind = REQUEST_SHARDED, .names = &channel, .name_count = 1};
    request_address addresses[BACKEND_ADDRESSES_MAX];
    request_connection connection = {
        .addresses = addresses,
        .request_timeout_ms = options->request_timeout_ms,
        .connection_timeout_ms = options->connection_timeout_ms,
        .inflight_limit = (uint32_t)options->in_flight,
        .channels = &channels,
        .channels_count = options->channel != NULL,
    };
    glide_buffer buffer;
    glide_status status;

    for (size_t i = 0; i < options->address_count; i++)
        addresses[connection.address_count++] =
            (request_address){options->addresses[i].host, options->addresses[i].port};
    status = request_open(&connection, &client, &buffer);
    read_response("open", status, &buffer);
    glide_buffer_free(&buffer);
    if (options->in_flight == 0 && options->channel == NULL)
        return;
    completed = glide_client_event_fd(client);
    if (completed < 0)
        fault("libglide: event_fd: %s", glide_status_name(-completed));
    hearer = options->hearer;
    while (options->channel != NULL && !subscribed)
        hear();
}

static void *join(void)
{
    return NULL;
}

static void leave(void *session)
{
    (void)session;
}

static void read_value(const response_value *value, backend_reader reader)
{
    response_list items = value->items;
    response_value item;

    switch (value->kind) {
    case RESPONSE_BULK:
    case RESPONSE_SIMPLE:
        reader.string(reader.context, value->text);
        return;
    case RESPONSE_ARRAY:
    case RESPONSE_MAP:
        while (response_next_value(&items, &item))
            read_value(&item, reader);
        return;
    default:
        fault("libglide: a reply of kind %d: %.*s", (int)value->kind, WIRE_PRINT(value->text));
    }
}

static void finish(const char *call, glide_status status, glide_buffer *buffer,
                   backend_reader reader)
{
    const response reply = read_response(call, status, buffer);

    read_value(&reply.value, reader);
    glide_buffer_free(buffer);
}

static void execute(void *session, const backend_command *command, backend_reader reader)
{
    request_command request = {.words = command->words, .word_count = command->count};
    glide_buffer buffer;
    glide_status status;

    (void)session;
    if (command->verb == BACKEND_PING)
        request.route = request_all_nodes();
    status = request_execute(client, &request, &buffer);
    finish("execute", status, &buffer, reader);
}

static void batch(void *session, const backend_command *commands, size_t count,
                  backend_reader reader)
{
    request_words words[BACKEND_WORDS_MAX];
    request_batch request = {
        .commands = words, .command_count = count, .raise_on_error = true};
    glide_buffer buffer;
    glide_status status;

    (void)session;
    for (size_t i = 0; i < count; i++)
        words[i] = (request_words){commands[i].words, commands[i].count};
    status = request_execute_batch(client, &request, &buffer);
    finish("batch", status, &buffer, reader);
}

static void submit(void *session, const backend_command *command, size_t tag)
{
    const request_command request = {.words = command->words, .word_count = command->count};
    const glide_status status = request_submit(client, &request, tag);

    (void)session;
    if (status != GLIDE_OK)
        fault("libglide: submit: %s", glide_status_name(status));
}

static void collect(void *session, backend_sink sink)
{
    glide_completion completions[COLLECTED_AT_ONCE];
    const size_t count = await(completions);

    (void)session;
    for (size_t i = 0; i < count; i++) {
        const size_t tag = (size_t)completions[i].tag;

        finish("poll", completions[i].status, &completions[i].response,
               sink.begin(sink.context, tag));
        sink.end(sink.context, tag);
    }
}

static void stop(void)
{
    if (completed >= 0)
        close(completed);
    glide_client_close(client);
}

const backend bench_backend = {start, join, leave, execute, batch, submit, collect, hear, stop};
