/* get - print the value of a key: get HOST:PORT,HOST:PORT,... KEY */
#include <stdio.h>

#include "request.h"
#include "response.h"

int main(int argc, char **argv)
{
    request_address addresses[16];
    request_connection connection = {.addresses = addresses};
    wire_bytes words[] = {wire_text("GET"), wire_text(argc == 3 ? argv[2] : NULL)};
    request_command get = {.words = words, .word_count = 2};
    glide_client client;
    glide_buffer buffer;
    glide_status status;
    response reply;

    connection.address_count = argc == 3 ? request_addresses(argv[1], addresses, 16) : 0;
    if (connection.address_count == 0) {
        fprintf(stderr, "usage: %s HOST:PORT,HOST:PORT,... KEY\n", argv[0]);
        return 2;
    }
    status = request_open(&connection, &client, &buffer);
    if (status == GLIDE_OK) {
        glide_buffer_free(&buffer);
        status = request_execute(client, &get, &buffer);
        glide_client_close(client);
    }
    response_read(&buffer, &reply);
    if (status == GLIDE_OK && reply.value.kind == RESPONSE_BULK)
        printf("%.*s\n", WIRE_PRINT(reply.value.text));
    else if (status == GLIDE_OK)
        printf("(nil)\n");
    else
        fprintf(stderr, "%s: %.*s\n", glide_status_name(status), WIRE_PRINT(reply.error.message));
    glide_buffer_free(&buffer);
    return status == GLIDE_OK ? 0 : 1;
}
