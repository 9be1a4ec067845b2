/* See entries.h. */
#define _GNU_SOURCE
#include "entries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "response.h"
#include "submissions.h"

enum { LEAK_EVERY = 50, LARGE = 300 << 10, WORDS_MAX = 8 };

void entries_expect(bool held, const char *what, const char *file, int line)
{
    if (held)
        return;
    fprintf(stderr, "soak: %s:%d: not so: %s\n", file, line, what);
    exit(2);
}

bool entries_leaks(const worker *self)
{
    return self->on->leak && self->turn % LEAK_EVERY == 0;
}

void entries_fail(glide_status status, glide_status wanted, const glide_buffer *buffer)
{
    response view;

    fprintf(stderr, "soak: status %s, not %s", glide_status_name(status), glide_status_name(wanted));
    if (response_read(buffer, &view))
        fprintf(stderr, ": %.*s", WIRE_PRINT(view.error.message));
    fprintf(stderr, "\n");
    exit(2);
}

/* expect - a call ended as it may: as expected, or CLOSED where others close the client. */
static void expect(worker *self, glide_status status, glide_status wanted, glide_buffer *buffer)
{
    if (status != wanted && !(self->disturbed && status == GLIDE_ERR_CLOSED))
        entries_fail(status, wanted, buffer);
    if (!entries_leaks(self))
        glide_buffer_free(buffer);
}

/* ---- Functions without handles ------------------------------------------------------------- */

static void name_a_status(worker *self)
{
    EXPECT(glide_status_name((glide_status)(self->turn % 20)) != NULL);
}

static void ask_the_abi(worker *self)
{
    (void)self;
    EXPECT(glide_abi_version() >= GLIDE_ABI_VERSION);
}

static void ask_the_version(worker *self)
{
    (void)self;
    EXPECT(glide_version()[0] != '\0');
}

static void free_a_buffer(worker *self)
{
    glide_buffer buffer;

    EXPECT(glide_router_resolve(0, NULL, 1, &buffer) == GLIDE_ERR_INVALID_ARGUMENT);
    if (!entries_leaks(self))
        glide_buffer_free(&buffer);
    glide_buffer_free(&buffer);
    glide_buffer_free(NULL);
}

static void take_the_schema(worker *self)
{
    glide_buffer schema;

    EXPECT(glide_schema(&schema) == GLIDE_OK && schema.len > 0);
    if (!entries_leaks(self))
        glide_buffer_free(&schema);
}

static int never(void)
{
    return 0;
}

static void set_a_hook(worker *self)
{
    EXPECT(glide_on_interrupt(self->turn % 2 ? never : NULL) == GLIDE_OK);
}

static void ignore_line(void *context, int32_t level, const char *line, size_t len)
{
    (void)context, (void)level, (void)line, (void)len;
}

static void set_the_log(worker *self)
{
    if (self->turn % 2)
        EXPECT(glide_set_log(GLIDE_LOG_DEBUG, ignore_line, self) == GLIDE_OK);
    else
        EXPECT(glide_set_log(GLIDE_LOG_OFF, NULL, NULL) == GLIDE_OK);
}

static void hash_a_key(worker *self)
{
    uint8_t key[16];

    memcpy(key, &self->turn, sizeof self->turn);
    EXPECT(glide_key_slot(key, self->turn % (sizeof self->turn + 1)) >= 0);
}

/* ---- Routers --------------------------------------------------------------------------------- */

static request_command words_of(wire_bytes *words, const char *line)
{
    request_command command = {.words = words};

    command.word_count = request_split(line, words, WORDS_MAX);
    return command;
}

static const char *const plans[] = {"GET key", "MGET a b c d", "PING", "SET key", "NO such command"};

static request_command planned(const worker *self, wire_bytes *words)
{
    request_command command = words_of(words, plans[self->turn % (sizeof plans / sizeof *plans)]);

    if (self->turn % 7 == 0)
        command.route = request_by_address(wire_text("nobody.invalid"), 1);
    return command;
}

static void open_a_router(worker *self)
{
    const field *on = self->on;
    glide_router router;
    glide_buffer buffer;

    expect(self, glide_router_open(on->topology, on->topology_len, &router, &buffer), GLIDE_OK,
           &buffer);
    if (!entries_leaks(self))
        EXPECT(glide_router_close(router) == GLIDE_OK);
    expect(self, glide_router_open((const uint8_t *)"x", 1, &router, &buffer), GLIDE_ERR_DECODE,
           &buffer);
}

static void plan_with_a_router(worker *self)
{
    wire_bytes words[WORDS_MAX];
    request_command command = planned(self, words);
    wire_writer writer = {0};
    glide_buffer buffer;

    EXPECT(request_encode_command(&writer, &command));
    glide_router_resolve(self->on->router, writer.data, writer.len, &buffer);
    if (!entries_leaks(self))
        glide_buffer_free(&buffer);
    wire_writer_free(&writer);
}

static void close_no_router(worker *self)
{
    EXPECT(glide_router_close(self->turn) == GLIDE_ERR_INVALID_ARGUMENT);
}

/* ---- Clients --------------------------------------------------------------------------------- */

/* connect_to - a client of the servers; 0 where they refuse. */
static glide_status connect_to(field *on, bool lazy, glide_client *client, glide_buffer *buffer)
{
    const request_connection connection = {
        .addresses = on->seeds, .address_count = 1, .lazy_connect = lazy,
        .request_timeout_ms = 60000, .connection_timeout_ms = 60000};

    return request_open(&connection, client, buffer);
}

static void open_a_client(worker *self)
{
    const request_address nobody = {wire_text("127.0.0.1"), 1};
    const request_connection refused = {.addresses = &nobody, .address_count = 1};
    glide_client client;
    glide_buffer buffer;

    if (self->turn % 16 == 15) {
        expect(self, request_open(&refused, &client, &buffer), GLIDE_ERR_CONNECTION, &buffer);
        return;
    }
    expect(self, connect_to(self->on, self->turn % 4 != 0, &client, &buffer), GLIDE_OK, &buffer);
    if (!entries_leaks(self))
        EXPECT(glide_client_close(client) == GLIDE_OK);
}

static void run_line(worker *self, const char *line, request_route route, glide_status wanted)
{
    wire_bytes words[WORDS_MAX];
    request_command command = words_of(words, line);
    glide_buffer buffer;

    command.route = route;
    expect(self, request_execute(self->target, &command, &buffer), wanted, &buffer);
}

static void run_batch(worker *self, bool atomic)
{
    wire_bytes set[WORDS_MAX], get[WORDS_MAX];
    const request_words commands[] = {{set, request_split("SET {soak}a 1", set, WORDS_MAX)},
                                      {get, request_split("GET {soak}a", get, WORDS_MAX)}};
    const request_batch batch = {.commands = commands, .command_count = 2, .atomic = atomic};
    glide_buffer buffer;

    expect(self, request_execute_batch(self->target, &batch, &buffer), GLIDE_OK, &buffer);
}

static void run_scan(worker *self)
{
    const request_scan scan = {.match = wire_text("soak:*"), .count = 10};
    glide_buffer buffer;

    expect(self, request_execute_scan(self->target, &scan, &buffer), GLIDE_OK, &buffer);
}

/* run_large - beside the connection that others share. */
static void run_large(worker *self)
{
    static uint8_t value[LARGE];
    wire_bytes words[] = {wire_text("SET"), wire_text("soak:large"), {value, sizeof value}};
    const request_command command = {.words = words, .word_count = 3};
    glide_buffer buffer;

    expect(self, request_execute(self->target, &command, &buffer), GLIDE_OK, &buffer);
}

static void run_bytes(worker *self)
{
    glide_buffer buffer;

    expect(self, glide_client_execute(self->target, (const uint8_t *)"x", 1, &buffer),
           GLIDE_ERR_DECODE, &buffer);
}

/* run_a_message - a whole request in one piece. */
static void run_a_message(worker *self)
{
    wire_bytes words[WORDS_MAX];
    const request_command command = words_of(words, "GET soak:key");
    wire_writer request = {0};
    glide_buffer buffer;

    EXPECT(request_encode_command(&request, &command));
    expect(self, glide_client_execute(self->target, request.data, request.len, &buffer), GLIDE_OK,
           &buffer);
    wire_writer_free(&request);
}

static void run_a_request(worker *self)
{
    const request_route none = {.kind = REQUEST_NO_ROUTE};
    const request_route replica = request_slot_key(REQUEST_REPLICA, wire_text("soak:key"));
    const request_route nobody = request_by_address(wire_text("nobody.invalid"), 1);

    switch (self->turn % 64) {
    case 1: run_batch(self, false); break;
    case 9: run_batch(self, true); break;
    case 17: run_scan(self); break;
    case 25: run_bytes(self); break;
    case 33: run_line(self, "PING", request_all_nodes(), GLIDE_OK); break;
    case 41: run_line(self, "DBSIZE", none, GLIDE_OK); break;
    case 49: run_line(self, "LPUSH soak:text x", none, GLIDE_ERR_SERVER); break;
    case 57: run_line(self, "GET soak:key", replica, GLIDE_OK); break;
    case 61: run_line(self, "MGET soak:a soak:b soak:c soak:d", none, GLIDE_OK); break;
    case 62: run_line(self, "GET x", nobody, GLIDE_ERR_ROUTE); break;
    case 63:
        if (self->turn % 1024 == 63)
            run_large(self);
        else if (self->turn % 1024 == 127)
            run_line(self, "BLPOP soak:empty 0.001", none, GLIDE_OK);
        else
            run_line(self, "SET soak:text x", none, GLIDE_OK);
        break;
    default:
        run_line(self, self->turn % 2 ? "SET soak:key value" : "GET soak:key", none, GLIDE_OK);
    }
}

/* ---- Sessions -------------------------------------------------------------------------------- */

/* open_session - with the client of the worker; 0 where others have closed it. */
static glide_session open_session(worker *self)
{
    const request_route route = request_slot_key(REQUEST_PRIMARY, wire_text("soak:key"));
    glide_session session;
    glide_buffer buffer;

    expect(self, request_session_open(self->target, route, 0, &session, &buffer), GLIDE_OK,
           &buffer);
    return session;
}

static void run_in(worker *self, glide_session session, const char *line)
{
    wire_bytes words[WORDS_MAX];
    const request_command command = words_of(words, line);
    glide_buffer buffer;

    expect(self, request_session_execute(session, &command, &buffer), GLIDE_OK, &buffer);
}

/* close_session - sound where the client still is. */
static void close_session(worker *self, glide_session session)
{
    const glide_status status = glide_session_close(session);

    EXPECT(status == GLIDE_OK || (self->disturbed && status == GLIDE_ERR_CLOSED));
}

static void open_a_session(worker *self)
{
    const glide_session session = open_session(self);

    if (session != 0 && !entries_leaks(self))
        close_session(self, session);
}

static void run_in_a_session(worker *self)
{
    const glide_session session = open_session(self);

    if (session == 0)
        return;
    run_in(self, session, "WATCH soak:key");
    run_in(self, session, "GET soak:key");
    close_session(self, session);
}

static void submit_in_a_session(worker *self)
{
    const glide_session session = open_session(self);

    if (session == 0)
        return;
    submissions_in(self, session);
    close_session(self, session);
}

static void close_no_session(worker *self)
{
    EXPECT(glide_session_close(self->turn) == GLIDE_ERR_INVALID_ARGUMENT);
}

static void plan_with_a_client(worker *self)
{
    wire_bytes words[WORDS_MAX];
    request_command command = planned(self, words);
    glide_buffer buffer;

    request_resolve(self->target, &command, &buffer);
    if (!entries_leaks(self))
        glide_buffer_free(&buffer);
}

static void take_the_topology(worker *self)
{
    glide_buffer buffer;

    expect(self, glide_client_topology(self->target, &buffer), GLIDE_OK, &buffer);
}

static void take_the_statistics(worker *self)
{
    glide_buffer buffer;

    expect(self, glide_client_statistics(self->target, &buffer), GLIDE_OK, &buffer);
}

static void close_no_client(worker *self)
{
    EXPECT(glide_client_close(self->turn) == GLIDE_ERR_INVALID_ARGUMENT);
}

/* Those that take longest come last: they get the time that the others leave. */
const entry entries[] = {
    {"glide_status_name", name_a_status, 1000},
    {"glide_abi_version", ask_the_abi, 1000},
    {"glide_version", ask_the_version, 1000},
    {"glide_buffer_free", free_a_buffer, 1000},
    {"glide_on_interrupt", set_a_hook, 1000},
    {"glide_key_slot", hash_a_key, 1000},
    {"glide_router_close", close_no_router, 1000},
    {"glide_client_close", close_no_client, 1000},
    {"glide_session_close", close_no_session, 1000},
    {"glide_schema", take_the_schema, 1000},
    {"glide_router_resolve", plan_with_a_router, 1000},
    {"glide_client_resolve", plan_with_a_client, 1000},
    {"glide_client_topology", take_the_topology, 1000},
    {"glide_client_statistics", take_the_statistics, 1000},
    {"glide_client_event_fd", submissions_event_fd, 1000},
    {"glide_set_log", set_the_log, 1000},
    {"glide_router_open", open_a_router, 1000},
    {"glide_session_open", open_a_session, 1000},
    {"glide_session_execute", run_in_a_session, 1000},
    {"glide_session_submit", submit_in_a_session, 1000},
    {"glide_client_execute", run_a_message, 1000},
    {"glide_client_execute_with", run_a_request, 1000},
    {"glide_client_submit", submissions_submit, 1000},
    {"glide_client_poll", submissions_poll, 1000},
    {"glide_completions_free", submissions_free, 1000},
    {"glide_client_cancel", submissions_cancel, 1000},
    {"glide_client_open", open_a_client, 10000},
};
const size_t entry_count = sizeof entries / sizeof *entries;

/* ---- All at once ----------------------------------------------------------------------------- */

/* replace - close one of the shared clients and put another in its place. */
static void replace(worker *self)
{
    glide_client *place = &self->on->shared[self->turn / 64 % SHARED_CLIENTS];
    glide_client fresh, old;
    glide_buffer buffer;

    expect(self, connect_to(self->on, self->turn / 64 % 2, &fresh, &buffer), GLIDE_OK, &buffer);
    old = __atomic_exchange_n(place, fresh, __ATOMIC_SEQ_CST);
    EXPECT(glide_client_close(old) == GLIDE_OK);
}

void entries_mixed(worker *self)
{
    worker one = *self;

    if (self->turn % 64 == 0) {
        replace(self);
        return;
    }
    one.turn = self->turn / entry_count;
    one.disturbed = true;
    one.target = __atomic_load_n(&self->on->shared[self->turn % SHARED_CLIENTS], __ATOMIC_SEQ_CST);
    entries[self->turn % entry_count].call(&one);
}

void entries_share(field *on)
{
    worker self = {.on = on, .turn = 1};
    glide_buffer buffer;

    for (size_t i = 0; i < SHARED_CLIENTS; i++)
        expect(&self, connect_to(on, true, &on->shared[i], &buffer), GLIDE_OK, &buffer);
}

void entries_unshare(field *on)
{
    for (size_t i = 0; i < SHARED_CLIENTS; i++)
        EXPECT(glide_client_close(on->shared[i]) == GLIDE_OK);
}

/* ---- What is there throughout ---------------------------------------------------------------- */

void entries_open(field *on, const char *addresses)
{
    worker self = {.on = on, .turn = 1};
    glide_buffer buffer;
    response view;

    on->seed_count = request_addresses(addresses, on->seeds, SEEDS_MAX);
    EXPECT(on->seed_count > 0);
    EXPECT(connect_to(on, false, &on->client, &buffer) == GLIDE_OK);
    EXPECT(response_read(&buffer, &view) && view.has_topology);
    on->topology_len = view.topology.message.len;
    on->topology = malloc(on->topology_len);
    EXPECT(on->topology != NULL);
    memcpy(on->topology, view.topology.message.data, on->topology_len);
    glide_buffer_free(&buffer);
    expect(&self, glide_router_open(on->topology, on->topology_len, &on->router, &buffer), GLIDE_OK,
           &buffer);
    self.target = on->client;
    run_line(&self, "SET soak:text x", (request_route){.kind = REQUEST_NO_ROUTE}, GLIDE_OK);
}

void entries_close(field *on)
{
    EXPECT(glide_router_close(on->router) == GLIDE_OK);
    EXPECT(glide_client_close(on->client) == GLIDE_OK);
    free(on->topology);
}
