/*
 * backend.h - a client library as the benchmark sees it.
 *
 * Each backend is a shared object with the one symbol bench_backend. The worker loads it when its
 * own memory has been measured, so that no process holds another library than the one it measures.
 * A backend serves one cluster in its process, and what fails ends the process: see fault.h. Its
 * submit and collect are NULL where the library has no asynchronous form.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

typedef struct backend_address {
    wire_bytes host; /* ends with a NUL */
    uint32_t port;
} backend_address;

/* Who reads a reply: gets its strings one by one, in their order, status lines too. Of equal
 * replies of all nodes it gets one. The bytes live during the call only. */
typedef struct backend_reader {
    void (*string)(void *context, wire_bytes text);
    void *context;
} backend_reader;

typedef struct backend_options {
    const backend_address *addresses; /* of the cluster; live as long as the backend */
    size_t address_count;
    const char *library;            /* path of the library to load, where the backend needs one */
    uint32_t request_timeout_ms;    /* so long that only what hangs reaches it */
    uint32_t connection_timeout_ms; /* likewise */
    size_t in_flight;               /* commands submitted at once; 0: none ever are */
    const char *channel;            /* a sharded one that open subscribes to; NULL: none */
    backend_reader hearer;          /* of its messages, from then on */
} backend_options;

/* The commands that a backend must know. */
typedef enum backend_verb {
    BACKEND_GET,
    BACKEND_SET,
    BACKEND_MGET, /* of keys in any slots */
    BACKEND_LRANGE,
    BACKEND_HGETALL,
    BACKEND_PING, /* to all nodes */
    BACKEND_VERBS
} backend_verb;

/* The most words of a command, the most commands of a batch, the most addresses: the worker keeps
 * to them. */
enum { BACKEND_WORDS_MAX = 128, BACKEND_ADDRESSES_MAX = 64 };

typedef struct backend_command {
    backend_verb verb;
    const wire_bytes *words; /* all of the command, its name first */
    size_t count;
} backend_command;

/* Who gets the replies of submitted commands, one after another. */
typedef struct backend_sink {
    backend_reader (*begin)(void *context, size_t tag); /* the reader of the reply to this one */
    void (*end)(void *context, size_t tag); /* it has been read; may submit the tag anew */
    void *context;
} backend_sink;

typedef struct backend {
    /* open - connect; called once. */
    void (*open)(const backend_options *options);
    /* join, leave - begin and end the calls of one thread. What join returns may be NULL. */
    void *(*join)(void);
    void (*leave)(void *session);
    /* execute - run one command and read its reply. */
    void (*execute)(void *session, const backend_command *command, backend_reader reader);
    /* batch - run commands as a pipeline, none of them atomic, and read their replies in order. */
    void (*batch)(void *session, const backend_command *commands, size_t count,
                  backend_reader reader);
    /* submit - begin a command, whose words are read during the call only. The tag is below
     * in_flight, and that of no other one under way. */
    void (*submit)(void *session, const backend_command *command, size_t tag);
    /* collect - wait until replies to submitted commands have come, and hand them to the sink. The
     * one thread that submits calls it. */
    void (*collect)(void *session, backend_sink sink);
    /* hear - wait for messages of the channel, and hand them to the hearer. NULL where the library
     * does so by itself, on a thread of its own. */
    void (*hear)(void);
    /* close - disconnect; called once, when every thread has left. */
    void (*close)(void);
} backend;

extern const backend bench_backend;

#endif /* BACKEND_H */
