"""Who listens to what: the book-keeping that all subscriptions of a client share."""

from __future__ import annotations

import contextlib
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from datetime import datetime, timezone
from functools import partial
from typing import Any

from libglide import decoding
from libglide.codec import Codec
from libglide.duration import milliseconds
from libglide.encoding import channel_names
from libglide.events import ChannelKind, Gap, Lost, Message, Overflow, Refused
from libglide.exceptions import ClosingError, GlideError, RequestError, Status
from libglide.inbox import Inbox, Item, Key
from libglide.library import refusal

_KINDS = tuple(ChannelKind)
_PATTERN = ChannelKind.PATTERN
_MESSAGE, _SUBSCRIBED, _UNSUBSCRIBED, _REFUSED, _LOST, _GAP, _OVERFLOW = range(7)
# Without the checks of Message(...), which take as long as the rest of reading one.
_message = partial(tuple.__new__, Message)


def keys(
    channels: Sequence[object], patterns: Sequence[object], sharded: Sequence[object]
) -> list[Key]:
    """What a subscription names.

    Raises:
        RequestError: It names nothing, or a text has no UTF-8 form.
        TypeError: A name is neither bytes nor str.
    """
    given = {"channels": channels, "patterns": patterns, "sharded": sharded}
    named = [
        (kind, name)
        for kind, (what, names) in zip(_KINDS, given.items())
        for name in channel_names(what, names)
    ]
    if not named:
        raise RequestError("no channel is named")
    return named


def patience(timeout: float | None, usual: float) -> float:
    """The seconds that subscribing may take.

    Raises:
        RequestError: The timeout is no time above 0.
    """
    if timeout is None:
        return usual
    try:
        return milliseconds("timeout", timeout) / 1000
    except ValueError as fault:
        raise RequestError(str(fault)) from None


class _Channel:
    """A channel or pattern that somebody listens to, or has listened to."""

    def __init__(self, key: Key) -> None:
        self.key = key
        self.listening: dict[Inbox, None] = {}
        self.waiting: dict[Inbox, None] = {}  # for its confirmation
        self.leaving = False  # it is being unsubscribed

    @property
    def wanted(self) -> bool:
        return bool(self.listening or self.waiting)

    def confirm(self) -> None:
        for inbox in self.waiting:
            inbox.confirm(self.key)
        self.listening.update(self.waiting)
        self.waiting = {}

    def drop(self, inbox: Inbox) -> None:
        self.listening.pop(inbox, None)
        self.waiting.pop(inbox, None)


class Listeners:
    """The subscriptions of a client, by the names that they listen to.

    A name is subscribed as long as anybody wants it. One that is being given up is subscribed anew
    only after that: so what is told of it is never about its life before, and who subscribes gets
    no messages of it.

    It is used by one thread at a time.

    Args:
        codec: Speaks to the library.
        execute: Runs a ``CommandRequest`` that does not wait.

    Attributes:
        over: Why nothing comes any more.
    """

    def __init__(self, codec: Codec, execute: Callable[[bytes], tuple[int, bytes]]) -> None:
        self.over: ClosingError | None = None
        self._codec = codec
        self._execute = execute
        self._inboxes: dict[Inbox, None] = {}
        self._channels: tuple[dict[bytes, _Channel], ...] = ({}, {}, {})  # by kind
        _everywhere.add(self)

    def join(self, inbox: Inbox) -> None:
        """Subscribe to what an inbox is for.

        Raises:
            ClosingError: The client is closed, or this is the child of a fork.
            RequestError: A fault of the library.
        """
        if self.over is not None:
            raise copy(self.over)
        self._inboxes[inbox] = None
        wanted = []
        for key in inbox.keys:
            kind, name = key
            channel = self._channels[kind].setdefault(name, _Channel(key))
            channel.waiting[inbox] = None
            if not channel.leaving:
                wanted.append(channel)
        self._ask(wanted)

    def leave(self, inbox: Inbox) -> None:
        """Unsubscribe from what an inbox is for and nobody else wants."""
        self._inboxes.pop(inbox, None)
        unwanted = []
        for kind, name in inbox.keys:
            channel = self._channels[kind].get(name)
            if channel is not None:
                channel.drop(inbox)
                if not channel.wanted and not channel.leaving:
                    channel.leaving = True
                    unwanted.append(channel)
        inbox.wake()
        self._ask_quietly(unwanted, leave=True)

    def _ask(self, channels: Iterable[_Channel], leave: bool = False) -> None:
        """Subscribe to channels, or unsubscribe from them; what comes of it is told by events."""
        names: dict[ChannelKind, list[bytes]] = {}
        for channel in channels:
            kind, name = channel.key
            names.setdefault(kind, []).append(name)
        for kind, some in names.items():
            self._codec.accept(*self._execute(self._codec.channels(kind, some, leave)))

    def hand_out(self, status: int, data: bytes) -> None:
        """Give everybody their part of the events of a completion."""
        try:
            response = self._codec.accept(status, data)
        except GlideError as fault:
            self._put_to_all(fault)
            return
        for item in response.events:
            if item.kind != _MESSAGE:
                self._take_note(item)
                continue
            kind, name, pattern = _KINDS[item.channels], item.channel, None
            if kind is _PATTERN:
                pattern = item.pattern
            channel = self._channels[kind].get(name if pattern is None else pattern)
            if channel is not None and channel.listening:
                payload = item.payload
                message = _message((name, payload, pattern, kind))
                size = len(name) + len(payload)
                for inbox in channel.listening:
                    inbox.put(message, size)

    def _take_note(self, item: Any) -> None:
        """Take an ``Event`` other than a message; one that a newer library knows is left alone."""
        if item.kind == _OVERFLOW:
            since, until = decoding.time(item.since_ms), decoding.time(item.until_ms)
            self._miss(Overflow(item.dropped, item.untold, since, until))
            return
        kind = _KINDS[item.channels]
        known = [self._channels[kind][name] for name in item.names if name in self._channels[kind]]
        staying = [channel for channel in known if not channel.leaving]
        if item.kind == _UNSUBSCRIBED:
            self._end(known)
        elif item.kind == _REFUSED:
            self._end(channel for channel in known if channel.leaving)
            self._refuse(kind, staying, decoding.request_error(item.error.status, item.error))
        elif item.kind == _LOST:
            error = decoding.request_error(item.error.status, item.error)
            self._lose(kind, staying, error, decoding.time(item.since_ms))
        elif item.kind in (_SUBSCRIBED, _GAP):
            if item.kind == _GAP:
                since, until = decoding.time(item.since_ms), decoding.time(item.until_ms)
                for inbox, names in _listening(staying):
                    inbox.put(Gap(kind, names, since, until))
            for channel in staying:
                channel.confirm()

    def _end(self, channels: Iterable[_Channel]) -> None:
        """Forget channels that were unsubscribed, or subscribe anew to those that are wanted."""
        again = []
        for channel in channels:
            channel.leaving = False
            if channel.wanted:
                again.append(channel)
            else:
                kind, name = channel.key
                del self._channels[kind][name]
        self._ask_quietly(again)

    def _refuse(self, kind: ChannelKind, channels: Sequence[_Channel], error: RequestError) -> None:
        for inbox, names in _listening(channels):
            inbox.put(Refused(kind, names, error))
        for channel in channels:
            del self._channels[kind][channel.key[1]]
            for inbox in channel.waiting:
                inbox.refuse(error)

    def _lose(
        self, kind: ChannelKind, channels: Sequence[_Channel], error: RequestError, since: datetime
    ) -> None:
        for inbox, names in _listening(channels):
            inbox.put(Lost(kind, names, error, since))
        for channel in channels:
            for inbox in channel.waiting:
                inbox.trouble = error

    def miss(self) -> None:
        """Tell that events may have been taken and not handed out."""
        now = datetime.now(timezone.utc)
        self._miss(Overflow(0, 0, now, now))

    def _miss(self, overflow: Overflow) -> None:
        """Tell that events are missing, and have that told again which is not known any more."""
        self._put_to_all(overflow)
        if overflow.untold or not overflow.dropped:
            all_of_them = [channel for names in self._channels for channel in names.values()]
            self._ask_quietly(channel for channel in all_of_them if not channel.leaving)
            self._ask_quietly((channel for channel in all_of_them if channel.leaving), leave=True)

    def _ask_quietly(self, channels: Iterable[_Channel], leave: bool = False) -> None:
        with contextlib.suppress(GlideError):  # the client is closed, as will be told
            self._ask(channels, leave)

    def _put_to_all(self, item: Item) -> None:
        for inbox in self._inboxes:
            inbox.put(item)

    def fail(self, status: int) -> None:
        """Tell that completions cannot be taken, for which there is a status."""
        why = refusal(status)
        if not isinstance(why, ClosingError):
            self._put_to_all(why)
        elif self.over is None:
            self.over = why
            for inbox in self._inboxes:
                inbox.end(why)

    def disown(self) -> None:
        """Give nothing to anybody: this is the child of a fork, and what waits is the parent's."""
        for inbox in self._inboxes:
            inbox.waiters = []
            inbox.clear()
        self.fail(Status.FORKED)

    @property
    def disowned(self) -> bool:
        """Whether this is the child of a fork, where locks may be held by threads of the parent."""
        return self.over is not None and self.over.status is Status.FORKED


def _listening(channels: Iterable[_Channel]) -> Iterator[tuple[Inbox, tuple[bytes, ...]]]:
    """Those who listen to some of the channels, each with their names."""
    names: dict[Inbox, list[bytes]] = {}
    for channel in channels:
        for inbox in channel.listening:
            names.setdefault(inbox, []).append(channel.key[1])
    return ((inbox, tuple(some)) for inbox, some in names.items())


_everywhere: weakref.WeakSet[Listeners] = weakref.WeakSet()


def _disown_all() -> None:
    for listeners in list(_everywhere):
        listeners.disown()


os.register_at_fork(after_in_child=_disown_all)
