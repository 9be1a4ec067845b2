/* mailboxes.h - the asynchronous form, with several threads on each client. */
#ifndef MAILBOXES_H
#define MAILBOXES_H

/* mailboxes_try - submit, poll, cancel and close; ends the program where something is not as it must
 * be. */
void mailboxes_try(void);

#endif
