/*
 * What GLIDE's core has and this library has not yet: pub/sub, client-side cache, OpenTelemetry,
 * pools, scopes, the monitor, IAM, RDMA, asynchronous clients over a pipe. Every function is there
 * and says so, where its result has room for it.
 */
#include <string.h>

#include "shim.h"

static CommandResult *refuse(const char *message)
{
    return compat_refuse(GLIDE_ERROR_UNSPECIFIED, message);
}

static ConnectionResponse *unconnected(const char *message)
{
    return compat_unconnected(GLIDE_CONNECTION_CONFIGURATION, message);
}

/* ---- Clients ---- */

const ConnectionResponse *create_client_with_credential_provider(
    const uint8_t *request, size_t request_len, const ClientType *type, PubSubCallback pubsub,
    AddressResolverCallback resolver, uintptr_t client_id, CredentialProviderCallback provider)
{
    (void)request, (void)request_len, (void)type, (void)pubsub, (void)resolver, (void)client_id;
    (void)provider;
    return unconnected("configuration error: credential providers are not supported yet");
}

const ConnectionResponse *create_client_from_uri(const char *uri, const char *options_json,
                                                 const ClientType *type, PubSubCallback pubsub)
{
    (void)uri, (void)options_json, (void)type, (void)pubsub;
    return unconnected("configuration error: clients from a URI are not supported yet");
}

CommandResult *refresh_iam_token(const void *client, uintptr_t request_id)
{
    (void)client, (void)request_id;
    return refuse("No IAM token manager configured - IAM token refresh requires IAM authentication "
                  "to be enabled during client creation- ClientError");
}

CommandResult *get_cache_metrics(const void *client, uintptr_t request_id, int metrics_type)
{
    (void)client, (void)request_id, (void)metrics_type;
    return refuse("Client-side caching is not enabled- InvalidClientConfig");
}

unsigned long get_min_compressed_size(void)
{
    return 6; /* the header of five bytes, and one */
}

/* A pipe client is refused when it is created. */
void init_async_pipe(int write_fd)
{
    (void)write_fd;
}

void reinit_async_pipe(int write_fd)
{
    (void)write_fd;
}

/* ---- Pub/sub ---- */

const char *register_pubsub_callback(const void *client, PubSubCallback pubsub)
{
    (void)client, (void)pubsub;
    return strdup("pub/sub is not supported yet");
}

const char *unregister_pubsub_callback(const void *client)
{
    (void)client;
    return strdup("pub/sub is not supported yet");
}

/* ---- OpenTelemetry: there is no span, which is 0 ---- */

const char *init_open_telemetry(const OpenTelemetryConfig *config)
{
    (void)config;
    return strdup("OpenTelemetry is not supported yet");
}

uint64_t create_otel_span(int request_type)
{
    (void)request_type;
    return 0;
}

uint64_t create_otel_span_with_parent(int request_type, uint64_t parent)
{
    (void)request_type, (void)parent;
    return 0;
}

uint64_t create_otel_span_with_trace_context(int request_type, const char *trace_id,
                                             const char *span_id, uint8_t flags, const char *state)
{
    (void)request_type, (void)trace_id, (void)span_id, (void)flags, (void)state;
    return 0;
}

uint64_t create_batch_otel_span(void)
{
    return 0;
}

uint64_t create_batch_otel_span_with_parent(uint64_t parent)
{
    (void)parent;
    return 0;
}

uint64_t create_batch_otel_span_with_trace_context(const char *trace_id, const char *span_id,
                                                   uint8_t flags, const char *state)
{
    (void)trace_id, (void)span_id, (void)flags, (void)state;
    return 0;
}

uint64_t create_named_otel_span(const char *name)
{
    (void)name;
    return 0;
}

uint64_t create_named_otel_span_with_trace_context(const char *name, const char *trace_id,
                                                   const char *span_id, uint8_t flags,
                                                   const char *state)
{
    (void)name, (void)trace_id, (void)span_id, (void)flags, (void)state;
    return 0;
}

void drop_otel_span(uint64_t span)
{
    (void)span;
}

/* ---- Monitor ---- */

const ConnectionResponse *create_monitor_client(const uint8_t *request, size_t request_len,
                                                MonitorCallback callback)
{
    (void)request, (void)request_len, (void)callback;
    return unconnected("configuration error: the monitor client is not supported yet");
}

void close_monitor_client(const void *client)
{
    (void)client;
}

/* ---- Pools: none can be created, so every number is of an unknown one ---- */

enum { POOL_BAD_CONFIG = -1, POOL_UNKNOWN = -2 };

int64_t glide_pool_create(uint32_t max_size, uint32_t min_idle, uint64_t idle_timeout_ms,
                          uint64_t request_timeout_ms, uint64_t abandon_timeout_ms,
                          const uint8_t *request, size_t request_len, const ClientType *type)
{
    (void)max_size, (void)min_idle, (void)idle_timeout_ms, (void)request_timeout_ms;
    (void)abandon_timeout_ms, (void)request, (void)request_len, (void)type;
    return POOL_BAD_CONFIG;
}

int64_t glide_pool_try_acquire(uint64_t pool)
{
    (void)pool;
    return POOL_UNKNOWN;
}

int64_t glide_pool_acquire_blocking(uint64_t pool, uint64_t timeout_ms)
{
    (void)pool, (void)timeout_ms;
    return POOL_UNKNOWN;
}

int32_t glide_pool_release(uint64_t pool, uint64_t client_id)
{
    (void)pool, (void)client_id;
    return POOL_UNKNOWN;
}

int32_t glide_pool_destroy(uint64_t pool)
{
    (void)pool;
    return POOL_UNKNOWN;
}

size_t glide_pool_get_client_ptr(uint64_t client_id)
{
    (void)client_id;
    return 0;
}

int32_t glide_pool_set_pipe_client_id(uint64_t client_id, uint64_t pipe_client_id)
{
    (void)client_id, (void)pipe_client_id;
    return POOL_UNKNOWN;
}

PoolMetrics glide_pool_metrics(uint64_t pool)
{
    (void)pool;
    return (PoolMetrics){.status = GLIDE_POOL_UNKNOWN};
}

/* ---- Scopes ---- */

enum { SCOPE_UNKNOWN = -1 };

static const char no_scopes[] = "isolated scopes are not supported yet- ClientError";

CommandResult *glide_scope_acquire_blocking(uint64_t client_id, const uint8_t *request,
                                            size_t request_len, bool has_routing_slot, uint16_t slot,
                                            uint64_t timeout_ms)
{
    (void)client_id, (void)request, (void)request_len, (void)has_routing_slot, (void)slot;
    (void)timeout_ms;
    return refuse(no_scopes);
}

int32_t glide_scope_acquire_pipe(uint64_t client_id, const uint8_t *request, size_t request_len,
                                 bool has_routing_slot, uint16_t slot, uint64_t timeout_ms,
                                 uintptr_t request_id, uint64_t pipe_client_id)
{
    (void)client_id, (void)request, (void)request_len, (void)has_routing_slot, (void)slot;
    (void)timeout_ms, (void)request_id, (void)pipe_client_id;
    return SCOPE_UNKNOWN;
}

int32_t glide_scope_acquire_async(uint64_t client_id, const uint8_t *request, size_t request_len,
                                  bool has_routing_slot, uint16_t slot, uint64_t timeout_ms,
                                  uintptr_t request_id)
{
    (void)client_id, (void)request, (void)request_len, (void)has_routing_slot, (void)slot;
    (void)timeout_ms, (void)request_id;
    return SCOPE_UNKNOWN;
}

CommandResult *glide_scope_execute(uint64_t scope, const uint8_t *command, size_t command_len)
{
    (void)scope, (void)command, (void)command_len;
    return refuse(no_scopes);
}

int32_t glide_scope_execute_async(uint64_t scope, const uint8_t *command, size_t command_len,
                                  uintptr_t request_id)
{
    (void)scope, (void)command, (void)command_len, (void)request_id;
    return SCOPE_UNKNOWN;
}

int32_t glide_scope_release(uint64_t scope, uint64_t client_id)
{
    (void)scope, (void)client_id;
    return SCOPE_UNKNOWN;
}

void glide_scope_prewarm(uint64_t client_id, const uint8_t *request, size_t request_len,
                         uint32_t min_idle)
{
    (void)client_id, (void)request, (void)request_len, (void)min_idle;
}

/* ---- RDMA: the messages are constant, so a result is all there is to free ---- */

static const char no_rdma[] = "RDMA is not supported yet";

bool rdma_available(void)
{
    return false;
}

bool rdma_usable(void)
{
    return false;
}

bool rdma_checksum(const uint8_t *data, size_t length, uint32_t *out)
{
    (void)data, (void)length, (void)out;
    return false;
}

RdmaRegistration *register_rdma_region(const void *client, uint8_t *memory, size_t length)
{
    RdmaRegistration *registration = malloc(sizeof *registration);

    (void)client, (void)memory, (void)length;
    if (registration != NULL)
        *registration = (RdmaRegistration){no_rdma, NULL};
    return registration;
}

static RdmaResult *rdma_refused(void)
{
    RdmaResult *result = malloc(sizeof *result);

    if (result != NULL)
        *result = (RdmaResult){.error_message = no_rdma};
    return result;
}

RdmaResult *rdma_get(const void *client, const uint8_t *key, size_t key_len, RdmaRegion *region,
                     size_t offset, size_t length)
{
    (void)client, (void)key, (void)key_len, (void)region, (void)offset, (void)length;
    return rdma_refused();
}

RdmaResult *rdma_set(const void *client, const uint8_t *key, size_t key_len, RdmaRegion *region,
                     size_t offset, size_t length, int checksum_mode, uint32_t checksum)
{
    (void)client, (void)key, (void)key_len, (void)region, (void)offset, (void)length;
    (void)checksum_mode, (void)checksum;
    return rdma_refused();
}

char *rdma_close_regions(const void *client)
{
    (void)client;
    return NULL;
}

RdmaMemoryHold *free_rdma_region(RdmaRegion *region)
{
    (void)region;
    return NULL;
}

bool rdma_memory_released(const RdmaMemoryHold *hold)
{
    (void)hold;
    return true;
}

void free_rdma_memory_hold(RdmaMemoryHold *hold)
{
    (void)hold;
}

void free_rdma_registration(RdmaRegistration *registration)
{
    free(registration);
}

void free_rdma_result(RdmaResult *result)
{
    free(result);
}

uint64_t rdma_leaked_bytes(void)
{
    return 0;
}

uint64_t rdma_memory_leaked(void)
{
    return 0;
}

uint64_t rdma_parked_bytes(void)
{
    return 0;
}
