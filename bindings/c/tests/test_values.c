/* Replies of every kind, as a live server makes them. */
#include <string.h>

#include "check.h"
#include "live.h"

/* eval - what a Lua script of the server replies in RESP3. */
static answer eval(glide_client client, const char *script)
{
    wire_bytes words[] = {wire_text("EVAL"), wire_text(script), wire_text("0")};

    return run_command(client, (request_command){.words = words, .word_count = 3});
}

#define RESP3 "server.setresp(3) "

/* ---- One value ----------------------------------------------------------------------------- */

TEST(a_key_that_does_not_exist_is_nil)
{
    glide_client client = open_cluster();
    answer given = run(client, "GET values:none", NO_ROUTE);

    CHECK_INT(given.view.value.kind, RESPONSE_NIL);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(integers_come_whole)
{
    glide_client client = open_cluster();
    answer given = run(client, "SET values:int -9223372036854775808", NO_ROUTE);

    drop(&given);
    given = run(client, "INCRBY values:int 0", NO_ROUTE);
    CHECK_INT(given.view.value.kind, RESPONSE_INTEGER);
    CHECK(given.view.value.integer == INT64_MIN);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(bulk_strings_come_as_their_bytes)
{
    static const uint8_t bytes[] = {0, 0xff, '\r', '\n', 0};
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("SET"), wire_text("values:bytes"), {bytes, sizeof bytes}};
    answer given = run_command(client, (request_command){.words = words, .word_count = 3});

    CHECK_INT(given.view.value.kind, RESPONSE_SIMPLE);
    drop(&given);
    given = run(client, "GET values:bytes", NO_ROUTE);
    CHECK_INT(given.view.value.kind, RESPONSE_BULK);
    CHECK(given.view.value.text.len == sizeof bytes &&
          memcmp(given.view.value.text.data, bytes, sizeof bytes) == 0);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(an_empty_bulk_string_is_not_nil)
{
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("ECHO"), wire_text("")};
    answer given = run_command(client, (request_command){.words = words, .word_count = 2});

    CHECK_INT(given.view.value.kind, RESPONSE_BULK);
    CHECK_INT(given.view.value.text.len, 0);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_value_of_eight_megabytes_comes_whole)
{
    enum { LARGE = 8 << 20 };
    static uint8_t large[LARGE];
    glide_client client = open_cluster();
    wire_bytes words[] = {wire_text("ECHO"), {large, LARGE}};
    answer given;

    for (size_t i = 0; i < LARGE; i++)
        large[i] = (uint8_t)(i * 31 >> 4);
    given = run_command(client, (request_command){.words = words, .word_count = 2});
    CHECK_INT(given.view.value.text.len, LARGE);
    CHECK(given.view.value.text.len == LARGE &&
          memcmp(given.view.value.text.data, large, LARGE) == 0);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(the_kinds_of_resp3_come_as_they_are)
{
    glide_client client = open_cluster();
    answer given = eval(client, RESP3 "return {double=3.5}");

    CHECK(given.view.value.kind == RESPONSE_DOUBLE && given.view.value.number == 3.5);
    drop(&given);
    given = eval(client, RESP3 "return true");
    CHECK(given.view.value.kind == RESPONSE_BOOLEAN && given.view.value.integer == 1);
    drop(&given);
    given = eval(client, RESP3 "return {big_number='1234567890123456789012345678901234567890'}");
    CHECK_INT(given.view.value.kind, RESPONSE_BIG_NUMBER);
    CHECK_TEXT(given.view.value.text, "1234567890123456789012345678901234567890");
    drop(&given);
    given = eval(client, RESP3 "return {verbatim_string={format='txt',string='so'}}");
    CHECK_INT(given.view.value.kind, RESPONSE_VERBATIM);
    CHECK_TEXT(given.view.value.mark, "txt");
    CHECK_TEXT(given.view.value.text, "so");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Several ------------------------------------------------------------------------------- */

TEST(a_map_comes_as_keys_and_values_by_turns)
{
    glide_client client = open_cluster();
    answer given = eval(client, RESP3 "return {map={a=1}}");
    response_list items = given.view.value.items;
    response_value item;

    CHECK_INT(given.view.value.kind, RESPONSE_MAP);
    CHECK_INT(items.count, 2);
    CHECK(response_next_value(&items, &item) && wire_equal(item.text, "a"));
    CHECK(response_next_value(&items, &item) && item.integer == 1);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_set_comes_as_its_members)
{
    glide_client client = open_cluster();
    answer given = run(client, "SADD values:set one", NO_ROUTE);
    response_value item;

    drop(&given);
    given = run(client, "SMEMBERS values:set", NO_ROUTE);
    CHECK_INT(given.view.value.kind, RESPONSE_SET);
    CHECK(response_next_value(&given.view.value.items, &item) && wire_equal(item.text, "one"));
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(arrays_nest)
{
    glide_client client = open_cluster();
    answer given = eval(client, "return {1,{'two',{3}},{}}");
    response_list items = given.view.value.items, inner;
    response_value item;

    CHECK_INT(given.view.value.kind, RESPONSE_ARRAY);
    CHECK_INT(items.count, 3);
    CHECK(response_next_value(&items, &item) && item.integer == 1);
    CHECK(response_next_value(&items, &item) && item.items.count == 2);
    inner = item.items;
    CHECK(response_next_value(&inner, &item) && wire_equal(item.text, "two"));
    CHECK(response_next_value(&inner, &item) && item.items.count == 1);
    CHECK(response_next_value(&items, &item) && item.kind == RESPONSE_ARRAY);
    CHECK_INT(item.items.count, 0);
    CHECK(!response_next_value(&items, &item) && items.count == 0);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(an_error_inside_an_array_is_one_of_its_items)
{
    glide_client client = open_cluster();
    answer given = eval(client, "return {1,{err='MINE is wrong'}}");
    response_list items = given.view.value.items;
    response_value item;

    CHECK_INT(given.status, GLIDE_OK);
    CHECK(response_next_value(&items, &item) && item.integer == 1);
    CHECK(response_next_value(&items, &item) && item.kind == RESPONSE_ERROR);
    CHECK_TEXT(item.mark, "MINE");
    CHECK_TEXT(item.text, "MINE is wrong");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(the_replies_of_a_split_command_come_in_the_order_of_its_keys)
{
    static const char *const expected[] = {"one", "two", "", "three"};
    glide_client client = open_cluster();
    answer given = run(client, "MSET values:1 one values:2 two values:3 three", NO_ROUTE);
    response_value item;

    CHECK_TEXT(given.view.value.text, "OK");
    drop(&given);
    given = run(client, "MGET values:1 values:2 values:4 values:3", NO_ROUTE);
    CHECK_INT(given.view.value.items.count, 4);
    for (int i = 0; i < 4; i++) {
        CHECK(response_next_value(&given.view.value.items, &item));
        CHECK_TEXT(item.text, expected[i]);
        CHECK_INT(item.kind, i == 2 ? RESPONSE_NIL : RESPONSE_BULK);
    }
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Refusals of the server ---------------------------------------------------------------- */

TEST(a_refusal_of_the_server_has_its_code_and_its_node)
{
    glide_client client = open_cluster();
    answer given = run(client, "SET values:text here", NO_ROUTE);

    drop(&given);
    given = run(client, "INCR values:text", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_ERR_SERVER);
    CHECK_TEXT(given.view.error.code, "ERR");
    CHECK_HAS(given.view.error.message, "not an integer");
    CHECK_HAS(given.view.error.node, "127.0.0.1:");
    CHECK_INT(given.view.value.kind, RESPONSE_NONE);
    drop(&given);
    given = run(client, "LPUSH values:text item", NO_ROUTE);
    CHECK_TEXT(given.view.error.code, "WRONGTYPE");
    drop(&given);
    given = run(client, "NOSUCHCOMMAND", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_ERR_SERVER);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(where_some_of_several_nodes_refuse_each_outcome_says_which)
{
    glide_client client = open_cluster();
    answer given = run(client, "WAIT 0 100", request_all_nodes()); /* no replica takes a WAIT */
    size_t good = 0, bad = 0;

    CHECK_INT(given.status, GLIDE_ERR_PARTIAL);
    CHECK_INT(outcome_count(&given), CLUSTER_NODES);
    for (response_outcome outcome; response_next_outcome(&given.view.outcomes, &outcome);) {
        good += !outcome.node.replica && outcome.error.status == GLIDE_OK &&
                outcome.value.kind == RESPONSE_INTEGER;
        bad += outcome.node.replica && outcome.error.status == GLIDE_ERR_SERVER &&
               outcome.value.kind == RESPONSE_NONE;
    }
    CHECK_INT(good, CLUSTER_PRIMARIES);
    CHECK_INT(bad, CLUSTER_NODES - CLUSTER_PRIMARIES);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
