/*
 * poll - one thread, many requests under way, and poll(2).
 *
 *     poll HOST:PORT,HOST:PORT,... COUNT
 *
 * Sets COUNT keys and reads each of them back as soon as it is set, with as many requests under way
 * as the client allows. The exit code is 0 only if every value came back.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "request.h"
#include "response.h"

enum { UNDER_WAY = 10000, AT_ONCE = 256 };

/* The tag of a request says what it is about: twice the number of the key, 1 more for the GET. */
static glide_status submit(glide_client client, uint64_t tag)
{
    char key[32];
    wire_bytes words[3];
    request_command command = {.words = words, .word_count = 3, .timeout_ms = 10000};

    snprintf(key, sizeof key, "poll:%llu", (unsigned long long)tag / 2);
    words[0] = wire_text(tag % 2 == 0 ? "SET" : "GET");
    words[1] = words[2] = wire_text(key);
    if (tag % 2 == 1)
        command.word_count = 2;
    return request_submit(client, &command, tag);
}

/* complete - a key that was set is read next, and must hold its own name. */
static int complete(glide_client client, const glide_completion *done, unsigned long *right)
{
    char key[32];
    response reply;

    response_read(&done->response, &reply);
    if (done->status != GLIDE_OK) {
        fprintf(stderr, "%s: %.*s\n", glide_status_name(done->status),
                WIRE_PRINT(reply.error.message));
        return 0;
    }
    if (done->tag % 2 == 0) /* there is room for it: the one that it follows was polled */
        return submit(client, done->tag + 1) == GLIDE_OK;
    snprintf(key, sizeof key, "poll:%llu", (unsigned long long)done->tag / 2);
    *right += wire_equal(reply.value.text, key);
    return 1;
}

/* run - set and read all keys; how many were right. */
static unsigned long run(glide_client client, int fd, unsigned long count)
{
    glide_completion completions[AT_ONCE];
    unsigned long begun = 0, ended = 0, right = 0;
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    size_t taken;

    while (ended < count) {
        while (begun < count && begun - ended < UNDER_WAY &&
               submit(client, 2 * begun) == GLIDE_OK)
            begun++;
        if (begun == ended || (poll(&waiting, 1, -1) < 0 && errno != EINTR) ||
            glide_client_poll(client, completions, AT_ONCE, &taken) != GLIDE_OK)
            break;
        for (size_t i = 0; i < taken; i++)
            if (!complete(client, &completions[i], &right) || completions[i].tag % 2 == 1)
                ended++;
        glide_completions_free(completions, taken);
    }
    return right;
}

int main(int argc, char **argv)
{
    request_address addresses[16];
    request_connection connection = {.addresses = addresses, .inflight_limit = UNDER_WAY};
    unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0, right = 0;
    glide_client client;
    glide_buffer buffer;
    response reply;
    int fd;

    connection.address_count = argc == 3 ? request_addresses(argv[1], addresses, 16) : 0;
    if (connection.address_count == 0 || count == 0) {
        fprintf(stderr, "usage: %s HOST:PORT,HOST:PORT,... COUNT\n", argv[0]);
        return 2;
    }
    if (request_open(&connection, &client, &buffer) != GLIDE_OK) {
        response_read(&buffer, &reply);
        fprintf(stderr, "%.*s\n", WIRE_PRINT(reply.error.message));
        glide_buffer_free(&buffer);
        return 1;
    }
    glide_buffer_free(&buffer);
    fd = glide_client_event_fd(client);
    if (fd >= 0) {
        right = run(client, fd, count);
        close(fd);
    }
    glide_client_close(client);
    printf("%lu of %lu values came back\n", right, count);
    return right == count ? 0 : 1;
}
