/* See host.h. */
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>

#include "host.h"

enum { SIGNALS = 65 };

static struct {
    struct sigaction action;
    int known;
} handlers[SIGNALS];

static struct rlimit files;
static int files_known;

extern const char __ehdr_start[] __attribute__((visibility("hidden"))); /* the linker's: where */
extern const char _end[] __attribute__((visibility("hidden")));         /* this library is */

void host_keep(void)
{
    for (int number = 1; number < SIGNALS; number++)
        handlers[number].known = sigaction(number, NULL, &handlers[number].action) == 0;
    files_known = getrlimit(RLIMIT_NOFILE, &files) == 0;
}

void host_restore_handlers(void)
{
    struct sigaction now;

    for (int number = 1; number < SIGNALS; number++) {
        if (!handlers[number].known || sigaction(number, NULL, &now) != 0)
            continue;
        if ((const char *)now.sa_handler >= __ehdr_start && (const char *)now.sa_handler < _end)
            sigaction(number, &handlers[number].action, NULL);
    }
}

void host_restore_limit(void)
{
    struct rlimit now;

    /* Only what Go sets, one less than the hard limit: the host may have set another meanwhile. */
    if (files_known && getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == now.rlim_max - 1 &&
        now.rlim_max == files.rlim_max)
        setrlimit(RLIMIT_NOFILE, &files);
}
