/*
 * request.h - what a program says to libglide, without a protobuf library.
 *
 * A request is a struct whose zero members are the defaults:
 *
 *     wire_bytes words[] = {wire_text("GET"), wire_text("key")};
 *     request_command get = {.words = words, .word_count = 2};
 *     glide_buffer buffer;
 *     glide_status status = request_execute(client, &get, &buffer);
 *
 * Pointers in these structs stay the caller's and are read during the call only. No function here
 * keeps any state, so any thread may call any of them at any time.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "glide.h"
#include "wire.h"

/* ---- Connecting -------------------------------------------------------------------------- */

typedef struct request_address {
    wire_bytes host; /* a name or an IP, without brackets */
    uint32_t port;   /* 0: 6379 */
} request_address;

/*
 * request_addresses - read "host:port,host:port,..." into addresses, of which there is room for
 * `room`. IPv6 addresses stand in brackets. The hosts are parts of text, which must live as long.
 *
 * Returns the number of addresses; 0 where the text is none, or names more than there is room for.
 */
size_t request_addresses(const char *text, request_address *addresses, size_t room);

/* The numbers of TlsMode. */
typedef enum request_tls_mode {
    REQUEST_NO_TLS = 0,
    REQUEST_SECURE_TLS = 1,
    REQUEST_INSECURE_TLS = 2 /* encrypted, but any certificate of the server is taken */
} request_tls_mode;

/* How connections are encrypted. Certificates and keys are in PEM form. With REQUEST_NO_TLS every
 * other member is refused. */
typedef struct request_tls {
    request_tls_mode mode;
    const char *server_name;      /* whom the certificate must be for; NULL: the node's host */
    const wire_bytes *root_certs; /* bundles that take the place of the system's roots */
    size_t root_cert_count;
    wire_bytes client_cert; /* of the client's own, for servers that ask; its key belongs to it */
    wire_bytes client_key;
    const char *client_cert_path; /* files with the two, in their place */
    const char *client_key_path;
    uint32_t cert_reload_s; /* read the files again for a connection so much later; 0: never */
} request_tls;

/* The numbers of NodeDiscoveryMode: who the nodes are where the servers are no cluster. */
typedef enum request_discovery {
    REQUEST_DISCOVER_ROLES = 0,  /* the addresses; each is asked for its role */
    REQUEST_DISCOVER_STATIC = 1, /* the first address is the primary, the others its replicas */
    REQUEST_DISCOVER_ALL = 2     /* whom the addresses name too, primary or replicas */
} request_discovery;

/* How long a node that could not be connected to is left alone: first_ms, then base times as long
 * after each further failure, up to `steps` times. */
typedef struct request_backoff {
    uint32_t steps;
    uint32_t first_ms;
    uint32_t base;           /* at least 1 */
    uint32_t jitter_percent; /* of each time, up or down; 0..100 */
} request_backoff;

/* Where to connect to a node that announces an address which does not lead to it from here. */
typedef struct request_mapping {
    request_address announced;
    request_address dial;
} request_mapping;

/* The numbers of ChannelKind: ways to subscribe. */
typedef enum request_channel_kind {
    REQUEST_CHANNELS = 0, /* SUBSCRIBE: what any node of the cluster is told */
    REQUEST_PATTERNS = 1, /* PSUBSCRIBE: the same, by patterns of channels */
    REQUEST_SHARDED = 2   /* SSUBSCRIBE: what the shard of the channel's slot is told */
} request_channel_kind;

/* What to listen to, or not any more: a CommandRequest with a subscribe or an unsubscribe. The
 * response says that it was taken up; response_event tells what comes of it. */
typedef struct request_channels {
    request_channel_kind kind;
    const wire_bytes *names; /* channels or patterns */
    size_t name_count;       /* 0, to unsubscribe: all of the kind */
    bool unsubscribe;
    uint32_t callback_idx; /* given back in the response */
} request_channels;

/* How to connect: a ConnectionRequest. */
typedef struct request_connection {
    const request_address *addresses; /* at least one; they are asked in parallel */
    size_t address_count;
    bool standalone;                /* no cluster; the contrary of cluster_mode_enabled */
    bool resp2;                     /* speak RESP2 instead of RESP3 */
    uint32_t request_timeout_ms;    /* 0: 250 */
    uint32_t connection_timeout_ms; /* 0: 2000 */
    uint32_t inflight_limit;        /* requests at once; 0: 1000 */
    uint32_t read_from;             /* a number of ReadFrom: who serves reads; 0: the primary */
    const char *client_az;          /* the zone, for those that prefer one; NULL: none */
    const char *username;           /* NULL: the default user */
    const char *password;           /* NULL: none */
    const char *client_name;        /* as CLIENT LIST shows it; NULL: none */
    const char *lib_name;           /* the library's name there; NULL: libglide */
    uint32_t database_id;
    request_tls tls;                /* {0}: connections are not encrypted */
    uint32_t periodic_checks_s;     /* between looks at the topology without a cause; 0: 60 */
    bool no_periodic_checks;        /* look where there is a cause only */
    bool lazy_connect;              /* the first request connects */
    bool refresh_topology_from_initial_nodes; /* ask addresses before the known nodes */
    request_discovery discovery;              /* where it is no cluster */
    bool read_only;                           /* refuse writes; where it is no cluster */
    bool no_tcp_nodelay;                      /* small requests wait for more to send */
    const request_backoff *backoff;           /* NULL: {4, 10, 2, 20} */
    const request_mapping *address_map;       /* for networks that translate addresses */
    size_t address_map_count;
    bool trust_redirects;                     /* log in wherever a redirect leads */
    const request_channels *channels; /* that are subscribed to from the start, each kind once */
    size_t channels_count;
    uint32_t event_queue_limit; /* messages that wait for glide_client_poll(); 0: 8192 */
} request_connection;

/*
 * request_encode_connection - append a ConnectionRequest to a writer.
 *
 * Returns whether that went well; see wire_writer for what can fail. The writer is the caller's to
 * free either way.
 */
bool request_encode_connection(wire_writer *writer, const request_connection *connection);

/*
 * request_open - glide_client_open() with a ConnectionRequest made of connection.
 *
 * Returns what glide_client_open() returns; GLIDE_ERR_INTERNAL, with an empty response, where
 * there is no memory for the request.
 */
glide_status request_open(const request_connection *connection, glide_client *client,
                          glide_buffer *response);

/* ---- Routes ------------------------------------------------------------------------------ */

typedef enum request_slot_type {
    REQUEST_PRIMARY = 0,
    REQUEST_REPLICA = 1 /* a replica, whatever the client's read strategy */
} request_slot_type;

/* The field numbers of the message Routes. */
typedef enum request_route_kind {
    REQUEST_NO_ROUTE = 0, /* where the command belongs */
    REQUEST_SIMPLE_ROUTE = 1,
    REQUEST_SLOT_KEY_ROUTE = 2,
    REQUEST_SLOT_ID_ROUTE = 3,
    REQUEST_BY_ADDRESS_ROUTE = 4
} request_route_kind;

/* Where to send a command. {0} is no route; the functions below make the others. */
typedef struct request_route {
    request_route_kind kind;
    uint32_t which;  /* of a simple route: 0 all nodes, 1 all primaries, 2 a random node */
    uint32_t type;   /* of a slot route: a request_slot_type */
    wire_bytes name; /* of a slot key route: the key; of a by-address route: the host */
    int32_t number;  /* of a slot id route: the slot; of a by-address route: the port */
} request_route;

/* request_all_nodes - to each primary and each replica. */
request_route request_all_nodes(void);

/* request_all_primaries - to each primary. */
request_route request_all_primaries(void);

/* request_random_node - to any node; a write goes to any primary. */
request_route request_random_node(void);

/* request_slot_key - to the primary, or a replica, of the shard that a key belongs to. The key may
 * be any bytes. */
request_route request_slot_key(request_slot_type type, wire_bytes key);

/* request_slot_id - to the primary, or a replica, of the shard of a slot, 0..16383. */
request_route request_slot_id(request_slot_type type, int32_t slot);

/* request_by_address - to one node. The host is any of its names; with port 0 it is "host:port" in
 * one string. */
request_route request_by_address(wire_bytes host, int32_t port);

/* ---- Commands ---------------------------------------------------------------------------- */

/* The words of one command of a batch. */
typedef struct request_words {
    const wire_bytes *words; /* the command's name first; any bytes */
    size_t count;
} request_words;

/* What to run: a CommandRequest with a single command. */
typedef struct request_command {
    const wire_bytes *words; /* the command's name first; any bytes */
    size_t word_count;
    request_route route;
    uint32_t timeout_ms;      /* 0: the client's request_timeout */
    uint32_t response_policy; /* a number of ResponsePolicy; 0: the command's own */
    bool outcomes;            /* give the outcome of the node also where there is only one */
    uint32_t callback_idx;    /* given back in the response */
} request_command;

/*
 * request_split - divide a line such as "CONFIG GET port" at its blanks into words, of which there
 * is room for `room`. The words are parts of the line, which must live as long.
 *
 * Returns the number of words; 0 where there are none, or more than there is room for.
 */
size_t request_split(const char *line, wire_bytes *words, size_t room);

/*
 * Several commands that travel together: a CommandRequest with a batch. The value of the response
 * is an array with a result for each command, in their order; nil where a transaction was given up.
 */
typedef struct request_batch {
    const request_words *commands; /* at least one */
    size_t command_count;
    bool atomic;           /* a transaction: to one node, with all keys in one slot */
    bool raise_on_error;   /* the first error fails the call; else errors are among the results */
    request_route route;   /* of the whole batch, to one node */
    uint32_t timeout_ms;   /* of the whole batch; 0: the client's request_timeout */
    uint32_t callback_idx; /* given back in the response */
} request_batch;

/*
 * A script: a CommandRequest with a script_invocation. It goes where its keys belong, to any
 * primary where it has none, or where the route says.
 */
typedef struct request_script {
    wire_bytes source;       /* given to a node that does not know the script; without data: none */
    const char *hash;        /* SHA-1 of the source in hexadecimal; NULL: that of source */
    const wire_bytes *keys;  /* on a cluster all in one slot */
    size_t key_count;
    const wire_bytes *args;
    size_t arg_count;
    request_route route;
    uint32_t timeout_ms;   /* 0: the client's request_timeout */
    uint32_t callback_idx; /* given back in the response */
} request_script;

/*
 * One step of a scan over all shards: a CommandRequest with a cluster_scan. The value of the
 * response is an array of two: the next cursor, a bulk string, and an array of keys.
 *
 *     request_scan scan = {.match = wire_text("user:*")};
 *     while (!wire_equal(scan.cursor, REQUEST_SCAN_FINISHED)) {
 *         ... request_execute_scan(client, &scan, &buffer), response_read(&buffer, &reply) ...
 *         response_next_value(&reply.value.items, &cursor);
 *         response_next_value(&reply.value.items, &keys);
 *         while (response_next_value(&keys.items, &key))
 *             ...
 *         scan.cursor = cursor.text; // the buffer must live until the next step has begun
 *     }
 *
 * A key that is there throughout is given at least once, perhaps several times.
 */
typedef struct request_scan {
    wire_bytes cursor;     /* empty begins; then what the last step gave */
    wire_bytes match;      /* a pattern that the keys must match; without data: any key */
    int64_t count;         /* about how many keys a server looks at; 0: the server's default */
    const char *type;      /* of the keys' values, as "string"; NULL: any */
    bool allow_gaps;       /* go on where slots have no shard */
    uint32_t timeout_ms;   /* of this step; 0: the client's request_timeout */
    uint32_t callback_idx; /* given back in the response */
} request_scan;

/* The cursor after the last step; no step takes it. */
#define REQUEST_SCAN_FINISHED "finished"

/* Another password for the client's user: a CommandRequest with an update_connection_password. */
typedef struct request_password {
    const char *password;  /* NULL: none any more */
    bool immediate;        /* the connections that stand log in with it too */
    uint32_t timeout_ms;   /* of what immediate asks for; 0: the client's request_timeout */
    uint32_t callback_idx; /* given back in the response */
} request_password;

/* request_encode_command - append a CommandRequest to a writer; else as
 * request_encode_connection(). */
bool request_encode_command(wire_writer *writer, const request_command *command);

/* request_encode_batch, request_encode_script, request_encode_scan, request_encode_password - the
 * same for a batch, for a script, for a step of a scan and for another password. */
bool request_encode_batch(wire_writer *writer, const request_batch *batch);
bool request_encode_script(wire_writer *writer, const request_script *script);
bool request_encode_scan(wire_writer *writer, const request_scan *scan);
bool request_encode_password(wire_writer *writer, const request_password *password);

/* request_encode_channels - the same for channels to listen to, or not any more. */
bool request_encode_channels(wire_writer *writer, const request_channels *channels);

/*
 * request_execute, request_resolve - glide_client_execute_with() and glide_client_resolve() with a
 * CommandRequest made of command. To execute it, large words are not copied.
 *
 * Return what those return; GLIDE_ERR_INTERNAL, with an empty response, where there is no memory
 * for the request.
 */
glide_status request_execute(glide_client client, const request_command *command,
                             glide_buffer *response);
glide_status request_resolve(glide_client client, const request_command *command,
                             glide_buffer *response);

/* request_submit - glide_client_submit() with a CommandRequest made of command; else as
 * request_execute(). */
glide_status request_submit(glide_client client, const request_command *command, uint64_t tag);

/* request_execute_batch, request_resolve_batch - request_execute() and request_resolve() with a
 * CommandRequest made of batch. */
glide_status request_execute_batch(glide_client client, const request_batch *batch,
                                   glide_buffer *response);
glide_status request_resolve_batch(glide_client client, const request_batch *batch,
                                   glide_buffer *response);

/* request_execute_script - glide_client_execute() with a CommandRequest made of script; else as
 * request_execute(). */
glide_status request_execute_script(glide_client client, const request_script *script,
                                    glide_buffer *response);

/* request_execute_scan - glide_client_execute() with a CommandRequest made of scan; else as
 * request_execute(). */
glide_status request_execute_scan(glide_client client, const request_scan *scan,
                                  glide_buffer *response);

/* request_execute_password - the same with a CommandRequest made of password. */
glide_status request_execute_password(glide_client client, const request_password *password,
                                      glide_buffer *response);

/* request_execute_channels - the same with a CommandRequest made of channels. */
glide_status request_execute_channels(glide_client client, const request_channels *channels,
                                      glide_buffer *response);

/* ---- Sessions ---------------------------------------------------------------------------- */

/*
 * request_session_open - glide_session_open() with a route to one node; REQUEST_NO_ROUTE is for a
 * standalone server. timeout_ms is for the call; 0: the client's connection_timeout.
 *
 * Returns what glide_session_open() returns; GLIDE_ERR_INTERNAL, with an empty response, where
 * there is no memory for the request.
 */
glide_status request_session_open(glide_client client, request_route route, uint32_t timeout_ms,
                                  glide_session *session, glide_buffer *response);

/* request_session_execute, request_session_batch, request_session_script - glide_session_execute()
 * with a CommandRequest made of command, batch or script; else as request_execute(). */
glide_status request_session_execute(glide_session session, const request_command *command,
                                     glide_buffer *response);
glide_status request_session_batch(glide_session session, const request_batch *batch,
                                   glide_buffer *response);
glide_status request_session_script(glide_session session, const request_script *script,
                                    glide_buffer *response);

/* request_session_submit - glide_session_submit() with a CommandRequest made of command; else as
 * request_execute(). */
glide_status request_session_submit(glide_session session, const request_command *command,
                                    uint64_t tag);

#endif /* REQUEST_H */
