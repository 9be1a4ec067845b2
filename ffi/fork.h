/*
 * fork.h - the library in the child of a fork.
 *
 * A Go runtime does not survive fork(): its threads are gone, and a call into it would hang. So the
 * child loads a copy of the library and hands every call on to it. The copy is a library as any
 * other; should this process fork in turn, the copy does there what its original did here. Each of
 * them knows of one fork only, the one that stopped its own runtime.
 *
 * A handle that the copy gave counts one fork more than it did in the copy, in bits that are 0
 * in the handles of a running library. A handle that counts none here is one from before the fork.
 */
#ifndef GLIDE_FORK_H
#define GLIDE_FORK_H

#include "../include/glide.h"

/* forked - whether this library's Go runtime stayed behind in the parent, so that it must not be
 * called any more. */
int forked(void);

/* forked_buffer_free - glide_buffer_free() of the copy, which may use the memory again; 0 where no
 * copy is loaded. */
int forked_buffer_free(glide_buffer *buffer);

/* fork_keep_log - remember what glide_set_log() was told, for the copies of forked children. */
void fork_keep_log(int32_t level, glide_log_callback callback, void *context);

/* In a forked child, the functions of glide.h; their arguments are checked already. */
glide_status forked_schema(glide_buffer *schema);
glide_status forked_set_log(int32_t level, glide_log_callback callback, void *context);
int32_t forked_key_slot(const uint8_t *key, size_t len);
glide_status forked_router_open(const uint8_t *topology, size_t len, glide_router *router,
                                glide_buffer *response);
glide_status forked_router_resolve(glide_router router, const uint8_t *request, size_t len,
                                   glide_buffer *response);
glide_status forked_router_close(glide_router router);
glide_status forked_client_open(const uint8_t *config, size_t len, glide_client *client,
                                glide_buffer *response);
glide_status forked_client_execute(glide_client client, const uint8_t *request, size_t len,
                                   glide_buffer *response);
glide_status forked_client_execute_with(glide_client client, const uint8_t *request, size_t len,
                                        const glide_bytes *args, size_t count,
                                        glide_buffer *response);
glide_status forked_client_resolve(glide_client client, const uint8_t *request, size_t len,
                                   glide_buffer *response);
glide_status forked_client_topology(glide_client client, glide_buffer *response);
glide_status forked_client_statistics(glide_client client, glide_buffer *response);
glide_status forked_client_close(glide_client client);
glide_status forked_client_submit(glide_client client, const uint8_t *request, size_t len,
                                  uint64_t tag);
int32_t forked_client_event_fd(glide_client client);
glide_status forked_client_poll(glide_client client, glide_completion *completions, size_t capacity,
                                size_t *count);
glide_status forked_client_cancel(glide_client client, uint64_t tag);
glide_status forked_session_open(glide_client client, const uint8_t *request, size_t len,
                                 glide_session *session, glide_buffer *response);
glide_status forked_session_execute(glide_session session, const uint8_t *request, size_t len,
                                    glide_buffer *response);
glide_status forked_session_submit(glide_session session, const uint8_t *request, size_t len,
                                   uint64_t tag);
glide_status forked_session_close(glide_session session);

#endif
