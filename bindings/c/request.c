/* See request.h. The field numbers are those of protobuf/request.proto. */
#include "request.h"

#include <string.h>

/* ---- Routes ------------------------------------------------------------------------------ */

enum { /* SimpleRoutes, and the fields of the messages for the other routes */
    SIMPLE_ALL_NODES = 0,
    SIMPLE_ALL_PRIMARIES = 1,
    SIMPLE_RANDOM = 2,

    SLOT_TYPE = 1,
    SLOT_ID = 2,
    SLOT_KEY_BYTES = 100, /* slot_key takes UTF-8 only */

    BY_ADDRESS_HOST = 1,
    BY_ADDRESS_PORT = 2
};

request_route request_all_nodes(void)
{
    return (request_route){.kind = REQUEST_SIMPLE_ROUTE, .which = SIMPLE_ALL_NODES};
}

request_route request_all_primaries(void)
{
    return (request_route){.kind = REQUEST_SIMPLE_ROUTE, .which = SIMPLE_ALL_PRIMARIES};
}

request_route request_random_node(void)
{
    return (request_route){.kind = REQUEST_SIMPLE_ROUTE, .which = SIMPLE_RANDOM};
}

request_route request_slot_key(request_slot_type type, wire_bytes key)
{
    return (request_route){.kind = REQUEST_SLOT_KEY_ROUTE, .type = type, .name = key};
}

request_route request_slot_id(request_slot_type type, int32_t slot)
{
    return (request_route){.kind = REQUEST_SLOT_ID_ROUTE, .type = type, .number = slot};
}

request_route request_by_address(wire_bytes host, int32_t port)
{
    return (request_route){.kind = REQUEST_BY_ADDRESS_ROUTE, .name = host, .number = port};
}

/* put_route_content - the content of a message Routes. */
static void put_route_content(wire_writer *writer, const request_route *route)
{
    size_t inner;

    if (route->kind == REQUEST_SIMPLE_ROUTE) {
        wire_put_uint(writer, REQUEST_SIMPLE_ROUTE, route->which);
        return;
    }
    inner = wire_begin(writer, route->kind);
    if (route->kind == REQUEST_BY_ADDRESS_ROUTE) {
        wire_put_bytes(writer, BY_ADDRESS_HOST, route->name);
        wire_put_int(writer, BY_ADDRESS_PORT, route->number);
    } else {
        wire_put_uint(writer, SLOT_TYPE, route->type);
        if (route->kind == REQUEST_SLOT_KEY_ROUTE)
            wire_put_bytes(writer, SLOT_KEY_BYTES, route->name);
        else
            wire_put_int(writer, SLOT_ID, route->number);
    }
    wire_end(writer, inner);
}

/* ---- Commands ---------------------------------------------------------------------------- */

enum { /* CommandRequest */
    COMMAND_CALLBACK_IDX = 1,
    COMMAND_SINGLE_COMMAND = 2,
    COMMAND_BATCH = 3,
    COMMAND_SCRIPT_INVOCATION = 4,
    COMMAND_CLUSTER_SCAN = 6,
    COMMAND_UPDATE_CONNECTION_PASSWORD = 7,
    COMMAND_ROUTE = 10,
    COMMAND_TIMEOUT_MS = 100,
    COMMAND_RESPONSE_POLICY = 101,
    COMMAND_OUTCOMES = 102,

    BATCH_IS_ATOMIC = 1,
    BATCH_COMMANDS = 2,
    BATCH_RAISE_ON_ERROR = 3,

    SCRIPT_HASH = 1,
    SCRIPT_KEYS = 2,
    SCRIPT_ARGS = 3,
    SCRIPT_SOURCE = 100,

    SCAN_CURSOR = 1,
    SCAN_MATCH_PATTERN = 2,
    SCAN_COUNT = 3,
    SCAN_OBJECT_TYPE = 4,
    SCAN_ALLOW_NON_COVERED_SLOTS = 5,

    UPDATE_PASSWORD = 1,
    UPDATE_IMMEDIATE_AUTH = 2,

    SINGLE_REQUEST_TYPE = 1,
    SINGLE_ARGS_ARRAY = 2,
    ARGS_ARGS = 1,
    CUSTOM_COMMAND = 1
};

size_t request_split(const char *line, wire_bytes *words, size_t room)
{
    size_t count = 0;

    for (line += strspn(line, " "); *line != '\0'; line += strspn(line, " ")) {
        size_t len = strcspn(line, " ");

        if (count == room)
            return 0;
        words[count++] = (wire_bytes){(const uint8_t *)line, len};
        line += len;
    }
    return count;
}

/* put_words - a message Command of a whole command, whose words may be large: its length is known
 * beforehand, so that no content has to be moved. */
static void put_words(wire_writer *writer, uint32_t field, const wire_bytes *words, size_t count)
{
    size_t args = 0;

    for (size_t i = 0; i < count; i++)
        args += wire_size(ARGS_ARGS, words[i].len);
    wire_put_head(writer, field,
                  wire_size_uint(SINGLE_REQUEST_TYPE, CUSTOM_COMMAND) +
                      wire_size(SINGLE_ARGS_ARRAY, args));
    wire_put_uint(writer, SINGLE_REQUEST_TYPE, CUSTOM_COMMAND);
    wire_put_head(writer, SINGLE_ARGS_ARRAY, args);
    for (size_t i = 0; i < count; i++)
        wire_put_bytes(writer, ARGS_ARGS, words[i]);
}

/* put_route - the route of a CommandRequest, if there is one. */
static void put_route(wire_writer *writer, const request_route *route)
{
    size_t place;

    if (route->kind == REQUEST_NO_ROUTE)
        return;
    place = wire_begin(writer, COMMAND_ROUTE);
    put_route_content(writer, route);
    wire_end(writer, place);
}

bool request_encode_command(wire_writer *writer, const request_command *command)
{
    wire_put_nonzero(writer, COMMAND_CALLBACK_IDX, command->callback_idx);
    put_words(writer, COMMAND_SINGLE_COMMAND, command->words, command->word_count);
    put_route(writer, &command->route);
    wire_put_nonzero(writer, COMMAND_TIMEOUT_MS, command->timeout_ms);
    wire_put_nonzero(writer, COMMAND_RESPONSE_POLICY, command->response_policy);
    wire_put_nonzero(writer, COMMAND_OUTCOMES, command->outcomes);
    return !writer->failed;
}

bool request_encode_batch(wire_writer *writer, const request_batch *batch)
{
    size_t place;

    wire_put_nonzero(writer, COMMAND_CALLBACK_IDX, batch->callback_idx);
    place = wire_begin(writer, COMMAND_BATCH);
    wire_put_nonzero(writer, BATCH_IS_ATOMIC, batch->atomic);
    for (size_t i = 0; i < batch->command_count; i++)
        put_words(writer, BATCH_COMMANDS, batch->commands[i].words, batch->commands[i].count);
    wire_put_nonzero(writer, BATCH_RAISE_ON_ERROR, batch->raise_on_error);
    wire_end(writer, place);
    put_route(writer, &batch->route);
    wire_put_nonzero(writer, COMMAND_TIMEOUT_MS, batch->timeout_ms);
    return !writer->failed;
}

bool request_encode_script(wire_writer *writer, const request_script *script)
{
    size_t place;

    wire_put_nonzero(writer, COMMAND_CALLBACK_IDX, script->callback_idx);
    place = wire_begin(writer, COMMAND_SCRIPT_INVOCATION);
    wire_put_text(writer, SCRIPT_HASH, script->hash);
    for (size_t i = 0; i < script->key_count; i++)
        wire_put_bytes(writer, SCRIPT_KEYS, script->keys[i]);
    for (size_t i = 0; i < script->arg_count; i++)
        wire_put_bytes(writer, SCRIPT_ARGS, script->args[i]);
    if (script->source.data != NULL)
        wire_put_bytes(writer, SCRIPT_SOURCE, script->source);
    wire_end(writer, place);
    put_route(writer, &script->route);
    wire_put_nonzero(writer, COMMAND_TIMEOUT_MS, script->timeout_ms);
    return !writer->failed;
}

bool request_encode_scan(wire_writer *writer, const request_scan *scan)
{
    size_t place;

    wire_put_nonzero(writer, COMMAND_CALLBACK_IDX, scan->callback_idx);
    place = wire_begin(writer, COMMAND_CLUSTER_SCAN);
    wire_put_nonempty(writer, SCAN_CURSOR, scan->cursor);
    if (scan->match.data != NULL)
        wire_put_bytes(writer, SCAN_MATCH_PATTERN, scan->match);
    if (scan->count != 0)
        wire_put_int(writer, SCAN_COUNT, scan->count);
    wire_put_text(writer, SCAN_OBJECT_TYPE, scan->type);
    wire_put_nonzero(writer, SCAN_ALLOW_NON_COVERED_SLOTS, scan->allow_gaps);
    wire_end(writer, place);
    wire_put_nonzero(writer, COMMAND_TIMEOUT_MS, scan->timeout_ms);
    return !writer->failed;
}

bool request_encode_password(wire_writer *writer, const request_password *password)
{
    size_t place;

    wire_put_nonzero(writer, COMMAND_CALLBACK_IDX, password->callback_idx);
    place = wire_begin(writer, COMMAND_UPDATE_CONNECTION_PASSWORD);
    wire_put_text(writer, UPDATE_PASSWORD, password->password);
    wire_put_nonzero(writer, UPDATE_IMMEDIATE_AUTH, password->immediate);
    wire_end(writer, place);
    wire_put_nonzero(writer, COMMAND_TIMEOUT_MS, password->timeout_ms);
    return !writer->failed;
}

typedef glide_status glide_call(uint64_t, const uint8_t *, size_t, glide_buffer *);

/* send - make a call of a client or a session with a request, if it could be encoded; the request
 * is freed. */
static glide_status send(glide_call *call, uint64_t handle, bool encoded, wire_writer *request,
                         glide_buffer *response)
{
    glide_status status = GLIDE_ERR_INTERNAL;

    *response = (glide_buffer){NULL, 0};
    if (encoded)
        status = call(handle, request->data, request->len, response);
    wire_writer_free(request);
    return status;
}

enum { LARGE = 4096 }; /* a word from that length on goes beside the request, without a copy */

/* small_words - how many words there are before the first large one, but for the command's name. */
static size_t small_words(const request_command *command)
{
    size_t count = 1;

    while (count < command->word_count && command->words[count].len < LARGE)
        count++;
    return count < command->word_count ? count : command->word_count;
}

glide_status request_execute(glide_client client, const request_command *command,
                             glide_buffer *response)
{
    const size_t small = small_words(command), count = command->word_count - small;
    request_command head = *command;
    wire_writer request = {0};
    glide_status status = GLIDE_ERR_INTERNAL;

    head.word_count = small;
    *response = (glide_buffer){NULL, 0};
    if (request_encode_command(&request, &head))
        status = glide_client_execute_with(client, request.data, request.len,
                                           count > 0 ? command->words + small : NULL, count,
                                           response);
    wire_writer_free(&request);
    return status;
}

glide_status request_resolve(glide_client client, const request_command *command,
                             glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_command(&request, command);

    return send(glide_client_resolve, client, encoded, &request, response);
}

/* submit - submit a command, if it could be encoded. */
static glide_status submit(glide_status (*function)(uint64_t, const uint8_t *, size_t, uint64_t),
                           uint64_t handle, const request_command *command, uint64_t tag)
{
    wire_writer request = {0};
    glide_status status = GLIDE_ERR_INTERNAL;

    if (request_encode_command(&request, command))
        status = function(handle, request.data, request.len, tag);
    wire_writer_free(&request);
    return status;
}

glide_status request_submit(glide_client client, const request_command *command, uint64_t tag)
{
    return submit(glide_client_submit, client, command, tag);
}

glide_status request_execute_batch(glide_client client, const request_batch *batch,
                                   glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_batch(&request, batch);

    return send(glide_client_execute, client, encoded, &request, response);
}

glide_status request_execute_script(glide_client client, const request_script *script,
                                    glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_script(&request, script);

    return send(glide_client_execute, client, encoded, &request, response);
}

glide_status request_execute_scan(glide_client client, const request_scan *scan,
                                  glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_scan(&request, scan);

    return send(glide_client_execute, client, encoded, &request, response);
}

glide_status request_resolve_batch(glide_client client, const request_batch *batch,
                                   glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_batch(&request, batch);

    return send(glide_client_resolve, client, encoded, &request, response);
}

glide_status request_execute_password(glide_client client, const request_password *password,
                                      glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_password(&request, password);

    return send(glide_client_execute, client, encoded, &request, response);
}

/* ---- Sessions ---------------------------------------------------------------------------- */

glide_status request_session_open(glide_client client, request_route route, uint32_t timeout_ms,
                                  glide_session *session, glide_buffer *response)
{
    wire_writer request = {0};
    glide_status status = GLIDE_ERR_INTERNAL;

    *session = 0;
    *response = (glide_buffer){NULL, 0};
    put_route(&request, &route);
    wire_put_nonzero(&request, COMMAND_TIMEOUT_MS, timeout_ms);
    if (!request.failed)
        status = glide_session_open(client, request.data, request.len, session, response);
    wire_writer_free(&request);
    return status;
}

glide_status request_session_execute(glide_session session, const request_command *command,
                                     glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_command(&request, command);

    return send(glide_session_execute, session, encoded, &request, response);
}

glide_status request_session_batch(glide_session session, const request_batch *batch,
                                   glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_batch(&request, batch);

    return send(glide_session_execute, session, encoded, &request, response);
}

glide_status request_session_script(glide_session session, const request_script *script,
                                    glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_script(&request, script);

    return send(glide_session_execute, session, encoded, &request, response);
}

glide_status request_session_submit(glide_session session, const request_command *command,
                                    uint64_t tag)
{
    return submit(glide_session_submit, session, command, tag);
}
