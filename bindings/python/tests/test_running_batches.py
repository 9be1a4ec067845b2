"""Batches that run, on a live cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Cluster, Connect

from libglide import (
    AllNodes,
    ByAddressRoute,
    Client,
    ClosingError,
    ConnectionError,
    RequestError,
    Status,
    TimeoutError,
    messages,
)
from libglide.codec import Codec

KEYS = [f"batch:{number}" for number in range(60)]


@pytest.fixture(autouse=True)
def tidy(client: Client) -> Iterator[None]:
    yield
    client.execute("DEL", *KEYS, "batch:list")


def test_results_over_all_shards_stand_in_the_order_of_the_commands(client: Client) -> None:
    assert {client.resolve("GET", key).legs[0].node for key in KEYS} == {
        shard.primary for shard in client.topology().shards
    }
    assert client.batch([["SET", key, key] for key in KEYS]) == ["OK"] * len(KEYS)
    assert client.batch([["GET", key] for key in KEYS]) == [key.encode() for key in KEYS]


def test_a_command_over_several_shards_keeps_its_one_place(client: Client) -> None:
    client.batch([["SET", key, key] for key in KEYS])
    assert client.batch(
        [
            ["PING"],
            ["MGET", *KEYS, "batch:none"],
            ["APPEND", KEYS[0], b"\xff\x00"],
            ["STRLEN", KEYS[0]],
            ["EXISTS", *KEYS],
        ]
    ) == [
        "PONG",
        [*(key.encode() for key in KEYS), None],
        len(KEYS[0]) + 2,
        len(KEYS[0]) + 2,
        len(KEYS),
    ]


def test_commands_for_one_node_run_in_their_order(client: Client) -> None:
    commands = [["INCR", KEYS[0]]] * 50
    assert client.batch(commands) == list(range(1, 51))


def test_a_transaction_gives_the_results_of_its_commands(client: Client) -> None:
    assert client.batch(
        [["SET", KEYS[0], 1.5], ["INCRBYFLOAT", KEYS[0], 1], ["GET", KEYS[0]]], atomic=True
    ) == ["OK", b"2.5", b"2.5"]


def test_a_transaction_that_was_given_up_is_none() -> None:
    response = messages.load().response()
    response.value.nil.SetInParent()
    assert Codec(messages.load()).results(Status.OK, response.SerializeToString()) is None


@pytest.mark.parametrize("atomic", [False, True])
def test_the_first_error_is_raised_and_the_other_commands_have_run(
    client: Client, atomic: bool
) -> None:
    commands = [["SET", KEYS[0], "x"], ["LPUSH", KEYS[0], "y"], ["APPEND", KEYS[0], "z"]]
    with pytest.raises(RequestError, match="WRONGTYPE") as caught:
        client.batch(commands, atomic=atomic)
    assert (caught.value.status, caught.value.code) == (Status.SERVER, "WRONGTYPE")
    assert client.execute("GET", KEYS[0]) == b"xz"


@pytest.mark.parametrize("atomic", [False, True])
def test_without_raising_an_error_stands_in_its_place(client: Client, atomic: bool) -> None:
    commands = [["SET", KEYS[0], "x"], ["LPUSH", KEYS[0], "y"], ["APPEND", KEYS[0], "z"]]
    results = client.batch(commands, atomic=atomic, raise_on_error=False)
    assert results is not None
    first, fault, last = results
    assert (first, last) == ("OK", 2)
    assert isinstance(fault, RequestError)
    assert (fault.status, fault.code) == (Status.SERVER, "WRONGTYPE")
    assert fault.node == client.resolve("GET", KEYS[0]).legs[0].node.address
    assert (fault.sent, fault.retryable) == (True, False)
    assert str(fault).startswith("WRONGTYPE ")


def test_a_transaction_that_the_server_discards_is_raised_and_nothing_has_run(
    client: Client,
) -> None:
    with pytest.raises(RequestError, match="unknown command") as caught:
        client.batch([["SET", KEYS[0], 1], ["NOSUCH"]], atomic=True, raise_on_error=False)
    assert caught.value.status is Status.SERVER
    assert client.execute("EXISTS", KEYS[0]) == 0


def test_a_transaction_over_several_slots_is_refused_and_nothing_is_sent(client: Client) -> None:
    with pytest.raises(RequestError, match="CROSSSLOT") as caught:
        client.batch([["SET", KEYS[0], 1], ["SET", KEYS[1], 1]], atomic=True)
    assert caught.value.status is Status.INVALID_ARGUMENT
    assert not caught.value.sent
    assert client.execute("EXISTS", *KEYS) == 0


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("raise_on_error", [False, True])
def test_an_empty_batch_is_refused(client: Client, atomic: bool, raise_on_error: bool) -> None:
    with pytest.raises(RequestError, match="empty batch") as caught:
        client.batch([], atomic=atomic, raise_on_error=raise_on_error)
    assert not caught.value.sent


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"timeout": 0}, "timeout is 0 s"),
        ({"timeout": "1"}, "timeout is '1'"),
        ({"route": "localhost:1"}, "none of libglide.routes"),
        ({"route": AllNodes()}, "not to all nodes"),
    ],
)
def test_an_argument_that_cannot_be_is_named(
    client: Client, arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(RequestError, match=named):
        client.batch([["SET", KEYS[0], 1]], **arguments)
    assert client.execute("EXISTS", KEYS[0]) == 0


@pytest.mark.parametrize("atomic", [False, True])
def test_a_route_is_for_the_whole_batch(client: Client, atomic: bool) -> None:
    for node in client.topology().nodes:
        results = client.batch(
            [["CONFIG", "GET", "port"], ["CONFIG", "GET", "port"]],
            atomic=atomic,
            route=ByAddressRoute(node.address),
        )
        assert results == [{b"port": str(node.port).encode()}] * 2


@pytest.mark.parametrize("atomic", [False, True])
def test_a_batch_ends_at_its_own_timeout(client: Client, stalled: str, atomic: bool) -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        client.batch([["SET", "stalled", 1], ["GET", "stalled"]], atomic=atomic, timeout=0.2)
    assert 0.15 < time.monotonic() - started < 0.6
    assert caught.value.sent
    assert client.execute("GET", KEYS[0]) is None


def test_what_came_before_the_timeout_stands_beside_it(client: Client, stalled: str) -> None:
    other = next(key for key in KEYS if client.resolve("GET", key).legs[0].node.address != stalled)
    results = client.batch(
        [["SET", "stalled", 1], ["SET", other, 1]], timeout=0.2, raise_on_error=False
    )
    assert results is not None
    late = results[0]
    assert isinstance(late, TimeoutError)
    assert (late.status, late.code, late.node) == (Status.TIMEOUT, "", stalled)
    assert (late.sent, late.retryable) == (True, False)
    assert results[1] == "OK"


def test_a_result_that_was_never_sent_says_that_it_may_go_again() -> None:
    response = messages.load().response()
    response.value.array.items.add().error.MergeFrom(
        type(response.value.error)(
            status=Status.CONNECTION, message="INCR: no connection", node="h:1", retryable=True
        )
    )
    results = Codec(messages.load()).results(Status.OK, response.SerializeToString())
    assert results is not None
    lost = results[0]
    assert isinstance(lost, ConnectionError)
    assert (str(lost), lost.status, lost.code) == ("INCR: no connection", Status.CONNECTION, "")
    assert (lost.node, lost.sent, lost.retryable) == ("h:1", False, True)


def test_a_closed_client_runs_no_batch(connect: Connect, cluster: Cluster) -> None:
    closed = connect(cluster.addresses)
    closed.close()
    with pytest.raises(ClosingError):
        closed.batch([["PING"]])
