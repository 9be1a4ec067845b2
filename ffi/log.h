#ifndef GLIDE_LOG_H
#define GLIDE_LOG_H

#include "../include/glide.h"

/* log_variable - GLIDE_LOG of the environment; "" where it is not set. */
const char *log_variable(void);

/* log_deliver - give the host a line, which ends with a NUL after len bytes. */
void log_deliver(glide_log_callback callback, uintptr_t context, int32_t level, const char *line,
                 size_t len);

/* log_delivering - whether this thread is within a callback of the host. */
int log_delivering(void);

#endif
