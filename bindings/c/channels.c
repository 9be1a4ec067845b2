/* Subscriptions; see request.h. The field numbers are those of protobuf/request.proto. */
#include "request.h"

enum {
    COMMAND_CALLBACK_IDX = 1,
    COMMAND_SUBSCRIBE = 103,
    COMMAND_UNSUBSCRIBE = 104,

    CHANNELS_KIND = 1,
    CHANNELS_NAMES = 2
};

bool request_encode_channels(wire_writer *writer, const request_channels *channels)
{
    size_t message;

    wire_put_nonzero(writer, COMMAND_CALLBACK_IDX, channels->callback_idx);
    message = wire_begin(writer, channels->unsubscribe ? COMMAND_UNSUBSCRIBE : COMMAND_SUBSCRIBE);
    wire_put_nonzero(writer, CHANNELS_KIND, channels->kind);
    for (size_t i = 0; i < channels->name_count; i++)
        wire_put_bytes(writer, CHANNELS_NAMES, channels->names[i]);
    wire_end(writer, message);
    return !writer->failed;
}

glide_status request_execute_channels(glide_client client, const request_channels *channels,
                                      glide_buffer *response)
{
    wire_writer request = {0};
    glide_status status = GLIDE_ERR_INTERNAL;

    *response = (glide_buffer){NULL, 0};
    if (request_encode_channels(&request, channels))
        status = glide_client_execute(client, request.data, request.len, response);
    wire_writer_free(&request);
    return status;
}
