/*
 * The runner: runs every test, or those whose names contain one of the arguments. It prints a line
 * for each and ends with "N passed, M failed"; the exit code is 0 only if all passed, and some did.
 */
#include "check.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATIENCE = 120 }; /* seconds that a test may take */

static check_test *first, **last = &first;
static const check_test *running;
static atomic_int failures; /* checks of the running test that failed */

void check_add(check_test *test)
{
    *last = test;
    last = &test->next;
}

bool check_failed(void)
{
    return failures > 0;
}

bool check_true(const char *file, int line, const char *what, bool held)
{
    if (!held) {
        failures++;
        printf("FAIL %s:%d %s: %s\n", file, line, running->name, what);
    }
    return held;
}

bool check_int(const char *file, int line, const char *what, long long actual, long long expected)
{
    if (actual != expected) {
        failures++;
        printf("FAIL %s:%d %s: %s is %lld, not %lld\n", file, line, running->name, what, actual,
               expected);
    }
    return actual == expected;
}

bool check_text(const char *file, int line, const char *what, wire_bytes actual,
                const char *expected)
{
    bool equal = wire_equal(actual, expected);

    if (!equal) {
        failures++;
        printf("FAIL %s:%d %s: %s is \"%.*s\", not \"%s\"\n", file, line, running->name, what,
               WIRE_PRINT(actual), expected);
    }
    return equal;
}

bool check_has(const char *file, int line, const char *what, wire_bytes actual, const char *part)
{
    size_t len = strlen(part);

    for (size_t i = 0; i + len <= actual.len; i++)
        if (len == 0 || memcmp(actual.data + i, part, len) == 0)
            return true;
    failures++;
    printf("FAIL %s:%d %s: %s is \"%.*s\", without \"%s\"\n", file, line, running->name, what,
           WIRE_PRINT(actual), part);
    return false;
}

uint8_t *exact_copy(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    if (copy == NULL)
        abort();
    if (len > 0)
        memcpy(copy, data, len);
    return copy;
}

/* give_up - a test hangs, and so would the rest. Only calls that a signal handler may make. */
static void give_up(int number)
{
    static const char text[] = ": did not end in time\n";

    (void)number;
    if (write(STDOUT_FILENO, "FAIL ", 5) < 0 ||
        write(STDOUT_FILENO, running->name, strlen(running->name)) < 0 ||
        write(STDOUT_FILENO, text, sizeof text - 1) < 0)
        _exit(2);
    _exit(1);
}

static bool wanted(const check_test *test, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(test->name, argv[i]) != NULL)
            return true;
    return argc == 1;
}

int main(int argc, char **argv)
{
    /* SA_ONSTACK: the signal may come while a call of the library runs on a small stack of Go's. */
    struct sigaction alarmed = {.sa_handler = give_up, .sa_flags = SA_ONSTACK};
    int passed = 0, failed = 0;

    setvbuf(stdout, NULL, _IOLBF, 0); /* nothing is lost in a crash, or printed twice by a fork */
    sigaction(SIGALRM, &alarmed, NULL);
    for (running = first; running != NULL; running = running->next) {
        if (!wanted(running, argc, argv))
            continue;
        failures = 0;
        alarm(PATIENCE);
        running->run();
        alarm(0);
        if (failures == 0)
            printf("ok %s\n", running->name);
        passed += failures == 0;
        failed += failures != 0;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return passed > 0 && failed == 0 ? 0 : 1;
}
