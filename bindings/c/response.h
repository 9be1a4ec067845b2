/*
 * response.h - what libglide answers, without a protobuf library.
 *
 * Every struct here is a view: its wire_bytes and lists point into the glide_buffer that
 * response_read() was given. They hold until that buffer is freed, and need no freeing
 * themselves. No function here keeps any state.
 *
 * Repeated fields are lists, walked by the response_next_ function of their kind:
 *
 *     response_list left = reply.outcomes;
 *     response_outcome outcome;
 *     while (response_next_outcome(&left, &outcome))
 *         ...
 *
 * A walk changes the list it is given, so walk a copy to walk again. The functions return false
 * behind the last item, and where an item is malformed; `count` is then not 0.
 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include "glide.h"
#include "wire.h"

/* The items of a repeated field. */
typedef struct response_list {
    size_t count;       /* items that were not walked yet */
    wire_reader reader; /* before the next of them */
    uint32_t field;     /* their field number; other fields are passed over */
    bool bulks;         /* they are the bytes of a Bulks, read as values */
} response_list;

/* What a value is; the numbers are the fields of the message Value. An array, map or
 * set of bulk strings only is one as any other here, whichever way it came. */
typedef enum response_kind {
    RESPONSE_NONE = 0,        /* there is no value, or one of a kind that is newer than this file */
    RESPONSE_NIL = 1,         /* nothing: the key does not exist, say */
    RESPONSE_INTEGER = 2,     /* integer */
    RESPONSE_DOUBLE = 3,      /* number */
    RESPONSE_BOOLEAN = 4,     /* integer, 0 or 1 */
    RESPONSE_BULK = 5,        /* text: a string of any bytes */
    RESPONSE_SIMPLE = 6,      /* text: a status line, as "OK" */
    RESPONSE_ARRAY = 7,       /* items */
    RESPONSE_MAP = 8,         /* items: keys and values by turns */
    RESPONSE_SET = 9,         /* items */
    RESPONSE_VERBATIM = 10,   /* text, and in mark its format, as "txt" */
    RESPONSE_BIG_NUMBER = 11, /* text: decimal digits */
    RESPONSE_ERROR = 12,      /* text: the message, in mark its code, as "WRONGTYPE"; and below */
    RESPONSE_PER_NODE = 14    /* the values are those of the outcomes */
} response_kind;

typedef struct response_value {
    response_kind kind;
    int64_t integer;
    double number;
    wire_bytes text;
    wire_bytes mark;
    response_list items; /* response_next_value */
    /* Of an error that is a result of a batch, as in response_error. Of another one the status is
     * GLIDE_ERR_SERVER and the node, which answered, is not named. */
    glide_status status;
    wire_bytes node;
    bool sent;
    bool retryable;
} response_value;

/* Why something failed. status is GLIDE_OK where nothing did. */
typedef struct response_error {
    glide_status status;
    wire_bytes message;
    wire_bytes code; /* the server's, as "WRONGTYPE"; empty where no server said anything */
    wire_bytes node; /* host:port of the node concerned, where it is one */
    bool sent;       /* the command was written to a node; it may have run */
    bool retryable;  /* doing it again cannot run it twice */
} response_error;

typedef struct response_node {
    wire_bytes id;
    wire_bytes host; /* as a route names it */
    uint32_t port;
    bool replica; /* else it is a primary */
    wire_bytes zone;
} response_node;

/* What became of one node's part of a request: a value, or an error. */
typedef struct response_outcome {
    response_node node;  /* the one that was addressed */
    response_list slots; /* response_next_slots */
    response_value value;
    response_error error;
    bool sent;            /* as in response_error */
    bool retryable;       /* as in response_error */
    bool fallback;        /* a primary stood in for the replica that was asked for */
    wire_bytes served_by; /* host:port of the node that answered, where a redirect led to another */
} response_outcome;

/* One node's part of a plan. */
typedef struct response_leg {
    response_node node;
    response_list slots; /* response_next_slots */
    response_list words; /* response_next_bytes: the command that the node would get */
    bool fallback;
    uint32_t command; /* of a batch: the index of the command that it is part of */
} response_leg;

typedef struct response_plan {
    response_list legs; /* response_next_leg; those for one node in the order that it gets them */
    uint32_t policy;    /* a number of ResponsePolicy: how the replies would be combined */
    bool blocks;        /* the command waits on the server, */
    uint64_t block_ms;  /* so many milliseconds; 0: for ever */
    uint64_t epoch;     /* of the topology that the plan was made from */
    bool atomic;        /* a transaction: its one node gets the legs between MULTI and EXEC */
} response_plan;

typedef struct response_shard {
    response_list slots; /* response_next_slots */
    response_node primary;
    response_list replicas; /* response_next_node */
} response_shard;

typedef struct response_topology {
    wire_bytes message; /* all of it, as glide_router_open() takes it */
    uint64_t epoch;
    response_list shards; /* response_next_shard, in the order of their first slots */
    bool standalone;      /* a server that is not a cluster */
} response_topology;

/* The numbers of EventKind: what an event of a client's subscriptions tells. */
typedef enum response_event_kind {
    RESPONSE_MESSAGE = 0,      /* channel, payload, and the pattern that it came by */
    RESPONSE_SUBSCRIBED = 1,   /* messages of names come from now on */
    RESPONSE_UNSUBSCRIBED = 2, /* no messages of names come any more, as was asked for */
    RESPONSE_REFUSED = 3,      /* the server refused names for good, see error */
    RESPONSE_LOST = 4,         /* no messages of names come for now, see error */
    RESPONSE_GAP = 5,          /* they come again; those from since_ms to until_ms may be missing */
    RESPONSE_OVERFLOW = 6      /* events were dropped in this place */
} response_event_kind;

typedef struct response_event {
    response_event_kind kind;
    uint32_t channels; /* a request_channel_kind, of the message or of all names */
    wire_bytes channel;
    wire_bytes pattern; /* empty where it came by none */
    wire_bytes payload;
    response_list names; /* response_next_bytes: the channels or patterns concerned */
    response_error error;
    int64_t since_ms; /* since 1970, UTC; of a loss, where messages had come before; of the first */
    int64_t until_ms; /* and of the last event that was dropped */
    uint64_t dropped; /* messages */
    uint64_t untold;  /* other events, counted by name */
} response_event;

typedef struct response {
    uint32_t callback_idx;  /* as in the request */
    response_value value;   /* of request_execute(), unless there is an error */
    response_list outcomes; /* response_next_outcome: of several nodes, or as asked for */
    response_error error;   /* on every status but GLIDE_OK */
    bool has_plan;          /* of request_resolve() and topology_resolve() */
    response_plan plan;
    bool has_topology; /* of request_open() and glide_client_topology() */
    response_topology topology;
    response_list events; /* response_next_event: of a completion of GLIDE_COMPLETION_EVENTS */
} response;

/*
 * response_read - read what a call filled a buffer with.
 *
 * Returns false where the bytes are no Response; the view may then be used, but holds only a part.
 * An empty buffer is an empty response.
 */
bool response_read(const glide_buffer *buffer, response *view);

/* response_next_... - the next item of a list; see above. Use the function that the list's comment
 * names. */
bool response_next_outcome(response_list *left, response_outcome *outcome);
bool response_next_value(response_list *left, response_value *value);
bool response_next_node(response_list *left, response_node *node);
bool response_next_leg(response_list *left, response_leg *leg);
bool response_next_shard(response_list *left, response_shard *shard);
bool response_next_event(response_list *left, response_event *event);
bool response_next_bytes(response_list *left, wire_bytes *bytes);

/* response_next_slots - the next range of slots; last itself belongs to it. */
bool response_next_slots(response_list *left, uint32_t *first, uint32_t *last);

/* response_has_slot - whether a slot is in one of the ranges of a list. */
bool response_has_slot(response_list slots, uint32_t slot);

#endif /* RESPONSE_H */
