/*
 * encode.h - the requests that calls ask for, as bytes for the library. What the codec of
 * bindings/c has no members for is put beside what it writes; protocol buffers merge the two.
 *
 * Each function appends a CommandRequest and returns whether that went well; the writer is the
 * caller's to free either way.
 */
#ifndef ENCODE_H
#define ENCODE_H

#include "call.h"
#include "wire.h"

typedef bool encode_request(call_line *call, wire_writer *request);

/* One command; several with "/" between them; a step of a cluster scan. */
encode_request encode_command;
encode_request encode_batch;
encode_request encode_scan;

#endif /* ENCODE_H */
