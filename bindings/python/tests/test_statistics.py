"""What a client counts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from conftest import Cluster, Connect

from libglide import Client, ClosingError, NodeStatistics, RequestError
from libglide.routes import ByAddressRoute


def counted(client: Client, address: str) -> NodeStatistics:
    (found,) = [node for node in client.statistics().nodes if node.node.address == address]
    return found


def test_what_a_node_was_sent_and_said_is_counted(connect: Connect, cluster: Cluster) -> None:
    started = datetime.now(timezone.utc) - timedelta(seconds=1)
    client = connect(cluster.addresses[0], request_timeout=5.0)
    node = client.resolve("GET", "counted").legs[0].node
    before = counted(client, node.address)
    for _ in range(5):
        client.execute("GET", "counted")
    with pytest.raises(RequestError):
        client.execute("LPUSH", "counted", route=ByAddressRoute(node.address))
    after = counted(client, node.address)
    assert after.node == node
    assert after.in_topology
    assert after.requests == before.requests + 6
    assert after.errors == before.errors + 1
    assert (after.redirects, after.failures) == (0, 0)
    assert after.connections_made >= after.connections >= 1
    assert after.bytes_sent > before.bytes_sent
    assert after.bytes_received > before.bytes_received
    assert after.latency is not None
    assert 0 < after.latency < 5
    assert "wrong number of arguments" in after.last_error
    assert after.connected_since is not None
    assert after.last_error_at is not None
    now = datetime.now(timezone.utc) + timedelta(seconds=1)
    assert started < after.connected_since < now
    assert started < after.last_error_at < now


def test_every_node_of_the_topology_is_there_and_so_is_its_age(
    connect: Connect, cluster: Cluster
) -> None:
    client = connect(cluster.addresses[0])
    statistics = client.statistics()
    assert tuple(found.node for found in statistics.nodes if found.in_topology) == (
        client.topology().nodes
    )
    assert statistics.inflight_requests == 0
    assert statistics.topology_epoch == client.topology().epoch
    assert statistics.topology_refreshes >= 1
    assert statistics.topology_age is not None
    assert 0 <= statistics.topology_age < 60


def test_a_node_that_was_not_talked_to_has_nothing_to_tell(
    connect: Connect, cluster: Cluster
) -> None:
    client = connect(cluster.primaries[0])
    found = counted(client, cluster.replicas[2])
    assert (found.connections, found.requests, found.last_error) == (0, 0, "")
    assert (found.connected_since, found.latency, found.last_error_at) == (None, None, None)


def test_a_closed_client_has_none(connect: Connect, cluster: Cluster) -> None:
    client = connect(cluster.addresses[0])
    client.close()
    with pytest.raises(ClosingError):
        client.statistics()


def test_what_the_library_holds_in_the_process_is_told(
    client: Client, cluster: Cluster, connect: Connect
) -> None:
    before = client.statistics().process
    other = connect(cluster.addresses)
    process = client.statistics().process
    assert process.handles == before.handles + 1
    assert process.calls == 0
    assert process.goroutines >= 2
    other.close()
    assert client.statistics().process.handles == before.handles
