/*
 * statistics.h - what a client has counted, without a protobuf library.
 *
 *     glide_buffer buffer;
 *     statistics counted;
 *     statistics_node node;
 *
 *     if (glide_client_statistics(client, &buffer) == GLIDE_OK &&
 *         statistics_read(&buffer, &counted))
 *         while (statistics_next_node(&counted.nodes, &node))
 *             printf("%.*s %lu\n", WIRE_PRINT(node.node.host), (unsigned long)node.requests);
 *     glide_buffer_free(&buffer);
 *
 * As in response.h every struct is a view into the buffer, and a walk changes the list it is given.
 */
#ifndef STATISTICS_H
#define STATISTICS_H

#include "request.h"
#include "response.h"

/* What was counted of one node since the client was opened. */
typedef struct statistics_node {
    response_node node; /* host and port only where the topology does not know it */
    bool in_topology;
    uint32_t connections; /* that are open */
    uint64_t connections_made;
    uint64_t connected_since_ms; /* Unix time since when one is open; 0: none is */
    uint64_t requests;           /* commands, the client's own included */
    uint64_t errors;             /* error replies other than redirects */
    uint64_t redirects;
    uint64_t failures; /* times that no reply came */
    uint64_t bytes_sent;
    uint64_t bytes_received;
    double latency_average_us; /* of a round trip; 0: there was none */
    wire_bytes last_error;
    uint64_t last_error_ms; /* its Unix time; 0: there was none */
} statistics_node;

/* The configuration in force; its members are those of request_connection, defaults filled in. */
typedef struct statistics_configuration {
    response_list addresses; /* response_next_bytes: host:port */
    bool standalone;
    uint32_t request_timeout_ms;
    uint32_t connection_timeout_ms;
    uint32_t inflight_limit;
    uint64_t periodic_checks_ms; /* 0: none */
    uint32_t read_from;
    wire_bytes client_az;
    bool resp2;
    uint32_t database_id;
    wire_bytes client_name;
    wire_bytes lib_name;
    wire_bytes username;
    bool has_password; /* which it does not hold, nor keys or certificates */
    request_tls_mode tls_mode;
    wire_bytes tls_server_name;
    bool has_client_certificate;
    uint64_t cert_reload_ms; /* 0: never */
    bool no_tcp_nodelay;
    bool read_only;
    bool lazy_connect;
    bool refresh_topology_from_initial_nodes;
    request_discovery discovery;
    request_backoff backoff;
    response_list address_map; /* statistics_next_mapping */
    bool trust_redirects;
} statistics_configuration;

/* What the library holds in the process, for all its clients. */
typedef struct statistics_process {
    uint32_t handles; /* that are open: clients, sessions and routers */
    uint32_t calls;   /* that run */
    uint32_t goroutines;
    uint64_t heap_bytes; /* of the Go heap that the last collection of garbage left */
} statistics_process;

typedef struct statistics {
    response_list nodes; /* statistics_next_node: those of the topology in its order, then others */
    uint32_t inflight_requests;
    uint64_t topology_epoch;
    bool has_topology; /* servers told it, */
    uint64_t topology_age_ms; /* the last time so long ago, */
    uint64_t topology_refreshes; /* so often, */
    uint64_t topology_refresh_failures; /* and so often nobody did */
    statistics_configuration configuration;
    statistics_process process;
} statistics;

/*
 * statistics_read - read what glide_client_statistics() filled a buffer with.
 *
 * Returns false where the bytes are no Response, or one without statistics.
 */
bool statistics_read(const glide_buffer *buffer, statistics *view);

/* statistics_next_node, statistics_next_mapping - the next item of a list, as in response.h. */
bool statistics_next_node(response_list *left, statistics_node *node);
bool statistics_next_mapping(response_list *left, request_mapping *mapping);

#endif /* STATISTICS_H */
