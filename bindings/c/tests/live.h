/*
 * live.h - the servers that the tests run against, named by the environment:
 *
 *   GLIDE_TEST_CLUSTER     host:port,... of a cluster: three primaries, then three replicas
 *   GLIDE_TEST_STANDALONE  host:port of a server that is no cluster
 *   GLIDE_TEST_PASSWORD    host:port of one with the password s3cret
 *
 * go run ./bindings/conformance/cluster/run -standalone -- COMMAND starts them all.
 */
#ifndef LIVE_H
#define LIVE_H

#include "request.h"
#include "response.h"

enum { CLUSTER_NODES = 6, CLUSTER_PRIMARIES = 3 };

/* A response with what it views. drop() frees it. */
typedef struct answer {
    glide_status status;
    glide_buffer buffer;
    response view;
} answer;

void drop(answer *given);

/* read_answer - what a call gave, whose Response must be a good one. */
answer read_answer(glide_status status, glide_buffer buffer);

/* addresses_of - the addresses in a variable of the environment; a failed check and 0 where it is
 * missing. */
size_t addresses_of(const char *variable, request_address addresses[CLUSTER_NODES]);

/* open_with - request_open() with the addresses in a variable. */
answer open_with(request_connection connection, const char *variable, glide_client *client);

/* open_cluster, open_standalone - a client that waits 5 s for a reply; 0 and a failed check where
 * there is none. */
glide_client open_cluster(void);
glide_client open_standalone(void);

/* run - the words of a line, to a route, with outcomes. */
answer run(glide_client client, const char *line, request_route route);

/* run_command, resolve_command - a command as it is. */
answer run_command(glide_client client, request_command command);
answer resolve_command(glide_client client, request_command command);

/* run_bytes - bytes that may be no request at all. */
answer run_bytes(glide_client client, wire_bytes request);

/* first_outcome, outcome_count - of an answer; the outcome is empty where there is none. */
response_outcome first_outcome(const answer *given);
size_t outcome_count(const answer *given);

/* told_port - the port in the reply to CONFIG GET port; 0 where it is something else. */
uint32_t told_port(const response_value *value);

/* How often a deadline may be tried: the machine may be late once, the library must not be. */
enum { TRIES = 4 };

/* seconds - of a clock that never goes back. */
double seconds(void);

/* nap - sleep for so many milliseconds. */
void nap(long milliseconds);

static const request_route NO_ROUTE = {.kind = REQUEST_NO_ROUTE};

#endif /* LIVE_H */
