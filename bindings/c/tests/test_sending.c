/* What is not sent at all, and what is not sent on. */
#include <stdio.h>

#include "check.h"
#include "live.h"

TEST(a_command_that_sets_a_state_of_one_connection_is_refused_by_name)
{
    static const struct {
        const char *line, *name;
    } commands[] = {
        {"SELECT 1", "SELECT"},
        {"select 1", "SELECT"},
        {"AUTH s3cret", "AUTH"},
        {"AUTH default s3cret", "AUTH"},
        {"HELLO", "HELLO"},
        {"HELLO 3", "HELLO"},
        {"RESET", "RESET"},
        {"CLIENT TRACKING ON", "CLIENT TRACKING"},
        {"client no-evict on", "CLIENT NO-EVICT"},
    };
    const request_route routes[] = {NO_ROUTE, request_all_nodes(),
                                    request_slot_id(REQUEST_PRIMARY, 0)};
    glide_client client = open_cluster();

    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        for (int route = 0; route < 3; route++) {
            answer given = run(client, commands[i].line, routes[route]);

            CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
            CHECK_HAS(given.view.error.message, commands[i].name);
            CHECK_HAS(given.view.error.message, "sets a state of one connection");
            CHECK(!given.view.error.sent && !given.view.error.retryable);
            CHECK_INT(outcome_count(&given), 0);
            drop(&given);
        }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* check_runs_once - INCR on a route to several nodes: the owner of the key counts, the others
 * answer MOVED, and nobody follows them there. */
static void check_runs_once(request_route route, size_t nodes)
{
    glide_client client = open_cluster();
    answer given = run(client, "DEL sending:count", NO_ROUTE);
    response_outcome outcome;
    size_t counted = 0, moved = 0;

    drop(&given);
    given = run(client, "INCR sending:count", route);
    CHECK_INT(given.status, GLIDE_ERR_PARTIAL);
    CHECK_INT(outcome_count(&given), nodes);
    while (response_next_outcome(&given.view.outcomes, &outcome)) {
        CHECK(outcome.sent && outcome.served_by.len == 0);
        if (outcome.error.status == GLIDE_OK) {
            CHECK(outcome.value.kind == RESPONSE_INTEGER && outcome.value.integer == 1);
            counted++;
        } else {
            CHECK_INT(outcome.error.status, GLIDE_ERR_SERVER);
            moved += CHECK_TEXT(outcome.error.code, "MOVED");
        }
    }
    CHECK_INT(counted, 1);
    CHECK_INT(moved, nodes - 1);
    drop(&given);
    given = run(client, "GET sending:count", NO_ROUTE);
    CHECK_TEXT(given.view.value.text, "1");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_write_to_all_nodes_runs_once)
{
    check_runs_once(request_all_nodes(), CLUSTER_NODES);
}

TEST(a_write_to_all_primaries_runs_once)
{
    check_runs_once(request_all_primaries(), CLUSTER_PRIMARIES);
}
