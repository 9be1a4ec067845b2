"""What a client has counted, and the configuration in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from libglide.options import Backoff, NodeAddress, NodeDiscoveryMode, ProtocolVersion, ReadFrom
from libglide.topology import Node


@dataclass(frozen=True)
class NodeStatistics:
    """What was counted of one node since the client was opened.

    Attributes:
        node: The node; of an address that the topology does not know only its host and port say
            something.
        in_topology: The topology knows it.
        connections: Connections that are open.
        connections_made: Connections that were made so far.
        connected_since: Since when there has been an open connection; None while there is none.
        requests: Commands that it was sent, or should have been, the client's own included.
        errors: Error replies other than redirects.
        redirects: ``MOVED`` and ``ASK``.
        failures: Times that no reply came: not connected, connection lost, too late.
        bytes_sent: Bytes of the protocol, before encryption.
        bytes_received: The same of what came back.
        latency: Average seconds of a round trip, the latest counting most; None where there was
            none.
        last_error: The latest error reply or failure; "" where there was none.
        last_error_at: When that was.
    """

    node: Node
    in_topology: bool
    connections: int
    connections_made: int
    connected_since: datetime | None
    requests: int
    errors: int
    redirects: int
    failures: int
    bytes_sent: int
    bytes_received: int
    latency: float | None
    last_error: str
    last_error_at: datetime | None


@dataclass(frozen=True)
class Configuration:
    """The options in force, the defaults filled in; see ``Client.connect`` and ``Tls``.

    Times are in seconds. It holds no password, key or certificate.

    Attributes:
        has_password: Connections log in with a password, perhaps one of ``update_password``.
        encrypted: Connections use TLS,
        insecure: and take any certificate.
        has_client_certificate: They show one of the client's own.
    """

    addresses: tuple[str, ...]
    cluster_mode: bool
    request_timeout: float
    connection_timeout: float
    inflight_requests_limit: int
    periodic_checks: float | None
    read_from: ReadFrom
    client_az: str
    protocol: ProtocolVersion
    database_id: int
    client_name: str
    lib_name: str
    username: str
    has_password: bool
    encrypted: bool
    insecure: bool
    server_name: str
    has_client_certificate: bool
    cert_reload_interval: float | None
    tcp_nodelay: bool
    read_only: bool
    lazy_connect: bool
    refresh_topology_from_initial_nodes: bool
    node_discovery_mode: NodeDiscoveryMode
    reconnect: Backoff
    address_map: tuple[tuple[NodeAddress, NodeAddress], ...]
    trust_redirects: bool


@dataclass(frozen=True)
class ProcessStatistics:
    """What the library holds in the process, for all its clients.

    Attributes:
        handles: Clients, sessions and routers that are open.
        calls: Calls that run.
        goroutines: Those of the library's Go runtime.
        heap_bytes: What the last collection of garbage left of the Go heap.
    """

    handles: int
    calls: int
    goroutines: int
    heap_bytes: int


@dataclass(frozen=True)
class Statistics:
    """What a client has counted since it was opened.

    Attributes:
        nodes: The nodes of the topology in its order, then other addresses that were talked to.
        inflight_requests: Requests that run now.
        topology_epoch: The epoch of the topology.
        topology_age: Seconds since servers last told the topology; None where they never did.
        topology_refreshes: How often they told it.
        topology_refresh_failures: How often nobody did.
        configuration: The options in force.
        process: What the library holds for all clients together.
    """

    nodes: tuple[NodeStatistics, ...]
    inflight_requests: int
    topology_epoch: int
    topology_age: float | None
    topology_refreshes: int
    topology_refresh_failures: int
    configuration: Configuration
    process: ProcessStatistics
