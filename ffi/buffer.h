#ifndef GLIDE_BUFFER_H
#define GLIDE_BUFFER_H

#include <stddef.h>

/* buffer_allocate - memory for a response of size bytes; NULL where there is none. */
void *buffer_allocate(size_t size);

/* buffer_release - give back what buffer_allocate gave; harmless on NULL. */
void buffer_release(void *data);

#endif
