/*
 * children.h - forked children of a test.
 *
 * Not under the address sanitizer: its allocator does not survive the fork of a process with
 * threads (GCC 12; the child hangs in malloc), and it reports as leaks what belonged to threads
 * that a fork left behind.
 */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <sys/types.h>

/* start_child - fork, and do something with an argument in the child. Its checks count: the child
 * ends with exit code 1 where one failed, without what exit() does. */
pid_t start_child(void (*act)(void *), void *argument);

/* status_of - how a child ended: its exit code, or 1000 and the signal that ended it; -1 where it
 * did not end within a minute, and is killed. */
int status_of(pid_t child);

/* CHECK_CHILD - a child does something, and ends well. */
#define CHECK_CHILD(act, argument) CHECK_INT(status_of(start_child(act, argument)), 0)

#endif /* CHILDREN_H */
