/* The log: levels, the callback, the environment, and that nobody waits for it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "live.h"

enum { LINES_MAX = 4096 };

/* What a callback was told. Its first call may be held until `go`. */
typedef struct logbook {
    atomic_int count;
    atomic_int at_once, most_at_once;
    atomic_bool hold, held;
    int32_t levels[LINES_MAX];
    char lines[LINES_MAX][160];
} logbook;

static void take(void *context, int32_t level, const char *line, size_t len)
{
    logbook *book = context;
    const int now = ++book->at_once;
    int at;

    if (now > book->most_at_once)
        book->most_at_once = now;
    CHECK_INT(strlen(line), len);
    while (book->hold) {
        book->held = true;
        nap(1);
    }
    at = book->count;
    if (CHECK(at < LINES_MAX)) {
        book->levels[at] = level;
        snprintf(book->lines[at], sizeof book->lines[at], "%s", line);
        book->count++;
    }
    book->at_once--;
}

static void stop(void)
{
    CHECK_INT(glide_set_log(GLIDE_LOG_OFF, NULL, NULL), GLIDE_OK);
}

/* told - how many lines begin so. */
static int told(const logbook *book, int32_t level, const char *beginning)
{
    int found = 0;

    for (int i = 0; i < book->count; i++)
        found += book->levels[i] == level &&
                 strncmp(book->lines[i], beginning, strlen(beginning)) == 0;
    return found;
}

/* fail_to_connect - log a warning and more. */
static void fail_to_connect(void)
{
    request_address nowhere = {wire_text("127.0.0.1"), 1};
    request_connection connection = {.addresses = &nowhere, .address_count = 1};
    glide_client client;
    glide_buffer buffer;

    CHECK_INT(request_open(&connection, &client, &buffer), GLIDE_ERR_CONNECTION);
    glide_buffer_free(&buffer);
}

TEST(lines_of_the_level_and_above_are_told_with_their_levels)
{
    logbook *book = calloc(1, sizeof *book);

    CHECK_INT(glide_set_log(GLIDE_LOG_WARN, take, book), GLIDE_OK);
    fail_to_connect();
    CHECK_INT(glide_set_log(GLIDE_LOG_INFO, take, book), GLIDE_OK);
    CHECK_INT(told(book, GLIDE_LOG_WARN, "no connection to 127.0.0.1:1"), 1);
    CHECK_INT(told(book, GLIDE_LOG_INFO, ""), 0);
    CHECK_INT(glide_client_close(open_cluster()), GLIDE_OK);
    stop();
    CHECK(told(book, GLIDE_LOG_INFO, "connected to ") >= 1);
    CHECK_INT(told(book, GLIDE_LOG_INFO, "topology of epoch "), 1);
    CHECK(told(book, GLIDE_LOG_INFO, "disconnected from ") >= 1);
    CHECK_INT(told(book, GLIDE_LOG_DEBUG, ""), 0);
    free(book);
}

TEST(after_it_is_stopped_nothing_is_told_and_what_waited_was)
{
    logbook *book = calloc(1, sizeof *book);
    int before;

    CHECK_INT(glide_set_log(GLIDE_LOG_DEBUG, take, book), GLIDE_OK);
    book->hold = true;
    for (int i = 0; i < 10; i++)
        fail_to_connect();
    while (!book->held)
        nap(1);
    book->hold = false;
    stop();
    before = book->count;
    CHECK_INT(told(book, GLIDE_LOG_WARN, "no connection to 127.0.0.1:1"), 10);
    fail_to_connect();
    CHECK_INT(book->count, before);
    free(book);
}

TEST(a_callback_that_hangs_holds_nobody_up_and_is_told_how_much_it_missed)
{
    logbook *book = calloc(1, sizeof *book);

    CHECK_INT(glide_set_log(GLIDE_LOG_WARN, take, book), GLIDE_OK);
    book->hold = true;
    for (int i = 0; i < 1100; i++)
        fail_to_connect();
    CHECK_INT(book->count, 0);
    book->hold = false;
    stop();
    CHECK_INT(book->most_at_once, 1);
    CHECK_INT(told(book, GLIDE_LOG_WARN, "75 lines of the log are lost: more than 1024 waited"), 1);
    CHECK_INT(told(book, GLIDE_LOG_WARN, "no connection to 127.0.0.1:1"), 1025);
    free(book);
}

static void *log_from_a_thread(void *nothing)
{
    for (int i = 0; i < 20; i++)
        fail_to_connect();
    return nothing;
}

TEST(threads_that_log_at_once_lose_no_line)
{
    logbook *book = calloc(1, sizeof *book);
    pthread_t threads[8];

    CHECK_INT(glide_set_log(GLIDE_LOG_WARN, take, book), GLIDE_OK);
    for (int i = 0; i < 8; i++)
        CHECK_INT(pthread_create(&threads[i], NULL, log_from_a_thread, NULL), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    stop();
    CHECK_INT(told(book, GLIDE_LOG_WARN, "no connection to 127.0.0.1:1"), 160);
    CHECK_INT(book->most_at_once, 1);
    free(book);
}

/* A callback that calls the library, as the garbage collector of a language may. */
static void take_and_call(void *context, int32_t level, const char *line, size_t len)
{
    glide_status *seen = context;
    glide_buffer buffer;

    (void)level, (void)line, (void)len;
    seen[0] = glide_set_log(GLIDE_LOG_OFF, NULL, NULL);
    seen[1] = glide_client_close(1);
    seen[2] = glide_client_topology(1, &buffer);
    glide_buffer_free(&buffer);
}

TEST(a_callback_may_call_the_library_but_not_change_the_log)
{
    glide_status seen[3] = {GLIDE_OK, GLIDE_OK, GLIDE_OK};

    CHECK_INT(glide_set_log(GLIDE_LOG_WARN, take_and_call, seen), GLIDE_OK);
    fail_to_connect();
    stop();
    for (int i = 0; i < 3; i++)
        CHECK_INT(seen[i], GLIDE_ERR_INVALID_ARGUMENT);
}

static int wants_out(void)
{
    return 1;
}

TEST(an_interrupt_ends_the_wait_for_a_callback_and_a_later_call_waits_for_it)
{
    logbook *slow = calloc(1, sizeof *slow), *next = calloc(1, sizeof *next);
    int count;

    CHECK_INT(glide_set_log(GLIDE_LOG_WARN, take, slow), GLIDE_OK);
    slow->hold = true;
    fail_to_connect();
    CHECK_INT(glide_on_interrupt(wants_out), GLIDE_OK);
    CHECK_INT(glide_set_log(GLIDE_LOG_WARN, take, next), GLIDE_ERR_CANCELLED);
    CHECK_INT(glide_set_log(GLIDE_LOG_WARN, take, next), GLIDE_ERR_CANCELLED);
    CHECK_INT(glide_on_interrupt(NULL), GLIDE_OK);
    CHECK_INT(slow->count, 0);
    fail_to_connect();
    slow->hold = false;
    stop();
    CHECK_INT(told(slow, GLIDE_LOG_WARN, "no connection to 127.0.0.1:1"), 1);
    CHECK_INT(told(next, GLIDE_LOG_WARN, "no connection to 127.0.0.1:1"), 1);
    count = slow->count;
    fail_to_connect();
    CHECK_INT(slow->count, count);
    free(slow);
    free(next);
}

TEST(a_level_that_is_none_is_refused_and_changes_nothing)
{
    logbook *book = calloc(1, sizeof *book);

    CHECK_INT(glide_set_log(GLIDE_LOG_WARN, take, book), GLIDE_OK);
    CHECK_INT(glide_set_log(GLIDE_LOG_DEBUG + 1, NULL, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_set_log(-1, NULL, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    fail_to_connect();
    stop();
    CHECK_INT(told(book, GLIDE_LOG_WARN, "no connection to 127.0.0.1:1"), 1);
    free(book);
}

TEST(without_a_callback_lines_go_to_the_standard_error_stream)
{
    char text[4096] = "";
    int ends[2], kept = dup(STDERR_FILENO);
    ssize_t len;

    CHECK_INT(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    CHECK_INT(glide_set_log(GLIDE_LOG_WARN, NULL, NULL), GLIDE_OK);
    fail_to_connect();
    stop();
    fail_to_connect();
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    len = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    if (CHECK(len > 26)) {
        CHECK_TEXT(((wire_bytes){(uint8_t *)text + 23, 46}),
                   "Z libglide warn: no connection to 127.0.0.1:1:");
        CHECK_INT(text[len - 1], '\n');
        CHECK(strstr(strstr(text, "no connection") + 1, "no connection") == NULL);
    }
}
