/*
 * soak - call every function of glide.h again and again, from several threads, and see that nothing
 * grows.
 *
 *   soak ADDRESSES [--seconds N] [--calls N] [--threads N] [--only PATTERN] [--leak] [--names]
 *
 * To be run with GOGC=10 in the environment: garbage that waits to be collected would hide a leak.
 *
 * One function after another is called, up to --calls times each (1,000,000) within --seconds in
 * all (30; 0: no limit); then all of them at once, on clients that are closed and opened meanwhile.
 * After each there is a line: the calls, the memory that 1,000 of them cost by least squares, and
 * what is open. Where something grows it is named, and the exit code is 1. --only takes the functions
 * whose names an extended regular expression matches, and calls no other; --leak leaves things
 * behind on purpose; --names prints the functions.
 */
#define _GNU_SOURCE
#include <regex.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "entries.h"
#include "gauge.h"

enum { THREADS_MAX = 64, WARM_CALLS = 2000, SAMPLES = 60, SETTLE_MS = 20000 };

/* What may grow without being a leak: Go's heap breathes, and so does malloc. Beyond it the limit is
 * BYTES_PER_1000 for each 1,000 calls. */
enum { RESIDENT_SLACK = 4 << 20, ALLOCATED_SLACK = 64 << 10, BYTES_PER_1000 = 1000 };
/* Threads of the Go runtime come as they are needed and stay. */
enum { THREADS_SLACK = 16 };

typedef struct phase {
    const char *name;
    void (*call)(worker *self);
    field *on;
    uint64_t calls_max; /* of all threads together */
    uint64_t least;     /* that are made also after the end */
    double end;         /* by the clock; 0: none */
    atomic_uint_fast64_t begun, done;
} phase;

typedef struct options {
    const char *addresses;
    double seconds;
    uint64_t calls;
    int threads;
    bool some; /* only those that it matches */
    regex_t only;
    bool leak, names;
} options;

static double clock_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void nap(long milliseconds)
{
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};

    nanosleep(&pause, NULL);
}

/* ---- One phase ------------------------------------------------------------------------------- */

static void *work(void *argument)
{
    phase *during = argument;
    worker self = {.on = during->on, .target = during->on->client};

    for (;;) {
        self.turn = during->begun++;
        if (self.turn >= during->calls_max ||
            (self.turn >= during->least && during->end != 0 && clock_seconds() >= during->end))
            break;
        during->call(&self);
        during->done++;
    }
    return NULL;
}

/* run - make the calls of a phase; the slope is of the resident memory after the first quarter. */
static slope run(phase *during, int threads)
{
    const double began = clock_seconds();
    pthread_t ids[THREADS_MAX];
    double xs[SAMPLES * 4], ys[SAMPLES * 4];
    slope line = {0};
    int taken = 0;
    long pause = 20;

    if (during->end > began)
        pause = (long)((during->end - began) * 1000 / SAMPLES) + 1;
    for (int i = 0; i < threads; i++)
        EXPECT(pthread_create(&ids[i], NULL, work, during) == 0);
    while (during->begun < during->calls_max &&
           (during->end == 0 || clock_seconds() < during->end || during->done < during->least)) {
        nap(pause);
        if (taken == SAMPLES * 4) { /* keep every other one, and go on half as often */
            for (taken = 0; taken < SAMPLES * 2; taken++) {
                xs[taken] = xs[taken * 2];
                ys[taken] = ys[taken * 2];
            }
            pause *= 2;
        }
        xs[taken] = (double)during->done;
        ys[taken++] = (double)gauge_resident();
    }
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    for (int i = taken / 4; i < taken; i++)
        slope_add(&line, xs[i], ys[i]);
    return line;
}

/* settled - what is left when the goroutines of the phase have ended. */
static gauge settled(const field *on, const gauge *before)
{
    gauge now;

    for (int waited = 0;; waited += 20) {
        now = gauge_read(on->client);
        if (waited >= SETTLE_MS || (now.goroutines <= before->goroutines && now.calls == 0 &&
                                    now.files <= before->files))
            return now;
        nap(20);
    }
}

/* ---- Judging --------------------------------------------------------------------------------- */

static int flaws;

static void limit(const char *phase_name, const char *what, double value, double most)
{
    if (value <= most)
        return;
    flaws++;
    printf("GROWS %s: %s is %.0f, at most %.0f would be flat\n", phase_name, what, value, most);
}

static double most_bytes(double slack, uint64_t calls)
{
    const double allowed = (double)calls / 1000 * BYTES_PER_1000;

    return allowed > slack ? allowed : slack;
}

static void judge(const phase *during, slope line, const gauge *before, const gauge *after,
                  const gauge *first)
{
    const char *name = during->name;
    const uint64_t calls = during->done;
    const double per_1000 = slope_per_1000(&line);
    const double grown = per_1000 * (double)calls / 1000;
    const int64_t allocated = after->allocated - before->allocated;

    printf("%-24s %9llu %10.0f %10.1f %10.1f %8lld %7lld %8lld %7lld %7lld\n", name,
           (unsigned long long)calls, per_1000, (double)allocated / 1024,
           (double)after->heap / 1024, (long long)after->handles, (long long)after->goroutines,
           (long long)after->threads, (long long)after->connections, (long long)after->files);
    limit(name, "growth of resident bytes over its calls", grown, most_bytes(RESIDENT_SLACK, calls));
    limit(name, "growth of bytes of malloc", (double)allocated, most_bytes(ALLOCATED_SLACK, 0));
    limit(name, "open handles", (double)after->handles, (double)before->handles);
    limit(name, "calls that the library takes for running", (double)after->calls, 0);
    limit(name, "goroutines", (double)after->goroutines, (double)first->goroutines);
    limit(name, "threads", (double)after->threads, (double)first->threads + THREADS_SLACK);
    limit(name, "descriptors that are no connections", (double)after->files, (double)first->files);
}

static phase phase_of(field *on, size_t number)
{
    const bool mixed = number == entry_count;

    return (phase){.name = mixed ? "all at once" : entries[number].name,
                   .call = mixed ? entries_mixed : entries[number].call,
                   .least = mixed ? 1000 : entries[number].least,
                   .on = on};
}

static bool chosen(const options *given, const phase *what)
{
    return !given->some || regexec(&given->only, what->name, 0, NULL, 0) == 0;
}

/* ---- The program ----------------------------------------------------------------------------- */

/* warm_up - call everything for a while, so that every connection and every thread that the calls
 * need is there. Returns what is then open. */
static gauge warm_up(field *on, const options *given)
{
    gauge now, before;

    entries_share(on);
    for (size_t i = 0; i <= entry_count; i++) {
        phase warm = phase_of(on, i);

        if (!chosen(given, &warm))
            continue;
        warm.calls_max = given->calls < WARM_CALLS ? given->calls : WARM_CALLS;
        run(&warm, given->threads);
    }
    entries_unshare(on);
    EXPECT(glide_set_log(GLIDE_LOG_OFF, NULL, NULL) == GLIDE_OK);
    now = gauge_read(on->client);
    do { /* until what the calls began has ended */
        before = now;
        nap(100);
        now = gauge_read(on->client);
    } while (now.goroutines < before.goroutines);
    return now;
}

static int soak(const options *given)
{
    const double began = clock_seconds();
    field on = {.leak = false};
    gauge first, before;
    int64_t resident;

    entries_open(&on, given->addresses);
    before = first = warm_up(&on, given);
    resident = first.resident;
    on.leak = given->leak;
    printf("%-24s %9s %10s %10s %10s %8s %7s %8s %7s %7s\n", "function", "calls", "B/1000",
           "malloc KiB", "Go KiB", "handles", "gorout.", "threads", "conn.", "files");
    for (size_t i = 0; i <= entry_count; i++) {
        phase during = phase_of(&on, i);
        const double now = clock_seconds(), left = began + given->seconds - now;
        gauge after;
        slope line;

        if (!chosen(given, &during))
            continue;
        during.calls_max = given->calls;
        if (during.least > given->calls)
            during.least = given->calls;
        if (given->seconds > 0)
            during.end = now + (left > 0 ? left / (double)(entry_count + 1 - i) : 0.001);
        if (i == entry_count)
            entries_share(&on);
        line = run(&during, given->threads);
        if (i == entry_count)
            entries_unshare(&on);
        EXPECT(glide_set_log(GLIDE_LOG_OFF, NULL, NULL) == GLIDE_OK);
        after = settled(&on, &first);
        judge(&during, line, &before, &after, &first);
        before = after;
    }
    printf("resident memory: %.1f MiB after the warm-up, %.1f MiB at the end\n",
           (double)resident / (1 << 20), (double)before.resident / (1 << 20));
    entries_close(&on);
    printf("%s: %d things grow\n", flaws == 0 ? "flat" : "NOT FLAT", flaws);
    return flaws == 0 ? 0 : 1;
}

static bool read_options(int argc, char **argv, options *given)
{
    *given = (options){.seconds = 30, .calls = 1000000, .threads = 4};
    for (int i = 1; i < argc; i++) {
        const bool valued = i + 1 < argc;

        if (strcmp(argv[i], "--leak") == 0)
            given->leak = true;
        else if (strcmp(argv[i], "--names") == 0)
            given->names = true;
        else if (strcmp(argv[i], "--only") == 0 && valued && !given->some &&
                 regcomp(&given->only, argv[i + 1], REG_EXTENDED | REG_NOSUB) == 0)
            given->some = ++i > 0;
        else if (strcmp(argv[i], "--seconds") == 0 && valued)
            given->seconds = atof(argv[++i]);
        else if (strcmp(argv[i], "--calls") == 0 && valued)
            given->calls = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--threads") == 0 && valued)
            given->threads = atoi(argv[++i]);
        else if (given->addresses == NULL && argv[i][0] != '-')
            given->addresses = argv[i];
        else
            return false;
    }
    return (given->names || given->addresses != NULL) && given->threads >= 1 &&
           given->threads <= THREADS_MAX && given->calls > 0;
}

int main(int argc, char **argv)
{
    options given;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!read_options(argc, argv, &given)) {
        fprintf(stderr, "soak ADDRESSES [--seconds N] [--calls N] [--threads N] [--only PATTERN] "
                        "[--leak] [--names]\n");
        return 2;
    }
    if (!given.names)
        return soak(&given);
    for (size_t i = 0; i < entry_count; i++)
        puts(entries[i].name);
    return 0;
}
