/*
 * wire.h - the wire format of protocol buffers, as much of it as libglide's messages need.
 *
 * A writer makes a message field by field, a reader walks over one. What the fields mean is up to
 * the caller; request.h and response.h know it for libglide. The files need the C library and one
 * type of glide.h, and keep no state: different threads may use different readers and writers at
 * once.
 *
 * The names of the kinds of field follow the .proto files:
 *
 *   uint32, uint64, enum     wire_put_uint, wire_get_uint
 *   int32, int64             wire_put_int, wire_get_int
 *   bool                     wire_put_bool, wire_get_bool
 *   fixed64                  wire_put_fixed64, wire_get_fixed64
 *   double                   wire_put_double, wire_get_double
 *   string, bytes, messages  wire_put_bytes, wire_get_bytes
 *
 * sint32, sint64, packed lists and groups are not supported; no message of libglide has any.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "glide.h"

/* The longest message, in bytes, as of every implementation of protocol buffers. */
#define WIRE_MESSAGE_MAX ((size_t)INT32_MAX)

/* The greatest number of a field; the least is 1. */
#define WIRE_FIELD_MAX ((UINT32_C(1) << 29) - 1)

/* ---- Bytes ------------------------------------------------------------------------------- */

/* Bytes that belong to somebody else. They need not end with a NUL and may contain some; data may
 * be NULL where len is 0. */
typedef glide_bytes wire_bytes;

/* wire_text - the bytes of a string, without its NUL. They stay the caller's. NULL is as "". */
wire_bytes wire_text(const char *text);

/* wire_equal - whether bytes are those of a string. */
bool wire_equal(wire_bytes bytes, const char *text);

/* WIRE_PRINT - the two arguments for "%.*s" of printf. */
#define WIRE_PRINT(bytes) (int)(bytes).len, (bytes).len > 0 ? (const char *)(bytes).data : ""

/* ---- Writing ----------------------------------------------------------------------------- */

/*
 * A message that grows. {0} is an empty one; wire_writer_free() frees it.
 *
 * A failure sticks: from then on the writer takes nothing more, and `failed` says so. One look at
 * it after the last field is enough. Causes are: no memory, a message longer than
 * WIRE_MESSAGE_MAX, a field number that is none.
 */
typedef struct wire_writer {
    uint8_t *data; /* the message, of len bytes; complete unless failed */
    size_t len;
    size_t room; /* bytes that data has room for */
    bool failed;
} wire_writer;

/* wire_writer_free - free the message and make the writer an empty one. Harmless on {0}. */
void wire_writer_free(wire_writer *writer);

/*
 * wire_put_uint, wire_put_int, wire_put_bool - append a field that is a varint.
 *
 * A value of 0 is written too. Leave the call out for fields that are absent.
 */
void wire_put_uint(wire_writer *writer, uint32_t field, uint64_t value);
void wire_put_int(wire_writer *writer, uint32_t field, int64_t value);
void wire_put_bool(wire_writer *writer, uint32_t field, bool value);

/* wire_put_fixed64, wire_put_double - append a field of eight bytes. */
void wire_put_fixed64(wire_writer *writer, uint32_t field, uint64_t value);
void wire_put_double(wire_writer *writer, uint32_t field, double value);

/* wire_put_bytes - append a field that is a string, bytes, or a message that was written already.
 * The bytes are copied. */
void wire_put_bytes(wire_writer *writer, uint32_t field, wire_bytes bytes);

/* wire_put_nonzero, wire_put_text, wire_put_nonempty - append a field unless it has its default: 0,
 * NULL, no bytes. */
void wire_put_nonzero(wire_writer *writer, uint32_t field, uint64_t value);
void wire_put_text(wire_writer *writer, uint32_t field, const char *text);
void wire_put_nonempty(wire_writer *writer, uint32_t field, wire_bytes bytes);

/*
 * wire_begin, wire_end - append a field that is a message: what is put between the two calls
 * becomes its content. Such messages may nest.
 *
 * wire_begin() returns the place that the wire_end() of the same message needs.
 */
size_t wire_begin(wire_writer *writer, uint32_t field);
void wire_end(wire_writer *writer, size_t place);

/*
 * wire_put_head - begin a field that is a message of so many bytes; they follow.
 *
 * wire_end() moves what is between; this one moves nothing, but the content's size must be known:
 * the sum of what wire_size(), of a field of so many bytes, and wire_size_uint() say.
 */
void wire_put_head(wire_writer *writer, uint32_t field, size_t content);
size_t wire_size(uint32_t field, size_t content);
size_t wire_size_uint(uint32_t field, uint64_t value);

/* ---- Reading ----------------------------------------------------------------------------- */

/* How a field is written. Other types are refused. */
typedef enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_DELIMITED = 2, /* strings, bytes and messages */
    WIRE_FIXED32 = 5    /* can be walked over, has no wire_get_ function */
} wire_type;

/*
 * A walk over the fields of one message:
 *
 *     wire_reader reader = wire_read(message);
 *     while (wire_next(&reader))
 *         switch (reader.field) {
 *         case 1: node->id = wire_get_bytes(&reader); break;
 *         case 3: node->port = (uint32_t)wire_get_uint(&reader); break;
 *         }
 *     return !reader.failed;
 *
 * The reader owns nothing and copies nothing: the bytes that it hands out are those of the
 * message and live as long. It never looks at a byte outside of the message.
 *
 * A failure sticks: the walk ends and `failed` says so. What is malformed: a field that is cut
 * off, a varint of more than 64 bits, a field number or a type that is none, and a field that is
 * read as another type than it is. A field that no case reads is skipped, whatever its type.
 */
typedef struct wire_reader {
    uint32_t field;   /* of the present field: its number */
    wire_type type;   /* how it is written */
    uint64_t number;  /* its value, but for WIRE_DELIMITED */
    wire_bytes bytes; /* its value, for WIRE_DELIMITED */
    wire_bytes rest;  /* what follows it */
    bool failed;
} wire_reader;

/* wire_read - a reader before the first field of a message. */
wire_reader wire_read(wire_bytes message);

/* wire_next - go to the next field. Returns false behind the last one and on a failure. */
bool wire_next(wire_reader *reader);

/*
 * wire_get_uint, wire_get_int, wire_get_bool, wire_get_fixed64, wire_get_double, wire_get_bytes -
 * the value of the present field. Each may be called any number of times.
 *
 * Returns 0, false or no bytes, and makes the reader fail, where the field is of another type.
 * 32-bit fields are the low bits of what wire_get_uint and wire_get_int return.
 */
uint64_t wire_get_uint(wire_reader *reader);
int64_t wire_get_int(wire_reader *reader);
bool wire_get_bool(wire_reader *reader);
uint64_t wire_get_fixed64(wire_reader *reader);
double wire_get_double(wire_reader *reader);
wire_bytes wire_get_bytes(wire_reader *reader);

#endif /* WIRE_H */
