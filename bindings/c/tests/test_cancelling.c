/* Cancelling a request of the asynchronous form. */
#include "check.h"
#include "submitted.h"

/* cancel - cancel a request, whose completion must be the next. */
static answer cancel(glide_client client, uint64_t tag)
{
    completed next;

    CHECK_INT(glide_client_cancel(client, tag), GLIDE_OK);
    next = complete(client);
    CHECK(next.tag == tag);
    CHECK_INT(next.given.status, GLIDE_ERR_CANCELLED);
    CHECK(next.given.view.error.message.len > 0);
    return next.given;
}

TEST(a_request_that_was_not_written_yet_is_never_written_once_it_is_cancelled)
{
    glide_client client = open_cluster();
    completed next;
    answer given;

    pause_node("cancel:queued");
    CHECK_INT(submit_for(client, "SET cancel:queued first", 1, 20000), GLIDE_OK);
    nap(50); /* it is written, or it will be first in any case */
    CHECK_INT(submit(client, "APPEND cancel:queued second", 2), GLIDE_OK);
    CHECK_INT(submit_for(client, "APPEND cancel:queued third", 3, 20000), GLIDE_OK);
    given = cancel(client, 2);
    CHECK(!given.view.error.sent && given.view.error.retryable);
    drop(&given);
    resume_node("cancel:queued");
    for (uint64_t tag = 1; tag <= 3; tag += 2) {
        next = complete(client);
        CHECK(next.tag == tag);
        CHECK_INT(next.given.status, GLIDE_OK);
        drop(&next.given);
    }
    given = run(client, "GET cancel:queued", NO_ROUTE);
    CHECK_TEXT(given.view.value.text, "firstthird");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_request_that_was_written_completes_at_once_when_it_is_cancelled_and_says_so)
{
    glide_client client = open_cluster();
    answer given;

    pause_node("cancel:written");
    CHECK_INT(submit_for(client, "SET cancel:written x", 1, 20000), GLIDE_OK);
    await_blocked("cancel:written", 1); /* the server holds it back */
    given = cancel(client, 1);
    CHECK(given.view.error.sent && !given.view.error.retryable);
    drop(&given);
    resume_node("cancel:written");
    given = run(client, "GET cancel:written", NO_ROUTE);
    CHECK_TEXT(given.view.value.text, "x");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_cancelled_blpop_takes_no_element_afterwards)
{
    glide_client client = open_cluster();
    answer given = run(client, "DEL {cancel}list", NO_ROUTE);

    drop(&given);
    for (int i = 0; i < 20; i++) {
        CHECK_INT(submit(client, "BLPOP {cancel}list 0", 1), GLIDE_OK);
        if (i % 2 == 0)
            await_blocked("{cancel}list", 1);
        given = cancel(client, 1);
        drop(&given);
        given = run(client, "RPUSH {cancel}list item", NO_ROUTE);
        CHECK_INT(given.view.value.integer, 1);
        drop(&given);
        given = run(client, "LPOP {cancel}list", NO_ROUTE);
        CHECK_TEXT(given.view.value.text, "item");
        drop(&given);
    }
    await_blocked("{cancel}list", 0);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_read_that_blocks_is_not_sent_again_when_it_is_cancelled)
{
    glide_client client = open_cluster();
    answer given;

    CHECK_INT(submit(client, "XREAD BLOCK 0 STREAMS {cancel}stream $", 1), GLIDE_OK);
    await_blocked("{cancel}stream", 1);
    given = cancel(client, 1);
    CHECK(given.view.error.sent);
    drop(&given);
    await_blocked("{cancel}stream", 0);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_request_to_all_nodes_is_cancelled_as_a_whole)
{
    glide_client client = open_cluster();
    completed next;

    pause_node("cancel:all");
    CHECK_INT(submit_for(client, "FLUSHALL", 1, 20000), GLIDE_OK);
    await_blocked("cancel:all", 1);
    CHECK_INT(glide_client_cancel(client, 1), GLIDE_OK);
    next = complete(client);
    CHECK_INT(next.tag, 1);
    CHECK_INT(next.given.status, GLIDE_ERR_CANCELLED);
    CHECK(next.given.view.error.message.len > 0);
    drop(&next.given);
    resume_node("cancel:all");
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(cancelling_what_has_ended_changes_nothing_and_an_unknown_tag_is_refused)
{
    glide_client client = open_cluster();
    completed next;

    CHECK_INT(glide_client_cancel(client, 1), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(submit(client, "SET cancel:ended x", 1), GLIDE_OK);
    await_blocked("cancel:ended", 0);
    nap(100); /* it has ended, and waits to be polled */
    CHECK_INT(glide_client_cancel(client, 1), GLIDE_OK);
    CHECK_INT(glide_client_cancel(client, 2), GLIDE_ERR_INVALID_ARGUMENT);
    next = complete(client);
    CHECK_INT(next.tag, 1);
    CHECK_INT(next.given.status, GLIDE_OK);
    drop(&next.given);
    CHECK(complete_nothing(client));
    CHECK_INT(glide_client_cancel(client, 1), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(requests_that_are_cancelled_as_they_end_complete_once)
{
    enum { COUNT = 500 };
    glide_client client = open_cluster();
    answer answers[COUNT];

    for (uint64_t i = 0; i < COUNT; i++) {
        CHECK_INT(submit(client, i % 5 == 0 ? "BLPOP {cancel}race 0" : "GET cancel:race", i),
                  GLIDE_OK);
        CHECK_INT(glide_client_cancel(client, i), GLIDE_OK);
    }
    complete_all(client, answers, COUNT);
    for (int i = 0; i < COUNT; i++) {
        CHECK(answers[i].status == GLIDE_ERR_CANCELLED ||
              (i % 5 != 0 && answers[i].status == GLIDE_OK));
        drop(&answers[i]);
    }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
