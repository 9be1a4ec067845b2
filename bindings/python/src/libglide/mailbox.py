"""The requests of one client that are under way in an event loop, and its subscriptions."""

from __future__ import annotations

import asyncio
import os
import select
import time
from asyncio import get_running_loop
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from libglide.exceptions import Status
from libglide.library import EVENTS, Library, refusal

if TYPE_CHECKING:
    from libglide.codec import Codec
    from libglide.inbox import Inbox
    from libglide.listeners import Listeners

_LONG = 3600.0  # seconds, as a timer can be set for
_OK, _BUSY, _CLOSED = int(Status.OK), int(Status.BUSY), int(Status.CLOSED)


class Mailbox:
    """Submits requests of a client and hands each what became of it.

    It holds no reference to what uses it; its event loop holds it until the client is closed.

    Args:
        library: The library.
        client: The handle of a client that is used in no other way.
        loop: The loop that is running.

    Raises:
        ClosingError: The client is closed, or this is the child of a fork.
        RequestError: There is no descriptor left.
    """

    def __init__(self, library: Library, client: int, loop: asyncio.AbstractEventLoop) -> None:
        self._library = library
        self._client = client
        self._loop = loop
        self._submit = library.submit
        self._submit_in_session = library.session_submit
        self._completions = library.completions(client)
        self._create_future: Callable[[], asyncio.Future[tuple[int, bytes]]] = loop.create_future
        self._tag = 0
        self._under_way: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._crowd: deque[asyncio.Future[None]] = deque()  # those for whom there is no room
        self._over: asyncio.Future[None] = loop.create_future()
        self._listeners: Listeners | None = None
        self._descriptor = library.event_fd(client)
        if self._descriptor < 0:
            raise refusal(-self._descriptor)
        loop.add_reader(self._descriptor, self._deliver)

    async def answer(self, request: bytes, session: int | None = None) -> tuple[int, bytes]:
        """Run a ``CommandRequest``: its status and its ``Response``.

        With the handle of a session of the client it runs there.

        Where as many requests are under way as the client may have, it waits until there is room.
        Where the task is cancelled the request is given up.

        Raises:
            ClosingError: The client is closed, or this is the child of a fork.
            RequestError: There is no memory.
            RuntimeError: It is called in another event loop than that of the client.
        """
        if get_running_loop() is not self._loop:
            self._check_loop()
        if self._crowd:
            await self._turn()
        submit, handle = self._submit, self._client
        if session is not None:
            submit, handle = self._submit_in_session, session
        self._tag = tag = self._tag + 1
        status = submit(handle, request, len(request), tag)
        while status != _OK:
            if status != _BUSY:
                raise refusal(status)
            await self._turn(again=True)
            status = submit(handle, request, len(request), tag)
        self._under_way[tag] = future = self._create_future()
        try:
            return await future
        except asyncio.CancelledError:
            await self._give_up(tag)
            raise
        except GeneratorExit:  # the loop has ended, or forgotten the task
            self._library.cancel(self._client, tag)
            raise

    def _check_loop(self) -> None:
        if get_running_loop() is not self._loop:
            raise RuntimeError("the client belongs to another event loop; each loop needs its own")

    async def _give_up(self, tag: int) -> None:
        """Cancel a request, and wait until it takes nothing from the server any more."""
        if self._library.cancel(self._client, tag) == _OK and tag in self._under_way:
            self._under_way[tag] = ended = self._loop.create_future()
            await ended

    async def _turn(self, again: bool = False) -> None:
        """Wait for room, behind those who came before."""
        turn = self._loop.create_future()
        if again:
            self._crowd.appendleft(turn)
        else:
            self._crowd.append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._admit(1)  # its turn had come; the next one takes it
            turn.cancel()
            raise

    def _admit(self, count: int) -> None:
        """Let as many as there is room for have their turn."""
        while count and self._crowd:
            turn = self._crowd.popleft()
            if not turn.done():  # or else its task was cancelled
                turn.set_result(None)
                count -= 1

    def _deliver(self) -> None:
        """Hand out what has ended; the loop calls it when there is something."""
        status, taken = self._completions.take()
        under_way = self._under_way
        for tag, ended, response, kind in taken:
            if kind:
                if kind == EVENTS and self._listeners is not None:
                    self._listeners.hand_out(ended, response)
                continue
            future = under_way.pop(tag)
            if not future.done():
                future.set_result((ended, response))
        if self._crowd:
            self._admit(len(taken) if status == _OK else len(self._crowd))
        if status == _CLOSED:
            self._end()

    def subscribe(self, inbox: Inbox, codec: Codec) -> None:
        """Subscribe to what an inbox is for; ``wait`` until it is settled.

        Raises:
            ClosingError: The client is closed, or this is the child of a fork.
            RequestError: A fault of the library.
            RuntimeError: As ``answer``.
        """
        if self._listeners is None or self._listeners.over is None:
            self._check_loop()
        if self._listeners is None:
            from libglide.listeners import Listeners

            self._listeners = Listeners(codec, partial(self._library.execute, self._client))
        self._listeners.join(inbox)

    async def wait(self, inbox: Inbox, done: Callable[[], bool], until: float | None) -> bool:
        """Wait until something of an inbox is true; False where that time comes first.

        Raises:
            RuntimeError: As ``answer``.
        """
        while not done():
            self._check_loop()
            left = _LONG if until is None else until - time.monotonic()
            if left <= 0:
                await asyncio.sleep(0)
                if self._descriptor >= 0:
                    self._deliver()  # what has come by now
                return done()
            future: asyncio.Future[None] = self._loop.create_future()
            waiter = partial(_finish, future)
            inbox.waiters.append(waiter)
            timer = self._loop.call_later(min(left, _LONG), waiter)
            try:
                await future
            finally:
                timer.cancel()
                if waiter in inbox.waiters:
                    inbox.waiters.remove(waiter)
        return True

    def leave(self, inbox: Inbox) -> None:
        """Unsubscribe from what an inbox was for. It may be called on any thread, at any time."""
        if self._listeners is None or self._listeners.over is not None:
            return
        try:
            self._loop.call_soon_threadsafe(self._listeners.leave, inbox)
        except RuntimeError:  # the loop is closed
            self._listeners.leave(inbox)

    def _end(self) -> None:
        if self._listeners is not None:
            self._listeners.fail(Status.CLOSED)
        self._loop.remove_reader(self._descriptor)
        self._close_descriptor()
        self._over.set_result(None)

    def _close_descriptor(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    async def ended(self) -> None:
        """Wait until every request of the client, which is closed, has ended."""
        if self._descriptor >= 0:
            await asyncio.shield(self._over)

    def abandon(self) -> None:
        """Leave nothing behind of a client that is closed and that nobody uses any more.

        It may be called on any thread, whatever became of the loop.
        """
        if self._descriptor < 0:
            return
        if self._loop.is_running() and not _runs_here(self._loop):
            try:
                self._loop.call_soon_threadsafe(self._discard)
                return
            except RuntimeError:
                pass  # it has just been closed
        self._discard()

    def _discard(self) -> None:
        if self._descriptor < 0:
            return
        status, _ = self._completions.take()
        # The loop of a forked child shares what it watches with that of its parent.
        if status != Status.FORKED and not self._loop.is_closed():
            self._loop.remove_reader(self._descriptor)
        watch = select.poll()
        watch.register(self._descriptor, select.POLLIN)
        while status == _OK:
            watch.poll()
            status, _ = self._completions.take()
        self._close_descriptor()


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
