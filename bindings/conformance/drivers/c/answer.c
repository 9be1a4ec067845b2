/* See answer.h. */
#include "answer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "response.h"

const char *const answer_policies[] = {
    "default", "per_node", "all_succeeded", "one_succeeded", "first_nonempty_or_nil", "sum", "min",
    "max", "min_elementwise", "logical_and_elementwise", "logical_or_elementwise",
    "combine_arrays", "combine_maps_sum", NULL};

const char *const answer_strategies[] = {
    "primary", "prefer_replica", "lowest_latency", "az_affinity",
    "az_affinity_replicas_and_primary", "all_nodes", "az_affinity_all_nodes", NULL};

/* ---- Texts ------------------------------------------------------------------------------- */

/* put_text - a string; its bytes above 127 as they are, or as Latin-1 characters. */
static void put_text(wire_bytes text, bool latin1)
{
    putchar('"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];

        if (byte < 0x20 || byte == 0x7f || (latin1 && byte > 0x7f))
            printf("\\u%04x", (unsigned)byte);
        else if (byte == '"' || byte == '\\')
            printf("\\%c", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

static void put_member(const char *name, wire_bytes text)
{
    if (text.len > 0) {
        printf(",\"%s\":", name);
        put_text(text, false);
    }
}

static void put_flag(const char *name, bool flag)
{
    if (flag)
        printf(",\"%s\":true", name);
}

static void put_hex(wire_bytes bytes)
{
    putchar('"');
    for (size_t i = 0; i < bytes.len; i++)
        printf("%02x", (unsigned)bytes.data[i]);
    putchar('"');
}

/* put_address - "host:port", behind the name of a member. */
static void put_address(const char *name, wire_bytes host, uint32_t port)
{
    printf("\"%s\":\"%.*s:%" PRIu32 "\"", name, WIRE_PRINT(host), port);
}

static void put_role(bool replica)
{
    printf(",\"role\":\"%s\"", replica ? "replica" : "primary");
}

/* ---- Values ------------------------------------------------------------------------------ */

static void put_value(const response_value *value);

/* put_items - the items of an array, or the keys and values of a map as pairs. */
static void put_items(response_list items, bool pairs)
{
    response_value item;

    putchar('[');
    for (size_t i = 0; response_next_value(&items, &item); i++) {
        if (i > 0)
            putchar(',');
        if (pairs && i % 2 == 0)
            putchar('[');
        put_value(&item);
        if (pairs && i % 2 == 1)
            putchar(']');
    }
    putchar(']');
}

/* notation - the name that a kind of value has in the notation of the vectors. */
static const char *notation(response_kind kind)
{
    switch (kind) {
    case RESPONSE_INTEGER: return "i";
    case RESPONSE_DOUBLE: return "d";
    case RESPONSE_BOOLEAN: return "t";
    case RESPONSE_BULK: return "b";
    case RESPONSE_SIMPLE: return "s";
    case RESPONSE_ARRAY: return "a";
    case RESPONSE_MAP: return "m";
    case RESPONSE_SET: return "u";
    case RESPONSE_VERBATIM: return "v";
    case RESPONSE_BIG_NUMBER: return "n";
    case RESPONSE_ERROR: return "e";
    case RESPONSE_PER_NODE: return "p";
    default: return "nil";
    }
}

static void put_value(const response_value *value)
{
    printf("{\"%s\":", notation(value->kind));
    switch (value->kind) {
    case RESPONSE_INTEGER:
        printf("%" PRId64, value->integer);
        break;
    case RESPONSE_DOUBLE:
        printf("\"%.17g\"", value->number);
        break;
    case RESPONSE_BOOLEAN:
        printf(value->integer != 0 ? "true" : "false");
        break;
    case RESPONSE_ARRAY:
    case RESPONSE_MAP:
    case RESPONSE_SET:
        put_items(value->items, value->kind == RESPONSE_MAP);
        break;
    case RESPONSE_NONE:
    case RESPONSE_NIL:
    case RESPONSE_PER_NODE:
        printf("1");
        break;
    default:
        put_text(value->text, true);
    }
    putchar('}');
}

/* ---- Outcomes ---------------------------------------------------------------------------- */

static void put_error(const response_error *error)
{
    printf(",\"error\":{\"status\":\"%s\",\"message\":", glide_status_name(error->status));
    put_text(error->message, false);
    put_member("code", error->code);
    put_member("node", error->node);
    put_flag("sent", error->sent);
    put_flag("retryable", error->retryable);
    putchar('}');
}

static void put_outcomes(response_list outcomes)
{
    response_outcome outcome;
    const char *before = ",\"outcomes\":[{";

    for (; response_next_outcome(&outcomes, &outcome); before = ",{") {
        printf("%s", before);
        put_address("node", outcome.node.host, outcome.node.port);
        put_role(outcome.node.replica);
        if (outcome.error.status != GLIDE_OK) {
            put_error(&outcome.error);
        } else {
            printf(",\"value\":");
            put_value(&outcome.value);
        }
        put_flag("sent", outcome.sent);
        put_flag("fallback", outcome.fallback);
        put_member("served_by", outcome.served_by);
        putchar('}');
    }
    if (before[1] == '{')
        putchar(']');
}

/* ---- Plans ------------------------------------------------------------------------------- */

static void put_leg(const response_leg *leg)
{
    response_list words = leg->words;
    wire_bytes word;
    const char *before = "";

    putchar('{');
    put_address("node", leg->node.host, leg->node.port);
    put_role(leg->node.replica);
    printf(",\"command\":%" PRIu32 ",\"words\":[", leg->command);
    for (; response_next_bytes(&words, &word); before = ",") {
        printf("%s", before);
        put_hex(word);
    }
    putchar(']');
    put_flag("fallback", leg->fallback);
    putchar('}');
}

static void put_plan(const response_plan *plan)
{
    response_list legs = plan->legs;
    response_leg leg;
    const char *before = "";
    size_t known = sizeof answer_policies / sizeof *answer_policies - 1;

    printf(",\"plan\":{\"policy\":\"%s\"",
           plan->policy < known ? answer_policies[plan->policy] : "unknown");
    if (plan->blocks)
        printf(",\"blocking_ms\":%" PRIu64, plan->block_ms);
    put_flag("atomic", plan->atomic);
    printf(",\"legs\":[");
    for (; response_next_leg(&legs, &leg); before = ",") {
        printf("%s", before);
        put_leg(&leg);
    }
    printf("]}");
}

/* ---- Topologies -------------------------------------------------------------------------- */

/* A node with its other names, which response.h leaves out. */
static void put_node(wire_bytes message)
{
    wire_reader reader = wire_read(message);
    wire_bytes host = {NULL, 0}, zone = {NULL, 0};
    uint32_t port = 0;
    const char *before = ",\"aliases\":[";

    while (wire_next(&reader))
        switch (reader.field) {
        case 2: host = wire_get_bytes(&reader); break;
        case 3: port = (uint32_t)wire_get_uint(&reader); break;
        case 5: zone = wire_get_bytes(&reader); break;
        }
    putchar('{');
    put_address("address", host, port);
    put_member("zone", zone);
    for (reader = wire_read(message); wire_next(&reader);)
        if (reader.field == 6) {
            printf("%s", before);
            put_text(wire_get_bytes(&reader), false);
            before = ",";
        }
    printf(before[1] == '"' ? "}" : "]}");
}

/* put_repeated - the messages of a repeated field, as a list. */
static void put_repeated(const char *name, wire_bytes message, uint32_t field,
                         void (*put)(wire_bytes))
{
    wire_reader reader = wire_read(message);
    const char *before = "";

    printf(",\"%s\":[", name);
    while (wire_next(&reader))
        if (reader.field == field) {
            printf("%s", before);
            put(wire_get_bytes(&reader));
            before = ",";
        }
    putchar(']');
}

static void put_range(wire_bytes message)
{
    wire_reader reader = wire_read(message);
    uint32_t ends[2] = {0, 0};

    while (wire_next(&reader))
        if (reader.field == 1 || reader.field == 2)
            ends[reader.field - 1] = (uint32_t)wire_get_uint(&reader);
    printf("[%" PRIu32 ",%" PRIu32 "]", ends[0], ends[1]);
}

static void put_shard(wire_bytes message)
{
    wire_reader reader = wire_read(message);

    printf("{\"primary\":");
    while (wire_next(&reader))
        if (reader.field == 2)
            put_node(wire_get_bytes(&reader));
    put_repeated("slots", message, 1, put_range);
    put_repeated("replicas", message, 3, put_node);
    putchar('}');
}

/* ---- Answers ----------------------------------------------------------------------------- */

static void end(void)
{
    printf("}\n");
    fflush(stdout);
}

void answer_response(glide_status status, const glide_buffer *buffer)
{
    response reply;

    if (!response_read(buffer, &reply)) {
        answer_refusal("MALFORMED", "the library's response cannot be read");
        return;
    }
    printf("{\"status\":\"%s\"", glide_status_name(status));
    if (status != GLIDE_OK)
        put_error(&reply.error);
    if (reply.value.kind != RESPONSE_NONE) {
        printf(",\"value\":");
        put_value(&reply.value);
    }
    put_outcomes(reply.outcomes);
    if (reply.has_plan)
        put_plan(&reply.plan);
    if (reply.has_topology) {
        printf(",\"topology\":{\"epoch\":%" PRIu64, reply.topology.epoch);
        put_flag("standalone", reply.topology.standalone);
        put_repeated("shards", reply.topology.message, 2, put_shard);
        putchar('}');
    }
    end();
}

void answer_slot(int32_t slot)
{
    printf("{\"status\":\"OK\",\"slot\":%" PRId32, slot);
    end();
}

void answer_refusal(const char *status, const char *why)
{
    printf("{\"status\":\"%s\",\"error\":{\"message\":", status);
    put_text(wire_text(why), true);
    putchar('}');
    end();
}

void answer_ok(void)
{
    printf("{\"status\":\"OK\"");
    end();
}
