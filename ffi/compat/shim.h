/* What the C and the Go side of this library share. */
#ifndef COMPAT_SHIM_H
#define COMPAT_SHIM_H

#include <stdlib.h>

#include "glide_ffi.h"

/* Words as their addresses and sizes. */
typedef struct {
    const size_t *at;
    const unsigned long *sizes;
    size_t count;
} compat_words;

/* Where a command goes: as protobuf, or as a struct, or neither. */
typedef struct {
    const unsigned char *bytes;
    size_t len;
    const RouteInfo *info;
} compat_route;

/* Where the strings of a reply go instead of into it. */
typedef struct {
    uint8_t **at;
    size_t *sizes;
    size_t count;
    bool elements; /* one for each element of an array, not one for the whole */
} compat_targets;

/* One call of command, command_with_buffer, command_with_buffers or command_with_route_info. */
typedef struct {
    const void *client;
    uintptr_t request_id;
    int type;
    compat_words args;
    compat_route route;
    compat_targets targets;
} compat_command;

/* One call of invoke_script. */
typedef struct {
    const void *client;
    uintptr_t request_id;
    const char *hash;
    compat_words keys;
    compat_words args;
    compat_route route;
} compat_script;

/* Whether this is a forked child, where Go must not be entered: its threads are gone. */
bool compat_forked(void);

extern const char compat_forked_message[];

/* A result that is an error; NULL where memory is short. */
CommandResult *compat_refuse(int type, const char *message);

/* A response without a client; NULL where memory is short. */
ConnectionResponse *compat_unconnected(int type, const char *message);

/* malloc that Go may see fail; cgo's own ends the process. */
static inline void *malloc_or_null(size_t size)
{
    return malloc(size);
}

/* Go cannot call a C function through a pointer itself. */
static inline void call_success(SuccessCallback callback, uintptr_t id, CommandResponse *response)
{
    callback(id, response);
}

static inline void call_failure(FailureCallback callback, uintptr_t id, const char *text, int type)
{
    callback(id, text, type);
}

static inline uint16_t call_resolver(AddressResolverCallback callback, uintptr_t client_id,
                                     const uint8_t *host, size_t host_len, uint16_t port,
                                     uint8_t *room, size_t capacity, size_t *len)
{
    return callback(client_id, host, host_len, port, room, capacity, len);
}

#endif
