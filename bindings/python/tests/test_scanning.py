"""Scans over all shards of a live cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Cluster, Connect

from libglide import Client, ClosingError, RequestError, Status

KEYS = {b"scan:%d" % number for number in range(500)}
LISTS = {b"scan:list:%d" % number for number in range(7)}


@pytest.fixture(scope="module", autouse=True)
def keys(cluster: Cluster) -> Iterator[None]:
    """500 strings and 7 lists, and no other key."""
    with Client.connect(cluster.addresses, request_timeout=5.0) as client:
        client.execute("FLUSHALL")
        client.batch([["SET", key, "x"] for key in KEYS])
        client.batch([["RPUSH", key, "x"] for key in LISTS])
        yield
        client.batch([["DEL", key] for key in KEYS | LISTS])


@pytest.mark.parametrize("count", [None, 1, 10, 1000])
def test_a_scan_gives_every_key(client: Client, count: int | None) -> None:
    assert set(client.scan(count=count)) == KEYS | LISTS


def test_a_scan_of_one_server_gives_every_key(connect: Connect, standalone: str) -> None:
    client = connect(standalone, cluster_mode=False, request_timeout=5.0)
    names = [f"scan:{number}" for number in range(50)]
    client.batch([["SET", name, 1] for name in names])
    assert set(client.scan("scan:*")) == {name.encode() for name in names}
    client.execute("DEL", *names)


@pytest.mark.parametrize("match", ["scan:1?", b"scan:1?"])
def test_a_pattern_chooses_among_the_keys(client: Client, match: str | bytes) -> None:
    assert set(client.scan(match)) == {b"scan:1%d" % digit for digit in range(10)}
    assert set(client.scan("nothing:*")) == set()
    assert set(client.scan("")) == set()


def test_a_type_chooses_among_the_keys(client: Client) -> None:
    assert set(client.scan(object_type="list")) == LISTS
    assert set(client.scan("scan:*", object_type="string", count=100)) == KEYS
    assert set(client.scan(object_type="zset")) == set()


def test_the_cursor_may_be_kept_and_taken_to_another_client(
    connect: Connect, cluster: Cluster
) -> None:
    clients = [connect(cluster.addresses, request_timeout=5.0) for _ in range(2)]
    cursor, steps, found = "", 0, set()
    while cursor != "finished":
        cursor, keys = clients[steps % 2].scan_step(cursor, count=50)
        found.update(keys)
        steps += 1
    assert found == KEYS | LISTS
    assert steps >= 6


def test_a_scan_that_is_not_read_to_its_end_leaves_the_client_usable(client: Client) -> None:
    scan = client.scan(count=1)
    assert next(scan) in KEYS | LISTS
    del scan
    assert client.execute("EXISTS", *KEYS) == len(KEYS)


@pytest.mark.parametrize("cursor", ["finished", "7", "1|2", "0-99999|||", "0-5|nobody|x|1"])
def test_a_cursor_that_is_none_is_refused(client: Client, cursor: str) -> None:
    with pytest.raises(RequestError, match="scan cursor") as caught:
        client.scan_step(cursor)
    assert caught.value.status is Status.INVALID_ARGUMENT
    assert not caught.value.sent


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("match", 5),
        ("match", "\ud800"),
        ("count", 0),
        ("count", -1),
        ("count", 2**63),
        ("count", 1.5),
        ("count", True),
        ("object_type", b"list"),
        ("object_type", "\ud800"),
        ("allow_non_covered_slots", 1),
        ("timeout", 0),
        ("timeout", "1"),
    ],
)
def test_an_argument_that_cannot_be_is_named_before_the_first_step(
    client: Client, argument: str, value: Any
) -> None:
    arguments: dict[str, Any] = {argument: value}
    with pytest.raises(RequestError, match=f"^{argument} is "):
        client.scan(**arguments)
    with pytest.raises(RequestError, match=f"^{argument} is "):
        client.scan_step(**arguments)


def test_a_cursor_of_another_type_is_named(client: Client) -> None:
    cursor: Any = b""
    with pytest.raises(RequestError, match=r"^cursor is b'', not a str"):
        client.scan_step(cursor)


def test_the_scan_of_a_closed_client_is_refused_by_its_iterator(
    connect: Connect, cluster: Cluster
) -> None:
    client = connect(cluster.addresses, request_timeout=5.0)
    scan = client.scan(count=1)
    next(scan)
    client.close()
    with pytest.raises(ClosingError):
        list(scan)
