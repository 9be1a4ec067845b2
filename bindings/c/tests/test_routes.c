/* The six routes on a live cluster: the node that was asked is the one that answers. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "live.h"

#define WHO "CONFIG GET port" /* a node answers with its own port */

/* ---- Helpers ------------------------------------------------------------------------------- */

/* expect - how many outcomes a request has; each must be good and from the node it names. */
static void check_outcomes(const answer *given, size_t expected)
{
    response_list outcomes = given->view.outcomes;
    response_outcome outcome;

    CHECK_INT(given->status, GLIDE_OK);
    CHECK_INT(outcomes.count, expected);
    while (response_next_outcome(&outcomes, &outcome)) {
        CHECK_INT(outcome.error.status, GLIDE_OK);
        CHECK_INT(told_port(&outcome.value), outcome.node.port);
        CHECK(outcome.sent && !outcome.fallback && outcome.served_by.len == 0);
    }
    CHECK_INT(outcomes.count, 0);
}

/* times_asked - how often a node is among the outcomes. */
static int times_asked(const answer *given, const request_address *node)
{
    response_list outcomes = given->view.outcomes;
    response_outcome outcome;
    int times = 0;

    while (response_next_outcome(&outcomes, &outcome))
        times += outcome.node.port == node->port && outcome.node.host.len == node->host.len &&
                 memcmp(outcome.node.host.data, node->host.data, node->host.len) == 0;
    return times;
}

/* asked - the node that WHO with a route reaches, a single one, which must be the one to answer. */
static response_node asked(glide_client client, request_route route, answer *given)
{
    *given = run(client, WHO, route);
    check_outcomes(given, 1);
    return first_outcome(given).node;
}

/* shard_of - the shard of a slot; the buffer is to be freed. */
static response_shard shard_of(glide_client client, uint32_t slot, glide_buffer *buffer)
{
    response view;
    response_shard shard;

    CHECK_INT(glide_client_topology(client, buffer), GLIDE_OK);
    CHECK(response_read(buffer, &view));
    while (response_next_shard(&view.topology.shards, &shard))
        if (response_has_slot(shard.slots, slot))
            return shard;
    CHECK(!"the slot has a shard");
    return (response_shard){.primary = {.port = 0}};
}

/* slot_routes - the four routes to the shard of a key, and that they reach it. */
static void check_slot_routes(glide_client client, wire_bytes key)
{
    const int32_t slot = glide_key_slot(key.data, key.len);
    glide_buffer buffer;
    const response_shard shard = shard_of(client, (uint32_t)slot, &buffer);
    response_node replica = {.port = 0};
    response_list replicas = shard.replicas;
    answer given;

    CHECK(response_next_node(&replicas, &replica));
    CHECK_INT(asked(client, request_slot_key(REQUEST_PRIMARY, key), &given).port,
              shard.primary.port);
    drop(&given);
    CHECK_INT(asked(client, request_slot_id(REQUEST_PRIMARY, slot), &given).port,
              shard.primary.port);
    drop(&given);
    CHECK_INT(asked(client, request_slot_key(REQUEST_REPLICA, key), &given).port, replica.port);
    drop(&given);
    CHECK_INT(asked(client, request_slot_id(REQUEST_REPLICA, slot), &given).port, replica.port);
    drop(&given);
    glide_buffer_free(&buffer);
}

/* reads_at - how many GET commands a node has served; 0 also where it does not say. */
static long reads_at(glide_client client, wire_bytes host, uint32_t port)
{
    static const char label[] = "cmdstat_get:calls=";
    answer given = run(client, "INFO commandstats", request_by_address(host, (int32_t)port));
    const wire_bytes text = given.view.value.text;
    long reads = 0;

    CHECK_INT(given.status, GLIDE_OK);
    for (size_t at = 0; at + sizeof label <= text.len; at++)
        if (memcmp(text.data + at, label, sizeof label - 1) == 0)
            for (at += sizeof label - 1; text.data[at] != ','; at++)
                reads = reads * 10 + text.data[at] - '0';
    drop(&given);
    return reads;
}

/* await_replica - wait until a replica of the key's shard has a value. */
static void await_replica(glide_client client, const char *line, wire_bytes key, const char *value)
{
    const double patience = seconds() + 5;
    bool there = false;

    while (!there && seconds() < patience) {
        answer given = run(client, line, request_slot_key(REQUEST_REPLICA, key));

        there = wire_equal(given.view.value.text, value);
        drop(&given);
    }
    CHECK(there);
}

/* ---- Routes -------------------------------------------------------------------------------- */

TEST(all_nodes_asks_each_node_exactly_once)
{
    request_address nodes[CLUSTER_NODES];
    glide_client client = open_cluster();
    answer given = run(client, WHO, request_all_nodes());

    CHECK_INT(addresses_of("GLIDE_TEST_CLUSTER", nodes), CLUSTER_NODES);
    check_outcomes(&given, CLUSTER_NODES);
    for (int i = 0; i < CLUSTER_NODES; i++)
        CHECK_INT(times_asked(&given, &nodes[i]), 1);
    CHECK_INT(given.view.value.kind, RESPONSE_PER_NODE);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(all_primaries_asks_each_primary_exactly_once)
{
    request_address nodes[CLUSTER_NODES];
    glide_client client = open_cluster();
    answer given = run(client, WHO, request_all_primaries());

    CHECK_INT(addresses_of("GLIDE_TEST_CLUSTER", nodes), CLUSTER_NODES);
    check_outcomes(&given, CLUSTER_PRIMARIES);
    for (int i = 0; i < CLUSTER_NODES; i++)
        CHECK_INT(times_asked(&given, &nodes[i]), i < CLUSTER_PRIMARIES);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_route_to_several_nodes_has_their_outcomes_also_without_asking)
{
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("ECHO"), wire_text("here")};
    request_command echo = {.words = words, .word_count = 2};
    answer given = run_command(client, echo);

    CHECK_INT(outcome_count(&given), 0);
    CHECK_TEXT(given.view.value.text, "here");
    drop(&given);
    echo.route = request_all_nodes();
    given = run_command(client, echo);
    CHECK_INT(outcome_count(&given), CLUSTER_NODES);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_random_node_is_another_one_now_and_then)
{
    request_address nodes[CLUSTER_NODES];
    glide_client client = open_cluster();
    int times[CLUSTER_NODES] = {0}, seen = 0, sum = 0;

    CHECK_INT(addresses_of("GLIDE_TEST_CLUSTER", nodes), CLUSTER_NODES);
    for (int i = 0; i < 200; i++) {
        answer given = run(client, WHO, request_random_node());

        check_outcomes(&given, 1);
        for (int node = 0; node < CLUSTER_NODES; node++)
            times[node] += times_asked(&given, &nodes[node]);
        drop(&given);
    }
    for (int node = 0; node < CLUSTER_NODES; node++) {
        seen += times[node] > 0;
        sum += times[node];
    }
    CHECK_INT(sum, 200);
    CHECK_INT(seen, CLUSTER_NODES); /* one is missed by chance once in 10^15 runs */
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(slot_routes_reach_the_primary_and_the_replica_of_their_shard)
{
    const wire_bytes keys[] = {
        wire_text("foo"),
        wire_text("bar"),
        wire_text("{user:1}:name"),
        {(const uint8_t *)"\xff\0", 2},
        {NULL, 0},
    };
    glide_client client = open_cluster();

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        check_slot_routes(client, keys[i]);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(the_first_and_the_last_slot_have_routes)
{
    glide_client client = open_cluster();
    answer given;

    CHECK(!asked(client, request_slot_id(REQUEST_PRIMARY, 0), &given).replica);
    drop(&given);
    CHECK(asked(client, request_slot_id(REQUEST_REPLICA, 16383), &given).replica);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(every_address_reaches_its_node)
{
    request_address nodes[CLUSTER_NODES];
    glide_client client = open_cluster();
    answer given;

    CHECK_INT(addresses_of("GLIDE_TEST_CLUSTER", nodes), CLUSTER_NODES);
    for (int i = 0; i < CLUSTER_NODES; i++) {
        char address[64];
        const request_route both = request_by_address(nodes[i].host, (int32_t)nodes[i].port);

        CHECK_INT(asked(client, both, &given).port, nodes[i].port);
        drop(&given);
        snprintf(address, sizeof address, "%.*s:%u", WIRE_PRINT(nodes[i].host), nodes[i].port);
        CHECK_INT(asked(client, request_by_address(wire_text(address), 0), &given).port,
                  nodes[i].port);
        drop(&given);
    }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(without_a_route_a_command_goes_to_the_primary_of_its_key)
{
    glide_client client = open_cluster();
    answer given = run(client, "SET routes:plain here", NO_ROUTE);
    glide_buffer buffer;
    const response_shard shard = shard_of(client, 12345, &buffer);
    const wire_bytes key = wire_text("routes:plain");
    const uint32_t slot = (uint32_t)glide_key_slot(key.data, key.len);

    CHECK_TEXT(given.view.value.text, "OK");
    CHECK(response_has_slot(first_outcome(&given).slots, slot));
    drop(&given);
    given = run(client, "GET routes:plain", NO_ROUTE);
    CHECK_TEXT(given.view.value.text, "here");
    CHECK(!first_outcome(&given).node.replica);
    CHECK_INT(response_has_slot(shard.slots, slot),
              first_outcome(&given).node.port == shard.primary.port);
    drop(&given);
    glide_buffer_free(&buffer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_read_of_a_key_on_a_replica_is_served_by_the_replica_itself)
{
    const wire_bytes key = wire_text("routes:replica");
    const request_route route = request_slot_key(REQUEST_REPLICA, key);
    glide_client client = open_cluster();
    answer given = run(client, "SET routes:replica here", NO_ROUTE);
    const uint32_t primary = first_outcome(&given).node.port;
    const wire_bytes host = wire_text("127.0.0.1");
    long at_primary, at_replica;
    uint32_t replica;

    drop(&given);
    await_replica(client, "GET routes:replica", key, "here");
    given = run(client, WHO, route);
    replica = first_outcome(&given).node.port;
    drop(&given);
    at_primary = reads_at(client, host, primary);
    at_replica = reads_at(client, host, replica);
    for (int i = 0; i < 10; i++) {
        given = run(client, "GET routes:replica", route);
        CHECK_TEXT(given.view.value.text, "here");
        CHECK(first_outcome(&given).node.replica && !first_outcome(&given).fallback);
        CHECK_TEXT(first_outcome(&given).served_by, "");
        drop(&given);
    }
    CHECK_INT(reads_at(client, host, primary), at_primary);
    CHECK_INT(reads_at(client, host, replica), at_replica + 10);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_replica_serves_reads_also_after_it_has_cut_every_connection)
{
    const wire_bytes key = wire_text("routes:killed");
    const request_route route = request_slot_key(REQUEST_REPLICA, key);
    glide_client client = open_cluster();
    answer given = run(client, "SET routes:killed here", NO_ROUTE);

    drop(&given);
    await_replica(client, "GET routes:killed", key, "here");
    for (int i = 0; i < 20; i++) {
        given = run(client, "CLIENT KILL TYPE normal SKIPME no", route);
        drop(&given); /* the reply may be lost with the connection that it was to come over */
        given = run(client, "GET routes:killed", route);
        if (given.status == GLIDE_ERR_CONNECTION && given.view.error.sent) {
            drop(&given); /* it was on its way when the server came to close the connection */
            given = run(client, "GET routes:killed", route);
        }
        CHECK_INT(given.status, GLIDE_OK);
        CHECK_TEXT(given.view.value.text, "here");
        CHECK(first_outcome(&given).node.replica && first_outcome(&given).served_by.len == 0);
        drop(&given);
    }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_write_sent_to_a_replica_is_served_by_its_primary_and_the_outcome_says_so)
{
    const request_route route = request_slot_key(REQUEST_REPLICA, wire_text("routes:write"));
    glide_client client = open_cluster();
    answer given = run(client, "SET routes:write here", route);

    CHECK_INT(given.status, GLIDE_OK);
    CHECK(first_outcome(&given).node.replica);
    CHECK(first_outcome(&given).served_by.len > 0);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Plans --------------------------------------------------------------------------------- */

TEST(a_plan_names_the_node_that_then_answers)
{
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("GET"), wire_text("routes:plan")};
    request_command get = {.words = words, .word_count = 2};
    answer plan = resolve_command(client, get), given;
    response_leg leg = {.fallback = true};
    wire_bytes word;

    CHECK(plan.view.has_plan && plan.view.plan.legs.count == 1 && !plan.view.plan.blocks);
    CHECK(response_next_leg(&plan.view.plan.legs, &leg) && !leg.fallback);
    CHECK(response_next_bytes(&leg.words, &word) && wire_equal(word, "GET"));
    CHECK(response_next_bytes(&leg.words, &word) && wire_equal(word, "routes:plan"));
    CHECK(!response_next_bytes(&leg.words, &word));
    get.outcomes = true;
    given = run_command(client, get);
    CHECK_INT(first_outcome(&given).node.port, leg.node.port);
    drop(&given);
    drop(&plan);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_plan_of_a_split_command_has_a_leg_for_each_part)
{
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("MGET"), wire_text("foo"), wire_text("bar"), wire_text("baz")};
    answer plan = resolve_command(client, (request_command){.words = words, .word_count = 4});
    size_t keys = 0;

    CHECK(plan.view.plan.legs.count > 1);
    for (response_leg leg; response_next_leg(&plan.view.plan.legs, &leg);)
        keys += leg.words.count - 1;
    CHECK_INT(keys, 3);
    drop(&plan);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_plan_of_a_blocking_command_says_how_long_it_waits)
{
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("BLPOP"), wire_text("foo"), wire_text("1.5")};
    answer plan = resolve_command(client, (request_command){.words = words, .word_count = 3});

    CHECK(plan.view.plan.blocks && plan.view.plan.block_ms == 1500);
    drop(&plan);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
