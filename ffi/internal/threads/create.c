/*
 * pthread_create() as the Go runtime of this library calls it; the linker puts it in the place of
 * the system's (--wrap). The host's own calls are not touched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

/* The runtime tries 20 times, so this is 30 s in all. */
enum { PATIENCE_MS = 1500, LONGEST_PAUSE_MS = 50 };

static long long milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* refused - whether a test has every thread refused; see fault.go. */
static int refused(void)
{
#ifdef GLIDE_FAULTS
    const char *wanted = getenv("LIBGLIDE_FAULT");

    return wanted != NULL && strcmp(wanted, "pthread_create") == 0;
#else
    return 0;
#endif
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    const long long until = milliseconds() + PATIENCE_MS;

    for (long pause = 1;; pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS) {
        const struct timespec a_while = {0, pause * 1000000};
        const int error =
            refused() ? EAGAIN : __real_pthread_create(thread, attributes, start, argument);

        if (error != EAGAIN || milliseconds() >= until)
            return error;
        nanosleep(&a_while, NULL);
    }
}
