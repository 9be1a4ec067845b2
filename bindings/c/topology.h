/*
 * topology.h - routing without a network, over a topology of one's own, without a protobuf library.
 *
 *     topology_node first = {.host = wire_text("10.0.0.1"), .port = 7000};
 *     topology_slots all = {0, 16383};
 *     topology_shard shard = {.slots = &all, .slot_count = 1, .primary = first};
 *     topology_cluster cluster = {.shards = &shard, .shard_count = 1};
 *     glide_router router;
 *     glide_buffer buffer;
 *     glide_status status = topology_open(&cluster, &router, &buffer);
 *
 * As in request.h the zero members of a struct are its defaults, pointers stay the caller's and are
 * read during the call only, and no function keeps any state.
 *
 * A topology that a client gave needs nothing of this: the bytes of response_topology are what
 * glide_router_open() takes.
 */
#ifndef TOPOLOGY_H
#define TOPOLOGY_H

#include "glide.h"
#include "request.h"
#include "wire.h"

/* ---- Topologies -------------------------------------------------------------------------- */

typedef struct topology_node {
    wire_bytes host;           /* a name or an IP, without brackets */
    uint32_t port;             /* 1..65535 */
    wire_bytes id;             /* its name in the cluster */
    wire_bytes zone;           /* its availability zone */
    const wire_bytes *aliases; /* host:port of its other names */
    size_t alias_count;
} topology_node;

/* A range of slots; last itself belongs to it. */
typedef struct topology_slots {
    uint32_t first;
    uint32_t last;
} topology_slots;

typedef struct topology_shard {
    const topology_slots *slots;
    size_t slot_count; /* ranges, not slots */
    topology_node primary;
    const topology_node *replicas;
    size_t replica_count;
} topology_shard;

/* A Topology, and how reads are shared over it. */
typedef struct topology_cluster {
    const topology_shard *shards; /* a slot belongs to one at most, a node to one place */
    size_t shard_count;
    uint64_t epoch;        /* plans give it back */
    bool standalone;       /* a server that is not a cluster: one shard, which gets everything */
    uint32_t read_from;    /* a number of ReadFrom: who serves reads; 0: the primary */
    const char *client_az; /* the zone, for those that prefer one; NULL: none */
} topology_cluster;

/*
 * topology_encode - append a Topology to a writer.
 *
 * Returns whether that went well; see wire_writer for what can fail. The writer is the caller's to
 * free either way.
 */
bool topology_encode(wire_writer *writer, const topology_cluster *cluster);

/* ---- Routers ----------------------------------------------------------------------------- */

/*
 * topology_open - glide_router_open() with a Topology made of cluster.
 *
 * Returns what glide_router_open() returns; GLIDE_ERR_INTERNAL, with an empty response, where
 * there is no memory for the message.
 */
glide_status topology_open(const topology_cluster *cluster, glide_router *router,
                           glide_buffer *response);

/*
 * topology_resolve, topology_resolve_batch - glide_router_resolve() with a CommandRequest made of a
 * command or of a batch.
 *
 * Return what that returns; GLIDE_ERR_INTERNAL, with an empty response, where there is no memory
 * for the request.
 */
glide_status topology_resolve(glide_router router, const request_command *command,
                              glide_buffer *response);
glide_status topology_resolve_batch(glide_router router, const request_batch *batch,
                                    glide_buffer *response);

#endif /* TOPOLOGY_H */
