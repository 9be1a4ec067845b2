/* The asynchronous form, as the rest of the shim sees it. */
#ifndef GLIDE_ASYNC_H
#define GLIDE_ASYNC_H

#include "shim.h"

/* mailbox_close - the client has been closed. What is in its mailbox, and what still comes, can be
 * polled; the mailbox goes with the last of it. */
void mailbox_close(glide_client client);

#endif
