"""The cluster as a client knows it, or as a router is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
        host: Its host name or IP address, IPv6 without brackets.
        port: Its port.
        role: Primary or replica. A shard sets it to that of the place it gives the node.
        id: Its name in the cluster, 40 hexadecimal digits; "" where it is not known.
        zone: Its availability zone; "" where it names none.
        aliases: "host:port" of its other names.
    """

    host: str
    port: int
    role: Role = Role.PRIMARY
    id: str = ""
    zone: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The node as "host:port", which ``ByAddressRoute`` takes."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, init=False)
class Shard:
    """A primary, its replicas and their slots.

    Attributes:
        slots: The slots that the shard serves; pairs are taken for ranges.
        primary: Its primary; None while it has none.
        replicas: Its replicas.
    """

    slots: tuple[SlotRange, ...]
    primary: Node | None
    replicas: tuple[Node, ...]

    def __init__(
        self,
        slots: Iterable[tuple[int, int]],
        primary: Node | None,
        replicas: Iterable[Node] = (),
    ) -> None:
        keep = object.__setattr__  # the instance is frozen
        keep(self, "slots", tuple(SlotRange(*pair) for pair in slots))
        keep(self, "primary", primary and _in_role(primary, Role.PRIMARY))
        keep(self, "replicas", tuple(_in_role(node, Role.REPLICA) for node in replicas))


@dataclass(frozen=True, init=False)
class Topology:
    """All shards at one time.

    Attributes:
        shards: Those of a client are in the order of their first slots.
        epoch: The highest configuration epoch that the cluster knew.
        standalone: The server is not a cluster: one shard, and no routes by slot.
    """

    shards: tuple[Shard, ...]
    epoch: int
    standalone: bool

    def __init__(self, shards: Iterable[Shard], epoch: int = 0, standalone: bool = False) -> None:
        keep = object.__setattr__  # the instance is frozen
        keep(self, "shards", tuple(shards))
        keep(self, "epoch", epoch)
        keep(self, "standalone", standalone)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Every node, each shard's primary first."""
        return tuple(
            node
            for shard in self.shards
            for node in (shard.primary, *shard.replicas)
            if node is not None
        )


def _in_role(node: Node, role: Role) -> Node:
    """The node in a role; what is no node stays as it is, for ``Router`` to name."""
    if not isinstance(node, Node) or node.role is role:
        return node
    return replace(node, role=role)
