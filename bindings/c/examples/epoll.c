/*
 * epoll - two descriptors in one loop: commands come from the standard input, a line each, and
 * replies go to the standard output as they arrive.
 *
 *     printf 'SET a 1\nGET a\nBLPOP none 1\nPING\n' | epoll HOST:PORT,HOST:PORT,...
 *
 * Each reply has the number of its line in front. A command does not wait for the one before it,
 * so the reply of a slow one comes later; those for one node are run in their order.
 */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "request.h"
#include "response.h"

enum { AT_ONCE = 64, LINE_MAX_BYTES = 4096, WORDS_MAX = 256 };

/* What came from the standard input and has no end of line yet. */
struct input {
    char text[LINE_MAX_BYTES];
    size_t len;
    uint64_t lines;
    int ended;
};

static void print_value(response_value value)
{
    response_value item;

    switch (value.kind) {
    case RESPONSE_BULK:
    case RESPONSE_SIMPLE:
    case RESPONSE_VERBATIM:
    case RESPONSE_BIG_NUMBER:
    case RESPONSE_ERROR:
        printf("%.*s", WIRE_PRINT(value.text));
        break;
    case RESPONSE_INTEGER:
    case RESPONSE_BOOLEAN:
        printf("%lld", (long long)value.integer);
        break;
    case RESPONSE_DOUBLE:
        printf("%g", value.number);
        break;
    case RESPONSE_ARRAY:
    case RESPONSE_SET:
    case RESPONSE_MAP:
        putchar('[');
        for (int i = 0; response_next_value(&value.items, &item); i++) {
            printf("%s", i == 0 ? "" : ", ");
            print_value(item);
        }
        putchar(']');
        break;
    default:
        printf("(nil)");
    }
}

static void print_completion(const glide_completion *done)
{
    response reply;

    response_read(&done->response, &reply);
    printf("%llu: ", (unsigned long long)done->tag);
    if (done->status == GLIDE_OK)
        print_value(reply.value);
    else
        printf("%s: %.*s", glide_status_name(done->status), WIRE_PRINT(reply.error.message));
    putchar('\n');
}

/* submit - run a line, whose number is its tag; 1 where it will complete. */
static int submit(glide_client client, const char *line, uint64_t number)
{
    wire_bytes words[WORDS_MAX];
    request_command command = {.words = words};
    glide_status status;

    command.word_count = request_split(line, words, WORDS_MAX);
    if (command.word_count == 0)
        return 0;
    status = request_submit(client, &command, number);
    if (status != GLIDE_OK)
        printf("%llu: %s\n", (unsigned long long)number, glide_status_name(status));
    return status == GLIDE_OK;
}

/* take_input - submit the lines that are there; the number of those that will complete. */
static int take_input(glide_client client, struct input *input)
{
    ssize_t got = read(STDIN_FILENO, input->text + input->len, LINE_MAX_BYTES - 1 - input->len);
    char *line = input->text, *end;
    int begun = 0;

    if (got <= 0) { /* the end; what is left is a line too, and so is one that fills the room */
        input->ended = 1;
        input->text[input->len] = '\0';
        return input->len > 0 && submit(client, input->text, ++input->lines);
    }
    input->len += (size_t)got;
    input->text[input->len] = '\0';
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        begun += submit(client, line, ++input->lines);
        line = end + 1;
    }
    input->len = strlen(line);
    memmove(input->text, line, input->len + 1);
    return begun;
}

/* take_completions - print what has ended; the number of those, or -1 where there was an error. */
static int take_completions(glide_client client)
{
    glide_completion completions[AT_ONCE];
    size_t count;

    if (glide_client_poll(client, completions, AT_ONCE, &count) != GLIDE_OK)
        return -1;
    for (size_t i = 0; i < count; i++)
        print_completion(&completions[i]);
    glide_completions_free(completions, count);
    fflush(stdout);
    return (int)count;
}

/* run - until the input has ended and every command has its reply. */
static int run(glide_client client, int replies, int loop)
{
    struct epoll_event commands_ready = {.events = EPOLLIN, .data = {.fd = STDIN_FILENO}};
    struct epoll_event replies_ready = {.events = EPOLLIN, .data = {.fd = replies}};
    struct input input = {.len = 0};
    int under_way = 0;

    if (epoll_ctl(loop, EPOLL_CTL_ADD, replies, &replies_ready) < 0 ||
        epoll_ctl(loop, EPOLL_CTL_ADD, STDIN_FILENO, &commands_ready) < 0)
        return 1;
    while (!input.ended || under_way > 0) {
        struct epoll_event ready;
        int ended;

        if (epoll_wait(loop, &ready, 1, -1) < 1)
            continue;
        if (ready.data.fd == STDIN_FILENO) {
            under_way += take_input(client, &input);
            if (input.ended)
                epoll_ctl(loop, EPOLL_CTL_DEL, STDIN_FILENO, &commands_ready);
            continue;
        }
        ended = take_completions(client);
        if (ended < 0)
            return 1;
        under_way -= ended;
    }
    return 0;
}

int main(int argc, char **argv)
{
    request_address addresses[16];
    request_connection connection = {.addresses = addresses};
    glide_client client;
    glide_buffer buffer;
    response reply;
    int fd, loop, result = 1;

    connection.address_count = argc == 2 ? request_addresses(argv[1], addresses, 16) : 0;
    if (connection.address_count == 0) {
        fprintf(stderr, "usage: %s HOST:PORT,HOST:PORT,... < commands\n", argv[0]);
        return 2;
    }
    if (request_open(&connection, &client, &buffer) != GLIDE_OK) {
        response_read(&buffer, &reply);
        fprintf(stderr, "%.*s\n", WIRE_PRINT(reply.error.message));
        glide_buffer_free(&buffer);
        return 1;
    }
    glide_buffer_free(&buffer);
    fd = glide_client_event_fd(client);
    loop = epoll_create1(EPOLL_CLOEXEC);
    if (fd >= 0 && loop >= 0)
        result = run(client, fd, loop);
    close(loop);
    close(fd);
    glide_client_close(client);
    return result;
}
