/* See encode.h. */
#include "encode.h"

#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "request.h"

enum { /* CommandRequest */
    BATCH = 3,
    BATCH_RETRY_SERVER = 5,
    BATCH_RETRY_CONNECTION = 6
};

/* The CommandRequest of a call with one command. */
bool encode_command(call_line *call, wire_writer *request)
{
    wire_bytes *words = calloc(call->rest_count + 1, sizeof *words);
    request_command one = {.words = words, .word_count = call->rest_count, .outcomes = true};

    if (words == NULL)
        return false;
    call_words(call, 0, call->rest_count, words);
    one.route = call_route(call);
    one.timeout_ms = call_number(call, "timeout_ms");
    one.response_policy = call_choice(call, "policy", answer_policies);
    request_encode_command(request, &one);
    free(words);
    return !request->failed;
}

/* put_choice - a flag of a batch that a caller may leave open. */
static void put_choice(call_line *call, const char *option, wire_writer *request, uint32_t field)
{
    if (call_option(call, option) != NULL)
        wire_put_bool(request, field, call_number(call, option) != 0);
}

/* The CommandRequest of a call with several commands, "/" between them. */
bool encode_batch(call_line *call, wire_writer *request)
{
    wire_bytes *words = calloc(call->rest_count + 1, sizeof *words);
    request_words *commands = calloc(call->rest_count + 1, sizeof *commands);
    request_batch several = {.commands = commands, .atomic = call_number(call, "atomic") != 0};
    size_t first = 0, inner;

    for (size_t i = 0; words != NULL && commands != NULL && i <= call->rest_count; i++) {
        if (i < call->rest_count && strcmp(call->rest[i], "/") != 0)
            continue;
        if (call->rest_count == 0)
            break;
        call_words(call, first, i, words + first);
        commands[several.command_count++] = (request_words){words + first, i - first};
        first = i + 1;
    }
    several.route = call_route(call);
    several.raise_on_error = call_number(call, "raise") != 0;
    several.timeout_ms = call_number(call, "timeout_ms");
    if (words == NULL || commands == NULL || !request_encode_batch(request, &several))
        request->failed = true;
    inner = wire_begin(request, BATCH);
    put_choice(call, "retry_server", request, BATCH_RETRY_SERVER);
    put_choice(call, "retry_connection", request, BATCH_RETRY_CONNECTION);
    wire_end(request, inner);
    free(words);
    free(commands);
    return !request->failed;
}

/* The CommandRequest of a step of a cluster scan. */
bool encode_scan(call_line *call, wire_writer *request)
{
    char *match = call_option(call, "match");
    request_scan step = {.count = call_number(call, "count"), .type = call_option(call, "type")};

    if (call->rest_count != 1)
        call_fault(call, "scan takes one cursor");
    else
        step.cursor = call_bytes(call, call->rest[0]);
    if (match != NULL)
        step.match = call_bytes(call, match);
    step.allow_gaps = call_number(call, "allow_non_covered") != 0;
    return request_encode_scan(request, &step);
}
