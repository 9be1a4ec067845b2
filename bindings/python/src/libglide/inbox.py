"""What waits for one subscription."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from copy import copy
from datetime import datetime, timezone
from typing import Union

from libglide.events import ChannelKind, Event, Message, Overflow, Refused
from libglide.exceptions import ClosingError, GlideError, RequestError, Status, TimeoutError

Key = tuple[ChannelKind, bytes]
Item = Union[Event, GlideError]  # an error is raised in its place

_MOST_BYTES = 32 << 20  # of messages, as in the library
_WORDS = ("channel", "pattern", "sharded channel")


class Inbox:
    """The events of one subscription that wait: so many of them, and 32 MiB of messages, at most.

    But for ``ready`` it is used by one thread at a time.

    Args:
        keys: What the subscription names.
        limit: How many events may wait.

    Attributes:
        ready: Events that can be taken.
        unconfirmed: Those of the names of which no messages come yet.
        refusal: Why the server refused one of them.
        trouble: What else was in the way of confirming them.
        over: Why nothing comes any more.
        waiters: What to call, once, when something comes.
    """

    def __init__(self, keys: list[Key], limit: int) -> None:
        self.keys = keys
        self.ready: deque[Item] = deque()
        self.unconfirmed = set(keys)
        self.refusal: RequestError | None = None
        self.trouble: RequestError | None = None
        self.over: ClosingError | None = None
        self.waiters: list[Callable[[], None]] = []
        self._closed = False
        self._limit = limit
        self._queue: deque[Item] = deque()
        self._bytes = 0
        self._overflows = False
        self._dropped = self._untold = 0
        self._since = datetime.min

    def put(self, item: Item, size: int = 0) -> None:
        """Add an event, or count it where there is no room.

        Args:
            item: The event.
            size: Of a message, in bytes.
        """
        queue = self._queue
        if queue and (
            self._overflows or len(queue) >= self._limit or self._bytes + size > _MOST_BYTES
        ):
            self._count(item)
        else:
            queue.append(item)
            self._bytes += size
        if self.waiters:
            self.wake()

    def _count(self, item: Item) -> None:
        if not self._overflows:
            self._overflows, self._since = True, _now()
        if isinstance(item, Message):
            self._dropped += 1
        elif isinstance(item, Overflow):
            self._dropped += item.dropped
            self._untold += item.untold
        else:
            self._untold += 1 if isinstance(item, GlideError) else len(item.names)

    def fill(self) -> bool:
        """Make ready what waits: whether something can be taken, or nothing comes any more."""
        if self._closed:
            self.clear()
        elif not self.ready:
            if self._overflows:
                self._queue.append(Overflow(self._dropped, self._untold, self._since, _now()))
                self._overflows, self._dropped, self._untold = False, 0, 0
            self._bytes = 0
            self.ready, self._queue = self._queue, self.ready  # which no signal comes between
        return bool(self.ready) or self.over is not None

    def confirm(self, key: Key) -> None:
        """Messages of a name come from now on."""
        self.unconfirmed.discard(key)
        self.wake()

    def refuse(self, error: RequestError) -> None:
        """One of the names was refused before all were confirmed."""
        self.refusal = error
        self.wake()

    def settled(self) -> bool:
        """Whether all names are confirmed, or will never be."""
        return not self.unconfirmed or self.refusal is not None or self.over is not None

    def check(self) -> None:
        """Raise why not all names are confirmed, if that is so."""
        if self.over is not None:
            raise copy(self.over)
        if self.refusal is not None:
            raise copy(self.refusal)
        if self.unconfirmed:
            names = [name for name in self.keys if name in self.unconfirmed]
            late = ", ".join(f"{_WORDS[kind]} {name!r:.80}" for kind, name in names[:3])
            more = f" and {len(names) - 3} others" if len(names) > 3 else ""
            why = self.trouble
            raise TimeoutError(
                f"not subscribed in time: {late}{more}" + (f"; {why}" if why else ""),
                status=Status.TIMEOUT,
                node=why.node if why else "",
                retryable=True,
            )

    def end(self, why: ClosingError) -> None:
        """Nothing comes any more; what waits can still be taken."""
        if self.over is None:
            self.over = why
        self.wake()

    def close(self) -> None:
        """Nobody takes anything any more. It may be called at any time on any thread."""
        self._closed = True
        if self.over is None:
            self.over = ClosingError("the subscription is closed")
        self.ready.clear()

    def clear(self) -> None:
        """Forget what waits."""
        self.ready.clear()
        self._queue.clear()
        self._overflows = False
        self._dropped = self._untold = self._bytes = 0

    def wake(self) -> None:
        """Tell those who wait to look again."""
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            waiter()


def _now() -> datetime:
    return datetime.now(timezone.utc)


def deadline(timeout: float | None) -> float | None:
    """When a wait is to end, by the clock ``time.monotonic``; None: never.

    Raises:
        ValueError: The timeout is no number of seconds.
    """
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout >= 0:
        raise ValueError(f"timeout is {timeout!r}, not a number of seconds from 0 on")
    return time.monotonic() + timeout


def message_of(item: Item) -> Message | None:
    """The message that an item is; None where it is another event.

    Raises:
        GlideError: It is an error, or tells that channels were refused.
    """
    if type(item) is Message:
        return item
    if isinstance(item, Refused):
        raise copy(item.error)
    event_of(item)
    return None


def event_of(item: Item) -> Event:
    """The event that an item is.

    Raises:
        GlideError: It is an error.
    """
    if isinstance(item, GlideError):
        raise copy(item)
    return item
