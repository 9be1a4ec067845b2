/* Responses: each message is read as it was written, and malformed ones are known as such. */
#include <stdlib.h>

#include "check.h"
#include "response.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

enum { VALUE = 2, OUTCOMES = 3, ERROR = 4, PLAN = 5, TOPOLOGY = 6 }; /* fields of Response */

static void put_node(wire_writer *writer, uint32_t field, const char *host, uint32_t port,
                     bool replica)
{
    size_t node = wire_begin(writer, field);

    wire_put_bytes(writer, 1, wire_text("id"));
    wire_put_bytes(writer, 2, wire_text(host));
    wire_put_uint(writer, 3, port);
    wire_put_uint(writer, 4, replica);
    wire_put_bytes(writer, 5, wire_text("zone"));
    wire_put_bytes(writer, 6, wire_text("alias:1"));
    wire_end(writer, node);
}

static void put_slots(wire_writer *writer, uint32_t field, uint32_t first, uint32_t last)
{
    size_t slots = wire_begin(writer, field);

    wire_put_uint(writer, 1, first);
    wire_put_uint(writer, 2, last);
    wire_end(writer, slots);
}

/* put_text_value - a Value that holds bytes, as the field of a message. */
static void put_text_value(wire_writer *writer, uint32_t field, uint32_t kind, const char *text)
{
    size_t value = wire_begin(writer, field);

    wire_put_bytes(writer, kind, wire_text(text));
    wire_end(writer, value);
}

static void put_error(wire_writer *writer, uint32_t field)
{
    size_t error = wire_begin(writer, field);

    wire_put_uint(writer, 1, GLIDE_ERR_SERVER);
    wire_put_bytes(writer, 2, wire_text("WRONGTYPE no"));
    wire_put_bytes(writer, 3, wire_text("WRONGTYPE"));
    wire_put_bytes(writer, 4, wire_text("a:1"));
    wire_put_bool(writer, 5, true);
    wire_put_bool(writer, 6, true);
    wire_end(writer, error);
}

/* read_written - the view of what was written; it must be a good one. */
static response read_written(const wire_writer *writer)
{
    glide_buffer buffer = {writer->data, writer->len};
    response view;

    CHECK(!writer->failed);
    CHECK(response_read(&buffer, &view));
    return view;
}

/* visit - walk over everything in a value and count it. */
static size_t visit(const response_value *value)
{
    response_list items = value->items;
    response_value item;
    size_t count = 1;

    while (response_next_value(&items, &item))
        count += visit(&item);
    return count;
}

/* visit_all - the same with a whole response; returns whether each walk came to its end. */
static bool visit_all(response view)
{
    response_outcome outcome;
    response_leg leg;
    response_shard shard;
    response_node node;
    wire_bytes word;
    bool good = true;

    visit(&view.value);
    while (response_next_outcome(&view.outcomes, &outcome)) {
        visit(&outcome.value);
        response_has_slot(outcome.slots, UINT32_MAX);
    }
    while (response_next_leg(&view.plan.legs, &leg)) {
        while (response_next_bytes(&leg.words, &word))
            ;
        good = good && leg.words.count == 0;
    }
    while (response_next_shard(&view.topology.shards, &shard)) {
        while (response_next_node(&shard.replicas, &node))
            ;
        good = good && shard.replicas.count == 0;
    }
    return good && view.outcomes.count == 0 && view.plan.legs.count == 0 &&
           view.topology.shards.count == 0;
}

/* put_everything - a response with something of each kind. */
static void put_everything(wire_writer *writer)
{
    size_t value, array, outer, inner;

    wire_put_uint(writer, 1, 77);
    value = wire_begin(writer, VALUE);
    array = wire_begin(writer, RESPONSE_ARRAY);
    put_text_value(writer, 1, RESPONSE_BULK, "one");
    put_text_value(writer, 1, 13, "\x0a\x01x");
    put_text_value(writer, 1, RESPONSE_VERBATIM, "\x0a\x03txt\x12\x01y");
    wire_end(writer, array);
    wire_end(writer, value);
    outer = wire_begin(writer, OUTCOMES);
    put_node(writer, 1, "a", 1, false);
    put_slots(writer, 2, 0, 5);
    put_text_value(writer, 3, RESPONSE_SIMPLE, "OK");
    wire_put_bool(writer, 5, true);
    wire_put_bool(writer, 6, true);
    wire_put_bool(writer, 7, true);
    wire_put_bytes(writer, 8, wire_text("b:2"));
    wire_end(writer, outer);
    outer = wire_begin(writer, OUTCOMES);
    put_node(writer, 1, "b", 2, true);
    put_error(writer, 4);
    wire_end(writer, outer);
    put_error(writer, ERROR);
    outer = wire_begin(writer, PLAN);
    inner = wire_begin(writer, 1);
    put_node(writer, 1, "a", 1, false);
    put_slots(writer, 2, 7, 7);
    wire_put_bytes(writer, 3, wire_text("GET"));
    wire_put_bytes(writer, 3, wire_text("key"));
    wire_put_bool(writer, 4, true);
    wire_put_uint(writer, 5, 3);
    wire_end(writer, inner);
    wire_put_uint(writer, 2, 5);
    wire_put_uint(writer, 3, 1500);
    wire_put_uint(writer, 4, 12);
    wire_put_bool(writer, 5, true);
    wire_end(writer, outer);
    outer = wire_begin(writer, TOPOLOGY);
    wire_put_uint(writer, 1, 12);
    inner = wire_begin(writer, 2);
    put_slots(writer, 1, 0, 100);
    put_slots(writer, 1, 200, 300);
    put_node(writer, 2, "a", 1, false);
    put_node(writer, 3, "b", 2, true);
    wire_end(writer, inner);
    wire_put_bool(writer, 3, true);
    wire_end(writer, outer);
}

/* ---- What is read -------------------------------------------------------------------------- */

TEST(an_empty_buffer_is_an_empty_response)
{
    glide_buffer buffer = {NULL, 0};
    response view;

    CHECK(response_read(&buffer, &view));
    CHECK_INT(view.value.kind, RESPONSE_NONE);
    CHECK_INT(view.error.status, GLIDE_OK);
    CHECK(!view.has_plan && !view.has_topology && view.outcomes.count == 0);
}

TEST(an_error_is_read_with_all_that_it_says)
{
    wire_writer writer = {0};
    response view;

    put_error(&writer, ERROR);
    view = read_written(&writer);
    CHECK_INT(view.error.status, GLIDE_ERR_SERVER);
    CHECK_TEXT(view.error.message, "WRONGTYPE no");
    CHECK_TEXT(view.error.code, "WRONGTYPE");
    CHECK_TEXT(view.error.node, "a:1");
    CHECK(view.error.sent && view.error.retryable);
    wire_writer_free(&writer);
}

TEST(outcomes_are_read_in_their_order)
{
    wire_writer writer = {0};
    response_outcome outcome;
    response view;

    put_everything(&writer);
    view = read_written(&writer);
    CHECK_INT(view.callback_idx, 77);
    CHECK_INT(view.outcomes.count, 2);
    CHECK(response_next_outcome(&view.outcomes, &outcome));
    CHECK_TEXT(outcome.node.host, "a");
    CHECK_TEXT(outcome.node.zone, "zone");
    CHECK(outcome.node.port == 1 && !outcome.node.replica);
    CHECK_INT(outcome.value.kind, RESPONSE_SIMPLE);
    CHECK_TEXT(outcome.value.text, "OK");
    CHECK(outcome.sent && outcome.retryable && outcome.fallback);
    CHECK_TEXT(outcome.served_by, "b:2");
    CHECK(response_has_slot(outcome.slots, 5) && !response_has_slot(outcome.slots, 6));
    CHECK(response_next_outcome(&view.outcomes, &outcome));
    CHECK(outcome.node.replica && outcome.value.kind == RESPONSE_NONE);
    CHECK_TEXT(outcome.error.code, "WRONGTYPE");
    CHECK(!response_next_outcome(&view.outcomes, &outcome));
    CHECK_INT(view.outcomes.count, 0);
    wire_writer_free(&writer);
}

TEST(a_plan_and_a_topology_are_read_with_their_parts)
{
    wire_writer writer = {0};
    response_leg leg;
    response_shard shard;
    response_node replica;
    wire_bytes word;
    response view;

    put_everything(&writer);
    view = read_written(&writer);
    CHECK(view.has_plan && view.plan.blocks && view.plan.block_ms == 1500);
    CHECK(view.plan.policy == 5 && view.plan.epoch == 12 && view.plan.atomic);
    CHECK(response_next_leg(&view.plan.legs, &leg) && leg.fallback && leg.words.count == 2);
    CHECK_INT(leg.command, 3);
    CHECK(response_next_bytes(&leg.words, &word) && wire_equal(word, "GET"));
    CHECK(response_next_bytes(&leg.words, &word) && wire_equal(word, "key"));
    CHECK(!response_next_leg(&view.plan.legs, &leg));
    CHECK(view.has_topology && view.topology.standalone && view.topology.epoch == 12);
    CHECK(view.topology.message.data + view.topology.message.len == writer.data + writer.len);
    CHECK(response_next_shard(&view.topology.shards, &shard) && shard.primary.port == 1);
    CHECK(response_has_slot(shard.slots, 250) && !response_has_slot(shard.slots, 150));
    CHECK(response_next_node(&shard.replicas, &replica) && replica.replica && replica.port == 2);
    wire_writer_free(&writer);
}

TEST(an_array_of_bulk_strings_is_an_array_whichever_way_it_came)
{
    wire_writer writer = {0};
    response_value item, inner;
    response view;

    put_everything(&writer);
    view = read_written(&writer);
    CHECK_INT(view.value.kind, RESPONSE_ARRAY);
    CHECK_INT(view.value.items.count, 3);
    CHECK(response_next_value(&view.value.items, &item) && item.kind == RESPONSE_BULK);
    CHECK(response_next_value(&view.value.items, &item) && item.kind == RESPONSE_ARRAY);
    CHECK(response_next_value(&item.items, &inner) && inner.kind == RESPONSE_BULK);
    CHECK_TEXT(inner.text, "x");
    CHECK(response_next_value(&view.value.items, &item) && item.kind == RESPONSE_VERBATIM);
    CHECK_TEXT(item.mark, "txt");
    CHECK_TEXT(item.text, "y");
    wire_writer_free(&writer);
}

TEST(a_value_of_a_kind_that_is_not_known_is_none)
{
    wire_writer writer = {0};

    put_text_value(&writer, VALUE, 99, "what is this");
    CHECK_INT(read_written(&writer).value.kind, RESPONSE_NONE);
    wire_writer_free(&writer);
}

/* ---- What is refused ----------------------------------------------------------------------- */

TEST(a_response_cut_off_at_any_byte_is_never_read_beyond)
{
    wire_writer writer = {0};
    size_t good = 0;

    put_everything(&writer);
    CHECK(visit_all(read_written(&writer)));
    for (size_t len = 0; len < writer.len; len++) {
        glide_buffer buffer = {exact_copy(writer.data, len), len};
        response view;

        if (response_read(&buffer, &view)) {
            good++;
            CHECK(visit_all(view));
        } else {
            visit_all(view);
        }
        free(buffer.data);
    }
    CHECK_INT(good, 7); /* cut off between two of its seven fields, or before the first */
    wire_writer_free(&writer);
}

TEST(a_response_with_any_byte_changed_is_never_read_beyond)
{
    wire_writer writer = {0};

    put_everything(&writer);
    for (size_t place = 0; place < writer.len; place++)
        for (int bit = 0; bit < 8; bit++) {
            glide_buffer buffer = {exact_copy(writer.data, writer.len), writer.len};
            response view;

            buffer.data[place] = (uint8_t)(buffer.data[place] ^ 1 << bit);
            response_read(&buffer, &view);
            visit_all(view);
            free(buffer.data);
        }
    wire_writer_free(&writer);
}

TEST(a_malformed_item_ends_the_walk_and_shows_in_the_count)
{
    wire_writer writer = {0};
    response_outcome outcome;
    response view;

    wire_put_bytes(&writer, OUTCOMES, wire_text("\x0a\x7f"));
    wire_put_bytes(&writer, OUTCOMES, wire_text(""));
    view = read_written(&writer);
    CHECK_INT(view.outcomes.count, 2);
    CHECK(!response_next_outcome(&view.outcomes, &outcome));
    CHECK_INT(view.outcomes.count, 2);
    CHECK(!response_next_outcome(&view.outcomes, &outcome));
    wire_writer_free(&writer);
}

TEST(a_field_of_a_wrong_type_spoils_the_response)
{
    static const uint32_t fields[] = {2, 3, 4, 5, 6};

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        wire_writer writer = {0};
        glide_buffer buffer;
        response view;

        wire_put_uint(&writer, fields[i], 1);
        buffer = (glide_buffer){writer.data, writer.len};
        CHECK(!response_read(&buffer, &view));
        wire_writer_free(&writer);
    }
}
