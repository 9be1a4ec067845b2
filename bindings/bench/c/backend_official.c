/* backend_official.c - the official core: libglide_ffi.so out of the wheel valkey-glide-sync. */
#include <dlfcn.h>
#include <string.h>

#include "backend.h"
#include "fault.h"
#include "glide_ffi.h"

enum { /* ConnectionRequest */
    CONNECTION_ADDRESSES = 1,
    CONNECTION_CLUSTER_MODE_ENABLED = 3,
    CONNECTION_REQUEST_TIMEOUT = 4,
    CONNECTION_CONNECTION_TIMEOUT = 16,

    ADDRESS_HOST = 1,
    ADDRESS_PORT = 2
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
} ffi;

static const void *client;

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
}

static void start(const backend_options *options)
{
    const ffi_client_type type = {.type = FFI_SYNC_CLIENT};
    const ffi_connection *connection;
    wire_writer request = {0};

    load(options->library);
    for (size_t i = 0; i < options->address_count; i++) {
        const size_t address = wire_begin(&request, CONNECTION_ADDRESSES);

        wire_put_bytes(&request, ADDRESS_HOST, options->addresses[i].host);
        wire_put_uint(&request, ADDRESS_PORT, options->addresses[i].port);
        wire_end(&request, address);
    }
    wire_put_bool(&request, CONNECTION_CLUSTER_MODE_ENABLED, true);
    wire_put_uint(&request, CONNECTION_REQUEST_TIMEOUT, options->request_timeout_ms);
    wire_put_uint(&request, CONNECTION_CONNECTION_TIMEOUT, options->connection_timeout_ms);
    if (request.failed)
        fault("official: no memory for the ConnectionRequest");
    connection = ffi.create_client(request.data, request.len, &type, NULL, NULL, 0);
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

static void execute(void *session, const backend_command *command, backend_reader reader)
{
    const bool everywhere = command->verb == BACKEND_PING;
    const size_t arg_count = command->count - 1; /* the type stands for the name */
    size_t args[BACKEND_WORDS_MAX];
    unsigned long lens[BACKEND_WORDS_MAX];

    (void)session;
    for (size_t i = 0; i < arg_count; i++) {
        args[i] = (size_t)command->words[i + 1].data;
        lens[i] = command->words[i + 1].len;
    }
    finish("command",
           ffi.command(client, 0, types[command->verb], arg_count, args, lens,
                       everywhere ? all_nodes : NULL, everywhere ? sizeof all_nodes : 0, 0),
           reader);
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
}

const backend bench_backend = {start, join, leave, execute, batch, stop};
