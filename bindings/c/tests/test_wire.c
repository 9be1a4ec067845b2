/* The wire format: what is written is read again, and nothing else is believed. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* ---- A realloc that fails on demand; the linker puts it before the real one ---------------- */

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static _Thread_local int reallocs_left = -1; /* negative: as many as wanted */

void *__wrap_realloc(void *memory, size_t size)
{
    if (reallocs_left == 0)
        return NULL;
    if (reallocs_left > 0)
        reallocs_left--;
    return __real_realloc(memory, size);
}

/* ---- Helpers ------------------------------------------------------------------------------- */

static const uint64_t NUMBERS[] = {0,         1,         127,        128,       16383,     16384,
                                   INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_MAX};

enum { NUMBERS_COUNT = sizeof NUMBERS / sizeof NUMBERS[0] };

static wire_bytes written(const wire_writer *writer)
{
    return (wire_bytes){writer->data, writer->len};
}

/* read_one - whether a message of these bytes is one good field. */
static bool read_one(const char *bytes, size_t len, wire_reader *reader)
{
    *reader = wire_read((wire_bytes){(const uint8_t *)bytes, len});
    return wire_next(reader);
}

#define READ_ONE(literal, reader) read_one(literal, sizeof(literal) - 1, reader)

/* ---- Round trips --------------------------------------------------------------------------- */

TEST(a_varint_is_read_as_it_was_written)
{
    for (int i = 0; i < NUMBERS_COUNT; i++) {
        wire_writer writer = {0};
        wire_reader reader;

        wire_put_uint(&writer, 1, NUMBERS[i]);
        wire_put_int(&writer, 2, (int64_t)NUMBERS[i]);
        wire_put_int(&writer, 3, -(int64_t)(NUMBERS[i] / 2));
        CHECK(!writer.failed);
        reader = wire_read(written(&writer));
        CHECK(wire_next(&reader) && reader.field == 1 && wire_get_uint(&reader) == NUMBERS[i]);
        CHECK(wire_next(&reader) && wire_get_int(&reader) == (int64_t)NUMBERS[i]);
        CHECK(wire_next(&reader) && wire_get_int(&reader) == -(int64_t)(NUMBERS[i] / 2));
        CHECK(!wire_next(&reader) && !reader.failed);
        wire_writer_free(&writer);
    }
}

TEST(every_kind_of_field_is_read_as_it_was_written)
{
    wire_writer writer = {0};
    wire_reader reader;

    wire_put_bool(&writer, 1, true);
    wire_put_bool(&writer, 2, false);
    wire_put_fixed64(&writer, 3, UINT64_C(0x8877665544332211));
    wire_put_double(&writer, 4, -0.1);
    wire_put_bytes(&writer, 5, (wire_bytes){(const uint8_t *)"a\0b", 3});
    wire_put_bytes(&writer, 6, (wire_bytes){NULL, 0});
    wire_put_uint(&writer, WIRE_FIELD_MAX, 7);
    CHECK(!writer.failed);
    reader = wire_read(written(&writer));
    CHECK(wire_next(&reader) && wire_get_bool(&reader));
    CHECK(wire_next(&reader) && !wire_get_bool(&reader));
    CHECK(wire_next(&reader) && wire_get_fixed64(&reader) == UINT64_C(0x8877665544332211));
    CHECK(wire_next(&reader) && wire_get_double(&reader) == -0.1);
    CHECK(wire_next(&reader) && wire_get_bytes(&reader).len == 3);
    CHECK(memcmp(wire_get_bytes(&reader).data, "a\0b", 3) == 0);
    CHECK(wire_next(&reader) && wire_get_bytes(&reader).len == 0 && !reader.failed);
    CHECK(wire_next(&reader) && reader.field == WIRE_FIELD_MAX && wire_get_uint(&reader) == 7);
    CHECK(!wire_next(&reader) && !reader.failed);
    wire_writer_free(&writer);
}

TEST(the_bytes_are_those_that_the_format_prescribes)
{
    static const uint8_t expected[] = {0x08, 0x96, 0x01, 0x12, 0x07, 't',  'e', 's', 't', 'i',
                                       'n',  'g',  0x1a, 0x03, 0x08, 0x96, 0x01};
    wire_writer writer = {0};
    size_t inner;

    wire_put_uint(&writer, 1, 150);
    wire_put_bytes(&writer, 2, wire_text("testing"));
    inner = wire_begin(&writer, 3);
    wire_put_uint(&writer, 1, 150);
    wire_end(&writer, inner);
    CHECK_INT(writer.len, sizeof expected);
    CHECK(writer.len == sizeof expected && memcmp(writer.data, expected, sizeof expected) == 0);
    wire_writer_free(&writer);
}

TEST(a_message_whose_size_is_told_beforehand_is_written_as_one_whose_size_is_found)
{
    static const size_t sizes[] = {0, 1, 124, 125, 16380, 16381, 70000};
    static uint8_t content[70000];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        const wire_bytes bytes = {content, sizes[i]};
        wire_writer found = {0}, told = {0};
        const size_t place = wire_begin(&found, 16);

        wire_put_uint(&found, 1, 300);
        wire_put_bytes(&found, 2, bytes);
        wire_end(&found, place);
        wire_put_head(&told, 16, wire_size_uint(1, 300) + wire_size(2, bytes.len));
        wire_put_uint(&told, 1, 300);
        wire_put_bytes(&told, 2, bytes);
        CHECK(!found.failed && !told.failed);
        CHECK_INT(told.len, found.len);
        CHECK(told.len == found.len && memcmp(told.data, found.data, found.len) == 0);
        wire_writer_free(&found);
        wire_writer_free(&told);
    }
}

TEST(messages_nest_whatever_the_size_of_their_lengths)
{
    static const size_t sizes[] = {0, 1, 126, 127, 128, 16383, 16384, 70000};
    static uint8_t content[70000];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        wire_writer writer = {0};
        wire_reader reader;
        size_t outer = wire_begin(&writer, 1), inner = wire_begin(&writer, 2);

        wire_put_bytes(&writer, 3, (wire_bytes){content, sizes[i]});
        wire_end(&writer, inner);
        wire_put_uint(&writer, 4, 4);
        wire_end(&writer, outer);
        CHECK(!writer.failed);
        reader = wire_read(written(&writer));
        CHECK(wire_next(&reader) && reader.field == 1 && reader.rest.len == 0);
        reader = wire_read(wire_get_bytes(&reader));
        CHECK(wire_next(&reader) && reader.field == 2);
        CHECK(reader.rest.len == 2);
        reader = wire_read(wire_get_bytes(&reader));
        CHECK(wire_next(&reader) && reader.field == 3);
        CHECK_INT(wire_get_bytes(&reader).len, sizes[i]);
        CHECK(!wire_next(&reader) && !reader.failed);
        wire_writer_free(&writer);
    }
}

/* ---- What is refused ----------------------------------------------------------------------- */

TEST(an_empty_message_has_no_fields)
{
    wire_reader reader = wire_read((wire_bytes){NULL, 0});

    CHECK(!wire_next(&reader) && !reader.failed);
}

TEST(a_message_cut_off_at_any_byte_is_read_up_to_there_and_refused)
{
    wire_writer writer = {0};
    size_t ends[8] = {0};
    size_t whole = 0, inner;

    wire_put_uint(&writer, 1, UINT64_MAX);
    ends[1] = writer.len;
    wire_put_bytes(&writer, 300, wire_text("some text"));
    ends[2] = writer.len;
    wire_put_double(&writer, 3, 3.5);
    ends[3] = writer.len;
    inner = wire_begin(&writer, WIRE_FIELD_MAX);
    wire_put_uint(&writer, 1, 1);
    wire_end(&writer, inner);
    for (size_t len = 0; len < writer.len; len++) {
        uint8_t *copy = exact_copy(writer.data, len);
        wire_reader reader = wire_read((wire_bytes){copy, len});
        size_t fields = 0;

        while (wire_next(&reader))
            fields++;
        if (ends[whole + 1] != 0 && len == ends[whole + 1])
            whole++;
        CHECK_INT(fields, whole);
        CHECK(reader.failed == (len != ends[whole]));
        free(copy);
    }
    CHECK_INT(whole, 3);
    wire_writer_free(&writer);
}

TEST(a_varint_of_64_bits_is_accepted_and_one_of_more_is_refused)
{
    wire_reader reader;

    CHECK(READ_ONE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &reader));
    CHECK(wire_get_uint(&reader) == UINT64_MAX);
    CHECK(!READ_ONE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", &reader) && reader.failed);
    CHECK(!READ_ONE("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", &reader) && reader.failed);
    CHECK(!READ_ONE("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", &reader));
}

TEST(a_varint_that_is_longer_than_needed_is_accepted)
{
    wire_reader reader;

    CHECK(READ_ONE("\x08\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00", &reader));
    CHECK_INT(wire_get_uint(&reader), 1);
}

TEST(a_length_beyond_the_message_is_refused)
{
    wire_reader reader;

    CHECK(READ_ONE("\x0a\x01x", &reader));
    CHECK(!READ_ONE("\x0a\x02x", &reader) && reader.failed);
    CHECK(!READ_ONE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", &reader) && reader.failed);
}

TEST(field_numbers_and_types_that_are_none_are_refused)
{
    wire_reader reader;

    CHECK(!READ_ONE("\x00\x01", &reader) && reader.failed);                 /* field 0 */
    CHECK(!READ_ONE("\x80\x80\x80\x80\x10\x01", &reader) && reader.failed); /* field 2^29 */
    CHECK(READ_ONE("\xf8\xff\xff\xff\x0f\x01", &reader));                   /* field 2^29 - 1 */
    CHECK(!READ_ONE("\x0b\x0c", &reader) && reader.failed);                 /* a group */
    CHECK(!READ_ONE("\x0e\x01", &reader) && reader.failed);
    CHECK(!READ_ONE("\x0f\x01", &reader) && reader.failed);
}

TEST(a_field_of_another_type_than_it_is_read_as_makes_the_reader_fail)
{
    wire_reader reader;

    CHECK(READ_ONE("\x08\x05", &reader));
    CHECK(wire_get_bytes(&reader).len == 0 && reader.failed && !wire_next(&reader));
    CHECK(READ_ONE("\x0a\x01x", &reader));
    CHECK(wire_get_uint(&reader) == 0 && reader.failed);
    CHECK(READ_ONE("\x0a\x01x", &reader));
    CHECK(wire_get_double(&reader) == 0 && reader.failed);
    CHECK(READ_ONE("\x09\x01\x02\x03\x04\x05\x06\x07\x08", &reader));
    CHECK(!wire_get_bool(&reader) && reader.failed);
    CHECK(READ_ONE("\x0d\x01\x02\x03\x04", &reader));
    CHECK(wire_get_fixed64(&reader) == 0 && reader.failed);
}

TEST(nothing_is_read_before_the_first_field)
{
    wire_reader reader = wire_read(wire_text("\x08\x05"));

    CHECK(wire_get_uint(&reader) == 0 && reader.failed);
}

TEST(fields_that_nobody_reads_are_passed_over)
{
    static const char message[] = "\x0d\x01\x02\x03\x04"
                                  "\x12\x01x"
                                  "\x18\x07";
    wire_reader reader = wire_read((wire_bytes){(const uint8_t *)message, sizeof message - 1});
    uint64_t third = 0;

    while (wire_next(&reader))
        if (reader.field == 3)
            third = wire_get_uint(&reader);
    CHECK(!reader.failed);
    CHECK_INT(third, 7);
}

TEST(random_bytes_never_lead_a_reader_outside_of_them)
{
    uint32_t state = 1; /* xorshift32: the same bytes on every machine */

    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[24];
        size_t len = (size_t)round % sizeof bytes;
        uint8_t *copy;
        wire_reader reader;

        for (size_t i = 0; i < len; i++) {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            bytes[i] = (uint8_t)state;
        }
        copy = exact_copy(bytes, len);
        reader = wire_read((wire_bytes){copy, len});
        while (wire_next(&reader))
            if (reader.bytes.len > 0 && (reader.bytes.data < copy ||
                                         reader.bytes.data + reader.bytes.len > copy + len))
                CHECK(!"the bytes of a field are outside of the message");
        CHECK(reader.failed || reader.rest.len == 0);
        free(copy);
    }
}

/* ---- Writers that fail --------------------------------------------------------------------- */

TEST(a_writer_without_memory_says_so_and_takes_nothing_more)
{
    for (int allowed = 0; allowed < 6; allowed++) {
        wire_writer writer = {0};
        static const uint8_t content[100];
        size_t len, place;

        reallocs_left = allowed;
        place = wire_begin(&writer, 1);
        for (int i = 0; i < 100; i++)
            wire_put_bytes(&writer, 2, (wire_bytes){content, sizeof content});
        wire_end(&writer, place);
        reallocs_left = -1;
        CHECK(writer.failed);
        len = writer.len;
        wire_put_uint(&writer, 1, 1);
        wire_put_double(&writer, 1, 1);
        wire_end(&writer, wire_begin(&writer, 1));
        CHECK(writer.failed && writer.len == len && writer.len <= writer.room);
        wire_writer_free(&writer);
        CHECK(writer.data == NULL && !writer.failed);
    }
}

TEST(a_message_that_would_be_too_long_is_refused_before_it_is_copied)
{
    wire_writer writer = {0};

    wire_put_bytes(&writer, 1, (wire_bytes){(const uint8_t *)"", WIRE_MESSAGE_MAX});
    CHECK(writer.failed);
    wire_writer_free(&writer);
    wire_put_bytes(&writer, 1, (wire_bytes){(const uint8_t *)"", SIZE_MAX});
    CHECK(writer.failed);
    wire_writer_free(&writer);
}

TEST(a_field_number_that_is_none_is_not_written)
{
    wire_writer writer = {0};

    wire_put_uint(&writer, 0, 1);
    CHECK(writer.failed && writer.len == 0);
    wire_writer_free(&writer);
    wire_put_uint(&writer, WIRE_FIELD_MAX + 1, 1);
    CHECK(writer.failed && writer.len == 0);
    wire_writer_free(&writer);
}

TEST(text_without_bytes_equals_text_without_bytes)
{
    CHECK(wire_equal(wire_text(NULL), ""));
    CHECK(wire_equal((wire_bytes){NULL, 0}, ""));
    CHECK(!wire_equal(wire_text("a"), ""));
    CHECK(!wire_equal(wire_text("a"), "b"));
    CHECK(wire_equal(wire_text("ab"), "ab"));
}
