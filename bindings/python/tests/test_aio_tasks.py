"""Many tasks, deadlines, cancelled tasks and backpressure."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import Cluster, InLoop, run

from libglide import Client, TimeoutError, aio


async def until_blocked(client: aio.Client, key: str, count: int) -> None:
    """Wait until so many clients block on the server of a key."""
    from libglide.routes import SlotKeyRoute, SlotType

    route = SlotKeyRoute(SlotType.PRIMARY, key)
    deadline = time.monotonic() + 10
    while f"blocked_clients:{count}\r\n".encode() not in await client.execute(  # type: ignore[operator]
        "INFO", "clients", route=route
    ):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("limit", [100, 1000, 10000])
def test_ten_thousand_tasks_run_at_once_and_each_gets_its_own_reply(
    cluster: Cluster, in_loop: InLoop, limit: int
) -> None:
    async def main() -> None:
        client = await aio.Client.connect(
            cluster.addresses, request_timeout=20.0, inflight_requests_limit=limit
        )

        async def task(number: int) -> None:
            value = b"%d" % number
            assert await client.execute("SET", f"aio:task:{number}", value) == "OK"
            assert await client.execute("GET", f"aio:task:{number}") == value

        await asyncio.gather(*map(task, range(10_000)))
        await client.close()

    in_loop(main())


def test_requests_of_one_task_run_in_their_order(cluster: Cluster, in_loop: InLoop) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses, request_timeout=20.0) as client:
            await client.execute("DEL", "aio:order")
            calls = [asyncio.create_task(client.execute("INCR", "aio:order")) for _ in range(900)]
            assert await asyncio.gather(*calls) == list(range(1, 901))

    in_loop(main())


def test_further_requests_wait_for_their_turn_and_may_be_cancelled_meanwhile(
    cluster: Cluster, in_loop: InLoop
) -> None:
    async def main() -> None:
        async with (
            await aio.Client.connect(cluster.addresses, inflight_requests_limit=2) as client,
            await aio.Client.connect(cluster.addresses) as watcher,
        ):
            blocked = [
                asyncio.create_task(client.execute("BLPOP", "{aio}turn", 0)) for _ in range(2)
            ]
            await until_blocked(watcher, "{aio}turn", 2)
            later = [asyncio.create_task(client.execute("PING")) for _ in range(10)]
            await asyncio.sleep(0.05)
            assert not any(task.done() for task in later)
            for task in later[::2]:
                task.cancel()
            await watcher.execute("RPUSH", "{aio}turn", "a")
            done = await asyncio.gather(*later, return_exceptions=True)
            assert [isinstance(given, asyncio.CancelledError) for given in done] == [
                True,
                False,
            ] * 5
            blocked.append(asyncio.create_task(client.execute("PING")))
            assert await blocked.pop() == "PONG"
            await watcher.execute("RPUSH", "{aio}turn", "b")
            assert sorted(await asyncio.gather(*blocked)) == [  # type: ignore[type-var]
                [b"{aio}turn", b"a"],
                [b"{aio}turn", b"b"],
            ]

    in_loop(main())


def test_a_request_ends_at_its_own_timeout(cluster: Cluster, stalled: str, in_loop: InLoop) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses) as client:
            started = time.monotonic()
            with pytest.raises(TimeoutError) as late:
                await client.execute("SET", "stalled", "x", timeout=0.2)
            assert 0.15 < time.monotonic() - started < 0.6
            assert late.value.sent
            assert await client.execute("GET", "unheard of") is None

    in_loop(main())


def test_a_cancelled_blpop_takes_no_element_afterwards(cluster: Cluster, in_loop: InLoop) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses) as client:
            for _ in range(10):
                await client.execute("DEL", "{aio}cancel")
                blocking = asyncio.create_task(client.execute("BLPOP", "{aio}cancel", 0))
                await until_blocked(client, "{aio}cancel", 1)
                blocking.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await blocking
                assert await client.execute("RPUSH", "{aio}cancel", "item") == 1
                assert await client.execute("LLEN", "{aio}cancel") == 1
                await client.execute("DEL", "{aio}cancel")
            await until_blocked(client, "{aio}cancel", 0)

    in_loop(main())


def test_wait_for_gives_a_request_up(cluster: Cluster, in_loop: InLoop) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.execute("BLPOP", "{aio}wait", 0), 0.1)
            await until_blocked(client, "{aio}wait", 0)
            assert await client.execute("PING") == "PONG"

    in_loop(main())


def test_thousands_of_cancelled_tasks_leave_the_client_as_it_was(
    cluster: Cluster, in_loop: InLoop
) -> None:
    async def main() -> None:
        async with await aio.Client.connect(
            cluster.addresses, inflight_requests_limit=500, request_timeout=20.0
        ) as client:
            for pause in (0.0, 0.005, 0.05):
                tasks = [
                    asyncio.create_task(client.execute("GET", f"aio:{number}"))
                    for number in range(3000)
                ]
                await asyncio.sleep(pause)
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)
            assert await asyncio.gather(*(client.execute("PING") for _ in range(1000)))

    in_loop(main())


def test_loops_in_several_threads_have_a_client_each(cluster: Cluster, in_loop: InLoop) -> None:
    together = threading.Barrier(3)

    async def main(thread: int) -> None:
        async with await aio.Client.connect(cluster.addresses, request_timeout=20.0) as client:
            together.wait(timeout=20)

            async def task(number: int) -> None:
                key, value = f"aio:thread:{thread}:{number}", f"{thread}/{number}".encode()
                assert await client.execute("SET", key, value) == "OK"
                assert await client.execute("GET", key) == value

            await asyncio.gather(*map(task, range(500)))

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(in_loop, main(thread)) for thread in range(3)]:
            done.result(timeout=60)


def test_another_loop_is_refused(cluster: Cluster, in_loop: InLoop) -> None:
    async def main() -> None:
        async with await aio.Client.connect(cluster.addresses) as client:

            async def elsewhere() -> None:
                with pytest.raises(RuntimeError, match="another event loop"):
                    await client.execute("PING")

            thread = threading.Thread(target=lambda: asyncio.run(elsewhere()))
            thread.start()
            await asyncio.get_running_loop().run_in_executor(None, thread.join)
            assert await client.execute("PING") == "PONG"

    in_loop(main())


def test_ctrl_c_ends_a_program_and_its_blpop(cluster: Cluster, client: Client) -> None:
    program = """
import asyncio, os, signal, sys, threading
from libglide.aio import Client

async def main():
    async with await Client.connect(sys.argv[1]) as client:
        await client.execute("DEL", "{aio}ctrl-c")
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        await client.execute("BLPOP", "{aio}ctrl-c", 0)

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    ended = run(program, cluster.addresses[0])
    assert (ended.stdout, ended.stderr) == ("interrupted\n", "")
    assert client.execute("RPUSH", "{aio}ctrl-c", "item") == 1
    assert client.execute("LPOP", "{aio}ctrl-c") == b"item"


def test_the_example_counts_every_key(cluster: Cluster, client: Client) -> None:
    for number in range(100):
        client.execute("SET", f"aio:crawl:{number}", "x")
    example = Path(__file__).parents[1] / "examples" / "crawl.py"
    ended = subprocess.run(
        [sys.executable, str(example), *cluster.addresses],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert int(ended.stdout.split()[0]) >= 100
