/* link.h - one blocking connection to a node, and as much of RESP2 as the benchmark needs. */
#ifndef LINK_H
#define LINK_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

typedef struct link_buffer {
    uint8_t *data;
    size_t begin, end; /* what is in use */
    size_t room;
} link_buffer;

typedef struct link_socket {
    int fd;
    link_buffer in;  /* received, not read yet */
    link_buffer out; /* written, not sent yet */
} link_socket;

/* link_open - connect to a node. What fails ends the process, here and below. */
void link_open(link_socket *link, const char *host, uint32_t port);

/* link_close - disconnect and free the buffers. */
void link_close(link_socket *link);

/* link_write - put a command into the buffer; long words leave at once, with all before them. */
void link_write(link_socket *link, const wire_bytes *words, size_t count);

/* link_flush - send what is in the buffer. */
void link_flush(link_socket *link);

/* A line of a reply: '$' and '*' with a length, -1 for nil; ':' with a number; '+' with a text. */
typedef struct link_line {
    char kind;
    int64_t number;
    wire_bytes text; /* until the next read from this link */
} link_line;

/* link_read - the next line. An error reply ends the process. */
link_line link_read(link_socket *link);

/* link_read_bytes - the bytes that a '$' line announced; they hold until the next read. */
wire_bytes link_read_bytes(link_socket *link, const link_line *line);

#endif /* LINK_H */
