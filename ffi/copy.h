/*
 * copy.h - a second copy of this library in the same process, with a Go runtime of its own.
 *
 * The loader gives the same library for the same file, so the copy is loaded from another one with
 * the same bytes: a memfd, or where that is refused a temporary file that is gone once it is
 * loaded.
 */
#ifndef GLIDE_COPY_H
#define GLIDE_COPY_H

#include <stddef.h>

#include "../include/glide.h"

/* The functions of glide.h that need Go or wait for it: those that a forked child calls in the
 * copy. */
#define COPY_FUNCTIONS(each)                                                                       \
    each(glide_buffer_free)                                                                        \
    each(glide_schema)                                                                             \
    each(glide_on_interrupt)                                                                       \
    each(glide_set_log)                                                                            \
    each(glide_key_slot)                                                                           \
    each(glide_router_open)                                                                        \
    each(glide_router_resolve)                                                                     \
    each(glide_router_close)                                                                       \
    each(glide_client_open)                                                                        \
    each(glide_client_execute)                                                                     \
    each(glide_client_execute_with)                                                                \
    each(glide_client_resolve)                                                                     \
    each(glide_client_topology)                                                                    \
    each(glide_client_statistics)                                                                  \
    each(glide_client_close)                                                                       \
    each(glide_client_submit)                                                                      \
    each(glide_client_event_fd)                                                                    \
    each(glide_client_poll)                                                                        \
    each(glide_client_cancel)                                                                      \
    each(glide_session_open)                                                                       \
    each(glide_session_execute)                                                                    \
    each(glide_session_submit)                                                                     \
    each(glide_session_close)

struct copy {
#define COPY_MEMBER(name) __typeof__(name) *name;
    COPY_FUNCTIONS(COPY_MEMBER)
#undef COPY_MEMBER
};

/* copy_keep - keep the bytes of the library's file, by mapping it: it may be replaced, removed or
 * out of reach when a copy is needed. To be called while the library is being loaded. */
void copy_keep(void);

/* copy_reserve - before a fork: make the memfd that all children of this process share. It stays
 * empty until the first of them needs it. */
void copy_reserve(void);

/* copy_load - load a copy that this process does not have yet. Returns 0 and, in why, the reasons
 * where it cannot be. */
int copy_load(struct copy *copy, char *why, size_t room);

#endif
