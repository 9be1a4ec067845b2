"""Sessions of ``libglide.aio`` on a live cluster."""

from __future__ import annotations

import asyncio
import gc

import pytest
from conftest import Cluster

from libglide import (
    ClosingError,
    ConnectionError,
    RequestError,
    Script,
    SlotKeyRoute,
    SlotType,
    TimeoutError,
)
from libglide.aio import Client, Session


async def _connect(cluster: Cluster) -> Client:
    return await Client.connect(cluster.addresses, request_timeout=5.0)


def test_a_transaction_is_given_up_where_a_watched_key_was_changed(cluster: Cluster) -> None:
    async def program() -> None:
        async with await _connect(cluster) as client, await client.session("{aio}n") as session:
            await client.execute("SET", "{aio}n", 1)
            for changed in (False, True):
                await session.watch("{aio}n")
                if changed:
                    await client.execute("SET", "{aio}n", 7)
                results = await session.batch([("INCR", "{aio}n")], atomic=True)
                assert results == (None if changed else [2])
            await session.multi()
            assert await session.execute("SET", "{aio}n", 3) == "QUEUED"
            assert await session.exec() == ["OK"]
            await session.multi()
            await session.discard()
            await session.unwatch()
            assert await session.script(Script("return KEYS[1]"), ["{aio}n"]) == b"{aio}n"

    asyncio.run(program())


def test_calls_of_several_tasks_run_in_the_order_of_their_coming(cluster: Cluster) -> None:
    async def program() -> None:
        async with await _connect(cluster) as client, await client.session("{aio}l") as session:
            await client.execute("DEL", "{aio}l")
            await asyncio.gather(*(session.execute("RPUSH", "{aio}l", n) for n in range(200)))
            expected = [str(n).encode() for n in range(200)]
            assert await session.execute("LRANGE", "{aio}l", 0, -1) == expected

    asyncio.run(program())


def test_a_call_that_is_cancelled_takes_nothing_from_the_server(cluster: Cluster) -> None:
    async def program() -> None:
        async with await _connect(cluster) as client, await client.session("{aio}q") as session:
            await client.execute("DEL", "{aio}q")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(session.execute("BLPOP", "{aio}q", 0), timeout=0.2)
            await client.execute("RPUSH", "{aio}q", "x")
            assert await client.execute("LLEN", "{aio}q") == 1
            with pytest.raises(ConnectionError):  # the reply might have come over it
                await session.execute("PING")

    asyncio.run(program())


def test_a_call_has_a_deadline_of_its_own(cluster: Cluster) -> None:
    async def program() -> None:
        async with await _connect(cluster) as client, await client.session("{aio}t") as session:
            with pytest.raises(TimeoutError):
                await session.execute("WAIT", 100, 0, timeout=0.1)

    asyncio.run(program())


def test_closing_a_session_or_its_client_ends_its_calls(cluster: Cluster) -> None:
    async def program() -> None:
        client = await _connect(cluster)
        session = await client.session(route=SlotKeyRoute(SlotType.PRIMARY, "{aio}c"))
        assert session.node in [shard.primary for shard in client.topology().shards]
        waiting = asyncio.ensure_future(session.execute("BLPOP", "{aio}c", 0))
        await asyncio.sleep(0.1)
        await session.close()
        with pytest.raises(ClosingError):
            await waiting
        with pytest.raises(ClosingError):
            await session.execute("PING")
        another = await client.session("{aio}c")
        await client.close()
        with pytest.raises(ClosingError):
            await another.execute("PING")
        assert repr(session).startswith("<libglide.aio.Session with ")

    asyncio.run(program())


def test_a_session_that_cannot_be_is_refused(cluster: Cluster) -> None:
    async def program() -> None:
        async with await _connect(cluster) as client:
            with pytest.raises(RequestError):
                await client.session()
            with pytest.raises(RequestError):
                await client.session("a", route=SlotKeyRoute(SlotType.PRIMARY, "a"))

    asyncio.run(program())


def test_a_session_that_is_dropped_is_closed(cluster: Cluster) -> None:
    async def program() -> None:
        async with await _connect(cluster) as client:
            before = client.statistics().process.handles
            session: Session | None = await client.session("{aio}d")
            assert client.statistics().process.handles == before + 1
            del session
            gc.collect()
            assert client.statistics().process.handles == before

    asyncio.run(program())
