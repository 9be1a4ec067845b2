/* See options.h. */
#include "options.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "workload.h"

static size_t read_number(const char *text)
{
    char *end;
    const unsigned long long number = strtoull(text, &end, 10);

    if (end == text || (*end != '\0' && *end != ','))
        fault("\"%s\" is no number", text);
    return (size_t)number;
}

/* read_address - "host:port", which is divided at its last colon. */
static backend_address read_address(char *text)
{
    char *colon = strrchr(text, ':');

    if (colon == NULL)
        fault("\"%s\" is no host:port", text);
    *colon = '\0';
    return (backend_address){wire_text(text), (uint32_t)read_number(colon + 1)};
}

static void read_addresses(options *given, char *list)
{
    char *rest = NULL;

    for (char *text = strtok_r(list, ",", &rest); text != NULL; text = strtok_r(NULL, ",", &rest)) {
        if (given->address_count == BACKEND_ADDRESSES_MAX)
            fault("more than %d addresses", BACKEND_ADDRESSES_MAX);
        given->addresses[given->address_count++] = read_address(text);
    }
}

static void read_phases(options *given, char *list)
{
    char *rest = NULL;

    for (char *text = strtok_r(list, ",", &rest); text != NULL; text = strtok_r(NULL, ",", &rest)) {
        if (given->phase_count == OPTIONS_PHASES_MAX)
            fault("more than %d phases", OPTIONS_PHASES_MAX);
        given->phases[given->phase_count++] = read_number(text);
    }
}

static void read_argument(options *given, char *argument)
{
    char *value = strchr(argument, '=');

    if (value == NULL)
        fault("\"%s\" is no name=value", argument);
    *value++ = '\0';
    if (strcmp(argument, "backend") == 0)
        given->backend = value;
    else if (strcmp(argument, "library") == 0)
        given->library = value;
    else if (strcmp(argument, "publisher") == 0)
        given->publisher = value;
    else if (strcmp(argument, "operation") == 0)
        given->operation = value;
    else if (strcmp(argument, "size") == 0)
        given->size = read_number(value);
    else if (strcmp(argument, "keys") == 0)
        given->keys = read_number(value);
    else if (strcmp(argument, "count") == 0)
        given->count = read_number(value);
    else if (strcmp(argument, "flight") == 0)
        given->flight = read_number(value);
    else if (strcmp(argument, "seconds") == 0)
        given->seconds = strtod(value, NULL);
    else if (strcmp(argument, "threads") == 0)
        read_phases(given, value);
    else if (strcmp(argument, "addresses") == 0)
        read_addresses(given, value);
    else
        fault("no argument is called \"%s\"", argument);
}

options options_read(int argc, char **argv)
{
    options given = {.keys = 1, .size = WORKLOAD_MARK};

    for (int i = 1; i < argc; i++)
        read_argument(&given, argv[i]);
    return given;
}

uint64_t options_duration(const options *given)
{
    return (uint64_t)(given->seconds * 1e9);
}

const backend *options_load(const char *path)
{
    void *const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const backend *found;

    if (library == NULL)
        fault("%s", dlerror());
    found = dlsym(library, "bench_backend");
    if (found == NULL)
        fault("%s has no bench_backend", path);
    return found;
}
