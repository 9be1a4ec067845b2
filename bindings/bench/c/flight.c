/* See flight.h. */
#include "flight.h"

#include <stdlib.h>

#include "process.h"

/* A command under way. */
typedef struct command {
    size_t index; /* of its key */
    uint64_t begun;
} command;

typedef struct flight {
    const workload *load;
    void *session;
    command *commands; /* by their tags */
    size_t under_way;
    size_t next; /* index of the key of the next one */
    uint64_t end, now;
    bool whole;
    workload_reply reply; /* the one that is being read */
    samples *taken;
} flight;

static void submit(flight *self, size_t tag)
{
    self->commands[tag] = (command){self->next++, self->now};
    self->under_way++;
    workload_submit(self->load, self->session, self->commands[tag].index, tag);
}

static backend_reader begin(void *context, size_t tag)
{
    flight *self = context;

    self->reply = workload_expect(self->load, self->commands[tag].index, self->whole);
    return workload_reader(&self->reply);
}

static void end(void *context, size_t tag)
{
    flight *self = context;

    workload_finish(&self->reply);
    self->now = process_clock();
    self->under_way--;
    if (self->taken != NULL)
        samples_keep(self->taken, self->now - self->commands[tag].begun);
    if (self->now < self->end)
        submit(self, tag);
}

uint64_t flight_run(const workload *load, void *session, size_t width, size_t first,
                    uint64_t duration_ns, bool whole, samples *taken)
{
    flight self = {
        .load = load,
        .session = session,
        .commands = process_room(width, sizeof(command)),
        .next = first,
        .end = process_clock() + duration_ns,
        .whole = whole,
        .taken = taken,
    };

    for (size_t tag = 0; tag < width; tag++) {
        self.now = process_clock();
        submit(&self, tag);
    }
    while (self.under_way > 0)
        load->backend->collect(session, (backend_sink){begin, end, &self});
    free(self.commands);
    return self.now;
}
