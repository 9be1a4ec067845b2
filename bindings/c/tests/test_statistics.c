/* What a client counts, its options in force, lazy connecting and passwords that change. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "live.h"
#include "statistics.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

/* count_of - the statistics of a client; the buffer is to be freed. */
static statistics count_of(glide_client client, glide_buffer *buffer)
{
    statistics view;

    CHECK_INT(glide_client_statistics(client, buffer), GLIDE_OK);
    CHECK(statistics_read(buffer, &view));
    return view;
}

static glide_client open_lazily(request_connection connection, const char *variable)
{
    glide_client client;
    answer opened;

    connection.lazy_connect = true;
    connection.request_timeout_ms = 5000;
    opened = open_with(connection, variable, &client);
    CHECK_INT(opened.status, GLIDE_OK);
    CHECK_INT(opened.view.topology.shards.count, 0);
    drop(&opened);
    return client;
}

static answer update(glide_client client, const char *password, bool immediate)
{
    request_password wanted = {.password = password, .immediate = immediate};
    glide_buffer buffer;
    glide_status status = request_execute_password(client, &wanted, &buffer);

    return read_answer(status, buffer);
}

/* ---- Counting ------------------------------------------------------------------------------ */

TEST(what_the_nodes_of_a_cluster_were_sent_is_counted)
{
    glide_client client = open_cluster();
    const uint64_t now_ms = (uint64_t)time(NULL) * 1000;
    glide_buffer buffer;
    statistics counted;
    statistics_node node;
    size_t nodes = 0;
    answer given = run(client, "PING", request_all_nodes());

    drop(&given);
    counted = count_of(client, &buffer);
    CHECK(counted.has_topology && counted.topology_age_ms < 60000);
    CHECK(counted.topology_refreshes >= 1);
    CHECK_INT(counted.inflight_requests, 0);
    while (statistics_next_node(&counted.nodes, &node)) {
        if (!node.in_topology)
            continue;
        nodes++;
        CHECK(node.node.port != 0 && node.node.host.len != 0);
        CHECK(node.requests >= 1 && node.connections >= 1 && node.connections_made >= 1);
        CHECK_INT(node.errors, 0);
        CHECK(node.bytes_sent > 0 && node.bytes_received > 0);
        CHECK(node.connected_since_ms > now_ms - 60000);
        /* A look that lost against another may have been cut off by now. */
        CHECK(node.last_error_ms == 0 || node.last_error_ms > now_ms - 60000);
    }
    CHECK_INT(counted.nodes.count, 0);
    CHECK_INT(nodes, CLUSTER_NODES);
    glide_buffer_free(&buffer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(what_the_library_holds_in_the_process_is_told)
{
    glide_client client = open_cluster(), other;
    glide_buffer buffer;
    uint32_t before = count_of(client, &buffer).process.handles;
    statistics_process process;

    glide_buffer_free(&buffer);
    other = open_cluster();
    process = count_of(client, &buffer).process;
    glide_buffer_free(&buffer);
    CHECK_INT(process.handles, before + 1);
    CHECK_INT(process.calls, 0);
    CHECK(process.goroutines >= 2);
    CHECK_INT(glide_client_close(other), GLIDE_OK);
    CHECK_INT(count_of(client, &buffer).process.handles, before);
    glide_buffer_free(&buffer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(the_last_error_of_a_server_is_kept_with_its_time)
{
    glide_client client = open_standalone();
    glide_buffer buffer;
    statistics counted;
    statistics_node before, node;
    answer given;

    counted = count_of(client, &buffer);
    CHECK(statistics_next_node(&counted.nodes, &before));
    given = run(client, "LPUSH key", (request_route){.kind = REQUEST_NO_ROUTE});
    CHECK_INT(given.status, GLIDE_ERR_SERVER);
    drop(&given);
    glide_buffer_free(&buffer);
    counted = count_of(client, &buffer);
    CHECK(statistics_next_node(&counted.nodes, &node));
    CHECK_INT(node.errors, before.errors + 1);
    CHECK_HAS(node.last_error, "wrong number of arguments");
    CHECK(node.last_error_ms > ((uint64_t)time(NULL) - 60) * 1000);
    glide_buffer_free(&buffer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(the_options_in_force_are_told_without_secrets)
{
    const request_mapping mapping = {{wire_text("inner.test"), 1}, {wire_text("outer.test"), 2}};
    request_connection connection = {
        .password = "sesame", .client_name = "name", .address_map = &mapping,
        .address_map_count = 1, .trust_redirects = true, .no_periodic_checks = true};
    glide_client client = open_lazily(connection, "GLIDE_TEST_CLUSTER");
    glide_buffer buffer;
    statistics counted = count_of(client, &buffer);
    statistics_configuration given = counted.configuration;
    request_mapping found;
    wire_bytes address;

    CHECK(!counted.has_topology);
    CHECK_INT(counted.nodes.count, 0);
    CHECK(!given.standalone && given.lazy_connect && given.has_password && !given.no_tcp_nodelay);
    CHECK(given.trust_redirects);
    CHECK_INT(given.request_timeout_ms, 5000);
    CHECK_INT(given.connection_timeout_ms, 2000);
    CHECK_INT(given.inflight_limit, 1000);
    CHECK_INT(given.periodic_checks_ms, 0);
    CHECK_INT(given.backoff.first_ms, 10);
    CHECK_INT(given.backoff.base, 2);
    CHECK_INT(given.backoff.steps, 4);
    CHECK_INT(given.backoff.jitter_percent, 20);
    CHECK_TEXT(given.client_name, "name");
    CHECK_TEXT(given.lib_name, "libglide");
    CHECK_INT(given.addresses.count, CLUSTER_NODES);
    CHECK(response_next_bytes(&given.addresses, &address));
    CHECK_HAS(address, "127.0.0.1:");
    CHECK(statistics_next_mapping(&given.address_map, &found));
    CHECK_TEXT(found.announced.host, "inner.test");
    CHECK_TEXT(found.dial.host, "outer.test");
    CHECK_INT(found.dial.port, 2);
    CHECK(!statistics_next_mapping(&given.address_map, &found));
    for (size_t at = 0; at + 6 <= buffer.len; at++)
        CHECK(!wire_equal((wire_bytes){buffer.data + at, 6}, "sesame"));
    glide_buffer_free(&buffer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(statistics_that_are_none_are_not_read)
{
    static const uint8_t cut[] = {7 << 3 | 2, 5, 1 << 3 | 2};
    glide_buffer buffer = {NULL, 0};
    statistics view;

    CHECK(!statistics_read(&buffer, &view));
    buffer = (glide_buffer){exact_copy(cut, sizeof cut), sizeof cut};
    CHECK(!statistics_read(&buffer, &view));
    free(buffer.data);
    CHECK_INT(glide_client_statistics(0, &buffer), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK(!statistics_read(&buffer, &view));
    glide_buffer_free(&buffer);
    CHECK_INT(glide_client_statistics(1, NULL), GLIDE_ERR_INVALID_ARGUMENT);
}

TEST(a_node_that_is_malformed_ends_the_walk_and_is_seen)
{
    /* Two nodes, the second with a field that is cut off. */
    static const uint8_t bytes[] = {7 << 3 | 2, 8, 1 << 3 | 2, 2, 3 << 3,      5,
                                    1 << 3 | 2, 2, 13 << 3 | 2, 9};
    glide_buffer buffer = {exact_copy(bytes, sizeof bytes), sizeof bytes};
    statistics view;
    statistics_node node;

    CHECK(statistics_read(&buffer, &view));
    CHECK_INT(view.nodes.count, 2);
    CHECK(statistics_next_node(&view.nodes, &node));
    CHECK_INT(node.connections, 5);
    CHECK(!statistics_next_node(&view.nodes, &node));
    CHECK_INT(view.nodes.count, 1);
    free(buffer.data);
}

/* ---- Lazy clients and passwords ------------------------------------------------------------ */

TEST(a_lazy_client_connects_with_its_first_request)
{
    glide_client client = open_lazily((request_connection){.resp2 = false}, "GLIDE_TEST_CLUSTER");
    answer given = run(client, "PING", request_all_nodes());

    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(outcome_count(&given), CLUSTER_NODES);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_password_is_replaced_while_the_client_goes_on)
{
    glide_client client =
        open_lazily((request_connection){.password = "open sesame"}, "GLIDE_TEST_PASSWORD");
    const request_route anywhere = {.kind = REQUEST_NO_ROUTE};
    answer given = run(client, "PING", anywhere);

    CHECK_INT(given.status, GLIDE_ERR_SERVER);
    CHECK_TEXT(given.view.error.code, "WRONGPASS");
    drop(&given);
    given = update(client, "s3cret", false);
    CHECK_INT(given.status, GLIDE_OK);
    CHECK_TEXT(given.view.value.text, "OK");
    drop(&given);
    given = run(client, "PING", anywhere);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    given = update(client, "s3cret", true);
    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(outcome_count(&given), 1);
    drop(&given);
    given = update(client, "open sesame", true);
    CHECK_INT(given.status, GLIDE_ERR_SERVER);
    CHECK_TEXT(given.view.error.code, "WRONGPASS");
    drop(&given);
    given = update(client, NULL, true);
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
