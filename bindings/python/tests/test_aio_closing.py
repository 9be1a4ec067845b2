"""The end of a client of an event loop, and of its loop."""

from __future__ import annotations

import asyncio
import gc
import os
import weakref

import pytest
from conftest import Cluster, InLoop, run
from test_closing import gone

from libglide import Client, ClosingError, aio


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_closing_ends_what_is_under_way(cluster: Cluster, stalled: str, in_loop: InLoop) -> None:
    async def main() -> None:
        client = await aio.Client.connect(cluster.addresses, inflight_requests_limit=3)
        tasks = [
            asyncio.create_task(client.execute("BLPOP", "{aio}close", 0)),
            asyncio.create_task(client.execute("SET", "stalled", "x", timeout=20)),
            asyncio.create_task(client.execute("SET", "stalled", "y", timeout=20)),
            asyncio.create_task(client.execute("GET", "waits for its turn")),
        ]
        await asyncio.sleep(0.1)
        await client.close()
        for given in await asyncio.gather(*tasks, return_exceptions=True):
            assert isinstance(given, ClosingError), given
        with pytest.raises(ClosingError):
            await client.execute("PING")
        with pytest.raises(ClosingError):
            client.topology()
        await client.close()
        assert "closed" in repr(client)

    in_loop(main())


def test_two_tasks_may_close_at_once(cluster: Cluster, in_loop: InLoop) -> None:
    async def main() -> None:
        client = await aio.Client.connect(cluster.addresses)
        await asyncio.gather(client.close(), client.close())

    in_loop(main())


def test_a_client_that_is_dropped_leaves_nothing_behind(
    cluster: Cluster, client: Client, in_loop: InLoop
) -> None:
    async def main() -> None:
        dropped = await aio.Client.connect(cluster.addresses, client_name="dropped")
        await dropped.execute("PING")
        task = asyncio.create_task(dropped.execute("BLPOP", "{aio}dropped", 0))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        watched = weakref.ref(dropped)
        del dropped, task
        gc.collect()
        assert watched() is None
        await asyncio.sleep(0)

    in_loop(main())
    gc.collect()
    assert gone(client, "dropped")
    before = descriptors()
    in_loop(main())
    assert gone(client, "dropped")
    assert descriptors() <= before


def test_a_client_that_outlives_its_loop_can_be_dropped(
    cluster: Cluster, client: Client, in_loop: InLoop
) -> None:
    kept: list[aio.Client] = []

    async def main() -> None:
        kept.append(await aio.Client.connect(cluster.addresses, client_name="outlives"))
        await kept[0].execute("PING")

    in_loop(main())
    kept.clear()
    gc.collect()
    assert gone(client, "outlives")


def test_connecting_can_be_cancelled(
    cluster: Cluster, silent: str, client: Client, in_loop: InLoop
) -> None:
    async def main() -> None:
        connecting: asyncio.Task[aio.Client] = asyncio.create_task(
            aio.Client.connect(silent, connection_timeout=0.5)
        )
        await asyncio.sleep(0.1)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting

    in_loop(main())


def test_the_end_of_a_process_with_requests_under_way_is_quiet(cluster: Cluster) -> None:
    program = """
import asyncio, sys
from libglide.aio import Client

async def main():
    client = await Client.connect(sys.argv[1])
    task = asyncio.create_task(client.execute("BLPOP", "{aio}exit", 0))
    await asyncio.sleep(0.1)
    print("ends")

asyncio.run(main())
"""
    ended = run(program, cluster.addresses[0])
    assert (ended.stdout, ended.stderr, ended.returncode) == ("ends\n", "", 0)
