/* Routers: what opens none, arguments that are wrong, and handles that are none. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "routers.h"

/* ---- Topologies that open no router -------------------------------------------------------- */

/* refused_bytes - no router is opened over bytes, and the error says why. */
static void refused_bytes(wire_bytes bytes, glide_status status, const char *text)
{
    glide_router router = 1;
    glide_buffer buffer;
    const glide_status opened = glide_router_open(bytes.data, bytes.len, &router, &buffer);
    answer given = read_answer(opened, buffer);

    CHECK_INT(router, 0);
    CHECK_INT(given.status, status);
    CHECK_HAS(given.view.error.message, text);
    CHECK(!given.view.error.sent && !given.view.error.retryable);
    drop(&given);
}

TEST(malformed_bytes_are_no_topology)
{
    static const char *const malformed[] = {
        "\xff",                      /* a key that is cut off */
        "\x12",                      /* a length that is missing */
        "\x12\x7f",                  /* content that is missing */
        "\x12\x02\x0a\x7f",          /* a malformed range of slots */
        "\x12\x04\x12\x02\x12\x7f",  /* a malformed primary */
        "\x12\x05\x12\x03\x12\x01\xff", /* a host that is not UTF-8 */
        "not a message",
    };

    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        refused_bytes(wire_text(malformed[i]), GLIDE_ERR_DECODE, "Topology");
}

TEST(a_topology_cut_off_at_any_byte_is_answered_and_never_an_internal_error)
{
    wire_writer writer = {0};

    encode_own(&writer);
    for (size_t len = 0; len <= writer.len; len++) {
        uint8_t *copy = exact_copy(writer.data, len);
        glide_router router;
        glide_buffer buffer;
        const glide_status status = glide_router_open(copy, len, &router, &buffer);
        answer given = read_answer(status, buffer);

        CHECK(status == GLIDE_OK || status == GLIDE_ERR_DECODE || status == GLIDE_ERR_CONFIG);
        CHECK_INT(glide_router_close(router),
                  status == GLIDE_OK ? GLIDE_OK : GLIDE_ERR_INVALID_ARGUMENT);
        drop(&given);
        free(copy);
    }
    wire_writer_free(&writer);
}

/* refused - no router is opened over a cluster, and the error says why. */
static void refused(topology_cluster cluster, const char *text)
{
    wire_writer writer = {0};

    CHECK(topology_encode(&writer, &cluster));
    refused_bytes((wire_bytes){writer.data, writer.len}, GLIDE_ERR_CONFIG, text);
    wire_writer_free(&writer);
}

static topology_node at(const char *host, uint32_t port)
{
    return (topology_node){.host = wire_text(host), .port = port};
}

TEST(a_slot_in_two_shards_is_refused_and_named)
{
    static const topology_slots low[] = {{0, 5}}, high[] = {{5, 9}}, again[] = {{0, 3}, {3, 5}};
    const topology_shard twice[] = {{low, 1, at("a", 1), NULL, 0}, {high, 1, at("b", 2), NULL, 0}};
    const topology_shard once = {again, 2, at("a", 1), NULL, 0};

    refused((topology_cluster){.shards = twice, .shard_count = 2}, "slot 5");
    refused((topology_cluster){.shards = &once, .shard_count = 1}, "slot 3");
}

TEST(a_node_in_two_places_is_refused_and_named)
{
    const topology_node replica = at("B", 2), own = at("a", 1);
    const topology_shard shared[] = {
        {NULL, 0, at("a", 1), &replica, 1},
        {NULL, 0, at("b", 2), NULL, 0},
    };
    const topology_shard itself = {NULL, 0, at("a", 1), &own, 1};

    refused((topology_cluster){.shards = shared, .shard_count = 2}, "b:2");
    refused((topology_cluster){.shards = &itself, .shard_count = 1}, "a:1");
}

TEST(a_range_that_is_none_is_refused_by_its_shard)
{
    static const topology_slots ranges[] = {{5, 3}, {0, 16384}, {16384, 16384}, {0, UINT32_MAX}};
    topology_shard shards[] = {{.primary = at("a", 1)}, {.primary = at("b", 2), .slot_count = 1}};

    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        shards[1].slots = &ranges[i];
        refused((topology_cluster){.shards = shards, .shard_count = 2}, "shards[1]: slots");
    }
}

TEST(a_node_without_a_host_or_a_port_is_refused_by_its_shard)
{
    const topology_node none[] = {at("", 1), at("b", 0), at("b", 65536), at("b", UINT32_MAX)};

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        const topology_shard primary = {.primary = none[i]};
        const topology_shard replica = {NULL, 0, at("a", 1), &none[i], 1};

        refused((topology_cluster){.shards = &primary, .shard_count = 1}, "shards[0]: the primary");
        refused((topology_cluster){.shards = &replica, .shard_count = 1}, "shards[0]: the replica");
    }
}

TEST(a_shard_without_a_primary_is_refused)
{
    refused_bytes(wire_text("\x12"), GLIDE_ERR_DECODE, "Topology");
    refused_bytes((wire_bytes){(const uint8_t *)"\x12\0", 2}, GLIDE_ERR_CONFIG, "shards[0]");
}

TEST(an_alias_that_is_no_address_is_refused_and_named)
{
    const wire_bytes alias = wire_text("nowhere");
    topology_shard shard = {.primary = at("a", 1)};

    shard.primary.aliases = &alias;
    shard.primary.alias_count = 1;
    refused((topology_cluster){.shards = &shard, .shard_count = 1}, "nowhere");
}

TEST(a_strategy_that_is_none_or_lacks_its_zone_is_refused)
{
    const topology_shard shard = {.primary = at("a", 1)};
    topology_cluster cluster = {.shards = &shard, .shard_count = 1, .read_from = 77};

    refused(cluster, "read_from 77");
    cluster.read_from = READ_AZ_AFFINITY;
    refused(cluster, "client_az");
    cluster.read_from = READ_PRIMARY;
    cluster.client_az = "zone";
    refused(cluster, "client_az \"zone\"");
}

TEST(a_standalone_server_of_two_shards_is_refused)
{
    const topology_shard shards[] = {{.primary = at("a", 1)}, {.primary = at("b", 2)}};

    refused((topology_cluster){.shards = shards, .shard_count = 2, .standalone = true},
            "one shard, not 2");
}

TEST(a_topology_without_shards_has_no_node_for_anything)
{
    const topology_cluster nothing = {.shards = NULL};
    glide_router router;
    answer given = open_over(&nothing, &router);

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    given = plan(router, "PING", request_all_nodes());
    CHECK_INT(given.status, GLIDE_ERR_ROUTE);
    drop(&given);
    given = plan(router, "GET foo", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_ERR_ROUTE);
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

/* ---- Requests that have no plan ------------------------------------------------------------ */

TEST(malformed_bytes_are_no_request_of_a_router)
{
    static const char *const malformed[] = {"\xff", "\x0a", "\x12\x7f", "\x1a\x02\x12\x7f", "text"};
    glide_router router = open_router(READ_PRIMARY, NULL);

    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        const wire_bytes bytes = wire_text(malformed[i]);
        glide_buffer buffer;
        const glide_status status = glide_router_resolve(router, bytes.data, bytes.len, &buffer);
        answer given = read_answer(status, buffer);

        CHECK_INT(status, GLIDE_ERR_DECODE);
        CHECK_HAS(given.view.error.message, "CommandRequest");
        drop(&given);
    }
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(the_callback_index_comes_back_from_a_router_also_with_a_refusal)
{
    glide_router router = open_router(READ_PRIMARY, NULL);
    wire_bytes words[] = {wire_text("PING")};
    request_command ping = {.words = words, .word_count = 1, .callback_idx = UINT32_MAX};
    request_batch none = {.command_count = 0, .callback_idx = 5};
    glide_buffer buffer;
    glide_status status = topology_resolve(router, &ping, &buffer);
    answer given = read_answer(status, buffer);

    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(given.view.callback_idx, UINT32_MAX);
    drop(&given);
    status = topology_resolve_batch(router, &none, &buffer);
    given = read_answer(status, buffer);
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(given.view.callback_idx, 5);
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

/* ---- NULL in every place ------------------------------------------------------------------- */

/* refused_null - whether a call refused a NULL; its response is freed. */
static void refused_null(glide_status status, glide_buffer buffer)
{
    answer given = read_answer(status, buffer);

    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, "NULL");
    drop(&given);
}

TEST(a_router_is_not_opened_with_a_null)
{
    glide_router router = 1;
    glide_buffer buffer;
    glide_status status = glide_router_open(NULL, 1, &router, &buffer);

    refused_null(status, buffer);
    CHECK_INT(router, 0);
    status = glide_router_open(NULL, 0, NULL, &buffer);
    refused_null(status, buffer);
    router = 1;
    CHECK_INT(glide_router_open(NULL, 0, &router, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(router, 0);
    CHECK_INT(glide_router_open(NULL, 1, NULL, NULL), GLIDE_ERR_INVALID_ARGUMENT);
}

TEST(a_router_resolves_no_null)
{
    const uint8_t byte = 0;
    glide_router router = open_router(READ_PRIMARY, NULL);
    glide_buffer buffer;
    glide_status status = glide_router_resolve(router, NULL, 1, &buffer);
    answer given;

    refused_null(status, buffer);
    CHECK_INT(glide_router_resolve(router, &byte, 1, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_router_resolve(router, NULL, 0, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_router_resolve(0, NULL, 1, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    status = glide_router_resolve(router, NULL, 0, &buffer);
    given = read_answer(status, buffer);
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, "no command");
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(a_router_refuses_a_length_beyond_any_message_without_a_look_at_the_bytes)
{
    static const size_t lengths[] = {(size_t)INT32_MAX + 1, SIZE_MAX};
    const uint8_t byte = 0;
    glide_router router = open_router(READ_PRIMARY, NULL), other;
    glide_buffer buffer;

    for (int i = 0; i < 2; i++) {
        CHECK_INT(glide_router_resolve(router, &byte, lengths[i], &buffer),
                  GLIDE_ERR_INVALID_ARGUMENT);
        glide_buffer_free(&buffer);
        CHECK_INT(glide_router_open(&byte, lengths[i], &other, &buffer),
                  GLIDE_ERR_INVALID_ARGUMENT);
        glide_buffer_free(&buffer);
    }
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

/* ---- Handles ------------------------------------------------------------------------------- */

/* router_calls, client_calls - the status with which all calls of a kind answer a handle; -1 where
 * they differ. Each must fill its response with an error of that status. Closing comes last. */
static glide_status router_calls(uint64_t handle)
{
    answer given = plan(handle, "PING", NO_ROUTE);
    const glide_status status = given.status;

    CHECK(status == GLIDE_OK || given.view.error.message.len > 0);
    drop(&given);
    return glide_router_close(handle) == status ? status : -1;
}

static glide_status client_calls(uint64_t handle)
{
    wire_bytes words[] = {wire_text("PING")};
    const request_command ping = {.words = words, .word_count = 1};
    answer executed = run_command(handle, ping), resolved = resolve_command(handle, ping), known;
    const glide_status status = executed.status;
    glide_buffer buffer;
    const glide_status told = glide_client_topology(handle, &buffer);
    const bool same = resolved.status == status && told == status;

    known = read_answer(told, buffer);
    drop(&executed);
    drop(&resolved);
    drop(&known);
    return glide_client_close(handle) == status && same ? status : -1;
}

TEST(a_router_that_never_was_is_refused)
{
    static const glide_router made_up[] = {
        0, 1, 2, UINT32_MAX, UINT64_C(1) << 24, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX,
    };

    for (size_t i = 0; i < sizeof made_up / sizeof made_up[0]; i++)
        CHECK_INT(router_calls(made_up[i]), GLIDE_ERR_INVALID_ARGUMENT);
}

TEST(a_handle_near_that_of_a_router_is_refused)
{
    glide_router router = open_router(READ_PRIMARY, NULL);
    answer given;

    for (int bit = 0; bit < 64; bit++) { /* another place, generation or kind, whichever it is */
        const glide_status status = router_calls(router ^ UINT64_C(1) << bit);

        CHECK(status == GLIDE_ERR_INVALID_ARGUMENT || status == GLIDE_ERR_CLOSED);
    }
    given = plan(router, "PING", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(a_closed_router_is_known_as_closed_and_its_number_is_never_given_out_again)
{
    glide_router earlier[50];

    for (int i = 0; i < 50; i++) {
        earlier[i] = open_router(READ_PRIMARY, NULL);
        for (int j = 0; j < i; j++)
            CHECK(earlier[i] != earlier[j]);
        CHECK_INT(glide_router_close(earlier[i]), GLIDE_OK);
        CHECK_INT(glide_router_close(earlier[i]), GLIDE_ERR_CLOSED);
    }
    for (int i = 0; i < 50; i++)
        CHECK_INT(router_calls(earlier[i]), GLIDE_ERR_CLOSED);
}

/* So many at once that some have numbers of their table that no earlier test has used up: two
 * kinds that were told apart by chance only would meet there. */
TEST(a_client_is_no_router_and_a_router_is_no_client)
{
    enum { BOTH = 32 };
    glide_client clients[BOTH];
    glide_router routers[BOTH];

    for (int i = 0; i < BOTH; i++) {
        clients[i] = open_cluster();
        routers[i] = open_router(READ_PRIMARY, NULL);
    }
    for (int i = 0; i < BOTH; i++) {
        for (int j = 0; j < BOTH; j++)
            CHECK(clients[i] != routers[j]);
        CHECK_INT(router_calls(clients[i]), GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_INT(client_calls(routers[i]), GLIDE_ERR_INVALID_ARGUMENT);
    }
    for (int i = 0; i < BOTH; i++) {
        answer given = run(clients[i], "PING", NO_ROUTE);

        CHECK_INT(given.status, GLIDE_OK);
        drop(&given);
        given = plan(routers[i], "PING", NO_ROUTE);
        CHECK_INT(given.status, GLIDE_OK);
        drop(&given);
        CHECK_INT(glide_client_close(clients[i]), GLIDE_OK);
        CHECK_INT(glide_router_close(routers[i]), GLIDE_OK);
        CHECK_INT(router_calls(clients[i]), GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_INT(client_calls(routers[i]), GLIDE_ERR_INVALID_ARGUMENT);
    }
}
