/*
 * watch - add one to a counter, unless somebody else changes it meanwhile; then try again.
 *
 *   watch host:port[,host:port ...] key
 */
#include <stdio.h>
#include <stdlib.h>

#include "request.h"
#include "response.h"

enum { ADDRESSES_MAX = 16, ATTEMPTS = 100 };

/* complain - print what went wrong, and free it. */
static void complain(const char *what, glide_status status, glide_buffer *buffer)
{
    response reply;

    response_read(buffer, &reply);
    fprintf(stderr, "%s: %s: %.*s\n", what, glide_status_name(status),
            WIRE_PRINT(reply.error.message));
    glide_buffer_free(buffer);
}

/* read_count - WATCH the key and GET it, in one write. */
static glide_status read_count(glide_session session, wire_bytes key, long *count,
                               glide_buffer *buffer)
{
    wire_bytes watch[] = {wire_text("WATCH"), key}, get[] = {wire_text("GET"), key};
    request_words commands[] = {{watch, 2}, {get, 2}};
    request_batch batch = {.commands = commands, .command_count = 2, .raise_on_error = true};
    glide_status status = request_session_batch(session, &batch, buffer);
    response_value value = {.kind = RESPONSE_NONE};
    char digits[32] = "0";
    response reply;

    if (status != GLIDE_OK || !response_read(buffer, &reply))
        return status;
    response_next_value(&reply.value.items, &value); /* OK of WATCH */
    if (response_next_value(&reply.value.items, &value) && value.kind == RESPONSE_BULK)
        snprintf(digits, sizeof digits, "%.*s", WIRE_PRINT(value.text));
    *count = strtol(digits, NULL, 10);
    return status;
}

/* write_count - SET the key in a transaction; done says whether it ran. */
static glide_status write_count(glide_session session, wire_bytes key, long count, bool *done,
                                glide_buffer *buffer)
{
    char digits[32];
    wire_bytes set[] = {wire_text("SET"), key, {0}};
    request_words commands[] = {{set, 3}};
    request_batch batch = {
        .commands = commands, .command_count = 1, .atomic = true, .raise_on_error = true};
    glide_status status;
    response reply;

    snprintf(digits, sizeof digits, "%ld", count);
    set[2] = wire_text(digits);
    status = request_session_batch(session, &batch, buffer);
    *done = status == GLIDE_OK && response_read(buffer, &reply) && reply.value.kind != RESPONSE_NIL;
    return status;
}

/* add_one - until nobody came between. */
static int add_one(glide_session session, wire_bytes key)
{
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        glide_buffer buffer;
        glide_status status;
        bool done = false;
        long count = 0;

        if ((status = read_count(session, key, &count, &buffer)) != GLIDE_OK) {
            complain("WATCH and GET", status, &buffer);
            return EXIT_FAILURE;
        }
        glide_buffer_free(&buffer);
        if ((status = write_count(session, key, count + 1, &done, &buffer)) != GLIDE_OK) {
            complain("SET", status, &buffer);
            return EXIT_FAILURE;
        }
        glide_buffer_free(&buffer);
        if (done) {
            printf("%ld after %d %s\n", count + 1, attempt, attempt == 1 ? "attempt" : "attempts");
            return EXIT_SUCCESS;
        }
    }
    fprintf(stderr, "the key was changed by others %d times\n", ATTEMPTS);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    request_address seeds[ADDRESSES_MAX];
    request_connection connection = {.addresses = seeds};
    glide_session session;
    glide_client client;
    glide_buffer buffer;
    glide_status status;
    int code = EXIT_FAILURE;

    if (argc != 3 ||
        (connection.address_count = request_addresses(argv[1], seeds, ADDRESSES_MAX)) == 0) {
        fprintf(stderr, "usage: %s host:port[,host:port ...] key\n", argv[0]);
        return EXIT_FAILURE;
    }
    if ((status = request_open(&connection, &client, &buffer)) != GLIDE_OK) {
        complain("connect", status, &buffer);
        return EXIT_FAILURE;
    }
    glide_buffer_free(&buffer);
    status = request_session_open(client, request_slot_key(REQUEST_PRIMARY, wire_text(argv[2])), 0,
                                  &session, &buffer);
    if (status == GLIDE_OK) {
        glide_buffer_free(&buffer);
        code = add_one(session, wire_text(argv[2]));
        glide_session_close(session);
    } else {
        complain("session", status, &buffer);
    }
    glide_client_close(client);
    return code;
}
