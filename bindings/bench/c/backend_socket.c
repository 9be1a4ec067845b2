/*
 * backend_socket.c - the limit: blocking sockets and nothing else. The slots are looked up once; no
 * redirect is followed, nothing is sent again, no deadline is kept. Each thread has connections of
 * its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "fault.h"
#include "link.h"
#include "process.h"

enum { NODES_MAX = 64, HOST_MAX = 256, SLOTS = 16384, NOBODY = UINT8_MAX };

typedef struct node {
    char host[HOST_MAX];
    uint32_t port;
} node;

static node nodes[NODES_MAX];
static size_t node_count;
static uint8_t owners[SLOTS]; /* an index into nodes */
static uint16_t crc_table[256];

/* ---- Slots ------------------------------------------------------------------------------- */

/* fill_crc_table - CRC16 of XMODEM, as the cluster specification has it. */
static void fill_crc_table(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte << 8;

        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        crc_table[byte] = (uint16_t)crc;
    }
}

/* slot_of - the slot of a key; those of the benchmark have no tags. */
static size_t slot_of(wire_bytes key)
{
    uint32_t crc = 0;

    for (size_t i = 0; i < key.len; i++)
        crc = ((crc << 8) & 0xffff) ^ crc_table[(crc >> 8) ^ key.data[i]];
    return crc % SLOTS;
}

/* ---- Topology ---------------------------------------------------------------------------- */

/* node_of - the index of a node, which is added where it is new. */
static uint8_t node_of(const char *host, uint32_t port)
{
    size_t i = 0;

    while (i < node_count && (nodes[i].port != port || strcmp(nodes[i].host, host) != 0))
        i++;
    if (i == NODES_MAX)
        fault("socket: more than %d nodes", NODES_MAX);
    if (i == node_count) {
        snprintf(nodes[i].host, HOST_MAX, "%s", host);
        nodes[i].port = port;
        node_count++;
    }
    return (uint8_t)i;
}

/* skip - read a reply and forget it. */
static void skip(link_socket *link)
{
    const link_line line = link_read(link);

    if (line.kind == '$' && line.number >= 0)
        link_read_bytes(link, &line);
    for (int64_t i = 0; line.kind == '*' && i < line.number; i++)
        skip(link);
}

/* read_node - an array of host, port and more. */
static uint8_t read_node(link_socket *link)
{
    const int64_t fields = link_read(link).number;
    const link_line line = link_read(link);
    const wire_bytes text = link_read_bytes(link, &line);
    char host[HOST_MAX];
    uint32_t port;

    snprintf(host, sizeof host, "%.*s", WIRE_PRINT(text));
    port = (uint32_t)link_read(link).number;
    for (int64_t i = 2; i < fields; i++)
        skip(link);
    return node_of(host, port);
}

/* read_slots - the reply to CLUSTER SLOTS: ranges, each with its nodes, the primary first. */
static void read_slots(link_socket *link)
{
    const int64_t ranges = link_read(link).number;

    for (int64_t range = 0; range < ranges; range++) {
        const int64_t fields = link_read(link).number;
        const int64_t first = link_read(link).number, last = link_read(link).number;

        if (first < 0 || last >= SLOTS)
            fault("socket: slots %lld to %lld", (long long)first, (long long)last);
        for (int64_t i = 2; i < fields; i++) {
            const uint8_t index = read_node(link);

            for (int64_t slot = first; i == 2 && slot <= last; slot++)
                owners[slot] = index;
        }
    }
}

static void start(const backend_options *options)
{
    const wire_bytes slots[] = {wire_text("CLUSTER"), wire_text("SLOTS")};
    const backend_address *seed = options->addresses;
    link_socket link;

    fill_crc_table();
    memset(owners, NOBODY, sizeof owners);
    link_open(&link, (const char *)seed->host.data, seed->port);
    link_write(&link, slots, 2);
    link_flush(&link);
    read_slots(&link);
    link_close(&link);
    for (size_t slot = 0; slot < SLOTS; slot++)
        if (owners[slot] == NOBODY)
            fault("socket: slot %zu has no owner", slot);
}

static void stop(void)
{
}

/* ---- Calls ------------------------------------------------------------------------------- */

static void *join(void)
{
    link_socket *links = process_room(node_count, sizeof *links);

    for (size_t i = 0; i < node_count; i++)
        link_open(&links[i], nodes[i].host, nodes[i].port);
    return links;
}

static void leave(void *session)
{
    link_socket *links = session;

    for (size_t i = 0; i < node_count; i++)
        link_close(&links[i]);
    free(links);
}

static void read_reply(link_socket *link, backend_reader reader)
{
    const link_line line = link_read(link);

    if (line.kind == '+')
        reader.string(reader.context, line.text);
    else if (line.kind == '$')
        reader.string(reader.context, link_read_bytes(link, &line));
    for (int64_t i = 0; line.kind == '*' && i < line.number; i++)
        read_reply(link, reader);
}

/* The pipelines of a thread: commands are written to each owner, then their replies are read in
 * the commands' order, which is the order of each connection. */
static void pipeline(link_socket *links, const wire_bytes *const *commands, size_t words,
                     size_t count, backend_reader reader)
{
    link_socket *targets[BACKEND_WORDS_MAX];

    for (size_t i = 0; i < count; i++) {
        targets[i] = &links[owners[slot_of(commands[i][1])]];
        link_write(targets[i], commands[i], words);
    }
    for (size_t i = 0; i < node_count; i++)
        link_flush(&links[i]);
    for (size_t i = 0; i < count; i++)
        read_reply(targets[i], reader);
}

/* mget - as a GET of each key: an MGET serves one slot, and no two keys need share theirs. */
static void mget(link_socket *links, const wire_bytes *keys, size_t count, backend_reader reader)
{
    wire_bytes gets[BACKEND_WORDS_MAX][2];
    const wire_bytes *commands[BACKEND_WORDS_MAX];

    for (size_t i = 0; i < count; i++) {
        gets[i][0] = wire_text("GET");
        gets[i][1] = keys[i];
        commands[i] = gets[i];
    }
    pipeline(links, commands, 2, count, reader);
}

/* ping - to every node; the reader gets the last reply, when all others were equal to it. */
static void ping(link_socket *links, const backend_command *command, backend_reader reader)
{
    for (size_t i = 0; i < node_count; i++) {
        link_write(&links[i], command->words, command->count);
        link_flush(&links[i]);
    }
    for (size_t i = 0; i + 1 < node_count; i++)
        if (!wire_equal(link_read(&links[i]).text, "PONG"))
            fault("socket: a node answered PING with something else");
    read_reply(&links[node_count - 1], reader);
}

static void execute(void *session, const backend_command *command, backend_reader reader)
{
    link_socket *links = session;
    link_socket *link;

    if (command->verb == BACKEND_PING) {
        ping(links, command, reader);
    } else if (command->verb == BACKEND_MGET) {
        mget(links, command->words + 1, command->count - 1, reader);
    } else {
        link = &links[owners[slot_of(command->words[1])]];
        link_write(link, command->words, command->count);
        link_flush(link);
        read_reply(link, reader);
    }
}

static void batch(void *session, const backend_command *commands, size_t count,
                  backend_reader reader)
{
    const wire_bytes *words[BACKEND_WORDS_MAX];

    for (size_t i = 0; i < count; i++)
        words[i] = commands[i].words;
    pipeline(session, words, commands[0].count, count, reader);
}

const backend bench_backend = {start, join, leave, execute, batch, NULL, NULL, NULL, stop};
