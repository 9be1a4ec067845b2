/* See statistics.h. The field numbers in the cases are those of protobuf/response.proto. */
#include "statistics.h"

enum { RESPONSE_STATISTICS = 7 };

static response_list list_of(wire_bytes message, uint32_t field)
{
    return (response_list){.reader = wire_read(message), .field = field};
}

/* count - the present field is an item of the list. */
static void count(wire_reader *reader, response_list *list)
{
    wire_get_bytes(reader);
    list->count++;
}

/* ---- Nodes ------------------------------------------------------------------------------- */

static bool read_node(wire_bytes message, statistics_node *node)
{
    wire_reader reader = wire_read(message);
    response_list self = list_of(message, 1);
    bool good = true;

    *node = (statistics_node){.in_topology = false};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: count(&reader, &self); break;
        case 2: node->in_topology = wire_get_bool(&reader); break;
        case 3: node->connections = (uint32_t)wire_get_uint(&reader); break;
        case 4: node->connections_made = wire_get_uint(&reader); break;
        case 5: node->connected_since_ms = wire_get_uint(&reader); break;
        case 6: node->requests = wire_get_uint(&reader); break;
        case 7: node->errors = wire_get_uint(&reader); break;
        case 8: node->redirects = wire_get_uint(&reader); break;
        case 9: node->failures = wire_get_uint(&reader); break;
        case 10: node->bytes_sent = wire_get_uint(&reader); break;
        case 11: node->bytes_received = wire_get_uint(&reader); break;
        case 12: node->latency_average_us = wire_get_double(&reader); break;
        case 13: node->last_error = wire_get_bytes(&reader); break;
        case 14: node->last_error_ms = wire_get_uint(&reader); break;
        }
    if (self.count > 0)
        good = response_next_node(&self, &node->node);
    return good && !reader.failed;
}

bool statistics_next_node(response_list *left, statistics_node *node)
{
    wire_bytes item;

    if (!response_next_bytes(left, &item))
        return false;
    if (read_node(item, node))
        return true;
    left->count++; /* so that the caller sees that the walk did not end by itself */
    left->reader.failed = true;
    return false;
}

/* ---- The configuration ------------------------------------------------------------------- */

static bool read_address(wire_bytes message, request_address *address)
{
    wire_reader reader = wire_read(message);

    *address = (request_address){.port = 0};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: address->host = wire_get_bytes(&reader); break;
        case 2: address->port = (uint32_t)wire_get_uint(&reader); break;
        }
    return !reader.failed;
}

bool statistics_next_mapping(response_list *left, request_mapping *mapping)
{
    wire_bytes item;
    wire_reader reader;
    bool good = true;

    if (!response_next_bytes(left, &item))
        return false;
    *mapping = (request_mapping){.dial = {.port = 0}};
    reader = wire_read(item);
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: good = read_address(wire_get_bytes(&reader), &mapping->announced) && good; break;
        case 2: good = read_address(wire_get_bytes(&reader), &mapping->dial) && good; break;
        }
    return good && !reader.failed;
}

static bool read_backoff(wire_bytes message, request_backoff *backoff)
{
    wire_reader reader = wire_read(message);

    while (wire_next(&reader))
        switch (reader.field) {
        case 1: backoff->steps = (uint32_t)wire_get_uint(&reader); break;
        case 2: backoff->first_ms = (uint32_t)wire_get_uint(&reader); break;
        case 3: backoff->base = (uint32_t)wire_get_uint(&reader); break;
        case 4: backoff->jitter_percent = (uint32_t)wire_get_uint(&reader); break;
        }
    return !reader.failed;
}

static bool read_configuration(wire_bytes message, statistics_configuration *given)
{
    wire_reader reader = wire_read(message);
    bool good = true;

    *given = (statistics_configuration){.addresses = list_of(message, 1),
                                        .address_map = list_of(message, 25),
                                        .standalone = true,
                                        .no_tcp_nodelay = true};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: count(&reader, &given->addresses); break;
        case 2: given->standalone = !wire_get_bool(&reader); break;
        case 3: given->request_timeout_ms = (uint32_t)wire_get_uint(&reader); break;
        case 4: given->connection_timeout_ms = (uint32_t)wire_get_uint(&reader); break;
        case 5: given->inflight_limit = (uint32_t)wire_get_uint(&reader); break;
        case 6: given->periodic_checks_ms = wire_get_uint(&reader); break;
        case 7: given->read_from = (uint32_t)wire_get_uint(&reader); break;
        case 8: given->client_az = wire_get_bytes(&reader); break;
        case 9: given->resp2 = wire_get_uint(&reader) == 1; break;
        case 10: given->database_id = (uint32_t)wire_get_uint(&reader); break;
        case 11: given->client_name = wire_get_bytes(&reader); break;
        case 12: given->lib_name = wire_get_bytes(&reader); break;
        case 13: given->username = wire_get_bytes(&reader); break;
        case 14: given->has_password = wire_get_bool(&reader); break;
        case 15: given->tls_mode = (request_tls_mode)wire_get_uint(&reader); break;
        case 16: given->tls_server_name = wire_get_bytes(&reader); break;
        case 17: given->has_client_certificate = wire_get_bool(&reader); break;
        case 18: given->cert_reload_ms = wire_get_uint(&reader); break;
        case 19: given->no_tcp_nodelay = !wire_get_bool(&reader); break;
        case 20: given->read_only = wire_get_bool(&reader); break;
        case 21: given->lazy_connect = wire_get_bool(&reader); break;
        case 22: given->refresh_topology_from_initial_nodes = wire_get_bool(&reader); break;
        case 23: given->discovery = (request_discovery)wire_get_uint(&reader); break;
        case 24: good = read_backoff(wire_get_bytes(&reader), &given->backoff) && good; break;
        case 25: count(&reader, &given->address_map); break;
        case 26: given->trust_redirects = wire_get_bool(&reader); break;
        }
    return good && !reader.failed;
}

static bool read_process(wire_bytes message, statistics_process *process)
{
    wire_reader reader = wire_read(message);

    while (wire_next(&reader))
        switch (reader.field) {
        case 1: process->handles = (uint32_t)wire_get_uint(&reader); break;
        case 2: process->calls = (uint32_t)wire_get_uint(&reader); break;
        case 3: process->goroutines = (uint32_t)wire_get_uint(&reader); break;
        case 4: process->heap_bytes = wire_get_uint(&reader); break;
        }
    return !reader.failed;
}

/* ---- The whole --------------------------------------------------------------------------- */

static bool read_statistics(wire_bytes message, statistics *view)
{
    wire_reader reader = wire_read(message);
    bool good = true;

    *view = (statistics){.nodes = list_of(message, 1)};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: count(&reader, &view->nodes); break;
        case 2: view->inflight_requests = (uint32_t)wire_get_uint(&reader); break;
        case 3: view->topology_epoch = wire_get_uint(&reader); break;
        case 4:
            view->has_topology = true;
            view->topology_age_ms = wire_get_uint(&reader);
            break;
        case 5: view->topology_refreshes = wire_get_uint(&reader); break;
        case 6: view->topology_refresh_failures = wire_get_uint(&reader); break;
        case 7:
            good = read_configuration(wire_get_bytes(&reader), &view->configuration) && good;
            break;
        case 8: good = read_process(wire_get_bytes(&reader), &view->process) && good; break;
        }
    return good && !reader.failed;
}

bool statistics_read(const glide_buffer *buffer, statistics *view)
{
    wire_reader reader = wire_read((wire_bytes){buffer->data, buffer->len});
    bool found = false, good = true;

    *view = (statistics){.has_topology = false};
    while (wire_next(&reader))
        if (reader.field == RESPONSE_STATISTICS) {
            good = read_statistics(wire_get_bytes(&reader), view) && good;
            found = true;
        }
    return found && good && !reader.failed;
}
