/*
 * loop - an event loop of one thread, for a client that is asked from another process. Messages go
 * both ways, with numbers in the order of this machine:
 *
 *   in    tag (8 bytes), size (4), request
 *         The first is a ConnectionRequest, the others are CommandRequests.
 *   out   tag (8 bytes), status (4), size (4), response
 *         One for each; without a response where the request was not even submitted.
 *
 * At the end of the input it closes the client and tells what becomes of the requests that run. The
 * exit code is 0 where every one of them was answered and the client says that it is over.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "glide.h"

enum { HEAD = 12, COMPLETIONS = 64, LONGEST_WAIT = 1000 /* ms */ };

/* What has come on the standard input and was not used yet. */
static struct {
    uint8_t *bytes;
    size_t size, room;
    bool over;
} input;

static glide_client client;
static uint64_t running; /* requests */

static void fail(const char *what)
{
    fprintf(stderr, "loop: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

static void tell(uint64_t tag, glide_status status, glide_buffer response)
{
    const int32_t number = status;
    const uint32_t size = (uint32_t)response.len;

    if (fwrite(&tag, sizeof tag, 1, stdout) != 1 || fwrite(&number, sizeof number, 1, stdout) != 1 ||
        fwrite(&size, sizeof size, 1, stdout) != 1 ||
        (response.len > 0 &&
         fwrite(response.data, 1, response.len, stdout) != response.len))
        fail("write");
}

static void take_input(void)
{
    ssize_t count;

    if (input.size == input.room) {
        input.room = input.room == 0 ? 1 << 16 : 2 * input.room;
        input.bytes = realloc(input.bytes, input.room);
        if (input.bytes == NULL)
            fail("memory");
    }
    count = read(STDIN_FILENO, input.bytes + input.size, input.room - input.size);
    if (count < 0 && errno != EAGAIN && errno != EINTR)
        fail("read");
    input.over = count == 0;
    input.size += count > 0 ? (size_t)count : 0;
}

/* submit - the request of a message, or the first, which opens the client. */
static void submit(uint64_t tag, const uint8_t *bytes, size_t size)
{
    glide_buffer response = {NULL, 0};
    glide_status status;

    if (client == 0) {
        status = glide_client_open(bytes, size, &client, &response);
        tell(tag, status, response);
        glide_buffer_free(&response);
        return;
    }
    status = glide_client_submit(client, bytes, size, tag);
    if (status == GLIDE_OK)
        running++;
    else
        tell(tag, status, response);
}

/* use_input - the messages that have come as a whole. */
static void use_input(void)
{
    size_t used = 0;

    while (input.size - used >= HEAD) {
        uint64_t tag;
        uint32_t size;

        memcpy(&tag, input.bytes + used, sizeof tag);
        memcpy(&size, input.bytes + used + sizeof tag, sizeof size);
        if (input.size - used - HEAD < size)
            break;
        submit(tag, input.bytes + used + HEAD, size);
        used += HEAD + size;
    }
    input.size -= used;
    memmove(input.bytes, input.bytes + used, input.size);
}

/* take_completions - all that there are; the status of the last poll. */
static glide_status take_completions(void)
{
    glide_completion completions[COMPLETIONS];
    glide_status status;
    size_t count;

    do {
        status = glide_client_poll(client, completions, COMPLETIONS, &count);
        for (size_t i = 0; i < count; i++)
            tell(completions[i].tag, completions[i].status, completions[i].response);
        running -= count;
        glide_completions_free(completions, count);
    } while (count == COMPLETIONS);
    return status;
}

/* wait_for - the descriptors that are there, negative ones aside. */
static void wait_for(struct pollfd *watched, nfds_t count)
{
    if (fflush(stdout) != 0)
        fail("write");
    if (poll(watched, count, LONGEST_WAIT) < 0 && errno != EINTR)
        fail("poll");
}

int main(void)
{
    struct pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = -1, .events = POLLIN}};
    glide_status status = GLIDE_OK;

    if (fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK) < 0)
        fail("fcntl");
    while (!input.over) {
        wait_for(watched, 2);
        take_input();
        use_input();
        if (client == 0)
            continue;
        if (watched[1].fd < 0)
            watched[1].fd = glide_client_event_fd(client);
        take_completions();
    }
    glide_client_close(client);
    while (status == GLIDE_OK) {
        status = take_completions();
        if (status == GLIDE_OK)
            wait_for(watched + 1, 1);
    }
    if (fflush(stdout) != 0 || status != GLIDE_ERR_CLOSED || running != 0) {
        fprintf(stderr, "loop: %llu requests without an answer, the last status is %s\n",
                (unsigned long long)running, glide_status_name(status));
        return EXIT_FAILURE;
    }
    free(input.bytes);
    return EXIT_SUCCESS;
}
