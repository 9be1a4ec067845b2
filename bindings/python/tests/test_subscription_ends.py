"""The end of subscriptions: closed, dropped, interrupted, forked."""

from __future__ import annotations

import gc
import threading
import time
from textwrap import dedent

import pytest
from conftest import Cluster, Connect, run
from test_closing import gone
from test_subscribing import await_true, subscribed, waited_on

from libglide import Client, ClosingError, Status
from libglide.events import Message
from libglide.subscription import Subscription


def test_a_closed_subscription_says_so(client: Client) -> None:
    subscription = client.subscribe("py:closed")
    client.execute("PUBLISH", "py:closed", "x")
    await_true(lambda: subscription.get(0) is not None)
    subscription.close()
    subscription.close()
    assert list(subscription) == list(subscription.events()) == []
    with pytest.raises(ClosingError, match="the subscription is closed") as caught:
        subscription.get()
    assert caught.value.status is Status.CLOSED


@pytest.mark.parametrize("what", ["subscription", "client"])
def test_closing_ends_the_iterations_of_other_threads(
    connect: Connect, cluster: Cluster, what: str
) -> None:
    client = connect(cluster.addresses)
    first, second = client.subscribe("py:end"), client.subscribe("py:end", "py:end2")
    ended: list[object] = []

    def listen(subscription: Subscription) -> None:
        ended.append(list(subscription))

    threads = [threading.Thread(target=listen, args=(each,)) for each in (first, second)]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    if what == "client":
        client.close()
    else:
        first.close()
        second.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert ended == [[], []]


def test_a_closed_client_subscribes_no_more(client: Client) -> None:
    subscription = client.subscribe("py:over")
    client.close()
    assert list(subscription) == []
    with pytest.raises(ClosingError, match="the client"):
        subscription.get()
    with pytest.raises(ClosingError):
        client.subscribe("py:over")


def test_a_dropped_subscription_unsubscribes(client: Client) -> None:
    subscription = client.subscribe("py:dropped")
    assert subscribed(client, "py:dropped")
    del subscription
    gc.collect()
    await_true(lambda: not subscribed(client, "py:dropped"))


def test_a_subscription_keeps_its_client_and_both_leave_nothing_behind(
    client: Client, cluster: Cluster
) -> None:
    def listen() -> None:
        subscription = Client.connect(cluster.addresses, client_name="listens").subscribe("py:gone")
        gc.collect()
        client.execute("PUBLISH", "py:gone", "x")
        assert subscription.get(20) == Message(b"py:gone", b"x")

    listen()
    gc.collect()
    assert gone(client, "listens")
    before = waited_on()
    for _ in range(5):
        listen()
    gc.collect()
    assert gone(client, "listens")
    assert waited_on() <= before


def test_a_client_without_subscriptions_has_no_descriptor_for_them(client: Client) -> None:
    before = waited_on()
    client.execute("PUBLISH", "py:nobody", "x")
    assert waited_on() == before
    client.subscribe("py:nobody")
    assert waited_on() > before


def outcome(cluster: Cluster, body: str) -> list[str]:
    """What a program prints; in a process of its own, so that the signals are its own too."""
    begin = """
        import os, signal, sys, threading, time
        from libglide import Client, ClosingError, SlotIdRoute, SlotType

        ONE_NODE = SlotIdRoute(SlotType.PRIMARY, 0)
        client = Client.connect(sys.argv[1], request_timeout=5.0)

        def later(seconds, number=signal.SIGINT):
            threading.Timer(seconds, os.kill, (os.getpid(), number)).start()
    """
    finished = run(dedent(begin) + dedent(body), cluster.addresses[0])
    assert (finished.stderr, finished.returncode) == ("", 0)
    return finished.stdout.splitlines()


def test_ctrl_c_ends_an_iteration_at_once_and_messages_go_on(cluster: Cluster) -> None:
    said = outcome(
        cluster,
        """
        subscription = client.subscribe("py:signal")
        later(0.3)
        began = time.monotonic()
        try:
            for message in subscription:
                pass
        except KeyboardInterrupt:
            print(time.monotonic() - began < 10)
        client.execute("PUBLISH", "py:signal", "x")
        print(subscription.get(20).payload)
        """,
    )
    assert said == ["True", "b'x'"]


def test_ctrl_c_while_another_thread_reads_ends_the_wait_too(cluster: Cluster) -> None:
    said = outcome(
        cluster,
        """
        mine, other = client.subscribe("py:mine"), client.subscribe("py:other")
        thread = threading.Thread(target=lambda: print([m.payload for m in other]))
        thread.start()
        time.sleep(0.1)
        later(0.3)
        try:
            mine.get()
        except KeyboardInterrupt:
            print("interrupted")
        client.execute("PUBLISH", "py:other", "x")
        time.sleep(0.3)
        other.close()
        thread.join()
        """,
    )
    assert said == ["interrupted", "[b'x']"]


@pytest.mark.parametrize("what", ["subscription", "client"])
def test_a_signal_handler_may_close(cluster: Cluster, what: str) -> None:
    said = outcome(
        cluster,
        f"""
        subscription = client.subscribe("py:handler")
        signal.signal(signal.SIGTERM, lambda *_: {what}.close())
        later(0.3, signal.SIGTERM)
        print([message for message in subscription])
        """,
    )
    assert said == ["[]"]


def test_handlers_that_raise_while_messages_stream_leave_the_subscription_as_it_was(
    cluster: Cluster,
) -> None:
    said = outcome(
        cluster,
        """
        class Ring(Exception): pass
        def ring(_, frame):
            if "libglide" in frame.f_code.co_filename:
                raise Ring

        subscription = client.subscribe("py:stream")
        publisher = Client.connect(sys.argv[1], request_timeout=5.0)
        def publish():
            for start in range(0, 20000, 200):
                commands = [("PUBLISH", "py:stream", n) for n in range(start, start + 200)]
                publisher.batch(commands, route=ONE_NODE)
        thread = threading.Thread(target=publish)
        thread.start()
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
        numbers, rings = [], 0
        while thread.is_alive():
            try:
                message = subscription.get(0.1)
            except Ring:
                rings += 1
                continue
            if message is not None:
                numbers.append(int(message.payload))
        signal.setitimer(signal.ITIMER_REAL, 0)
        thread.join()
        publisher.execute("PUBLISH", "py:stream", "end", route=ONE_NODE)
        while (message := subscription.get(20)).payload != b"end":
            numbers.append(int(message.payload))
        print(rings > 0, numbers == sorted(set(numbers)))
        """,
    )
    assert said == ["True True"]


def test_the_child_of_a_fork_is_told_so_and_the_parent_goes_on(cluster: Cluster) -> None:
    said = outcome(
        cluster,
        """
        subscription, other = client.subscribe("py:fork"), client.subscribe("py:fork")
        thread = threading.Thread(target=lambda: list(other))
        thread.start()
        client.batch([("PUBLISH", "py:fork", n) for n in range(3)], route=ONE_NODE)
        assert subscription.get(20).payload == b"0"
        child = os.fork()
        if child == 0:
            for take in (
                subscription.get,
                lambda: next(subscription),
                lambda: list(subscription.events()),
                lambda: client.subscribe("py:fork"),
            ):
                try:
                    print(take())
                except ClosingError as error:
                    print(error.status.name)
            subscription.close()
            with Client.connect(sys.argv[1]) as mine, mine.subscribe("py:child") as listening:
                mine.execute("PUBLISH", "py:child", "x")
                print(listening.get(20).payload, flush=True)
            os._exit(0)
        print(os.waitpid(child, 0)[1])
        print(subscription.get(20).payload, subscription.get(20).payload)
        client.close()
        thread.join()
        """,
    )
    assert said == ["FORKED"] * 4 + ["b'x'", "0", "b'1' b'2'"]


def test_a_process_with_a_subscription_ends_cleanly(cluster: Cluster) -> None:
    assert outcome(cluster, 'subscription = client.subscribe("py:exit")') == []
