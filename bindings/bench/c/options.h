/* options.h - the command line of a program of the benchmark: name=value, in any order. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "backend.h"

enum { OPTIONS_TIMEOUT_MS = 30000, OPTIONS_PHASES_MAX = 16 };

typedef struct options {
    const char *backend, *library, *operation;
    const char *publisher; /* the backend that publishes what this one hears */
    backend_address addresses[BACKEND_ADDRESSES_MAX];
    size_t address_count;
    size_t size, keys, count;
    size_t phases[OPTIONS_PHASES_MAX]; /* threads of each */
    size_t phase_count;
    size_t flight; /* operations under way; 0: each thread waits for one at a time */
    double seconds;
} options;

/* options_read - what fails ends the process, here and below. */
options options_read(int argc, char **argv);

/* options_duration - the seconds, in nanoseconds. */
uint64_t options_duration(const options *given);

/* options_load - the backend in a shared object. */
const backend *options_load(const char *path);

#endif /* OPTIONS_H */
