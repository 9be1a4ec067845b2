/* Where lines of the log leave the library. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* GLIDE_LOG as it was when the library was loaded, cut where it is too long to be a level. */
static char variable[16];

static _Thread_local int delivering;

/* Before the constructor that starts the Go runtime, which has the priority of none: it reads what
 * is kept here, from another thread, and the environment may change meanwhile. */
__attribute__((constructor(101))) static void keep_variable(void)
{
    const char *value = secure_getenv("GLIDE_LOG");

    if (value != NULL)
        strncpy(variable, value, sizeof variable - 1);
}

const char *log_variable(void)
{
    return variable;
}

int log_delivering(void)
{
    return delivering;
}

void log_deliver(glide_log_callback callback, uintptr_t context, int32_t level, const char *line,
                 size_t len)
{
    delivering = 1;
    callback((void *)context, level, line, len);
    delivering = 0;
}
