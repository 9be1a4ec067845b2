/*
 * host.h - what a Go runtime changes in the process that it comes into, and what is put back.
 */
#ifndef GLIDE_HOST_H
#define GLIDE_HOST_H

/* host_keep - remember how things are. To be called before Go's constructor. */
void host_keep(void);

/* host_restore_handlers - in a forked child, put the host's signal handlers back where Go's still
 * are: a runtime without threads cannot handle a signal, and the copy's would hand on to it. */
void host_restore_handlers(void);

/* host_restore_limit - put the limit of open files back, which Go raises for programs of its own: a
 * host may rely on it, as one that calls select() does, and so may what it starts. */
void host_restore_limit(void);

#endif
