/* See workload.h. */
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"
#include "process.h"

enum {
    KEY_MAX = 64,
    MANY = 100,           /* keys of an MGET, commands of a batch */
    LIST_ITEMS = 10000,   /* of the key "list": the marks from 0 on */
    HASH_FIELDS = 1000,   /* of the key "hash": "f" and the mark's last 15 digits; the mark */
    MARKS = LIST_ITEMS    /* there are no more keys than that */
};

_Static_assert(1 + MANY <= BACKEND_WORDS_MAX, "an MGET fits");

/* An operation is what it sends and what it expects of string number `seen`. */
struct workload_operation {
    const char *name;
    void (*run)(const workload *load, void *session, size_t index, backend_reader reader);
    void (*submit)(const workload *load, void *session, size_t index, size_t tag); /* or NULL */
    bool (*expects)(workload_reply *reply, wire_bytes text);
    size_t strings;  /* of a reply */
    size_t sum;      /* of the numbers of the fields in a reply */
    const char *key; /* what its keys begin with */
};

/* ---- Values ------------------------------------------------------------------------------ */

/* is_value - whether text is a mark again and again, up to the size of a value. */
static bool is_value(const workload *load, const char *mark, wire_bytes text, bool whole)
{
    if (text.len != load->size)
        return false;
    if (!whole)
        return memcmp(text.data, mark, WORKLOAD_MARK) == 0 &&
               text.data[text.len - 1] == (uint8_t)mark[(text.len - 1) % WORKLOAD_MARK];
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != (uint8_t)mark[i % WORKLOAD_MARK])
            return false;
    return true;
}

static bool expects_value(workload_reply *reply, wire_bytes text)
{
    const workload *load = reply->load;
    const char *mark = load->marks[(reply->index + reply->seen) % load->key_count];

    return is_value(load, mark, text, reply->whole);
}

static bool expects_written(workload_reply *reply, wire_bytes text)
{
    return text.len == reply->load->value.len &&
           memcmp(text.data, reply->load->value.data, text.len) == 0;
}

static bool expects_ok(workload_reply *reply, wire_bytes text)
{
    (void)reply;
    return wire_equal(text, "OK");
}

static bool expects_pong(workload_reply *reply, wire_bytes text)
{
    (void)reply;
    return wire_equal(text, "PONG");
}

static bool is_mark(wire_bytes text, const char *mark)
{
    return text.len == WORKLOAD_MARK && memcmp(text.data, mark, WORKLOAD_MARK) == 0;
}

static bool expects_item(workload_reply *reply, wire_bytes text)
{
    return is_mark(text, reply->load->marks[reply->seen]);
}

/* field_number - the number in a field's name; HASH_FIELDS where it is none. */
static size_t field_number(wire_bytes text)
{
    size_t number = 0;

    if (text.len != WORKLOAD_MARK || text.data[0] != 'f')
        return HASH_FIELDS;
    for (size_t i = 1; i < text.len; i++)
        number = number * 10 + (size_t)(text.data[i] - '0');
    return number < HASH_FIELDS ? number : HASH_FIELDS;
}

/* The fields come in the server's order, each followed by its value, which has the same number. The
 * sum of the numbers tells whether each came once. */
static bool expects_field(workload_reply *reply, wire_bytes text)
{
    if (reply->seen % 2 == 1)
        return is_mark(text, reply->load->marks[reply->number]);
    reply->number = field_number(text);
    reply->sum += reply->number;
    return reply->number < HASH_FIELDS;
}

/* ---- Operations -------------------------------------------------------------------------- */

static void run_words(const workload *load, void *session, backend_verb verb,
                      const wire_bytes *words, size_t count, backend_reader reader)
{
    const backend_command command = {verb, words, count};

    load->backend->execute(session, &command, reader);
}

static void run_get(const workload *load, void *session, size_t index, backend_reader reader)
{
    const wire_bytes words[] = {wire_text("GET"), load->keys[index]};

    run_words(load, session, BACKEND_GET, words, 2, reader);
}

static void submit_get(const workload *load, void *session, size_t index, size_t tag)
{
    const wire_bytes words[] = {wire_text("GET"), load->keys[index]};
    const backend_command command = {BACKEND_GET, words, 2};

    load->backend->submit(session, &command, tag);
}

static void run_set(const workload *load, void *session, size_t index, backend_reader reader)
{
    const wire_bytes words[] = {wire_text("SET"), load->keys[index], load->value};

    run_words(load, session, BACKEND_SET, words, 3, reader);
}

static void run_mget(const workload *load, void *session, size_t index, backend_reader reader)
{
    wire_bytes words[1 + MANY] = {wire_text("MGET")};

    for (size_t i = 0; i < MANY; i++)
        words[1 + i] = load->keys[(index + i) % load->key_count];
    run_words(load, session, BACKEND_MGET, words, 1 + MANY, reader);
}

static void run_batch(const workload *load, void *session, size_t index, backend_reader reader)
{
    wire_bytes words[MANY][2];
    backend_command commands[MANY];

    for (size_t i = 0; i < MANY; i++) {
        words[i][0] = wire_text("GET");
        words[i][1] = load->keys[(index + i) % load->key_count];
        commands[i] = (backend_command){BACKEND_GET, words[i], 2};
    }
    load->backend->batch(session, commands, MANY, reader);
}

static void run_lrange(const workload *load, void *session, size_t index, backend_reader reader)
{
    const wire_bytes words[] = {wire_text("LRANGE"), wire_text("list"), wire_text("0"),
                                wire_text("-1")};

    (void)index;
    run_words(load, session, BACKEND_LRANGE, words, 4, reader);
}

static void run_hgetall(const workload *load, void *session, size_t index, backend_reader reader)
{
    const wire_bytes words[] = {wire_text("HGETALL"), wire_text("hash")};

    (void)index;
    run_words(load, session, BACKEND_HGETALL, words, 2, reader);
}

static void run_ping(const workload *load, void *session, size_t index, backend_reader reader)
{
    const wire_bytes words[] = {wire_text("PING")};

    (void)index;
    run_words(load, session, BACKEND_PING, words, 1, reader);
}

enum { FIELD_SUM = HASH_FIELDS * (HASH_FIELDS - 1) / 2 };

static const workload_operation operations[] = {
    {"get", run_get, submit_get, expects_value, 1, 0, "get"},
    {"set", run_set, NULL, expects_ok, 1, 0, "set"},
    {"mget", run_mget, NULL, expects_value, MANY, 0, "get"},
    {"batch", run_batch, NULL, expects_value, MANY, 0, "get"},
    {"lrange", run_lrange, NULL, expects_item, LIST_ITEMS, 0, "get"},
    {"hgetall", run_hgetall, NULL, expects_field, 2 * HASH_FIELDS, FIELD_SUM, "get"},
    {"ping", run_ping, NULL, expects_pong, 1, 0, "get"},
};

/* How a SET is proved. */
static const workload_operation read_back = {"set", run_get, NULL, expects_written, 1, 0, "set"};

static const workload_operation *operation_named(const char *name)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (strcmp(operations[i].name, name) == 0)
            return &operations[i];
    fault("no operation %s", name);
}

/* ---- Running ----------------------------------------------------------------------------- */

static void check_string(void *context, wire_bytes text)
{
    workload_reply *reply = context;
    const workload_operation *operation = reply->load->operation;

    if (reply->seen >= operation->strings || !operation->expects(reply, text))
        fault("%s: wrong answer: string %zu of %zu has %zu bytes: %.*s", operation->name,
              reply->seen, operation->strings, text.len, text.len < 100 ? (int)text.len : 100,
              text.len > 0 ? (const char *)text.data : "");
    reply->seen++;
}

workload_reply workload_expect(const workload *load, size_t index, bool whole)
{
    return (workload_reply){.load = load, .index = index % load->key_count, .whole = whole};
}

backend_reader workload_reader(workload_reply *reply)
{
    return (backend_reader){check_string, reply};
}

void workload_finish(const workload_reply *reply)
{
    const workload_operation *operation = reply->load->operation;

    if (reply->seen != operation->strings || reply->sum != operation->sum)
        fault("%s: wrong answer: %zu strings, not %zu, or some more than once", operation->name,
              reply->seen, operation->strings);
}

void workload_run(const workload *load, void *session, size_t index, bool whole)
{
    workload_reply reply = workload_expect(load, index, whole);

    load->operation->run(load, session, reply.index, workload_reader(&reply));
    workload_finish(&reply);
}

void workload_submit(const workload *load, void *session, size_t index, size_t tag)
{
    if (load->operation->submit == NULL || load->backend->submit == NULL)
        fault("%s: there is no asynchronous form of it", load->operation->name);
    load->operation->submit(load, session, index % load->key_count, tag);
}

void workload_prove(const workload *load, void *session, size_t count)
{
    workload proof = *load;

    if (load->operation->run != run_set)
        return;
    proof.operation = &read_back;
    for (size_t i = 0; i < count && i < load->key_count; i++)
        workload_run(&proof, session, i, true);
}

workload workload_open(const backend *used, const char *operation, size_t size, size_t keys)
{
    workload load = {.backend = used, .size = size, .key_count = keys};
    char mark[WORKLOAD_MARK + 1];
    uint8_t *value;

    load.operation = operation_named(operation);
    if (size < WORKLOAD_MARK || keys < 1 || keys > MARKS)
        fault("%zu keys with values of %zu bytes", keys, size);
    load.keys = process_room(keys, sizeof *load.keys);
    load.marks = process_room(MARKS, sizeof *load.marks);
    for (size_t i = 0; i < MARKS; i++)
        snprintf(load.marks[i], sizeof load.marks[i], "%0*zu", WORKLOAD_MARK, i);
    for (size_t i = 0; i < keys; i++) {
        char *key = process_room(KEY_MAX, 1);

        snprintf(key, KEY_MAX, "%s:%zu:%zu", load.operation->key, size, i);
        load.keys[i] = wire_text(key);
    }
    snprintf(mark, sizeof mark, "%0*ld", WORKLOAD_MARK, (long)getpid());
    value = process_room(size, 1);
    for (size_t i = 0; i < size; i++)
        value[i] = (uint8_t)mark[i % WORKLOAD_MARK];
    load.value = (wire_bytes){value, size};
    return load;
}

void workload_close(workload *load)
{
    for (size_t i = 0; i < load->key_count; i++)
        free((void *)load->keys[i].data);
    free(load->keys);
    free(load->marks);
    free((void *)load->value.data);
}
