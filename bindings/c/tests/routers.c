/* See routers.h. */
#include "routers.h"

#include <stdio.h>

#include "check.h"

enum { PORT = 7000, WORDS_MAX = 16, COMMANDS_MAX = 8 };

static topology_node node(const char *host, const char *zone)
{
    return (topology_node){.host = wire_text(host), .port = PORT, .zone = wire_text(zone)};
}

/* with_own - do something with the topology of the tests. */
static void with_own(uint32_t read_from, const char *client_az,
                     void (*use)(const topology_cluster *cluster, void *result), void *result)
{
    static const topology_slots first[] = {{0, 5460}}, third[] = {{10923, 16383}},
                                second[] = {{5461, 10000}, {10002, 10922}};
    const wire_bytes alias = wire_text("10.0.0.3:7000");
    const topology_node ones[] = {node("r1", "a"), node("r2", "b")}, two = node("r3", "");
    const topology_shard shards[] = {
        {first, 1, node("p1", "a"), ones, 2},
        {second, 2, node("p2", "b"), &two, 1},
        {third, 1, {wire_text("p3"), PORT, wire_text("third"), {NULL, 0}, &alias, 1}, NULL, 0},
    };
    const topology_cluster cluster = {
        .shards = shards,
        .shard_count = 3,
        .epoch = 7,
        .read_from = read_from,
        .client_az = client_az,
    };

    use(&cluster, result);
}

answer open_over(const topology_cluster *cluster, glide_router *router)
{
    glide_buffer buffer;
    glide_status status = topology_open(cluster, router, &buffer);

    CHECK((*router != 0) == (status == GLIDE_OK));
    return read_answer(status, buffer);
}

static void open_it(const topology_cluster *cluster, void *result)
{
    answer opened = open_over(cluster, result);

    CHECK_INT(opened.status, GLIDE_OK);
    drop(&opened);
}

static void encode_it(const topology_cluster *cluster, void *result)
{
    CHECK(topology_encode(result, cluster));
}

glide_router open_router(uint32_t read_from, const char *client_az)
{
    glide_router router = 0;

    with_own(read_from, client_az, open_it, &router);
    return router;
}

void encode_own(wire_writer *writer)
{
    with_own(READ_PRIMARY, NULL, encode_it, writer);
}

answer plan(glide_router router, const char *line, request_route route)
{
    wire_bytes words[WORDS_MAX];
    request_command command = {.words = words, .route = route};
    glide_buffer buffer;
    glide_status status;

    command.word_count = request_split(line, words, WORDS_MAX);
    CHECK(command.word_count > 0);
    status = topology_resolve(router, &command, &buffer);
    return read_answer(status, buffer);
}

answer plan_batch(glide_router router, const char *const *lines, size_t count, bool atomic,
                  request_route route)
{
    wire_bytes words[COMMANDS_MAX][WORDS_MAX];
    request_words commands[COMMANDS_MAX];
    request_batch batch = {
        .commands = commands, .command_count = count, .atomic = atomic, .route = route};
    glide_buffer buffer;
    glide_status status;

    CHECK(count <= COMMANDS_MAX);
    for (size_t i = 0; i < count && i < COMMANDS_MAX; i++)
        commands[i] = (request_words){words[i], request_split(lines[i], words[i], WORDS_MAX)};
    status = topology_resolve_batch(router, &batch, &buffer);
    return read_answer(status, buffer);
}

response_leg next_leg(answer *given)
{
    response_leg leg;

    if (!CHECK(response_next_leg(&given->view.plan.legs, &leg)))
        leg = (response_leg){.fallback = false};
    return leg;
}

host_name planned_host(answer given)
{
    host_name host;
    wire_bytes name;

    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(given.view.plan.legs.count, 1);
    name = next_leg(&given).node.host;
    snprintf(host.text, sizeof host.text, "%.*s", WIRE_PRINT(name));
    drop(&given);
    return host;
}
