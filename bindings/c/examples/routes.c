/*
 * Every route on a cluster: who is asked, and who answers.
 *
 *     routes HOST:PORT...
 *
 * Without arguments the addresses come from GLIDE_TEST_CLUSTER, divided by commas. The exit code
 * is 0 only if each request went where its route says.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "request.h"
#include "response.h"

#define KEY "greeting"
#define SLOT 8000
#define WHO "CONFIG GET port" /* a node answers with its own port */

enum { NODES_MAX = 128, ROWS_MAX = 8 * NODES_MAX, COLUMNS = 6, CELL = 96, REPLY_WIDTH = 30 };

/* ---- The table --------------------------------------------------------------------------- */

struct table {
    char cells[ROWS_MAX][COLUMNS][CELL];
    size_t rows;
};

static void add_row(struct table *table, const char *route, const char *command, const char *node,
                    const char *role, const char *reply, const char *mark)
{
    const char *cells[COLUMNS] = {route, command, node, role, reply, mark};

    if (table->rows == ROWS_MAX)
        return;
    for (int column = 0; column < COLUMNS; column++)
        snprintf(table->cells[table->rows][column], CELL, "%s", cells[column]);
    table->rows++;
}

static void print_table(const struct table *table)
{
    int widths[COLUMNS] = {0};

    for (size_t row = 0; row < table->rows; row++)
        for (int column = 0; column < COLUMNS; column++) {
            int width = (int)strlen(table->cells[row][column]);

            if (width > widths[column])
                widths[column] = width;
        }
    for (size_t row = 0; row < table->rows; row++) {
        int end = COLUMNS, indent = 0; /* empty cells at the end take no room */

        while (end > 0 && table->cells[row][end - 1][0] == '\0')
            end--;
        for (int column = 0; column < end; column++) {
            const char *cell = table->cells[row][column];

            printf("%*s%s", indent, "", cell);
            indent = widths[column] + 2 - (int)strlen(cell);
        }
        printf("\n");
    }
}

/* ---- What to try ------------------------------------------------------------------------- */

/* The topology, as long as its buffer is not freed. */
struct cluster {
    struct member {
        response_node node;
        response_list slots; /* of its shard */
    } members[NODES_MAX];
    size_t count;
};

/* Which nodes may answer a request, and whether all of them or one of them must. */
struct expected {
    bool all;
    int slot;                 /* the shard of this slot; -1: every shard */
    const char *roles;        /* "primary", "replica"; NULL: both */
    const struct member *one; /* NULL: any of these */
    const char *reply;        /* in few words; NULL: any */
};

static const char *role_of(const response_node *node)
{
    return node->replica ? "replica" : "primary";
}

static bool may_answer(const struct expected *expected, const struct member *member)
{
    return (expected->roles == NULL || strcmp(expected->roles, role_of(&member->node)) == 0) &&
           (expected->slot < 0 || response_has_slot(member->slots, (uint32_t)expected->slot)) &&
           (expected->one == NULL || expected->one == member);
}

static bool same_node(const response_node *a, const response_node *b)
{
    return a->port == b->port && a->host.len == b->host.len &&
           memcmp(a->host.data, b->host.data, a->host.len) == 0;
}

/* answered - whether a node is among the outcomes, exactly once. */
static bool answered(response_list outcomes, const response_node *node)
{
    response_outcome outcome;
    int times = 0;

    while (response_next_outcome(&outcomes, &outcome))
        times += same_node(&outcome.node, node);
    return times == 1;
}

/* as_expected - whether the nodes that were asked are those that were to be. */
static bool as_expected(const struct cluster *cluster, const struct expected *expected,
                        response_list outcomes)
{
    size_t may = 0, did = 0;

    for (size_t i = 0; i < cluster->count; i++)
        if (may_answer(expected, &cluster->members[i])) {
            may++;
            did += answered(outcomes, &cluster->members[i].node);
        }
    return did == outcomes.count && did == (expected->all ? may : 1);
}

/* add_member - a shard may lack a primary, which then has no port. */
static void add_member(struct cluster *cluster, response_node node, response_list slots)
{
    if (cluster->count < NODES_MAX && node.port != 0)
        cluster->members[cluster->count++] = (struct member){node, slots};
}

static void read_cluster(struct cluster *cluster, response_topology topology)
{
    response_shard shard;
    response_node replica;

    while (response_next_shard(&topology.shards, &shard)) {
        add_member(cluster, shard.primary, shard.slots);
        while (response_next_node(&shard.replicas, &replica))
            add_member(cluster, replica, shard.slots);
    }
}

/* ---- What came of it --------------------------------------------------------------------- */

/* append - add to the string in out, of room bytes, as much as fits. */
__attribute__((format(printf, 3, 4))) static void append(char *out, size_t room, const char *format,
                                                         ...)
{
    size_t len = strlen(out);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(out + len, room - len, format, arguments);
    va_end(arguments);
}

/* show - append a value in few words. */
static void show(char *out, size_t room, const response_value *value)
{
    response_list items = value->items;
    response_value item;

    switch (value->kind) {
    case RESPONSE_INTEGER:
    case RESPONSE_BOOLEAN:
        append(out, room, "%lld", (long long)value->integer);
        break;
    case RESPONSE_DOUBLE:
        append(out, room, "%g", value->number);
        break;
    case RESPONSE_ARRAY:
    case RESPONSE_MAP:
    case RESPONSE_SET:
        while (response_next_value(&items, &item) && strlen(out) + 1 < room) {
            show(out, room, &item);
            append(out, room, "%s", items.count > 0 ? " " : "");
        }
        break;
    case RESPONSE_NONE:
    case RESPONSE_NIL:
    case RESPONSE_PER_NODE:
        append(out, room, "nil");
        break;
    default:
        append(out, room, "%.*s", WIRE_PRINT(value->text));
    }
}

/* told_port - whether a value is the answer to WHO of the node with this port. */
static bool told_port(const response_value *value, uint32_t port)
{
    response_list items = value->items;
    response_value name, number;
    char digits[16];

    snprintf(digits, sizeof digits, "%u", (unsigned)port);
    return response_next_value(&items, &name) && wire_equal(name.text, "port") &&
           response_next_value(&items, &number) && wire_equal(number.text, digits);
}

/* right - whether the node that was asked is the one that answered, and as it should. */
static bool right(const char *line, const struct expected *expected,
                  const response_outcome *outcome, const char *text)
{
    return outcome->error.status == GLIDE_OK && outcome->served_by.len == 0 && !outcome->fallback &&
           (expected->reply == NULL || strcmp(expected->reply, text) == 0) &&
           (strcmp(line, WHO) != 0 || told_port(&outcome->value, outcome->node.port));
}

static const char *mark(bool good)
{
    return good ? "ok" : "WRONG";
}

/* add_outcome - add one row; whether the outcome is as expected. */
static bool add_outcome(struct table *table, const char *route, const char *line, bool first,
                        const struct expected *expected, const response_outcome *outcome)
{
    char node[CELL] = "", text[CELL] = "";
    bool good;

    append(node, sizeof node, "%.*s:%u", WIRE_PRINT(outcome->node.host),
           (unsigned)outcome->node.port);
    if (outcome->error.status == GLIDE_OK)
        show(text, sizeof text, &outcome->value);
    else
        append(text, sizeof text, "%.*s", WIRE_PRINT(outcome->error.message));
    good = right(line, expected, outcome, text);
    if (strlen(text) > REPLY_WIDTH)
        memcpy(text + REPLY_WIDTH - 3, "...", 4);
    add_row(table, first ? route : "", first ? line : "", node, role_of(&outcome->node), text,
            mark(good));
    return good;
}

/* attempt - run one request and add its rows; whether all went as expected. */
static bool attempt(glide_client client, const struct cluster *cluster, const char *route_name,
                    const char *line, request_route route, const struct expected *expected,
                    struct table *table)
{
    wire_bytes words[8];
    request_command command = {.words = words, .route = route, .outcomes = true};
    glide_buffer buffer;
    response reply;
    response_outcome outcome;
    bool good = true, first = true;

    command.word_count = request_split(line, words, 8);
    request_execute(client, &command, &buffer);
    if (!response_read(&buffer, &reply) || !as_expected(cluster, expected, reply.outcomes)) {
        char text[CELL] = "other nodes than these:";

        if (reply.error.status != GLIDE_OK)
            snprintf(text, sizeof text, "%.*s", WIRE_PRINT(reply.error.message));
        add_row(table, route_name, line, "", "", text, mark(false));
        good = first = false;
    }
    while (response_next_outcome(&reply.outcomes, &outcome)) {
        good = add_outcome(table, route_name, line, first, expected, &outcome) && good;
        first = false;
    }
    glide_buffer_free(&buffer);
    return good;
}

/* attempt_all - each route, asked of each node itself; then commands that find their way alone. */
static bool attempt_all(glide_client client, const struct cluster *cluster, struct table *table)
{
    const struct member *last = &cluster->members[cluster->count - 1];
    const wire_bytes key = wire_text(KEY), host = last->node.host;
    const int slot = glide_key_slot(key.data, key.len), port = (int)last->node.port;
    char address[CELL], by_host[CELL + 24], by_address[CELL + 24];
    const request_route none = {0};

    snprintf(address, sizeof address, "%.*s:%d", WIRE_PRINT(host), port);
    snprintf(by_host, sizeof by_host, "ByAddressRoute('%.*s', %d)", WIRE_PRINT(host), port);
    snprintf(by_address, sizeof by_address, "ByAddressRoute('%s')", address);
    const struct {
        const char *name, *line;
        request_route route;
        struct expected expected;
    } attempts[] = {
        {"AllNodes()", WHO, request_all_nodes(), {true, -1, NULL, NULL, NULL}},
        {"AllPrimaries()", WHO, request_all_primaries(), {true, -1, "primary", NULL, NULL}},
        {"RandomNode()", WHO, request_random_node(), {false, -1, NULL, NULL, NULL}},
        {"SlotKeyRoute(PRIMARY, '" KEY "')", WHO, request_slot_key(REQUEST_PRIMARY, key),
         {false, slot, "primary", NULL, NULL}},
        {"SlotKeyRoute(REPLICA, '" KEY "')", WHO, request_slot_key(REQUEST_REPLICA, key),
         {false, slot, "replica", NULL, NULL}},
        {"SlotIdRoute(PRIMARY, 8000)", WHO, request_slot_id(REQUEST_PRIMARY, SLOT),
         {false, SLOT, "primary", NULL, NULL}},
        {"SlotIdRoute(REPLICA, 8000)", WHO, request_slot_id(REQUEST_REPLICA, SLOT),
         {false, SLOT, "replica", NULL, NULL}},
        {by_host, WHO, request_by_address(host, port), {true, -1, NULL, last, NULL}},
        {by_address, WHO, request_by_address(wire_text(address), 0), {true, -1, NULL, last, NULL}},
        {"no route", "SET " KEY " hello", none, {false, slot, "primary", NULL, "OK"}},
        {"no route", "GET " KEY, none, {false, slot, "primary", NULL, "hello"}},
        {"no route", "DBSIZE", none, {true, -1, "primary", NULL, NULL}},
    };
    bool good = true;

    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        good = attempt(client, cluster, attempts[i].name, attempts[i].line, attempts[i].route,
                       &attempts[i].expected, table) && good;
    return good;
}

/* read_addresses - from the arguments, else from the environment; how many there are. */
static size_t read_addresses(int argc, char **argv, request_address addresses[NODES_MAX])
{
    const char *cluster = getenv("GLIDE_TEST_CLUSTER");
    size_t count = 0;

    if (argc == 1)
        return cluster == NULL ? 0 : request_addresses(cluster, addresses, NODES_MAX);
    for (int i = 1; i < argc; i++) {
        size_t more = request_addresses(argv[i], addresses + count, NODES_MAX - count);

        if (more == 0)
            return 0;
        count += more;
    }
    return count;
}

int main(int argc, char **argv)
{
    static struct table table;
    static struct cluster cluster;
    request_address addresses[NODES_MAX];
    request_connection connection = {.addresses = addresses, .request_timeout_ms = 2000};
    glide_client client;
    glide_buffer buffer;
    glide_status status;
    response opened;
    bool good;

    connection.address_count = read_addresses(argc, argv, addresses);
    if (connection.address_count == 0) {
        fprintf(stderr, "usage: %s HOST:PORT...\n", argv[0]);
        return 2;
    }
    status = request_open(&connection, &client, &buffer);
    good = response_read(&buffer, &opened) && status == GLIDE_OK;
    read_cluster(&cluster, opened.topology);
    if (good && cluster.count > 0) {
        add_row(&table, "route", "command", "node", "role", "reply", "");
        good = attempt_all(client, &cluster, &table);
        print_table(&table);
        glide_client_close(client);
    } else {
        fprintf(stderr, "%s: %.*s\n", glide_status_name(status), WIRE_PRINT(opened.error.message));
    }
    glide_buffer_free(&buffer);
    return good ? 0 : 1;
}
