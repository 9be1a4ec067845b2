/*
 * worker.c - one process of the benchmark: one backend, one operation, one or several phases of so
 * many threads each. It prints what it measured as a line of JSON.
 *
 *     worker backend=build/bench/c/backend-libglide.so addresses=127.0.0.1:7001,... operation=get
 *            size=100 keys=1000 threads=1,64,1 seconds=0.25 [count=20000] [flight=100]
 *            [library=...]
 *
 * With a count each phase ends after so many operations, without a warm-up before; else after so
 * many seconds. With a flight the one thread keeps so many operations under way, by the
 * asynchronous form of the library. It ends with 1, and says why on the standard error, when a call
 * fails or an answer is wrong.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "fault.h"
#include "flight.h"
#include "options.h"
#include "process.h"
#include "samples.h"
#include "workload.h"

#define WARM_UP_NS 50000000u

/* ---- Threads ----------------------------------------------------------------------------- */

typedef struct phase {
    const options *given;
    const workload *load;
    /* Where all threads and the one that measures meet: when the warm-up is over, when that one
     * has looked, when the last operation is done, when that one has looked again. */
    pthread_barrier_t gate;
} phase;

typedef struct thread {
    phase *phase;
    pthread_t id;
    size_t first; /* index of the first key */
    size_t count; /* operations; 0: until the time is up */
    samples taken;
    uint64_t began, ended;
} thread;

/* call - run one operation after another. */
static void call(thread *self, void *session)
{
    const workload *load = self->phase->load;
    const bool counted = self->count > 0;
    const uint64_t duration = options_duration(self->phase->given);
    size_t index = self->first;
    uint64_t before, after;

    self->began = before = process_clock();
    do {
        workload_run(load, session, index++, counted);
        after = process_clock();
        samples_keep(&self->taken, after - before);
        before = after;
    } while (counted ? self->taken.count < self->count : after - self->began < duration);
    self->ended = after;
}

/* fly - keep operations under way. */
static void fly(thread *self, void *session)
{
    const options *given = self->phase->given;

    self->began = process_clock();
    self->ended = flight_run(self->phase->load, session, given->flight, self->first,
                             options_duration(given), false, &self->taken);
}

static void warm_up(const thread *self, void *session)
{
    const uint64_t end = process_clock() + WARM_UP_NS;
    const workload *load = self->phase->load;

    if (self->phase->given->flight > 0) {
        flight_run(load, session, self->phase->given->flight, self->first, WARM_UP_NS, true, NULL);
        return;
    }
    for (size_t index = self->first; process_clock() < end; index++)
        workload_run(load, session, index, true);
}

static void *run_thread(void *argument)
{
    thread *self = argument;
    const backend *used = self->phase->load->backend;
    void *session = used->join();

    if (self->count == 0)
        warm_up(self, session);
    pthread_barrier_wait(&self->phase->gate);
    pthread_barrier_wait(&self->phase->gate);
    if (self->phase->given->flight > 0)
        fly(self, session);
    else
        call(self, session);
    pthread_barrier_wait(&self->phase->gate);
    pthread_barrier_wait(&self->phase->gate);
    used->leave(session);
    return NULL;
}

/* ---- Phases ------------------------------------------------------------------------------ */

static void print_phase(const thread *threads, size_t count, uint64_t cpu_us)
{
    uint64_t began = threads[0].began, ended = threads[0].ended;

    for (size_t i = 1; i < count; i++) {
        began = threads[i].began < began ? threads[i].began : began;
        ended = threads[i].ended > ended ? threads[i].ended : ended;
    }
    printf("{\"threads\": %zu, \"wall_ns\": %llu, \"cpu_us\": %llu, \"latencies_ns\": [", count,
           (unsigned long long)(ended - began), (unsigned long long)cpu_us);
    for (size_t i = 0; i < count; i++)
        samples_print(&threads[i].taken, i == 0);
    printf("]}");
}

/* run_phase - run so many threads, and print what came of it. Returns how many operations the
 * first thread ran, which began with the first key. */
static size_t run_phase(const options *given, const workload *load, size_t count)
{
    phase shared = {.given = given, .load = load};
    thread *threads = process_room(count, sizeof *threads);
    uint64_t cpu_us;
    size_t ran;

    pthread_barrier_init(&shared.gate, NULL, (unsigned)count + 1);
    for (size_t i = 0; i < count; i++) {
        threads[i] = (thread){
            .phase = &shared,
            .first = i * given->keys / count,
            .count = (given->count + count - 1) / count,
            .taken = samples_open(),
        };
        if (pthread_create(&threads[i].id, NULL, run_thread, &threads[i]) != 0)
            fault("thread %zu of %zu cannot be started", i + 1, count);
    }
    pthread_barrier_wait(&shared.gate);
    cpu_us = process_cpu_us();
    pthread_barrier_wait(&shared.gate);
    pthread_barrier_wait(&shared.gate);
    cpu_us = process_cpu_us() - cpu_us;
    pthread_barrier_wait(&shared.gate);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i].id, NULL);
    print_phase(threads, count, cpu_us);
    ran = threads[0].taken.count;
    for (size_t i = 0; i < count; i++)
        samples_close(&threads[i].taken);
    free(threads);
    pthread_barrier_destroy(&shared.gate);
    return ran;
}

/* ---- The process ------------------------------------------------------------------------- */

/* check - that what was given makes sense. */
static void check(const options *given)
{
    if (given->backend == NULL || given->operation == NULL || given->address_count == 0 ||
        given->phase_count == 0)
        fault("backend=, operation=, addresses= and threads= are needed");
    for (size_t i = 0; i < given->phase_count; i++)
        if (given->flight > 0 && (given->phases[i] != 1 || given->count > 0))
            fault("flight= is for one thread, and for so many seconds");
}

int main(int argc, char **argv)
{
    const options given = options_read(argc, argv);
    const backend_options connection = {
        .addresses = given.addresses,
        .address_count = given.address_count,
        .library = given.library,
        .request_timeout_ms = OPTIONS_TIMEOUT_MS,
        .connection_timeout_ms = OPTIONS_TIMEOUT_MS,
        .in_flight = given.flight,
    };
    const uint64_t resident_kib = process_resident_kib(), began = process_clock();
    const backend *used = options_load(given.backend);
    const uint64_t loaded = process_clock();
    uint64_t opened, peak_kib;
    size_t ran = 0;
    void *session;
    workload load;

    check(&given);
    used->open(&connection);
    opened = process_clock();
    load = workload_open(used, given.operation, given.size, given.keys);
    printf("{\"phases\": [");
    for (size_t i = 0; i < given.phase_count; i++) {
        printf(i == 0 ? "" : ", ");
        ran = run_phase(&given, &load, given.phases[i]);
    }
    peak_kib = process_peak_kib();
    session = used->join();
    workload_prove(&load, session, ran);
    used->leave(session);
    used->close();
    workload_close(&load);
    printf("], \"import_ns\": %llu, \"connect_ns\": %llu, \"resident_kib\": %llu, "
           "\"peak_kib\": %llu}\n",
           (unsigned long long)(loaded - began), (unsigned long long)(opened - loaded),
           (unsigned long long)resident_kib, (unsigned long long)peak_kib);
    return 0;
}
