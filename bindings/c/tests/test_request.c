/* Requests: what their structs become, and the texts that they are made of. */
#include <string.h>

#include "check.h"
#include "routers.h"

/* field_of - the last field of a number in a message; false where there is none. */
static bool field_of(wire_bytes message, uint32_t number, wire_reader *field)
{
    wire_reader reader = wire_read(message);
    bool found = false;

    while (wire_next(&reader))
        if (reader.field == number) {
            *field = reader;
            found = true;
        }
    CHECK(!reader.failed);
    return found;
}

static bool has_field(wire_bytes message, uint32_t number)
{
    wire_reader field;

    return field_of(message, number, &field);
}

/* number_of, bytes_of - the value of a field that must be there. */
static int64_t number_of(wire_bytes message, uint32_t number)
{
    wire_reader field;

    return CHECK(field_of(message, number, &field)) ? wire_get_int(&field) : -1;
}

static wire_bytes bytes_of(wire_bytes message, uint32_t number)
{
    wire_reader field;

    return CHECK(field_of(message, number, &field)) ? wire_get_bytes(&field) : wire_text(NULL);
}

/* nth_of - the content of one of several fields of a number, the first being 0. */
static wire_bytes nth_of(wire_bytes message, uint32_t number, int nth)
{
    wire_reader reader = wire_read(message);

    while (wire_next(&reader))
        if (reader.field == number && nth-- == 0)
            return wire_get_bytes(&reader);
    CHECK(!"there are that many");
    return wire_text(NULL);
}

/* encoded - the bytes of a command, to be freed with the writer. */
static wire_bytes encoded(wire_writer *writer, const request_command *command)
{
    *writer = (wire_writer){0};
    CHECK(request_encode_command(writer, command));
    return (wire_bytes){writer->data, writer->len};
}

/* ---- Addresses and words ------------------------------------------------------------------- */

TEST(addresses_are_read_from_a_list)
{
    request_address found[4];

    CHECK_INT(request_addresses("10.0.0.1:7000", found, 4), 1);
    CHECK_TEXT(found[0].host, "10.0.0.1");
    CHECK_INT(found[0].port, 7000);
    CHECK_INT(request_addresses("a:1,[::1]:65535,::2:3", found, 4), 3);
    CHECK_TEXT(found[0].host, "a");
    CHECK_TEXT(found[1].host, "::1");
    CHECK_INT(found[1].port, 65535);
    CHECK_TEXT(found[2].host, "::2");
}

TEST(a_list_that_is_no_addresses_is_none)
{
    static const char *const texts[] = {
        "",    ",",    "a",    "a:",    "a:0",  "a:65536",      "a:99999999999", "a:1,", ",a:1",
        ":1",  "[]:1", "a:-1", "a: 1",  "a:1x", "a:1,b:2,c:3,", "a:1,,b:2",      "[:1]",
    };
    request_address found[4];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!CHECK_INT(request_addresses(texts[i], found, 4), 0))
            CHECK_TEXT(wire_text(texts[i]), "");
}

TEST(more_addresses_than_there_is_room_for_are_none)
{
    request_address found[2];

    CHECK_INT(request_addresses("a:1,b:2", found, 2), 2);
    CHECK_INT(request_addresses("a:1,b:2,c:3", found, 2), 0);
    CHECK_INT(request_addresses("a:1", found, 0), 0);
}

TEST(a_line_is_divided_at_its_blanks)
{
    wire_bytes words[3];

    CHECK_INT(request_split("  CONFIG  GET port ", words, 3), 3);
    CHECK_TEXT(words[0], "CONFIG");
    CHECK_TEXT(words[2], "port");
    CHECK_INT(request_split("", words, 3), 0);
    CHECK_INT(request_split("   ", words, 3), 0);
    CHECK_INT(request_split("a b c d", words, 3), 0);
}

/* ---- Messages ------------------------------------------------------------------------------ */

TEST(a_connection_becomes_a_connection_request)
{
    request_address address = {wire_text("10.0.0.1"), 7000};
    request_connection connection = {
        .addresses = &address,
        .address_count = 1,
        .resp2 = true,
        .request_timeout_ms = 1,
        .connection_timeout_ms = 2,
        .inflight_limit = 3,
        .read_from = 4,
        .client_az = "zone",
        .username = "user",
        .password = "pass",
        .client_name = "name",
        .lib_name = "lib",
        .database_id = 5,
    };
    wire_writer writer = {0};
    wire_bytes message;

    CHECK(request_encode_connection(&writer, &connection));
    message = (wire_bytes){writer.data, writer.len};
    CHECK_INT(number_of(message, 8), 5);
    CHECK_TEXT(bytes_of(message, 19), "lib");
    CHECK_TEXT(bytes_of(bytes_of(message, 1), 1), "10.0.0.1");
    CHECK_INT(number_of(bytes_of(message, 1), 2), 7000);
    CHECK_INT(number_of(message, 3), 1);
    CHECK_INT(number_of(message, 4), 1);
    CHECK_INT(number_of(message, 5), 4);
    CHECK_TEXT(bytes_of(bytes_of(message, 7), 1), "pass");
    CHECK_TEXT(bytes_of(bytes_of(message, 7), 2), "user");
    CHECK_INT(number_of(message, 9), 1);
    CHECK_TEXT(bytes_of(message, 10), "name");
    CHECK_INT(number_of(message, 14), 3);
    CHECK_TEXT(bytes_of(message, 15), "zone");
    CHECK_INT(number_of(message, 16), 2);
    wire_writer_free(&writer);
}

TEST(how_nodes_are_found_and_reached_becomes_its_fields)
{
    const request_backoff backoff = {.steps = 1, .first_ms = 2, .base = 3, .jitter_percent = 0};
    const request_mapping mapping = {{wire_text("inner"), 1}, {wire_text("outer"), 2}};
    request_connection connection = {
        .periodic_checks_s = 7,
        .lazy_connect = true,
        .refresh_topology_from_initial_nodes = true,
        .discovery = REQUEST_DISCOVER_ALL,
        .read_only = true,
        .no_tcp_nodelay = true,
        .backoff = &backoff,
        .address_map = &mapping,
        .address_map_count = 1,
        .trust_redirects = true,
    };
    wire_writer writer = {0};
    wire_bytes message, inner;

    CHECK(request_encode_connection(&writer, &connection));
    message = (wire_bytes){writer.data, writer.len};
    CHECK_INT(number_of(bytes_of(message, 11), 1), 7);
    CHECK(!has_field(message, 12));
    CHECK_INT(number_of(message, 17), 1);
    CHECK_INT(number_of(message, 18), 1);
    CHECK_INT(number_of(message, 28), 2);
    CHECK_INT(number_of(message, 26), 1);
    CHECK_INT(number_of(message, 24), 0);
    CHECK_INT(number_of(message, 102), 1);
    inner = bytes_of(message, 6);
    for (uint32_t field = 1; field <= 4; field++)
        CHECK_INT(number_of(inner, field), field % 4);
    inner = bytes_of(message, 101);
    CHECK_TEXT(bytes_of(bytes_of(inner, 1), 1), "inner");
    CHECK_INT(number_of(bytes_of(inner, 1), 2), 1);
    CHECK_TEXT(bytes_of(bytes_of(inner, 2), 1), "outer");
    CHECK_INT(number_of(bytes_of(inner, 2), 2), 2);
    wire_writer_free(&writer);
    CHECK(request_encode_connection(&writer, &(request_connection){.no_periodic_checks = true}));
    CHECK(has_field((wire_bytes){writer.data, writer.len}, 12));
    wire_writer_free(&writer);
}

TEST(another_password_becomes_its_field)
{
    request_password update = {
        .password = "s3cret", .immediate = true, .timeout_ms = 5, .callback_idx = 6};
    wire_writer writer = {0};
    wire_bytes message;

    CHECK(request_encode_password(&writer, &update));
    message = (wire_bytes){writer.data, writer.len};
    CHECK_INT(number_of(message, 1), 6);
    CHECK_TEXT(bytes_of(bytes_of(message, 7), 1), "s3cret");
    CHECK_INT(number_of(bytes_of(message, 7), 2), 1);
    CHECK_INT(number_of(message, 100), 5);
    wire_writer_free(&writer);
    CHECK(request_encode_password(&writer, &(request_password){.password = NULL}));
    message = (wire_bytes){writer.data, writer.len};
    CHECK(!has_field(bytes_of(message, 7), 1));
    wire_writer_free(&writer);
}

TEST(the_tls_of_a_connection_becomes_its_fields)
{
    const wire_bytes roots[] = {wire_text("root 0"), wire_text("root 1")};
    request_connection connection = {.tls = {
                                         .mode = REQUEST_INSECURE_TLS,
                                         .server_name = "node.test",
                                         .root_certs = roots,
                                         .root_cert_count = 2,
                                         .client_cert = wire_text("cert"),
                                         .client_key = wire_text("key"),
                                         .client_cert_path = "cert.pem",
                                         .client_key_path = "key.pem",
                                         .cert_reload_s = 9,
                                     }};
    wire_writer writer = {0};
    wire_bytes message;

    CHECK(request_encode_connection(&writer, &connection));
    message = (wire_bytes){writer.data, writer.len};
    CHECK_INT(number_of(message, 2), 2);
    CHECK_TEXT(nth_of(message, 20, 0), "root 0");
    CHECK_TEXT(nth_of(message, 20, 1), "root 1");
    CHECK_TEXT(bytes_of(message, 22), "cert");
    CHECK_TEXT(bytes_of(message, 23), "key");
    CHECK_TEXT(bytes_of(message, 31), "cert.pem");
    CHECK_TEXT(bytes_of(message, 32), "key.pem");
    CHECK_INT(number_of(bytes_of(message, 33), 1), 1);
    CHECK_INT(number_of(bytes_of(message, 33), 2), 9);
    CHECK_TEXT(bytes_of(message, 100), "node.test");
    wire_writer_free(&writer);
}

TEST(a_connection_leaves_out_what_it_does_not_say)
{
    request_connection connection = {.standalone = true};
    wire_writer writer = {0};
    wire_bytes message;

    CHECK(request_encode_connection(&writer, &connection));
    message = (wire_bytes){writer.data, writer.len};
    CHECK_INT(number_of(message, 3), 0);
    for (uint32_t field = 1; field < 40; field++)
        CHECK(field == 3 || !has_field(message, field));
    CHECK(!has_field(message, 100));
    CHECK(!has_field(message, 101));
    wire_writer_free(&writer);
}

TEST(a_command_becomes_a_command_request)
{
    wire_bytes words[] = {wire_text("SET"), {(const uint8_t *)"k\0", 2}, wire_text("")};
    request_command command = {
        .words = words,
        .word_count = 3,
        .timeout_ms = 7,
        .response_policy = 1,
        .outcomes = true,
        .callback_idx = 9,
    };
    wire_writer writer;
    wire_bytes message = encoded(&writer, &command), single = bytes_of(message, 2);
    response_list args = {.count = 3, .reader = wire_read(bytes_of(single, 2)), .field = 1};
    wire_bytes word;

    CHECK_INT(number_of(message, 1), 9);
    CHECK_INT(number_of(single, 1), 1);
    CHECK(response_next_bytes(&args, &word) && wire_equal(word, "SET"));
    CHECK(response_next_bytes(&args, &word) && word.len == 2 && memcmp(word.data, "k\0", 2) == 0);
    CHECK(response_next_bytes(&args, &word) && word.len == 0);
    CHECK(!response_next_bytes(&args, &word));
    CHECK(!has_field(message, 10));
    CHECK_INT(number_of(message, 100), 7);
    CHECK_INT(number_of(message, 101), 1);
    CHECK_INT(number_of(message, 102), 1);
    wire_writer_free(&writer);
}

TEST(a_simple_route_becomes_its_number)
{
    const request_route routes[] = {request_all_nodes(), request_all_primaries(),
                                    request_random_node()};
    wire_writer writer;

    for (int i = 0; i < 3; i++) {
        wire_bytes message = encoded(&writer, &(request_command){.route = routes[i]});

        CHECK_INT(number_of(bytes_of(message, 10), 1), i);
        wire_writer_free(&writer);
    }
}

TEST(a_slot_key_route_becomes_its_message)
{
    const wire_bytes key = {(const uint8_t *)"\xff\0", 2};
    const request_route route = request_slot_key(REQUEST_REPLICA, key);
    wire_writer writer;
    wire_bytes message = encoded(&writer, &(request_command){.route = route});
    wire_bytes inner = bytes_of(bytes_of(message, 10), 2);

    CHECK_INT(number_of(inner, 1), 1);
    CHECK(!has_field(inner, 2));
    CHECK_INT(bytes_of(inner, 100).len, 2);
    wire_writer_free(&writer);
}

TEST(a_slot_id_route_becomes_its_message_also_where_the_slot_is_negative)
{
    const request_route route = request_slot_id(REQUEST_PRIMARY, -1);
    wire_writer writer;
    wire_bytes message = encoded(&writer, &(request_command){.route = route});
    wire_bytes inner = bytes_of(bytes_of(message, 10), 3);

    CHECK_INT(number_of(inner, 1), 0);
    CHECK_INT(number_of(inner, 2), -1);
    wire_writer_free(&writer);
}

TEST(a_by_address_route_becomes_its_message)
{
    const request_route route = request_by_address(wire_text("::1"), 7000);
    wire_writer writer;
    wire_bytes message = encoded(&writer, &(request_command){.route = route});
    wire_bytes inner = bytes_of(bytes_of(message, 10), 4);

    CHECK_TEXT(bytes_of(inner, 1), "::1");
    CHECK_INT(number_of(inner, 2), 7000);
    wire_writer_free(&writer);
}

TEST(a_batch_becomes_a_command_request_with_its_commands_in_order)
{
    wire_bytes ping[] = {wire_text("PING")}, get[] = {wire_text("GET"), wire_text("k")};
    const request_words commands[] = {{ping, 1}, {get, 2}, {NULL, 0}};
    request_batch batch = {.commands = commands, .command_count = 3, .callback_idx = 9};
    wire_writer writer = {0};
    wire_bytes message, inner;

    batch.atomic = true;
    batch.raise_on_error = true;
    batch.timeout_ms = 7;
    batch.route = request_random_node();
    CHECK(request_encode_batch(&writer, &batch));
    message = (wire_bytes){writer.data, writer.len};
    inner = bytes_of(message, 3);
    CHECK(!has_field(message, 2));
    CHECK_INT(number_of(message, 1), 9);
    CHECK_INT(number_of(inner, 1), 1);
    CHECK_INT(number_of(inner, 3), 1);
    CHECK_INT(number_of(message, 100), 7);
    for (int i = 0; i < 3; i++)
        CHECK_INT(number_of(nth_of(inner, 2, i), 1), 1);
    CHECK_TEXT(bytes_of(bytes_of(nth_of(inner, 2, 0), 2), 1), "PING");
    CHECK_TEXT(nth_of(bytes_of(nth_of(inner, 2, 1), 2), 1, 1), "k");
    CHECK_INT(bytes_of(nth_of(inner, 2, 2), 2).len, 0);
    CHECK_INT(number_of(bytes_of(message, 10), 1), 2);
    wire_writer_free(&writer);
    CHECK(request_encode_batch(&writer, &(request_batch){.atomic = false}));
    message = (wire_bytes){writer.data, writer.len};
    CHECK_INT(bytes_of(message, 3).len, 0);
    CHECK(!has_field(message, 10));
    wire_writer_free(&writer);
}

TEST(a_script_becomes_a_command_request)
{
    wire_bytes keys[] = {wire_text("k")}, args[] = {wire_text("a"), wire_text("b")};
    request_script script = {
        .source = wire_text(""),
        .hash = "17",
        .keys = keys,
        .key_count = 1,
        .args = args,
        .arg_count = 2,
        .route = request_random_node(),
        .timeout_ms = 7,
        .callback_idx = 9,
    };
    wire_writer writer = {0};
    wire_bytes message, inner;

    CHECK(request_encode_script(&writer, &script));
    message = (wire_bytes){writer.data, writer.len};
    inner = bytes_of(message, 4);
    CHECK_INT(number_of(message, 1), 9);
    CHECK_INT(number_of(message, 100), 7);
    CHECK(has_field(message, 10));
    CHECK_TEXT(bytes_of(inner, 1), "17");
    CHECK_TEXT(bytes_of(inner, 2), "k");
    CHECK_TEXT(bytes_of(inner, 3), "b"); /* the last of them */
    CHECK(has_field(inner, 100) && bytes_of(inner, 100).len == 0);
    wire_writer_free(&writer);
    CHECK(request_encode_script(&writer, &(request_script){.hash = "17"}));
    message = (wire_bytes){writer.data, writer.len};
    CHECK(!has_field(bytes_of(message, 4), 100));
    wire_writer_free(&writer);
}

TEST(a_step_of_a_scan_becomes_a_command_request)
{
    request_scan scan = {
        .cursor = wire_text("0-5|||"),
        .match = wire_text(""),
        .count = 100,
        .type = "list",
        .allow_gaps = true,
        .timeout_ms = 7,
        .callback_idx = 9,
    };
    wire_writer writer = {0};
    wire_bytes message, inner;

    CHECK(request_encode_scan(&writer, &scan));
    message = (wire_bytes){writer.data, writer.len};
    inner = bytes_of(message, 6);
    CHECK_INT(number_of(message, 1), 9);
    CHECK_INT(number_of(message, 100), 7);
    CHECK_TEXT(bytes_of(inner, 1), "0-5|||");
    CHECK(has_field(inner, 2) && bytes_of(inner, 2).len == 0);
    CHECK_INT(number_of(inner, 3), 100);
    CHECK_TEXT(bytes_of(inner, 4), "list");
    CHECK_INT(number_of(inner, 5), 1);
    wire_writer_free(&writer);
    CHECK(request_encode_scan(&writer, &(request_scan){.count = 0}));
    message = (wire_bytes){writer.data, writer.len};
    CHECK(has_field(message, 6) && bytes_of(message, 6).len == 0);
    wire_writer_free(&writer);
}

TEST(a_topology_becomes_its_message)
{
    wire_writer writer = {0};
    wire_bytes message, shard, node;

    encode_own(&writer);
    message = (wire_bytes){writer.data, writer.len};
    CHECK_INT(number_of(message, 1), 7);
    CHECK_INT(number_of(message, 3), 0);
    CHECK_INT(number_of(message, 4), READ_PRIMARY);
    CHECK_TEXT(bytes_of(message, 5), "");
    shard = nth_of(message, 2, 0);
    CHECK_INT(number_of(nth_of(shard, 1, 0), 1), 0);
    CHECK_INT(number_of(nth_of(shard, 1, 0), 2), 5460);
    CHECK_TEXT(bytes_of(bytes_of(shard, 2), 2), "p1");
    CHECK_INT(number_of(bytes_of(shard, 2), 4), 0);
    node = nth_of(shard, 3, 1);
    CHECK_TEXT(bytes_of(node, 2), "r2");
    CHECK_INT(number_of(node, 3), 7000);
    CHECK_INT(number_of(node, 4), 1);
    CHECK_TEXT(bytes_of(node, 5), "b");
    CHECK_INT(number_of(nth_of(nth_of(message, 2, 1), 1, 1), 1), 10002);
    node = bytes_of(nth_of(message, 2, 2), 2);
    CHECK_TEXT(bytes_of(node, 1), "third");
    CHECK_TEXT(bytes_of(node, 6), "10.0.0.3:7000");
    wire_writer_free(&writer);
}
