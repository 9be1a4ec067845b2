/*
 * call.h - a call of the line protocol, as bindings/conformance/README.md describes it.
 *
 * A call is a line of words with blanks between them: its name, what it is about, options such as
 * timeout_ms=250, and the rest. Bytes are hexadecimal digits, "-" where there are none.
 */
#ifndef CALL_H
#define CALL_H

#include "request.h"
#include "wire.h"

/* A call. Its texts are parts of the line, which is changed by reading it. */
typedef struct call_line {
    const char *name;
    char *subject; /* "" where there is none */
    char **options;      /* "name=value" */
    size_t option_count;
    char **rest;
    size_t rest_count;
    const char *fault; /* what could not be read; NULL while all could */
    char **words;      /* all words; the memory of the call */
} call_line;

/* call_read - divide a line into the words of a call. Returns false where there is no memory. */
bool call_read(char *line, call_line *call);

/* call_free - free what call_read() took. */
void call_free(call_line *call);

/* call_fault - take note of a fault, the first one only. */
void call_fault(call_line *call, const char *fault);

/* call_only - refuse options that are not among these, a list divided by blanks. */
void call_only(call_line *call, const char *names);

/* call_option - the value of an option, or NULL. */
char *call_option(const call_line *call, const char *name);

/* call_number - the number that an option is, 0 where there is none. */
uint32_t call_number(call_line *call, const char *name);

/* call_bytes - the bytes of a word, which are put in its place. */
wire_bytes call_bytes(call_line *call, char *word);

/* call_words - the words from `from` to `to` of the rest as bytes, into `bytes`. */
void call_words(call_line *call, size_t from, size_t to, wire_bytes *bytes);

/* call_route - the option route: "all-nodes", "key:primary:HEX", "id:replica:-1",
 * "address:HOSTHEX:PORT" and so on; no route where it is missing. */
request_route call_route(call_line *call);

/* call_choice - the place of the value of an option in a list of names that ends with NULL; 0 where
 * the option is missing. */
uint32_t call_choice(call_line *call, const char *option, const char *const *names);

#endif /* CALL_H */
