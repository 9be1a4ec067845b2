"""The cluster as a client knows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Role(Enum):
    """What a node is in its shard."""

    PRIMARY = "primary"
    REPLICA = "replica"


class SlotRange(NamedTuple):
    """The slots ``first`` to ``last``, both included."""

    first: int
    last: int


@dataclass(frozen=True)
class Node:
    """One server.

    Attributes:
        id: Its name in the cluster, 40 hexadecimal digits.
        host: Its host name or IP address, IPv6 without brackets.
        port: Its port.
        role: Primary or replica.
        zone: Its availability zone; "" where it names none.
        aliases: "host:port" of its other names.
    """

    id: str
    host: str
    port: int
    role: Role
    zone: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The node as "host:port", which ``ByAddressRoute`` takes."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Shard:
    """A primary, its replicas and their slots.

    Attributes:
        slots: The slots that the shard serves.
        primary: Its primary; None while it has none.
        replicas: Its replicas.
    """

    slots: tuple[SlotRange, ...]
    primary: Node | None
    replicas: tuple[Node, ...]


@dataclass(frozen=True)
class Topology:
    """All shards at one time.

    Attributes:
        epoch: Grows with every change that the client learns of.
        shards: In the order of their first slots.
        standalone: The server is not a cluster: one shard without slots.
    """

    epoch: int
    shards: tuple[Shard, ...]
    standalone: bool

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node, each shard's primary first."""
        return tuple(
            node
            for shard in self.shards
            for node in (shard.primary, *shard.replicas)
            if node is not None
        )
