/* Handles: only those that were given out and not closed work, and no other one harms. */
#include <stdint.h>

#include "check.h"
#include "live.h"

/* every_call - the status with which all calls answer a handle; -1 where they differ. Each must
 * fill its response with an error of that status. Closing comes last. */
static glide_status every_call(glide_client client)
{
    wire_bytes words[] = {wire_text("PING")};
    request_command ping = {.words = words, .word_count = 1};
    answer executed = run_command(client, ping), resolved = resolve_command(client, ping);
    const glide_status status = executed.status;
    bool same = resolved.status == status;
    glide_buffer buffer;
    response view;

    same = glide_client_topology(client, &buffer) == status && same;
    CHECK(response_read(&buffer, &view));
    CHECK_INT(view.error.status, status);
    glide_buffer_free(&buffer);
    CHECK(status == GLIDE_OK || executed.view.error.message.len > 0);
    drop(&executed);
    drop(&resolved);
    return glide_client_close(client) == status && same ? status : -1;
}

TEST(handle_0_is_refused)
{
    CHECK_INT(every_call(0), GLIDE_ERR_INVALID_ARGUMENT);
}

TEST(a_made_up_handle_is_refused)
{
    static const glide_client made_up[] = {
        1, 2, UINT32_MAX, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 1,
    };

    for (size_t i = 0; i < sizeof made_up / sizeof made_up[0]; i++)
        CHECK_INT(every_call(made_up[i]), GLIDE_ERR_INVALID_ARGUMENT);
}

TEST(a_refused_handle_is_named)
{
    answer given = run(UINT64_C(0xabcdef0123456789), "PING", NO_ROUTE);

    CHECK_HAS(given.view.error.message, "0xabcdef0123456789");
    drop(&given);
}

TEST(a_handle_near_a_good_one_is_refused)
{
    glide_client client = open_cluster();
    answer given;

    for (int bit = 0; bit < 64; bit++) { /* another place, another generation, whichever it is */
        const glide_status status = every_call(client ^ UINT64_C(1) << bit);

        CHECK(status == GLIDE_ERR_INVALID_ARGUMENT || status == GLIDE_ERR_CLOSED);
    }
    CHECK(every_call(client + 1) != GLIDE_OK);
    CHECK(every_call(client - 1) != GLIDE_OK);
    given = run(client, "PING", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_closed_handle_is_known_as_closed)
{
    glide_client client = open_cluster();

    CHECK_INT(glide_client_close(client), GLIDE_OK);
    CHECK_INT(every_call(client), GLIDE_ERR_CLOSED);
}

TEST(closing_twice_harms_nothing)
{
    glide_client client = open_cluster();

    CHECK_INT(glide_client_close(client), GLIDE_OK);
    CHECK_INT(glide_client_close(client), GLIDE_ERR_CLOSED);
    CHECK_INT(glide_client_close(client), GLIDE_ERR_CLOSED);
}

TEST(a_number_is_never_given_out_again)
{
    glide_client earlier[20];

    for (int i = 0; i < 20; i++) {
        earlier[i] = open_cluster();
        for (int j = 0; j < i; j++)
            CHECK(earlier[i] != earlier[j]);
        CHECK_INT(glide_client_close(earlier[i]), GLIDE_OK);
    }
    for (int i = 0; i < 20; i++)
        CHECK_INT(every_call(earlier[i]), GLIDE_ERR_CLOSED);
}

TEST(a_closed_handle_does_not_reach_the_client_that_came_after_it)
{
    glide_client first = open_cluster(), second;
    answer given;

    CHECK_INT(glide_client_close(first), GLIDE_OK);
    second = open_cluster();
    CHECK_INT(every_call(first), GLIDE_ERR_CLOSED);
    given = run(second, "PING", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(second), GLIDE_OK);
}

TEST(two_clients_live_beside_each_other)
{
    glide_client cluster = open_cluster(), standalone = open_standalone();
    answer given;

    CHECK(cluster != standalone);
    CHECK_INT(glide_client_close(cluster), GLIDE_OK);
    given = run(standalone, "PING", NO_ROUTE);
    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(standalone), GLIDE_OK);
}
