/* Connecting: servers that are not there, that say nothing, that want a password. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "live.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

/* listening - a socket on a free port of this machine whose connections nobody takes. */
static int listening(uint32_t *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof address;
    int socket_fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(socket_fd, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(listen(socket_fd, 8) == 0);
    CHECK(getsockname(socket_fd, (struct sockaddr *)&address, &len) == 0);
    *port = ntohs(address.sin_port);
    return socket_fd;
}

/* nobody - the address of a port on which nobody listens. */
static request_address nobody(void)
{
    request_address address = {.host = wire_text("127.0.0.1")};

    close(listening(&address.port));
    return address;
}

static answer open_at(const request_address *addresses, size_t count, uint32_t timeout_ms,
                      glide_client *client)
{
    request_connection connection = {
        .addresses = addresses,
        .address_count = count,
        .request_timeout_ms = 5000,
        .connection_timeout_ms = timeout_ms,
    };
    answer given = {.status = request_open(&connection, client, &given.buffer)};

    CHECK(response_read(&given.buffer, &given.view));
    CHECK_INT(given.view.error.status, given.status);
    CHECK((*client != 0) == (given.status == GLIDE_OK));
    return given;
}

static size_t count_nodes(response_topology topology)
{
    response_shard shard;
    size_t count = 0;

    while (response_next_shard(&topology.shards, &shard))
        count += (shard.primary.port != 0) + shard.replicas.count;
    return count;
}

/* ---- Nobody there -------------------------------------------------------------------------- */

TEST(without_a_server_there_is_a_connection_error_within_the_connection_timeout)
{
    request_address address = nobody();
    const double started = seconds();
    glide_client client;
    answer given = open_at(&address, 1, 1000, &client);
    char name[32];

    CHECK(seconds() - started < 1.05);
    CHECK_INT(given.status, GLIDE_ERR_CONNECTION);
    snprintf(name, sizeof name, "127.0.0.1:%u", address.port);
    CHECK_HAS(given.view.error.message, name);
    CHECK(given.view.error.retryable && !given.view.error.sent && !given.view.has_topology);
    drop(&given);
}

TEST(a_server_that_says_nothing_is_given_up_at_the_connection_timeout)
{
    request_address address = {.host = wire_text("127.0.0.1")};
    int silent = listening(&address.port);
    double took = 1;

    for (int i = 0; i < TRIES && took > 0.45; i++) {
        const double started = seconds();
        glide_client client;
        answer given = open_at(&address, 1, 400, &client);

        took = seconds() - started;
        CHECK(given.status == GLIDE_ERR_TIMEOUT || given.status == GLIDE_ERR_CONNECTION);
        drop(&given);
        CHECK(took > 0.39);
    }
    CHECK(took <= 0.45);
    close(silent);
}

TEST(an_address_without_a_server_does_not_matter_beside_a_good_one)
{
    request_address addresses[CLUSTER_NODES], two[2];
    glide_client client;
    answer given;

    addresses_of("GLIDE_TEST_CLUSTER", addresses);
    two[0] = nobody();
    two[1] = addresses[0];
    given = open_at(two, 2, 5000, &client);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_silent_server_does_not_delay_a_good_one)
{
    request_address addresses[CLUSTER_NODES], two[2] = {{.host = wire_text("127.0.0.1")}};
    int silent = listening(&two[0].port);
    const double started = seconds();
    glide_client client;
    answer given;

    addresses_of("GLIDE_TEST_CLUSTER", addresses);
    two[1] = addresses[0];
    given = open_at(two, 2, 5000, &client);
    CHECK_INT(given.status, GLIDE_OK);
    CHECK(seconds() - started < 2);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    close(silent);
}

TEST(a_name_that_is_none_is_an_error_that_names_it)
{
    request_address address = {wire_text("nosuch.invalid"), 7000};
    glide_client client;
    answer given = open_at(&address, 1, 1000, &client);

    CHECK(given.status == GLIDE_ERR_CONNECTION || given.status == GLIDE_ERR_TIMEOUT);
    CHECK_HAS(given.view.error.message, "nosuch.invalid");
    drop(&given);
}

/* ---- The cluster --------------------------------------------------------------------------- */

TEST(one_address_is_enough_to_find_every_node)
{
    request_address addresses[CLUSTER_NODES];

    CHECK_INT(addresses_of("GLIDE_TEST_CLUSTER", addresses), CLUSTER_NODES);
    for (int i = 0; i < CLUSTER_NODES; i++) {
        glide_client client;
        answer given = open_at(&addresses[i], 1, 5000, &client);

        CHECK_INT(given.status, GLIDE_OK);
        CHECK_INT(count_nodes(given.view.topology), CLUSTER_NODES);
        CHECK(!given.view.topology.standalone && given.view.topology.epoch > 0);
        drop(&given);
        CHECK_INT(glide_client_close(client), GLIDE_OK);
    }
}

TEST(the_topology_covers_every_slot_once)
{
    glide_client client = open_cluster();
    glide_buffer buffer;
    response view;
    uint32_t next = 0, first, last;

    CHECK_INT(glide_client_topology(client, &buffer), GLIDE_OK);
    CHECK(response_read(&buffer, &view) && view.has_topology);
    for (response_shard shard; response_next_shard(&view.topology.shards, &shard);)
        while (response_next_slots(&shard.slots, &first, &last)) {
            CHECK_INT(first, next); /* shards stand in the order of their slots */
            next = last + 1;
        }
    CHECK_INT(next, 16384);
    glide_buffer_free(&buffer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(connections_have_the_name_that_was_given)
{
    request_connection connection = {.client_name = "somebody", .request_timeout_ms = 5000};
    glide_client client;
    answer given = open_with(connection, "GLIDE_TEST_CLUSTER", &client);

    drop(&given);
    given = run(client, "CLIENT GETNAME", NO_ROUTE);
    CHECK_TEXT(given.view.value.text, "somebody");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_client_that_speaks_resp2_has_the_same_routes)
{
    request_connection connection = {.resp2 = true, .request_timeout_ms = 5000};
    glide_client client;
    answer given = open_with(connection, "GLIDE_TEST_CLUSTER", &client);
    response_outcome outcome;

    drop(&given);
    given = run(client, "CONFIG GET port", request_slot_id(REQUEST_REPLICA, 1));
    outcome = first_outcome(&given);
    CHECK(outcome.node.replica);
    CHECK_INT(told_port(&outcome.value), outcome.node.port);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Passwords ----------------------------------------------------------------------------- */

TEST(the_right_password_opens)
{
    request_connection connection = {.password = "s3cret", .request_timeout_ms = 5000};
    glide_client client;
    answer given = open_with(connection, "GLIDE_TEST_PASSWORD", &client);

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    given = run(client, "ACL WHOAMI", NO_ROUTE);
    CHECK_TEXT(given.view.value.text, "default");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_wrong_password_or_user_is_refused_by_the_server_and_not_repeated)
{
    static const request_connection wrong[] = {
        {.password = "open sesame"},
        {.username = "nobody", .password = "open sesame"},
    };

    for (int i = 0; i < 2; i++) {
        glide_client client;
        answer given = open_with(wrong[i], "GLIDE_TEST_PASSWORD", &client);
        const wire_bytes message = given.view.error.message;

        CHECK_INT(given.status, GLIDE_ERR_SERVER);
        CHECK_TEXT(given.view.error.code, "WRONGPASS");
        for (size_t at = 0; at + 6 <= message.len; at++)
            CHECK(!wire_equal((wire_bytes){message.data + at, 6}, "sesame"));
        drop(&given);
    }
}

TEST(a_missing_password_is_asked_for_by_the_server)
{
    glide_client client;
    answer given = open_with((request_connection){.resp2 = false}, "GLIDE_TEST_PASSWORD", &client);

    CHECK_INT(given.status, GLIDE_ERR_SERVER);
    CHECK_TEXT(given.view.error.code, "NOAUTH");
    drop(&given);
}

/* ---- A server that is no cluster ----------------------------------------------------------- */

TEST(a_standalone_server_is_served)
{
    for (int standalone = 0; standalone < 2; standalone++) {
        request_connection connection = {.standalone = standalone, .request_timeout_ms = 5000};
        glide_client client;
        answer given = open_with(connection, "GLIDE_TEST_STANDALONE", &client);

        CHECK_INT(given.status, GLIDE_OK);
        CHECK(given.view.topology.standalone);
        CHECK_INT(count_nodes(given.view.topology), 1);
        drop(&given);
        given = run(client, "SET key here", NO_ROUTE);
        CHECK_TEXT(given.view.value.text, "OK");
        drop(&given);
        given = run(client, "GET key", NO_ROUTE);
        CHECK_TEXT(given.view.value.text, "here");
        drop(&given);
        CHECK_INT(glide_client_close(client), GLIDE_OK);
    }
}

TEST(a_standalone_server_has_no_slot_routes)
{
    const request_route routes[] = {
        request_slot_id(REQUEST_PRIMARY, 1),
        request_slot_id(REQUEST_REPLICA, 1),
        request_slot_key(REQUEST_PRIMARY, wire_text("key")),
        request_slot_key(REQUEST_REPLICA, wire_text("key")),
    };
    glide_client client = open_standalone();

    for (int i = 0; i < 4; i++) {
        answer given = run(client, "GET key", routes[i]);

        CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_HAS(given.view.error.message, "cluster");
        CHECK(!given.view.error.sent);
        drop(&given);
    }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(all_nodes_of_a_standalone_server_are_the_one)
{
    glide_client client = open_standalone();
    answer given = run(client, "PING", request_all_nodes());

    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(outcome_count(&given), 1);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
