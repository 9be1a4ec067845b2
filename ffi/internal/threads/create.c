/*
 * pthread_create() as the Go runtime of this library calls it; the linker puts it in the place of
 * the system's (--wrap). The host's own calls are not touched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

enum {
    PATIENCE_MS = 1500, /* the runtime tries 20 times, so this is 30 s in all */
    LONGEST_PAUSE_MS = 50,
    WATCHER = 1, /* the thread that is made after so many others */
    WATCHER_SLACK_NS = 1000000
};

static void set_slack(int ns)
{
    if (ns > 0) /* 0 would set the default of the thread, and means one of the real-time classes */
        prctl(PR_SET_TIMERSLACK, (long)ns, 0L, 0L, 0L);
}

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

/*
 * create - make a thread, which inherits how much later than asked for it may be woken. All get that
 * of the thread that loads the library, but for the watcher, sysmon, which is the first that the
 * runtime makes once it has a thread of its own (runtime.main).
 *
 * The watcher takes scheduler processors from threads that are in the kernel or in C, and as long as
 * it finds any it sleeps for 20 us only. It does find some for ever where threads call in from C:
 * nothing is scheduled on their processors, so it takes them for ones that have been at the same
 * thing for 10 ms, and takes them away each time (retake() in runtime/proc.go). Each thread then gets
 * another one under the scheduler's lock, and with 64 threads the watcher alone kept a tenth of a
 * processor busy. Threads that it makes in its turn are not to be late.
 */
static int create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                  void *argument)
{
    static int made, usual;
    const int before = __atomic_load_n(&made, __ATOMIC_ACQUIRE);
    const int own = prctl(PR_GET_TIMERSLACK, 0L, 0L, 0L, 0L);
    int error;

    if (before == 0)
        usual = own;
    set_slack(before == WATCHER && usual < WATCHER_SLACK_NS ? WATCHER_SLACK_NS : usual);
    error = __real_pthread_create(thread, attributes, start, argument);
    set_slack(own);
    if (error == 0)
        __atomic_add_fetch(&made, 1, __ATOMIC_RELEASE);
    return error;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    const long long until = milliseconds() + PATIENCE_MS;

    for (long pause = 1;; pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS) {
        const struct timespec a_while = {0, pause * 1000000};
        const int error = refused() ? EAGAIN : create(thread, attributes, start, argument);

        if (error != EAGAIN || milliseconds() >= until)
            return error;
        nanosleep(&a_while, NULL);
    }
}
