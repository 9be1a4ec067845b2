/* See handle.h. */
#include "handle.h"

#include <stdio.h>
#include <string.h>

enum { HANDLES = 64 };

static handle handles[HANDLES];

/* place - the handle of a name, or a free one for "". */
static handle *place(const char *name)
{
    for (size_t i = 0; i < HANDLES; i++)
        if (strcmp(handles[i].name, name) == 0)
            return &handles[i];
    return NULL;
}

handle *handle_find(call_line *call)
{
    handle *found = *call->subject == '\0' ? NULL : place(call->subject);

    if (found == NULL)
        call_fault(call, "nothing has that name");
    return found;
}

void handle_keep(call_line *call, bool router, uint64_t number)
{
    handle *kept = place(call->subject);

    if (kept == NULL)
        kept = place("");
    if (kept == NULL || strlen(call->subject) >= sizeof kept->name) {
        call_fault(call, "too many names, or one that is too long");
        return;
    }
    snprintf(kept->name, sizeof kept->name, "%s", call->subject);
    kept->router = router;
    kept->number = number;
}
