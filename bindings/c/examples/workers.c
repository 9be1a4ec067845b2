/*
 * workers - a server that forks in small: workers HOST:PORT,HOST:PORT,... KEY
 *
 * The parent opens a client and writes the key. Ten children, forked while that client is open,
 * read it, each through a client of its own; the parent's answers GLIDE_ERR_FORKED in them. The
 * exit code is 0 only if all of that went well, and the parent's client still works in the end.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "request.h"
#include "response.h"

enum { WORKERS = 10, PATIENCE_MS = 5000 };

/* run - a command; what it answered is printed, and freed. */
static glide_status run(const char *who, glide_client client, const char *line)
{
    wire_bytes words[3];
    const request_command command = {.words = words, .word_count = request_split(line, words, 3)};
    glide_buffer buffer;
    glide_status status = request_execute(client, &command, &buffer);
    response reply;

    if (response_read(&buffer, &reply) && status == GLIDE_OK)
        printf("%s: %s: %.*s\n", who, line, WIRE_PRINT(reply.value.text));
    else
        printf("%s: %s: %s\n", who, line, glide_status_name(status));
    glide_buffer_free(&buffer);
    return status;
}

static glide_client open_client(const request_connection *connection)
{
    glide_buffer buffer;
    glide_client client;
    response reply;

    if (request_open(connection, &client, &buffer) != GLIDE_OK && response_read(&buffer, &reply))
        fprintf(stderr, "%.*s\n", WIRE_PRINT(reply.error.message));
    glide_buffer_free(&buffer);
    return client;
}

/* work - what a child does; whether it went well. */
static int work(const request_connection *connection, glide_client of_parent, const char *get)
{
    const glide_client own = open_client(connection);

    return run("child, the parent's client", of_parent, get) == GLIDE_ERR_FORKED &&
           run("child, its own client", own, get) == GLIDE_OK &&
           glide_client_close(own) == GLIDE_OK && glide_client_close(of_parent) == GLIDE_OK;
}

int main(int argc, char **argv)
{
    request_address addresses[16];
    request_connection connection = {.addresses = addresses,
                                     .request_timeout_ms = PATIENCE_MS,
                                     .connection_timeout_ms = PATIENCE_MS};
    glide_client client;
    char set[256], get[256];
    int good = 0, status;

    connection.address_count = argc == 3 ? request_addresses(argv[1], addresses, 16) : 0;
    if (connection.address_count == 0) {
        fprintf(stderr, "usage: %s HOST:PORT,HOST:PORT,... KEY\n", argv[0]);
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    snprintf(set, sizeof set, "SET %s hello", argv[2]);
    snprintf(get, sizeof get, "GET %s", argv[2]);
    client = open_client(&connection);
    if (run("parent", client, set) != GLIDE_OK)
        return 1;
    for (int i = 0; i < WORKERS; i++)
        if (fork() == 0)
            return work(&connection, client, get) ? 0 : 1;
    while (wait(&status) > 0)
        good += status == 0;
    printf("parent: %d of %d children read it\n", good, WORKERS);
    return run("parent", client, get) == GLIDE_OK && glide_client_close(client) == GLIDE_OK &&
                   good == WORKERS
               ? 0
               : 1;
}
