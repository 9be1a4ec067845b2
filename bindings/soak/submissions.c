/* See submissions.h. */
#define _GNU_SOURCE
#include "submissions.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { TOGETHER = 8, WORDS_MAX = 8, PATIENCE_MS = 120000 };

/* How a request may end, which its tag says to whoever polls it. */
enum { ENDS_WELL, IS_REFUSED, IS_NO_REQUEST, MAY_BE_CANCELLED, MAY_BE_CLOSED, ENDINGS };

/* tag_for - one that no other request has. */
static uint64_t tag_for(worker *self, int ending)
{
    return __atomic_add_fetch(&self->on->tags, 1, __ATOMIC_SEQ_CST) * ENDINGS + (uint64_t)ending;
}

/* check_end - a request ended as its tag says that it may; or CLOSED where others close the client. */
static void check_end(const worker *self, const glide_completion *ended)
{
    static const glide_status endings[ENDINGS] = {GLIDE_OK, GLIDE_ERR_SERVER, GLIDE_ERR_DECODE,
                                                  GLIDE_ERR_CANCELLED, GLIDE_ERR_CLOSED};
    const unsigned ending = (unsigned)(ended->tag % ENDINGS);

    if (ended->status == endings[ending] ||
        (ending >= MAY_BE_CANCELLED && ended->status == GLIDE_OK) ||
        (self->disturbed && ended->status == GLIDE_ERR_CLOSED))
        return;
    entries_fail(ended->status, endings[ending], &ended->response);
}

/* admitted - whether the client took a request; where others close it, it may not. */
static bool admitted(const worker *self, glide_status status)
{
    EXPECT(status == GLIDE_OK || (self->disturbed && status == GLIDE_ERR_CLOSED));
    return status == GLIDE_OK;
}

static bool submit_line(worker *self, const char *line, uint64_t tag)
{
    wire_bytes words[WORDS_MAX];
    const request_command command = {.words = words,
                                     .word_count = request_split(line, words, WORDS_MAX)};

    return admitted(self, request_submit(self->target, &command, tag));
}

/* submit_some - of each kind that ends by itself; the number of those that were admitted. */
static size_t submit_some(worker *self, size_t count)
{
    size_t begun = 0;

    for (size_t i = 0; i < count; i++)
        switch ((self->turn + i) % 16) {
        case 3:
            begun += submit_line(self, "LPUSH soak:text x", tag_for(self, IS_REFUSED));
            break;
        case 7:
            begun += admitted(self, glide_client_submit(self->target, (const uint8_t *)"x", 1,
                                                        tag_for(self, IS_NO_REQUEST)));
            break;
        case 11:
            begun += submit_line(self, "MGET soak:a soak:b soak:c", tag_for(self, ENDS_WELL));
            break;
        default:
            begun += submit_line(self, i % 2 ? "SET soak:key value" : "GET soak:key",
                                 tag_for(self, ENDS_WELL));
        }
    return begun;
}

/* free_taken - one by one, or in one call; now and then one is left behind on purpose. */
static void free_taken(worker *self, glide_completion *taken, size_t count, bool together)
{
    if (entries_leaks(self) && count > 0)
        taken[0].response = (glide_buffer){NULL, 0};
    if (together)
        glide_completions_free(taken, count);
    for (size_t i = 0; i < count; i++) {
        glide_buffer_free(&taken[i].response);
        EXPECT(taken[i].response.data == NULL);
    }
}

/* await - the descriptor is readable. A signal of the Go runtime may end the wait of a thread that has
 * just come out of it, and poll() is not restarted. */
static void await(struct pollfd *waiting)
{
    int ready;

    do
        ready = poll(waiting, 1, PATIENCE_MS);
    while (ready < 0 && errno == EINTR);
    EXPECT(ready == 1);
}

/* take - so many completions, for which it waits on a descriptor of its own. */
static void take(worker *self, size_t count, bool together)
{
    glide_completion taken[TOGETHER];
    struct pollfd waiting = {.events = POLLIN};
    size_t found;

    if (count == 0)
        return;
    waiting.fd = glide_client_event_fd(self->target);
    EXPECT(waiting.fd >= 0);
    for (; count > 0; count -= found) {
        await(&waiting);
        EXPECT(glide_client_poll(self->target, taken, count, &found) == GLIDE_OK);
        for (size_t i = 0; i < found; i++)
            check_end(self, &taken[i]);
        free_taken(self, taken, found, together);
    }
    EXPECT(close(waiting.fd) == 0);
}

/* The session is closed when a completion has come, which may be another's. */
void submissions_in(worker *self, glide_session session)
{
    const wire_bytes words[] = {wire_text("GET"), wire_text("soak:key")};
    const request_command get = {.words = words, .word_count = 2};

    EXPECT(glide_session_submit(session, NULL, 1, 0) == GLIDE_ERR_INVALID_ARGUMENT);
    if (admitted(self, request_session_submit(session, &get, tag_for(self, MAY_BE_CLOSED))))
        take(self, 1, false);
}

void submissions_submit(worker *self)
{
    EXPECT(glide_client_submit(self->target, NULL, 1, 0) == GLIDE_ERR_INVALID_ARGUMENT);
    take(self, submit_some(self, 1), false);
}

void submissions_poll(worker *self)
{
    glide_completion none;
    size_t found = 1;

    EXPECT(glide_client_poll(self->target, &none, 0, &found) == GLIDE_ERR_INVALID_ARGUMENT);
    EXPECT(found == 0);
    take(self, submit_some(self, TOGETHER), false);
}

void submissions_free(worker *self)
{
    glide_completions_free(NULL, 0);
    take(self, submit_some(self, TOGETHER), true);
}

void submissions_event_fd(worker *self)
{
    const int32_t fd = glide_client_event_fd(self->target);

    EXPECT(fd >= 0 || (self->disturbed && fd == -GLIDE_ERR_CLOSED));
    if (fd >= 0)
        EXPECT(close(fd) == 0);
}

/* Now and then a request that waits on the server, whose connection is closed by it. */
void submissions_cancel(worker *self)
{
    const uint64_t tag = tag_for(self, MAY_BE_CANCELLED);
    const bool waits = self->turn % 64 == 0;
    glide_status status;

    if (!submit_line(self, waits ? "BLPOP soak:empty 0" : "GET soak:key", tag))
        return;
    status = glide_client_cancel(self->target, tag);
    EXPECT(status == GLIDE_OK || status == GLIDE_ERR_INVALID_ARGUMENT || /* it has been polled */
           (self->disturbed && status == GLIDE_ERR_CLOSED));
    take(self, 1, false);
}
