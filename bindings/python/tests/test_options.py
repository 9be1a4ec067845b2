from __future__ import annotations

from typing import Any

import pytest

from libglide import (
    Backoff,
    Client,
    ConfigurationError,
    NodeAddress,
    NodeDiscoveryMode,
    ProtocolVersion,
    ReadFrom,
    Status,
    Tls,
)
from libglide.options import node_addresses


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("localhost:7000", [("localhost", 7000)]),
        ("localhost", [("localhost", 6379)]),
        ("[::1]", [("::1", 6379)]),
        (("::1", 7000), [("::1", 7000)]),
        (NodeAddress("localhost"), [("localhost", 6379)]),
        (["a:1", ("b", 2), NodeAddress("c", 3)], [("a", 1), ("b", 2), ("c", 3)]),
        (("a:1", "b:2"), [("a", 1), ("b", 2)]),
        ((item for item in ["[::1]:1"]), [("::1", 1)]),
    ],
)
def test_addresses_are_taken_in_each_form(given: Any, expected: list[tuple[str, int]]) -> None:
    assert [(node.host, node.port) for node in node_addresses(given)] == expected


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("addresses", []),
        ("addresses", None),
        ("addresses", 7000),
        ("addresses", b"localhost:7000"),
        ("addresses", ":7000"),
        ("addresses", "localhost:x"),
        ("addresses", "localhost:0"),
        ("addresses", ("localhost", 65536)),
        ("addresses", NodeAddress("localhost", 0)),
        ("addresses", ["localhost:7000", None]),
        ("username", b"me"),
        ("password", 1),
        ("password", "\ud800"),
        ("client_name", 1),
        ("lib_name", 1),
        ("database_id", -1),
        ("database_id", 2**32),
        ("database_id", "0"),
        ("database_id", True),
        ("protocol", 3),
        ("read_from", "PRIMARY"),
        ("client_az", 5),
        ("request_timeout", 0),
        ("request_timeout", -1.0),
        ("request_timeout", float("nan")),
        ("request_timeout", "1"),
        ("connection_timeout", float("inf")),
        ("connection_timeout", 5_000_000.0),
        ("connection_timeout", None),
        ("inflight_requests_limit", 0),
        ("inflight_requests_limit", 1.0),
        ("event_queue_limit", 0),
        ("event_queue_limit", None),
        ("cluster_mode", 1),
        ("periodic_checks", 0),
        ("periodic_checks", "60"),
        ("reconnect", 5),
        ("lazy_connect", 1),
        ("refresh_topology_from_initial_nodes", None),
        ("node_discovery_mode", "STATIC"),
        ("address_map", [("a:1", "b:1")]),
        ("address_map", {"a:1": "b:0"}),
        ("address_map", {"a:1": None}),
        ("trust_redirects", 1),
        ("read_only", "yes"),
        ("tcp_nodelay", None),
    ],
)
def test_an_option_that_cannot_be_is_named(option: str, value: object) -> None:
    options: dict[str, Any] = {"addresses": "localhost:7000", option: value}
    with pytest.raises(ConfigurationError, match=option) as caught:
        Client.connect(**options)
    assert caught.value.status is Status.CONFIG


def test_a_password_that_cannot_be_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client.connect("localhost:7000", password="s3cr\ud800et")
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first", -1),
        ("first", "1"),
        ("base", 0),
        ("base", 2.0),
        ("steps", -1),
        ("jitter_percent", 101),
    ],
)
def test_a_backoff_that_cannot_be_is_named(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=name):
        Backoff(**{name: value})


def test_a_backoff_that_the_library_refuses_is_an_error_of_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match="connection_retry_strategy: 99 steps"):
        Client.connect("localhost:7000", reconnect=Backoff(first=1, base=10, steps=99))


def test_discovery_is_for_servers_that_are_no_cluster() -> None:
    with pytest.raises(ConfigurationError, match="node_discovery_mode is for standalone servers"):
        Client.connect("localhost:7000", node_discovery_mode=NodeDiscoveryMode.STATIC)


def test_every_option_arrives_where_it_is_in_force() -> None:
    """A lazy client connects to nobody, so its options may be any that fit together."""
    with Client.connect(
        ["a.test:1", "[::1]:2"],
        cluster_mode=False,
        username="me",
        password="sesame",
        client_name="name",
        lib_name="lib",
        database_id=3,
        protocol=ProtocolVersion.RESP2,
        request_timeout=0.004,
        connection_timeout=5,
        inflight_requests_limit=6,
        read_from=ReadFrom.AZ_AFFINITY,
        client_az="zone",
        tls=Tls(insecure=True, server_name="s.test"),
        periodic_checks=6.5,
        reconnect=Backoff(first=0.008, base=9, steps=2, jitter_percent=0),
        lazy_connect=True,
        refresh_topology_from_initial_nodes=True,
        node_discovery_mode=NodeDiscoveryMode.DISCOVER_ALL,
        address_map={"inner.test:1": ("outer.test", 2), NodeAddress("::2", 3): "[::3]:4"},
        trust_redirects=True,
        tcp_nodelay=False,
    ) as client:
        statistics = client.statistics()
        assert (statistics.nodes, statistics.topology_age) == ((), None)
        given = statistics.configuration
        assert "sesame" not in repr(given)
    assert given.addresses == ("a.test:1", "::1:2")
    assert not given.cluster_mode
    assert (given.username, given.has_password) == ("me", True)
    assert (given.client_name, given.lib_name, given.database_id) == ("name", "lib", 3)
    assert given.protocol is ProtocolVersion.RESP2
    assert (given.request_timeout, given.connection_timeout) == (0.004, 5.0)
    assert given.inflight_requests_limit == 6
    assert (given.read_from, given.client_az) == (ReadFrom.AZ_AFFINITY, "zone")
    assert (given.encrypted, given.insecure, given.server_name) == (True, True, "s.test")
    assert not given.has_client_certificate
    assert given.cert_reload_interval is None
    assert given.periodic_checks == 7.0
    assert given.reconnect == Backoff(first=0.008, base=9, steps=2, jitter_percent=0)
    assert given.lazy_connect
    assert given.refresh_topology_from_initial_nodes
    assert given.node_discovery_mode is NodeDiscoveryMode.DISCOVER_ALL
    assert given.address_map == (
        (NodeAddress("::2", 3), NodeAddress("::3", 4)),
        (NodeAddress("inner.test", 1), NodeAddress("outer.test", 2)),
    )
    assert given.trust_redirects
    assert not given.read_only
    assert not given.tcp_nodelay


def test_the_options_that_are_not_given_have_their_defaults() -> None:
    with Client.connect("a.test", lazy_connect=True, periodic_checks=None) as client:
        given = client.statistics().configuration
    assert given.addresses == ("a.test:6379",)
    assert given.cluster_mode
    assert (given.request_timeout, given.connection_timeout) == (0.25, 2.0)
    assert given.inflight_requests_limit == 1000
    assert given.periodic_checks is None
    assert given.reconnect == Backoff()
    assert given.read_from is ReadFrom.PRIMARY
    assert given.lib_name == "libglide"
    assert not (given.has_password or given.encrypted or given.read_only or given.trust_redirects)
    assert given.tcp_nodelay
