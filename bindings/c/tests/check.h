/*
 * check.h - tests that read as sentences.
 *
 *     TEST(an_empty_message_has_no_fields)
 *     {
 *         wire_reader reader = wire_read(wire_text(""));
 *
 *         CHECK(!wire_next(&reader));
 *     }
 *
 * A check that fails is printed with its place and the test goes on; each check returns whether it
 * held, for those without which the rest would make no sense: if (!CHECK(...)) return;
 *
 * Checks may be made by any thread.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

#include "wire.h"

typedef struct check_test {
    const char *name;
    void (*run)(void);
    struct check_test *next;
} check_test;

/* check_add - have the runner run a test, after those that were added before. */
void check_add(check_test *test);

#define TEST(title)                                                                                \
    static void title(void);                                                                       \
    __attribute__((constructor)) static void add_##title(void)                                     \
    {                                                                                              \
        static check_test test = {#title, title, NULL};                                            \
                                                                                                   \
        check_add(&test);                                                                          \
    }                                                                                              \
    static void title(void)

/* CHECK - a condition holds. */
#define CHECK(condition) check_true(__FILE__, __LINE__, #condition, condition)

/* CHECK_INT, CHECK_TEXT - an integer, or bytes, are as expected. */
#define CHECK_INT(actual, expected)                                                                \
    check_int(__FILE__, __LINE__, #actual, (long long)(actual), (long long)(expected))
#define CHECK_TEXT(actual, expected) check_text(__FILE__, __LINE__, #actual, actual, expected)

/* CHECK_HAS - bytes contain a text. */
#define CHECK_HAS(actual, part) check_has(__FILE__, __LINE__, #actual, actual, part)

/* exact_copy - a copy of exactly len bytes, so that a sanitizer sees a look beyond them; to be
 * freed with free(). Never NULL. */
uint8_t *exact_copy(const uint8_t *data, size_t len);

/* check_failed - whether a check of the running test failed, in this process. */
bool check_failed(void);

bool check_true(const char *file, int line, const char *what, bool held);
bool check_int(const char *file, int line, const char *what, long long actual, long long expected);
bool check_text(const char *file, int line, const char *what, wire_bytes actual,
                const char *expected);
bool check_has(const char *file, int line, const char *what, wire_bytes actual, const char *part);

#endif /* CHECK_H */
