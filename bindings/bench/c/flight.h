/* flight.h - one thread that keeps so many commands under way. */
#ifndef FLIGHT_H
#define FLIGHT_H

#include "samples.h"
#include "workload.h"

/*
 * flight_run - submit `width` commands and, whenever the reply to one has come, another in its
 * place; after duration_ns none, until the last reply is there.
 *
 * first  index of the first key.
 * whole  compare replies as a whole.
 * taken  gets the time of each command from before it was submitted until its reply was checked;
 *        NULL: nobody wants it.
 *
 * Returns when the last reply was checked.
 */
uint64_t flight_run(const workload *load, void *session, size_t width, size_t first,
                    uint64_t duration_ns, bool whole, samples *taken);

#endif /* FLIGHT_H */
