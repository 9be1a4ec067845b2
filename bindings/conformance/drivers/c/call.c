/* See call.h. */
#include "call.h"

#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \r\n";
static char nothing[] = "";

bool call_read(char *line, call_line *call)
{
    size_t count = 0;
    size_t room = strlen(line) / 2 + 2;
    char *left = NULL;

    memset(call, 0, sizeof *call);
    call->words = calloc(room, sizeof *call->words);
    if (call->words == NULL)
        return false;
    for (char *word = strtok_r(line, blanks, &left); word != NULL;
         word = strtok_r(NULL, blanks, &left))
        call->words[count++] = word;
    call->name = count > 0 ? call->words[0] : "";
    call->subject = count > 1 ? call->words[1] : nothing;
    call->options = call->words + (count < 2 ? count : 2);
    while (call->options + call->option_count < call->words + count &&
           strchr(call->options[call->option_count], '=') != NULL)
        call->option_count++;
    call->rest = call->options + call->option_count;
    call->rest_count = (size_t)(call->words + count - call->rest);
    return true;
}

void call_free(call_line *call)
{
    free(call->words);
    memset(call, 0, sizeof *call);
}

void call_fault(call_line *call, const char *fault)
{
    if (call->fault == NULL)
        call->fault = fault;
}

/* is_option - whether a word is the option of that name, which has `len` characters. */
static bool is_option(const char *word, const char *name, size_t len)
{
    return strncmp(word, name, len) == 0 && word[len] == '=';
}

void call_only(call_line *call, const char *names)
{
    for (size_t i = 0; i < call->option_count; i++) {
        const char *name = names;
        size_t len = strcspn(name, " ");

        while (len > 0 && !is_option(call->options[i], name, len)) {
            name += len + strspn(name + len, " ");
            len = strcspn(name, " ");
        }
        if (len == 0)
            call_fault(call, call->options[i]);
    }
}

char *call_option(const call_line *call, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < call->option_count; i++)
        if (is_option(call->options[i], name, len))
            return call->options[i] + len + 1;
    return NULL;
}

uint32_t call_number(call_line *call, const char *name)
{
    const char *text = call_option(call, name);
    char *end = NULL;
    unsigned long number;

    if (text == NULL)
        return 0;
    number = strtoul(text, &end, 10);
    if (end == text || *end != '\0' || number > UINT32_MAX)
        call_fault(call, text);
    return (uint32_t)number;
}

/* digit - the value of a hexadecimal digit, 16 where it is none. */
static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    return 16;
}

wire_bytes call_bytes(call_line *call, char *word)
{
    size_t len = strlen(word);

    if (strcmp(word, "-") == 0)
        return (wire_bytes){NULL, 0};
    for (size_t i = 0; i < len; i += 2) {
        unsigned high = digit(word[i]);
        unsigned low = digit(word[i + 1]);

        if (high > 15 || low > 15) {
            call_fault(call, word);
            return (wire_bytes){NULL, 0};
        }
        word[i / 2] = (char)(high * 16 + low);
    }
    return (wire_bytes){(const uint8_t *)word, len / 2};
}

void call_words(call_line *call, size_t from, size_t to, wire_bytes *bytes)
{
    for (size_t i = from; i < to; i++)
        bytes[i - from] = call_bytes(call, call->rest[i]);
}

/* read_number - a number with a sign; false where it is none. */
static bool read_number(const char *text, int32_t *number)
{
    char *end = NULL;
    long value = strtol(text, &end, 10);

    *number = (int32_t)value;
    return end != text && *end == '\0' && value >= INT32_MIN && value <= INT32_MAX;
}

/* begins - what follows the beginning of a text, NULL where it begins otherwise. */
static char *begins(char *text, const char *beginning)
{
    size_t len = strlen(beginning);

    return strncmp(text, beginning, len) == 0 ? text + len : NULL;
}

/* slot_route - "key:primary:HEX" or "id:replica:-1"; no route where it is neither. */
static request_route slot_route(call_line *call, char *text)
{
    static const char *const roles[] = {"primary:", "replica:"};
    char *key = begins(text, "key:");
    char *id = begins(text, "id:");

    for (unsigned i = 0; i < 2; i++) {
        request_slot_type type = i == 0 ? REQUEST_PRIMARY : REQUEST_REPLICA;
        char *word = key != NULL ? begins(key, roles[i]) : id != NULL ? begins(id, roles[i]) : NULL;
        int32_t slot = 0;

        if (word != NULL && key != NULL)
            return request_slot_key(type, call_bytes(call, word));
        if (word != NULL && read_number(word, &slot))
            return request_slot_id(type, slot);
    }
    return (request_route){.kind = REQUEST_NO_ROUTE};
}

request_route call_route(call_line *call)
{
    char *text = call_option(call, "route");
    request_route route = {.kind = REQUEST_NO_ROUTE};
    char *host, *port;
    int32_t number = 0;

    if (text == NULL)
        return route;
    if (strcmp(text, "all-nodes") == 0)
        return request_all_nodes();
    if (strcmp(text, "all-primaries") == 0)
        return request_all_primaries();
    if (strcmp(text, "random") == 0)
        return request_random_node();
    host = begins(text, "address:");
    port = host == NULL ? NULL : strchr(host, ':');
    if (port != NULL && read_number(port + 1, &number)) {
        *port = '\0';
        return request_by_address(call_bytes(call, host), number);
    }
    route = slot_route(call, text);
    if (route.kind == REQUEST_NO_ROUTE)
        call_fault(call, text);
    return route;
}

uint32_t call_choice(call_line *call, const char *option, const char *const *names)
{
    const char *text = call_option(call, option);
    uint32_t place = 0;

    if (text == NULL)
        return 0;
    while (names[place] != NULL && strcmp(names[place], text) != 0)
        place++;
    if (names[place] == NULL)
        call_fault(call, text);
    return place;
}
