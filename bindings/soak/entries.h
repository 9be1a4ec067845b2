/*
 * entries.h - every function of glide.h, as something that a thread can do again and again.
 */
#ifndef ENTRIES_H
#define ENTRIES_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "request.h"

enum { SHARED_CLIENTS = 4, SEEDS_MAX = 16 };

/* What the threads share. */
typedef struct field {
    request_address seeds[SEEDS_MAX];
    size_t seed_count;
    glide_client client;        /* open throughout */
    glide_router router;        /* the same */
    uint8_t *topology;          /* that routers are opened over */
    size_t topology_len;
    glide_client shared[SHARED_CLIENTS]; /* that threads close and open while others use them */
    bool leak;                  /* on purpose: leave a buffer, or a handle, now and then */
    uint64_t tags;              /* given to submitted requests so far */
} field;

/* One thread, and how often it did what it does. */
typedef struct worker {
    field *on;
    uint64_t turn;
    glide_client target; /* whom requests go to */
    bool disturbed;      /* the target may be closed at any time */
} worker;

/* A function of glide.h; call() calls it once, and whatever gives back what it made. */
typedef struct entry {
    const char *name;
    void (*call)(worker *self);
    uint64_t least; /* times that it is called even where time is short */
} entry;

extern const entry entries[];
extern const size_t entry_count;

/* entries_open, entries_close - make and give back what the threads share. */
void entries_open(field *on, const char *addresses);
void entries_close(field *on);

/* entries_share, entries_unshare - open and close the clients of entries_mixed(). */
void entries_share(field *on);
void entries_unshare(field *on);

/* entries_mixed - call any of them, on clients that others close and open meanwhile. */
void entries_mixed(worker *self);

/* entries_leaks - whether this turn leaves something behind, as it must where the check is tried. */
bool entries_leaks(const worker *self);

/* entries_fail - end the program, since a call ended otherwise than it may. */
void entries_fail(glide_status status, glide_status wanted, const glide_buffer *response);

/* entries_expect - end the program, with its place, where something is not as it must be. */
#define EXPECT(condition) entries_expect(condition, #condition, __FILE__, __LINE__)
void entries_expect(bool held, const char *what, const char *file, int line);

#endif /* ENTRIES_H */
