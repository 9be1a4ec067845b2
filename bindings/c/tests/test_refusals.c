/* Requests that cannot be: each is refused before anything is sent, and says what is wrong. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "live.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

/* refused - a command with a route is refused with a status, by a message that holds a text. */
static void refused(request_route route, glide_status status, const char *text)
{
    glide_client client = open_cluster();
    answer given = run(client, "PING", route);

    CHECK_INT(given.status, status);
    CHECK_HAS(given.view.error.message, text);
    CHECK(!given.view.error.sent && given.view.value.kind == RESPONSE_NONE);
    CHECK_INT(given.view.error.retryable, status == GLIDE_ERR_ROUTE);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* refused_bytes - the same for the bytes of a writer, which is freed. */
static void refused_bytes(wire_writer *writer, glide_status status, const char *text)
{
    glide_client client = open_cluster();
    answer given = run_bytes(client, (wire_bytes){writer->data, writer->len});

    CHECK(!writer->failed);
    CHECK_INT(given.status, status);
    CHECK_HAS(given.view.error.message, text);
    drop(&given);
    wire_writer_free(writer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* refused_config - the same for a ConnectionRequest: good addresses and the bytes of a writer. */
static void refused_config(wire_writer *writer, glide_status status, const char *text)
{
    request_address addresses[CLUSTER_NODES];
    request_connection connection = {.addresses = addresses};
    glide_client client = 1;
    glide_buffer buffer;
    response view;

    connection.address_count = addresses_of("GLIDE_TEST_CLUSTER", addresses);
    CHECK(request_encode_connection(writer, &connection));
    CHECK_INT(glide_client_open(writer->data, writer->len, &client, &buffer), status);
    CHECK_INT(client, 0);
    CHECK(response_read(&buffer, &view));
    CHECK_INT(view.error.status, status);
    CHECK_HAS(view.error.message, text);
    glide_buffer_free(&buffer);
    wire_writer_free(writer);
}

/* put_command - the field single_command of a CommandRequest, with one word or none. */
static void put_command(wire_writer *writer, uint32_t request_type, const char *word)
{
    size_t command = wire_begin(writer, 2), args;

    wire_put_uint(writer, 1, request_type);
    args = wire_begin(writer, 2);
    if (word != NULL)
        wire_put_bytes(writer, 1, wire_text(word));
    wire_end(writer, args);
    wire_end(writer, command);
}

/* ---- Bytes that are no request ------------------------------------------------------------- */

TEST(malformed_bytes_are_no_request)
{
    static const char *const malformed[] = {
        "\xff",              /* a key that is cut off */
        "\x0a",              /* a length that is missing */
        "\x12\x7f",          /* content that is missing */
        "\x0b",              /* a group without an end */
        "\x07",              /* a type that is none */
        "\x52\x02\x0a\x7f",  /* a malformed route */
        "not a message",
    };

    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        wire_writer writer = {0};

        writer.data = (uint8_t *)strdup(malformed[i]);
        writer.len = strlen(malformed[i]);
        refused_bytes(&writer, GLIDE_ERR_DECODE, "CommandRequest");
    }
}

TEST(malformed_bytes_are_no_config)
{
    const uint8_t bytes[] = {0x0a, 0x7f};
    glide_client client = 1;
    glide_buffer buffer;
    response view;

    CHECK_INT(glide_client_open(bytes, sizeof bytes, &client, &buffer), GLIDE_ERR_DECODE);
    CHECK_INT(client, 0);
    CHECK(response_read(&buffer, &view));
    CHECK_HAS(view.error.message, "ConnectionRequest");
    glide_buffer_free(&buffer);
}

TEST(a_request_cut_off_at_any_byte_is_answered_and_never_an_internal_error)
{
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("GET"), wire_text("key")};
    request_route route = request_slot_key(REQUEST_REPLICA, wire_text("key"));
    request_command get = {.words = words, .word_count = 2, .route = route, .outcomes = true};
    wire_writer writer = {0};

    CHECK(request_encode_command(&writer, &get));
    for (size_t len = 0; len < writer.len; len++) {
        uint8_t *copy = exact_copy(writer.data, len);
        answer given = run_bytes(client, (wire_bytes){copy, len});

        CHECK(given.status == GLIDE_OK || given.status == GLIDE_ERR_DECODE ||
              given.status == GLIDE_ERR_INVALID_ARGUMENT);
        drop(&given);
        free(copy);
    }
    wire_writer_free(&writer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_field_that_the_library_does_not_know_is_passed_over)
{
    glide_client client = open_cluster();
    wire_writer writer = {0};
    answer given;

    put_command(&writer, 1, "PING");
    wire_put_bytes(&writer, 9999, wire_text("from the future"));
    given = run_bytes(client, (wire_bytes){writer.data, writer.len});
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    wire_writer_free(&writer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Commands ------------------------------------------------------------------------------ */

TEST(an_empty_request_holds_no_command)
{
    wire_writer writer = {0};

    refused_bytes(&writer, GLIDE_ERR_INVALID_ARGUMENT, "no command");
}

TEST(a_command_without_words_is_refused)
{
    wire_writer writer = {0};

    put_command(&writer, 1, NULL);
    refused_bytes(&writer, GLIDE_ERR_INVALID_ARGUMENT, "no words");
}

TEST(a_request_type_that_is_not_set_is_refused)
{
    wire_writer writer = {0};

    put_command(&writer, 0, "PING");
    refused_bytes(&writer, GLIDE_ERR_INVALID_ARGUMENT, "request_type is not set");
}

TEST(a_request_type_that_is_none_is_refused_and_named)
{
    wire_writer writer = {0};

    put_command(&writer, 99999, "PING");
    refused_bytes(&writer, GLIDE_ERR_INVALID_ARGUMENT, "request_type 99999");
}

TEST(a_pointer_into_another_process_is_refused)
{
    wire_writer writer = {0};
    size_t command = wire_begin(&writer, 2);

    wire_put_uint(&writer, 1, 1);
    wire_put_uint(&writer, 3, 0xdeadbeef);
    wire_end(&writer, command);
    refused_bytes(&writer, GLIDE_ERR_INVALID_ARGUMENT, "args_vec_pointer");
    put_command(&writer, 1, "PING");
    wire_put_uint(&writer, 11, 0xdeadbeef);
    refused_bytes(&writer, GLIDE_ERR_INVALID_ARGUMENT, "root_span_ptr");
}

TEST(other_kinds_of_request_are_refused_by_name)
{
    static const struct {
        uint32_t field;
        const char *name;
    } kinds[] = {
        {4, "script_invocation"},
        {5, "script_invocation_pointers"},
        {8, "refresh_iam_token"},
        {9, "get_cache_metrics"},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        wire_writer writer = {0};

        wire_put_bytes(&writer, kinds[i].field, wire_text(""));
        refused_bytes(&writer, GLIDE_ERR_INVALID_ARGUMENT, kinds[i].name);
    }
}

TEST(a_response_policy_that_is_none_is_refused)
{
    wire_writer writer = {0};

    put_command(&writer, 1, "PING");
    wire_put_uint(&writer, 101, 77);
    refused_bytes(&writer, GLIDE_ERR_INVALID_ARGUMENT, "response_policy 77");
}

TEST(the_callback_index_comes_back_also_with_a_refusal)
{
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("PING")};
    request_command command = {.words = words, .word_count = 1, .callback_idx = UINT32_MAX};
    answer given = run_command(client, command);

    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(given.view.callback_idx, UINT32_MAX);
    drop(&given);
    command.route = request_slot_id(REQUEST_PRIMARY, -1);
    given = run_command(client, command);
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(given.view.callback_idx, UINT32_MAX);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Routes -------------------------------------------------------------------------------- */

TEST(an_empty_route_is_refused)
{
    wire_writer writer = {0};

    put_command(&writer, 1, "PING");
    wire_put_bytes(&writer, 10, wire_text(""));
    refused_bytes(&writer, GLIDE_ERR_INVALID_ARGUMENT, "route is empty");
}

TEST(a_simple_route_that_is_none_is_refused_and_named)
{
    request_route route = request_all_nodes();

    route.which = 7;
    refused(route, GLIDE_ERR_INVALID_ARGUMENT, "simple_routes 7");
}

TEST(a_slot_type_that_is_none_is_refused_and_named)
{
    request_route route = request_slot_id(REQUEST_PRIMARY, 1);

    route.type = 9;
    refused(route, GLIDE_ERR_INVALID_ARGUMENT, "slot_type 9");
    route = request_slot_key(REQUEST_PRIMARY, wire_text("key"));
    route.type = 9;
    refused(route, GLIDE_ERR_INVALID_ARGUMENT, "slot_type 9");
}

TEST(a_slot_out_of_range_is_refused_and_named)
{
    static const int32_t slots[] = {-1, 16384, 65536, INT32_MIN, INT32_MAX};

    for (int i = 0; i < 5; i++) {
        char text[32];

        snprintf(text, sizeof text, "slot %d is out of range", slots[i]);
        refused(request_slot_id(REQUEST_PRIMARY, slots[i]), GLIDE_ERR_INVALID_ARGUMENT, text);
        refused(request_slot_id(REQUEST_REPLICA, slots[i]), GLIDE_ERR_INVALID_ARGUMENT, text);
    }
}

TEST(a_port_out_of_range_is_refused_and_named)
{
    const wire_bytes host = wire_text("127.0.0.1");

    refused(request_by_address(host, 65536), GLIDE_ERR_INVALID_ARGUMENT, "port 65536");
    refused(request_by_address(host, -1), GLIDE_ERR_INVALID_ARGUMENT, "port -1");
    refused(request_by_address(wire_text("127.0.0.1:65536"), 0), GLIDE_ERR_INVALID_ARGUMENT,
            "65536");
}

TEST(a_host_without_a_port_is_refused)
{
    refused(request_by_address(wire_text("127.0.0.1"), 0), GLIDE_ERR_INVALID_ARGUMENT, "no port");
    refused(request_by_address(wire_text("127.0.0.1:"), 0), GLIDE_ERR_INVALID_ARGUMENT, "port");
    refused(request_by_address(wire_text("127.0.0.1:x"), 0), GLIDE_ERR_INVALID_ARGUMENT, "\"x\"");
}

TEST(a_port_without_a_host_is_refused)
{
    refused(request_by_address(wire_text(""), 7000), GLIDE_ERR_INVALID_ARGUMENT, "no host");
    refused(request_by_address(wire_text(":7000"), 0), GLIDE_ERR_INVALID_ARGUMENT, "no host");
    refused(request_by_address(wire_text(""), 0), GLIDE_ERR_INVALID_ARGUMENT, "host");
}

TEST(an_address_that_is_no_node_is_refused_with_those_that_are)
{
    glide_client client = open_cluster();
    answer given = run(client, "PING", request_by_address(wire_text("192.0.2.1"), 7000));
    request_address addresses[CLUSTER_NODES];
    const size_t count = addresses_of("GLIDE_TEST_CLUSTER", addresses);

    CHECK_INT(given.status, GLIDE_ERR_ROUTE);
    CHECK_HAS(given.view.error.message, "192.0.2.1:7000");
    for (size_t i = 0; i < count; i++) {
        char name[64];

        snprintf(name, sizeof name, "%.*s:%u", WIRE_PRINT(addresses[i].host), addresses[i].port);
        CHECK_HAS(given.view.error.message, name);
    }
    CHECK(given.view.error.retryable && !given.view.error.sent);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Configs ------------------------------------------------------------------------------- */

TEST(a_config_without_addresses_is_refused)
{
    request_connection connection = {.address_count = 0};
    glide_client client = 1;
    glide_buffer buffer;

    CHECK_INT(request_open(&connection, &client, &buffer), GLIDE_ERR_CONFIG);
    CHECK_INT(client, 0);
    glide_buffer_free(&buffer);
}

TEST(an_option_that_is_not_supported_is_refused_by_name)
{
    wire_writer writer = {0};

    wire_put_bytes(&writer, 21, wire_text(""));
    refused_config(&writer, GLIDE_ERR_CONFIG, "compression_config");
    wire_put_bytes(&writer, 36, wire_text(""));
    refused_config(&writer, GLIDE_ERR_CONFIG, "rdma_config");
}

TEST(an_option_of_the_future_is_passed_over)
{
    request_address addresses[CLUSTER_NODES];
    request_connection connection = {.addresses = addresses};
    wire_writer writer = {0};
    glide_client client;
    glide_buffer buffer;

    connection.address_count = addresses_of("GLIDE_TEST_CLUSTER", addresses);
    CHECK(request_encode_connection(&writer, &connection));
    wire_put_bytes(&writer, 9999, wire_text("from the future"));
    CHECK_INT(glide_client_open(writer.data, writer.len, &client, &buffer), GLIDE_OK);
    glide_buffer_free(&buffer);
    wire_writer_free(&writer);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_protocol_that_is_none_is_refused_and_named)
{
    wire_writer writer = {0};

    wire_put_uint(&writer, 9, 5);
    refused_config(&writer, GLIDE_ERR_CONFIG, "protocol 5");
}

TEST(an_address_that_cannot_be_is_refused_by_its_position)
{
    wire_writer writer = {0};
    size_t address = wire_begin(&writer, 1);

    wire_put_bytes(&writer, 1, wire_text("127.0.0.1"));
    wire_put_uint(&writer, 2, 65536);
    wire_end(&writer, address);
    refused_config(&writer, GLIDE_ERR_CONFIG, "addresses[0]: port 65536");
    wire_put_bytes(&writer, 1, wire_text(""));
    refused_config(&writer, GLIDE_ERR_CONFIG, "addresses[0]: host \"\" is empty");
}
