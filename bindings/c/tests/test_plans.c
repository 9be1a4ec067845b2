/* Where a router sends requests, single ones and batches. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "routers.h"

/* ---- Routes -------------------------------------------------------------------------------- */

/* planned - the one node that the words of a line go to. */
static bool planned(glide_router router, const char *line, request_route route, const char *host)
{
    return CHECK_TEXT(wire_text(planned_host(plan(router, line, route)).text), host);
}

TEST(without_a_route_a_plan_is_for_the_owner_of_the_key)
{
    glide_router router = open_router(READ_PRIMARY, NULL);
    answer given = plan(router, "GET foo", NO_ROUTE);
    response_leg leg = next_leg(&given);
    wire_bytes word;

    CHECK(given.view.has_plan && !given.view.plan.atomic && !given.view.plan.blocks);
    CHECK_INT(given.view.plan.epoch, 7);
    CHECK_TEXT(leg.node.host, "p3");
    CHECK_TEXT(leg.node.id, "third");
    CHECK(leg.node.port == 7000 && !leg.node.replica && !leg.fallback && leg.command == 0);
    CHECK(response_has_slot(leg.slots, 12182));
    CHECK(response_next_bytes(&leg.words, &word) && wire_equal(word, "GET"));
    CHECK(response_next_bytes(&leg.words, &word) && wire_equal(word, "foo"));
    CHECK(!response_next_bytes(&leg.words, &word));
    drop(&given);
    planned(router, "GET {3}", NO_ROUTE, "p1");
    planned(router, "SET {2} v", NO_ROUTE, "p2");
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(a_plan_for_several_nodes_has_each_once_in_the_order_of_the_topology)
{
    static const char *const nodes[] = {"p1", "r1", "r2", "p2", "r3", "p3"};
    glide_router router = open_router(READ_PRIMARY, NULL);
    answer given = plan(router, "PING", request_all_nodes());

    CHECK_INT(given.view.plan.legs.count, ROUTER_NODES);
    for (int i = 0; i < ROUTER_NODES; i++) {
        response_leg leg = next_leg(&given);

        CHECK_TEXT(leg.node.host, nodes[i]);
        CHECK_INT(leg.node.replica, nodes[i][0] == 'r');
    }
    drop(&given);
    given = plan(router, "PING", request_all_primaries());
    CHECK_INT(given.view.plan.legs.count, ROUTER_PRIMARIES);
    CHECK_TEXT(next_leg(&given).node.host, "p1");
    CHECK_TEXT(next_leg(&given).node.host, "p2");
    CHECK_TEXT(next_leg(&given).node.host, "p3");
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(a_random_node_is_planned_anew_by_every_call)
{
    static const char *const nodes[] = {"p1", "r1", "r2", "p2", "r3", "p3"};
    glide_router router = open_router(READ_PRIMARY, NULL);
    bool seen[ROUTER_NODES] = {false};

    for (int i = 0; i < 400; i++) { /* one is missed by chance once in 10^31 runs */
        const host_name host = planned_host(plan(router, "PING", request_random_node()));
        const host_name writer = planned_host(plan(router, "SET k v", request_random_node()));

        for (int node = 0; node < ROUTER_NODES; node++)
            seen[node] = seen[node] || strcmp(host.text, nodes[node]) == 0;
        CHECK_INT(writer.text[0], 'p');
    }
    for (int node = 0; node < ROUTER_NODES; node++)
        CHECK(seen[node]);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(slot_routes_are_planned_to_the_primary_or_a_replica)
{
    glide_router router = open_router(READ_PRIMARY, NULL);
    answer given;

    planned(router, "PING", request_slot_key(REQUEST_PRIMARY, wire_text("{2}")), "p2");
    planned(router, "PING", request_slot_key(REQUEST_REPLICA, wire_text("{2}")), "r3");
    planned(router, "PING", request_slot_id(REQUEST_PRIMARY, 0), "p1");
    planned(router, "PING", request_slot_id(REQUEST_REPLICA, 10922), "r3");
    given = plan(router, "PING", request_slot_id(REQUEST_REPLICA, 16383));
    CHECK(next_leg(&given).fallback);
    drop(&given);
    planned(router, "PING", request_slot_id(REQUEST_REPLICA, 16383), "p3");
    given = plan(router, "PING", request_slot_id(REQUEST_PRIMARY, NOBODYS_SLOT));
    CHECK_INT(given.status, GLIDE_ERR_ROUTE);
    CHECK_HAS(given.view.error.message, "10001");
    drop(&given);
    given = plan(router, "PING", request_slot_id(REQUEST_PRIMARY, 16384));
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(every_name_of_a_node_is_planned_to_it)
{
    glide_router router = open_router(READ_PRIMARY, NULL);
    answer given;

    planned(router, "PING", request_by_address(wire_text("p3"), 7000), "p3");
    planned(router, "PING", request_by_address(wire_text("P3"), 7000), "p3");
    planned(router, "PING", request_by_address(wire_text("r2:7000"), 0), "r2");
    planned(router, "PING", request_by_address(wire_text("10.0.0.3"), 7000), "p3");
    planned(router, "PING", request_by_address(wire_text("10.0.0.3:7000"), 0), "p3");
    given = plan(router, "PING", request_by_address(wire_text("p3"), 7001));
    CHECK_INT(given.status, GLIDE_ERR_ROUTE);
    CHECK_HAS(given.view.error.message, "p3:7001");
    CHECK_HAS(given.view.error.message, "r3:7000");
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(a_standalone_server_is_planned_everything_but_slot_routes)
{
    const topology_shard shard = {.primary = {.host = wire_text("::1"), .port = 1}};
    const topology_cluster cluster = {.shards = &shard, .shard_count = 1, .standalone = true};
    glide_router router;
    answer given = open_over(&cluster, &router);

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    planned(router, "GET foo", NO_ROUTE, "::1");
    planned(router, "PING", request_all_nodes(), "::1");
    given = plan(router, "GET foo", request_slot_id(REQUEST_PRIMARY, 1));
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, "standalone");
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

/* ---- Reads --------------------------------------------------------------------------------- */

TEST(replicas_take_turns)
{
    glide_router router = open_router(READ_PREFER_REPLICA, NULL);
    host_name before = {""};

    for (int i = 0; i < 10; i++) {
        const host_name now = planned_host(plan(router, "GET {3}", NO_ROUTE));

        CHECK(strcmp(now.text, "r1") == 0 || strcmp(now.text, "r2") == 0);
        CHECK(strcmp(now.text, before.text) != 0);
        before = now;
    }
    planned(router, "SET {3} v", NO_ROUTE, "p1");
    planned(router, "GET foo", NO_ROUTE, "p3");
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(reads_stay_in_the_zone_that_is_preferred)
{
    glide_router router = open_router(READ_AZ_AFFINITY, "b");

    for (int i = 0; i < 4; i++)
        planned(router, "GET {3}", NO_ROUTE, "r2");
    CHECK_INT(glide_router_close(router), GLIDE_OK);
    router = open_router(READ_AZ_AFFINITY_REPLICAS_AND_PRIMARY, "b");
    for (int i = 0; i < 4; i++)
        planned(router, "GET {2}", NO_ROUTE, "p2");
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

enum { THREADS = 4, READS = 500 };

typedef struct reader {
    glide_router router;
    atomic_int *at_first, *at_second;
} reader;

static void *read_on(void *argument)
{
    const reader *self = argument;

    for (int i = 0; i < READS; i++) {
        const host_name host = planned_host(plan(self->router, "GET {3}", NO_ROUTE));

        *self->at_first += strcmp(host.text, "r1") == 0;
        *self->at_second += strcmp(host.text, "r2") == 0;
    }
    return NULL;
}

TEST(four_threads_share_a_router_and_its_turns)
{
    glide_router router = open_router(READ_PREFER_REPLICA, NULL);
    pthread_t threads[THREADS];
    atomic_int at_first = 0, at_second = 0;
    reader shared = {router, &at_first, &at_second};

    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, read_on, &shared) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    CHECK_INT(at_first, THREADS * READS / 2);
    CHECK_INT(at_second, THREADS * READS / 2);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

/* plan_until_closed - plan until the router is closed, which it may be at any time. */
static void *plan_until_closed(void *argument)
{
    const glide_router *router = argument;
    glide_status status = GLIDE_OK;

    while (status == GLIDE_OK) {
        answer given = plan(*router, "MGET {3} foo", NO_ROUTE);

        status = given.status;
        drop(&given);
    }
    CHECK_INT(status, GLIDE_ERR_CLOSED);
    return NULL;
}

TEST(a_router_may_be_closed_while_threads_use_it)
{
    for (int round = 0; round < 10; round++) {
        glide_router router = open_router(READ_ALL_NODES, NULL);
        pthread_t threads[THREADS];

        for (int i = 0; i < THREADS; i++)
            CHECK(pthread_create(&threads[i], NULL, plan_until_closed, &router) == 0);
        nap(2);
        CHECK_INT(glide_router_close(router), GLIDE_OK);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
    }
}

/* ---- Batches ------------------------------------------------------------------------------- */

/* check_leg - the next leg is this command, for this node. */
static void check_leg(answer *given, uint32_t command, const char *host, const char *name)
{
    response_leg leg = next_leg(given);
    wire_bytes word = {NULL, 0};

    CHECK_INT(leg.command, command);
    CHECK_TEXT(leg.node.host, host);
    CHECK(response_next_bytes(&leg.words, &word));
    CHECK_TEXT(word, name);
}

TEST(each_command_of_a_batch_is_planned_where_it_belongs)
{
    static const char *const lines[] = {"SET {3} v", "GET foo", "MGET foo {3}", "INCR {3}"};
    glide_router router = open_router(READ_PRIMARY, NULL);
    answer given = plan_batch(router, lines, 4, false, NO_ROUTE);

    CHECK_INT(given.status, GLIDE_OK);
    CHECK(!given.view.plan.atomic);
    CHECK_INT(given.view.plan.legs.count, 5);
    CHECK_INT(given.view.plan.epoch, 7);
    check_leg(&given, 0, "p1", "SET");
    check_leg(&given, 2, "p1", "MGET");
    check_leg(&given, 3, "p1", "INCR");
    check_leg(&given, 1, "p3", "GET");
    check_leg(&given, 2, "p3", "MGET");
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(an_atomic_batch_is_planned_to_the_one_node_of_its_slot)
{
    static const char *const lines[] = {"PING", "SET {2} v", "GET {2}"};
    glide_router router = open_router(READ_PREFER_REPLICA, NULL);
    answer given = plan_batch(router, lines, 3, true, NO_ROUTE);

    CHECK_INT(given.status, GLIDE_OK);
    CHECK(given.view.plan.atomic);
    CHECK_INT(given.view.plan.legs.count, 3);
    check_leg(&given, 0, "p2", "PING");
    check_leg(&given, 1, "p2", "SET");
    check_leg(&given, 2, "p2", "GET");
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(an_atomic_batch_over_several_slots_is_refused_and_names_the_command)
{
    static const char *const lines[] = {"SET {2} v", "PING", "GET foo"};
    glide_router router = open_router(READ_PRIMARY, NULL);
    answer given = plan_batch(router, lines, 3, true, NO_ROUTE);

    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, "CROSSSLOT");
    CHECK_HAS(given.view.error.message, "command 2 of the atomic batch");
    CHECK(!given.view.has_plan && !given.view.error.sent);
    drop(&given);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(a_route_is_for_the_whole_batch_and_for_one_node)
{
    static const char *const lines[] = {"GET {2}", "GET {2}"};
    glide_router router = open_router(READ_PRIMARY, NULL);

    for (int atomic = 0; atomic < 2; atomic++) {
        request_route route = request_slot_id(REQUEST_PRIMARY, 16383);
        answer given = plan_batch(router, lines, 2, atomic, route);

        CHECK_INT(given.status, GLIDE_OK);
        check_leg(&given, 0, "p3", "GET");
        check_leg(&given, 1, "p3", "GET");
        drop(&given);
        given = plan_batch(router, lines, 2, atomic, request_all_nodes());
        CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_HAS(given.view.error.message, "not to all nodes");
        drop(&given);
    }
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

TEST(a_batch_that_cannot_be_is_refused_and_the_command_is_named)
{
    static const char *const lines[] = {"PING", ""};
    glide_router router = open_router(READ_PRIMARY, NULL);

    for (int atomic = 0; atomic < 2; atomic++) {
        answer given = plan_batch(router, lines, 0, atomic, NO_ROUTE);

        CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_HAS(given.view.error.message, "empty batch");
        drop(&given);
        given = plan_batch(router, lines, 2, atomic, NO_ROUTE);
        CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_HAS(given.view.error.message, "command 1 of the batch");
        drop(&given);
    }
    CHECK_INT(glide_router_close(router), GLIDE_OK);
}

/* ---- Beside a client ----------------------------------------------------------------------- */

/* same_plan - whether two answers are the same, byte for byte; they are dropped. */
static bool same_plan(answer first, answer second)
{
    const bool same = first.status == GLIDE_OK && second.status == GLIDE_OK &&
                      first.buffer.len == second.buffer.len && first.buffer.len > 0 &&
                      memcmp(first.buffer.data, second.buffer.data, first.buffer.len) == 0;

    drop(&first);
    drop(&second);
    return same;
}

TEST(over_the_topology_of_a_client_a_router_plans_as_the_client_does)
{
    glide_client client = open_cluster();
    glide_buffer buffer;
    const glide_status told = glide_client_topology(client, &buffer);
    answer known = read_answer(told, buffer), opened;
    const wire_bytes topology = known.view.topology.message;
    glide_router router;
    glide_status status = glide_router_open(topology.data, topology.len, &router, &buffer);

    opened = read_answer(status, buffer);
    CHECK_INT(status, GLIDE_OK);
    drop(&opened);
    drop(&known);
    for (int i = 0; i < 300; i++) {
        char key[32];
        wire_bytes words[] = {wire_text("MGET"), wire_text(key), wire_text("foo")};
        request_words lines[] = {{words, 3}, {words + 1, 2}};
        request_command command = {.words = words, .word_count = 3};
        request_batch batch = {.commands = lines, .command_count = 2};
        answer given;

        snprintf(key, sizeof key, "plan:%d", i);
        words[1] = wire_text(key);
        status = topology_resolve(router, &command, &buffer);
        given = read_answer(status, buffer);
        CHECK(same_plan(given, resolve_command(client, command)));
        status = topology_resolve_batch(router, &batch, &buffer);
        given = read_answer(status, buffer);
        status = request_resolve_batch(client, &batch, &buffer);
        CHECK(same_plan(given, read_answer(status, buffer)));
    }
    CHECK_INT(glide_router_close(router), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
