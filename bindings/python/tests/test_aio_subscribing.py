"""Subscriptions in event loops."""

from __future__ import annotations

import asyncio
import gc
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from conftest import Cluster, InLoop, run
from test_subscribing import ONE_NODE, kill_subscriptions, waited_on

from libglide import (
    AllNodes,
    Client,
    ClosingError,
    RequestError,
    Status,
    TimeoutError,
    aio,
)
from libglide.aio_subscription import Subscription
from libglide.events import ChannelKind, Event, Gap, Lost, Message, Overflow


async def await_true(condition: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + 20
    while not await condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def subscribed(client: aio.Client, channel: str) -> bool:
    """Whether anybody is subscribed to a channel anywhere."""
    counts = await client.execute("PUBSUB", "NUMSUB", channel, route=AllNodes())
    assert isinstance(counts, dict)
    return any(counts.values())


Name = Callable[[str], str]
_runs = itertools.count()


@pytest.fixture
def name() -> Name:
    """Names a channel that no other test has: a node may tell late what another told at once."""
    run = next(_runs)
    return lambda channel: f"aio:{run}:{channel}"


Test = Callable[[aio.Client], Awaitable[None]]


@pytest.fixture
def with_client(in_loop: InLoop, cluster: Cluster) -> Callable[[Test], None]:
    """Runs a coroutine with a client in an event loop of either kind."""

    def with_client(test: Test, **options: Any) -> None:
        async def main() -> None:
            async with await aio.Client.connect(
                cluster.addresses, request_timeout=5.0, **options
            ) as client:
                await test(client)

        in_loop(main())

    return with_client


WithClient = Callable[..., None]


def test_messages_of_channels_patterns_and_sharded_channels_come(
    with_client: WithClient, name: Name
) -> None:
    async def test(client: aio.Client) -> None:
        async with await client.subscribe(
            name("news"), patterns=[name("n?ws")], sharded=[name("shard")]
        ) as subscription:
            await client.execute("PUBLISH", name("news"), "one")
            assert {await subscription.get(20), await subscription.get(20)} == {
                Message(name("news").encode(), b"one"),
                Message(name("news").encode(), b"one", name("n?ws").encode(), ChannelKind.PATTERN),
            }
            assert await client.execute("SPUBLISH", name("shard"), "two") == 1
            async for message in subscription:
                assert message == Message(name("shard").encode(), b"two", None, ChannelKind.SHARDED)
                break

    with_client(test)


def test_ten_thousand_messages_come_in_order_beside_requests(
    with_client: WithClient, name: Name
) -> None:
    async def test(client: aio.Client) -> None:
        subscription = await client.subscribe(name("order"))

        async def publish() -> None:
            for start in range(0, 10_000, 500):
                numbers = range(start, start + 500)
                commands = [("PUBLISH", name("order"), number) for number in numbers]
                await client.batch(commands, route=ONE_NODE)

        publisher = asyncio.create_task(publish())
        came = []
        async for message in subscription:
            came.append(int(message.payload))
            if len(came) == 10_000:
                break
        await publisher
        assert came == list(range(10_000))

    with_client(test, event_queue_limit=20_000)


def test_get_gives_none_when_no_message_came_in_time(with_client: WithClient, name: Name) -> None:
    async def test(client: aio.Client) -> None:
        subscription = await client.subscribe(name("silent"))
        started = time.monotonic()
        assert await subscription.get(0) is None
        assert await subscription.get(timeout=0.2) is None
        assert [event async for event in subscription.events(timeout=0.1)] == []
        assert 0.3 <= time.monotonic() - started < 10
        with pytest.raises(ValueError, match="timeout"):
            await subscription.get(-1)
        with pytest.raises(ValueError, match="timeout"):
            subscription.events(-1)

    with_client(test)


def test_get_without_time_takes_what_is_there(with_client: WithClient, name: Name) -> None:
    async def test(client: aio.Client) -> None:
        subscription = await client.subscribe(name("there"))
        await client.execute("PUBLISH", name("there"), "x")

        async def came() -> bool:
            return await subscription.get(0) is not None

        await await_true(came)

    with_client(test)


def test_many_tasks_have_a_subscription_each(with_client: WithClient, name: Name) -> None:
    async def test(client: aio.Client) -> None:
        async def listen(number: int) -> list[bytes]:
            taken = []
            async with await client.subscribe(name(f"task{number}"), name("all")) as subscription:
                ready.append(number)
                async for message in subscription:
                    taken.append(message.payload)
                    if message.channel == name("all").encode():
                        return taken
            return taken

        ready: list[int] = []
        tasks = [asyncio.create_task(listen(number)) for number in range(200)]

        async def all_ready() -> bool:
            return len(ready) == 200

        await await_true(all_ready)
        await client.batch([("PUBLISH", name(f"task{number}"), number) for number in range(200)])
        await asyncio.sleep(0.1)
        await client.execute("PUBLISH", name("all"), "end")
        assert await asyncio.gather(*tasks) == [[b"%d" % n, b"end"] for n in range(200)]

    with_client(test, connection_timeout=20.0)


def test_a_channel_stays_subscribed_until_the_last_subscription_to_it_is_closed(
    with_client: WithClient, name: Name
) -> None:
    async def test(client: aio.Client) -> None:
        first, second = await client.subscribe(name("count")), await client.subscribe(name("count"))
        await first.close()
        await client.execute("PUBLISH", name("count"), "x")
        assert await second.get(20) == Message(name("count").encode(), b"x")
        await second.close()

        async def gone() -> bool:
            return not await subscribed(client, name("count"))

        await await_true(gone)
        async with await client.subscribe(name("count")) as third:
            await client.execute("PUBLISH", name("count"), "y")
            assert await third.get(20) == Message(name("count").encode(), b"y")

    with_client(test)


def test_a_cancelled_wait_takes_no_message(with_client: WithClient, name: Name) -> None:
    async def test(client: aio.Client) -> None:
        subscription = await client.subscribe(name("cancel"))
        for number in range(50):
            waits = asyncio.create_task(anext_of(subscription))
            await asyncio.sleep(0)
            publishing = asyncio.create_task(client.execute("PUBLISH", name("cancel"), number))
            await asyncio.sleep(number / 20_000)
            cancelled = waits.cancel()
            done = (await asyncio.gather(waits, return_exceptions=True))[0]
            message = done if isinstance(done, Message) else await subscription.get(20)
            assert cancelled or isinstance(done, Message)
            assert message == Message(name("cancel").encode(), b"%d" % number)
            await publishing

    with_client(test)


async def anext_of(subscription: Subscription) -> Message:
    async for message in subscription:
        return message
    raise AssertionError("the iteration ended")


def test_subscribing_can_be_cancelled(in_loop: InLoop, nobody: str, name: Name) -> None:
    async def main() -> None:
        async with await aio.Client.connect(nobody, lazy_connect=True) as client:
            subscribing = asyncio.create_task(client.subscribe(name("never"), timeout=60))
            await asyncio.sleep(0.1)
            subscribing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await subscribing
            with pytest.raises(TimeoutError, match="never"):
                await client.subscribe(name("never"), timeout=0.2)

    in_loop(main())


def test_a_client_that_has_no_room_for_requests_subscribes(
    with_client: WithClient, name: Name
) -> None:
    async def test(client: aio.Client) -> None:
        blocked = asyncio.create_task(client.execute("BLPOP", "{aio}room", 0))
        await asyncio.sleep(0.1)
        async with await client.subscribe(name("room")) as subscription:
            blocked.cancel()
            await asyncio.gather(blocked, return_exceptions=True)
            await client.execute("PUBLISH", name("room"), "x")
            assert await subscription.get(20) == Message(name("room").encode(), b"x")

    with_client(test, inflight_requests_limit=1)


def test_a_task_that_takes_nothing_holds_up_no_other(with_client: WithClient, name: Name) -> None:
    async def test(client: aio.Client) -> None:
        slow, quick = await client.subscribe(name("pace")), await client.subscribe(name("pace"))
        for number in range(200):
            await client.execute("PUBLISH", name("pace"), number)
            assert await quick.get(20) == Message(name("pace").encode(), b"%d" % number)
        events = [event async for event in slow.events(timeout=0)]
        assert [event.payload for event in events if isinstance(event, Message)] == [
            b"%d" % number for number in range(50)
        ]
        missing = events[-1]
        assert isinstance(missing, Overflow)
        assert (missing.dropped, missing.untold) == (150, 0)

    with_client(test, event_queue_limit=50)


def test_a_lost_connection_is_told_and_messages_come_again(
    with_client: WithClient, client: Client, name: Name
) -> None:
    async def test(listener: aio.Client) -> None:
        subscription = await listener.subscribe(name("lost"))
        kill_subscriptions(client)
        told: list[Event] = []
        async for event in subscription.events(timeout=20):
            told.append(event)
            if isinstance(event, Gap):
                break
        assert [type(event) for event in told] == [Lost, Gap]
        await listener.execute("PUBLISH", name("lost"), "again")
        assert await subscription.get(20) == Message(name("lost").encode(), b"again")

    with_client(test)


def test_a_channel_that_the_server_refuses_is_its_error(
    in_loop: InLoop, client: Client, cluster: Cluster, name: Name
) -> None:
    async def main() -> None:
        async with await aio.Client.connect(
            cluster.addresses, username="aio-confined", password="secret"
        ) as confined:
            with pytest.raises(RequestError) as caught:
                await confined.subscribe("allowed:aio", name("forbidden"))
            assert (caught.value.status, caught.value.code) == (Status.SERVER, "NOPERM")
            async with await confined.subscribe("allowed:aio") as subscription:
                client.execute("PUBLISH", "allowed:aio", "x")
                assert await subscription.get(20) == Message(b"allowed:aio", b"x")

    rules = ("reset", "on", ">secret", "+@all", "~*", "&allowed:*")
    client.execute("ACL", "SETUSER", "aio-confined", *rules, route=AllNodes())
    try:
        in_loop(main())
    finally:
        client.execute("ACL", "DELUSER", "aio-confined", route=AllNodes())


@pytest.mark.parametrize("what", ["subscription", "client"])
def test_closing_ends_the_iterations_of_other_tasks(
    in_loop: InLoop, cluster: Cluster, what: str, name: Name
) -> None:
    async def listen(subscription: Subscription) -> list[Message]:
        return [message async for message in subscription]

    async def main() -> None:
        client = await aio.Client.connect(cluster.addresses)
        subscription = await client.subscribe(name("end"))
        tasks = [asyncio.create_task(listen(subscription)) for _ in range(3)]
        await asyncio.sleep(0.1)
        await (client if what == "client" else subscription).close()
        assert await asyncio.wait_for(asyncio.gather(*tasks), 10) == [[], [], []]
        with pytest.raises(ClosingError, match=f"the {what}"):
            await subscription.get()
        await client.close()
        with pytest.raises(ClosingError):
            await client.subscribe(name("end"))

    in_loop(main())


def test_a_dropped_subscription_unsubscribes(with_client: WithClient, name: Name) -> None:
    async def test(client: aio.Client) -> None:
        subscription = await client.subscribe(name("dropped"))
        assert await subscribed(client, name("dropped"))
        del subscription
        gc.collect()

        async def gone() -> bool:
            return not await subscribed(client, name("dropped"))

        await await_true(gone)

    with_client(test)


def test_a_subscription_keeps_its_client_and_both_leave_nothing_behind(
    in_loop: InLoop, cluster: Cluster, client: Client, name: Name
) -> None:
    async def main() -> None:
        subscription = await (await aio.Client.connect(cluster.addresses)).subscribe(name("kept"))
        gc.collect()
        client.execute("PUBLISH", name("kept"), "x")
        assert await subscription.get(20) == Message(name("kept").encode(), b"x")

    in_loop(main())
    gc.collect()
    before = waited_on()
    for _ in range(3):
        in_loop(main())
        gc.collect()
    assert waited_on() <= before


def test_another_loop_is_told_so(in_loop: InLoop, cluster: Cluster, name: Name) -> None:
    kept: list[Subscription] = []

    async def main() -> None:
        client = await aio.Client.connect(cluster.addresses)
        kept.append(await client.subscribe(name("loop")))

    async def other() -> None:
        with pytest.raises(RuntimeError, match="another event loop"):
            await kept[0].get(1)

    in_loop(main())
    in_loop(other())
    kept.clear()
    gc.collect()


def test_the_child_of_a_fork_is_told_so(cluster: Cluster) -> None:
    program = """
import asyncio, os, sys
from libglide import ClosingError
from libglide.aio import Client

async def ask(client, subscription):
    for take in (subscription.get, subscription.__anext__, lambda: client.subscribe("aio:fork")):
        try:
            print(await take())
        except ClosingError as error:
            print(error.status.name, flush=True)

async def main():
    client = await Client.connect(sys.argv[1])
    subscription = await client.subscribe("aio:fork")
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(ask(client, subscription))
        finally:
            os._exit(0)
    print(os.waitpid(child, 0)[1])
    await client.execute("PUBLISH", "aio:fork", "x")
    print((await subscription.get(20)).payload)
    await client.close()

asyncio.run(main())
"""
    ended = run(program, cluster.addresses[0])
    assert (ended.stderr, ended.returncode) == ("", 0)
    assert ended.stdout.split() == ["FORKED"] * 3 + ["0", "b'x'"]
