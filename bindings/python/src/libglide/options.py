"""How a client connects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Union

from libglide import address, checks
from libglide.duration import milliseconds
from libglide.tls import Tls

DEFAULT_PORT = 6379


class ProtocolVersion(Enum):
    """The version of the protocol between client and server."""

    RESP2 = 2
    RESP3 = 3


class ReadFrom(Enum):
    """Which node of a shard serves a command that only reads, where no route says it."""

    PRIMARY = "PRIMARY"
    PREFER_REPLICA = "PREFER_REPLICA"
    LOWEST_LATENCY = "LOWEST_LATENCY"
    AZ_AFFINITY = "AZ_AFFINITY"
    AZ_AFFINITY_REPLICAS_AND_PRIMARY = "AZ_AFFINITY_REPLICAS_AND_PRIMARY"
    ALL_NODES = "ALL_NODES"
    AZ_AFFINITY_ALL_NODES = "AZ_AFFINITY_ALL_NODES"


class NodeDiscoveryMode(Enum):
    """Who the nodes of servers are that are no cluster.

    Attributes:
        STANDARD: The addresses; each is asked for its role.
        STATIC: The first address is the primary, the others are its replicas; nobody is asked.
        DISCOVER_ALL: Whom the addresses name as well: a replica its primary, a primary its
            replicas.
    """

    STANDARD = "STANDARD"
    STATIC = "STATIC"
    DISCOVER_ALL = "DISCOVER_ALL"


@dataclass(frozen=True)
class Backoff:
    """How long a node that could not be connected to is left alone.

    Requests for it wait meanwhile, within their timeouts, or go to another node where they may.

    Attributes:
        first: Seconds after the first failure; 0 for no time at all.
        base: How many times as long it is after each further failure, at least 1.
        steps: How often it grows; then it stays.
        jitter_percent: By how much each time is longer or shorter at random, 0 to 100.

    Raises:
        ConfigurationError: An attribute cannot be; the message names it.
    """

    first: float = 0.01
    base: int = 2
    steps: int = 4
    jitter_percent: int = 20

    def __post_init__(self) -> None:
        if self.first != 0:
            _time("first", self.first)
        checks.whole_number("base", self.base, 1)
        checks.whole_number("steps", self.steps, 0)
        checks.whole_number("jitter_percent", self.jitter_percent, 0, 100)


@dataclass(frozen=True)
class NodeAddress:
    """Where a server is asked for the cluster.

    Attributes:
        host: A host name or an IP address.
        port: Its port, 1 to 65535.
    """

    host: str
    port: int = DEFAULT_PORT

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


AddressLike = Union[str, tuple[str, int], NodeAddress]
_FLAGS = (
    "cluster_mode",
    "lazy_connect",
    "refresh_topology_from_initial_nodes",
    "trust_redirects",
    "read_only",
    "tcp_nodelay",
)


@dataclass(frozen=True)
class Options:
    """All that ``Client.connect`` is told, checked; see there for what each one is.

    Raises:
        ConfigurationError: An option cannot be; the message names it.
    """

    addresses: tuple[NodeAddress, ...]
    username: str | None
    password: str | None = field(repr=False)
    client_name: str | None
    lib_name: str | None
    database_id: int
    protocol: ProtocolVersion
    request_timeout: float
    connection_timeout: float
    inflight_requests_limit: int
    event_queue_limit: int
    cluster_mode: bool
    read_from: ReadFrom
    client_az: str | None
    tls: Tls | None
    periodic_checks: float | None
    reconnect: Backoff | None
    lazy_connect: bool
    refresh_topology_from_initial_nodes: bool
    node_discovery_mode: NodeDiscoveryMode
    address_map: tuple[tuple[NodeAddress, NodeAddress], ...]
    trust_redirects: bool
    read_only: bool
    tcp_nodelay: bool

    def __post_init__(self) -> None:
        for name in ("username", "password", "client_name", "lib_name"):
            if getattr(self, name) is not None:
                checks.text(name, getattr(self, name))
        for name, least in (
            ("database_id", 0),
            ("inflight_requests_limit", 1),
            ("event_queue_limit", 1),
        ):
            checks.whole_number(name, getattr(self, name), least)
        for name in ("request_timeout", "connection_timeout"):
            _time(name, getattr(self, name))
        if self.periodic_checks is not None:
            _time("periodic_checks", self.periodic_checks)
        if not isinstance(self.protocol, ProtocolVersion):
            raise checks.refusal(f"protocol is {self.protocol!r}, not a ProtocolVersion")
        check_reads(self.read_from, self.client_az)
        for name in _FLAGS:
            checks.boolean(name, getattr(self, name))
        if not isinstance(self.node_discovery_mode, NodeDiscoveryMode):
            raise checks.refusal(
                f"node_discovery_mode is {self.node_discovery_mode!r:.80}, not a NodeDiscoveryMode"
            )
        if self.reconnect is not None and not isinstance(self.reconnect, Backoff):
            raise checks.refusal(f"reconnect is {self.reconnect!r:.80}, not a Backoff")
        if self.tls is not None and not isinstance(self.tls, Tls):
            raise checks.refusal(f"tls is a {type(self.tls).__name__}, not a Tls")


def check_reads(read_from: object, client_az: object) -> None:
    """Check how reads are shared; whether the two fit together is for the library to say.

    Raises:
        ConfigurationError: One of them cannot be; the message names it.
    """
    if not isinstance(read_from, ReadFrom):
        raise checks.refusal(f"read_from is {read_from!r:.80}, not a ReadFrom")
    if client_az is not None:
        checks.text("client_az", client_az)


def _time(name: str, seconds: object) -> int:
    """The milliseconds of a time above 0.

    Raises:
        ConfigurationError: It is none.
    """
    try:
        return milliseconds(name, seconds)
    except ValueError as fault:
        raise checks.refusal(str(fault)) from None


def whole_seconds(seconds: float) -> int:
    """The seconds of a time above 0, rounded up."""
    return math.ceil(seconds)


def address_pairs(given: object) -> tuple[tuple[NodeAddress, NodeAddress], ...]:
    """The pairs of an address map.

    Raises:
        ConfigurationError: It is no mapping, or one of its addresses is none.
    """
    if given is None:
        return ()
    if not isinstance(given, Mapping):
        raise checks.refusal(f"address_map is a {type(given).__name__}, not a mapping")
    return tuple(
        (_node_address("address_map", announced), _node_address("address_map", dialled))
        for announced, dialled in given.items()
    )


def node_addresses(given: AddressLike | Iterable[AddressLike]) -> tuple[NodeAddress, ...]:
    """The addresses that a client is given, one or several, in any of their forms.

    Raises:
        ConfigurationError: There is none, or one is no address.
    """
    one = isinstance(given, (str, NodeAddress)) or (
        isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], int)
    )
    several = [given] if one or not isinstance(given, Iterable) else list(given)
    if not several:
        raise checks.refusal("addresses is empty; a client needs at least one")
    return tuple(_node_address("addresses", item) for item in several)


def _node_address(option: str, given: object) -> NodeAddress:
    host: object
    port: object
    if isinstance(given, NodeAddress):
        host, port = given.host, given.port
    elif isinstance(given, tuple) and len(given) == 2:
        host, port = given
    elif isinstance(given, str):
        host, port = address.split(given)
        port = DEFAULT_PORT if port is None else port
    else:
        raise checks.refusal(f"{option} has {given!r}, which is no address; say 'host:port'")
    if "@" in f"{host}{port}":  # of a URL; what stands before it may be a password
        raise checks.refusal(
            f"{option} has one with credentials: say 'host:port', and who in username and password"
        )
    if not isinstance(host, str) or not host:
        raise checks.refusal(f"{option} has {given!r}, whose host is {host!r}")
    try:
        return NodeAddress(address.without_brackets(host), address.port_number(port))
    except ValueError as fault:
        raise checks.refusal(f"{option} has {given!r}: {fault}") from None
