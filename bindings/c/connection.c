/* Connecting; see request.h. The field numbers are those of protobuf/connection.proto. */
#include "request.h"

#include <string.h>

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
    CONNECTION_PUBSUB_SUBSCRIPTIONS = 13,
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
    CONNECTION_EVENT_QUEUE_LIMIT = 103,

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

static void put_tls(wire_writer *writer, const request_tls *tls)
{
    wire_put_nonzero(writer, CONNECTION_TLS_MODE, tls->mode);
    wire_put_text(writer, CONNECTION_TLS_SERVER_NAME, tls->server_name);
    for (size_t i = 0; i < tls->root_cert_count; i++)
        wire_put_bytes(writer, CONNECTION_ROOT_CERTS, tls->root_certs[i]);
    wire_put_nonempty(writer, CONNECTION_CLIENT_CERT, tls->client_cert);
    wire_put_nonempty(writer, CONNECTION_CLIENT_KEY, tls->client_key);
    wire_put_text(writer, CONNECTION_CLIENT_CERT_PATH, tls->client_cert_path);
    wire_put_text(writer, CONNECTION_CLIENT_KEY_PATH, tls->client_key_path);
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
    wire_put_nonzero(writer, ADDRESS_PORT, address->port);
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

/* put_channels - a map of lists of names by their kind. */
static void put_channels(wire_writer *writer, const request_connection *connection)
{
    const size_t subscriptions = wire_begin(writer, CONNECTION_PUBSUB_SUBSCRIPTIONS);

    for (size_t i = 0; i < connection->channels_count; i++) {
        const request_channels *channels = &connection->channels[i];
        const size_t entry = wire_begin(writer, 1);
        size_t names;

        wire_put_uint(writer, 1, channels->kind);
        names = wire_begin(writer, 2);
        for (size_t j = 0; j < channels->name_count; j++)
            wire_put_bytes(writer, 1, channels->names[j]);
        wire_end(writer, names);
        wire_end(writer, entry);
    }
    wire_end(writer, subscriptions);
}

static void put_backoff(wire_writer *writer, const request_backoff *backoff)
{
    size_t strategy = wire_begin(writer, CONNECTION_RETRY_STRATEGY);

    wire_put_nonzero(writer, RETRY_NUMBER_OF_RETRIES, backoff->steps);
    wire_put_nonzero(writer, RETRY_FACTOR, backoff->first_ms);
    wire_put_nonzero(writer, RETRY_EXPONENT_BASE, backoff->base);
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
    wire_put_nonzero(writer, CONNECTION_REQUEST_TIMEOUT, connection->request_timeout_ms);
    wire_put_nonzero(writer, CONNECTION_CONNECTION_TIMEOUT, connection->connection_timeout_ms);
    wire_put_nonzero(writer, CONNECTION_INFLIGHT_REQUESTS_LIMIT, connection->inflight_limit);
    wire_put_nonzero(writer, CONNECTION_READ_FROM, connection->read_from);
    wire_put_nonzero(writer, CONNECTION_PROTOCOL, connection->resp2 ? RESP2 : 0);
    wire_put_text(writer, CONNECTION_CLIENT_NAME, connection->client_name);
    wire_put_text(writer, CONNECTION_CLIENT_AZ, connection->client_az);
    if (connection->username != NULL || connection->password != NULL) {
        size_t authentication = wire_begin(writer, CONNECTION_AUTHENTICATION_INFO);

        wire_put_text(writer, AUTHENTICATION_PASSWORD, connection->password);
        wire_put_text(writer, AUTHENTICATION_USERNAME, connection->username);
        wire_end(writer, authentication);
    }
    wire_put_text(writer, CONNECTION_LIB_NAME, connection->lib_name);
    wire_put_nonzero(writer, CONNECTION_DATABASE_ID, connection->database_id);
    put_tls(writer, &connection->tls);
    put_checks(writer, connection);
    wire_put_nonzero(writer, CONNECTION_LAZY_CONNECT, connection->lazy_connect);
    wire_put_nonzero(writer, CONNECTION_REFRESH_TOPOLOGY_FROM_INITIAL_NODES,
                connection->refresh_topology_from_initial_nodes);
    wire_put_nonzero(writer, CONNECTION_NODE_DISCOVERY_MODE, connection->discovery);
    wire_put_nonzero(writer, CONNECTION_READ_ONLY, connection->read_only);
    if (connection->no_tcp_nodelay)
        wire_put_bool(writer, CONNECTION_TCP_NODELAY, false);
    if (connection->backoff != NULL)
        put_backoff(writer, connection->backoff);
    put_address_map(writer, connection);
    if (connection->channels_count > 0)
        put_channels(writer, connection);
    wire_put_nonzero(writer, CONNECTION_EVENT_QUEUE_LIMIT, connection->event_queue_limit);
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
