/*
 * The functions of glide.h for a program that is not linked with the library: each is looked up in
 * the file that GLIDE_LIBRARY names, which is loaded by the first call.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "glide.h"

/* find - a function's place in the library; the program ends where there is none. */
static void *find(const char *name)
{
    const char *path = getenv("GLIDE_LIBRARY");
    void *library = path == NULL ? NULL : dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *function = library == NULL ? NULL : dlsym(library, name);

    if (function == NULL) {
        fprintf(stderr, "%s in GLIDE_LIBRARY: %s\n", name, dlerror());
        exit(2);
    }
    return function;
}

#define FUNCTION(result, name, parameters, arguments)                                              \
    result name parameters                                                                         \
    {                                                                                              \
        static __typeof__(name) *function;                                                         \
                                                                                                   \
        if (function == NULL)                                                                      \
            *(void **)&function = find(#name);                                                     \
        return function arguments;                                                                 \
    }

FUNCTION(const char *, glide_status_name, (glide_status status), (status))
FUNCTION(void, glide_buffer_free, (glide_buffer * buffer), (buffer))
FUNCTION(glide_status, glide_client_open,
         (const uint8_t *config, size_t len, glide_client *client, glide_buffer *response),
         (config, len, client, response))
FUNCTION(glide_status, glide_client_execute,
         (glide_client client, const uint8_t *request, size_t len, glide_buffer *response),
         (client, request, len, response))
FUNCTION(glide_status, glide_client_execute_with,
         (glide_client client, const uint8_t *request, size_t len, const glide_bytes *args,
          size_t count, glide_buffer *response),
         (client, request, len, args, count, response))
FUNCTION(glide_status, glide_client_resolve,
         (glide_client client, const uint8_t *request, size_t len, glide_buffer *response),
         (client, request, len, response))
FUNCTION(glide_status, glide_client_close, (glide_client client), (client))
FUNCTION(glide_status, glide_session_open,
         (glide_client client, const uint8_t *request, size_t len, glide_session *session,
          glide_buffer *response),
         (client, request, len, session, response))
FUNCTION(glide_status, glide_client_submit,
         (glide_client client, const uint8_t *request, size_t len, uint64_t tag),
         (client, request, len, tag))
FUNCTION(glide_status, glide_session_execute,
         (glide_session session, const uint8_t *request, size_t len, glide_buffer *response),
         (session, request, len, response))
FUNCTION(glide_status, glide_session_submit,
         (glide_session session, const uint8_t *request, size_t len, uint64_t tag),
         (session, request, len, tag))
