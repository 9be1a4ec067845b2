/* See samples.h. */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "process.h"

enum { AT_FIRST = 1 << 12 };

samples samples_open(void)
{
    return (samples){.ns = process_room(AT_FIRST, sizeof(uint64_t)), .room = AT_FIRST};
}

void samples_keep(samples *taken, uint64_t ns)
{
    if (taken->count == taken->room) {
        taken->room *= 2;
        taken->ns = realloc(taken->ns, taken->room * sizeof *taken->ns);
        if (taken->ns == NULL)
            fault("no memory for %zu samples", taken->room);
    }
    taken->ns[taken->count++] = ns;
}

void samples_print(const samples *taken, bool first)
{
    for (size_t i = 0; i < taken->count; i++)
        printf("%s%llu", first && i == 0 ? "" : ",", (unsigned long long)taken->ns[i]);
}

void samples_close(samples *taken)
{
    free(taken->ns);
}
