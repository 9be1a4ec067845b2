/*
 * glide.h - the C interface of libglide, a Valkey cluster client.
 *
 * A request goes in as bytes, its response comes out as bytes. Both are protocol buffers:
 * CommandRequest and ConnectionRequest in, Response out (protobuf/ of the sources, and
 * glide_schema() at run time).
 *
 * Four shapes cross this border and no others:
 *
 *   handles     64-bit numbers. 0 is never valid, a number is never used again, and a closed
 *               or made-up one is answered with an error.
 *   input       a pointer and a length in bytes, read during the call only. The pointer may be
 *               NULL where the length is 0. Several such are an array of glide_bytes.
 *   glide_buffer memory of the library that the caller frees with glide_buffer_free().
 *   glide_status what became of the call.
 *
 * The asynchronous form adds an array of glide_completion, see there.
 *
 * Unless a function says otherwise: it may be called from any thread at any time, and it does not
 * block. Nothing is written to the standard streams, unless GLIDE_LOG or glide_set_log() asks for it.
 *
 * After fork() the child opens clients and routers of its own, as any process; so do its children.
 * The first call that needs it loads a copy of the library into the child, from a memfd or else a
 * temporary file; where neither can be had, the call answers GLIDE_ERR_FORKED and says why
 * (glide_key_slot: -1), and the next one tries again. Handles from before the fork answer
 * GLIDE_ERR_FORKED at once and without side effects; closing them, and freeing buffers, is
 * harmless. The parent goes on undisturbed. docs/fork.md says more.
 *
 * A program that catches signals installs its handlers with SA_ONSTACK (sigaction). Inside a call a
 * thread may run on a small stack of the Go runtime; a handler without that flag would then write
 * over the library's memory. The library installs no handlers but those that the Go runtime needs,
 * which hand on what is not theirs. One of them is for SIGURG, which the runtime sends to a thread
 * that has been within a call: what the kernel does not start again after a handler, as poll() and
 * nanosleep(), may end with EINTR there.
 *
 * Loading the library takes up to 8 free file descriptors; where they are missing the Go runtime ends
 * the process. Later there may be none: what needs one fails with GLIDE_ERR_CONNECTION. But where the
 * system refuses memory to the Go runtime itself (RLIMIT_AS), or for 30 s a thread (RLIMIT_NPROC, a
 * pids limit of a container), it ends the process; see docs/limits.md.
 *
 * The library needs glibc and stays in the process until its end: dlclose() does not unload it.
 */
#ifndef GLIDE_H
#define GLIDE_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define GLIDE_API __attribute__((visibility("default")))
#else
#define GLIDE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It grows when something is added; the library's SONAME changes
 * when something that worked would no longer. */
#define GLIDE_ABI_VERSION 1u

/* ---- Status ------------------------------------------------------------------------------ */

typedef int32_t glide_status;

enum {
    GLIDE_OK = 0,
    GLIDE_ERR_INVALID_ARGUMENT = 1, /* a NULL pointer, a handle that never was, a wrong value */
    GLIDE_ERR_DECODE = 2,           /* the bytes are not the message that the call expects */
    GLIDE_ERR_CONFIG = 3,           /* the ConnectionRequest asks for what cannot be */
    GLIDE_ERR_ROUTE = 4,            /* no node for the route; a retry is safe */
    GLIDE_ERR_SERVER = 5,           /* the server answered with an error */
    GLIDE_ERR_PARTIAL = 6,          /* some of several nodes failed; see the outcomes */
    GLIDE_ERR_TIMEOUT = 7,          /* the deadline passed */
    GLIDE_ERR_CONNECTION = 8,       /* no connection, or it was lost */
    GLIDE_ERR_CLOSED = 9,           /* the handle was closed, before the call or during it */
    GLIDE_ERR_BUSY = 10,            /* as many requests as inflight_requests_limit are running */
    GLIDE_ERR_CANCELLED = 11,       /* the request was cancelled */
    GLIDE_ERR_FORKED = 12,          /* a handle of a parent process; or see above */
    GLIDE_ERR_INTERNAL = 13         /* a fault of the library; the message names the place */
};

/* glide_status_name - the name of a status without its prefix, as "TIMEOUT"; "UNKNOWN" for a
 * number that is none. The string lives as long as the process. */
GLIDE_API const char *glide_status_name(glide_status status);

/* ---- Versions ---------------------------------------------------------------------------- */

/* glide_abi_version - GLIDE_ABI_VERSION of the library that was loaded. A program built against
 * a newer header than that may miss functions. */
GLIDE_API uint32_t glide_abi_version(void);

/* glide_version - the release of the library, as "0.1.0". The string lives as long as the
 * process. */
GLIDE_API const char *glide_version(void);

/* ---- Bytes -------------------------------------------------------------------------------- */

/* Bytes of the caller, as one input of several. */
typedef struct glide_bytes {
    const uint8_t *data;
    size_t len;
} glide_bytes;

/* ---- Buffers ----------------------------------------------------------------------------- */

/* Bytes that a call hands out. A call overwrites the buffer it is given, without freeing what it
 * held; {NULL, 0} is the empty buffer. */
typedef struct glide_buffer {
    uint8_t *data;
    size_t len;
} glide_buffer;

/* glide_buffer_free - free what a call filled and make the buffer empty. Harmless on an empty
 * buffer and on NULL. */
GLIDE_API void glide_buffer_free(glide_buffer *buffer);

/*
 * glide_schema - the messages of this interface, for languages that build their classes at run
 * time: a serialized google.protobuf.FileDescriptorSet, in an order in which each file follows
 * those that it imports.
 *
 * Returns GLIDE_OK; GLIDE_ERR_INVALID_ARGUMENT where schema is NULL; GLIDE_ERR_FORKED;
 * GLIDE_ERR_INTERNAL. The buffer is empty on every error.
 */
GLIDE_API glide_status glide_schema(glide_buffer *schema);

/* ---- Signals ------------------------------------------------------------------------------ */

/*
 * glide_on_interrupt - let calls of this thread be interrupted.
 *
 * interrupted  asked on this thread while it waits within a call: when a signal was handled on
 *              it, and every 50 ms. Non-zero ends the call with GLIDE_ERR_CANCELLED, at once
 *              or, where the thread is just reading for several callers, when the reply is
 *              there, at most 40 ms later. NULL: nothing interrupts, as it is at first.
 *
 * A request that was written may have run; one that waits on the server, as BLPOP, is ended there
 * too, since its connection is closed. The client stays usable.
 *
 * The function may run code of the host, for example the signal handlers of an interpreter. It
 * must return; it must not call the library. It may fork: where it returns in the child, the call
 * ends there with GLIDE_ERR_FORKED.
 *
 * Returns GLIDE_OK.
 */
GLIDE_API glide_status glide_on_interrupt(int (*interrupted)(void));

/* ---- Log --------------------------------------------------------------------------------- */

/* How much is logged; each level holds those above it. */
enum {
    GLIDE_LOG_OFF = 0,
    GLIDE_LOG_ERROR = 1, /* faults of the library: a panic, with its place, and the first at a place
                            with its stack */
    GLIDE_LOG_WARN = 2,  /* connections refused and lost, a topology that no server tells,
                            certificates that cannot be read anew */
    GLIDE_LOG_INFO = 3,  /* connections and clients that come and go, changes of the topology */
    GLIDE_LOG_DEBUG = 4  /* also redirects, and requests that are sent again */
};

/*
 * A function of the host that takes a line of the log.
 *
 * context  as it was given to glide_set_log().
 * line     `len` bytes of UTF-8 and a NUL; good during the call only. It has no time, level or end
 *          of a line of its own; the stack of a panic makes it several lines.
 *
 * It is called on threads of the library, one line at a time, a moment after what the line tells.
 * It may take its time: the library waits for it only in glide_set_log(). 1024 lines wait for it, and
 * of those beyond it is told the number. It should not call the library; where it must, as by the
 * garbage collector of a language, all functions but glide_set_log() serve.
 */
typedef void (*glide_log_callback)(void *context, int32_t level, const char *line, size_t len);

/*
 * glide_set_log - say what is logged from now on, of all clients of the process, and where to.
 *
 * level     GLIDE_LOG_*. At first it is off, or what the variable GLIDE_LOG of the environment
 *           says when the library is loaded: error, warn, info or debug.
 * callback  takes the lines; NULL: they go to the standard error stream, as those of GLIDE_LOG do.
 * context   is handed to the callback.
 *
 * Lines name nodes, slots, commands and users. They hold no password, no key or certificate, no
 * argument of a command and no value. Up to GLIDE_LOG_INFO a request that succeeds at once logs
 * nothing; what is off costs nothing.
 *
 * Blocks until the callbacks that were set before have taken the lines that waited for them; after
 * that they are not called again. So a program that is about to end calls
 * glide_set_log(GLIDE_LOG_OFF, NULL, NULL), and gets the last lines. It must not hold a lock that its
 * callback takes.
 *
 * glide_on_interrupt() ends that wait, and it alone: on GLIDE_ERR_CANCELLED the change is made, and
 * those that were set before may still be called, until a later call returns GLIDE_OK.
 *
 * The child of a fork logs as its parent did.
 *
 * Returns GLIDE_OK; GLIDE_ERR_INVALID_ARGUMENT where the level is none, or within a callback;
 * GLIDE_ERR_CANCELLED; GLIDE_ERR_FORKED where the process was forked during the wait, in the child;
 * GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_set_log(int32_t level, glide_log_callback callback, void *context);

/* ---- Slots ------------------------------------------------------------------------------- */

/*
 * glide_key_slot - the hash slot of a key, 0..16383. Only the first non-empty {tag} is hashed
 * where a key has one.
 *
 * Returns the slot, or -1: key is NULL and len is not 0, the process is a forked child that cannot
 * load its copy of the library, or a fault of the library.
 */
GLIDE_API int32_t glide_key_slot(const uint8_t *key, size_t len);

/* ---- Routing without a network ----------------------------------------------------------- */

typedef uint64_t glide_router;

/*
 * glide_router_open - a router over a topology that the caller gives: for a proxy, a test, or a
 * client with sockets of its own. It holds no connection.
 *
 * topology  a serialized Topology of `len` bytes; a slot belongs to one shard at most, a node
 *           to one place.
 * router    gets the handle; 0 on every error.
 * response  gets a Response: empty on GLIDE_OK, else the error. To be freed with
 *           glide_buffer_free().
 *
 * Returns GLIDE_OK; GLIDE_ERR_DECODE; GLIDE_ERR_CONFIG (what is wrong with the topology);
 * GLIDE_ERR_INVALID_ARGUMENT; GLIDE_ERR_FORKED; GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_router_open(const uint8_t *topology, size_t len, glide_router *router,
                                         glide_buffer *response);

/*
 * glide_router_resolve - where a request goes: a Response with a Plan. Takes turns over replicas
 * and draws random choices anew by every call.
 *
 * request   a serialized CommandRequest of `len` bytes: a single command or a batch.
 *
 * Returns GLIDE_OK; GLIDE_ERR_ROUTE where the topology has no node for it; GLIDE_ERR_DECODE;
 * GLIDE_ERR_INVALID_ARGUMENT; GLIDE_ERR_CLOSED; GLIDE_ERR_FORKED; GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_router_resolve(glide_router router, const uint8_t *request, size_t len,
                                            glide_buffer *response);

/*
 * glide_router_close - forget a router.
 *
 * Returns as glide_client_close() does.
 */
GLIDE_API glide_status glide_router_close(glide_router router);

/* ---- A client ---------------------------------------------------------------------------- */

typedef uint64_t glide_client;

/*
 * glide_client_open - connect to a cluster and learn its topology.
 *
 * config    a serialized ConnectionRequest of `len` bytes: at least one address.
 * client    gets the handle; 0 on every error.
 * response  gets a Response: the topology on GLIDE_OK, else the error. Owned by the caller, to
 *           be freed with glide_buffer_free().
 *
 * Blocks at most connection_timeout and 50 ms more, and while it reads the files that
 * client_cert_path and client_key_path name. The first address is asked alone for 20 ms, or until
 * it fails; then all others are too, in parallel, and the first good answer serves. A server that
 * is not a cluster is served too, as one shard without slot routes.
 *
 * With lazy_connect it checks the configuration and connects to nobody; the topology is empty. The
 * first request connects within its deadline, those that come meanwhile wait for the same attempt,
 * and one that failed is made again by the next request. What could not be found out before, as
 * a wrong password, is then an error of the request.
 *
 * Returns GLIDE_OK; GLIDE_ERR_CONFIG; GLIDE_ERR_DECODE; GLIDE_ERR_CONNECTION and
 * GLIDE_ERR_TIMEOUT (each address and why); GLIDE_ERR_SERVER (it refused the password, say);
 * GLIDE_ERR_INVALID_ARGUMENT; GLIDE_ERR_FORKED; GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_client_open(const uint8_t *config, size_t len, glide_client *client,
                                         glide_buffer *response);

/*
 * glide_client_execute - run one request and wait for its response.
 *
 * client    from glide_client_open(); any number of threads may use it at once.
 * request   a serialized CommandRequest of `len` bytes: a single command, a batch of them, a
 *           script, a step of a scan over the whole cluster, another password for the client's
 *           user (update_connection_password), or channels to subscribe to or unsubscribe from.
 * response  gets a Response on every return, to be freed with glide_buffer_free(). A command that
 *           goes to all nodes or all primaries by itself (PING, DBSIZE) brings the outcome of each.
 *
 * Blocks until the response or the request's deadline: timeout_ms from the call on, else the
 * client's request_timeout, and never more than 50 ms past it. A command that blocks on the
 * server (BLPOP and its like) gets the time it names itself and 500 ms more; one that names
 * no limit, as BLPOP key 0, blocks until the server answers or the client is closed.
 *
 * update_connection_password puts the password in force at once, for connections that are made from
 * then on, and does not block. With immediate_auth the connections that stand log in with it too:
 * one of each node now, the others before their next request. The call fails, with the outcome of
 * every node, where one refuses; the password is in force all the same. No connection is closed.
 *
 * A redirect (MOVED, ASK) is followed. A command is sent again only if the server refused it or
 * it was never written; where it may have run, the error says `sent`.
 *
 * Returns GLIDE_OK; GLIDE_ERR_SERVER if the server refused; GLIDE_ERR_PARTIAL if some of several
 * nodes failed; GLIDE_ERR_ROUTE; GLIDE_ERR_TIMEOUT; GLIDE_ERR_CONNECTION; GLIDE_ERR_BUSY;
 * GLIDE_ERR_CLOSED; GLIDE_ERR_DECODE; GLIDE_ERR_INVALID_ARGUMENT; GLIDE_ERR_FORKED;
 * GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_client_execute(glide_client client, const uint8_t *request, size_t len,
                                            glide_buffer *response);

/*
 * glide_client_execute_with - glide_client_execute() with a command that goes on beside its request:
 * for large arguments, which a message would be a copy of. From 256 KiB on a command for one node is
 * as a rule written from where they lie.
 *
 * request   a serialized CommandRequest of `len` bytes with a single command, which has its name at
 *           least. Its further words are those of args.
 * args      `count` arguments; may be NULL where count is 0. With the request they are at most
 *           2147483647 bytes.
 *
 * Returns what glide_client_execute() does; GLIDE_ERR_INVALID_ARGUMENT also where there are args and
 * the request is not a single command.
 */
GLIDE_API glide_status glide_client_execute_with(glide_client client, const uint8_t *request,
                                                 size_t len, const glide_bytes *args, size_t count,
                                                 glide_buffer *response);

/*
 * glide_client_resolve - where a request would go now, without sending it: a Response with a
 * Plan, of one leg for each node that would get something. Random choices are drawn anew by
 * every call.
 *
 * Returns GLIDE_OK and the errors of glide_client_execute() that need no server.
 */
GLIDE_API glide_status glide_client_resolve(glide_client client, const uint8_t *request, size_t len,
                                            glide_buffer *response);

/*
 * glide_client_topology - the topology as the client knows it now: a Response with a Topology.
 *
 * Returns GLIDE_OK; GLIDE_ERR_CLOSED; GLIDE_ERR_INVALID_ARGUMENT; GLIDE_ERR_FORKED;
 * GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_client_topology(glide_client client, glide_buffer *response);

/*
 * glide_client_statistics - what the client has counted since it was opened: a Response with
 * Statistics. Of each node the connections, requests, errors, redirects, bytes, the latency and the
 * last error; of the client the requests that run, the topology's epoch and age, and the
 * configuration in force, without passwords, keys and certificates; of the process the handles,
 * calls, goroutines and heap of the library.
 *
 * The numbers are read one after another while requests go on, so sums may be off by those that
 * run. Counting costs a few atomic additions for each exchange with a server; there is nothing to
 * turn on.
 *
 * Returns GLIDE_OK; GLIDE_ERR_CLOSED; GLIDE_ERR_INVALID_ARGUMENT; GLIDE_ERR_FORKED;
 * GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_client_statistics(glide_client client, glide_buffer *response);

/*
 * glide_client_close - close the client and its connections. Calls that still run on it end with
 * GLIDE_ERR_CLOSED; their buffers stay theirs. Submitted requests complete with it and can be
 * polled, see glide_client_poll().
 *
 * Returns GLIDE_OK; GLIDE_ERR_CLOSED if it was closed before; GLIDE_ERR_INVALID_ARGUMENT for a
 * handle that never was; GLIDE_OK, with nothing done, for one from before a fork;
 * GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_client_close(glide_client client);

/* ---- A session --------------------------------------------------------------------------- */

typedef uint64_t glide_session;

/*
 * glide_session_open - a connection to one node that is the caller's own until it is closed: for
 * WATCH, MULTI and EXEC, and for other state that a server keeps for one connection, as SELECT
 * sets it.
 *
 * client    the session counts among its sessions until it is closed, of which there may be as
 *           many as inflight_requests_limit; closing the client ends it.
 * request   a serialized CommandRequest of `len` bytes without a command. Its route names the
 *           node, as the primary of a key's slot; without one the primary of a standalone server,
 *           and an error on a cluster. Its timeout_ms is for this call; 0: connection_timeout.
 * session   gets the handle; 0 on every error.
 * response  gets a Response, to be freed with glide_buffer_free(): on GLIDE_OK the outcome of the
 *           node that the session is with, else the error.
 *
 * Blocks until the connection stands, at most until the deadline and 50 ms more.
 *
 * Returns GLIDE_OK; GLIDE_ERR_ROUTE; GLIDE_ERR_CONNECTION; GLIDE_ERR_TIMEOUT; GLIDE_ERR_BUSY;
 * GLIDE_ERR_SERVER (it refused the connection); GLIDE_ERR_CANCELLED; GLIDE_ERR_CLOSED;
 * GLIDE_ERR_DECODE; GLIDE_ERR_INVALID_ARGUMENT; GLIDE_ERR_FORKED; GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_session_open(glide_client client, const uint8_t *request, size_t len,
                                          glide_session *session, glide_buffer *response);

/*
 * glide_session_execute - run one request over the session's connection and wait for its response.
 *
 * request   a serialized CommandRequest of `len` bytes: a single command, a batch or a script.
 *           Each goes to the session's node as it is, whatever its keys are, so DBSIZE or PING
 *           tell of that node alone. A route and a response_policy are refused.
 * response  as that of glide_client_execute().
 *
 * After MULTI the value of a command is "QUEUED"; that of EXEC is an array of the results, or nil
 * where a key that was watched has changed. An atomic batch is MULTI, its commands and EXEC in one
 * write, and nothing but that: what was watched before it counts. In a transaction a script goes
 * with its source.
 *
 * Calls on one session take turns. They block as those of glide_client_execute() do, also a command
 * that blocks on the server.
 *
 * Nothing is sent again, and no redirect is followed, since what the server remembers of the
 * connection would not come along. MOVED and ASK are errors that name the other node, and
 * `retryable`: open another session, which will be with the node that the topology names by then.
 * A connection that was lost, also by a deadline that passed before the reply or by an interrupt,
 * is not made anew: every later call answers GLIDE_ERR_CONNECTION. What was queued after MULTI is then forgotten by
 * the server; only EXEC itself may have run.
 *
 * Refused: subscribing, MONITOR and replication; ASKING, CLIENT REPLY, READONLY, READWRITE, QUIT,
 * HELLO, RESET, CLIENT TRACKING, CLIENT CACHING and SCRIPT DEBUG, which would take the connection
 * away from under the client.
 *
 * Returns as glide_client_execute(); GLIDE_ERR_CLOSED also where the session was closed meanwhile.
 */
GLIDE_API glide_status glide_session_execute(glide_session session, const uint8_t *request,
                                             size_t len, glide_buffer *response);

/*
 * glide_session_close - close a session with its connection, so that nobody else meets what was set
 * on it. A call that still runs on it ends with GLIDE_ERR_CLOSED.
 *
 * Returns as glide_client_close() does. A session whose client was closed is closed by this too.
 */
GLIDE_API glide_status glide_session_close(glide_session session);

/* ---- The asynchronous form ------------------------------------------------------------------ */

/*
 * One thread, many requests under way. Each is submitted with a tag of the caller's choice; a
 * descriptor is readable while completions wait, for poll(2), epoll or any event loop; polling
 * takes many of them at once:
 *
 *     int fd = glide_client_event_fd(client);
 *     glide_client_submit(client, request, len, 1);
 *     glide_client_submit(client, another, len, 2);
 *     ... the loop finds fd readable ...
 *     while (glide_client_poll(client, completions, 64, &count) == GLIDE_OK && count > 0)
 *         for (i = 0; i < count; i++)
 *             ... completions[i].tag, .status, .response; glide_buffer_free(...)
 *
 * None of these functions waits for a server. Every request that was submitted completes exactly
 * once, whatever happens: with its response, with GLIDE_ERR_TIMEOUT at its deadline, with
 * GLIDE_ERR_CANCELLED, with GLIDE_ERR_CLOSED where the client is closed before.
 *
 * The requests of one thread for one node are written in the order of their submission. That
 * holds for single commands on the connection that requests share. Those that have one of their
 * own (commands that block, requests of more than 256 KiB), those of several parts (batches, scans,
 * commands to several nodes), and those that go out again after a redirect or a failure are
 * ordered only by waiting for one before the next is submitted.
 *
 * Requests under way, and completions that nobody has polled yet, count in the client's
 * inflight_requests_limit, so neither grows without bound.
 */

/* What a completion tells of. Numbers beyond these may be added: free the buffer and go on. */
enum {
    GLIDE_COMPLETION_RESPONSE = 0, /* the end of a request, whose tag it has */
    GLIDE_COMPLETION_EVENTS = 1    /* what subscriptions tell; see below */
};

/*
 * What became of one request. An array of these, in memory of the caller, is the one shape that
 * crosses this border beside those above: completions come by the hundred, and what they say
 * beside their responses is two numbers and a tag, so one call hands out many, and nobody takes
 * a message apart to learn whom it is for. The layout is fixed: 32 bytes on 64-bit systems.
 */
typedef struct glide_completion {
    uint64_t tag;
    glide_buffer response; /* as glide_client_execute() gives it; the caller frees it */
    glide_status status;   /* as glide_client_execute() returns it */
    uint32_t kind;         /* GLIDE_COMPLETION_* */
} glide_completion;

/*
 * Subscriptions. A request `subscribe` or `unsubscribe`, submitted or executed, names channels,
 * patterns or sharded channels. Its response says no more than that it was taken up. What comes of
 * it, and the messages, are events: glide_client_poll() hands them out in completions of kind
 * GLIDE_COMPLETION_EVENTS, of tag 0, whose Responses hold up to 256 events each; so the descriptor is
 * readable while events wait. Who polls on one thread gets them in their order. A client that has
 * pubsub_subscriptions in its ConnectionRequest is subscribed from the start.
 *
 *     SUBSCRIBED    messages come from now on
 *     MESSAGE       a message
 *     LOST          no messages come for now, and why; the client goes on trying
 *     GAP           messages come again; those of the time between since_ms and until_ms may be
 *                   missing or come twice, and no others
 *     OVERFLOW      events were dropped in this place, since nobody had polled for too long
 *     REFUSED       the server said no for good, and what it said
 *     UNSUBSCRIBED  no messages come any more, as was asked for
 *
 * Subscriptions follow their channels: through lost connections, failovers and, sharded ones, slots
 * that move. They have connections of their own, one to any node and one to each owner of slots with
 * sharded channels, so they never delay requests. event_queue_limit messages (8192), of 32 MiB at
 * most, wait for the next poll; a slow consumer loses what is beyond that, which OVERFLOW counts,
 * and no connection is ever held up. Events that wait when the client is closed are gone.
 *
 * The status of such a completion is GLIDE_OK, or GLIDE_ERR_INTERNAL where there was no memory for
 * the events, which are then lost.
 */

/*
 * glide_client_submit - begin a request.
 *
 * request  a serialized CommandRequest, as for glide_client_execute(); read during the call only.
 * tag      any number that no other request under way has; it is free again when its completion
 *          was polled.
 *
 * Its deadline is that of glide_client_execute(), counted from this call; its completion may
 * come up to 50 ms later.
 *
 * Returns GLIDE_OK: the request will complete; what is wrong with it, as GLIDE_ERR_DECODE, is said
 * by its completion. Otherwise nothing was begun and the tag does not complete:
 * GLIDE_ERR_BUSY (the limit is reached; poll, then submit again); GLIDE_ERR_INVALID_ARGUMENT
 * (the tag is under way; request is NULL and len is not 0, or len is beyond 2147483647; a handle
 * that never was); GLIDE_ERR_CLOSED; GLIDE_ERR_FORKED; GLIDE_ERR_INTERNAL (no memory).
 */
GLIDE_API glide_status glide_client_submit(glide_client client, const uint8_t *request, size_t len,
                                           uint64_t tag);

/*
 * glide_session_submit - begin a request over a session's connection, as glide_session_execute() runs
 * it. It completes among those of the session's client: its tag is none that is under way there,
 * glide_client_poll() hands the completion out, and glide_client_cancel() gives it up, which loses
 * the connection where it was written.
 *
 * Requests of one session run one after another, in the order of their submission where one thread
 * submits them.
 *
 * Returns as glide_client_submit() does; GLIDE_ERR_CLOSED also where the session was closed.
 */
GLIDE_API glide_status glide_session_submit(glide_session session, const uint8_t *request,
                                            size_t len, uint64_t tag);

/*
 * glide_client_event_fd - a descriptor that is readable (POLLIN) while completions wait.
 *
 * Each call gives a new one, which is the caller's: it is closed with close(2) when it is not
 * wanted any more, at any time, and the library never uses its number. It is not inherited by
 * exec. The caller has nothing to read from it; glide_client_poll() makes it unreadable. It
 * may be readable where that then finds nothing.
 *
 * A request that is alone has its reply read by glide_client_poll() itself, if that comes soon; so
 * no other thread has to wake up for it. Who does not poll loses nothing by that.
 *
 * After the last completion of a closed client it stays readable, so that whoever waits polls once
 * more and is told GLIDE_ERR_CLOSED.
 *
 * Returns the descriptor; or, negative, a status: -GLIDE_ERR_CLOSED; -GLIDE_ERR_INVALID_ARGUMENT;
 * -GLIDE_ERR_FORKED; -GLIDE_ERR_INTERNAL (no descriptor is free, or no memory).
 */
GLIDE_API int32_t glide_client_event_fd(glide_client client);

/*
 * glide_client_poll - take completions, the oldest first.
 *
 * completions  room for `capacity` of them, at least one; `count` are filled. Their buffers are
 *              the caller's, to be freed with glide_buffer_free() or glide_completions_free().
 *
 * Does not wait: count may be 0. Any number of threads may poll; each completion is given once.
 *
 * On a closed client completions go on to come, until each request has had its own; then
 * it is GLIDE_ERR_CLOSED. Until then they keep their memory: who closes a client with requests
 * under way polls until GLIDE_ERR_CLOSED.
 *
 * Returns GLIDE_OK; GLIDE_ERR_CLOSED, with count 0; GLIDE_ERR_INVALID_ARGUMENT (completions or
 * count is NULL, capacity is 0, a handle that never was), with count 0 and nothing taken;
 * GLIDE_ERR_FORKED; GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_client_poll(glide_client client, glide_completion *completions,
                                         size_t capacity, size_t *count);

/* glide_completions_free - glide_buffer_free() for each of `count` completions. */
GLIDE_API void glide_completions_free(glide_completion *completions, size_t count);

/*
 * glide_client_cancel - give a request up.
 *
 * It completes all the same, with GLIDE_ERR_CANCELLED unless it had ended before. One that was not
 * written yet never is. One that was may have run, as its error says (`sent`). One that waits
 * on the server, as BLPOP, has ended there when its completion is polled, since the server was told
 * to unblock it: it takes no element afterwards. A server that does not answer that within a second,
 * or does not allow CLIENT ID and CLIENT UNBLOCK, is hung up on; it may then serve an element that
 * comes before it has seen that.
 *
 * Returns GLIDE_OK; GLIDE_ERR_INVALID_ARGUMENT: no request under way has the tag, or a handle that
 * never was; GLIDE_ERR_CLOSED; GLIDE_ERR_FORKED; GLIDE_ERR_INTERNAL.
 */
GLIDE_API glide_status glide_client_cancel(glide_client client, uint64_t tag);

#ifdef __cplusplus
}
#endif

#endif /* GLIDE_H */
