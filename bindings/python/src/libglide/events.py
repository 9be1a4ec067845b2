"""What the subscriptions of a client tell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple, Union

from libglide.exceptions import RequestError


class ChannelKind(IntEnum):
    """A way to subscribe."""

    EXACT = 0
    """``SUBSCRIBE``: what any node of the cluster is told by ``PUBLISH``."""
    PATTERN = 1
    """``PSUBSCRIBE``: the same, of all channels whose names match a pattern."""
    SHARDED = 2
    """``SSUBSCRIBE``: what the shard of the channel's slot is told by ``SPUBLISH``."""


class Message(NamedTuple):
    """A message.

    Attributes:
        channel: The channel that it was published to.
        payload: What was published.
        pattern: The pattern that it came by; None where it came by the channel's name.
        kind: The way to subscribe that it came by.
    """

    channel: bytes
    payload: bytes
    pattern: bytes | None = None
    kind: ChannelKind = ChannelKind.EXACT


@dataclass(frozen=True)
class Lost:
    """No messages come for now; the client tries until they do, and then tells of a ``Gap``.

    Attributes:
        kind: The way to subscribe,
        names: and the channels or patterns concerned.
        error: Why.
        since: From when on messages may be missing.
    """

    kind: ChannelKind
    names: tuple[bytes, ...]
    error: RequestError
    since: datetime


@dataclass(frozen=True)
class Gap:
    """Messages come again.

    Those that were published between ``since`` and ``until`` may be missing or come twice; no
    others are, or do.

    Attributes:
        kind: The way to subscribe,
        names: and the channels or patterns concerned.
        since: The begin of the gap.
        until: Its end.
    """

    kind: ChannelKind
    names: tuple[bytes, ...]
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Overflow:
    """Events are missing at this place, since they were not taken and there was no room for more.

    Attributes:
        dropped: How many messages, perhaps of other subscriptions of the client.
        untold: How many other events, counted by the names that they concern. Both are 0 where a
            signal handler raised while events were handed out, and nobody knows.
        since: When the first of them came.
        until: When the last of them came.
    """

    dropped: int
    untold: int
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Refused:
    """The server refused names that were subscribed, for good: nobody tries again.

    That may be where the permissions of the user have changed, and a connection was lost.

    Attributes:
        kind: The way to subscribe,
        names: and the channels or patterns concerned.
        error: What the server said.
    """

    kind: ChannelKind
    names: tuple[bytes, ...]
    error: RequestError


Event = Union[Message, Lost, Gap, Overflow, Refused]
