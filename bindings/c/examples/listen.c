/*
 * listen - print what is published on channels, and where something may be missing.
 *
 *     listen HOST:PORT,HOST:PORT,... COUNT CHANNEL...
 *
 * A CHANNEL with a star is a pattern. It ends after COUNT messages; 0: never.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "request.h"
#include "response.h"

enum { CHANNELS_MAX = 64 };

static void print_names(const char *what, response_list names, wire_bytes why)
{
    wire_bytes name;

    while (response_next_bytes(&names, &name))
        fprintf(stderr, "%s %.*s%s%.*s\n", what, WIRE_PRINT(name), why.len > 0 ? ": " : "",
                WIRE_PRINT(why));
}

/* tell - messages go to the standard output, news of the channels to the standard error stream. */
static unsigned long tell(response_event *event)
{
    switch (event->kind) {
    case RESPONSE_MESSAGE:
        printf("%.*s: %.*s\n", WIRE_PRINT(event->channel), WIRE_PRINT(event->payload));
        fflush(stdout);
        return 1;
    case RESPONSE_SUBSCRIBED: print_names("subscribed to", event->names, wire_text("")); break;
    case RESPONSE_UNSUBSCRIBED: print_names("no more of", event->names, wire_text("")); break;
    case RESPONSE_REFUSED: print_names("refused", event->names, event->error.message); break;
    case RESPONSE_LOST: print_names("lost", event->names, event->error.message); break;
    case RESPONSE_GAP:
        fprintf(stderr, "what came within %lld ms may be missing\n",
                (long long)(event->until_ms - event->since_ms));
        print_names("subscribed again to", event->names, wire_text(""));
        break;
    case RESPONSE_OVERFLOW:
        fprintf(stderr, "%llu messages were dropped\n", (unsigned long long)event->dropped);
        break;
    }
    return 0;
}

/* listen_for - until so many messages have come; how many did. */
static unsigned long listen_for(glide_client client, unsigned long count)
{
    struct pollfd waiting = {.fd = glide_client_event_fd(client), .events = POLLIN};
    unsigned long heard = 0;
    glide_completion completion;
    response_event event;
    response view;
    size_t taken;

    while (waiting.fd >= 0 && (count == 0 || heard < count) &&
           (poll(&waiting, 1, -1) > 0 || errno == EINTR)) {
        if (glide_client_poll(client, &completion, 1, &taken) != GLIDE_OK)
            break;
        if (taken == 0)
            continue;
        response_read(&completion.response, &view);
        while (response_next_event(&view.events, &event))
            heard += tell(&event);
        glide_buffer_free(&completion.response);
    }
    close(waiting.fd);
    return heard;
}

/* subscribe - to the names with a star as patterns, or to the others as channels. */
static glide_status subscribe(glide_client client, char **names, int count, bool patterns)
{
    wire_bytes chosen[CHANNELS_MAX];
    request_channels channels = {.names = chosen,
                                 .kind = patterns ? REQUEST_PATTERNS : REQUEST_CHANNELS};
    glide_buffer buffer;
    glide_status status;

    for (int i = 0; i < count && i < CHANNELS_MAX; i++)
        if ((strchr(names[i], '*') != NULL) == patterns)
            chosen[channels.name_count++] = wire_text(names[i]);
    if (channels.name_count == 0)
        return GLIDE_OK;
    status = request_execute_channels(client, &channels, &buffer);
    glide_buffer_free(&buffer);
    return status;
}

int main(int argc, char **argv)
{
    request_address addresses[16];
    request_connection connection = {.addresses = addresses};
    unsigned long count = argc > 3 ? strtoul(argv[2], NULL, 10) : 0, heard = 0;
    glide_client client;
    glide_buffer buffer;
    response reply;

    connection.address_count = argc > 3 ? request_addresses(argv[1], addresses, 16) : 0;
    if (connection.address_count == 0) {
        fprintf(stderr, "usage: %s HOST:PORT,HOST:PORT,... COUNT CHANNEL...\n", argv[0]);
        return 2;
    }
    if (request_open(&connection, &client, &buffer) != GLIDE_OK) {
        response_read(&buffer, &reply);
        fprintf(stderr, "%.*s\n", WIRE_PRINT(reply.error.message));
        glide_buffer_free(&buffer);
        return 1;
    }
    glide_buffer_free(&buffer);
    if (subscribe(client, argv + 3, argc - 3, false) == GLIDE_OK &&
        subscribe(client, argv + 3, argc - 3, true) == GLIDE_OK)
        heard = listen_for(client, count);
    glide_client_close(client);
    return count == 0 || heard >= count ? 0 : 1;
}
