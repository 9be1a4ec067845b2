"""Deadlines, limits, blocking commands and many threads."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import Cluster, Connect

from libglide import Client, ClosingError, RequestError, Status, TimeoutError
from libglide.routes import AllNodes, ByAddressRoute


def test_a_request_ends_at_its_own_timeout(client: Client, stalled: str) -> None:
    started = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        client.execute("SET", "stalled", "x", timeout=0.2)
    assert 0.15 < time.monotonic() - started < 0.6
    assert caught.value.status is Status.TIMEOUT
    assert caught.value.sent


def test_a_request_ends_at_the_timeout_of_its_client(
    connect: Connect, cluster: Cluster, stalled: str
) -> None:
    impatient = connect(cluster.addresses, request_timeout=0.1)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        impatient.execute("SET", "stalled", "x")
    assert 0.05 < time.monotonic() - started < 0.5


def test_a_timeout_leaves_the_client_usable(client: Client, stalled: str) -> None:
    with pytest.raises(TimeoutError):
        client.execute("SET", "stalled", "x", timeout=0.05)
    assert client.execute("GET", "unheard of") is None


def test_a_blocking_command_gets_the_time_that_it_names(connect: Connect, cluster: Cluster) -> None:
    client = connect(cluster.addresses, request_timeout=0.1)
    started = time.monotonic()
    assert client.execute("BLPOP", "empty", 0.5) is None
    assert 0.4 < time.monotonic() - started < 1.1


def test_a_blocking_command_does_not_hold_up_another_thread(client: Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.execute, "BLPOP", "queue", 5)
        time.sleep(0.1)
        started = time.monotonic()
        assert client.execute("LPUSH", "queue", "item") == 1
        assert waiting.result(timeout=2) == [b"queue", b"item"]
        assert time.monotonic() - started < 1.0


def test_more_requests_than_the_limit_are_refused_as_busy(
    connect: Connect, cluster: Cluster
) -> None:
    client = connect(cluster.addresses, inflight_requests_limit=1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.execute, "BLPOP", "empty", 0.5)
        time.sleep(0.1)
        with pytest.raises(RequestError) as caught:
            client.execute("PING")
        assert waiting.result() is None
    assert caught.value.status is Status.BUSY
    assert caught.value.retryable
    assert not caught.value.sent


def test_closing_ends_a_call_that_blocks(client: Client) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.execute, "BLPOP", "empty", 5)
        time.sleep(0.1)
        client.close()
        with pytest.raises(ClosingError):
            waiting.result(timeout=2)


def test_eight_threads_share_a_client(client: Client) -> None:
    together = threading.Barrier(8)

    def work(thread: int) -> None:
        together.wait(timeout=10)
        for number in range(100):
            key, value = f"thread:{thread}:{number}", f"{thread}/{number}".encode()
            assert client.execute("SET", key, value) == "OK"
            assert client.execute("GET", key) == value

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(work, thread) for thread in range(8)]:
            done.result(timeout=60)


def test_nothing_is_written_to_the_standard_streams(
    capfd: pytest.CaptureFixture[str], connect: Connect, cluster: Cluster, nobody: str
) -> None:
    client = connect([*cluster.addresses, nobody])
    client.execute("PING", route=AllNodes())
    for words in (("NOSUCH",), ("LPUSH",), ()):
        with pytest.raises(RequestError):
            client.execute(*words)
    with pytest.raises(RequestError):
        client.execute("PING", route=ByAddressRoute("192.0.2.1:1"))
    with pytest.raises(RequestError):
        Client.connect(nobody)
    client.close()
    assert tuple(capfd.readouterr()) == ("", "")


def test_a_server_that_hangs_up_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            server.accept()[0].close()

        address = f"127.0.0.1:{server.getsockname()[1]}"
        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(RequestError, match=address):
            Client.connect(address, connection_timeout=1.0)
