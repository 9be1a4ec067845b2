/* The library as a guest of its process: the standard streams. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "check.h"
#include "live.h"

/* provoke - calls that succeed, and calls that fail in every way. */
static void provoke(void)
{
    static const char *const lines[] = {"PING", "NOSUCHCOMMAND", "LPUSH", "GET silence:none"};
    request_address nobody = {wire_text("127.0.0.1"), 1};
    request_connection connection = {.addresses = &nobody, .address_count = 1};
    glide_client client = open_cluster(), other;
    const uint8_t garbage[] = {0xff, 0xff};
    glide_buffer buffer;

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        answer given = run(client, lines[i], NO_ROUTE);

        drop(&given);
        given = run(client, lines[i], request_all_nodes());
        drop(&given);
        given = run(client, lines[i], request_by_address(wire_text("192.0.2.1:7000"), 0));
        drop(&given);
    }
    glide_client_execute(client, garbage, sizeof garbage, &buffer);
    glide_buffer_free(&buffer);
    glide_client_execute(client + 1, NULL, 0, &buffer);
    glide_buffer_free(&buffer);
    glide_client_open(garbage, sizeof garbage, &other, &buffer);
    glide_buffer_free(&buffer);
    request_open(&connection, &other, &buffer);
    glide_buffer_free(&buffer);
    glide_client_close(client);
    glide_client_close(client);
}

TEST(the_library_writes_nothing_to_the_standard_streams)
{
    const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    int ends[2];
    char text[256];
    ssize_t len;

    fflush(NULL);
    if (!CHECK(pipe(ends) == 0))
        return;
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    provoke();
    fflush(NULL); /* the checks of the helpers, should one have failed */
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    len = read(ends[0], text, sizeof text);
    CHECK_TEXT(((wire_bytes){(const uint8_t *)text, len > 0 ? (size_t)len : 0}), "");
    close(ends[0]);
}
