/* See wire.h. The format is that of protobuf.dev/programming-guides/encoding. */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

enum {
    VARINT_MAX = 10, /* bytes of a varint of 64 bits */
    FIRST_ROOM = 64  /* bytes of a writer's first allocation */
};

wire_bytes wire_text(const char *text)
{
    return (wire_bytes){(const uint8_t *)text, text == NULL ? 0 : strlen(text)};
}

bool wire_equal(wire_bytes bytes, const char *text)
{
    size_t len = strlen(text);

    return bytes.len == len && (len == 0 || memcmp(bytes.data, text, len) == 0);
}

/* ---- Writing ----------------------------------------------------------------------------- */

void wire_writer_free(wire_writer *writer)
{
    free(writer->data);
    *writer = (wire_writer){0};
}

/* reserve - make room for more bytes; false, and the writer failed, where there is none. */
static bool reserve(wire_writer *writer, size_t more)
{
    size_t room = writer->room;
    uint8_t *data;

    if (writer->failed || more > WIRE_MESSAGE_MAX - writer->len) {
        writer->failed = true;
        return false;
    }
    if (more <= room - writer->len)
        return true;
    if (room == 0)
        room = FIRST_ROOM;
    while (room < writer->len + more)
        room *= 2; /* 2^31 at most, which fits a size_t of 32 bits */
    data = realloc(writer->data, room);
    if (data == NULL) {
        writer->failed = true;
        return false;
    }
    writer->data = data;
    writer->room = room;
    return true;
}

static void put_raw(wire_writer *writer, const uint8_t *data, size_t len)
{
    if (len == 0 || !reserve(writer, len))
        return;
    memcpy(writer->data + writer->len, data, len);
    writer->len += len;
}

static size_t encode_varint(uint8_t out[VARINT_MAX], uint64_t value)
{
    size_t len = 0;

    while (value >= 0x80) {
        out[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[len++] = (uint8_t)value;
    return len;
}

static void put_varint(wire_writer *writer, uint64_t value)
{
    uint8_t bytes[VARINT_MAX];

    put_raw(writer, bytes, encode_varint(bytes, value));
}

static void put_key(wire_writer *writer, uint32_t field, wire_type type)
{
    if (field == 0 || field > WIRE_FIELD_MAX)
        writer->failed = true;
    put_varint(writer, (uint64_t)field << 3 | type);
}

void wire_put_uint(wire_writer *writer, uint32_t field, uint64_t value)
{
    put_key(writer, field, WIRE_VARINT);
    put_varint(writer, value);
}

void wire_put_int(wire_writer *writer, uint32_t field, int64_t value)
{
    wire_put_uint(writer, field, (uint64_t)value);
}

void wire_put_bool(wire_writer *writer, uint32_t field, bool value)
{
    wire_put_uint(writer, field, value);
}

void wire_put_fixed64(wire_writer *writer, uint32_t field, uint64_t value)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    put_key(writer, field, WIRE_FIXED64);
    put_raw(writer, bytes, sizeof bytes);
}

void wire_put_double(wire_writer *writer, uint32_t field, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    wire_put_fixed64(writer, field, bits);
}

void wire_put_bytes(wire_writer *writer, uint32_t field, wire_bytes bytes)
{
    wire_put_head(writer, field, bytes.len);
    put_raw(writer, bytes.data, bytes.len);
}

void wire_put_nonzero(wire_writer *writer, uint32_t field, uint64_t value)
{
    if (value != 0)
        wire_put_uint(writer, field, value);
}

void wire_put_text(wire_writer *writer, uint32_t field, const char *text)
{
    if (text != NULL)
        wire_put_bytes(writer, field, wire_text(text));
}

void wire_put_nonempty(wire_writer *writer, uint32_t field, wire_bytes bytes)
{
    if (bytes.len != 0)
        wire_put_bytes(writer, field, bytes);
}

static size_t varint_size(uint64_t value)
{
    uint8_t bytes[VARINT_MAX];

    return encode_varint(bytes, value);
}

size_t wire_size_uint(uint32_t field, uint64_t value)
{
    return varint_size((uint64_t)field << 3) + varint_size(value);
}

size_t wire_size(uint32_t field, size_t content)
{
    return wire_size_uint(field, content) + content;
}

void wire_put_head(wire_writer *writer, uint32_t field, size_t content)
{
    put_key(writer, field, WIRE_DELIMITED);
    put_varint(writer, content);
    reserve(writer, content);
}

size_t wire_begin(wire_writer *writer, uint32_t field)
{
    put_key(writer, field, WIRE_DELIMITED);
    return writer->len;
}

/* The length goes before the content, whose length was not known until now. */
void wire_end(wire_writer *writer, size_t place)
{
    uint8_t length[VARINT_MAX];
    size_t content = writer->len - place;
    size_t size = encode_varint(length, content);

    if (!reserve(writer, size))
        return;
    memmove(writer->data + place + size, writer->data + place, content);
    memcpy(writer->data + place, length, size);
    writer->len += size;
}

/* ---- Reading ----------------------------------------------------------------------------- */

wire_reader wire_read(wire_bytes message)
{
    return (wire_reader){.rest = message};
}

/* take - the next len bytes, which are there. */
static wire_bytes take(wire_reader *reader, size_t len)
{
    wire_bytes taken = {reader->rest.data, len};

    if (len > 0)
        reader->rest.data += len;
    reader->rest.len -= len;
    return taken;
}

static bool take_varint(wire_reader *reader, uint64_t *value)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < reader->rest.len && i < VARINT_MAX; i++) {
        uint8_t byte = reader->rest.data[i];

        if (i == VARINT_MAX - 1 && byte > 1) /* bits above the 64th, or an eleventh byte */
            return false;
        sum |= (uint64_t)(byte & 0x7f) << 7 * i;
        if (byte < 0x80) {
            take(reader, i + 1);
            *value = sum;
            return true;
        }
    }
    return false;
}

static bool take_fixed(wire_reader *reader, size_t len, uint64_t *value)
{
    wire_bytes taken;

    if (len > reader->rest.len)
        return false;
    taken = take(reader, len);
    *value = 0;
    for (size_t i = 0; i < len; i++)
        *value |= (uint64_t)taken.data[i] << 8 * i;
    return true;
}

static bool take_field(wire_reader *reader)
{
    uint64_t key, len;

    if (!take_varint(reader, &key) || key >> 3 == 0 || key >> 3 > WIRE_FIELD_MAX)
        return false;
    reader->field = (uint32_t)(key >> 3);
    reader->type = (wire_type)(key & 7);
    reader->number = 0;
    reader->bytes = (wire_bytes){NULL, 0};
    switch (reader->type) {
    case WIRE_VARINT:
        return take_varint(reader, &reader->number);
    case WIRE_FIXED64:
        return take_fixed(reader, 8, &reader->number);
    case WIRE_FIXED32:
        return take_fixed(reader, 4, &reader->number);
    case WIRE_DELIMITED:
        if (!take_varint(reader, &len) || len > reader->rest.len)
            return false;
        reader->bytes = take(reader, (size_t)len);
        return true;
    }
    return false;
}

bool wire_next(wire_reader *reader)
{
    if (reader->failed || reader->rest.len == 0)
        return false;
    reader->failed = !take_field(reader);
    return !reader->failed;
}

static bool is(wire_reader *reader, wire_type type)
{
    if (reader->type != type || reader->field == 0)
        reader->failed = true;
    return !reader->failed;
}

uint64_t wire_get_uint(wire_reader *reader)
{
    return is(reader, WIRE_VARINT) ? reader->number : 0;
}

int64_t wire_get_int(wire_reader *reader)
{
    return (int64_t)wire_get_uint(reader);
}

bool wire_get_bool(wire_reader *reader)
{
    return wire_get_uint(reader) != 0;
}

uint64_t wire_get_fixed64(wire_reader *reader)
{
    return is(reader, WIRE_FIXED64) ? reader->number : 0;
}

double wire_get_double(wire_reader *reader)
{
    uint64_t bits = wire_get_fixed64(reader);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

wire_bytes wire_get_bytes(wire_reader *reader)
{
    return is(reader, WIRE_DELIMITED) ? reader->bytes : (wire_bytes){NULL, 0};
}
