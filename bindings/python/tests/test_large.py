"""Replies that are large enough to be read without message objects."""

from __future__ import annotations

import pytest

from libglide import AllPrimaries, Client, RequestError
from libglide.library import Bulk

SIZES = [(32 << 10) - 8, (32 << 10) - 4, 32 << 10, (32 << 10) + 1, 1 << 20, (1 << 21) + 3]


@pytest.mark.parametrize("size", SIZES)
def test_a_value_of_any_size_comes_back_whole(client: Client, size: int) -> None:
    value = bytes(range(256)) * (size // 256 + 1)
    client.execute("SET", "large", value[:size])
    assert client.execute("GET", "large") == value[:size]
    assert client.response("GET", "large").value == value[:size]


@pytest.mark.parametrize("size", SIZES)
def test_arguments_behind_a_large_one_count_too(client: Client, size: int) -> None:
    value = b"v" * size
    assert client.execute("SET", "large", value, "EX", 100) == "OK"
    assert 0 < int(str(client.execute("TTL", "large"))) <= 100
    answer = client.response("MSET", "foo", value, "bar", value)
    assert len(answer.outcomes) == 2
    assert client.execute("MGET", "foo", "bar") == [value, value]


def test_large_replies_that_are_no_bulk_string_are_what_they_are(client: Client) -> None:
    value = b"x" * 100_000
    client.execute("DEL", "large-list", "large-hash")
    client.execute("RPUSH", "large-list", value, value)
    client.execute("HSET", "large-hash", "field", value)
    assert client.execute("LRANGE", "large-list", 0, -1) == [value, value]
    assert client.execute("HGETALL", "large-hash") == {b"field": value}
    everywhere = client.execute("ECHO", value, route=AllPrimaries())
    assert isinstance(everywhere, dict)
    assert set(everywhere.values()) == {value}
    assert client.batch([("GET", "nobody"), ("LINDEX", "large-list", 0)]) == [None, value]


def test_a_large_error_is_raised(client: Client) -> None:
    with pytest.raises(RequestError, match="unknown command"):
        client.execute("NONE" + "x" * 100_000)


def test_the_short_way_is_taken(client: Client) -> None:
    client.execute("SET", "large", b"x" * 100_000)
    request = client._codec.request(("GET", "large"))
    _, data = client._library.execute_value(client._handle, request)
    assert isinstance(data, Bulk)
