/*
 * growth.c - what this library costs as there is more of it. It prints its figures as a line of
 * JSON.
 *
 *     growth addresses=127.0.0.1:7001,... measure=topologies count=1000 nodes=1000
 *     growth addresses=127.0.0.1:7001,... measure=clients count=50
 *     growth addresses=127.0.0.1:7001,... measure=closed count=10000
 *
 * topologies  so many routers, each over so many nodes of its own, all open at once.
 * clients     so many clients, each with a connection to every node, all open at once.
 * closed      so many clients, each closed before the next is opened, and what is left of them.
 *
 * Memory is what the process has of it, with the garbage that Go has not collected yet: with
 * GOGC=10 in the environment that is next to none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "gauge.h"
#include "process.h"
#include "request.h"
#include "response.h"
#include "topology.h"

enum {
    ADDRESSES_MAX = 1024,
    TIMEOUT_MS = 30000,
    SLOTS = 16384,
    KEYS = 1000,
    RESOLVED = 100000, /* requests, over all topologies by turns */
    NAME_MAX = 48,
    SETTLE_MS = 20000
};

static request_address addresses[ADDRESSES_MAX];
static request_connection connection = {
    .addresses = addresses, .request_timeout_ms = TIMEOUT_MS, .connection_timeout_ms = TIMEOUT_MS};

/* expect - end the process where a call failed. */
static void expect(const char *call, glide_status status, glide_buffer *buffer)
{
    response reply;

    if (status != GLIDE_OK) {
        response_read(buffer, &reply);
        fault("growth: %s: %s: %.*s", call, glide_status_name(status),
              WIRE_PRINT(reply.error.message));
    }
    glide_buffer_free(buffer);
}

static double per(double sum, size_t count)
{
    return sum / (double)count;
}

/* ---- Topologies -------------------------------------------------------------------------- */

/* make_node - a node that no other topology has. */
static topology_node make_node(size_t topology, size_t node)
{
    char *text = process_room(2, NAME_MAX), *id = text + NAME_MAX;

    snprintf(text, NAME_MAX, "10.%zu.%zu.%zu", topology / 250, topology % 250, node / 250);
    snprintf(id, NAME_MAX, "%020zu%020zu", topology, node);
    return (topology_node){.host = wire_text(text),
                           .port = (uint32_t)(7000 + node % 250),
                           .id = wire_text(id)};
}

static void free_node(const topology_node *node)
{
    free((void *)node->host.data);
}

/* encode - the message of a topology whose shards have a primary and a replica each. */
static wire_writer encode(size_t topology, size_t nodes)
{
    const size_t count = nodes / 2;
    topology_shard *shards = process_room(count, sizeof *shards);
    topology_slots *slots = process_room(count, sizeof *slots);
    topology_node *replicas = process_room(count, sizeof *replicas);
    const topology_cluster cluster = {.shards = shards, .shard_count = count, .epoch = 1};
    wire_writer message = {0};

    for (size_t i = 0; i < count; i++) {
        slots[i] = (topology_slots){(uint32_t)(i * SLOTS / count),
                                    (uint32_t)((i + 1) * SLOTS / count - 1)};
        replicas[i] = make_node(topology, count + i);
        shards[i] = (topology_shard){.slots = &slots[i],
                                     .slot_count = 1,
                                     .primary = make_node(topology, i),
                                     .replicas = &replicas[i],
                                     .replica_count = 1};
    }
    if (!topology_encode(&message, &cluster))
        fault("growth: no memory for a topology");
    for (size_t i = 0; i < count; i++) {
        free_node(&shards[i].primary);
        free_node(&replicas[i]);
    }
    free(shards);
    free(slots);
    free(replicas);
    return message;
}

static uint64_t resolve(const glide_router *routers, size_t count)
{
    const uint64_t began = process_clock();
    char key[NAME_MAX];
    wire_bytes words[] = {wire_text("GET"), {0}};
    const request_command command = {.words = words, .word_count = 2};

    for (size_t i = 0; i < RESOLVED; i++) {
        glide_buffer buffer;

        snprintf(key, sizeof key, "key:%zu", i % KEYS);
        words[1] = wire_text(key);
        expect("resolve", topology_resolve(routers[i % count], &command, &buffer), &buffer);
    }
    return process_clock() - began;
}

static void measure_topologies(size_t count, size_t nodes)
{
    glide_router *routers = process_room(count, sizeof *routers);
    uint64_t ns = 0;
    int64_t before, after;

    if (nodes < 2 || nodes % 2 != 0)
        fault("growth: %zu nodes are no pairs of a primary and a replica", nodes);
    before = gauge_resident();
    for (size_t i = 0; i < count; i++) {
        wire_writer message = encode(i, nodes);
        const uint64_t began = process_clock();
        glide_buffer buffer;

        expect("router_open", glide_router_open(message.data, message.len, &routers[i], &buffer),
               &buffer);
        ns += process_clock() - began;
        wire_writer_free(&message);
    }
    after = gauge_resident();
    printf("{\"figures\": {\"make_us\": %.3f, \"resolve_us\": %.3f, \"topology_kib\": %.3f}}\n",
           per((double)ns / 1e3, count), per((double)resolve(routers, count) / 1e3, RESOLVED),
           per((double)(after - before) / 1024, count));
    for (size_t i = 0; i < count; i++)
        glide_router_close(routers[i]);
    free(routers);
}

/* ---- Clients ----------------------------------------------------------------------------- */

static glide_client open_client(void)
{
    glide_client client;
    glide_buffer buffer;

    expect("open", request_open(&connection, &client, &buffer), &buffer);
    return client;
}

static void run(glide_client client, const request_command *command)
{
    glide_buffer buffer;

    expect("execute", request_execute(client, command, &buffer), &buffer);
}

/* open_whole - a client that is connected to every node. */
static glide_client open_whole(void)
{
    const wire_bytes word = wire_text("PING");
    const request_command ping = {.words = &word, .word_count = 1, .route = request_all_nodes()};
    const glide_client client = open_client();

    run(client, &ping);
    return client;
}

static void measure_clients(size_t count)
{
    glide_client *clients = process_room(count, sizeof *clients);
    const glide_client first = open_whole(); /* what only the first one costs is not of each */
    const gauge before = gauge_read(first);
    double bytes;

    for (size_t i = 0; i < count; i++)
        clients[i] = open_whole();
    bytes = per((double)(gauge_resident() - before.resident), count);
    printf("{\"figures\": {\"client_mib\": %.4f, \"connection_kib\": %.3f, "
           "\"connections\": %lld}}\n",
           bytes / (1 << 20), bytes / 1024 / (double)before.connections,
           (long long)before.connections);
    for (size_t i = 0; i < count; i++)
        glide_client_close(clients[i]);
    glide_client_close(first);
    free(clients);
}

/* ---- Clients that are gone --------------------------------------------------------------- */

static void open_and_close(void)
{
    const wire_bytes words[] = {wire_text("GET"), wire_text("key")};
    const request_command get = {.words = words, .word_count = 2};
    const glide_client client = open_client();

    run(client, &get);
    glide_client_close(client);
}

/* settled - what is left once what ends by itself has ended. */
static gauge settled(glide_client client, const gauge *before)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    gauge now = gauge_read(client);

    for (int waited = 0; waited < SETTLE_MS && (now.goroutines > before->goroutines ||
                                                now.files > before->files); waited += 20) {
        nanosleep(&pause, NULL);
        now = gauge_read(client);
    }
    return now;
}

static void measure_closed(size_t count)
{
    const glide_client witness = open_client();
    slope line = {0};
    gauge before, after;
    uint64_t began;

    for (size_t i = 0; i < count / 10; i++)
        open_and_close(); /* what is kept for the next ones is there after these */
    before = gauge_read(witness);
    began = process_clock();
    for (size_t i = 0; i < count; i++) {
        open_and_close();
        if (i >= count / 2 && i % (count / 100 + 1) == 0)
            slope_add(&line, (double)i, (double)gauge_resident());
    }
    printf("{\"figures\": {\"closed_us\": %.3f, ",
           per((double)(process_clock() - began) / 1e3, count));
    after = settled(witness, &before);
    printf("\"left_handles\": %lld, \"left_goroutines\": %lld, \"left_files\": %lld, "
           "\"left_bytes\": %.3f}}\n",
           (long long)(after.handles - before.handles),
           (long long)(after.goroutines - before.goroutines),
           (long long)(after.files - before.files), slope_per_1000(&line) / 1000);
    glide_client_close(witness);
}

/* ---- Arguments --------------------------------------------------------------------------- */

/* argument - the value of name=value; NULL: there is none. */
static const char *argument(int argc, char **argv, const char *name)
{
    const size_t len = strlen(name);

    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=')
            return argv[i] + len + 1;
    return NULL;
}

static size_t number(int argc, char **argv, const char *name)
{
    const char *text = argument(argc, argv, name);

    return text == NULL ? 0 : strtoul(text, NULL, 10);
}

int main(int argc, char **argv)
{
    const char *list = argument(argc, argv, "addresses"), *what = argument(argc, argv, "measure");
    const size_t count = number(argc, argv, "count");

    if (list == NULL || what == NULL || count == 0)
        fault("growth: addresses=, measure= and count= are needed");
    connection.address_count = request_addresses(list, addresses, ADDRESSES_MAX);
    if (strcmp(what, "topologies") == 0)
        measure_topologies(count, number(argc, argv, "nodes"));
    else if (strcmp(what, "clients") == 0)
        measure_clients(count);
    else if (strcmp(what, "closed") == 0)
        measure_closed(count);
    else
        fault("growth: nothing is called \"%s\"", what);
    return 0;
}
