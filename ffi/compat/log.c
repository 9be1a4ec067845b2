/*
 * The host's log: lines that bindings write through the library, so that one place decides their
 * form. The library itself logs nothing. No function here enters Go.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"

#define FOLDER "glide-logs"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static Level threshold = WARN;
static char file[NAME_MAX]; /* empty: standard output */

/* result - a LogResult in one block with its text, or without one. */
static LogResult *result(Level level, const char *why)
{
    size_t size = why == NULL ? 0 : strlen(why) + 1;
    LogResult *block = malloc(sizeof *block + size);

    if (block == NULL)
        return NULL;
    *block = (LogResult){NULL, (int)level};
    if (why != NULL)
        block->log_error = memcpy(block + 1, why, size);
    return block;
}

static bool known(int level)
{
    return level >= ERROR && level <= OFF;
}

LogResult *init(const Level *level, const char *file_name)
{
    Level now = level == NULL ? WARN : *level;
    const char *why = NULL;

    pthread_mutex_lock(&lock);
    if (!known((int)now))
        why = "the level is none of 0 (ERROR) to 5 (OFF)";
    /* The hour and its dashes follow the name. */
    else if (file_name != NULL && strlen(file_name) + sizeof ".2000-12-31-23" > sizeof file)
        why = "the name of the log file is too long";
    else if (file_name != NULL && mkdir(FOLDER, 0777) != 0 && errno != EEXIST)
        why = "the folder " FOLDER " cannot be made";
    if (why == NULL) {
        threshold = now;
        strcpy(file, file_name == NULL ? "" : file_name);
    }
    now = threshold;
    pthread_mutex_unlock(&lock);
    return result(now, why);
}

/* open_file - the file of this hour, or standard output. */
static int open_file(const struct tm *time)
{
    char hour[sizeof "2000-12-31-23"];
    char path[sizeof FOLDER + sizeof file + sizeof hour];

    if (file[0] == '\0')
        return STDOUT_FILENO;
    strftime(hour, sizeof hour, "%Y-%m-%d-%H", time);
    snprintf(path, sizeof path, FOLDER "/%s.%s", file, hour);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
}

static bool write_all(int to, const char *line, size_t len)
{
    while (len > 0) {
        ssize_t written = write(to, line, len);

        if (written < 0 && errno != EINTR)
            return false;
        if (written > 0) {
            line += written;
            len -= (size_t)written;
        }
    }
    return true;
}

/* write_line - one line in one write, so that those of several processes do not mix. */
static const char *write_line(int level, const char *identifier, const char *message)
{
    static const char *const names[] = {"ERROR", " WARN", " INFO", "DEBUG", "TRACE"};
    struct timespec now;
    struct tm utc;
    char second[sizeof "2000-12-31T23:59:59"];
    char *line;
    int to, len;
    bool written;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(second, sizeof second, "%Y-%m-%dT%H:%M:%S", &utc);
    len = asprintf(&line, "%s.%06ldZ %s glide_logger: %s - %s\n", second, now.tv_nsec / 1000,
                   names[level], identifier, message);
    if (len < 0)
        return "memory is short";
    to = open_file(&utc);
    written = to >= 0 && write_all(to, line, (size_t)len);
    if (to >= 0 && to != STDOUT_FILENO)
        close(to);
    free(line);
    return written ? NULL : "the log cannot be written";
}

LogResult *glide_log(int level, const char *identifier, const char *message)
{
    const char *why = NULL;
    Level now;

    pthread_mutex_lock(&lock);
    now = threshold;
    if (identifier == NULL || message == NULL)
        why = "the identifier or the message is NULL";
    else if (!known(level))
        why = "the level is none of 0 (ERROR) to 5 (OFF)";
    else if (threshold != OFF && level != OFF && level <= (int)threshold)
        why = write_line(level, identifier, message);
    pthread_mutex_unlock(&lock);
    return result(now, why);
}
