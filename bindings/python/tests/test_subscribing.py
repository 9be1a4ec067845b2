"""Subscriptions, and what they tell."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from conftest import Cluster, Connect

from libglide import (
    AllNodes,
    Client,
    RequestError,
    SlotIdRoute,
    SlotType,
    Status,
    TimeoutError,
)
from libglide.events import ChannelKind, Event, Gap, Lost, Message, Overflow, Refused
from libglide.subscription import Subscription

# Messages that one node is told keep their order.
ONE_NODE = SlotIdRoute(SlotType.PRIMARY, 0)


def publish(client: Client, channel: str, payloads: Iterable[object]) -> None:
    client.batch([("PUBLISH", channel, str(each)) for each in payloads], route=ONE_NODE)


def await_event(subscription: Subscription, wanted: type) -> Any:
    """The next event of a class; those before it are taken too."""
    for event in subscription.events(timeout=20):
        if isinstance(event, wanted):
            return event
    raise AssertionError(f"no {wanted.__name__} came")


def subscribed(client: Client, channel: str) -> bool:
    """Whether anybody is subscribed to a channel anywhere."""
    counts = client.execute("PUBSUB", "NUMSUB", channel, route=AllNodes())
    assert isinstance(counts, dict)
    return any(counts.values())


def await_true(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def waited_on() -> int:
    """How many descriptors this process has for what it waits on; no connection is one."""
    count = 0
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):
            count += os.readlink(f"/proc/self/fd/{descriptor}").startswith("anon_inode")
    return count


def kill_subscriptions(client: Client) -> None:
    client.execute("CLIENT", "KILL", "TYPE", "PUBSUB", route=AllNodes())


def test_messages_of_channels_patterns_and_sharded_channels_come(client: Client) -> None:
    with client.subscribe("py:news", patterns=["py:n?ws"], sharded=["py:shard"]) as subscription:
        client.execute("PUBLISH", "py:news", "one")
        assert {subscription.get(20), subscription.get(20)} == {
            Message(b"py:news", b"one"),
            Message(b"py:news", b"one", b"py:n?ws", ChannelKind.PATTERN),
        }
        assert client.execute("SPUBLISH", "py:shard", b"\x00\xff") == 1
        assert subscription.get(20) == Message(b"py:shard", b"\x00\xff", None, ChannelKind.SHARDED)


def test_a_message_may_be_empty_or_large(client: Client) -> None:
    large = os.urandom(1 << 20)
    with client.subscribe(b"py:\xff") as subscription:
        for payload in (b"", large):
            client.execute("PUBLISH", b"py:\xff", payload)
            assert subscription.get(20) == Message(b"py:\xff", payload)


def test_ten_thousand_messages_come_in_order(client: Client, connect: Connect) -> None:
    listener = connect(client._addresses, event_queue_limit=20_000)
    with listener.subscribe("py:order", sharded=["py:order"]) as subscription:

        def publish_all() -> None:
            for start in range(0, 5000, 500):
                numbers = range(start, start + 500)
                publish(client, "py:order", numbers)
                client.batch([("SPUBLISH", "py:order", number) for number in numbers])

        publisher = threading.Thread(target=publish_all)
        publisher.start()
        came: dict[ChannelKind, list[int]] = {ChannelKind.EXACT: [], ChannelKind.SHARDED: []}
        for _ in range(10_000):
            message = subscription.get(20)
            assert message is not None
            came[message.kind].append(int(message.payload))
        publisher.join()
        assert list(came.values()) == [list(range(5000))] * 2
        assert subscription.get(0.1) is None


def test_an_iteration_waits_for_messages(client: Client) -> None:
    with client.subscribe("py:wait") as subscription:
        timer = threading.Timer(0.2, client.execute, ("PUBLISH", "py:wait", "late"))
        timer.start()
        assert next(subscription).payload == b"late"
        timer.join()


def test_get_gives_none_when_no_message_came_in_time(client: Client) -> None:
    with client.subscribe("py:silent") as subscription:
        started = time.monotonic()
        assert subscription.get(0) is None
        assert subscription.get(timeout=0.2) is None
        assert list(subscription.events(timeout=0.1)) == []
        assert time.monotonic() - started >= 0.3


def test_get_without_time_takes_what_is_there(client: Client) -> None:
    with client.subscribe("py:there") as subscription:
        client.execute("PUBLISH", "py:there", "x")
        await_true(lambda: subscription.get(0) is not None)


@pytest.mark.parametrize("timeout", [-1, "1", True, float("nan")])
def test_a_timeout_that_cannot_be_is_refused(client: Client, timeout: Any) -> None:
    with client.subscribe("py:timeout") as subscription:
        with pytest.raises(ValueError, match="timeout"):
            subscription.get(timeout)
        with pytest.raises(ValueError, match="timeout"):
            subscription.events(timeout)
        if timeout != 1:
            with pytest.raises(RequestError, match="timeout"):
                client.subscribe("py:timeout", timeout=timeout)


def test_a_message_goes_to_every_subscription_that_it_matches(client: Client) -> None:
    first, second = client.subscribe("py:both"), client.subscribe("py:both", "py:second")
    pattern = client.subscribe(patterns=["py:bot*"])
    other = client.subscribe("py:other")
    client.execute("PUBLISH", "py:both", "x")
    for subscription in (first, second, pattern):
        message = subscription.get(20)
        assert message is not None and message.payload == b"x"
    assert other.get(0.1) is None


def test_a_channel_stays_subscribed_until_the_last_subscription_to_it_is_closed(
    client: Client,
) -> None:
    first, second = client.subscribe("py:count"), client.subscribe("py:count")
    first.close()
    client.execute("PUBLISH", "py:count", "x")
    assert second.get(20) == Message(b"py:count", b"x")
    second.close()
    await_true(lambda: not subscribed(client, "py:count"))


def test_a_subscription_gets_nothing_from_before_it_was_made(client: Client) -> None:
    idle = client.subscribe("py:before")
    publish(client, "py:before", ["old"])
    await_true(lambda: idle.get(0) is not None)
    publish(client, "py:before", ["older"])
    time.sleep(0.2)
    with client.subscribe("py:before") as subscription:
        publish(client, "py:before", ["new"])
        assert subscription.get(20) == Message(b"py:before", b"new")
    assert [idle.get(20), idle.get(20)] == [
        Message(b"py:before", b"older"),
        Message(b"py:before", b"new"),
    ]


def test_a_channel_can_be_subscribed_anew_at_once(client: Client) -> None:
    for number in range(20):
        with client.subscribe("py:again", sharded=["py:again"]) as subscription:
            client.execute("SPUBLISH", "py:again", number)
            message = subscription.get(20)
            assert message is not None and message.payload == b"%d" % number


def test_threads_that_wait_get_each_their_messages(client: Client) -> None:
    taken: dict[int, list[bytes]] = {}

    def listen(number: int, subscription: Subscription) -> None:
        taken[number] = [next(subscription).payload for _ in range(200)]

    subscriptions = [client.subscribe(f"py:thread:{number}") for number in range(8)]
    threads = [threading.Thread(target=listen, args=pair) for pair in enumerate(subscriptions)]
    for thread in threads:
        thread.start()
    for count in range(200):
        commands = [("PUBLISH", f"py:thread:{n}", f"{n}:{count}") for n in range(8)]
        client.batch(commands, route=ONE_NODE)
    for thread in threads:
        thread.join()
    assert taken == {n: [f"{n}:{count}".encode() for count in range(200)] for n in range(8)}


def test_threads_that_share_a_subscription_take_each_message_once(client: Client) -> None:
    taken: list[bytes] = []
    subscription = client.subscribe("py:shared")

    def listen() -> None:
        taken.extend(message.payload for message in subscription)

    threads = [threading.Thread(target=listen) for _ in range(4)]
    for thread in threads:
        thread.start()
    for start in range(0, 1000, 100):
        publish(client, "py:shared", range(start, start + 100))
    await_true(lambda: len(taken) == 1000)
    subscription.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert sorted(map(int, taken)) == list(range(1000))


def test_events_that_nobody_takes_are_counted_in_their_place(
    client: Client, connect: Connect
) -> None:
    listener = connect(client._addresses, event_queue_limit=10)
    with listener.subscribe("py:slow") as subscription:
        publish(client, "py:slow", range(100))
        time.sleep(0.5)
        events = list(subscription.events(timeout=0.5))
        assert [event.payload for event in events[:10] if isinstance(event, Message)] == [
            b"%d" % number for number in range(10)
        ]
        missing = events[10]
        assert isinstance(missing, Overflow)
        assert missing.since <= missing.until
        dropped = sum(event.dropped for event in events if isinstance(event, Overflow))
        assert dropped + sum(isinstance(event, Message) for event in events) == 100


def test_a_subscription_that_takes_nothing_holds_up_no_other(
    client: Client, connect: Connect
) -> None:
    listener = connect(client._addresses, event_queue_limit=50)
    slow, quick = listener.subscribe("py:pace"), listener.subscribe("py:pace")
    for number in range(200):
        client.execute("PUBLISH", "py:pace", number)
        assert quick.get(20) == Message(b"py:pace", b"%d" % number)
    events = list(slow.events(timeout=0))
    assert [event.payload for event in events[:-1] if isinstance(event, Message)] == [
        b"%d" % number for number in range(50)
    ]
    assert isinstance(events[-1], Overflow)
    assert (events[-1].dropped, events[-1].untold) == (150, 0)
    client.execute("PUBLISH", "py:pace", "later")
    assert slow.get(20) == Message(b"py:pace", b"later")


def test_a_lost_connection_is_told_and_the_gap_and_messages_come_again(client: Client) -> None:
    with client.subscribe("py:lost", sharded=["py:lost"]) as subscription:
        kill_subscriptions(client)
        told: list[Event] = []
        while sum(isinstance(event, Gap) for event in told) < 2:
            told.append(next(subscription.events(timeout=20)))
        for kind in (ChannelKind.EXACT, ChannelKind.SHARDED):
            lost, gap = (
                event
                for event in told
                if not isinstance(event, Overflow | Message) and event.kind is kind
            )
            assert isinstance(lost, Lost) and isinstance(gap, Gap)
            assert lost.names == gap.names == (b"py:lost",)
            assert lost.error.node and lost.since == gap.since < gap.until
        client.execute("PUBLISH", "py:lost", "again")
        assert subscription.get(20) == Message(b"py:lost", b"again")


def test_a_server_that_is_no_cluster_publishes_too(connect: Connect, standalone: str) -> None:
    client = connect(standalone, cluster_mode=False)
    with client.subscribe("py:alone", patterns=["py:al*"]) as subscription:
        client.execute("PUBLISH", "py:alone", "x")
        assert {subscription.get(20), subscription.get(20)} == {
            Message(b"py:alone", b"x"),
            Message(b"py:alone", b"x", b"py:al*", ChannelKind.PATTERN),
        }


def test_a_lazy_client_connects_for_a_subscription(connect: Connect, cluster: Cluster) -> None:
    client = connect(cluster.addresses, lazy_connect=True)
    with client.subscribe("py:lazy") as subscription:
        client.execute("PUBLISH", "py:lazy", "x")
        assert subscription.get(20) == Message(b"py:lazy", b"x")


@pytest.fixture
def confined(client: Client, connect: Connect) -> Iterator[Client]:
    """The client of a user who may see the channels allowed:* only."""
    client.execute(
        "ACL", "SETUSER", "py-confined", "reset", "on", ">secret", "+@all", "~*",
        "&allowed:*", route=AllNodes(),
    )  # fmt: skip
    yield connect(client._addresses, username="py-confined", password="secret")
    client.execute("ACL", "DELUSER", "py-confined", route=AllNodes())


@pytest.mark.parametrize("kind", ["channels", "patterns", "sharded"])
def test_a_channel_that_the_server_refuses_is_its_error_and_none_is_subscribed(
    client: Client, confined: Client, kind: str
) -> None:
    with pytest.raises(RequestError, match="channel") as caught:
        if kind == "channels":
            confined.subscribe("allowed:one", "py:forbidden")
        elif kind == "patterns":
            confined.subscribe("allowed:one", patterns=["*"])
        else:
            confined.subscribe("allowed:one", sharded=["py:forbidden"])
    assert (caught.value.status, caught.value.code) == (Status.SERVER, "NOPERM")
    assert type(caught.value) is RequestError
    await_true(lambda: not subscribed(client, "allowed:one"))
    with confined.subscribe("allowed:one") as subscription:
        client.execute("PUBLISH", "allowed:one", "x")
        assert subscription.get(20) == Message(b"allowed:one", b"x")


def test_a_channel_that_is_refused_later_is_told_and_others_go_on(
    client: Client, confined: Client
) -> None:
    client.execute("ACL", "SETUSER", "py-confined", "&extra", route=AllNodes())
    with confined.subscribe("allowed:one", "extra") as subscription:
        client.execute(
            "ACL", "SETUSER", "py-confined", "resetchannels", "&allowed:*", route=AllNodes()
        )
        refused = await_event(subscription, Refused)
        assert (refused.names, refused.error.code) == ((b"extra",), "NOPERM")
        client.execute("PUBLISH", "allowed:one", "x")
        assert await_event(subscription, Message).payload == b"x"


def test_a_refusal_of_a_channel_is_raised_where_messages_are_taken(
    client: Client, confined: Client
) -> None:
    with confined.subscribe("allowed:one") as subscription:
        client.execute("ACL", "SETUSER", "py-confined", "resetchannels", route=AllNodes())
        with pytest.raises(RequestError, match="channel") as caught:
            subscription.get(20)
        assert caught.value.code == "NOPERM"
        assert subscription.get(0.1) is None


def test_what_is_not_confirmed_in_time_is_a_timeout_that_says_why(
    connect: Connect, nobody: str
) -> None:
    client = connect(nobody, lazy_connect=True)
    names = [f"py:late:{number}" for number in range(5)]
    with pytest.raises(TimeoutError, match=r"channel b'py:late:0'.* and 2 others") as caught:
        client.subscribe(*names, timeout=0.5)
    assert caught.value.status is Status.TIMEOUT
    assert nobody in str(caught.value)


def test_a_subscription_has_the_time_of_connecting_by_default(
    connect: Connect, nobody: str
) -> None:
    client = connect(nobody, lazy_connect=True, connection_timeout=0.3)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        client.subscribe("py:late")
    assert 0.25 < time.monotonic() - started < 5


def test_names_that_cannot_be_are_refused(client: Client) -> None:
    subscribe: Any = client.subscribe
    with pytest.raises(RequestError, match="no channel is named"):
        subscribe()
    with pytest.raises(TypeError, match=r"channels\[1\] is a int"):
        subscribe("a", 1)
    with pytest.raises(TypeError, match="patterns is a str, not a sequence"):
        subscribe(patterns="a*")
    with pytest.raises(TypeError, match=r"sharded\[0\] is a NoneType"):
        subscribe(sharded=[None])
    with pytest.raises(RequestError, match=r"channels\[0\] is not Unicode"):
        subscribe("\ud800")


def test_the_command_is_refused_and_says_what_to_use(client: Client) -> None:
    for command in ("SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE"):
        with pytest.raises(RequestError, match=f"{command} is not sent: .* own subscribe"):
            client.execute(command, "py:command")
