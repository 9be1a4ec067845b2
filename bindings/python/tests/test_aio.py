"""The client for event loops does what the one that waits does."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest
from conftest import Cluster, InLoop

import libglide
from libglide import ConfigurationError, MultiNodeError, RequestError, aio
from libglide.routes import AllNodes, AllPrimaries


def test_it_has_the_methods_and_arguments_of_the_client_that_waits() -> None:
    def public(client: type) -> dict[str, Any]:
        return {
            name: inspect.signature(value)
            for name, value in inspect.getmembers(client, callable)
            if not name.startswith("_") and name not in ("connect", "session")
        }

    ours, theirs = public(aio.Client), public(libglide.Client)
    assert ours.keys() == theirs.keys()
    for name, signature in theirs.items():
        assert ours[name].parameters == signature.parameters, name


def test_a_command_gives_its_reply(cluster: Cluster, in_loop: InLoop) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses) as client:
            assert await client.execute("SET", "aio:greeting", "hello") == "OK"
            assert await client.execute("GET", "aio:greeting") == b"hello"
            assert await client.execute("GET", "aio:none") is None
            ports = await client.execute("CONFIG", "GET", "port", route=AllPrimaries())
            assert isinstance(ports, dict) and set(ports) == set(cluster.primaries)

    in_loop(main())


def test_a_response_tells_the_outcome_of_every_node(cluster: Cluster, in_loop: InLoop) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses) as client:
            response = await client.response("PING", route=AllNodes())
            assert {o.node.address for o in response.outcomes} == set(cluster.addresses)

    in_loop(main())


def test_batches_and_transactions_give_a_result_for_each_command(
    cluster: Cluster, in_loop: InLoop
) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses) as client:
            await client.execute("DEL", "{aio}a", "{aio}b")
            commands = [("INCR", "{aio}a"), ("INCR", "{aio}b"), ("INCR", "{aio}a")]
            assert await client.batch(commands) == [1, 1, 2]
            assert await client.batch(commands, atomic=True) == [3, 2, 4]
            with pytest.raises(RequestError, match="NOSUCH"):
                await client.batch([("INCR", "{aio}a"), ("NOSUCH",)], atomic=True)

    in_loop(main())


def test_a_script_runs(cluster: Cluster, in_loop: InLoop) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses) as client:
            script = libglide.Script("return {KEYS[1], ARGV[1]}")
            assert await client.script(script, ["aio:key"], [7]) == [b"aio:key", b"7"]

    in_loop(main())


def test_a_scan_is_iterated_over_with_async_for(cluster: Cluster, in_loop: InLoop) -> None:
    async def main() -> None:
        keys = {f"aio:scan:{number}".encode() for number in range(500)}
        async with await aio.Client.connect(cluster.addresses) as client:
            await asyncio.gather(*(client.execute("SET", key, "x") for key in keys))
            assert {key async for key in client.scan("aio:scan:*", count=50)} == keys
            cursor, found = "", set[bytes]()
            while cursor != "finished":
                cursor, some = await client.scan_step(cursor, "aio:scan:*", count=100)
                found.update(some)
            assert found == keys

    in_loop(main())


def test_a_request_and_the_topology_are_there_without_waiting(
    cluster: Cluster, in_loop: InLoop
) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses) as client:
            assert client.resolve("GET", "foo").legs[0].node.address in cluster.primaries
            assert len(client.resolve_batch([("GET", "a"), ("GET", "b")]).legs) == 2
            nodes = [shard.primary for shard in client.topology().shards]
            assert {node.address for node in nodes if node} == set(cluster.primaries)

    in_loop(main())


def test_errors_are_those_of_the_client_that_waits(
    cluster: Cluster, in_loop: InLoop, nobody: str
) -> None:
    async def main() -> None:
        with pytest.raises(ConfigurationError, match="inflight_requests_limit"):
            await aio.Client.connect(cluster.addresses, inflight_requests_limit=0)
        with pytest.raises(libglide.ConnectionError, match=nobody):
            await aio.Client.connect(nobody, connection_timeout=0.5)
        async with await aio.Client.connect(cluster.addresses) as client:
            await client.execute("SET", "aio:text", "x")
            with pytest.raises(RequestError) as wrong:
                await client.execute("LPUSH", "aio:text", "x")
            assert wrong.value.code == "WRONGTYPE"
            with pytest.raises(MultiNodeError):
                await client.execute("INCR", "aio:text", route=AllPrimaries())
            with pytest.raises(TypeError, match=r"args\[1\]"):
                await client.execute("GET", None)  # type: ignore[arg-type]
            with pytest.raises(RequestError, match="no words"):
                await client.execute()

    in_loop(main())
