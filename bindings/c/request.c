/* See request.h. The field numbers are those of protobuf/connection.proto and request.proto. */
#include "request.h"

#include <string.h>

/* ---- Connecting -------------------------------------------------------------------------- */

enum { /* ConnectionRequest */
    CONNECTION_ADDRESSES = 1,
    CONNECTION_TLS_MODE = 2,
    CONNECTION_CLUSTER_MODE_ENABLED = 3,
    CONNECTION_REQUEST_TIMEOUT = 4,
    CONNECTION_READ_FROM = 5,
    CONNECTION_RETRY_STRATEGY = 6,
    CONNECTION_AUTHENTICATION_INFO = 7,
    CONNECTION_DATABASE_ID = 8,
    CONNECTION_PROTOCOL = 9,
    CONNECTION_CLIENT_NAME = 10,
    CONNECTION_PERIODIC_CHECKS_MANUAL_INTERVAL = 11,
    CONNECTION_PERIODIC_CHECKS_DISABLED = 12,
    CONNECTION_INFLIGHT_REQUESTS_LIMIT = 14,
    CONNECTION_CLIENT_AZ = 15,
    CONNECTION_CONNECTION_TIMEOUT = 16,
    CONNECTION_LAZY_CONNECT = 17,
    CONNECTION_REFRESH_TOPOLOGY_FROM_INITIAL_NODES = 18,
    CONNECTION_LIB_NAME = 19,
    CONNECTION_ROOT_CERTS = 20,
    CONNECTION_CLIENT_CERT = 22,
    CONNECTION_CLIENT_KEY = 23,
    CONNECTION_TCP_NODELAY = 24,
    CONNECTION_READ_ONLY = 26,
    CONNECTION_NODE_DISCOVERY_MODE = 28,
    CONNECTION_CLIENT_CERT_PATH = 31,
    CONNECTION_CLIENT_KEY_PATH = 32,
    CONNECTION_CERT_RELOAD = 33,
    CONNECTION_TLS_SERVER_NAME = 100,
    CONNECTION_ADDRESS_MAP = 101,
    CONNECTION_TRUST_REDIRECTS = 102,

    MAPPING_ANNOUNCED = 1,
    MAPPING_DIAL = 2,

    RETRY_NUMBER_OF_RETRIES = 1,
    RETRY_FACTOR = 2,
    RETRY_EXPONENT_BASE = 3,
    RETRY_JITTER_PERCENT = 4,

    RELOAD_ENABLED = 1,
    RELOAD_INTERVAL_SECONDS = 2,

    CHECKS_DURATION_IN_SEC = 1,

    ADDRESS_HOST = 1,
    ADDRESS_PORT = 2,

    AUTHENTICATION_PASSWORD = 1,
    AUTHENTICATION_USERNAME = 2,

    RESP2 = 1
};

/* read_port - a port in digits that reach up to a comma or the end; 0 where it is none. */
static uint32_t read_port(const char *digits, const char *end)
{
    uint32_t port = 0;

    for (; digits < end; digits++) {
        if (*digits < '0' || *digits > '9')
            return 0;
        port = port * 10 + (uint32_t)(*digits - '0');
        if (port > 65535)
            return 0;
    }
    return port;
}

/* read_address - one "host:port" that reaches up to end; false where it is none. */
static bool read_address(const char *text, const char *end, request_address *address)
{
    const char *colon = end;

    while (colon > text && *colon != ':')
        colon--;
    if (colon == text)
        return false;
    address->port = read_port(colon + 1, end);
    if (*text == '[' && colon[-1] == ']') {
        text++;
        colon--;
    }
    address->host = (wire_bytes){(const uint8_t *)text, (size_t)(colon - text)};
    return address->port != 0 && address->host.len != 0;
}

size_t request_addresses(const char *text, request_address *addresses, size_t room)
{
    size_t count = 0;

    for (;;) {
        const char *end = text + strcspn(text, ",");

        if (count == room || !read_address(text, end, &addresses[count]))
            return 0;
        count++;
        if (*end == '\0')
            return count;
        text = end + 1;
    }
}

/* put_nonzero, put_text, put_bytes - append what is not the default. */
static void put_nonzero(wire_writer *writer, uint32_t field, uint32_t value)
{
    if (value != 0)
        wire_put_uint(writer, field, value);
}

static void put_text(wire_writer *writer, uint32_t field, const char *text)
{
    if (text != NULL)
        wire_put_bytes(writer, field, wire_text(text));
}

static void put_bytes(wire_writer *writer, uint32_t field, wire_bytes bytes)
{
    if (bytes.len != 0)
        wire_put_bytes(writer, field, bytes);
}

static void put_tls(wire_writer *writer, const request_tls *tls)
{
    put_nonzero(writer, CONNECTION_TLS_MODE, tls->mode);
    put_text(writer, CONNECTION_TLS_SERVER_NAME, tls->server_name);
    for (size_t i = 0; i < tls->root_cert_count; i++)
        wire_put_bytes(writer, CONNECTION_ROOT_CERTS, tls->root_certs[i]);
    put_bytes(writer, CONNECTION_CLIENT_CERT, tls->client_cert);
    put_bytes(writer, CONNECTION_CLIENT_KEY, tls->client_key);
    put_text(writer, CONNECTION_CLIENT_CERT_PATH, tls->client_cert_path);
    put_text(writer, CONNECTION_CLIENT_KEY_PATH, tls->client_key_path);
    if (tls->cert_reload_s != 0) {
        size_t reload = wire_begin(writer, CONNECTION_CERT_RELOAD);

        wire_put_bool(writer, RELOAD_ENABLED, true);
        wire_put_uint(writer, RELOAD_INTERVAL_SECONDS, tls->cert_reload_s);
        wire_end(writer, reload);
    }
}

static void put_address(wire_writer *writer, uint32_t field, const request_address *address)
{
    size_t place = wire_begin(writer, field);

    wire_put_bytes(writer, ADDRESS_HOST, address->host);
    put_nonzero(writer, ADDRESS_PORT, address->port);
    wire_end(writer, place);
}

static void put_address_map(wire_writer *writer, const request_connection *connection)
{
    for (size_t i = 0; i < connection->address_map_count; i++) {
        size_t mapping = wire_begin(writer, CONNECTION_ADDRESS_MAP);

        put_address(writer, MAPPING_ANNOUNCED, &connection->address_map[i].announced);
        put_address(writer, MAPPING_DIAL, &connection->address_map[i].dial);
        wire_end(writer, mapping);
    }
}

static void put_backoff(wire_writer *writer, const request_backoff *backoff)
{
    size_t strategy = wire_begin(writer, CONNECTION_RETRY_STRATEGY);

    put_nonzero(writer, RETRY_NUMBER_OF_RETRIES, backoff->steps);
    put_nonzero(writer, RETRY_FACTOR, backoff->first_ms);
    put_nonzero(writer, RETRY_EXPONENT_BASE, backoff->base);
    wire_put_uint(writer, RETRY_JITTER_PERCENT, backoff->jitter_percent);
    wire_end(writer, strategy);
}

/* put_checks - a oneof; of the two the later one counts, so no_periodic_checks wins. */
static void put_checks(wire_writer *writer, const request_connection *connection)
{
    size_t place;

    if (connection->periodic_checks_s != 0) {
        place = wire_begin(writer, CONNECTION_PERIODIC_CHECKS_MANUAL_INTERVAL);
        wire_put_uint(writer, CHECKS_DURATION_IN_SEC, connection->periodic_checks_s);
        wire_end(writer, place);
    }
    if (connection->no_periodic_checks)
        wire_end(writer, wire_begin(writer, CONNECTION_PERIODIC_CHECKS_DISABLED));
}

bool request_encode_connection(wire_writer *writer, const request_connection *connection)
{
    for (size_t i = 0; i < connection->address_count; i++)
        put_address(writer, CONNECTION_ADDRESSES, &connection->addresses[i]);
    wire_put_bool(writer, CONNECTION_CLUSTER_MODE_ENABLED, !connection->standalone);
    put_nonzero(writer, CONNECTION_REQUEST_TIMEOUT, connection->request_timeout_ms);
    put_nonzero(writer, CONNECTION_CONNECTION_TIMEOUT, connection->connection_timeout_ms);
    put_nonzero(writer, CONNECTION_INFLIGHT_REQUESTS_LIMIT, connection->inflight_limit);
    put_nonzero(writer, CONNECTION_READ_FROM, connection->read_from);
    put_nonzero(writer, CONNECTION_PROTOCOL, connection->resp2 ? RESP2 : 0);
    put_text(writer, CONNECTION_CLIENT_NAME, connection->client_name);
    put_text(writer, CONNECTION_CLIENT_AZ, connection->client_az);
    if (connection->username != NULL || connection->password != NULL) {
        size_t authentication = wire_begin(writer, CONNECTION_AUTHENTICATION_INFO);

        put_text(writer, AUTHENTICATION_PASSWORD, connection->password);
        put_text(writer, AUTHENTICATION_USERNAME, connection->username);
        wire_end(writer, authentication);
    }
    put_text(writer, CONNECTION_LIB_NAME, connection->lib_name);
    put_nonzero(writer, CONNECTION_DATABASE_ID, connection->database_id);
    put_tls(writer, &connection->tls);
    put_checks(writer, connection);
    put_nonzero(writer, CONNECTION_LAZY_CONNECT, connection->lazy_connect);
    put_nonzero(writer, CONNECTION_REFRESH_TOPOLOGY_FROM_INITIAL_NODES,
                connection->refresh_topology_from_initial_nodes);
    put_nonzero(writer, CONNECTION_NODE_DISCOVERY_MODE, connection->discovery);
    put_nonzero(writer, CONNECTION_READ_ONLY, connection->read_only);
    if (connection->no_tcp_nodelay)
        wire_put_bool(writer, CONNECTION_TCP_NODELAY, false);
    if (connection->backoff != NULL)
        put_backoff(writer, connection->backoff);
    put_address_map(writer, connection);
    put_nonzero(writer, CONNECTION_TRUST_REDIRECTS, connection->trust_redirects);
    return !writer->failed;
}

glide_status request_open(const request_connection *connection, glide_client *client,
                          glide_buffer *response)
{
    wire_writer request = {0};
    glide_status status = GLIDE_ERR_INTERNAL;

    *client = 0;
    *response = (glide_buffer){NULL, 0};
    if (request_encode_connection(&request, connection))
        status = glide_client_open(request.data, request.len, client, response);
    wire_writer_free(&request);
    return status;
}

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

/* put_words - a message Command of a whole command. */
static void put_words(wire_writer *writer, uint32_t field, const wire_bytes *words, size_t count)
{
    size_t command = wire_begin(writer, field), args;

    wire_put_uint(writer, SINGLE_REQUEST_TYPE, CUSTOM_COMMAND);
    args = wire_begin(writer, SINGLE_ARGS_ARRAY);
    for (size_t i = 0; i < count; i++)
        wire_put_bytes(writer, ARGS_ARGS, words[i]);
    wire_end(writer, args);
    wire_end(writer, command);
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
    put_nonzero(writer, COMMAND_CALLBACK_IDX, command->callback_idx);
    put_words(writer, COMMAND_SINGLE_COMMAND, command->words, command->word_count);
    put_route(writer, &command->route);
    put_nonzero(writer, COMMAND_TIMEOUT_MS, command->timeout_ms);
    put_nonzero(writer, COMMAND_RESPONSE_POLICY, command->response_policy);
    put_nonzero(writer, COMMAND_OUTCOMES, command->outcomes);
    return !writer->failed;
}

bool request_encode_batch(wire_writer *writer, const request_batch *batch)
{
    size_t place;

    put_nonzero(writer, COMMAND_CALLBACK_IDX, batch->callback_idx);
    place = wire_begin(writer, COMMAND_BATCH);
    put_nonzero(writer, BATCH_IS_ATOMIC, batch->atomic);
    for (size_t i = 0; i < batch->command_count; i++)
        put_words(writer, BATCH_COMMANDS, batch->commands[i].words, batch->commands[i].count);
    put_nonzero(writer, BATCH_RAISE_ON_ERROR, batch->raise_on_error);
    wire_end(writer, place);
    put_route(writer, &batch->route);
    put_nonzero(writer, COMMAND_TIMEOUT_MS, batch->timeout_ms);
    return !writer->failed;
}

bool request_encode_script(wire_writer *writer, const request_script *script)
{
    size_t place;

    put_nonzero(writer, COMMAND_CALLBACK_IDX, script->callback_idx);
    place = wire_begin(writer, COMMAND_SCRIPT_INVOCATION);
    put_text(writer, SCRIPT_HASH, script->hash);
    for (size_t i = 0; i < script->key_count; i++)
        wire_put_bytes(writer, SCRIPT_KEYS, script->keys[i]);
    for (size_t i = 0; i < script->arg_count; i++)
        wire_put_bytes(writer, SCRIPT_ARGS, script->args[i]);
    if (script->source.data != NULL)
        wire_put_bytes(writer, SCRIPT_SOURCE, script->source);
    wire_end(writer, place);
    put_route(writer, &script->route);
    put_nonzero(writer, COMMAND_TIMEOUT_MS, script->timeout_ms);
    return !writer->failed;
}

bool request_encode_scan(wire_writer *writer, const request_scan *scan)
{
    size_t place;

    put_nonzero(writer, COMMAND_CALLBACK_IDX, scan->callback_idx);
    place = wire_begin(writer, COMMAND_CLUSTER_SCAN);
    put_bytes(writer, SCAN_CURSOR, scan->cursor);
    if (scan->match.data != NULL)
        wire_put_bytes(writer, SCAN_MATCH_PATTERN, scan->match);
    if (scan->count != 0)
        wire_put_int(writer, SCAN_COUNT, scan->count);
    put_text(writer, SCAN_OBJECT_TYPE, scan->type);
    put_nonzero(writer, SCAN_ALLOW_NON_COVERED_SLOTS, scan->allow_gaps);
    wire_end(writer, place);
    put_nonzero(writer, COMMAND_TIMEOUT_MS, scan->timeout_ms);
    return !writer->failed;
}

bool request_encode_password(wire_writer *writer, const request_password *password)
{
    size_t place;

    put_nonzero(writer, COMMAND_CALLBACK_IDX, password->callback_idx);
    place = wire_begin(writer, COMMAND_UPDATE_CONNECTION_PASSWORD);
    put_text(writer, UPDATE_PASSWORD, password->password);
    put_nonzero(writer, UPDATE_IMMEDIATE_AUTH, password->immediate);
    wire_end(writer, place);
    put_nonzero(writer, COMMAND_TIMEOUT_MS, password->timeout_ms);
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

glide_status request_execute(glide_client client, const request_command *command,
                             glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_command(&request, command);

    return send(glide_client_execute, client, encoded, &request, response);
}

glide_status request_resolve(glide_client client, const request_command *command,
                             glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_command(&request, command);

    return send(glide_client_resolve, client, encoded, &request, response);
}

glide_status request_submit(glide_client client, const request_command *command, uint64_t tag)
{
    wire_writer request = {0};
    glide_status status = GLIDE_ERR_INTERNAL;

    if (request_encode_command(&request, command))
        status = glide_client_submit(client, request.data, request.len, tag);
    wire_writer_free(&request);
    return status;
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
    put_nonzero(&request, COMMAND_TIMEOUT_MS, timeout_ms);
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
