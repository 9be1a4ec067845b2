/* The library as a guest of its process: fork, and the standard streams. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "routers.h"

/* ---- Fork ---------------------------------------------------------------------------------- */

/* forked_at_once - whether a call answered FORKED with an Error, and without delay. */
static bool forked_at_once(glide_status status, glide_buffer *buffer, double started)
{
    response view;
    bool good = status == GLIDE_ERR_FORKED && response_read(buffer, &view) &&
                view.error.status == GLIDE_ERR_FORKED && view.error.message.len > 0 &&
                seconds() - started < 2; /* a busy machine; else it would hang */

    glide_buffer_free(buffer);
    return good;
}

/* in_child - what a child finds: 0, or the number of the first thing that is not as promised. It
 * makes no checks, since what they print is for the parent to say. */
static int in_child(glide_client client, glide_router router, glide_buffer *from_parent)
{
    wire_bytes words[] = {wire_text("PING")};
    request_command ping = {.words = words, .word_count = 1};
    request_address address = {wire_text("127.0.0.1"), 7000};
    request_connection connection = {.addresses = &address, .address_count = 1};
    const topology_cluster cluster = {.epoch = 1};
    glide_client other = 1;
    glide_buffer buffer;
    double now = seconds();

    if (!forked_at_once(request_execute(client, &ping, &buffer), &buffer, now))
        return 1;
    if (!forked_at_once(request_resolve(client, &ping, &buffer), &buffer, now))
        return 2;
    if (!forked_at_once(glide_client_topology(client, &buffer), &buffer, now))
        return 3;
    if (!forked_at_once(request_open(&connection, &other, &buffer), &buffer, now) || other != 0)
        return 4;
    if (glide_schema(&buffer) != GLIDE_ERR_FORKED || buffer.data != NULL || buffer.len != 0)
        return 5;
    if (glide_key_slot((const uint8_t *)"foo", 3) != -1)
        return 6;
    if (!forked_at_once(request_execute(0, &ping, &buffer), &buffer, now))
        return 7;
    if (glide_client_close(client) != GLIDE_OK || glide_client_close(client) != GLIDE_OK)
        return 8;
    if (!forked_at_once(topology_resolve(router, &ping, &buffer), &buffer, now))
        return 9;
    other = 1;
    if (!forked_at_once(topology_open(&cluster, &other, &buffer), &buffer, now) || other != 0)
        return 10;
    if (!forked_at_once(glide_router_open(NULL, 1, NULL, &buffer), &buffer, now))
        return 11;
    if (glide_router_close(router) != GLIDE_OK || glide_router_close(router) != GLIDE_OK)
        return 12;
    glide_buffer_free(from_parent);
    if (from_parent->data != NULL)
        return 13;
    if (glide_abi_version() != GLIDE_ABI_VERSION || !wire_equal(wire_text("OK"),
                                                                glide_status_name(GLIDE_OK)))
        return 14;
    return 0;
}

/* status_of - how a child ended; -1 where it did not within 10 s, and is killed. */
static int status_of(pid_t child)
{
    const double patience = seconds() + 10;
    int status = 0;

    while (seconds() < patience) {
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        nap(5);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -1;
}

TEST(in_a_forked_child_every_call_says_so_at_once_and_the_parent_goes_on)
{
    glide_client client = open_cluster();
    glide_router router = open_router(READ_PRIMARY, NULL);
    answer before = run(client, "PING", NO_ROUTE), after;
    pid_t child;

    for (int i = 0; i < 3; i++) {
        child = fork();
        if (child == 0)
            _exit(in_child(client, router, &before.buffer));
        CHECK_INT(status_of(child), 0);
        after = run(client, "PING", request_all_nodes());
        CHECK_INT(after.status, GLIDE_OK);
        CHECK_INT(outcome_count(&after), CLUSTER_NODES);
        drop(&after);
        CHECK_TEXT(wire_text(planned_host(plan(router, "GET foo", NO_ROUTE)).text), "p3");
    }
    CHECK_TEXT(before.view.value.text, "PONG");
    drop(&before);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(the_child_of_a_forked_child_is_told_so_too)
{
    glide_client client = open_cluster();
    glide_router router = open_router(READ_PRIMARY, NULL);
    pid_t child = fork();

    if (child == 0) {
        glide_buffer none = {NULL, 0};
        pid_t grandchild = fork();

        if (grandchild == 0)
            _exit(in_child(client, router, &none));
        _exit(status_of(grandchild));
    }
    CHECK_INT(status_of(child), 0);
    CHECK_INT(glide_router_close(router), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* ---- The standard streams ------------------------------------------------------------------ */

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
