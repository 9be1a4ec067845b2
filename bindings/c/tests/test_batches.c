/* Batches and scans on a live cluster, and connections that should be encrypted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "live.h"

/* ---- Helpers ------------------------------------------------------------------------------- */

enum { LINES_MAX = 64, WORDS_MAX = 4, LINE_SIZE = 48 };

/* Commands written as lines, and the memory of their words. */
typedef struct lines {
    char text[LINES_MAX][LINE_SIZE];
    wire_bytes words[LINES_MAX][WORDS_MAX];
    request_words commands[LINES_MAX];
    size_t count;
} lines;

static void add_line(lines *batch, const char *format, int number)
{
    char *text = batch->text[batch->count];
    wire_bytes *words = batch->words[batch->count];

    snprintf(text, LINE_SIZE, format, number);
    batch->commands[batch->count] = (request_words){words, request_split(text, words, WORDS_MAX)};
    batch->count++;
}

/* run_lines - the lines as a batch, which may say more. */
static answer run_lines(glide_client client, const lines *given, request_batch batch)
{
    glide_buffer buffer;
    glide_status status;

    batch.commands = given->commands;
    batch.command_count = given->count;
    status = request_execute_batch(client, &batch, &buffer);
    return read_answer(status, buffer);
}

/* next_item - of the array that an answer is. */
static response_value next_item(answer *given)
{
    response_value value = {.kind = RESPONSE_NONE};

    CHECK(response_next_value(&given->view.value.items, &value));
    return value;
}

static answer step(glide_client client, const request_scan *scan)
{
    glide_buffer buffer;
    glide_status status = request_execute_scan(client, scan, &buffer);

    return read_answer(status, buffer);
}

/* set_keys - keys of a prefix, from number 0 on. */
static void set_keys(glide_client client, const char *format, int count)
{
    for (int first = 0; first < count; first += LINES_MAX) {
        lines batch = {.count = 0};
        answer given;

        for (int i = first; i < count && i < first + LINES_MAX; i++)
            add_line(&batch, format, i);
        given = run_lines(client, &batch, (request_batch){.raise_on_error = true});
        CHECK_INT(given.status, GLIDE_OK);
        drop(&given);
    }
}

/* ---- Batches ------------------------------------------------------------------------------- */

TEST(the_results_of_a_batch_over_all_shards_are_in_the_order_of_its_commands)
{
    glide_client client = open_cluster();
    lines batch = {.count = 0};
    char expected[LINE_SIZE];
    answer given;

    set_keys(client, "SET batch:%1$d %1$d", 60);
    for (int i = 0; i < 60; i++)
        add_line(&batch, "GET batch:%d", i);
    add_line(&batch, "MGET batch:0 batch:1 batch:2", 0);
    given = run_lines(client, &batch, (request_batch){.callback_idx = 9});
    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(given.view.callback_idx, 9);
    CHECK_INT(given.view.value.items.count, 61);
    for (int i = 0; i < 60; i++) {
        snprintf(expected, sizeof expected, "%d", i);
        CHECK_TEXT(next_item(&given).text, expected);
    }
    CHECK_INT(next_item(&given).items.count, 3);
    drop(&given);
    set_keys(client, "DEL batch:%d", 60);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_transaction_gives_the_results_of_its_commands)
{
    glide_client client = open_cluster();
    lines batch = {.count = 0};
    answer given;

    add_line(&batch, "SET batch:sum %d", 40);
    add_line(&batch, "INCRBY batch:sum %d", 2);
    add_line(&batch, "DEL batch:sum", 0);
    given = run_lines(client, &batch, (request_batch){.atomic = true});
    CHECK_INT(given.status, GLIDE_OK);
    CHECK_TEXT(next_item(&given).text, "OK");
    CHECK_INT(next_item(&given).integer, 42);
    CHECK_INT(next_item(&given).integer, 1);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(an_error_of_a_batch_is_raised_or_in_its_place)
{
    glide_client client = open_cluster();
    lines batch = {.count = 0};
    response_value error;
    answer given;

    add_line(&batch, "SET batch:text x", 0);
    add_line(&batch, "LPUSH batch:text y", 0);
    add_line(&batch, "DEL batch:text", 0);
    for (int atomic = 0; atomic < 2; atomic++) {
        given = run_lines(client, &batch, (request_batch){.atomic = atomic != 0});
        CHECK_INT(given.status, GLIDE_OK);
        CHECK_TEXT(next_item(&given).text, "OK");
        error = next_item(&given);
        CHECK_INT(error.kind, RESPONSE_ERROR);
        CHECK_TEXT(error.mark, "WRONGTYPE");
        CHECK_INT(error.status, GLIDE_ERR_SERVER);
        CHECK(error.node.len > 0 && error.sent && !error.retryable);
        CHECK_INT(next_item(&given).integer, 1);
        drop(&given);
        given = run_lines(client, &batch,
                          (request_batch){.atomic = atomic != 0, .raise_on_error = true});
        CHECK_INT(given.status, GLIDE_ERR_SERVER);
        CHECK_TEXT(given.view.error.code, "WRONGTYPE");
        drop(&given);
    }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_transaction_over_several_slots_is_refused_and_nothing_is_sent)
{
    glide_client client = open_cluster();
    lines batch = {.count = 0};
    answer given;

    add_line(&batch, "SET batch:%d x", 1);
    add_line(&batch, "SET batch:%d x", 2);
    given = run_lines(client, &batch, (request_batch){.atomic = true});
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, "CROSSSLOT");
    CHECK(!given.view.error.sent);
    drop(&given);
    given = run(client, "EXISTS batch:1 batch:2", NO_ROUTE);
    CHECK_INT(given.view.value.integer, 0);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_batch_ends_at_its_own_timeout)
{
    glide_client client = open_cluster();
    lines batch = {.count = 0};
    answer given = run(client, "CLIENT PAUSE 2000 WRITE", request_all_primaries());
    double started;

    drop(&given);
    add_line(&batch, "SET batch:%d x", 1);
    started = seconds();
    given = run_lines(client, &batch, (request_batch){.raise_on_error = true, .timeout_ms = 200});
    CHECK(seconds() - started < 1);
    CHECK_INT(given.status, GLIDE_ERR_TIMEOUT);
    CHECK(given.view.error.sent);
    drop(&given);
    given = run(client, "CLIENT UNPAUSE", request_all_primaries());
    drop(&given);
    given = run(client, "DEL batch:1", NO_ROUTE);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- Scans --------------------------------------------------------------------------------- */

enum { SCAN_KEYS = 500 };

TEST(a_script_runs_on_a_node_that_does_not_know_it)
{
    glide_client client = open_cluster();
    wire_bytes keys[] = {wire_text("script:key")}, args[] = {wire_text("5")};
    request_script script = {
        .source = wire_text("return server.call('INCRBY', KEYS[1], ARGV[1])"),
        .keys = keys,
        .key_count = 1,
        .args = args,
        .arg_count = 1,
    };
    glide_buffer buffer;
    glide_status status;
    answer given;

    for (int times = 1; times <= 2; times++) {
        given = run(client, "SCRIPT FLUSH", NO_ROUTE);
        CHECK_INT(given.status, GLIDE_OK);
        drop(&given);
        status = request_execute_script(client, &script, &buffer);
        given = read_answer(status, buffer);
        CHECK_INT(given.status, GLIDE_OK);
        CHECK_INT(given.view.value.integer, 5 * times);
        drop(&given);
    }
    given = run(client, "DEL script:key", NO_ROUTE);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* mark - note that a key "scan:N" was seen. */
static void mark(bool *seen, wire_bytes key)
{
    int number = 0;

    if (!CHECK(key.len > 5 && key.len < 9 && memcmp(key.data, "scan:", 5) == 0))
        return;
    for (size_t i = 5; i < key.len; i++)
        number = number * 10 + (key.data[i] - '0');
    if (CHECK(number >= 0 && number < SCAN_KEYS))
        seen[number] = true;
}

/* count_seen - how many different keys a scan gives, from its beginning to its end. */
static int count_seen(glide_client client, request_scan scan)
{
    bool seen[SCAN_KEYS] = {false};
    answer last = {.status = GLIDE_OK}; /* holds the cursor */
    int count = 0;

    while (!wire_equal(scan.cursor, REQUEST_SCAN_FINISHED)) {
        answer given = step(client, &scan);
        response_value keys, key;

        drop(&last);
        last = given;
        if (!CHECK_INT(given.status, GLIDE_OK))
            break;
        scan.cursor = next_item(&given).text;
        keys = next_item(&given);
        while (response_next_value(&keys.items, &key))
            mark(seen, key.text);
        CHECK_INT(keys.items.count, 0);
    }
    drop(&last);
    for (int i = 0; i < SCAN_KEYS; i++)
        count += seen[i];
    return count;
}

TEST(a_scan_sees_every_key_and_chooses_among_them)
{
    glide_client client = open_cluster();
    const wire_bytes match = wire_text("scan:*");

    set_keys(client, "SET scan:%d x", SCAN_KEYS);
    CHECK_INT(count_seen(client, (request_scan){.match = match}), SCAN_KEYS);
    CHECK_INT(count_seen(client, (request_scan){.match = match, .count = 1000}), SCAN_KEYS);
    CHECK_INT(count_seen(client, (request_scan){.match = wire_text("scan:1?")}), 10);
    CHECK_INT(count_seen(client, (request_scan){.match = match, .type = "string"}), SCAN_KEYS);
    CHECK_INT(count_seen(client, (request_scan){.match = match, .type = "list"}), 0);
    CHECK_INT(count_seen(client, (request_scan){.match = wire_text("")}), 0);
    set_keys(client, "DEL scan:%d", SCAN_KEYS);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_cursor_that_is_none_is_refused)
{
    static const char *const cursors[] = {REQUEST_SCAN_FINISHED, "7", "0-99999|||"};
    glide_client client = open_cluster();
    answer given;

    for (int i = 0; i < 3; i++) {
        given = step(client, &(request_scan){.cursor = wire_text(cursors[i])});
        CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
        CHECK_HAS(given.view.error.message, "scan cursor");
        drop(&given);
    }
    given = step(client, &(request_scan){.count = -1});
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, "count -1");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- TLS ----------------------------------------------------------------------------------- */

static void check_refused(request_tls tls, const char *message)
{
    glide_client client;
    answer given = open_with((request_connection){.tls = tls}, "GLIDE_TEST_CLUSTER", &client);

    CHECK_INT(given.status, GLIDE_ERR_CONFIG);
    CHECK_HAS(given.view.error.message, message);
    drop(&given);
}

TEST(a_tls_option_without_tls_is_refused)
{
    const wire_bytes some = wire_text("x");
    const request_tls options[] = {
        {.server_name = "node.test"},      {.root_certs = &some, .root_cert_count = 1},
        {.client_cert = some},             {.client_key = some},
        {.client_cert_path = "/client.pem"}, {.client_key_path = "/client.key"},
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        check_refused(options[i], "tls_mode is NO_TLS");
}

TEST(certificates_that_are_none_are_refused_by_name)
{
    const wire_bytes some = wire_text("x");
    request_tls tls = {.mode = REQUEST_SECURE_TLS, .root_certs = &some, .root_cert_count = 1};

    check_refused(tls, "root_certs[0] holds no certificate");
    tls.mode = REQUEST_INSECURE_TLS;
    check_refused(tls, "with insecure TLS");
    tls = (request_tls){.mode = REQUEST_SECURE_TLS, .client_cert = some};
    check_refused(tls, "client_cert and client_key go together");
    tls.client_key = some;
    check_refused(tls, "client_cert and client_key: ");
    check_refused((request_tls){.mode = (request_tls_mode)7}, "tls_mode 7 is none");
}
