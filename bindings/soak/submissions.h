/*
 * submissions.h - the asynchronous functions of glide.h, as entries of the soak.
 *
 * Any thread may poll what another submitted, so each takes as many completions as it submitted,
 * whosever they are: then none is left, and none is waited for that does not come.
 */
#ifndef SUBMISSIONS_H
#define SUBMISSIONS_H

#include "entries.h"

void submissions_submit(worker *self);
void submissions_in(worker *self, glide_session session);
void submissions_event_fd(worker *self);
void submissions_poll(worker *self);
void submissions_free(worker *self);
void submissions_cancel(worker *self);

#endif /* SUBMISSIONS_H */
