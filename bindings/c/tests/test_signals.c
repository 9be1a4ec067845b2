/* The host's own signal handlers, with the library loaded and a client in use: in a process, and in
 * its forked child, where the handlers are there before the copy of the library is loaded. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, NSIG */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "children.h"
#include "live.h"

enum { FAULTS = 3, RINGS = 50 };

static atomic_int caught; /* signals */

static void catch_signal(int number)
{
    (void)number;
    caught++;
}

static struct sigaction replaced;

static void install(int number, void (*handler)(int))
{
    struct sigaction own = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

    caught = 0;
    CHECK(sigaction(number, &own, &replaced) == 0);
}

static void restore(int number)
{
    CHECK(sigaction(number, &replaced, NULL) == 0);
}

/* check_usable - that a client answers, and is closed. */
static void check_usable(glide_client client)
{
    answer given = run(client, "PING", NO_ROUTE);

    CHECK_TEXT(given.view.value.text, "PONG");
    drop(&given);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

/* in_process_and_child - a test here, where the library was loaded before the handler is installed,
 * and in a child, where the copy is loaded after it. */
static void in_process_and_child(void (*act)(void *))
{
    act(NULL);
#ifndef __SANITIZE_ADDRESS__ /* see children.h */
    CHECK_CHILD(act, NULL);
#endif
}

/* ---- Faults -------------------------------------------------------------------------------- */

static sigjmp_buf after_fault;
static void *volatile place; /* of the fault, as the handler was told */

static void leave_fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    place = info->si_addr;
    siglongjmp(after_fault, 1);
}

static void read_forbidden(void *nothing)
{
    const struct sigaction own = {.sa_sigaction = leave_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction before;
    glide_client client;

    (void)nothing;
    CHECK(page != MAP_FAILED && sigaction(SIGSEGV, &own, &before) == 0);
    client = open_cluster();
    for (volatile int i = 0; i < FAULTS; i++) {
        place = NULL;
        if (sigsetjmp(after_fault, 1) == 0)
            CHECK(page[i] != page[i]); /* not reached */
        CHECK(place == page + i);
    }
    CHECK(sigaction(SIGSEGV, &before, NULL) == 0);
    CHECK(munmap((void *)page, 4096) == 0);
    check_usable(client);
}

TEST(a_fault_of_the_host_is_handled_by_the_host)
{
    in_process_and_child(read_forbidden);
}

#ifndef __SANITIZE_ADDRESS__ /* which installs a handler of its own */

static void read_fatally(void *nothing)
{
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (nothing != NULL)
        open_cluster();
    _exit(page[0]);
}

TEST(a_fault_without_a_handler_ends_a_child_whether_it_used_the_library_or_not)
{
    int use = 1;

    CHECK_INT(status_of(start_child(read_fatally, NULL)), 1000 + SIGSEGV);
    CHECK_INT(status_of(start_child(read_fatally, &use)), 1000 + SIGSEGV);
}

/* installed - how many signals have a handler. */
static int installed(void)
{
    struct sigaction now;
    int count = 0;

    for (int number = 1; number < NSIG; number++)
        count += sigaction(number, NULL, &now) == 0 && now.sa_handler != SIG_DFL &&
                 now.sa_handler != SIG_IGN;
    return count;
}

static void count_handlers(void *nothing)
{
    CHECK_INT(installed(), 1); /* that of the tests, for SIGALRM */
    (void)nothing;
}

TEST(a_child_has_no_handlers_of_the_runtime_that_it_left)
{
    CHECK(installed() > 1);
    CHECK_CHILD(count_handlers, NULL);
}

#endif

/* ---- Pipes --------------------------------------------------------------------------------- */

/* write_to_nobody - into a pipe that nobody reads; whether that failed as it should. */
static bool write_to_nobody(void)
{
    int ends[2];
    bool failed;

    CHECK(pipe(ends) == 0);
    close(ends[0]);
    failed = write(ends[1], "x", 1) == -1 && errno == EPIPE;
    close(ends[1]);
    return failed;
}

static void break_pipe(void *nothing)
{
    void (*const handlers[])(int) = {catch_signal, SIG_IGN};

    (void)nothing;
    for (int i = 0; i < 2; i++) {
        glide_client client;

        install(SIGPIPE, handlers[i]);
        client = open_cluster();
        CHECK(write_to_nobody());
        CHECK_INT(caught, 1 - i);
        check_usable(client);
        restore(SIGPIPE);
    }
}

TEST(a_broken_pipe_of_the_host_is_handled_by_the_host)
{
    in_process_and_child(break_pipe);
}

static void break_pipe_fatally(void *nothing)
{
    if (nothing != NULL)
        open_cluster();
    write_to_nobody();
}

TEST(a_broken_pipe_without_a_handler_ends_a_child_whether_it_used_the_library_or_not)
{
    int use = 1;

    CHECK_INT(status_of(start_child(break_pipe_fatally, NULL)), 1000 + SIGPIPE);
    CHECK_INT(status_of(start_child(break_pipe_fatally, &use)), 1000 + SIGPIPE);
}

/* ---- Children, interrupts, timers ---------------------------------------------------------- */

static void wait_for_child(void *nothing)
{
    glide_client client;
    pid_t child;
    int status = 0;

    install(SIGCHLD, catch_signal);
    client = open_cluster();
    child = fork();
    if (child == 0)
        _exit(5);
    while (waitpid(child, &status, 0) == -1 && errno == EINTR)
        continue;
    CHECK_INT(WEXITSTATUS(status), 5);
    CHECK_INT(caught, 1);
    check_usable(client);
    restore(SIGCHLD);
    (void)nothing;
}

TEST(the_end_of_a_child_is_told_to_the_host)
{
    in_process_and_child(wait_for_child);
}

static void interrupt(void *nothing)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGURG};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        glide_client client;

        install(numbers[i], catch_signal);
        client = open_cluster();
        CHECK(raise(numbers[i]) == 0);
        CHECK(caught >= 1);
        check_usable(client);
        restore(numbers[i]);
    }
    (void)nothing;
}

TEST(signals_from_outside_reach_the_hosts_handlers)
{
    in_process_and_child(interrupt);
}

static void *block(void *client)
{
    const wire_bytes words[] = {wire_text("BLPOP"), wire_text("signals:empty"), wire_text("1")};
    const request_command blpop = {.words = words, .word_count = 3, .timeout_ms = 30000};
    answer given = run_command(*(glide_client *)client, blpop);

    CHECK_INT(given.status, GLIDE_OK);
    CHECK_INT(given.view.value.kind, RESPONSE_NIL);
    drop(&given);
    return NULL;
}

static void ring(void *nothing)
{
    const struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    const double patience = seconds() + 30;
    glide_client client;
    pthread_t thread;

    install(SIGVTALRM, catch_signal);
    client = open_cluster();
    CHECK(pthread_create(&thread, NULL, block, &client) == 0);
    CHECK(setitimer(ITIMER_VIRTUAL, &often, NULL) == 0);
    while (caught < RINGS && seconds() < patience)
        continue;
    CHECK(setitimer(ITIMER_VIRTUAL, &never, NULL) == 0);
    CHECK(caught >= RINGS);
    pthread_join(thread, NULL);
    check_usable(client);
    restore(SIGVTALRM);
    (void)nothing;
}

TEST(timers_of_the_host_ring_while_a_thread_is_in_a_call)
{
    in_process_and_child(ring);
}

static void signal_thread(void *nothing)
{
    glide_client client;
    pthread_t thread;

    install(SIGUSR1, catch_signal);
    client = open_cluster();
    CHECK(pthread_create(&thread, NULL, block, &client) == 0);
    for (int i = 0; i < 20; i++) {
        nap(10);
        CHECK(pthread_kill(thread, SIGUSR1) == 0);
    }
    pthread_join(thread, NULL);
    CHECK(caught > 0);
    check_usable(client);
    restore(SIGUSR1);
    (void)nothing;
}

TEST(a_signal_to_a_thread_in_a_call_is_handled_and_the_call_goes_on)
{
    in_process_and_child(signal_thread);
}
