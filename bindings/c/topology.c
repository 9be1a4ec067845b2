/* See topology.h. The field numbers are those of protobuf/response.proto. */
#include "topology.h"

enum {
    TOPOLOGY_EPOCH = 1,
    TOPOLOGY_SHARDS = 2,
    TOPOLOGY_STANDALONE = 3,
    TOPOLOGY_READ_FROM = 4,
    TOPOLOGY_CLIENT_AZ = 5,

    SHARD_SLOTS = 1,
    SHARD_PRIMARY = 2,
    SHARD_REPLICAS = 3,

    SLOTS_FIRST = 1,
    SLOTS_LAST = 2,

    NODE_ID = 1,
    NODE_HOST = 2,
    NODE_PORT = 3,
    NODE_ROLE = 4,
    NODE_ZONE = 5,
    NODE_ALIASES = 6
};

/* put_node - a Node as the field of a Shard; its role is that of the field. */
static void put_node(wire_writer *writer, uint32_t field, const topology_node *node)
{
    size_t place = wire_begin(writer, field);

    wire_put_bytes(writer, NODE_ID, node->id);
    wire_put_bytes(writer, NODE_HOST, node->host);
    wire_put_uint(writer, NODE_PORT, node->port);
    wire_put_uint(writer, NODE_ROLE, field == SHARD_REPLICAS);
    wire_put_bytes(writer, NODE_ZONE, node->zone);
    for (size_t i = 0; i < node->alias_count; i++)
        wire_put_bytes(writer, NODE_ALIASES, node->aliases[i]);
    wire_end(writer, place);
}

static void put_shard(wire_writer *writer, const topology_shard *shard)
{
    size_t place = wire_begin(writer, TOPOLOGY_SHARDS);

    for (size_t i = 0; i < shard->slot_count; i++) {
        size_t slots = wire_begin(writer, SHARD_SLOTS);

        wire_put_uint(writer, SLOTS_FIRST, shard->slots[i].first);
        wire_put_uint(writer, SLOTS_LAST, shard->slots[i].last);
        wire_end(writer, slots);
    }
    put_node(writer, SHARD_PRIMARY, &shard->primary);
    for (size_t i = 0; i < shard->replica_count; i++)
        put_node(writer, SHARD_REPLICAS, &shard->replicas[i]);
    wire_end(writer, place);
}

bool topology_encode(wire_writer *writer, const topology_cluster *cluster)
{
    wire_put_uint(writer, TOPOLOGY_EPOCH, cluster->epoch);
    for (size_t i = 0; i < cluster->shard_count; i++)
        put_shard(writer, &cluster->shards[i]);
    wire_put_bool(writer, TOPOLOGY_STANDALONE, cluster->standalone);
    wire_put_uint(writer, TOPOLOGY_READ_FROM, cluster->read_from);
    wire_put_bytes(writer, TOPOLOGY_CLIENT_AZ, wire_text(cluster->client_az));
    return !writer->failed;
}

glide_status topology_open(const topology_cluster *cluster, glide_router *router,
                           glide_buffer *response)
{
    wire_writer message = {0};
    glide_status status = GLIDE_ERR_INTERNAL;

    *router = 0;
    *response = (glide_buffer){NULL, 0};
    if (topology_encode(&message, cluster))
        status = glide_router_open(message.data, message.len, router, response);
    wire_writer_free(&message);
    return status;
}

/* resolve - plan a request, if it could be encoded; it is freed. */
static glide_status resolve(glide_router router, bool encoded, wire_writer *request,
                            glide_buffer *response)
{
    glide_status status = GLIDE_ERR_INTERNAL;

    *response = (glide_buffer){NULL, 0};
    if (encoded)
        status = glide_router_resolve(router, request->data, request->len, response);
    wire_writer_free(request);
    return status;
}

glide_status topology_resolve(glide_router router, const request_command *command,
                              glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_command(&request, command);

    return resolve(router, encoded, &request, response);
}

glide_status topology_resolve_batch(glide_router router, const request_batch *batch,
                                    glide_buffer *response)
{
    wire_writer request = {0};
    const bool encoded = request_encode_batch(&request, batch);

    return resolve(router, encoded, &request, response);
}
