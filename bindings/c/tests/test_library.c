/* The functions of glide.h that need no server, and every argument that can be wrong. */
#include <stdint.h>

#include "check.h"
#include "live.h"

static int32_t slot_of(const char *key)
{
    return glide_key_slot((const uint8_t *)key, wire_text(key).len);
}

TEST(the_library_has_the_abi_version_of_its_header)
{
    CHECK_INT(glide_abi_version(), GLIDE_ABI_VERSION);
}

TEST(the_version_is_three_numbers)
{
    const char *version = glide_version();
    int dots = 0;

    for (; *version != '\0'; version++) {
        CHECK(*version == '.' || (*version >= '0' && *version <= '9'));
        dots += *version == '.';
    }
    CHECK_INT(dots, 2);
}

TEST(every_status_has_its_name)
{
    static const char *const names[] = {
        [GLIDE_OK] = "OK",
        [GLIDE_ERR_INVALID_ARGUMENT] = "INVALID_ARGUMENT",
        [GLIDE_ERR_DECODE] = "DECODE",
        [GLIDE_ERR_CONFIG] = "CONFIG",
        [GLIDE_ERR_ROUTE] = "ROUTE",
        [GLIDE_ERR_SERVER] = "SERVER",
        [GLIDE_ERR_PARTIAL] = "PARTIAL",
        [GLIDE_ERR_TIMEOUT] = "TIMEOUT",
        [GLIDE_ERR_CONNECTION] = "CONNECTION",
        [GLIDE_ERR_CLOSED] = "CLOSED",
        [GLIDE_ERR_BUSY] = "BUSY",
        [GLIDE_ERR_CANCELLED] = "CANCELLED",
        [GLIDE_ERR_FORKED] = "FORKED",
        [GLIDE_ERR_INTERNAL] = "INTERNAL",
    };

    for (glide_status status = GLIDE_OK; status <= GLIDE_ERR_INTERNAL; status++)
        CHECK_TEXT(wire_text(glide_status_name(status)), names[status]);
}

TEST(a_number_that_is_no_status_has_the_name_unknown)
{
    static const glide_status none[] = {-1, GLIDE_ERR_INTERNAL + 1, INT32_MIN, INT32_MAX};

    for (int i = 0; i < 4; i++)
        CHECK_TEXT(wire_text(glide_status_name(none[i])), "UNKNOWN");
}

TEST(known_keys_have_their_slots)
{
    CHECK_INT(slot_of("123456789"), 12739);
    CHECK_INT(slot_of("{user1000}.following"), 3443);
    CHECK_INT(slot_of("{user1000}.followers"), 3443);
    CHECK_INT(slot_of("foo"), 12182);
    CHECK_INT(slot_of(""), 0);
}

TEST(an_empty_tag_is_no_tag)
{
    CHECK_INT(slot_of("foo{}{bar}"), 8363);
    CHECK_INT(slot_of("foo{{bar}}zap"), slot_of("{bar"));
    CHECK_INT(slot_of("foo{bar}{zap}"), slot_of("bar"));
}

TEST(a_nul_is_a_byte_of_a_key_as_any_other)
{
    const uint8_t key[] = {'a', 0, 'b'};

    CHECK(glide_key_slot(key, 3) != glide_key_slot(key, 1));
    CHECK_INT(glide_key_slot(key, 1), slot_of("a"));
    CHECK_INT(glide_key_slot((const uint8_t *)"\0", 1), 0); /* the CRC of a zero is zero */
    CHECK_INT(glide_key_slot((const uint8_t *)"\0{foo}\0", 7), slot_of("foo"));
}

TEST(no_key_has_slot_0_and_a_null_key_with_a_length_has_none)
{
    CHECK_INT(glide_key_slot(NULL, 0), 0);
    CHECK_INT(glide_key_slot(NULL, 1), -1);
}

TEST(the_schema_holds_the_messages_of_the_interface)
{
    glide_buffer schema;
    wire_reader files, file;
    wire_bytes last = wire_text(NULL);
    int count = 0;

    CHECK_INT(glide_schema(&schema), GLIDE_OK);
    files = wire_read((wire_bytes){schema.data, schema.len});
    while (wire_next(&files)) { /* FileDescriptorSet.file, then FileDescriptorProto.name */
        file = wire_read(wire_get_bytes(&files));
        while (wire_next(&file))
            if (file.field == 1)
                last = wire_get_bytes(&file);
        CHECK(!file.failed);
        count++;
    }
    CHECK(!files.failed);
    CHECK(count >= 3);
    CHECK_HAS(last, ".proto");
    glide_buffer_free(&schema);
}

TEST(a_buffer_is_empty_after_it_was_freed_and_may_be_freed_again)
{
    glide_buffer schema;

    CHECK_INT(glide_schema(&schema), GLIDE_OK);
    CHECK(schema.data != NULL && schema.len > 0);
    glide_buffer_free(&schema);
    CHECK(schema.data == NULL && schema.len == 0);
    glide_buffer_free(&schema);
    glide_buffer_free(NULL);
}

/* ---- NULL in every place ------------------------------------------------------------------- */

/* refused_null - whether a response holds the refusal of a NULL; it is freed. */
static bool refused_null(glide_buffer *buffer)
{
    response view;
    bool good = CHECK(response_read(buffer, &view)) &&
                CHECK_INT(view.error.status, GLIDE_ERR_INVALID_ARGUMENT) &&
                CHECK_HAS(view.error.message, "NULL");

    glide_buffer_free(buffer);
    return good;
}

TEST(a_null_schema_is_refused)
{
    CHECK_INT(glide_schema(NULL), GLIDE_ERR_INVALID_ARGUMENT);
}

TEST(a_null_config_with_a_length_is_refused)
{
    glide_client client = 1;
    glide_buffer buffer;

    CHECK_INT(glide_client_open(NULL, 1, &client, &buffer), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(client, 0);
    CHECK(refused_null(&buffer));
}

TEST(a_null_config_without_a_length_is_one_without_addresses)
{
    glide_client client = 1;
    glide_buffer buffer;
    response view;

    CHECK_INT(glide_client_open(NULL, 0, &client, &buffer), GLIDE_ERR_CONFIG);
    CHECK_INT(client, 0);
    CHECK(response_read(&buffer, &view));
    CHECK_HAS(view.error.message, "addresses");
    glide_buffer_free(&buffer);
}

TEST(a_null_place_for_the_handle_is_refused)
{
    glide_buffer buffer;

    CHECK_INT(glide_client_open(NULL, 0, NULL, &buffer), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK(refused_null(&buffer));
}

TEST(a_null_response_is_refused_by_every_call)
{
    const uint8_t bytes[] = {0};
    glide_client client = open_cluster(), other = 1;

    CHECK_INT(glide_client_open(bytes, 1, &other, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(other, 0);
    CHECK_INT(glide_client_open(NULL, 1, NULL, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_client_execute(client, bytes, 1, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_client_execute(client, NULL, 1, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_client_execute_with(client, bytes, 1, NULL, 0, NULL),
              GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_client_resolve(client, bytes, 1, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_client_topology(client, NULL), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_null_request_with_a_length_is_refused)
{
    glide_client client = open_cluster();
    glide_buffer buffer;

    CHECK_INT(glide_client_execute(client, NULL, 1, &buffer), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK(refused_null(&buffer));
    CHECK_INT(glide_client_execute_with(client, NULL, 1, NULL, 0, &buffer),
              GLIDE_ERR_INVALID_ARGUMENT);
    CHECK(refused_null(&buffer));
    CHECK_INT(glide_client_resolve(client, NULL, 1, &buffer), GLIDE_ERR_INVALID_ARGUMENT);
    CHECK(refused_null(&buffer));
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}

TEST(a_length_beyond_any_message_is_refused_without_a_look_at_the_bytes)
{
    static const size_t lengths[] = {(size_t)INT32_MAX + 1, SIZE_MAX / 2 + 1, SIZE_MAX};
    const uint8_t byte = 0;
    glide_client client = open_cluster(), other;
    glide_buffer buffer;

    for (int i = 0; i < 3; i++) {
        CHECK_INT(glide_client_execute(client, &byte, lengths[i], &buffer),
                  GLIDE_ERR_INVALID_ARGUMENT);
        glide_buffer_free(&buffer);
        CHECK_INT(glide_client_open(&byte, lengths[i], &other, &buffer),
                  GLIDE_ERR_INVALID_ARGUMENT);
        glide_buffer_free(&buffer);
    }
    CHECK_INT(glide_client_close(client), GLIDE_OK);
}
