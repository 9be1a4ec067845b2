"""The end of a client, and what is left of it in a forked child."""

from __future__ import annotations

import gc
import time

import pytest
from conftest import Cluster, Connect, run

from libglide import Client, ClosingError, Status
from libglide.routes import AllNodes


def connections(client: Client, name: str) -> int:
    """How many connections the cluster has from clients of a name."""
    outcomes = client.response("CLIENT", "LIST", route=AllNodes()).outcomes
    lists = [outcome.value for outcome in outcomes]
    return sum(text.count(f" name={name} ".encode()) for text in lists if isinstance(text, bytes))


def gone(client: Client, name: str) -> bool:
    """Whether those connections are closed, or soon are."""
    deadline = time.monotonic() + 5.0
    while connections(client, name):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_closed_client_closes_its_connections(client: Client, cluster: Cluster) -> None:
    other = Client.connect(cluster.addresses, client_name="closed")
    other.execute("PING", route=AllNodes())
    assert connections(client, "closed") > 0
    other.close()
    assert gone(client, "closed")


def test_a_dropped_client_closes_its_connections(client: Client, cluster: Cluster) -> None:
    other = Client.connect(cluster.addresses, client_name="dropped")
    other.execute("PING", route=AllNodes())
    assert connections(client, "dropped") > 0
    del other
    gc.collect()
    assert gone(client, "dropped")


def test_the_end_of_a_with_block_closes(cluster: Cluster) -> None:
    with Client.connect(cluster.addresses) as client:
        assert client.execute("PING") == "PONG"
    with pytest.raises(ClosingError):
        client.execute("PING")


def test_a_closed_client_says_so(client: Client) -> None:
    client.close()
    with pytest.raises(ClosingError) as caught:
        client.execute("PING")
    assert caught.value.status is Status.CLOSED
    with pytest.raises(ClosingError):
        client.topology()
    with pytest.raises(ClosingError):
        client.resolve("PING")


def test_closing_twice_is_closing_once(client: Client) -> None:
    client.close()
    client.close()


def test_a_client_shows_its_addresses_and_whether_it_is_open(
    connect: Connect, cluster: Cluster
) -> None:
    address = cluster.primaries[0]
    client = connect(address)
    assert repr(client) == f"<libglide.Client of {address}, open>"
    client.close()
    assert repr(client) == f"<libglide.Client of {address}, closed>"


FORK = """
import os, sys, time, libglide
client = libglide.Client.connect(sys.argv[1])
client.execute("PING")
child = os.fork()
if child:
    _, status = os.waitpid(child, 0)
    print("child", os.waitstatus_to_exitcode(status))
    print("parent", client.execute("PING"))
else:
    started = time.monotonic()
    for name, call in {
        "execute": lambda: client.execute("PING"),
        "response": lambda: client.response("PING"),
        "resolve": lambda: client.resolve("PING"),
        "topology": client.topology,
        "statistics": client.statistics,
        "password": lambda: client.update_password("p"),
        "connect": lambda: libglide.Client.connect(sys.argv[1]),
        "key_slot": lambda: libglide.key_slot("foo"),
    }.items():
        try:
            print(name, call())
        except libglide.ClosingError as error:
            print(name, error.status.name)
    print("quick", time.monotonic() - started < 1.0)
    client.close()
    client.close()
    print("closed", flush=True)
"""


def test_a_forked_child_is_told_so_at_once_and_ends_cleanly(cluster: Cluster) -> None:
    done = run(FORK, cluster.primaries[0])
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "execute FORKED",
        "response FORKED",
        "resolve FORKED",
        "topology FORKED",
        "statistics FORKED",
        "password FORKED",
        "connect FORKED",
        "key_slot FORKED",
        "quick True",
        "closed",
        "child 0",
        "parent PONG",
    ]


@pytest.mark.parametrize(
    "end",
    ["", "del client", "sys.exit()", "client.close()", "client.self = client"],
    ids=["open", "dropped", "exit", "closed", "cycle"],
)
def test_a_process_with_a_client_ends_cleanly(cluster: Cluster, end: str) -> None:
    program = f"import sys, libglide; client = libglide.Client.connect(sys.argv[1]); {end}"
    done = run(program, cluster.primaries[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


BLOCKED = """
import sys, threading, time, libglide
client = libglide.Client.connect(sys.argv[1])
wait = lambda: client.execute("BLPOP", "empty", 0)
threading.Thread(target=wait, daemon=True).start()
time.sleep(0.1)
"""


def test_a_process_ends_while_a_thread_of_it_blocks(cluster: Cluster) -> None:
    done = run(BLOCKED, cluster.primaries[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
