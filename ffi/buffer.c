/*
 * The memory of responses. That of a large one is kept for the next: the allocator gives such
 * pieces back to the system, and to have a MiB from there again costs more than all else that a
 * reply of that size needs, a fault for each page.
 */
#include "buffer.h"

#include <stdlib.h>

#include "shim.h"

typedef struct head {
    size_t capacity; /* bytes behind the head */
    size_t padding;  /* the data are aligned as malloc aligns */
} head;

enum {
    LARGE = 128 << 10, /* from here on the allocator goes to the system */
    MOST = 2 << 20,    /* larger pieces are not kept */
    KEPT = 4           /* pieces at most, so 8 MiB */
};

/* Free pieces. A place is taken and filled in one step, so nothing is ever locked: not by a thread
 * that a fork leaves behind either. */
static head *kept[KEPT];

static int keep(head *piece)
{
    for (int i = 0; i < KEPT; i++) {
        head *none = NULL;

        if (__atomic_compare_exchange_n(&kept[i], &none, piece, 0, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return 1;
    }
    return 0;
}

/* reuse - a free piece of at least size bytes and not many more; NULL where none is kept. */
static head *reuse(size_t size)
{
    for (int i = 0; i < KEPT; i++) {
        head *piece = __atomic_exchange_n(&kept[i], NULL, __ATOMIC_ACQ_REL);

        if (piece == NULL)
            continue;
        if (piece->capacity >= size && piece->capacity / 4 <= size)
            return piece;
        if (!keep(piece))
            free(piece);
    }
    return NULL;
}

void *buffer_allocate(size_t size)
{
    head *piece = size >= LARGE ? reuse(size) : NULL;

    if (piece == NULL) {
        piece = malloc_or_null(sizeof *piece + size);
        if (piece == NULL)
            return NULL;
        piece->capacity = size;
    }
    return piece + 1;
}

void buffer_release(void *data)
{
    head *piece = data;

    if (piece == NULL)
        return;
    piece--;
    if (piece->capacity < LARGE || piece->capacity > MOST || !keep(piece))
        free(piece);
}
