/* See gauge.h. */
#define _GNU_SOURCE
#include "gauge.h"

#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "statistics.h"

enum { SAMPLES_LEAST = 10 }; /* fewer are all chance */

static void fail(const char *what)
{
    fprintf(stderr, "soak: %s\n", what);
    exit(2);
}

int64_t gauge_resident(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    if (file == NULL || fscanf(file, "%ld %ld", &pages, &resident) != 2)
        fail("/proc/self/statm cannot be read");
    fclose(file);
    return (int64_t)resident * sysconf(_SC_PAGESIZE);
}

/* entries - of a folder, without . and .. and the descriptor that reads it. */
static int64_t entries(const char *path, int own)
{
    DIR *folder = opendir(path);
    int64_t count = -2 - own;

    if (folder == NULL)
        fail(path);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

gauge gauge_read(glide_client client)
{
    glide_buffer buffer;
    statistics counted;
    statistics_node node;
    gauge now = {.resident = gauge_resident(), .allocated = (int64_t)mallinfo2().uordblks};

    if (glide_client_statistics(client, &buffer) != GLIDE_OK || !statistics_read(&buffer, &counted))
        fail("the library gives no statistics");
    while (statistics_next_node(&counted.nodes, &node))
        now.connections += node.connections;
    now.heap = (int64_t)counted.process.heap_bytes;
    now.handles = counted.process.handles;
    now.calls = counted.process.calls;
    now.goroutines = counted.process.goroutines;
    glide_buffer_free(&buffer);
    now.threads = entries("/proc/self/task", 0);
    now.files = entries("/proc/self/fd", 1) - now.connections;
    return now;
}

void slope_add(slope *line, double calls, double bytes)
{
    line->count++;
    line->x += calls;
    line->y += bytes;
    line->xx += calls * calls;
    line->xy += calls * bytes;
}

double slope_per_1000(const slope *line)
{
    const double spread = line->count * line->xx - line->x * line->x;

    if (line->count < SAMPLES_LEAST || spread <= 0)
        return 0;
    return 1000 * (line->count * line->xy - line->x * line->y) / spread;
}
