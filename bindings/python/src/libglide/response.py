"""What came of a request, node by node, and what would come of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from libglide.exceptions import RequestError
from libglide.topology import Node, SlotRange
from libglide.values import Value


@dataclass(frozen=True)
class Outcome:
    """What one node made of a request.

    Attributes:
        node: The node that was addressed.
        slots: The slots of its shard, or of its part of a command that was split.
        value: Its reply; None where ``error`` is set.
        error: What failed there.
        sent: The command was written to a node; it may have run.
        retryable: Doing it again cannot run it twice.
        fallback: A primary stood in for the replica that was asked for.
        served_by: "host:port" of the node that answered where a redirect led to another.
    """

    node: Node
    slots: tuple[SlotRange, ...]
    value: Value
    error: RequestError | None
    sent: bool
    retryable: bool
    fallback: bool
    served_by: str


@dataclass(frozen=True)
class Response:
    """A reply and what each node had to do with it.

    Attributes:
        value: The reply, of several nodes combined as the command asks for.
        outcomes: One for each node that was addressed.
    """

    value: Value
    outcomes: tuple[Outcome, ...]


class ResponsePolicy(IntEnum):
    """How the replies of several nodes become one value."""

    DEFAULT = 0
    PER_NODE = 1
    ALL_SUCCEEDED = 2
    ONE_SUCCEEDED = 3
    FIRST_NONEMPTY_OR_NIL = 4
    SUM = 5
    MIN = 6
    MAX = 7
    MIN_ELEMENTWISE = 8
    LOGICAL_AND_ELEMENTWISE = 9
    LOGICAL_OR_ELEMENTWISE = 10
    COMBINE_ARRAYS = 11
    COMBINE_MAPS_SUM = 12


@dataclass(frozen=True)
class Leg:
    """What one node would get.

    Attributes:
        node: The node.
        slots: The slots of its shard, or of its part of a command that is split.
        words: The command that it would get.
        fallback: A primary stands in for the replica that was asked for.
        command: Which command of a batch this is part of, from 0 on.
    """

    node: Node
    slots: tuple[SlotRange, ...]
    words: tuple[bytes, ...]
    fallback: bool
    command: int = 0


@dataclass(frozen=True)
class Plan:
    """Where a request would go now.

    Attributes:
        legs: One for each node; of a split command one for each part; of a batch those for one
            node one after the other, in the order in which it would get them.
        policy: How their replies would be combined; ``DEFAULT`` for one leg.
        blocking: Seconds that the command asks the server to wait, 0.0 for ever; None where it
            does not wait.
        epoch: The topology that the plan was made from.
        atomic: A transaction: its one node would get the legs between MULTI and EXEC.
    """

    legs: tuple[Leg, ...]
    policy: ResponsePolicy
    blocking: float | None
    epoch: int
    atomic: bool = False
