/*
 * See response.h. The field numbers in the cases are those of protobuf/response.proto.
 *
 * A message is read by a function of its own that fills a struct and returns whether the message
 * was well formed. Lists are only counted; their items are read as they are walked.
 */
#include "response.h"

/* ---- Lists ------------------------------------------------------------------------------- */

static response_list list_of(wire_bytes message, uint32_t field)
{
    return (response_list){.reader = wire_read(message), .field = field};
}

/* count - the present field is an item of the list. */
static void count(wire_reader *reader, response_list *list)
{
    wire_get_bytes(reader);
    list->count++;
}

bool response_next_bytes(response_list *left, wire_bytes *bytes)
{
    while (left->count > 0 && wire_next(&left->reader)) {
        if (left->reader.field != left->field)
            continue;
        *bytes = wire_get_bytes(&left->reader);
        if (left->reader.failed)
            return false;
        left->count--;
        return true;
    }
    return false;
}

/* spoil - an item is malformed: the walk ends, and its count shows it. */
static bool spoil(response_list *left)
{
    left->reader.failed = true;
    left->count++;
    return false;
}

static bool read_slots(wire_bytes message, uint32_t *first, uint32_t *last)
{
    wire_reader reader = wire_read(message);

    *first = *last = 0;
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: *first = (uint32_t)wire_get_uint(&reader); break;
        case 2: *last = (uint32_t)wire_get_uint(&reader); break;
        }
    return !reader.failed;
}

bool response_next_slots(response_list *left, uint32_t *first, uint32_t *last)
{
    wire_bytes item;

    return response_next_bytes(left, &item) && (read_slots(item, first, last) || spoil(left));
}

bool response_has_slot(response_list slots, uint32_t slot)
{
    uint32_t first, last;

    while (response_next_slots(&slots, &first, &last))
        if (first <= slot && slot <= last)
            return true;
    return false;
}

/* ---- Values ------------------------------------------------------------------------------ */

/* read_items - an Array, a Map or a Bulks. */
static bool read_items(wire_bytes message, bool bulks, response_list *items)
{
    wire_reader reader = wire_read(message);

    *items = list_of(message, 1);
    items->bulks = bulks;
    while (wire_next(&reader))
        if (reader.field == 1)
            count(&reader, items);
    return !reader.failed;
}

/* read_verbatim - a Verbatim. */
static bool read_verbatim(wire_bytes message, response_value *value)
{
    wire_reader reader = wire_read(message);

    while (wire_next(&reader))
        switch (reader.field) {
        case 1: value->mark = wire_get_bytes(&reader); break;
        case 2: value->text = wire_get_bytes(&reader); break;
        }
    return !reader.failed;
}

/* read_element - a ServerError; without a status it is what the server said. */
static bool read_element(wire_bytes message, response_value *value)
{
    wire_reader reader = wire_read(message);

    value->status = GLIDE_ERR_SERVER;
    value->sent = true;
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: value->mark = wire_get_bytes(&reader); break;
        case 2: value->text = wire_get_bytes(&reader); break;
        case 3:
            value->status = (glide_status)wire_get_uint(&reader);
            value->sent = false; /* unless its own field, which follows, says so */
            break;
        case 4: value->node = wire_get_bytes(&reader); break;
        case 5: value->sent = wire_get_bool(&reader); break;
        case 6: value->retryable = wire_get_bool(&reader); break;
        }
    return !reader.failed;
}

enum { BULKS = 13, BULK_MAP = 15, BULK_SET = 16 }; /* in Value, beside response_kind */

static bool read_value(wire_bytes message, response_value *value)
{
    wire_reader reader = wire_read(message);
    bool good = true;

    *value = (response_value){.kind = RESPONSE_NONE};
    while (wire_next(&reader)) {
        *value = (response_value){.kind = (response_kind)reader.field};
        switch (reader.field) {
        case RESPONSE_NIL:
        case RESPONSE_PER_NODE:
            wire_get_bytes(&reader);
            break;
        case RESPONSE_INTEGER:
            value->integer = wire_get_int(&reader);
            break;
        case RESPONSE_DOUBLE:
            value->number = wire_get_double(&reader);
            break;
        case RESPONSE_BOOLEAN:
            value->integer = wire_get_bool(&reader);
            break;
        case RESPONSE_BULK:
        case RESPONSE_SIMPLE:
        case RESPONSE_BIG_NUMBER:
            value->text = wire_get_bytes(&reader);
            break;
        case RESPONSE_ARRAY:
        case RESPONSE_MAP:
        case RESPONSE_SET:
            good = read_items(wire_get_bytes(&reader), false, &value->items) && good;
            break;
        case BULKS:
        case BULK_MAP:
        case BULK_SET:
            value->kind = reader.field == BULKS      ? RESPONSE_ARRAY
                          : reader.field == BULK_MAP ? RESPONSE_MAP
                                                     : RESPONSE_SET;
            good = read_items(wire_get_bytes(&reader), true, &value->items) && good;
            break;
        case RESPONSE_VERBATIM:
            good = read_verbatim(wire_get_bytes(&reader), value) && good;
            break;
        case RESPONSE_ERROR:
            good = read_element(wire_get_bytes(&reader), value) && good;
            break;
        default:
            value->kind = RESPONSE_NONE;
        }
    }
    return good && !reader.failed;
}

bool response_next_value(response_list *left, response_value *value)
{
    wire_bytes item;

    if (!response_next_bytes(left, &item))
        return false;
    if (left->bulks) {
        *value = (response_value){.kind = RESPONSE_BULK, .text = item};
        return true;
    }
    return read_value(item, value) || spoil(left);
}

/* ---- Nodes and errors -------------------------------------------------------------------- */

static bool read_error(wire_bytes message, response_error *error)
{
    wire_reader reader = wire_read(message);

    *error = (response_error){.status = GLIDE_OK};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: error->status = (glide_status)wire_get_uint(&reader); break;
        case 2: error->message = wire_get_bytes(&reader); break;
        case 3: error->code = wire_get_bytes(&reader); break;
        case 4: error->node = wire_get_bytes(&reader); break;
        case 5: error->sent = wire_get_bool(&reader); break;
        case 6: error->retryable = wire_get_bool(&reader); break;
        }
    return !reader.failed;
}

static bool read_node(wire_bytes message, response_node *node)
{
    wire_reader reader = wire_read(message);

    *node = (response_node){.port = 0};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: node->id = wire_get_bytes(&reader); break;
        case 2: node->host = wire_get_bytes(&reader); break;
        case 3: node->port = (uint32_t)wire_get_uint(&reader); break;
        case 4: node->replica = wire_get_uint(&reader) != 0; break;
        case 5: node->zone = wire_get_bytes(&reader); break;
        }
    return !reader.failed;
}

bool response_next_node(response_list *left, response_node *node)
{
    wire_bytes item;

    return response_next_bytes(left, &item) && (read_node(item, node) || spoil(left));
}

/* ---- Outcomes ---------------------------------------------------------------------------- */

static bool read_outcome(wire_bytes message, response_outcome *outcome)
{
    wire_reader reader = wire_read(message);
    bool good = true;

    *outcome = (response_outcome){.slots = list_of(message, 2)};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: good = read_node(wire_get_bytes(&reader), &outcome->node) && good; break;
        case 2: count(&reader, &outcome->slots); break;
        case 3: good = read_value(wire_get_bytes(&reader), &outcome->value) && good; break;
        case 4: good = read_error(wire_get_bytes(&reader), &outcome->error) && good; break;
        case 5: outcome->sent = wire_get_bool(&reader); break;
        case 6: outcome->retryable = wire_get_bool(&reader); break;
        case 7: outcome->fallback = wire_get_bool(&reader); break;
        case 8: outcome->served_by = wire_get_bytes(&reader); break;
        }
    return good && !reader.failed;
}

bool response_next_outcome(response_list *left, response_outcome *outcome)
{
    wire_bytes item;

    return response_next_bytes(left, &item) && (read_outcome(item, outcome) || spoil(left));
}

/* ---- Plans ------------------------------------------------------------------------------- */

static bool read_leg(wire_bytes message, response_leg *leg)
{
    wire_reader reader = wire_read(message);
    bool good = true;

    *leg = (response_leg){.slots = list_of(message, 2), .words = list_of(message, 3)};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: good = read_node(wire_get_bytes(&reader), &leg->node) && good; break;
        case 2: count(&reader, &leg->slots); break;
        case 3: count(&reader, &leg->words); break;
        case 4: leg->fallback = wire_get_bool(&reader); break;
        case 5: leg->command = (uint32_t)wire_get_uint(&reader); break;
        }
    return good && !reader.failed;
}

bool response_next_leg(response_list *left, response_leg *leg)
{
    wire_bytes item;

    return response_next_bytes(left, &item) && (read_leg(item, leg) || spoil(left));
}

static bool read_plan(wire_bytes message, response_plan *plan)
{
    wire_reader reader = wire_read(message);

    *plan = (response_plan){.legs = list_of(message, 1)};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: count(&reader, &plan->legs); break;
        case 2: plan->policy = (uint32_t)wire_get_uint(&reader); break;
        case 3:
            plan->blocks = true;
            plan->block_ms = wire_get_uint(&reader);
            break;
        case 4: plan->epoch = wire_get_uint(&reader); break;
        case 5: plan->atomic = wire_get_bool(&reader); break;
        }
    return !reader.failed;
}

/* ---- Topologies -------------------------------------------------------------------------- */

static bool read_shard(wire_bytes message, response_shard *shard)
{
    wire_reader reader = wire_read(message);
    bool good = true;

    *shard = (response_shard){.slots = list_of(message, 1), .replicas = list_of(message, 3)};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: count(&reader, &shard->slots); break;
        case 2: good = read_node(wire_get_bytes(&reader), &shard->primary) && good; break;
        case 3: count(&reader, &shard->replicas); break;
        }
    return good && !reader.failed;
}

bool response_next_shard(response_list *left, response_shard *shard)
{
    wire_bytes item;

    return response_next_bytes(left, &item) && (read_shard(item, shard) || spoil(left));
}

static bool read_topology(wire_bytes message, response_topology *topology)
{
    wire_reader reader = wire_read(message);

    *topology = (response_topology){.message = message, .shards = list_of(message, 2)};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: topology->epoch = wire_get_uint(&reader); break;
        case 2: count(&reader, &topology->shards); break;
        case 3: topology->standalone = wire_get_bool(&reader); break;
        }
    return !reader.failed;
}

/* ---- Events ------------------------------------------------------------------------------ */

static bool read_event(wire_bytes message, response_event *event)
{
    wire_reader reader = wire_read(message);
    bool good = true;

    *event = (response_event){.names = list_of(message, 6)};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: event->kind = (response_event_kind)wire_get_uint(&reader); break;
        case 2: event->channels = (uint32_t)wire_get_uint(&reader); break;
        case 3: event->channel = wire_get_bytes(&reader); break;
        case 4: event->pattern = wire_get_bytes(&reader); break;
        case 5: event->payload = wire_get_bytes(&reader); break;
        case 6: count(&reader, &event->names); break;
        case 7: good = read_error(wire_get_bytes(&reader), &event->error) && good; break;
        case 8: event->since_ms = wire_get_int(&reader); break;
        case 9: event->until_ms = wire_get_int(&reader); break;
        case 10: event->dropped = wire_get_uint(&reader); break;
        case 11: event->untold = wire_get_uint(&reader); break;
        }
    return good && !reader.failed;
}

bool response_next_event(response_list *left, response_event *event)
{
    wire_bytes item;

    return response_next_bytes(left, &item) && (read_event(item, event) || spoil(left));
}

/* ---- The whole --------------------------------------------------------------------------- */

bool response_read(const glide_buffer *buffer, response *view)
{
    wire_bytes message = {buffer->data, buffer->len};
    wire_reader reader = wire_read(message);
    bool good = true;

    *view = (response){.outcomes = list_of(message, 3), .events = list_of(message, 8)};
    while (wire_next(&reader))
        switch (reader.field) {
        case 1: view->callback_idx = (uint32_t)wire_get_uint(&reader); break;
        case 2: good = read_value(wire_get_bytes(&reader), &view->value) && good; break;
        case 3: count(&reader, &view->outcomes); break;
        case 4: good = read_error(wire_get_bytes(&reader), &view->error) && good; break;
        case 5:
            view->has_plan = true;
            good = read_plan(wire_get_bytes(&reader), &view->plan) && good;
            break;
        case 6:
            view->has_topology = true;
            good = read_topology(wire_get_bytes(&reader), &view->topology) && good;
            break;
        case 8: count(&reader, &view->events); break;
        }
    return good && !reader.failed;
}
