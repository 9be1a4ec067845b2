/* See link.h. */
#include "link.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fault.h"
#include "process.h"

enum {
    ROOM = 64 * 1024,
    LONG_WORD = 16 * 1024, /* from here on a copy costs more than a write(2) of its own */
    HEADER_MAX = 32
};

static bool dial(link_socket *link, const struct addrinfo *address)
{
    const int on = 1;

    link->fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
    if (link->fd < 0)
        return false;
    if (connect(link->fd, address->ai_addr, address->ai_addrlen) == 0 &&
        setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return true;
    close(link->fd);
    return false;
}

void link_open(link_socket *link, const char *host, uint32_t port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *addresses, *address;
    char service[16];

    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(host, service, &hints, &addresses) != 0)
        fault("socket: %s: no such host", host);
    for (address = addresses; address != NULL && !dial(link, address);)
        address = address->ai_next;
    if (address == NULL)
        fault("socket: %s:%u: %s", host, port, strerror(errno));
    freeaddrinfo(addresses);
    link->in = (link_buffer){process_room(ROOM, 1), 0, 0, ROOM};
    link->out = (link_buffer){process_room(ROOM, 1), 0, 0, ROOM};
}

void link_close(link_socket *link)
{
    close(link->fd);
    free(link->in.data);
    free(link->out.data);
}

static void send_all(const link_socket *link, wire_bytes bytes)
{
    while (bytes.len > 0) {
        const ssize_t sent = write(link->fd, bytes.data, bytes.len);

        if (sent < 0 && errno != EINTR)
            fault("socket: write: %s", strerror(errno));
        if (sent > 0)
            bytes = (wire_bytes){bytes.data + sent, bytes.len - (size_t)sent};
    }
}

void link_flush(link_socket *link)
{
    send_all(link, (wire_bytes){link->out.data, link->out.end});
    link->out.end = 0;
}

/* append - put bytes into the buffer, or send them behind it where they are many. */
static void append(link_socket *link, wire_bytes bytes)
{
    link_buffer *out = &link->out;

    if (bytes.len > out->room - out->end || bytes.len >= LONG_WORD)
        link_flush(link);
    if (bytes.len >= LONG_WORD) {
        send_all(link, bytes);
    } else {
        memcpy(out->data + out->end, bytes.data, bytes.len);
        out->end += bytes.len;
    }
}

static void append_header(link_socket *link, char kind, size_t number)
{
    char header[HEADER_MAX];
    char *digit = header + sizeof header;

    *--digit = '\n';
    *--digit = '\r';
    do
        *--digit = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    *--digit = kind;
    append(link, (wire_bytes){(const uint8_t *)digit, (size_t)(header + sizeof header - digit)});
}

void link_write(link_socket *link, const wire_bytes *words, size_t count)
{
    append_header(link, '*', count);
    for (size_t i = 0; i < count; i++) {
        append_header(link, '$', words[i].len);
        append(link, words[i]);
        append(link, (wire_bytes){(const uint8_t *)"\r\n", 2});
    }
}

/* receive - wait until at least so many bytes are in the buffer, from its begin on. */
static void receive(link_socket *link, size_t wanted)
{
    link_buffer *in = &link->in;

    if (in->begin == in->end)
        in->begin = in->end = 0;
    if (wanted > in->room - in->begin && in->begin > 0) {
        memmove(in->data, in->data + in->begin, in->end - in->begin);
        in->end -= in->begin;
        in->begin = 0;
    }
    if (wanted > in->room) {
        in->room = wanted + ROOM;
        in->data = realloc(in->data, in->room);
        if (in->data == NULL)
            fault("socket: no memory for a reply of %zu bytes", wanted);
    }
    while (in->end - in->begin < wanted) {
        const ssize_t got = read(link->fd, in->data + in->end, in->room - in->end);

        if (got == 0)
            fault("socket: the server hung up");
        if (got < 0 && errno != EINTR)
            fault("socket: read: %s", strerror(errno));
        if (got > 0)
            in->end += (size_t)got;
    }
}

/* read_text - the next line without its end. */
static wire_bytes read_text(link_socket *link)
{
    link_buffer *in = &link->in;
    size_t seen = 0;
    const uint8_t *end = NULL;
    wire_bytes text;

    while (end == NULL) {
        receive(link, seen + 1);
        end = memchr(in->data + in->begin + seen, '\n', in->end - in->begin - seen);
        seen = in->end - in->begin;
    }
    text.data = in->data + in->begin;
    text.len = (size_t)(end - text.data) - 1;
    in->begin += text.len + 2;
    return text;
}

link_line link_read(link_socket *link)
{
    const wire_bytes text = read_text(link);
    link_line line = {.kind = (char)text.data[0], .text = {text.data + 1, text.len - 1}};

    switch (line.kind) {
    case '$':
    case '*':
    case ':':
        line.number = strtoll((const char *)line.text.data, NULL, 10); /* ends at the \r */
        return line;
    case '+':
        return line;
    default:
        fault("socket: the server says %.*s", WIRE_PRINT(text));
    }
}

wire_bytes link_read_bytes(link_socket *link, const link_line *line)
{
    const size_t len = (size_t)line->number;
    wire_bytes bytes;

    if (line->kind != '$' || line->number < 0)
        fault("socket: '%c%lld' is no string", line->kind, (long long)line->number);
    receive(link, len + 2);
    bytes = (wire_bytes){link->in.data + link->in.begin, len};
    link->in.begin += len + 2;
    return bytes;
}
