/*
 * driver.c - the conformance driver of the C binding: it reads calls from the standard input and
 * answers each with a line of JSON. bindings/conformance/README.md tells what calls there are.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "call.h"
#include "encode.h"
#include "handle.h"
#include "topology.h"

/* finish - answer with what the library said, unless the call has a fault, and free it. */
static void finish(const call_line *call, glide_status status, glide_buffer *buffer)
{
    if (call->fault == NULL)
        answer_response(status, buffer);
    glide_buffer_free(buffer);
}

/* split_address - "host:port" at the last colon; false where it is none. */
static bool split_address(char *text, wire_bytes *host, uint32_t *port)
{
    char *colon = strrchr(text, ':');

    if (colon == NULL)
        return false;
    *colon = '\0';
    *host = wire_text(text);
    *port = (uint32_t)strtoul(colon + 1, NULL, 10);
    return *port != 0;
}

/* ---- Routers ----------------------------------------------------------------------------- */

enum { RANGES = 64, NODES = 32, SHARDS = 64 };

static uint32_t read_slot(const char *digits)
{
    return (uint32_t)strtoul(digits, NULL, 10);
}

typedef struct shard_room {
    topology_slots slots[RANGES];
    topology_node replicas[NODES];
} shard_room;

/* read_shard - "0-5460,7000-7001|h:7001@az-a|h:7004@"; false where it is none. */
static bool read_shard(char *word, shard_room *room, topology_shard *shard)
{
    char *nodes = strchr(word, '|');
    char *rest = NULL;
    size_t node_count = 0;

    *shard = (topology_shard){.slots = room->slots, .replicas = room->replicas};
    if (nodes == NULL)
        return false;
    *nodes++ = '\0';
    for (char *run = strtok_r(word, ",", &rest); run != NULL; run = strtok_r(NULL, ",", &rest)) {
        char *last = strchr(run, '-');

        if (last == NULL || shard->slot_count == RANGES)
            return false;
        room->slots[shard->slot_count++] = (topology_slots){read_slot(run), read_slot(last + 1)};
    }
    for (char *text = strtok_r(nodes, "|", &rest); text != NULL;
         text = strtok_r(NULL, "|", &rest)) {
        char *zone = strchr(text, '@');
        topology_node node = {.port = 0};

        if (zone != NULL) {
            *zone++ = '\0';
            node.zone = wire_text(zone);
        }
        if (node_count > NODES || !split_address(text, &node.host, &node.port))
            return false;
        if (node_count++ == 0)
            shard->primary = node;
        else
            room->replicas[shard->replica_count++] = node;
    }
    return node_count > 0;
}

static void router(call_line *call)
{
    topology_shard shards[SHARDS];
    shard_room *rooms = calloc(SHARDS, sizeof *rooms);
    topology_cluster cluster = {.shards = shards, .shard_count = call->rest_count};
    glide_buffer buffer = {NULL, 0};
    glide_router made = 0;
    glide_status status;

    call_only(call, "read_from zone standalone epoch");
    cluster.epoch = call_number(call, "epoch");
    cluster.standalone = call_number(call, "standalone") != 0;
    cluster.read_from = call_choice(call, "read_from", answer_strategies);
    cluster.client_az = call_option(call, "zone");
    if (rooms == NULL || call->rest_count > SHARDS)
        call_fault(call, "too many shards");
    for (size_t i = 0; call->fault == NULL && i < call->rest_count; i++)
        if (!read_shard(call->rest[i], &rooms[i], &shards[i]))
            call_fault(call, "a shard");
    if (call->fault == NULL) {
        status = topology_open(&cluster, &made, &buffer);
        if (status == GLIDE_OK)
            handle_keep(call, true, made);
        finish(call, status, &buffer);
    }
    free(rooms);
}

/* ---- Clients ----------------------------------------------------------------------------- */

enum { /* ConnectionRequest */
    CHECKS_INTERVAL = 11,
    INTERVAL_SECONDS = 1,
    READ_ONLY = 26,
    ADDRESSES = 16
};

static void client(call_line *call)
{
    request_address addresses[ADDRESSES];
    request_connection connection = {.addresses = addresses, .address_count = call->rest_count};
    const char *cluster = call_option(call, "cluster");
    wire_writer config = {0};
    glide_buffer buffer = {NULL, 0};
    glide_client made = 0;
    glide_status status;

    call_only(call, "cluster read_from zone read_only timeout_ms inflight resp2 refresh_s");
    connection.standalone = cluster != NULL && strcmp(cluster, "0") == 0;
    connection.resp2 = call_number(call, "resp2") != 0;
    connection.request_timeout_ms = call_number(call, "timeout_ms");
    connection.inflight_limit = call_number(call, "inflight");
    connection.read_from = call_choice(call, "read_from", answer_strategies);
    connection.client_az = call_option(call, "zone");
    if (call->rest_count > ADDRESSES)
        call_fault(call, "too many addresses");
    for (size_t i = 0; call->fault == NULL && i < call->rest_count; i++)
        if (!split_address(call->rest[i], &addresses[i].host, &addresses[i].port))
            call_fault(call, "an address");
    if (call->fault != NULL)
        return;
    request_encode_connection(&config, &connection);
    if (call_number(call, "refresh_s") != 0) {
        size_t interval = wire_begin(&config, CHECKS_INTERVAL);

        wire_put_uint(&config, INTERVAL_SECONDS, call_number(call, "refresh_s"));
        wire_end(&config, interval);
    }
    if (call_number(call, "read_only") != 0)
        wire_put_bool(&config, READ_ONLY, true);
    status = glide_client_open(config.data, config.len, &made, &buffer);
    if (status == GLIDE_OK)
        handle_keep(call, false, made);
    finish(call, status, &buffer);
    wire_writer_free(&config);
}

static void topology(call_line *call)
{
    handle *over = handle_find(call);
    glide_buffer buffer = {NULL, 0};

    if (over != NULL)
        finish(call, glide_client_topology(over->number, &buffer), &buffer);
}

static void close_it(call_line *call)
{
    handle *over = handle_find(call);

    if (over == NULL)
        return;
    if (over->router)
        glide_router_close(over->number);
    else
        glide_client_close(over->number);
    over->name[0] = '\0';
    answer_ok();
}

/* ---- Requests ---------------------------------------------------------------------------- */

/* execute - run the request that `encode` makes. */
static void execute(call_line *call, encode_request *encode)
{
    handle *over = handle_find(call);
    wire_writer request = {0};
    glide_buffer buffer = {NULL, 0};

    if (encode(call, &request) && over != NULL && call->fault == NULL)
        finish(call,
               glide_client_execute(over->number, request.data, request.len, &buffer), &buffer);
    else
        call_fault(call, "no memory");
    wire_writer_free(&request);
}

/* resolve - where the request that `encode` makes would go. */
static void resolve(call_line *call, encode_request *encode)
{
    handle *over = handle_find(call);
    wire_writer request = {0};
    glide_buffer buffer = {NULL, 0};

    if (encode(call, &request) && over != NULL && call->fault == NULL)
        finish(call, (over->router ? glide_router_resolve : glide_client_resolve)(
                   over->number, request.data, request.len, &buffer),
               &buffer);
    else
        call_fault(call, "no memory");
    wire_writer_free(&request);
}

typedef struct held {
    glide_client client;
    wire_writer request;
} held;

static pthread_mutex_t entering = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t entered = PTHREAD_COND_INITIALIZER;
static size_t inside; /* threads that the library knows */

/* A thread that runs one request. Its first call makes it known to the Go runtime; a thousand that
 * do this at once spin for each other, so hold() lets in one after the other. */
static void *run_held(void *argument)
{
    held *one = argument;
    glide_buffer buffer = {NULL, 0};

    glide_key_slot(NULL, 0);
    pthread_mutex_lock(&entering);
    inside++;
    pthread_cond_signal(&entered);
    pthread_mutex_unlock(&entering);
    glide_client_execute(one->client, one->request.data, one->request.len, &buffer);
    glide_buffer_free(&buffer);
    wire_writer_free(&one->request);
    free(one);
    return NULL;
}

/* start_held - run a copy of a request in a thread of its own; false where that cannot be. */
static bool start_held(glide_client client, const wire_writer *request)
{
    held *one = calloc(1, sizeof *one);
    pthread_t thread;
    size_t before;

    if (one == NULL)
        return false;
    one->client = client;
    one->request.data = malloc(request->len);
    if (one->request.data == NULL) {
        free(one);
        return false;
    }
    memcpy(one->request.data, request->data, request->len);
    one->request.len = one->request.room = request->len;
    pthread_mutex_lock(&entering);
    before = inside;
    if (pthread_create(&thread, NULL, run_held, one) != 0) {
        pthread_mutex_unlock(&entering);
        wire_writer_free(&one->request);
        free(one);
        return false;
    }
    while (inside == before)
        pthread_cond_wait(&entered, &entering);
    pthread_mutex_unlock(&entering);
    pthread_detach(thread);
    return true;
}

/* hold - requests that nobody waits for. */
static void hold(call_line *call)
{
    handle *over = handle_find(call);
    uint32_t count = call_option(call, "count") == NULL ? 1 : call_number(call, "count");
    wire_writer request = {0};

    if (!encode_command(call, &request))
        call_fault(call, "no memory");
    for (; over != NULL && call->fault == NULL && count > 0; count--)
        if (!start_held(over->number, &request))
            call_fault(call, "no memory, or no thread");
    wire_writer_free(&request);
    if (call->fault == NULL)
        answer_ok();
}

/* ---- Calls ------------------------------------------------------------------------------- */

static void run(call_line *call)
{
    static const char command_options[] = "route policy timeout_ms count";
    static const char batch_options[] =
        "route atomic raise retry_server retry_connection timeout_ms";

    if (strcmp(call->name, "slot") == 0) {
        wire_bytes key = call_bytes(call, call->subject);

        if (call->fault == NULL)
            answer_slot(glide_key_slot(key.data, key.len));
    } else if (strcmp(call->name, "router") == 0) {
        router(call);
    } else if (strcmp(call->name, "client") == 0) {
        client(call);
    } else if (strcmp(call->name, "topology") == 0) {
        topology(call);
    } else if (strcmp(call->name, "close") == 0) {
        close_it(call);
    } else if (strcmp(call->name, "resolve") == 0) {
        call_only(call, "route");
        resolve(call, encode_command);
    } else if (strcmp(call->name, "resolve-batch") == 0) {
        call_only(call, "route atomic");
        resolve(call, encode_batch);
    } else if (strcmp(call->name, "execute") == 0) {
        call_only(call, command_options);
        execute(call, encode_command);
    } else if (strcmp(call->name, "hold") == 0) {
        call_only(call, command_options);
        hold(call);
    } else if (strcmp(call->name, "batch") == 0) {
        call_only(call, batch_options);
        execute(call, encode_batch);
    } else if (strcmp(call->name, "scan") == 0) {
        call_only(call, "allow_non_covered match count type");
        execute(call, encode_scan);
    } else {
        answer_refusal("UNSUPPORTED", call->name);
    }
    if (call->fault != NULL)
        answer_refusal("MALFORMED", call->fault);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0) {
        call_line one;

        if (!call_read(line, &one))
            return 1;
        run(&one);
        call_free(&one);
    }
    free(line);
    return 0;
}
