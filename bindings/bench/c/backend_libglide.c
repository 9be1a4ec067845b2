/* backend_libglide.c - this library, through include/glide.h and the codec of bindings/c. */
#include "backend.h"
#include "fault.h"
#include "request.h"
#include "response.h"

static glide_client client;

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

static void start(const backend_options *options)
{
    request_address addresses[BACKEND_ADDRESSES_MAX];
    request_connection connection = {
        .addresses = addresses,
        .request_timeout_ms = options->request_timeout_ms,
        .connection_timeout_ms = options->connection_timeout_ms,
    };
    glide_buffer buffer;
    glide_status status;

    for (size_t i = 0; i < options->address_count; i++)
        addresses[connection.address_count++] =
            (request_address){options->addresses[i].host, options->addresses[i].port};
    status = request_open(&connection, &client, &buffer);
    read_response("open", status, &buffer);
    glide_buffer_free(&buffer);
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

static void stop(void)
{
    glide_client_close(client);
}

const backend bench_backend = {start, join, leave, execute, batch, stop};
