/*
 * handle.h - the clients and routers of the driver, by the names that calls give them.
 */
#ifndef HANDLE_H
#define HANDLE_H

#include "call.h"
#include "glide.h"

typedef struct handle {
    char name[32]; /* "": a free place */
    bool router;   /* else a client */
    uint64_t number;
} handle;

/* handle_find - what a call is about; NULL, and a fault of the call, where nothing has its name. */
handle *handle_find(call_line *call);

/* handle_keep - give a client or a router the name that a call says. */
void handle_keep(call_line *call, bool router, uint64_t number);

#endif /* HANDLE_H */
