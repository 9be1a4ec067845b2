/* samples.h - how long each of many operations took. */
#ifndef SAMPLES_H
#define SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct samples {
    uint64_t *ns;
    size_t count, room;
} samples;

/* samples_open - none yet, with room for some thousands before memory is asked for again. */
samples samples_open(void);

void samples_keep(samples *taken, uint64_t ns);

/* samples_print - as items of a list in JSON; `first`: none are in it yet. */
void samples_print(const samples *taken, bool first);

void samples_close(samples *taken);

#endif /* SAMPLES_H */
