"""Ctrl-C and other signals during a call."""

import os
import signal
import threading
import time
from textwrap import dedent

import pytest
from conftest import Cluster, run

from libglide import Client

WAIT_THEN_INTERRUPT = """
    import os, signal, sys, threading, time
    from libglide import Client

    client = Client.connect(sys.argv[1])
    client.execute("SET", "{interrupt}key", "v")
    client.execute("DEL", "{interrupt}list", "{interrupt}list2")

    def later(seconds, number=signal.SIGINT):
        threading.Timer(seconds, os.kill, (os.getpid(), number)).start()
"""


def outcome(cluster: Cluster, body: str) -> str:
    """What a program prints; in a process of its own, so that the signals are its own too."""
    finished = run(dedent(WAIT_THEN_INTERRUPT) + dedent(body), cluster.addresses[0])
    assert finished.stderr == ""
    assert finished.returncode == 0
    return finished.stdout.strip()


def test_ctrl_c_during_blpop_raises_at_once_and_leaves_the_client_usable(
    cluster: Cluster,
) -> None:
    said = outcome(
        cluster,
        """
        later(0.3)
        began = time.monotonic()
        try:
            client.execute("BLPOP", "{interrupt}list", 30, timeout=60)
        except KeyboardInterrupt:
            print(time.monotonic() - began < 10, client.execute("GET", "{interrupt}key"))
        """,
    )
    assert said == "True b'v'"


def test_a_blpop_that_was_interrupted_takes_no_element_any_more(cluster: Cluster) -> None:
    said = outcome(
        cluster,
        """
        later(0.3)
        try:
            client.execute("BLPOP", "{interrupt}list", 30, timeout=60)
        except KeyboardInterrupt:
            pass
        blocked = lambda: client.execute("INFO", "clients", route=owner)
        from libglide import SlotKeyRoute, SlotType
        owner = SlotKeyRoute(SlotType.PRIMARY, "{interrupt}list")
        until = time.monotonic() + 10
        while b"blocked_clients:0" not in blocked() and time.monotonic() < until:
            time.sleep(0.01)
        client.execute("RPUSH", "{interrupt}list", "element")
        print(client.execute("LLEN", "{interrupt}list"))
        """,
    )
    assert said == "1"


def test_a_call_that_leads_is_interrupted_too(cluster: Cluster) -> None:
    said = outcome(
        cluster,
        """
        later(0.3)
        began = time.monotonic()
        try:
            while True:  # the interrupt comes while the thread reads, waits or decodes
                client.execute("GET", "{interrupt}key")
        except KeyboardInterrupt:
            print(time.monotonic() - began < 10, client.execute("GET", "{interrupt}key"))
        """,
    )
    assert said == "True b'v'"


def test_ctrl_c_ends_a_wait_for_a_server_that_stands_still(cluster: Cluster) -> None:
    said = outcome(
        cluster,
        """
        from libglide import SlotKeyRoute, SlotType
        owner = SlotKeyRoute(SlotType.PRIMARY, "{interrupt}key")
        client.execute("CLIENT", "PAUSE", 3000, "ALL", route=owner)
        later(0.3)
        began = time.monotonic()
        try:
            client.execute("GET", "{interrupt}key", timeout=60)
        except KeyboardInterrupt:
            print(time.monotonic() - began < 2.5)
        time.sleep(3)
        print(client.execute("GET", "{interrupt}key"))
        """,
    )
    assert said == "True\nb'v'"


def test_a_handler_that_does_not_raise_lets_the_call_go_on(cluster: Cluster) -> None:
    said = outcome(
        cluster,
        """
        seen = []
        signal.signal(signal.SIGUSR1, lambda *_: seen.append(time.monotonic()))
        later(0.2, signal.SIGUSR1)
        reply = client.execute("BLPOP", "{interrupt}list2", 1, timeout=60)
        ended = time.monotonic()
        print(reply, len(seen), ended - seen[0] > 0.4)
        """,
    )
    assert said == "None 1 True", "the handler ran while the call waited"


def test_an_alarm_raises_its_own_exception_out_of_a_call(cluster: Cluster) -> None:
    said = outcome(
        cluster,
        """
        class Late(Exception): pass
        def ring(*_): raise Late("ring")
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        try:
            client.execute("BLPOP", "{interrupt}list2", 30, timeout=60)
        except Late as late:
            print("late:", late)
        """,
    )
    assert said == "late: ring"


def test_a_handler_that_uses_the_client_does_not_hang(cluster: Cluster) -> None:
    said = outcome(
        cluster,
        """
        seen = []
        def read(*_): seen.append(client.execute("GET", "{interrupt}key"))
        signal.signal(signal.SIGUSR1, read)
        later(0.2, signal.SIGUSR1)
        print(client.execute("BLPOP", "{interrupt}list2", 1, timeout=60), seen)
        """,
    )
    assert said == "None [b'v']"


def test_ctrl_c_during_connect_raises_at_once(silent: str, cluster: Cluster) -> None:
    said = outcome(
        cluster,
        f"""
        later(0.3)
        began = time.monotonic()
        try:
            Client.connect({silent!r}, connection_timeout=30)
        except KeyboardInterrupt:
            print(time.monotonic() - began < 10)
        """,
    )
    assert said == "True"


def test_ctrl_c_ends_an_event_loop_that_connects_at_once(silent: str, cluster: Cluster) -> None:
    said = outcome(
        cluster,
        f"""
        import asyncio
        from libglide import aio

        later(0.3)
        began = time.monotonic()
        try:
            asyncio.run(aio.Client.connect({silent!r}, connection_timeout=30))
        except KeyboardInterrupt:
            print(time.monotonic() - began < 10)
        """,
    )
    assert said == "True"


def test_the_replies_of_an_interrupted_fan_out_are_given_to_no_later_call(
    cluster: Cluster,
) -> None:
    said = outcome(
        cluster,
        """
        from libglide import AllPrimaries
        keys = ["{interrupt}key", "{a}none", "{b}none", "{c}none"]
        for key in keys:
            client.execute("GET", key)
        for call in (
            lambda: client.execute("MGET", *keys, timeout=60),
            lambda: client.batch([("GET", key) for key in keys], timeout=60),
            lambda: client.execute("PING", route=AllPrimaries(), timeout=60),
        ):
            client.execute("CLIENT", "PAUSE", 1000, "ALL", route=AllPrimaries())
            later(0.3)
            try:
                call()
            except KeyboardInterrupt:
                time.sleep(1)
                print(client.execute("GET", "{interrupt}key"), client.execute("GET", "{a}none"))
        """,
    )
    assert said == "\n".join(["b'v' None"] * 3)


SLOW_LOGGER = """
    import libglide, logging

    class Slow(logging.Handler):
        def emit(self, record):
            taken.append(record.getMessage())
            done.wait(20)

    def logger(name, handler):
        made = logging.getLogger(name)
        made.setLevel(logging.DEBUG)
        made.addHandler(handler)
        return made

    taken, done = [], threading.Event()
    libglide.set_log("DEBUG", logger("slow", Slow()))
    Client.connect(sys.argv[1], connection_timeout=10.0).close()
"""


def outcome_behind_a_slow_logger(cluster: Cluster, body: str) -> str:
    """``outcome`` of a program whose log is set, to a logger that is at its first line."""
    return outcome(cluster, SLOW_LOGGER + body)


def test_ctrl_c_ends_a_wait_for_a_slow_logger_and_the_log_is_set_all_the_same(
    cluster: Cluster,
) -> None:
    said = outcome_behind_a_slow_logger(
        cluster,
        """
    class Quick(logging.Handler):
        def emit(self, record):
            told.append(record.getMessage())

    told = []
    later(0.3)
    began = time.monotonic()
    try:
        libglide.set_log("DEBUG", logger("quick", Quick()))
    except KeyboardInterrupt:
        print(time.monotonic() - began < 10, client.execute("GET", "{interrupt}key"), len(taken))
    Client.connect(sys.argv[1], connection_timeout=10.0).close()
    while not any(line.startswith("a client of ") for line in told):
        time.sleep(0.01)
    print(len(taken))
    done.set()
    """,
    )
    assert said == "True b'v' 1\n1"


def test_after_an_interrupted_wait_the_next_call_waits_for_the_slow_logger(
    cluster: Cluster,
) -> None:
    said = outcome_behind_a_slow_logger(
        cluster,
        """
    for _ in range(2):
        later(0.3)
        try:
            libglide.set_log(None)
        except KeyboardInterrupt:
            print("interrupted", len(taken))
    threading.Timer(0.3, done.set).start()
    libglide.set_log(None)
    lines = len(taken)
    Client.connect(sys.argv[1], connection_timeout=10.0).close()
    libglide.set_log("DEBUG", logging.getLogger("another"))
    print(done.is_set(), taken[-1].startswith("a client of "), len(taken) - lines)
    """,
    )
    assert said == "interrupted 1\ninterrupted 1\nTrue True 0"


def test_a_handler_that_forks_while_a_log_is_set_leaves_two_processes_that_go_on(
    cluster: Cluster,
) -> None:
    said = outcome_behind_a_slow_logger(
        cluster,
        """
    children = []
    signal.signal(signal.SIGUSR1, lambda *_: children.append(os.fork()))
    later(0.3, signal.SIGUSR1)
    threading.Timer(0.6, done.set).start()
    libglide.set_log(None)
    if not children[0]:
        libglide.set_log(None)
        fresh = Client.connect(sys.argv[1], connection_timeout=10.0)
        os._exit(7 if fresh.execute("GET", "{interrupt}key") == b"v" else 1)
    print(os.waitpid(children[0], 0)[1] >> 8, client.execute("GET", "{interrupt}key"))
    """,
    )
    assert said == "7 b'v'"


def test_ctrl_c_ends_the_wait_for_a_slow_logger_at_the_end_of_a_program(cluster: Cluster) -> None:
    program = """
    import atexit, subprocess

    class Direct(logging.Logger):
        def log(self, level, text, *arguments):  # without the lock of a handler
            taken.append(text)
            done.wait(20)

    done.set()
    libglide.set_log("DEBUG", Direct("direct"))
    done.clear()
    Client.connect(sys.argv[1], connection_timeout=10.0).close()
    sys.stderr = open(os.devnull, "w")  # where the end tells of the interrupt
    subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -INT {os.getpid()}"])
    """
    began = time.monotonic()
    assert outcome_behind_a_slow_logger(cluster, program) == ""
    assert time.monotonic() - began < 15


def test_another_thread_waits_on_while_the_main_thread_is_interrupted(client: Client) -> None:
    replies: list[object] = []
    other = threading.Thread(
        target=lambda: replies.append(client.execute("BLPOP", "{interrupt}other", 0.7, timeout=30))
    )
    other.start()
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            client.execute("BLPOP", "{interrupt}mine", 30, timeout=60)
            time.sleep(30)
    finally:
        signal.signal(signal.SIGINT, previous)
    other.join()
    assert replies == [None]
