/*
 * answer.h - answers of the line protocol: one line of JSON on the standard output.
 *
 * Strings of bytes are written as Latin-1 characters, so that any bytes come through; messages and
 * names are UTF-8 and stay so.
 */
#ifndef ANSWER_H
#define ANSWER_H

#include "glide.h"
#include "wire.h"

/* answer_response - what a call of the library came to: its status, and what it filled the buffer
 * with. */
void answer_response(glide_status status, const glide_buffer *buffer);

/* answer_slot - the slot of a key. */
void answer_slot(int32_t slot);

/* answer_refusal - a call that this driver does not run: "UNSUPPORTED" or "MALFORMED", and why. */
void answer_refusal(const char *status, const char *why);

/* answer_ok - nothing more to say. */
void answer_ok(void);

/* The names of policies and of read strategies, by their numbers; NULL behind the last. */
extern const char *const answer_policies[];
extern const char *const answer_strategies[];

#endif /* ANSWER_H */
