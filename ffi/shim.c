/*
 * The functions of glide.h. Each checks what can be checked without Go, then calls the Go
 * function of the same purpose; in a forked child, that of fork.h.
 */
#include <stdio.h>
#include <string.h>

#include "_cgo_export.h"
#include "async.h"
#include "buffer.h"
#include "fork.h"
#include "log.h"
#include "shim.h"
#include "ticket.h"

/* Protocol buffer keys of the fields that fail() writes, all of numbers below 16. */
enum { LENGTH_DELIMITED = 2, RESPONSE_ERROR = 4, ERROR_STATUS = 1, ERROR_MESSAGE = 2 };

static size_t varint_size(size_t number)
{
    return number < 0x80 ? 1 : 1 + varint_size(number >> 7);
}

static uint8_t *put_varint(uint8_t *out, size_t number)
{
    for (; number >= 0x80; number >>= 7)
        *out++ = (uint8_t)(number | 0x80);
    *out++ = (uint8_t)number;
    return out;
}

glide_status fail(glide_buffer *response, glide_status status, const char *message)
{
    const size_t text = strlen(message), error = 3 + varint_size(text) + text;
    const size_t size = 1 + varint_size(error) + error;
    uint8_t *out = buffer_allocate(size);

    response->data = out;
    response->len = out == NULL ? 0 : size;
    if (out == NULL)
        return status;
    *out++ = RESPONSE_ERROR << 3 | LENGTH_DELIMITED;
    out = put_varint(out, error);
    *out++ = ERROR_STATUS << 3;
    *out++ = (uint8_t)status;
    *out++ = ERROR_MESSAGE << 3 | LENGTH_DELIMITED;
    memcpy(put_varint(out, text), message, text);
    return status;
}

/*
 * check - what every call with input and response needs; GLIDE_OK to go on.
 *
 * The buffer is empty then. Go must not be the first to write it: where it stores a pointer while
 * it collects garbage it looks at the one before too, and takes what happens to lie on the
 * caller's stack for one of its own (cmd/cgo, "Passing pointers").
 */
static glide_status check(const uint8_t *input, size_t len, glide_buffer *response)
{
    if (response == NULL)
        return GLIDE_ERR_INVALID_ARGUMENT;
    response->data = NULL;
    response->len = 0;
    if (input == NULL && len > 0)
        return fail(response, GLIDE_ERR_INVALID_ARGUMENT,
                    "the input is NULL and its length is not 0");
    if (len > INT32_MAX)
        return fail(response, GLIDE_ERR_INVALID_ARGUMENT,
                    "the input is longer than 2147483647 bytes");
    return GLIDE_OK;
}

/* check_args - what is needed of arguments beside a request of so many bytes. */
static glide_status check_args(const glide_bytes *args, size_t count, size_t len,
                               glide_buffer *response)
{
    size_t room = INT32_MAX - len;

    if (args == NULL && count > 0)
        return fail(response, GLIDE_ERR_INVALID_ARGUMENT, "args is NULL and count is not 0");
    for (size_t i = 0; i < count; i++) {
        char message[96];

        if (args[i].len <= room && (args[i].data != NULL || args[i].len == 0)) {
            room -= args[i].len;
            continue;
        }
        snprintf(message, sizeof message,
                 args[i].len > room ? "with args[%zu] the request is longer than 2147483647 bytes"
                                    : "args[%zu] is NULL and its length is not 0",
                 i);
        return fail(response, GLIDE_ERR_INVALID_ARGUMENT, message);
    }
    return GLIDE_OK;
}

uint32_t glide_abi_version(void)
{
    return GLIDE_ABI_VERSION;
}

const char *glide_version(void)
{
    return "0.1.0"; /* core.Version; a test compares them */
}

const char *glide_status_name(glide_status status)
{
    static const char *const names[] = {
        "OK",      "INVALID_ARGUMENT", "DECODE", "CONFIG", "ROUTE",     "SERVER", "PARTIAL",
        "TIMEOUT", "CONNECTION",       "CLOSED", "BUSY",   "CANCELLED", "FORKED", "INTERNAL",
    };

    if (status < 0 || (size_t)status >= sizeof names / sizeof names[0])
        return "UNKNOWN";
    return names[status];
}

void glide_buffer_free(glide_buffer *buffer)
{
    if (buffer == NULL || forked_buffer_free(buffer))
        return;
    buffer_release(buffer->data);
    buffer->data = NULL;
    buffer->len = 0;
}

glide_status glide_schema(glide_buffer *schema)
{
    if (schema == NULL)
        return GLIDE_ERR_INVALID_ARGUMENT;
    schema->data = NULL;
    schema->len = 0;
    return forked() ? forked_schema(schema) : glideGoSchema(schema);
}

/* settle_log - wait until the callbacks that were replaced have had their lines. In C, as every wait
 * in which the hook is asked: where it forks, the child has no Go code to come back to. */
static glide_status settle_log(void)
{
    int settled;

    while ((settled = glideGoLogSettled()) == 0) {
        const int wants_out = interrupted();

        if (forked())
            return GLIDE_ERR_FORKED;
        if (wants_out)
            return GLIDE_ERR_CANCELLED;
    }
    return settled > 0 ? GLIDE_OK : GLIDE_ERR_INTERNAL;
}

glide_status glide_set_log(int32_t level, glide_log_callback callback, void *context)
{
    glide_status status;

    if (level < GLIDE_LOG_OFF || level > GLIDE_LOG_DEBUG || log_delivering())
        return GLIDE_ERR_INVALID_ARGUMENT;
    fork_keep_log(level, callback, context);
    if (forked())
        return forked_set_log(level, callback, context);
    status = glideGoSetLog(level, callback, (uintptr_t)context);
    return status == GLIDE_OK ? settle_log() : status;
}

int32_t glide_key_slot(const uint8_t *key, size_t len)
{
    if (key == NULL && len > 0)
        return -1;
    return forked() ? forked_key_slot(key, len) : glideGoKeySlot((uint8_t *)key, len);
}

glide_status glide_router_open(const uint8_t *topology, size_t len, glide_router *router,
                               glide_buffer *response)
{
    glide_status status = check(topology, len, response);

    if (router != NULL)
        *router = 0;
    if (status != GLIDE_OK)
        return status;
    if (router == NULL)
        return fail(response, GLIDE_ERR_INVALID_ARGUMENT,
                    "the place for the router handle is NULL");
    if (forked())
        return forked_router_open(topology, len, router, response);
    return glideGoRouterOpen((uint8_t *)topology, len, router, response);
}

glide_status glide_router_resolve(glide_router router, const uint8_t *request, size_t len,
                                  glide_buffer *response)
{
    glide_status status = check(request, len, response);

    if (status != GLIDE_OK)
        return status;
    if (forked())
        return forked_router_resolve(router, request, len, response);
    return glideGoRouterResolve(router, (uint8_t *)request, len, response);
}

glide_status glide_router_close(glide_router router)
{
    return forked() ? forked_router_close(router) : glideGoRouterClose(router);
}

static void begin_open(uint64_t none, const uint8_t *config, size_t len, glide_ticket *ticket)
{
    (void)none;
    glideGoClientOpen((uint8_t *)config, len, ticket);
}

static void begin_execute(uint64_t client, const uint8_t *request, size_t len, glide_ticket *ticket)
{
    glideGoClientExecute(client, (uint8_t *)request, len, ticket);
}

glide_status glide_client_open(const uint8_t *config, size_t len, glide_client *client,
                               glide_buffer *response)
{
    glide_ticket ticket = {0};
    glide_status status = check(config, len, response);

    if (client != NULL)
        *client = 0;
    if (status != GLIDE_OK)
        return status;
    if (client == NULL)
        return fail(response, GLIDE_ERR_INVALID_ARGUMENT,
                    "the place for the client handle is NULL");
    if (forked())
        return forked_client_open(config, len, client, response);
    status = ticket_call(begin_open, 0, config, len, &ticket);
    *client = ticket.handle;
    *response = ticket.response;
    return status;
}

glide_status glide_client_execute(glide_client client, const uint8_t *request, size_t len,
                                  glide_buffer *response)
{
    glide_ticket ticket = {0};
    glide_status status = check(request, len, response);

    if (status != GLIDE_OK)
        return status;
    if (forked())
        return forked_client_execute(client, request, len, response);
    status = ticket_call(begin_execute, client, request, len, &ticket);
    *response = ticket.response;
    return status;
}

glide_status glide_client_execute_with(glide_client client, const uint8_t *request, size_t len,
                                       const glide_bytes *args, size_t count,
                                       glide_buffer *response)
{
    glide_ticket ticket = {.args = args, .arg_count = count};
    glide_status status = check(request, len, response);

    if (status == GLIDE_OK)
        status = check_args(args, count, len, response);
    if (status != GLIDE_OK)
        return status;
    if (forked())
        return forked_client_execute_with(client, request, len, args, count, response);
    status = ticket_call(begin_execute, client, request, len, &ticket);
    *response = ticket.response;
    return status;
}

glide_status glide_client_resolve(glide_client client, const uint8_t *request, size_t len,
                                  glide_buffer *response)
{
    glide_status status = check(request, len, response);

    if (status != GLIDE_OK)
        return status;
    if (forked())
        return forked_client_resolve(client, request, len, response);
    return glideGoClientResolve(client, (uint8_t *)request, len, response);
}

glide_status glide_client_topology(glide_client client, glide_buffer *response)
{
    glide_status status = check(NULL, 0, response);

    if (status != GLIDE_OK)
        return status;
    return forked() ? forked_client_topology(client, response)
                  : glideGoClientTopology(client, response);
}

glide_status glide_client_statistics(glide_client client, glide_buffer *response)
{
    glide_status status = check(NULL, 0, response);

    if (status != GLIDE_OK)
        return status;
    return forked() ? forked_client_statistics(client, response)
                  : glideGoClientStatistics(client, response);
}

glide_status glide_client_close(glide_client client)
{
    glide_status status;

    if (forked())
        return forked_client_close(client);
    status = glideGoClientClose(client);
    mailbox_close(client);
    return status;
}

static void begin_session(uint64_t client, const uint8_t *request, size_t len, glide_ticket *ticket)
{
    glideGoSessionOpen(client, (uint8_t *)request, len, ticket);
}

static void begin_in_session(uint64_t session, const uint8_t *request, size_t len,
                             glide_ticket *ticket)
{
    glideGoSessionExecute(session, (uint8_t *)request, len, ticket);
}

glide_status glide_session_open(glide_client client, const uint8_t *request, size_t len,
                                glide_session *session, glide_buffer *response)
{
    glide_ticket ticket = {0};
    glide_status status = check(request, len, response);

    if (session != NULL)
        *session = 0;
    if (status != GLIDE_OK)
        return status;
    if (session == NULL)
        return fail(response, GLIDE_ERR_INVALID_ARGUMENT,
                    "the place for the session handle is NULL");
    if (forked())
        return forked_session_open(client, request, len, session, response);
    status = ticket_call(begin_session, client, request, len, &ticket);
    *session = ticket.handle;
    *response = ticket.response;
    return status;
}

glide_status glide_session_execute(glide_session session, const uint8_t *request, size_t len,
                                   glide_buffer *response)
{
    glide_ticket ticket = {0};
    glide_status status = check(request, len, response);

    if (status != GLIDE_OK)
        return status;
    if (forked())
        return forked_session_execute(session, request, len, response);
    status = ticket_call(begin_in_session, session, request, len, &ticket);
    *response = ticket.response;
    return status;
}

glide_status glide_session_close(glide_session session)
{
    return forked() ? forked_session_close(session) : glideGoSessionClose(session);
}
