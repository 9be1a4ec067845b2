/*
 * glide_ffi.h - the part of the C interface of Valkey GLIDE's libglide_ffi (2.6.0) that the
 * benchmark calls, written down from its binary layout on 64-bit machines. The library comes with
 * the PyPI package valkey-glide-sync and is loaded at run time.
 */
#ifndef GLIDE_FFI_H
#define GLIDE_FFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The client's kind: ffi_client_type.type. With an asynchronous one a command returns NULL at once,
 * and what became of it comes to a callback, on a thread of the library. */
enum { FFI_ASYNC_CLIENT = 0, FFI_SYNC_CLIENT = 1 };

/* Request types. */
enum {
    FFI_PING = 322,
    FFI_HGETALL = 604,
    FFI_LRANGE = 815,
    FFI_GET = 1504,
    FFI_MGET = 1513,
    FFI_SET = 1517
};

/* What a reply is: ffi_response.type. */
enum {
    FFI_NULL = 0,
    FFI_INT = 1,
    FFI_FLOAT = 2,
    FFI_BOOL = 3,
    FFI_STRING = 4, /* string, of string_len bytes */
    FFI_ARRAY = 5,  /* items, of item_count */
    FFI_MAP = 6,    /* items, of item_count; each has map_key and map_value only */
    FFI_SETS = 7,
    FFI_OK = 8, /* the status line OK */
    FFI_ERROR = 9
};

typedef struct ffi_response {
    int32_t type;
    int64_t integer;
    double number;
    bool boolean;
    const uint8_t *string;
    uint64_t string_len;
    const struct ffi_response *items;
    uint64_t item_count;
    const struct ffi_response *map_key;
    const struct ffi_response *map_value;
    const struct ffi_response *members;
    uint64_t member_count;
    void *owner;
} ffi_response;

_Static_assert(offsetof(ffi_response, string) == 32, "layout of CommandResponse");
_Static_assert(offsetof(ffi_response, items) == 48, "layout of CommandResponse");
_Static_assert(offsetof(ffi_response, map_key) == 64, "layout of CommandResponse");
_Static_assert(sizeof(ffi_response) == 104, "layout of CommandResponse");

typedef struct ffi_error {
    const char *message;
    int32_t type;
} ffi_error;

/* One of the two is NULL. */
typedef struct ffi_result {
    const ffi_response *response;
    const ffi_error *error;
    void *owner;
} ffi_result;

_Static_assert(sizeof(ffi_result) == 24, "layout of CommandResult");

/* client is NULL where it failed. */
typedef struct ffi_connection {
    const void *client;
    const char *message;
    int32_t error_type;
} ffi_connection;

/* request is what the command was given as its channel. The reply is the callee's, to be freed; the
 * message lives during the call. */
typedef struct ffi_client_type {
    int32_t type;
    void (*success)(uintptr_t request, const ffi_response *reply);
    void (*failure)(uintptr_t request, const char *message, int type);
    bool allow_stack_response;
} ffi_client_type;

_Static_assert(sizeof(ffi_client_type) == 32, "layout of ClientType");

typedef struct ffi_command {
    int32_t type;
    const uint8_t *const *args;
    size_t arg_count;
    const size_t *arg_lens;
} ffi_command;

typedef struct ffi_batch {
    size_t command_count;
    const ffi_command *const *commands;
    bool atomic;
} ffi_batch;

_Static_assert(sizeof(ffi_command) == 32, "layout of CmdInfo");
_Static_assert(sizeof(ffi_batch) == 24, "layout of BatchInfo");

/* Takes the messages of subscriptions, on a thread of the library; the bytes live during the call.
 * Its kinds are those of the server's push messages. */
typedef void ffi_pubsub(uintptr_t client, int kind, const uint8_t *message, int64_t message_len,
                        const uint8_t *channel, int64_t channel_len, const uint8_t *pattern,
                        int64_t pattern_len);

enum { FFI_SHARDED_MESSAGE = 5 };

enum { FFI_LOG_OFF = 5 };

/* Callbacks and options that the benchmark leaves out are void pointers here. */
typedef const ffi_connection *ffi_create_client(const uint8_t *request, size_t len,
                                                const ffi_client_type *type,
                                                ffi_pubsub *pubsub_callback,
                                                const void *address_resolver, uintptr_t client_id);
typedef void ffi_free_connection_response(const ffi_connection *connection);
typedef void ffi_close_client(const void *client);
typedef const ffi_result *ffi_run_command(const void *client, uintptr_t channel, int type,
                                          unsigned long arg_count, const size_t *args,
                                          const unsigned long *arg_lens, const uint8_t *route,
                                          size_t route_len, uint64_t span);
typedef const ffi_result *ffi_run_batch(const void *client, uintptr_t callback_index,
                                        const ffi_batch *batch, bool raise_on_error,
                                        const void *options, uint64_t span);
typedef void ffi_free_command_result(const ffi_result *result);
typedef void *ffi_init_log(const int *level, const char *file_name);
typedef void ffi_free_log_result(void *result);
typedef void ffi_free_command_response(const ffi_response *reply);

#endif /* GLIDE_FFI_H */
