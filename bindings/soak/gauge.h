/*
 * gauge.h - what a process holds, and whether it grows with the calls it makes.
 */
#ifndef GAUGE_H
#define GAUGE_H

#include <stdbool.h>
#include <stdint.h>

#include "glide.h"

/* What the process holds when no call runs. */
typedef struct gauge {
    int64_t resident;    /* bytes of memory */
    int64_t allocated;   /* bytes that malloc has given out and nobody has freed */
    int64_t heap;        /* bytes that Go's last collection left */
    int64_t handles;     /* open ones of the library */
    int64_t calls;       /* that the library takes for running */
    int64_t goroutines;
    int64_t threads;
    int64_t connections; /* open ones, by the statistics of the client that is asked */
    int64_t files;       /* open descriptors that are no connections */
} gauge;

/* gauge_resident - the memory of the process in bytes. */
int64_t gauge_resident(void);

/* gauge_read - all of it; `client` is the handle that is asked. Exits with 2 where it cannot. */
gauge gauge_read(glide_client client);

/* Memory against the number of calls, one sample after another. */
typedef struct slope {
    double count, x, y, xx, xy;
} slope;

void slope_add(slope *line, double calls, double bytes);

/* slope_per_1000 - bytes for 1,000 calls, the least squares of the samples; 0: too few of them. */
double slope_per_1000(const slope *line);

#endif /* GAUGE_H */
