/* Clients that come and go, and what is left of them. `make bench` does the same with 10,000. */
#include <dirent.h>

#include "check.h"
#include "live.h"
#include "statistics.h"

enum { CLIENTS = 300 };

/* What the process holds. */
typedef struct holdings {
    statistics_process library;
    int files;
} holdings;

static int open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    CHECK(folder != NULL);
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static holdings look(glide_client client)
{
    holdings now = {.files = open_files()};
    glide_buffer buffer;
    statistics view;

    CHECK_INT(glide_client_statistics(client, &buffer), GLIDE_OK);
    CHECK(statistics_read(&buffer, &view));
    now.library = view.process;
    glide_buffer_free(&buffer);
    return now;
}

static void open_use_and_close(void)
{
    glide_client client = open_cluster();
    answer given = run(client, "PING", request_all_nodes());

    CHECK_INT(given.status, GLIDE_OK);
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* Goroutines of a closed client end a moment after it. */
TEST(clients_that_were_opened_and_closed_leave_no_handle_goroutine_or_descriptor)
{
    glide_client witness = open_cluster();
    holdings before, after;
    double patience;

    open_use_and_close();
    before = look(witness);
    for (int i = 0; i < CLIENTS && !check_failed(); i++)
        open_use_and_close();
    patience = seconds() + 10;
    for (after = look(witness); seconds() < patience; after = look(witness)) {
        if (after.library.goroutines <= before.library.goroutines && after.files <= before.files)
            break;
        nap(10);
    }
    CHECK_INT(after.library.handles, before.library.handles);
    CHECK_INT(after.library.calls, 0);
    CHECK(after.library.goroutines <= before.library.goroutines);
    CHECK(after.files <= before.files);
    CHECK_INT(glide_client_close(witness), GLIDE_OK);
}
