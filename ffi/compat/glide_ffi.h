/*
 * glide_ffi.h - the C interface that the bindings of Valkey GLIDE 2.6 speak to its core.
 *
 * This library stands in for libglide_ffi.so on the core of libglide. Layouts and numbers are
 * fixed by those bindings, which read the structs at fixed offsets (x86-64 and arm64 of Linux,
 * LP64).
 *
 * Threads: every function may be called by any number of threads at once.
 * Memory: input is read during the call only. What a function returns is C memory that belongs
 * to the library until the matching free_* function gets it; each of those takes NULL.
 * Fork: in a forked child no function enters the library: commands and clients answer with an
 * error that says so, and what is freed or closed there is let be.
 */
#ifndef GLIDE_FFI_H
#define GLIDE_FFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Replies ---- */

enum glide_response_type {
    GLIDE_RESPONSE_NULL,
    GLIDE_RESPONSE_INT,
    GLIDE_RESPONSE_FLOAT,
    GLIDE_RESPONSE_BOOL,
    GLIDE_RESPONSE_STRING,
    GLIDE_RESPONSE_ARRAY,
    GLIDE_RESPONSE_MAP,
    GLIDE_RESPONSE_SETS,
    GLIDE_RESPONSE_OK,
    GLIDE_RESPONSE_ERROR
};

/* One value of a reply, 104 bytes. What its type does not use is zero. */
typedef struct CommandResponse {
    int response_type;
    long int_value;
    double float_value;
    bool bool_value;
    char *string_value; /* never NULL for a string, also an empty one */
    long string_value_len;
    struct CommandResponse *array_value; /* elements of an array; entries of a map */
    long array_value_len;
    struct CommandResponse *map_key; /* in an entry of a map, which has no other field set */
    struct CommandResponse *map_value;
    struct CommandResponse *sets_value;
    long sets_value_len;
    void *user_data; /* of the root: the block that holds the whole reply */
} CommandResponse;

enum glide_error_type {
    GLIDE_ERROR_UNSPECIFIED,
    GLIDE_ERROR_EXEC_ABORT,
    GLIDE_ERROR_TIMEOUT,
    GLIDE_ERROR_DISCONNECT,
    GLIDE_ERROR_CIRCUIT_BREAKER_OPEN
};

typedef struct {
    const char *command_error_message; /* NUL-terminated UTF-8 */
    int command_error_type;
} CommandError;

/* Exactly one of response and command_error is set. */
typedef struct {
    CommandResponse *response;
    CommandError *command_error;
    void *arena; /* the block that holds this struct and everything it leads to */
} CommandResult;

void free_command_result(CommandResult *result);
void free_command_response(CommandResponse *response); /* of a success callback */
void free_response_arena(void *arena);
void free_c_string(char *text);

/* ---- Clients ---- */

typedef void (*SuccessCallback)(uintptr_t request_id, const CommandResponse *response);
typedef void (*FailureCallback)(uintptr_t request_id, const char *message, int error_type);
typedef void (*PubSubCallback)(uintptr_t client, int kind, const uint8_t *message,
                               int64_t message_len, const uint8_t *channel, int64_t channel_len,
                               const uint8_t *pattern, int64_t pattern_len);
typedef uint16_t (*AddressResolverCallback)(uintptr_t client_id, const uint8_t *host,
                                            size_t host_len, uint16_t port, uint8_t *resolved,
                                            size_t capacity, size_t *resolved_len);
typedef uint8_t (*CredentialProviderCallback)(uintptr_t client_id, uint8_t *key_id,
                                              size_t key_id_capacity, size_t *key_id_len,
                                              uint8_t *secret, size_t secret_capacity,
                                              size_t *secret_len, uint8_t *token,
                                              size_t token_capacity, size_t *token_len,
                                              int64_t *expires_at_epoch_millis);

enum glide_client_kind { GLIDE_CLIENT_ASYNC, GLIDE_CLIENT_SYNC };

/* A sync client's functions return their CommandResult. An async client's return NULL; what came
 * of it is told to a callback, on a thread of the library: a response then belongs to the
 * callee, a message is valid during the callback only. */
typedef struct {
    int type;
    SuccessCallback success_callback;
    FailureCallback failure_callback;
    bool allow_stack_response; /* not used: responses are always on the heap */
} ClientType;

enum glide_connection_error_type { GLIDE_CONNECTION_FAILED, GLIDE_CONNECTION_CONFIGURATION };

typedef struct {
    const void *conn_ptr; /* a handle, not an address; NULL where there is a message */
    const char *connection_error_message;
    int connection_error_type;
} ConnectionResponse;

/* Connect as a protobuf ConnectionRequest says. Blocks until the client is connected or the
 * connection timeout is over; never returns NULL, unless memory is short. */
const ConnectionResponse *create_client(const uint8_t *request, size_t request_len,
                                        const ClientType *type, PubSubCallback pubsub,
                                        AddressResolverCallback resolver, uintptr_t client_id);
const ConnectionResponse *create_client_with_credential_provider(
    const uint8_t *request, size_t request_len, const ClientType *type, PubSubCallback pubsub,
    AddressResolverCallback resolver, uintptr_t client_id, CredentialProviderCallback provider);
const ConnectionResponse *create_client_from_uri(const char *uri, const char *options_json,
                                                 const ClientType *type, PubSubCallback pubsub);
void free_connection_response(ConnectionResponse *response);

/* Ends the calls that run on the client, with an error, and closes its connections. Harmless on a
 * client that is closed. */
void close_client(const void *client);

uint64_t glide_allocate_client_id(void);

/* ---- Commands ---- */

/* args[i] is an address, args_len[i] a size; an argument of size 0 may have any address. The route
 * is a protobuf Routes, or NULL. Blocks until the reply, at most for the client's request timeout
 * or, where the command itself blocks, half a second longer than it asks for. */
CommandResult *command(const void *client, uintptr_t request_id, int type, unsigned long arg_count,
                       const size_t *args, const unsigned long *args_len, const unsigned char *route,
                       size_t route_len, uint64_t span);

/* A bulk string of n bytes goes into target, and the reply is n in decimal. One that does not fit
 * is an error. */
CommandResult *command_with_buffer(const void *client, uintptr_t request_id, int type,
                                   unsigned long arg_count, const size_t *args,
                                   const unsigned long *args_len, const unsigned char *route,
                                   size_t route_len, uint8_t *target, size_t target_len,
                                   uint64_t span);

/* The same for each element of an array. */
CommandResult *command_with_buffers(const void *client, uintptr_t request_id, int type,
                                    unsigned long arg_count, const size_t *args,
                                    const unsigned long *args_len, const unsigned char *route,
                                    size_t route_len, uint8_t **targets, size_t *target_lens,
                                    size_t target_count, uint64_t span);

enum glide_route_type {
    GLIDE_ROUTE_ALL_NODES,
    GLIDE_ROUTE_ALL_PRIMARIES,
    GLIDE_ROUTE_RANDOM,
    GLIDE_ROUTE_SLOT_ID,
    GLIDE_ROUTE_SLOT_KEY,
    GLIDE_ROUTE_BY_ADDRESS
};

enum glide_slot_type { GLIDE_SLOT_PRIMARY, GLIDE_SLOT_REPLICA };

typedef struct {
    int route_type;
    int slot_id;
    const char *slot_key; /* NUL-terminated */
    int slot_type;
    const char *hostname; /* NUL-terminated; "host:port" where port is 0 */
    int port;
} RouteInfo;

CommandResult *command_with_route_info(const void *client, uintptr_t request_id, int type,
                                       unsigned long arg_count, const size_t *args,
                                       const unsigned long *args_len, const RouteInfo *route,
                                       uint64_t span);

typedef struct {
    int request_type;
    const uint8_t **args;
    size_t arg_count;
    const size_t *args_len;
} CmdInfo;

typedef struct {
    size_t cmd_count;
    const CmdInfo **cmds;
    bool is_atomic;
} BatchInfo;

typedef struct {
    bool retry_server_error;
    bool retry_connection_error;
    bool has_timeout;
    uint32_t timeout; /* milliseconds */
    const RouteInfo *route_info;
} BatchOptionsInfo;

CommandResult *batch(const void *client, uintptr_t request_id, const BatchInfo *commands,
                     bool raise_on_error, const BatchOptionsInfo *options, uint64_t span);

/* ---- Scripts: kept by the library for all clients, counted, sent to a server that has not got
 * them ---- */

typedef struct {
    uint8_t *ptr; /* the SHA-1 in 40 hexadecimal digits, not NUL-terminated */
    size_t len;
    size_t capacity;
} ScriptHashBuffer;

ScriptHashBuffer *store_script(const uint8_t *script, size_t script_len);
void free_script_hash_buffer(ScriptHashBuffer *buffer);
char *drop_script(uint8_t *hash, size_t hash_len); /* NULL, or what is wrong */
void free_drop_script_error(char *message);
CommandResult *invoke_script(const void *client, uintptr_t request_id, const char *hash,
                             unsigned long key_count, const size_t *keys,
                             const unsigned long *keys_len, unsigned long arg_count,
                             const size_t *args, const unsigned long *args_len,
                             const unsigned char *route, size_t route_len, uint64_t span);

/* ---- Scanning a whole cluster ---- */

/* args: MATCH pattern, COUNT n, TYPE t, ALLOW_NON_COVERED_SLOTS. The reply is the cursor for the
 * next step, "finished" after the last, and some keys. */
CommandResult *request_cluster_scan(const void *client, uintptr_t request_id, const char *cursor,
                                    unsigned long arg_count, const size_t *args,
                                    const unsigned long *args_len);
void remove_cluster_scan_cursor(const char *cursor);

/* ---- Credentials and measures ---- */

CommandResult *update_connection_password(const void *client, uintptr_t request_id,
                                          const char *password, bool immediate_authentication);
CommandResult *refresh_iam_token(const void *client, uintptr_t request_id);
CommandResult *get_cache_metrics(const void *client, uintptr_t request_id, int metrics_type);

typedef struct {
    unsigned long total_connections; /* open now */
    unsigned long total_clients;     /* open now */
    unsigned long total_values_compressed;
    unsigned long total_values_decompressed;
    unsigned long total_original_bytes;
    unsigned long total_bytes_compressed;
    unsigned long total_bytes_decompressed;
    unsigned long compression_skipped_count;
    unsigned long subscription_out_of_sync_count;
    unsigned long subscription_last_sync_timestamp;
} Statistics;

Statistics get_statistics(void);
unsigned long get_min_compressed_size(void);

/* ---- The host's log ---- */

typedef enum { ERROR, WARN, INFO, DEBUG, TRACE, OFF } Level;

typedef struct {
    char *log_error;
    int level; /* in force now */
} LogResult;

/* level NULL: WARN. file_name NULL: standard output; else a file of that name and the hour (UTC) in
 * the folder glide-logs. The library itself logs nothing. */
LogResult *init(const Level *level, const char *file_name);
LogResult *glide_log(int level, const char *identifier, const char *message);
void free_log_result(LogResult *result);

/* ---- The pipe of asynchronous clients ---- */

void init_async_pipe(int write_fd);
void reinit_async_pipe(int write_fd);
void free_pipe_error_string(char *message);
void free_pubsub_pointer_payload(uint8_t *payload, size_t len);
void noop_success_callback(uintptr_t request_id, const CommandResponse *response);
void noop_failure_callback(uintptr_t request_id, const char *message, int error_type);

/* ---- Not supported yet: each says so where it has a way to ---- */

const char *register_pubsub_callback(const void *client, PubSubCallback pubsub);
const char *unregister_pubsub_callback(const void *client);

typedef struct {
    const char *endpoint;
    bool has_sample_percentage;
    uint32_t sample_percentage;
} OpenTelemetryTracesConfig;

typedef struct {
    const char *endpoint;
} OpenTelemetryMetricsConfig;

typedef struct {
    const OpenTelemetryTracesConfig *traces;
    const OpenTelemetryMetricsConfig *metrics;
    bool has_flush_interval_ms;
    int64_t flush_interval_ms;
} OpenTelemetryConfig;

/* Spans are 0, which is none. */
const char *init_open_telemetry(const OpenTelemetryConfig *config);
uint64_t create_otel_span(int request_type);
uint64_t create_otel_span_with_parent(int request_type, uint64_t parent);
uint64_t create_otel_span_with_trace_context(int request_type, const char *trace_id,
                                             const char *span_id, uint8_t flags, const char *state);
uint64_t create_batch_otel_span(void);
uint64_t create_batch_otel_span_with_parent(uint64_t parent);
uint64_t create_batch_otel_span_with_trace_context(const char *trace_id, const char *span_id,
                                                   uint8_t flags, const char *state);
uint64_t create_named_otel_span(const char *name);
uint64_t create_named_otel_span_with_trace_context(const char *name, const char *trace_id,
                                                   const char *span_id, uint8_t flags,
                                                   const char *state);
void drop_otel_span(uint64_t span);

typedef void (*MonitorCallback)(uintptr_t client, double timestamp, int64_t db,
                                const uint8_t *address, int64_t address_len, const uint8_t *command,
                                int64_t command_len, const uint8_t *args_json, int64_t args_len);

const ConnectionResponse *create_monitor_client(const uint8_t *request, size_t request_len,
                                                MonitorCallback callback);
void close_monitor_client(const void *client);

enum glide_pool_metrics_status { GLIDE_POOL_READ, GLIDE_POOL_UNKNOWN, GLIDE_POOL_LOCK_HELD };

typedef struct {
    int status;
    uint32_t idle;
    uint32_t active;
    uint32_t total;
} PoolMetrics;

int64_t glide_pool_create(uint32_t max_size, uint32_t min_idle, uint64_t idle_timeout_ms,
                          uint64_t request_timeout_ms, uint64_t abandon_timeout_ms,
                          const uint8_t *request, size_t request_len, const ClientType *type);
int64_t glide_pool_try_acquire(uint64_t pool);
int64_t glide_pool_acquire_blocking(uint64_t pool, uint64_t timeout_ms);
int32_t glide_pool_release(uint64_t pool, uint64_t client_id);
int32_t glide_pool_destroy(uint64_t pool);
size_t glide_pool_get_client_ptr(uint64_t client_id);
int32_t glide_pool_set_pipe_client_id(uint64_t client_id, uint64_t pipe_client_id);
PoolMetrics glide_pool_metrics(uint64_t pool);

CommandResult *glide_scope_acquire_blocking(uint64_t client_id, const uint8_t *request,
                                            size_t request_len, bool has_routing_slot, uint16_t slot,
                                            uint64_t timeout_ms);
int32_t glide_scope_acquire_pipe(uint64_t client_id, const uint8_t *request, size_t request_len,
                                 bool has_routing_slot, uint16_t slot, uint64_t timeout_ms,
                                 uintptr_t request_id, uint64_t pipe_client_id);
int32_t glide_scope_acquire_async(uint64_t client_id, const uint8_t *request, size_t request_len,
                                  bool has_routing_slot, uint16_t slot, uint64_t timeout_ms,
                                  uintptr_t request_id);
CommandResult *glide_scope_execute(uint64_t scope, const uint8_t *command, size_t command_len);
int32_t glide_scope_execute_async(uint64_t scope, const uint8_t *command, size_t command_len,
                                  uintptr_t request_id);
int32_t glide_scope_release(uint64_t scope, uint64_t client_id);
void glide_scope_prewarm(uint64_t client_id, const uint8_t *request, size_t request_len,
                         uint32_t min_idle);

typedef struct RdmaRegion RdmaRegion;
typedef struct RdmaMemoryHold RdmaMemoryHold;

typedef struct {
    const char *error_message;
    RdmaRegion *region;
} RdmaRegistration;

typedef struct {
    const char *error_message;
    int error_type;
    bool found;
    size_t bytes_written;
    bool has_checksum;
    uint32_t checksum;
    bool region_closed;
} RdmaResult;

bool rdma_available(void);
bool rdma_usable(void);
bool rdma_checksum(const uint8_t *data, size_t length, uint32_t *out);
RdmaRegistration *register_rdma_region(const void *client, uint8_t *memory, size_t length);
RdmaResult *rdma_get(const void *client, const uint8_t *key, size_t key_len, RdmaRegion *region,
                     size_t offset, size_t length);
RdmaResult *rdma_set(const void *client, const uint8_t *key, size_t key_len, RdmaRegion *region,
                     size_t offset, size_t length, int checksum_mode, uint32_t checksum);
char *rdma_close_regions(const void *client);
RdmaMemoryHold *free_rdma_region(RdmaRegion *region);
bool rdma_memory_released(const RdmaMemoryHold *hold);
void free_rdma_memory_hold(RdmaMemoryHold *hold);
void free_rdma_registration(RdmaRegistration *registration);
void free_rdma_result(RdmaResult *result);
uint64_t rdma_leaked_bytes(void);
uint64_t rdma_memory_leaked(void);
uint64_t rdma_parked_bytes(void);

#ifdef __cplusplus
}
#endif

#endif
