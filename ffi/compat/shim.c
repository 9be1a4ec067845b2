/*
 * The functions of glide_ffi.h that need the core. Each packs its arguments for the Go function of
 * the same purpose; after a fork Go is never entered.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "_cgo_export.h"
#include "shim.h"

static bool forked; /* set in a child, where only one thread lives */

static void mark_forked(void)
{
    forked = true;
}

__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, mark_forked);
}

bool compat_forked(void)
{
    return forked;
}

const char compat_forked_message[] =
    "this process is a forked child; the library works in its parent only";

static CommandResult *refuse_forked(void)
{
    return compat_refuse(GLIDE_ERROR_DISCONNECT, compat_forked_message);
}

const ConnectionResponse *create_client(const uint8_t *request, size_t request_len,
                                        const ClientType *type, PubSubCallback pubsub,
                                        AddressResolverCallback resolver, uintptr_t client_id)
{
    (void)pubsub; /* called where there are subscriptions, and there are none yet */
    if (forked)
        return compat_unconnected(GLIDE_CONNECTION_FAILED, compat_forked_message);
    if (type == NULL || (request == NULL && request_len > 0))
        return compat_unconnected(GLIDE_CONNECTION_CONFIGURATION,
                                  "configuration error: the request or the client type is NULL");
    return compatCreateClient((void *)request, request_len, (ClientType *)type, resolver, client_id);
}

uint64_t glide_allocate_client_id(void)
{
    static _Atomic uint64_t last;

    return atomic_fetch_add(&last, 1) + 1;
}

void close_client(const void *client)
{
    if (!forked && client != NULL)
        compatCloseClient((uintptr_t)client);
}

static CommandResult *run(const compat_command *call)
{
    return forked ? refuse_forked() : compatCommand((compat_command *)call);
}

CommandResult *command(const void *client, uintptr_t request_id, int type, unsigned long arg_count,
                       const size_t *args, const unsigned long *args_len, const unsigned char *route,
                       size_t route_len, uint64_t span)
{
    return command_with_buffer(client, request_id, type, arg_count, args, args_len, route, route_len,
                               NULL, 0, span);
}

CommandResult *command_with_buffer(const void *client, uintptr_t request_id, int type,
                                   unsigned long arg_count, const size_t *args,
                                   const unsigned long *args_len, const unsigned char *route,
                                   size_t route_len, uint8_t *target, size_t target_len,
                                   uint64_t span)
{
    (void)span;
    return run(&(compat_command){
        .client = client,
        .request_id = request_id,
        .type = type,
        .args = {args, args_len, arg_count},
        .route = {.bytes = route, .len = route_len},
        .targets = {&target, &target_len, target != NULL, false},
    });
}

CommandResult *command_with_buffers(const void *client, uintptr_t request_id, int type,
                                    unsigned long arg_count, const size_t *args,
                                    const unsigned long *args_len, const unsigned char *route,
                                    size_t route_len, uint8_t **targets, size_t *target_lens,
                                    size_t target_count, uint64_t span)
{
    (void)span;
    return run(&(compat_command){
        .client = client,
        .request_id = request_id,
        .type = type,
        .args = {args, args_len, arg_count},
        .route = {.bytes = route, .len = route_len},
        .targets = {targets, target_lens, target_count, true},
    });
}

CommandResult *command_with_route_info(const void *client, uintptr_t request_id, int type,
                                       unsigned long arg_count, const size_t *args,
                                       const unsigned long *args_len, const RouteInfo *route,
                                       uint64_t span)
{
    (void)span;
    return run(&(compat_command){
        .client = client,
        .request_id = request_id,
        .type = type,
        .args = {args, args_len, arg_count},
        .route = {.info = route},
    });
}

CommandResult *batch(const void *client, uintptr_t request_id, const BatchInfo *commands,
                     bool raise_on_error, const BatchOptionsInfo *options, uint64_t span)
{
    (void)span;
    return forked ? refuse_forked()
                  : compatBatch((uintptr_t)client, request_id, (BatchInfo *)commands, raise_on_error,
                                (BatchOptionsInfo *)options);
}

CommandResult *invoke_script(const void *client, uintptr_t request_id, const char *hash,
                             unsigned long key_count, const size_t *keys,
                             const unsigned long *keys_len, unsigned long arg_count,
                             const size_t *args, const unsigned long *args_len,
                             const unsigned char *route, size_t route_len, uint64_t span)
{
    compat_script call = {
        .client = client,
        .request_id = request_id,
        .hash = hash,
        .keys = {keys, keys_len, key_count},
        .args = {args, args_len, arg_count},
        .route = {.bytes = route, .len = route_len},
    };

    (void)span;
    return forked ? refuse_forked() : compatInvokeScript(&call);
}

ScriptHashBuffer *store_script(const uint8_t *script, size_t script_len)
{
    if (forked || (script == NULL && script_len > 0))
        return NULL;
    return compatStoreScript((void *)script, script_len);
}

char *drop_script(uint8_t *hash, size_t hash_len)
{
    if (forked)
        return NULL; /* the child's copy of the store goes with it */
    if (hash == NULL)
        return strdup("Hash pointer was null.");
    return compatDropScript(hash, hash_len);
}

CommandResult *request_cluster_scan(const void *client, uintptr_t request_id, const char *cursor,
                                    unsigned long arg_count, const size_t *args,
                                    const unsigned long *args_len)
{
    compat_words words = {args, args_len, arg_count};

    if (forked)
        return refuse_forked();
    return compatScan((uintptr_t)client, request_id, (char *)cursor, &words);
}

void remove_cluster_scan_cursor(const char *cursor)
{
    if (!forked && cursor != NULL)
        compatForgetCursor((char *)cursor);
}

CommandResult *update_connection_password(const void *client, uintptr_t request_id,
                                          const char *password, bool immediate_authentication)
{
    return forked ? refuse_forked()
                  : compatUpdatePassword((uintptr_t)client, request_id, (char *)password,
                                         immediate_authentication);
}

Statistics get_statistics(void)
{
    Statistics statistics = {0};

    if (!forked)
        compatStatistics(&statistics);
    return statistics;
}
