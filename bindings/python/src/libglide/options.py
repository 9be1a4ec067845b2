"""How a client connects."""

from __future__ import annotations

from collections.abc import Iterable
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
    cluster_mode: bool
    read_from: ReadFrom
    client_az: str | None
    tls: Tls | None

    def __post_init__(self) -> None:
        for name in ("username", "password", "client_name", "lib_name"):
            if getattr(self, name) is not None:
                checks.text(name, getattr(self, name))
        for name, least in (("database_id", 0), ("inflight_requests_limit", 1)):
            checks.whole_number(name, getattr(self, name), least)
        for name in ("request_timeout", "connection_timeout"):
            try:
                milliseconds(name, getattr(self, name))
            except ValueError as fault:
                raise checks.refusal(str(fault)) from None
        if not isinstance(self.protocol, ProtocolVersion):
            raise checks.refusal(f"protocol is {self.protocol!r}, not a ProtocolVersion")
        check_reads(self.read_from, self.client_az)
        checks.boolean("cluster_mode", self.cluster_mode)
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
    return tuple(_node_address(item) for item in several)


def _node_address(given: object) -> NodeAddress:
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
        raise checks.refusal(f"addresses has {given!r}, which is no address; say 'host:port'")
    if not isinstance(host, str) or not host:
        raise checks.refusal(f"addresses has {given!r}, whose host is {host!r}")
    try:
        return NodeAddress(address.without_brackets(host), address.port_number(port))
    except ValueError as fault:
        raise checks.refusal(f"addresses has {given!r}: {fault}") from None
