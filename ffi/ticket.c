/*
 * Waiting for a call: in C, on the word of its ticket, so that a thread that waits holds nothing
 * of the Go runtime, leaves at its deadline whatever Go does, and hears of signals.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <setjmp.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "_cgo_export.h"
#include "fork.h"
#include "shim.h"
#include "ticket.h"

enum {
    NS_PER_SECOND = 1000000000,
    SLICE_NS = 50000000, /* between two looks for an interrupt */
    GRACE_NS = 40000000, /* that a call has to say itself how it ended at its deadline */
    VIGIL_YIELDS = 16,
    LONG_YIELD_NS = 1500000,  /* the machine ran something else */
    VIGILS_KNOWN = 1024,      /* so many that went well, then those before count half */
    VAIN_EACH = 4,            /* for each thread, before there is a pause */
    LEAST_PAUSE_NS = 8000000, /* the first; each further one is twice as long, */
    MOST_PAUSE_NS = 512000000 /* until so many vigils went well again */
};

static _Thread_local int (*interrupt_hook)(void);

/* Where a call goes on in the child of a fork that its hook made, if the hook comes back there: the
 * call is the parent's, and so is the Go code that asked the hook. */
static _Thread_local jmp_buf *way_out;

glide_status glide_on_interrupt(int (*hook)(void))
{
    interrupt_hook = hook;
    return GLIDE_OK;
}

int interruptible(void)
{
    return interrupt_hook != NULL;
}

int interrupted(void)
{
    int (*hook)(void) = interrupt_hook;
    int wants;

    if (hook == NULL)
        return 0;
    interrupt_hook = NULL; /* nobody asks it while it runs */
    wants = hook();
    if (interrupt_hook == NULL)
        interrupt_hook = hook;
    if (way_out != NULL && forked())
        longjmp(*way_out, 1);
    return wants;
}

static int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

/*
 * To put a thread to sleep and to wake it costs more than the rest of a call, and whoever leads a call
 * ends it soon as a rule. So a thread that waits stays awake for a moment, a vigil, and lets others
 * run. That is in vain where the server is far away, or where the machine runs something else
 * meanwhile: when most vigils were, and some for each thread, no thread keeps any for a while. Each
 * for itself would not do, since those who yield come after those who are woken. The first such
 * pause is short, since what disturbed may be over, as the making of the connections is.
 */
static struct {
    int64_t from; /* none before that */
    int waiting;  /* threads at present, those asleep included */
    int well, vain;
    int pause; /* the next one, in ns */
} vigils = {.pause = LEAST_PAUSE_NS};

/* vigil_ended - note how a vigil went. The counts may miss one of two at the same time. */
static void vigil_ended(int well, int64_t now)
{
    const int waiting = __atomic_load_n(&vigils.waiting, __ATOMIC_RELAXED);
    int vain, pause;

    if (well) {
        if (__atomic_add_fetch(&vigils.well, 1, __ATOMIC_RELAXED) < VIGILS_KNOWN)
            return;
        vain = __atomic_load_n(&vigils.vain, __ATOMIC_RELAXED);
        __atomic_store_n(&vigils.pause, LEAST_PAUSE_NS, __ATOMIC_RELAXED);
        __atomic_store_n(&vigils.well, VIGILS_KNOWN / 2, __ATOMIC_RELAXED);
        __atomic_store_n(&vigils.vain, vain / 2, __ATOMIC_RELAXED);
        return;
    }
    vain = __atomic_add_fetch(&vigils.vain, 1, __ATOMIC_RELAXED);
    if (vain < VAIN_EACH * waiting || vain < __atomic_load_n(&vigils.well, __ATOMIC_RELAXED))
        return;
    /* After that one for each thread is enough. */
    pause = __atomic_load_n(&vigils.pause, __ATOMIC_RELAXED);
    __atomic_store_n(&vigils.from, now + pause, __ATOMIC_RELAXED);
    if (pause < MOST_PAUSE_NS)
        __atomic_store_n(&vigils.pause, 2 * pause, __ATOMIC_RELAXED);
    __atomic_store_n(&vigils.vain, (VAIN_EACH - 1) * waiting, __ATOMIC_RELAXED);
    __atomic_store_n(&vigils.well, (VAIN_EACH - 1) * waiting, __ATOMIC_RELAXED);
}

/* keep_vigil - stay awake for a moment, not beyond a time, and return whether the state of the ticket
 * has changed; 0: no such time. */
static int keep_vigil(const glide_ticket *ticket, int64_t until)
{
    int64_t now = monotonic_ns(), before;
    int changed = 0, alone = 1;

    if (now < __atomic_load_n(&vigils.from, __ATOMIC_RELAXED))
        return 0;
    for (int left = VIGIL_YIELDS; !changed && alone && left > 0; left--) {
        if (until != 0 && now >= until)
            return 0;
        before = now;
        sched_yield();
        now = monotonic_ns();
        changed = __atomic_load_n(&ticket->state, __ATOMIC_SEQ_CST) != TICKET_RUNNING;
        alone = now - before < LONG_YIELD_NS;
    }
    vigil_ended(changed && alone, now);
    return changed;
}

/* doze - sleep until the state of the ticket changes, a signal comes, or a time; 0: no such time.
 * Returns 1 where it was a signal, or where the thread is to look for an interrupt anyway. */
static int doze(glide_ticket *ticket, int64_t until)
{
    uint32_t expected = TICKET_RUNNING;
    struct timespec timeout, *limit = NULL;
    int64_t left = INT64_MAX;
    int signalled;

    if (until != 0)
        left = until - monotonic_ns();
    if (interrupt_hook != NULL && left > SLICE_NS)
        left = SLICE_NS;
    if (left <= 0)
        return 0;
    if (left != INT64_MAX) {
        timeout.tv_sec = left / NS_PER_SECOND;
        timeout.tv_nsec = left % NS_PER_SECOND;
        limit = &timeout;
    }
    if (!__atomic_compare_exchange_n(&ticket->state, &expected, TICKET_ASLEEP, 0, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return 0;
    signalled = syscall(SYS_futex, &ticket->state, FUTEX_WAIT_PRIVATE, TICKET_ASLEEP, limit, NULL,
                        0) != 0 &&
                (errno == EINTR || errno == ETIMEDOUT);
    expected = TICKET_ASLEEP;
    __atomic_compare_exchange_n(&ticket->state, &expected, TICKET_RUNNING, 0, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
    return signalled && interrupt_hook != NULL;
}

/* rest - wait until the state of the ticket changes, awake at first: see doze. */
static int rest(glide_ticket *ticket, int64_t until)
{
    int look;

    __atomic_add_fetch(&vigils.waiting, 1, __ATOMIC_RELAXED);
    look = !keep_vigil(ticket, until) && doze(ticket, until);
    __atomic_sub_fetch(&vigils.waiting, 1, __ATOMIC_RELAXED);
    return look;
}

static glide_status wait_for(glide_ticket *ticket, int64_t began)
{
    /* Only what follows a deadline that passed, or an interrupt, moves these on. */
    int64_t deadline = ticket->wait_ns == 0 ? 0 : began + ticket->wait_ns;
    int last = 0;

    for (;;) {
        switch (__atomic_load_n(&ticket->state, __ATOMIC_SEQ_CST)) {
        case TICKET_DONE:
            return ticket->status;
        case TICKET_LEAD:
            __atomic_store_n(&ticket->state, TICKET_RUNNING, __ATOMIC_SEQ_CST);
            glideGoCallLead(ticket);
            continue;
        }
        if (rest(ticket, deadline) && interrupted() &&
            glideGoCallLeave(ticket, GLIDE_ERR_CANCELLED, 1))
            return ticket->status;
        if (deadline == 0 || monotonic_ns() < deadline)
            continue;
        if (glideGoCallLeave(ticket, GLIDE_ERR_TIMEOUT, last))
            return ticket->status;
        /* It is being answered. */
        deadline = last ? 0 : monotonic_ns() + GRACE_NS;
        last = 1;
    }
}

glide_status ticket_call(ticket_begin *begin, uint64_t handle, const uint8_t *bytes, size_t len,
                         glide_ticket *ticket)
{
    const int64_t began = monotonic_ns();
    jmp_buf here, *const outer = way_out;
    glide_status status;

    if (interrupt_hook != NULL) {
        if (_setjmp(here) != 0) {
            way_out = outer;
            return fail(&ticket->response, GLIDE_ERR_FORKED,
                        "this process was forked during the call, which is its parent's");
        }
        way_out = &here;
    }
    begin(handle, bytes, len, ticket);
    status = wait_for(ticket, began);
    way_out = outer;
    return status;
}
