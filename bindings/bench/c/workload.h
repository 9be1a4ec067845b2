/*
 * workload.h - what the benchmark's operations send, and what must come back.
 *
 * The cluster holds what python/bench/dataset.py has put there. Before anything is timed each reply
 * is compared as a whole; in the timed part by its number of strings, their lengths, begins and
 * ends, which costs next to nothing and still catches a reply that is another's.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "backend.h"

typedef struct workload_operation workload_operation;

/* The 16 characters that tell the values of two keys apart. */
enum { WORKLOAD_MARK = 16 };

typedef struct workload {
    const backend *backend;
    const workload_operation *operation;
    size_t size;     /* bytes of a value */
    size_t key_count;
    wire_bytes *keys;
    char (*marks)[WORKLOAD_MARK + 1];
    wire_bytes value; /* what a SET writes: of this process only, so that it can be proved */
} workload;

/* What is left to check of one reply. */
typedef struct workload_reply {
    const workload *load;
    size_t index;  /* of the first key */
    size_t seen;   /* strings so far */
    size_t number; /* of a hash: of the last field */
    size_t sum;    /* of the numbers so far */
    bool whole;
} workload_reply;

/* workload_open - an operation on keys whose values have so many bytes. What fails ends the
 * process, here and below. */
workload workload_open(const backend *used, const char *operation, size_t size, size_t keys);

void workload_close(workload *load);

/* workload_run - run the operation on the key of an index, any number, and check the reply. */
void workload_run(const workload *load, void *session, size_t index, bool whole);

/* workload_submit - begin the operation on the key of an index; see backend.h. */
void workload_submit(const workload *load, void *session, size_t index, size_t tag);

/* workload_expect, workload_reader, workload_finish - check the reply to what was submitted: what
 * it should be, who reads it, and that nothing was missing. */
workload_reply workload_expect(const workload *load, size_t index, bool whole);
backend_reader workload_reader(workload_reply *reply);
void workload_finish(const workload_reply *reply);

/* workload_prove - read back the first `count` keys that a SET has written; nothing for other
 * operations. */
void workload_prove(const workload *load, void *session, size_t count);

#endif /* WORKLOAD_H */
