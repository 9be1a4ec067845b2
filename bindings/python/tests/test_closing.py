"""The end of a client."""

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
