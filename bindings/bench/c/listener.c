/*
 * listener.c - one process of the benchmark that hears messages: how many, and how long each was
 * under way. Its output is that of worker.c.
 *
 *     listener backend=build/bench/c/backend-libglide.so publisher=build/bench/c/backend-socket.so
 *              addresses=127.0.0.1:7001,... size=100 flight=1000 seconds=0.25 [library=...]
 *
 * A child process publishes on a sharded channel. It has `flight` messages under way and publishes
 * more when half of them were heard, so that nothing is ever dropped. Each message says when it was
 * published, and which one it is: the next one must follow.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"
#include "options.h"
#include "process.h"
#include "samples.h"

enum { PUBLISHED_AT_ONCE = 100, STAMP = 32, SIZE_MAX_BYTES = 1 << 20 };

#define WARM_UP_NS 50000000u

static const char channel[] = "heard";

static backend_options connection_of(const options *given)
{
    return (backend_options){
        .addresses = given->addresses,
        .address_count = given->address_count,
        .library = given->library,
        .request_timeout_ms = OPTIONS_TIMEOUT_MS,
        .connection_timeout_ms = OPTIONS_TIMEOUT_MS,
    };
}

/* ---- The child that publishes -------------------------------------------------------------- */

static void ignore(void *context, wire_bytes text)
{
    (void)context;
    (void)text;
}

/* publish - as many messages, the first of them with this number. */
static void publish(const backend *used, void *session, char *texts, size_t size, uint64_t first,
                    size_t count)
{
    const uint64_t now = process_clock();
    wire_bytes words[PUBLISHED_AT_ONCE][3];
    backend_command commands[PUBLISHED_AT_ONCE];
    char stamp[STAMP + 1];

    for (size_t i = 0; i < count; i++) {
        snprintf(stamp, sizeof stamp, "%016" PRIx64 "%016" PRIx64, now, first + i);
        memcpy(texts + i * size, stamp, STAMP);
        words[i][0] = wire_text("SPUBLISH");
        words[i][1] = wire_text(channel);
        words[i][2] = (wire_bytes){(const uint8_t *)texts + i * size, size};
        commands[i] = (backend_command){.words = words[i], .count = 3};
    }
    used->batch(session, commands, count, (backend_reader){ignore, NULL});
}

/* run_publisher - publish as many messages as the numbers say that can be read, until the end. */
_Noreturn static void run_publisher(const options *given, int wanted)
{
    const backend_options connection = connection_of(given);
    const backend *used = options_load(given->publisher);
    char *texts = process_room(PUBLISHED_AT_ONCE, given->size);
    uint64_t published = 0;
    size_t count;
    void *session;

    memset(texts, 'x', PUBLISHED_AT_ONCE * given->size);
    used->open(&connection);
    session = used->join();
    while (read(wanted, &count, sizeof count) == sizeof count)
        while (count > 0) {
            const size_t now = count < PUBLISHED_AT_ONCE ? count : PUBLISHED_AT_ONCE;

            publish(used, session, texts, given->size, published, now);
            published += now;
            count -= now;
        }
    _exit(0);
}

/* ---- Hearing ------------------------------------------------------------------------------- */

typedef struct ear {
    pthread_mutex_t lock;
    size_t size, flight;
    int wanted;    /* takes the number of messages that are to be published */
    uint64_t next; /* number of the message that follows */
    size_t unpaid; /* messages heard in whose place none was asked for */
    bool timed;    /* the time is running */
    samples taken;
} ear;

static void want(ear *self, size_t count)
{
    if (write(self->wanted, &count, sizeof count) != sizeof count)
        fault("the publisher is gone");
}

static uint64_t read_hexadecimal(const uint8_t *digits)
{
    char text[STAMP / 2 + 1] = {0};

    memcpy(text, digits, STAMP / 2);
    return strtoull(text, NULL, 16);
}

static void hear(void *context, wire_bytes text)
{
    const uint64_t now = process_clock();
    ear *self = context;

    pthread_mutex_lock(&self->lock);
    if (text.len != self->size || text.data[text.len - 1] != 'x' ||
        read_hexadecimal(text.data + STAMP / 2) != self->next)
        fault("not message %" PRIu64 ", but one of %zu bytes: %.*s", self->next, text.len,
              text.len < 100 ? (int)text.len : 100, (const char *)text.data);
    self->next++;
    if (self->timed)
        samples_keep(&self->taken, now - read_hexadecimal(text.data));
    if (++self->unpaid >= (self->flight + 1) / 2) {
        want(self, self->unpaid);
        self->unpaid = 0;
    }
    pthread_mutex_unlock(&self->lock);
}

/* hear_until - hear messages up to a time. */
static void hear_until(const backend *used, uint64_t end)
{
    const struct timespec moment = {.tv_sec = (time_t)(end / 1000000000u),
                                    .tv_nsec = (long)(end % 1000000000u)};

    if (used->hear == NULL)
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &moment, NULL) != 0)
            ;
    else
        while (process_clock() < end)
            used->hear();
}

static void set_timed(ear *self, bool timed)
{
    pthread_mutex_lock(&self->lock);
    self->timed = timed;
    pthread_mutex_unlock(&self->lock);
}

/* ---- The process --------------------------------------------------------------------------- */

/* start_publisher - the descriptor that takes the numbers of messages. */
static int start_publisher(const options *given)
{
    int ends[2];
    pid_t child;

    if (pipe(ends) != 0 || (child = fork()) < 0)
        fault("the publisher cannot be started");
    if (child == 0) {
        close(ends[1]);
        run_publisher(given, ends[0]);
    }
    close(ends[0]);
    return ends[1];
}

int main(int argc, char **argv)
{
    const options given = options_read(argc, argv);
    ear self = {.lock = PTHREAD_MUTEX_INITIALIZER, .size = given.size, .flight = given.flight};
    backend_options connection = connection_of(&given);
    uint64_t resident_kib, began, loaded, opened, from, until, cpu_us, peak_kib;
    const backend *used;

    if (given.backend == NULL || given.publisher == NULL || given.address_count == 0 ||
        given.flight == 0 || given.size <= STAMP || given.size > SIZE_MAX_BYTES)
        fault("backend=, publisher=, addresses=, flight= and size= (over %d) are needed", STAMP);
    self.wanted = start_publisher(&given);
    self.taken = samples_open();
    connection.channel = channel;
    connection.hearer = (backend_reader){hear, &self};
    resident_kib = process_resident_kib();
    began = process_clock();
    used = options_load(given.backend);
    loaded = process_clock();
    used->open(&connection);
    opened = process_clock();

    want(&self, given.flight);
    hear_until(used, opened + WARM_UP_NS);
    cpu_us = process_cpu_us();
    from = process_clock();
    set_timed(&self, true);
    hear_until(used, from + options_duration(&given));
    set_timed(&self, false);
    until = process_clock();
    cpu_us = process_cpu_us() - cpu_us;
    peak_kib = process_peak_kib();
    used->close();
    close(self.wanted);
    wait(NULL);
    if (self.taken.count == 0)
        fault("no message was heard");
    printf("{\"phases\": [{\"threads\": 1, \"wall_ns\": %" PRIu64 ", \"cpu_us\": %" PRIu64
           ", \"latencies_ns\": [",
           until - from, cpu_us);
    samples_print(&self.taken, true);
    printf("]}], \"import_ns\": %" PRIu64 ", \"connect_ns\": %" PRIu64
           ", \"resident_kib\": %" PRIu64 ", \"peak_kib\": %" PRIu64 "}\n",
           loaded - began, opened - loaded, resident_kib, peak_kib);
    samples_close(&self.taken);
    return 0;
}
