/* Arguments of a command that go beside its request. */
#include <string.h>

#include "check.h"
#include "children.h"
#include "live.h"

enum { HUGE = 300 << 10 };

/* execute_with - a command whose words after the first `head` go beside its request. */
static answer execute_with(glide_client client, request_command command, size_t head,
                           const glide_bytes *args, size_t count)
{
    wire_writer request = {0};
    glide_buffer buffer;
    glide_status status;

    command.word_count = head;
    CHECK(request_encode_command(&request, &command));
    status = glide_client_execute_with(client, request.data, request.len, args, count, &buffer);
    memset(request.data, '#', request.len);
    wire_writer_free(&request);
    return read_answer(status, buffer);
}

/* is_filled - whether a value is so many times one byte. */
static bool is_filled(const response_value *value, size_t len, uint8_t byte)
{
    bool good = CHECK_INT(value->kind, RESPONSE_BULK) && CHECK_INT(value->text.len, len);

    for (size_t i = 0; good && i < len; i++)
        good = value->text.data[i] == byte;
    return CHECK(good);
}

/* set_beside - SET with its value beside the request, in memory that is written over as soon as the
 * call has returned. */
static void set_beside(glide_client client, const char *key, size_t len, uint8_t byte)
{
    static uint8_t value[HUGE];
    const wire_bytes words[] = {wire_text("SET"), wire_text(key)};
    answer given;

    memset(value, byte, len);
    given = execute_with(client, (request_command){.words = words}, 2,
                         &(glide_bytes){len == 0 ? NULL : value, len}, 1);
    memset(value, '#', len);
    CHECK_TEXT(given.view.value.text, "OK");
    drop(&given);
}

static void check_set_beside(void *unused)
{
    static const size_t lengths[] = {0, 1, 5000, 64 << 10, (64 << 10) + 1, HUGE, HUGE};
    glide_client client = open_cluster();

    (void)unused;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        answer given;

        set_beside(client, "arguments:value", lengths[i], (uint8_t)('a' + i));
        given = run(client, "GET arguments:value", NO_ROUTE);
        is_filled(&given.view.value, lengths[i], (uint8_t)('a' + i));
        drop(&given);
    }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(an_argument_of_any_length_may_go_beside_its_request)
{
    check_set_beside(NULL);
}

#ifndef __SANITIZE_ADDRESS__ /* see children.h */
TEST(arguments_go_beside_a_request_in_a_forked_child_too)
{
    glide_client client = open_cluster();

    CHECK_CHILD(check_set_beside, NULL);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
#endif

TEST(arguments_beside_a_request_follow_those_in_it)
{
    const wire_bytes words[] = {wire_text("EVAL"), wire_text("return ARGV"), wire_text("0"),
                                wire_text("one")};
    const glide_bytes args[] = {wire_text("two"), wire_text(""), wire_text("three")};
    const char *const expected[] = {"one", "two", "", "three"};
    glide_client client = open_cluster();
    answer given = execute_with(client, (request_command){.words = words}, 4, args, 3);
    response_value item;

    CHECK_INT(given.view.value.kind, RESPONSE_ARRAY);
    for (size_t i = 0; i < 4; i++)
        CHECK(response_next_value(&given.view.value.items, &item) &&
              wire_equal(item.text, expected[i]));
    CHECK(!response_next_value(&given.view.value.items, &item));
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(keys_beside_a_request_say_where_its_parts_go)
{
    static uint8_t value[HUGE];
    const wire_bytes mset = wire_text("MSET");
    const glide_bytes args[] = {wire_text("foo"), {value, HUGE}, wire_text("bar"), {value, HUGE}};
    glide_client client = open_cluster();
    answer given;

    memset(value, 'm', HUGE);
    given = execute_with(client, (request_command){.words = &mset, .outcomes = true}, 1, args, 4);
    CHECK_TEXT(given.view.value.text, "OK");
    CHECK_INT(outcome_count(&given), 2);
    drop(&given);
    given = run(client, "GET bar", NO_ROUTE);
    is_filled(&given.view.value, HUGE, 'm');
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(arguments_beside_a_request_go_along_its_route)
{
    const wire_bytes ping = wire_text("PING");
    const glide_bytes hello = wire_text("hello");
    const request_command command = {
        .words = &ping, .outcomes = true, .route = request_all_primaries()};
    glide_client client = open_cluster();
    answer given = execute_with(client, command, 1, &hello, 1);
    response_outcome outcome;

    CHECK_INT(outcome_count(&given), CLUSTER_PRIMARIES);
    while (response_next_outcome(&given.view.outcomes, &outcome))
        CHECK_TEXT(outcome.value.text, "hello");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* check_refused - a request that is no single command, with an argument beside it. */
static void check_refused(bool encoded, wire_writer *request)
{
    const glide_bytes arg = wire_text("x");
    glide_client client = open_cluster();
    glide_buffer buffer;
    answer given;

    CHECK(encoded);
    given = read_answer(glide_client_execute_with(client, request->data, request->len, &arg, 1,
                                                  &buffer), buffer);
    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, "args are for a single command");
    CHECK(!given.view.error.sent);
    drop(&given);
    wire_writer_free(request);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(arguments_are_for_a_single_command)
{
    const wire_bytes get[] = {wire_text("GET"), wire_text("foo")};
    const request_words words = {get, 2};
    wire_writer batch = {0}, script = {0}, scan = {0};

    check_refused(request_encode_batch(
                      &batch, &(request_batch){.commands = &words, .command_count = 1}), &batch);
    check_refused(request_encode_script(
                      &script, &(request_script){.source = wire_text("return 1")}), &script);
    check_refused(request_encode_scan(&scan, &(request_scan){.match = wire_text("*")}), &scan);
}

/* check_bad - arguments that cannot be, with what is said of them. */
static void check_bad(const glide_bytes *args, size_t count, const char *message)
{
    const wire_bytes echo = wire_text("ECHO");
    glide_client client = open_cluster();
    answer given = execute_with(client, (request_command){.words = &echo}, 1, args, count);

    CHECK_INT(given.status, GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_HAS(given.view.error.message, message);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(an_argument_that_cannot_be_is_named)
{
    static const uint8_t byte = 'x';
    const glide_bytes null[] = {{&byte, 1}, {NULL, 1}};
    const glide_bytes long_one[] = {{&byte, 1}, {&byte, SIZE_MAX}};
    const glide_bytes long_sum[] = {{&byte, INT32_MAX / 2}, {&byte, 1}, {&byte, INT32_MAX / 2}};

    check_bad(NULL, 1, "args is NULL and count is not 0");
    check_bad(null, 2, "args[1] is NULL and its length is not 0");
    check_bad(long_one, 2, "with args[1] the request is longer than 2147483647 bytes");
    check_bad(long_sum, 3, "with args[2] the request is longer than 2147483647 bytes");
}
