/* Results that are made without the core, and what frees those of any make. */
#include <string.h>

#include "shim.h"

/* Every result is one block that begins with its CommandResult. */
typedef struct {
    CommandResult result;
    CommandError error;
    char message[];
} refusal;

CommandResult *compat_refuse(int type, const char *message)
{
    size_t size = strlen(message) + 1;
    refusal *block = malloc(sizeof *block + size);

    if (block == NULL)
        return NULL;
    memcpy(block->message, message, size);
    block->error = (CommandError){block->message, type};
    block->result = (CommandResult){NULL, &block->error, block};
    return &block->result;
}

void free_command_result(CommandResult *result)
{
    free(result);
}

void free_command_response(CommandResponse *response)
{
    if (response != NULL)
        free(response->user_data);
}

void free_response_arena(void *arena)
{
    free(arena);
}

void free_c_string(char *text)
{
    free(text);
}

/* A response is one block with its message, too. */
typedef struct {
    ConnectionResponse response;
    char message[];
} unconnected;

ConnectionResponse *compat_unconnected(int type, const char *message)
{
    size_t size = strlen(message) + 1;
    unconnected *block = malloc(sizeof *block + size);

    if (block == NULL)
        return NULL;
    memcpy(block->message, message, size);
    block->response = (ConnectionResponse){NULL, block->message, type};
    return &block->response;
}

void free_connection_response(ConnectionResponse *response)
{
    free(response);
}

void free_script_hash_buffer(ScriptHashBuffer *buffer)
{
    free(buffer); /* one block with its digits */
}

void free_drop_script_error(char *message)
{
    free(message);
}

void free_log_result(LogResult *result)
{
    free(result); /* one block with its text */
}

void free_pipe_error_string(char *message)
{
    free(message);
}

void free_pubsub_pointer_payload(uint8_t *payload, size_t len)
{
    (void)len;
    free(payload);
}

void noop_success_callback(uintptr_t request_id, const CommandResponse *response)
{
    (void)request_id;
    (void)response;
}

void noop_failure_callback(uintptr_t request_id, const char *message, int error_type)
{
    (void)request_id;
    (void)message;
    (void)error_type;
}
