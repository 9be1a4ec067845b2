/* What the C shim and the Go side share. */
#ifndef GLIDE_SHIM_H
#define GLIDE_SHIM_H

#include <stdlib.h>

#include "../include/glide.h"

/* malloc that Go may see fail; cgo's own ends the process. */
static inline void *malloc_or_null(size_t size)
{
    return malloc(size);
}

#endif
