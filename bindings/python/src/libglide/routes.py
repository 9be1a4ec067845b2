"""Where a request goes: the six routes, named as in ``glide_shared.routes``.

A route only stores what it is given. It is checked when a request uses it; a bad one raises
``RequestError`` there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SlotType(Enum):
    """Which node of a slot's shard is meant.

    ``REPLICA`` holds whatever the client's read strategy is. The primary stands in for the
    replica of a shard that has none; the outcome then says ``fallback``.
    """

    PRIMARY = 1
    REPLICA = 2

    def __repr__(self) -> str:
        return str(self)


class Route:
    """The base of all routes."""


@dataclass(frozen=True)
class AllNodes(Route):
    """Every node of the cluster.

    Not for commands that write: the replicas would refuse them.
    """


@dataclass(frozen=True)
class AllPrimaries(Route):
    """Every primary of the cluster."""


@dataclass(frozen=True)
class RandomNode(Route):
    """One node, drawn anew for every request.

    Not for commands that write: the node may be a replica, which would refuse them.
    """


@dataclass(frozen=True)
class SlotKeyRoute(Route):
    """The shard that a key belongs to.

    Attributes:
        slot_type: The primary or a replica of that shard.
        slot_key: The key; text stands for its UTF-8 bytes.
    """

    slot_type: SlotType
    slot_key: str | bytes


@dataclass(frozen=True)
class SlotIdRoute(Route):
    """The shard that a slot belongs to.

    Attributes:
        slot_type: The primary or a replica of that shard.
        slot_id: The slot, 0 to 16383. Where a key is known, ``SlotKeyRoute`` is simpler.
    """

    slot_type: SlotType
    slot_id: int


@dataclass(frozen=True)
class ByAddressRoute(Route):
    """The node with an address.

    Attributes:
        host: A host name or an IP address that the node is known by. Where ``port`` is None,
            "host:port" in one string: the last colon divides them, so that an IPv6 address
            may stand in brackets or without.
        port: The port, 1 to 65535.
    """

    host: str
    port: int | None = None
