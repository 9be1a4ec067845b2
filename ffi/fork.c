/* See fork.h. */
#define _GNU_SOURCE
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "copy.h"
#include "fork.h"
#include "host.h"
#include "shim.h"
#include "ticket.h"

/* Where a handle counts forks: above its generation, below its kind; see table.go. */
#define ONE_FORK (UINT64_C(1) << 52)
#define FORKS (UINT64_C(0xff) << 52)

static atomic_int left;    /* the runtime stayed behind in the parent */
static atomic_int process; /* the one that it runs in */
/* On a page that the kernel empties in a child; NULL where it does not. */
static const volatile int *here;

/* Held while the copy is loaded, and by a thread that forks: its child must not find the loader
 * half-way. It tells errors, so that what another holds is not unlocked. */
static const pthread_mutex_t unlocked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t gate = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;

static struct copy copy;
static atomic_int loaded, loading;
static int half_way; /* the fork came while another thread was in the loader */

enum { PATIENCE = 10 }; /* seconds that a thread waits for another that is loading the copy */

/* ---- Forks --------------------------------------------------------------------------------- */

/* Of runtime/cgo: a thread that has called Go calls it again when it ends, through this. Weak,
 * since cgo links this file once without the runtime; a test sees that the runtime has it. */
extern void (*x_crosscall2_ptr)(void (*)(void *), void *, int, size_t) __attribute__((weak));

static const struct r_debug *loader; /* what the loader tells debuggers; NULL where not known */

/* find_loader - for the main program, which comes first. Its own _r_debug may be a stale copy. */
static int find_loader(struct dl_phdr_info *program, size_t size, void *nothing)
{
    const ElfW(Dyn) *entry = NULL;

    (void)size, (void)nothing;
    for (int i = 0; i < program->dlpi_phnum; i++)
        if (program->dlpi_phdr[i].p_type == PT_DYNAMIC)
            entry = (const void *)(program->dlpi_addr + program->dlpi_phdr[i].p_vaddr);
    for (; entry != NULL && entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_DEBUG)
            loader = (const void *)entry->d_un.d_ptr;
    return 1;
}

/* loader_busy - whether a thread is adding or removing a library. A child that is forked then has
 * a loader that aborts the process when it is used. */
static int loader_busy(void)
{
    return loader != NULL && loader->r_state != RT_CONSISTENT;
}

static struct timespec after_seconds(int seconds)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += seconds;
    return time;
}

static void before_fork(void)
{
    const struct timespec pause = {.tv_nsec = 1000000}, limit = after_seconds(1);

    /* Loading takes milliseconds. But glibc before 2.36 runs this under a lock that the copy's own
     * call of pthread_atfork waits for, so there is a limit to the wait. */
    if (pthread_mutex_clocklock(&gate, CLOCK_MONOTONIC, &limit) == 0 && !left)
        copy_reserve();
    for (int i = 0; i < 100 && loader_busy(); i++)
        nanosleep(&pause, NULL);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&gate);
}

static void leave(void)
{
    gate = unlocked;
    if (&x_crosscall2_ptr != NULL)
        x_crosscall2_ptr = NULL;
    host_restore_handlers();
    left = 1;
}

static void after_fork_in_child(void)
{
    gate = unlocked;
    half_way |= loading || loader_busy();
    if (!left)
        leave();
}

/* mark - leave a mark that no child has, however it was forked (MADV_WIPEONFORK, Linux 4.14). To
 * look for it takes no system call, which to ask for the process does. */
static void mark(void)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    int *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return;
    if (madvise(page, size, MADV_WIPEONFORK) != 0) {
        munmap(page, size);
        return;
    }
    *page = 1;
    here = page;
}

/* elsewhere - whether this is another process than that of the runtime. */
static int elsewhere(void)
{
    return here != NULL ? !*here : getpid() != process;
}

/* A process may be forked without the handlers: with clone() or _Fork(), or by a thread that was
 * forking already when another registered them, as the copy does when it is loaded. */
int forked(void)
{
    static atomic_flag leaving = ATOMIC_FLAG_INIT;

    if (!left && elsewhere()) {
        if (!atomic_flag_test_and_set(&leaving))
            leave();
        while (!left)
            sched_yield();
    }
    return left;
}

/* Of a priority, so that it runs before Go's constructor, which has none. */
__attribute__((constructor(101))) static void start(void)
{
    process = getpid();
    mark();
    host_keep();
    copy_keep();
    dl_iterate_phdr(find_loader, NULL);
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* ---- The log ------------------------------------------------------------------------------- */

/* What glide_set_log() was told last; the gate guards it, so that no fork comes half-way. */
static struct {
    int told;
    int32_t level;
    glide_log_callback callback;
    void *context;
} log_wanted;

void fork_keep_log(int32_t level, glide_log_callback callback, void *context)
{
    const int locked = pthread_mutex_lock(&gate) == 0;

    log_wanted.told = 1;
    log_wanted.level = level;
    log_wanted.callback = callback;
    log_wanted.context = context;
    if (locked)
        pthread_mutex_unlock(&gate);
}

/* ---- The copy ------------------------------------------------------------------------------ */

/* load - have a copy, loaded by the first call that needs it; else why not. A failure may pass, so
 * the next call tries again. */
static int load(char *why, size_t room)
{
    const struct timespec limit = after_seconds(PATIENCE);
    int error;

    if (loaded)
        return 1;
    error = pthread_mutex_clocklock(&gate, CLOCK_MONOTONIC, &limit);
    if (error != 0) {
        snprintf(why, room, "another thread is loading it, or forking: %s", strerror(error));
        return 0;
    }
    if (half_way) {
        snprintf(why, room, "another thread was loading a library when this process was forked");
    } else if (!loaded) {
        loading = 1;
        loaded = copy_load(&copy, why, room);
        if (loaded && log_wanted.told)
            copy.glide_set_log(log_wanted.level, log_wanted.callback, log_wanted.context);
        loading = 0;
    }
    pthread_mutex_unlock(&gate);
    return loaded;
}

/* need_copy - GLIDE_OK once there is one. */
static glide_status need_copy(glide_buffer *response)
{
    char why[640], message[768];

    if (load(why, sizeof why))
        return GLIDE_OK;
    snprintf(message, sizeof message,
             "this process is a forked child and cannot load its copy of the library: %s", why);
    return fail(response, GLIDE_ERR_FORKED, message);
}

/* judge - whose handle it is: GLIDE_OK for one of the copy, which is made what the copy calls
 * it. */
static glide_status judge(uint64_t *handle)
{
    if (*handle == 0)
        return GLIDE_ERR_INVALID_ARGUMENT;
    if ((*handle & FORKS) == 0)
        return GLIDE_ERR_FORKED;
    if (!loaded)
        return GLIDE_ERR_INVALID_ARGUMENT;
    *handle -= ONE_FORK;
    return GLIDE_OK;
}

static glide_status admit(uint64_t *handle, glide_buffer *response)
{
    const uint64_t given = *handle;
    const glide_status status = judge(handle);
    char message[64];

    if (status == GLIDE_ERR_FORKED)
        return fail(response, status,
                    "the handle was opened before this process was forked; open a new one in "
                    "the child");
    if (status == GLIDE_ERR_INVALID_ARGUMENT) {
        snprintf(message, sizeof message, "handle %#llx was never given out",
                 (unsigned long long)given);
        return fail(response, status, message);
    }
    return status;
}

/* stamp - count one fork more in a handle of the copy. */
static glide_status stamp(uint64_t *handle, glide_status (*close)(uint64_t), glide_buffer *response)
{
    if ((*handle & FORKS) == FORKS) {
        close(*handle);
        *handle = 0;
        glide_buffer_free(response);
        return fail(response, GLIDE_ERR_FORKED, "this process is more than 255 forks deep");
    }
    *handle += ONE_FORK;
    return GLIDE_OK;
}

/* ---- The functions of glide.h -------------------------------------------------------------- */

int forked_buffer_free(glide_buffer *buffer)
{
    if (!loaded)
        return 0;
    copy.glide_buffer_free(buffer);
    return 1;
}

glide_status forked_schema(glide_buffer *schema)
{
    const glide_status status = need_copy(schema);

    if (status == GLIDE_OK)
        return copy.glide_schema(schema);
    glide_buffer_free(schema);
    return status;
}

/* pass_interrupts - have the copy ask this thread's hook, through this library, which knows when
 * the hook is running. */
static void pass_interrupts(void)
{
    copy.glide_on_interrupt(interruptible() ? interrupted : NULL);
}

glide_status forked_set_log(int32_t level, glide_log_callback callback, void *context)
{
    if (!loaded)
        return GLIDE_OK;
    pass_interrupts();
    return copy.glide_set_log(level, callback, context);
}

int32_t forked_key_slot(const uint8_t *key, size_t len)
{
    char why[640];

    return load(why, sizeof why) ? copy.glide_key_slot(key, len) : -1;
}

glide_status forked_router_open(const uint8_t *topology, size_t len, glide_router *router,
                                glide_buffer *response)
{
    glide_status status = need_copy(response);

    if (status == GLIDE_OK)
        status = copy.glide_router_open(topology, len, router, response);
    return status != GLIDE_OK ? status : stamp(router, copy.glide_router_close, response);
}

glide_status forked_router_resolve(glide_router router, const uint8_t *request, size_t len,
                                   glide_buffer *response)
{
    const glide_status status = admit(&router, response);

    return status != GLIDE_OK ? status
                              : copy.glide_router_resolve(router, request, len, response);
}

glide_status forked_router_close(glide_router router)
{
    const glide_status status = judge(&router);

    if (status == GLIDE_OK)
        return copy.glide_router_close(router);
    return status == GLIDE_ERR_FORKED ? GLIDE_OK : status; /* the parent closes its own */
}

glide_status forked_client_open(const uint8_t *config, size_t len, glide_client *client,
                                glide_buffer *response)
{
    glide_status status = need_copy(response);

    if (status != GLIDE_OK)
        return status;
    pass_interrupts();
    status = copy.glide_client_open(config, len, client, response);
    return status != GLIDE_OK ? status : stamp(client, copy.glide_client_close, response);
}

glide_status forked_client_execute(glide_client client, const uint8_t *request, size_t len,
                                   glide_buffer *response)
{
    const glide_status status = admit(&client, response);

    if (status != GLIDE_OK)
        return status;
    pass_interrupts();
    return copy.glide_client_execute(client, request, len, response);
}

glide_status forked_client_execute_with(glide_client client, const uint8_t *request, size_t len,
                                        const glide_bytes *args, size_t count,
                                        glide_buffer *response)
{
    const glide_status status = admit(&client, response);

    if (status != GLIDE_OK)
        return status;
    pass_interrupts();
    return copy.glide_client_execute_with(client, request, len, args, count, response);
}

glide_status forked_client_resolve(glide_client client, const uint8_t *request, size_t len,
                                   glide_buffer *response)
{
    const glide_status status = admit(&client, response);

    return status != GLIDE_OK ? status
                              : copy.glide_client_resolve(client, request, len, response);
}

glide_status forked_client_topology(glide_client client, glide_buffer *response)
{
    const glide_status status = admit(&client, response);

    return status != GLIDE_OK ? status : copy.glide_client_topology(client, response);
}

glide_status forked_client_statistics(glide_client client, glide_buffer *response)
{
    const glide_status status = admit(&client, response);

    return status != GLIDE_OK ? status : copy.glide_client_statistics(client, response);
}

glide_status forked_client_close(glide_client client)
{
    const glide_status status = judge(&client);

    if (status == GLIDE_OK)
        return copy.glide_client_close(client);
    return status == GLIDE_ERR_FORKED ? GLIDE_OK : status; /* the parent closes its own */
}

glide_status forked_client_submit(glide_client client, const uint8_t *request, size_t len,
                                  uint64_t tag)
{
    const glide_status status = judge(&client);

    return status != GLIDE_OK ? status : copy.glide_client_submit(client, request, len, tag);
}

int32_t forked_client_event_fd(glide_client client)
{
    const glide_status status = judge(&client);

    return status != GLIDE_OK ? -status : copy.glide_client_event_fd(client);
}

glide_status forked_client_poll(glide_client client, glide_completion *completions, size_t capacity,
                                size_t *count)
{
    const glide_status status = judge(&client);

    return status != GLIDE_OK ? status
                              : copy.glide_client_poll(client, completions, capacity, count);
}

glide_status forked_client_cancel(glide_client client, uint64_t tag)
{
    const glide_status status = judge(&client);

    return status != GLIDE_OK ? status : copy.glide_client_cancel(client, tag);
}

glide_status forked_session_open(glide_client client, const uint8_t *request, size_t len,
                                 glide_session *session, glide_buffer *response)
{
    glide_status status = admit(&client, response);

    if (status != GLIDE_OK)
        return status;
    pass_interrupts();
    status = copy.glide_session_open(client, request, len, session, response);
    return status != GLIDE_OK ? status : stamp(session, copy.glide_session_close, response);
}

glide_status forked_session_execute(glide_session session, const uint8_t *request, size_t len,
                                    glide_buffer *response)
{
    const glide_status status = admit(&session, response);

    if (status != GLIDE_OK)
        return status;
    pass_interrupts();
    return copy.glide_session_execute(session, request, len, response);
}

glide_status forked_session_submit(glide_session session, const uint8_t *request, size_t len,
                                   uint64_t tag)
{
    const glide_status status = judge(&session);

    return status != GLIDE_OK ? status : copy.glide_session_submit(session, request, len, tag);
}

glide_status forked_session_close(glide_session session)
{
    const glide_status status = judge(&session);

    if (status == GLIDE_OK)
        return copy.glide_session_close(session);
    return status == GLIDE_ERR_FORKED ? GLIDE_OK : status; /* the parent closes its own */
}
