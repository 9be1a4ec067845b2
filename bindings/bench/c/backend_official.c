/*
 * backend_official.c - the official core: libglide_ffi.so out of the wheel valkey-glide-sync.
 *
 * Its asynchronous form calls back on threads of its own. What that costs a program that drives it
 * from one thread is kept small: a callback pushes the reply on a stack, without a lock, and wakes
 * the thread only if the stack was empty.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backend.h"
#include "fault.h"
#include "glide_ffi.h"
#include "process.h"

enum { /* ConnectionRequest */
    CONNECTION_ADDRESSES = 1,
    CONNECTION_CLUSTER_MODE_ENABLED = 3,
    CONNECTION_REQUEST_TIMEOUT = 4,
    CONNECTION_SUBSCRIPTIONS = 13,
    CONNECTION_INFLIGHT_LIMIT = 14,
    CONNECTION_CONNECTION_TIMEOUT = 16,

    ADDRESS_HOST = 1,
    ADDRESS_PORT = 2,

    /* a map from a kind to a list of names */
    SUBSCRIPTIONS_ENTRY = 1,
    ENTRY_KIND = 1,
    ENTRY_NAMES = 2,
    NAMES_NAME = 1,
    SHARDED = 2
};

/* A serialized Routes: simple_routes = AllNodes. */
static const uint8_t all_nodes[] = {0x08, 0x00};

static const int32_t types[BACKEND_VERBS] = {
    [BACKEND_GET] = FFI_GET,       [BACKEND_SET] = FFI_SET,         [BACKEND_MGET] = FFI_MGET,
    [BACKEND_LRANGE] = FFI_LRANGE, [BACKEND_HGETALL] = FFI_HGETALL, [BACKEND_PING] = FFI_PING,
};

static struct {
    ffi_create_client *create_client;
    ffi_free_connection_response *free_connection_response;
    ffi_close_client *close_client;
    ffi_run_command *command;
    ffi_run_batch *batch;
    ffi_free_command_result *free_command_result;
    ffi_free_command_response *free_command_response;
    ffi_init_log *init_log;
    ffi_free_log_result *free_log_result;
} ffi;

static const void *client;

/* A reply that the library has called back with. */
typedef struct arrival {
    const ffi_response *reply;
    struct arrival *next;
} arrival;

static arrival *arrivals;         /* by their tags */
static _Atomic(arrival *) newest; /* the stack of those that nobody has collected */
static int arrived = -1;          /* readable when there is one */

static backend_reader hearer;

/* find - set a function pointer to what the library exports under a name. */
static void find(void *library, const char *name, void *function)
{
    void *const found = dlsym(library, name);

    if (found == NULL)
        fault("official: the library has no %s", name);
    memcpy(function, &found, sizeof found); /* POSIX: pointers to both have one form */
}

static void load(const char *path)
{
    void *library;

    if (path == NULL)
        fault("official: library= is needed, the path of libglide_ffi.so");
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fault("official: %s", dlerror());
    find(library, "create_client", &ffi.create_client);
    find(library, "free_connection_response", &ffi.free_connection_response);
    find(library, "close_client", &ffi.close_client);
    find(library, "command", &ffi.command);
    find(library, "batch", &ffi.batch);
    find(library, "free_command_result", &ffi.free_command_result);
    find(library, "free_command_response", &ffi.free_command_response);
    find(library, "init", &ffi.init_log);
    find(library, "free_log_result", &ffi.free_log_result);
}

static void heard(uintptr_t sender, int kind, const uint8_t *message, int64_t message_len,
                  const uint8_t *channel, int64_t channel_len, const uint8_t *pattern,
                  int64_t pattern_len)
{
    (void)sender;
    (void)channel;
    (void)channel_len;
    (void)pattern;
    (void)pattern_len;
    if (kind == FFI_SHARDED_MESSAGE)
        hearer.string(hearer.context, (wire_bytes){message, (size_t)message_len});
}

/* put_channel - the one that is subscribed to from the start. */
static void put_channel(wire_writer *request, const char *name)
{
    const size_t subscriptions = wire_begin(request, CONNECTION_SUBSCRIPTIONS);
    const size_t entry = wire_begin(request, SUBSCRIPTIONS_ENTRY);
    size_t names;

    wire_put_uint(request, ENTRY_KIND, SHARDED);
    names = wire_begin(request, ENTRY_NAMES);
    wire_put_bytes(request, NAMES_NAME, wire_text(name));
    wire_end(request, names);
    wire_end(request, entry);
    wire_end(request, subscriptions);
}

/* succeeded, failed - the callbacks. */
static void succeeded(uintptr_t tag, const ffi_response *reply)
{
    arrival *const self = &arrivals[tag];
    arrival *before = atomic_load(&newest);

    self->reply = reply;
    do {
        self->next = before;
    } while (!atomic_compare_exchange_weak(&newest, &before, self));
    if (before == NULL && eventfd_write(arrived, 1) != 0)
        fault("official: a reply cannot be told of");
}

static void failed(uintptr_t tag, const char *message, int type)
{
    fault("official: command %zu: error of type %d: %s", (size_t)tag, type, message);
}

static ffi_client_type make_type(size_t in_flight)
{
    if (in_flight == 0)
        return (ffi_client_type){.type = FFI_SYNC_CLIENT};
    arrivals = process_room(in_flight, sizeof *arrivals);
    arrived = eventfd(0, EFD_CLOEXEC);
    if (arrived < 0)
        fault("official: there is no descriptor for an eventfd");
    return (ffi_client_type){.type = FFI_ASYNC_CLIENT, .success = succeeded, .failure = failed};
}

static void start(const backend_options *options)
{
    const ffi_client_type type = make_type(options->in_flight);
    const int silent = FFI_LOG_OFF; /* it would log to the standard output, where the figures go */
    const ffi_connection *connection;
    wire_writer request = {0};

    load(options->library);
    ffi.free_log_result(ffi.init_log(&silent, NULL));
    for (size_t i = 0; i < options->address_count; i++) {
        const size_t address = wire_begin(&request, CONNECTION_ADDRESSES);

        wire_put_bytes(&request, ADDRESS_HOST, options->addresses[i].host);
        wire_put_uint(&request, ADDRESS_PORT, options->addresses[i].port);
        wire_end(&request, address);
    }
    wire_put_bool(&request, CONNECTION_CLUSTER_MODE_ENABLED, true);
    wire_put_uint(&request, CONNECTION_REQUEST_TIMEOUT, options->request_timeout_ms);
    wire_put_uint(&request, CONNECTION_CONNECTION_TIMEOUT, options->connection_timeout_ms);
    if (options->in_flight > 0) /* it counts a command for a moment after its callback */
        wire_put_uint(&request, CONNECTION_INFLIGHT_LIMIT, 2 * options->in_flight);
    if (options->channel != NULL)
        put_channel(&request, options->channel);
    hearer = options->hearer;
    if (request.failed)
        fault("official: no memory for the ConnectionRequest");
    connection = ffi.create_client(request.data, request.len, &type,
                                   options->channel != NULL ? heard : NULL, NULL, 0);
    if (connection->client == NULL)
        fault("official: create_client: %s", connection->message);
    client = connection->client;
    ffi.free_connection_response(connection);
    wire_writer_free(&request);
}

static void *join(void)
{
    return NULL;
}

static void leave(void *session)
{
    (void)session;
}

static void read_response(const ffi_response *reply, backend_reader reader)
{
    switch (reply->type) {
    case FFI_STRING:
        reader.string(reader.context, (wire_bytes){reply->string, reply->string_len});
        return;
    case FFI_OK:
        reader.string(reader.context, wire_text("OK"));
        return;
    case FFI_ARRAY:
        for (uint64_t i = 0; i < reply->item_count; i++)
            read_response(&reply->items[i], reader);
        return;
    case FFI_MAP:
        for (uint64_t i = 0; i < reply->item_count; i++) {
            read_response(reply->items[i].map_key, reader);
            read_response(reply->items[i].map_value, reader);
        }
        return;
    default:
        fault("official: a reply of type %d", reply->type);
    }
}

static void finish(const char *call, const ffi_result *result, backend_reader reader)
{
    if (result->error != NULL)
        fault("official: %s: %s", call, result->error->message);
    read_response(result->response, reader);
    ffi.free_command_result(result);
}

/* send - run a command, or begin it: then there is no result yet. */
static const ffi_result *send(const backend_command *command, size_t tag)
{
    const bool everywhere = command->verb == BACKEND_PING;
    const size_t arg_count = command->count - 1; /* the type stands for the name */
    size_t args[BACKEND_WORDS_MAX];
    unsigned long lens[BACKEND_WORDS_MAX];

    for (size_t i = 0; i < arg_count; i++) {
        args[i] = (size_t)command->words[i + 1].data;
        lens[i] = command->words[i + 1].len;
    }
    return ffi.command(client, tag, types[command->verb], arg_count, args, lens,
                       everywhere ? all_nodes : NULL, everywhere ? sizeof all_nodes : 0, 0);
}

static void execute(void *session, const backend_command *command, backend_reader reader)
{
    (void)session;
    finish("command", send(command, 0), reader);
}

static void submit(void *session, const backend_command *command, size_t tag)
{
    (void)session;
    if (send(command, tag) != NULL)
        fault("official: a command that was to be asynchronous has a result");
}

/* take_arrivals - all that have come, the oldest first. */
static arrival *take_arrivals(void)
{
    arrival *left = atomic_exchange(&newest, NULL), *oldest = NULL;

    while (left != NULL) {
        arrival *const older = left->next;

        left->next = oldest;
        oldest = left;
        left = older;
    }
    return oldest;
}

static void collect(void *session, backend_sink sink)
{
    eventfd_t ignored;
    arrival *left;

    (void)session;
    eventfd_read(arrived, &ignored); /* waits */
    left = take_arrivals();
    while (left != NULL) {
        const size_t tag = (size_t)(left - arrivals);
        const ffi_response *reply = left->reply;

        left = left->next; /* before the tag is submitted anew */
        read_response(reply, sink.begin(sink.context, tag));
        ffi.free_command_response(reply);
        sink.end(sink.context, tag);
    }
}

static void batch(void *session, const backend_command *commands, size_t count,
                  backend_reader reader)
{
    ffi_command infos[BACKEND_WORDS_MAX];
    const ffi_command *pointers[BACKEND_WORDS_MAX];
    const uint8_t *keys[BACKEND_WORDS_MAX];
    size_t lens[BACKEND_WORDS_MAX];
    const ffi_batch info = {.command_count = count, .commands = pointers};

    (void)session;
    for (size_t i = 0; i < count; i++) {
        if (commands[i].count != 2)
            fault("official: a batch of commands with other than one argument");
        keys[i] = commands[i].words[1].data;
        lens[i] = commands[i].words[1].len;
        infos[i] = (ffi_command){types[commands[i].verb], &keys[i], 1, &lens[i]};
        pointers[i] = &infos[i];
    }
    finish("batch", ffi.batch(client, 0, &info, true, NULL, 0), reader);
}

static void stop(void)
{
    ffi.close_client(client);
    free(arrivals);
    if (arrived >= 0)
        close(arrived);
}

const backend bench_backend = {start, join, leave, execute, batch, submit, collect, NULL, stop};
