/*
 * routers.h - routers over a topology of the tests' own, none of whose nodes exists:
 *
 *   slots                   primary  replicas            keys of the tests
 *   0-5460                  p1 (a)   r1 (a), r2 (b)      {3}
 *   5461-10000,10002-10922  p2 (b)   r3                  {2}
 *   10923-16383             p3                           foo
 *
 * The letters are zones, the port is 7000, p3 is known as 10.0.0.3:7000 too, the epoch is 7, and
 * slot 10001 is nobody's.
 */
#ifndef ROUTERS_H
#define ROUTERS_H

#include "live.h"
#include "topology.h"

enum { NOBODYS_SLOT = 10001, ROUTER_NODES = 6, ROUTER_PRIMARIES = 3 };

enum { /* numbers of ReadFrom */
    READ_PRIMARY = 0,
    READ_PREFER_REPLICA = 1,
    READ_AZ_AFFINITY = 3,
    READ_AZ_AFFINITY_REPLICAS_AND_PRIMARY = 4,
    READ_ALL_NODES = 5,
    READ_AZ_AFFINITY_ALL_NODES = 6
};

/* open_router - a router that shares reads as said; 0 and a failed check where there is none. */
glide_router open_router(uint32_t read_from, const char *client_az);

/* open_over - topology_open(). */
answer open_over(const topology_cluster *cluster, glide_router *router);

/* encode_own - the topology of the tests. */
void encode_own(wire_writer *writer);

/* plan - where the words of a line go. */
answer plan(glide_router router, const char *line, request_route route);

/* plan_batch - the same for several lines. */
answer plan_batch(glide_router router, const char *const *lines, size_t count, bool atomic,
                  request_route route);

/* next_leg - the next leg of a plan; a failed check and an empty one where there is none. */
response_leg next_leg(answer *given);

/* planned_host - the node of a plan that must have one leg, by its host; the answer is dropped. */
typedef struct host_name {
    char text[16];
} host_name;

host_name planned_host(answer given);

#endif /* ROUTERS_H */
