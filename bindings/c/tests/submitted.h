/* submitted.h - requests of the asynchronous form, for tests. */
#ifndef SUBMITTED_H
#define SUBMITTED_H

#include "live.h"

/* submit - glide_client_submit() with the words of a line. */
glide_status submit(glide_client client, const char *line, uint64_t tag);

/* submit_for - submit with a deadline of its own. */
glide_status submit_for(glide_client client, const char *line, uint64_t tag, uint32_t timeout_ms);

/* A completion with what its response holds; drop() frees it. */
typedef struct completed {
    uint64_t tag;
    answer given;
} completed;

/* complete - the next completion, for which it waits on the client's descriptor; a failed check,
 * and no buffer, where none comes within 20 s. */
completed complete(glide_client client);

/* complete_all - as many completions as there are tags from 0 on, each of them once: their
 * answers by tag, to be dropped. */
void complete_all(glide_client client, answer *answers, size_t count);

/* readable - whether a descriptor is, now or within so many milliseconds. */
bool readable(int fd, int milliseconds);

/* complete_nothing - there is no completion, now. */
bool complete_nothing(glide_client client);

/* pause_node, resume_node - have the node of a key answer no writes for 20 s; let it again. */
void pause_node(const char *key);
void resume_node(const char *key);

/* await_blocked - wait until so many clients block on the server of a key. */
void await_blocked(const char *key, int wanted);

#endif /* SUBMITTED_H */
