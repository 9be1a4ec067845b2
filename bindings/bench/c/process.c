/* See process.h. */
#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "fault.h"

uint64_t process_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

uint64_t process_cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

/* status - a number of /proc/self/status. */
static uint64_t status(const char *name)
{
    const size_t len = strlen(name);
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    uint64_t number = 0;

    if (file == NULL)
        fault("/proc/self/status cannot be opened");
    while (number == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, len) == 0)
            number = strtoull(line + len, NULL, 10);
    fclose(file);
    if (number == 0)
        fault("/proc/self/status has no %s", name);
    return number;
}

uint64_t process_resident_kib(void)
{
    return status("VmRSS:");
}

uint64_t process_peak_kib(void)
{
    return status("VmHWM:");
}

void *process_room(size_t count, size_t size)
{
    void *room = calloc(count == 0 ? 1 : count, size);

    if (room == NULL)
        fault("no memory for %zu times %zu bytes", count, size);
    return room;
}
