"""Messages of channels, for threads that wait for them."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING

from libglide.events import Event, Message
from libglide.exceptions import ClosingError, Status
from libglide.inbox import Inbox, Item, deadline, event_of, message_of
from libglide.library import EVENTS, Library, refusal
from libglide.listeners import Listeners

if TYPE_CHECKING:
    from libglide.client import Client
    from libglide.codec import Codec

_SLICE = 0.05  # seconds after which who waits looks for signals, and at what other threads did


class Subscription:
    """Channels that a client listens to; ``Client.subscribe`` makes it.

    It is an iterator over the messages, which waits for the next one::

        with client.subscribe("news", patterns=["user:*"]) as subscription:
            for message in subscription:
                print(message.channel, message.payload)

    It follows its channels through lost connections, failovers and slots that move. Messages may
    be missing then, or where they are not taken in time: ``events`` tells of both, in their place.
    So many events as ``event_queue_limit`` says wait for it, and 32 MiB of messages, at most.

    Several threads may take messages of one subscription, each of them gets others. Of the threads
    that wait for messages of a client one reads for all. Signal handlers run meanwhile, and one
    that raises ends the wait. They may close the subscription; they must not wait for messages.

    It keeps its client open. It is a context manager that closes itself, and one that is dropped is
    closed. In the child of a fork it raises ``ClosingError``.
    """

    def __init__(self, client: Client, reader: Reader, inbox: Inbox) -> None:
        self._client = client
        self._reader = reader
        self._inbox = inbox
        self._closer = weakref.finalize(self, reader.leave, inbox)
        self._closer.atexit = False  # the end of the process closes everything as well

    def _begin(self, seconds: float) -> Subscription:
        """Wait until every name is confirmed; where one is not, subscribe to none of them."""
        try:
            self._reader.subscribe(self._inbox)
            self._reader.wait(self._inbox, self._inbox.settled, deadline(seconds))
            self._inbox.check()
        except BaseException:
            self.close()
            raise
        return self

    def __iter__(self) -> Iterator[Message]:
        return self

    def __next__(self) -> Message:
        try:
            message = self.get()
        except ClosingError as over:
            if over.status is Status.FORKED:
                raise
            raise StopIteration from None
        assert message is not None  # since there was no time to wait until
        return message

    def get(self, timeout: float | None = None) -> Message | None:
        """Wait for a message.

        Args:
            timeout: Seconds to wait, 0 for what is there; None: as long as it takes.

        Returns:
            The message, or None where none came in time.

        Raises:
            RequestError: The server has refused a channel that was subscribed before. No more
                messages of it come; those of others do.
            ClosingError: The subscription or the client is closed, or this is the child of a fork.
                An iteration ends instead, but in the child.
            ValueError: The timeout is no number of seconds.
        """
        until = deadline(timeout)
        while True:
            item = self._take(until)
            if item is None:
                return None
            message = message_of(item)
            if message is not None:
                return message

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Iterate over messages and all else that there is to tell, see ``libglide.events``.

        It takes the messages, as the iteration over messages takes and leaves out all else.

        Args:
            timeout: Seconds without an event after which it ends; None: it goes on.

        Raises:
            ClosingError: This is the child of a fork. Where the subscription or the client is
                closed it ends.
            ValueError: The timeout is no number of seconds.
        """
        deadline(timeout)
        return self._events(timeout)

    def _events(self, timeout: float | None) -> Iterator[Event]:
        while True:
            try:
                item = self._take(deadline(timeout))
            except ClosingError as over:
                if over.status is Status.FORKED:
                    raise
                return
            if item is None:
                return
            yield event_of(item)

    def _take(self, until: float | None) -> Item | None:
        """Take what is next; None where nothing came in time."""
        inbox = self._inbox
        while True:
            try:
                return inbox.ready.popleft()
            except IndexError:
                if not self._reader.wait(inbox, inbox.fill, until):
                    return None
            if inbox.over is not None and not inbox.ready:
                raise copy(inbox.over)

    def close(self) -> None:
        """Unsubscribe from the channels that no other subscription of the client listens to.

        Whoever waits for messages of it does so no more. Closing again does nothing.
        """
        self._inbox.close()
        self._closer()

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Reader:
    """Takes the events of a client and hands them out, on a thread that waits for some.

    Args:
        library: The library.
        codec: Speaks to it.
        client: The client's handle.

    Raises:
        ClosingError: The client is closed, or this is the child of a fork.
        RequestError: There is no descriptor left.
    """

    def __init__(self, library: Library, codec: Codec, client: int) -> None:
        self._completions = library.completions(client)
        self._listeners = Listeners(codec, partial(library.execute, client))
        self._lock = threading.Lock()  # of the listeners and their inboxes
        self._left: deque[Inbox] = deque()  # that are to leave
        self._reading: int | None = None  # the thread that does
        self._sleeping: dict[_Bell, None] = {}
        self._descriptor = library.event_fd(client)
        if self._descriptor < 0:
            raise refusal(-self._descriptor)
        weakref.finalize(self, os.close, self._descriptor).atexit = False

    def subscribe(self, inbox: Inbox) -> None:
        """Subscribe to what an inbox is for; ``wait`` until it is settled.

        Raises:
            ClosingError: The client is closed, or this is the child of a fork.
            RequestError: A fault of the library.
        """
        if self._listeners.disowned:
            raise refusal(Status.FORKED)
        with self._lock:
            self._listeners.join(inbox)

    def leave(self, inbox: Inbox) -> None:
        """Unsubscribe from what an inbox was for.

        It may be called at any time, by a signal handler or the garbage collector too: where the
        lock is held, who holds it does the rest.
        """
        self._left.append(inbox)
        self._tidy()

    def _tidy(self) -> None:
        while self._left and self._lock.acquire(blocking=False):
            try:
                while self._left:
                    self._listeners.leave(self._left.popleft())
            finally:
                self._lock.release()

    def wait(self, inbox: Inbox, done: Callable[[], bool], until: float | None) -> bool:
        """Wait until something of an inbox is true; False where that time comes first."""
        me, bell = threading.get_ident(), _Bell()
        try:
            while not self._listeners.disowned:
                self._tidy()
                with self._lock:
                    if done():
                        return True
                    # What this thread reads already it does below a signal handler.
                    reads = self._reading in (None, me)
                    if reads:
                        self._reading = me
                    else:
                        self._sleeping[bell] = None
                        inbox.waiters.append(bell.ring)
                left = _SLICE if until is None else min(_SLICE, until - time.monotonic())
                if reads:
                    self._read(max(left, 0.0))
                else:
                    bell.wait(max(left, 0.0))
                    self._forget(bell, inbox)
                if until is not None and until <= time.monotonic():
                    with self._lock:
                        return done()
            return True
        finally:
            if self._reading == me:
                self._reading = None
                for sleeper in list(self._sleeping)[:1]:
                    sleeper.ring()  # and it reads from now on
            self._forget(bell, inbox)
            self._tidy()

    def _forget(self, bell: _Bell, inbox: Inbox) -> None:
        self._sleeping.pop(bell, None)
        with contextlib.suppress(ValueError):
            inbox.waiters.remove(bell.ring)

    def _read(self, seconds: float) -> None:
        """Wait for events, and hand them out."""
        watch = select.poll()
        watch.register(self._descriptor, select.POLLIN)
        if not watch.poll(seconds * 1000):
            return
        with self._lock:
            try:
                status, taken = self._completions.take()
                for _, ended, data, kind in taken:
                    if kind == EVENTS:
                        self._listeners.hand_out(ended, data)
            except BaseException:  # of a signal handler; what was taken may be lost
                self._listeners.miss()
                raise
            if status != Status.OK:
                self._listeners.fail(status)


class _Bell:
    """Wakes the thread that waits for it; to ring it twice is to ring it once."""

    def __init__(self) -> None:
        self._silent = threading.Lock()
        self._silent.acquire()

    def ring(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._silent.release()

    def wait(self, seconds: float) -> None:
        self._silent.acquire(timeout=seconds)
