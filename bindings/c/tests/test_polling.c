/* The descriptor and the mailbox of the asynchronous form. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "submitted.h"

TEST(the_descriptor_is_readable_as_long_as_completions_wait)
{
    glide_client client = open_cluster();
    const int fd = glide_client_event_fd(client);
    glide_completion completions[2];
    size_t count;

    CHECK(!readable(fd, 0));
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    for (uint64_t i = 0; i < 3; i++)
        CHECK_INT(submit(client, "GET poll:fd", i), GLIDE_OK);
    for (count = 0; count < 3;) { /* until all of them wait: they then count in no other way */
        CHECK(readable(fd, 20000));
        nap(20);
        count = 3;
    }
    CHECK_INT(glide_client_poll(client, completions, 2, &count), GLIDE_OK);
    CHECK_INT(count, 2);
    glide_completions_free(completions, count);
    CHECK(readable(fd, 20000));
    CHECK_INT(glide_client_poll(client, completions, 2, &count), GLIDE_OK);
    CHECK_INT(count, 1);
    CHECK(completions[0].response.len > 0);
    glide_completions_free(completions, count);
    CHECK(completions[0].response.data == NULL);
    CHECK(!readable(fd, 0));
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_descriptor_that_is_asked_for_late_is_readable_at_once)
{
    glide_client client = open_cluster();
    const double patience = seconds() + 20;
    int fd = -1;
    completed next;

    CHECK_INT(submit(client, "GET poll:late", 1), GLIDE_OK);
    do { /* each call gives a new one */
        close(fd);
        nap(10);
        fd = glide_client_event_fd(client);
    } while (!readable(fd, 0) && seconds() < patience);
    CHECK(readable(fd, 0));
    next = complete(client);
    CHECK_INT(next.tag, 1);
    drop(&next.given);
    CHECK(!readable(fd, 0));
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_descriptor_that_the_host_closed_breaks_nothing_and_its_number_is_not_written_to)
{
    glide_client client = open_cluster();
    int fd = glide_client_event_fd(client), ends[2];
    completed next;
    char byte;

    close(fd);
    if (!CHECK(pipe(ends) == 0))
        return;
    CHECK(ends[0] == fd || ends[1] == fd); /* the number is another's now */
    CHECK_INT(submit(client, "PING", 1), GLIDE_OK);
    next = complete(client);
    CHECK_TEXT(next.given.view.value.text, "PONG");
    drop(&next.given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    CHECK(read(ends[0], &byte, 1) < 0 && errno == EAGAIN);
    close(ends[0]);
    CHECK(close(ends[1]) == 0); /* it is still ours */
}

TEST(a_host_that_reads_from_the_descriptor_loses_nothing_and_does_not_block)
{
    glide_client client = open_cluster();
    const int fd = glide_client_event_fd(client);
    uint64_t told;
    completed next;

    CHECK_INT(submit(client, "PING", 1), GLIDE_OK);
    CHECK(readable(fd, 20000));
    CHECK(read(fd, &told, sizeof told) < 0);
    CHECK(write(fd, &told, sizeof told) < 0);
    next = complete(client);
    CHECK_INT(next.tag, 1);
    drop(&next.given);
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* open_quick - a client that waits on a descriptor, and whose connection for a key stands: so the
 * reply to a request that is alone is read by who polls. */
static glide_client open_quick(const char *line, int *fd)
{
    glide_client client = open_cluster();
    answer given = run(client, line, NO_ROUTE);

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    *fd = glide_client_event_fd(client);
    CHECK(*fd >= 0);
    return client;
}

TEST(requests_that_are_alone_have_their_replies_read_by_who_polls)
{
    int fd;
    glide_client client = open_quick("SET poll:alone x", &fd);

    for (uint64_t i = 0; i < 1000; i++) {
        completed next;

        CHECK_INT(submit(client, i % 2 == 0 ? "GET poll:alone" : "LPUSH poll:alone x", i),
                  GLIDE_OK);
        next = complete(client);
        CHECK(next.tag == i);
        CHECK_INT(next.given.status, i % 2 == 0 ? GLIDE_OK : GLIDE_ERR_SERVER);
        drop(&next.given);
    }
    CHECK(!readable(fd, 0));
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_host_that_does_not_poll_in_time_gets_the_reply_all_the_same)
{
    int fd;
    glide_client client = open_quick("SET poll:busy x", &fd);
    completed next;

    CHECK_INT(submit_for(client, "GET poll:busy", 1, 200), GLIDE_OK);
    nap(400); /* at work on something else */
    next = complete(client);
    CHECK_INT(next.given.status, GLIDE_OK);
    CHECK_TEXT(next.given.view.value.text, "x");
    drop(&next.given);
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(calls_that_wait_do_not_wait_for_the_host_to_poll)
{
    int fd;
    glide_client client = open_quick("SET poll:shared x", &fd);
    answer given;
    completed next;

    for (uint64_t i = 0; i < 100; i++) {
        CHECK_INT(submit(client, "GET poll:shared", i), GLIDE_OK);
        given = run(client, "STRLEN poll:shared", NO_ROUTE);
        CHECK_INT(given.view.value.integer, 1);
        drop(&given);
        next = complete(client);
        CHECK(next.tag == i);
        CHECK_TEXT(next.given.view.value.text, "x");
        drop(&next.given);
    }
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_large_reply_comes_whole_however_it_is_read)
{
    int fd;
    glide_client client = open_quick("SETRANGE poll:large 3000000 end", &fd);

    for (uint64_t i = 0; i < 20; i++) {
        completed next;

        CHECK_INT(submit(client, i % 2 == 0 ? "GET poll:large" : "STRLEN poll:large", i), GLIDE_OK);
        next = complete(client);
        if (i % 2 == 0)
            CHECK_INT(next.given.view.value.text.len, 3000003);
        else
            CHECK_INT(next.given.view.value.integer, 3000003);
        drop(&next.given);
    }
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_poll_with_no_room_is_refused_and_takes_nothing)
{
    glide_client client = open_cluster();
    const int fd = glide_client_event_fd(client);
    glide_completion completion;
    size_t count = 9;
    completed next;

    CHECK_INT(submit(client, "PING", 1), GLIDE_OK);
    CHECK(readable(fd, 20000));
    CHECK_INT(glide_client_poll(client, &completion, 0, &count), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(count, 0);
    CHECK_INT(glide_client_poll(client, NULL, 1, &count), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_client_poll(client, &completion, 1, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK(readable(fd, 0));
    next = complete(client);
    CHECK_INT(next.tag, 1);
    drop(&next.given);
    close(fd);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(the_layout_of_a_completion_is_what_the_header_says)
{
    glide_completions_free(NULL, 1);
    CHECK_INT(offsetof(glide_completion, tag), 0);
    CHECK_INT(offsetof(glide_completion, response), 8);
    CHECK_INT(offsetof(glide_completion, status), 8 + sizeof(glide_buffer));
    CHECK_INT(offsetof(glide_completion, kind), 12 + sizeof(glide_buffer));
    CHECK_INT(sizeof(glide_completion), 16 + sizeof(glide_buffer));
}

TEST(clients_that_were_never_submitted_to_can_be_polled_and_closed)
{
    glide_client client = open_cluster();

    CHECK(complete_nothing(client));
    CHECK_INT(glide_client_close(client), GLIDE_OK);
    CHECK(complete_nothing(client));
}
