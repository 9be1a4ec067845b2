"""Scripts, on a live cluster."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from conftest import Cluster, Connect

from libglide import (
    AllNodes,
    AllPrimaries,
    Client,
    ClosingError,
    MultiNodeError,
    RequestError,
    Script,
    Status,
)

COUNT = Script("return server.call('INCRBY', KEYS[1], ARGV[1])")


def test_a_script_knows_its_hash() -> None:
    source = "return 'é'"
    for script in (Script(source), Script(source.encode())):
        assert script.source == source.encode()
        assert script.hash == hashlib.sha1(source.encode()).hexdigest()
        assert script.hash in repr(script)


def test_a_script_runs_whether_the_servers_know_it_or_not(client: Client) -> None:
    client.execute("DEL", *(f"script:{number}" for number in range(30)))
    for number in range(30):
        if number % 10 == 0:
            client.execute("SCRIPT", "FLUSH")
        assert client.script(COUNT, [f"script:{number}"], [number + 1]) == number + 1
    client.execute("DEL", *(f"script:{number}" for number in range(30)))


def test_a_script_for_all_nodes_is_loaded_into_each(client: Client, cluster: Cluster) -> None:
    client.execute("SCRIPT", "FLUSH")
    answers = client.script(Script("return ARGV[1]"), args=[b"\x00\xff"], route=AllNodes())
    assert answers == dict.fromkeys(cluster.addresses, b"\x00\xff")


def test_a_script_that_fails_is_an_error_of_the_server(client: Client) -> None:
    with pytest.raises(RequestError, match="MINE of the script") as caught:
        client.script(Script("return server.error_reply('MINE of the script')"), ["k"])
    assert (caught.value.status, caught.value.code) == (Status.SERVER, "MINE")
    with pytest.raises(RequestError, match=r"SCRIPT LOAD"):
        client.script(Script("no Lua"))
    with pytest.raises(MultiNodeError, match=r"SCRIPT LOAD"):
        client.script(Script("no Lua"), route=AllPrimaries())


def test_keys_of_several_slots_are_refused_and_nothing_is_sent(client: Client) -> None:
    with pytest.raises(RequestError, match=r"CROSSSLOT script: keys\[0\] .* keys\[1\]") as caught:
        client.script(COUNT, ["foo", "bar"], [1])
    assert caught.value.status is Status.INVALID_ARGUMENT
    assert not caught.value.sent


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("return 1",), "script is a str, not a Script"),
        ((COUNT, "key"), "keys is a str, not a sequence"),
        ((COUNT, ["key"], b"1"), "args is a bytes, not a sequence"),
        ((COUNT, ["key"], [1, None]), r"args\[1\] is a NoneType"),
    ],
)
def test_an_argument_of_another_type_is_named(
    client: Client, arguments: tuple[Any, ...], named: str
) -> None:
    with pytest.raises(TypeError, match=named):
        client.script(*arguments)


def test_a_source_that_is_none_is_refused() -> None:
    source: Any = 5
    with pytest.raises(TypeError, match="the source is a int"):
        Script(source)
    with pytest.raises(RequestError, match="source is not Unicode text"):
        Script("\ud800")


def test_a_closed_client_runs_no_script(connect: Connect, cluster: Cluster) -> None:
    closed = connect(cluster.addresses)
    closed.close()
    with pytest.raises(ClosingError):
        closed.script(COUNT, ["key"], [1])
