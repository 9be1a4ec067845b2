"""The requests of one client that are under way, in an event loop."""

from __future__ import annotations

import asyncio
import os
import select
from collections import deque

from libglide.exceptions import ClosingError, GlideError, RequestError, Status
from libglide.library import Library

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
        self._tag = 0
        self._under_way: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._crowd: deque[asyncio.Future[None]] = deque()  # those for whom there is no room
        self._over: asyncio.Future[None] = loop.create_future()
        self._descriptor = library.event_fd(client)
        if self._descriptor < 0:
            raise _refusal(-self._descriptor)
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
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("the client belongs to another event loop; each loop needs its own")
        if self._crowd:
            await self._turn()
        submit, handle = self._submit, self._client
        if session is not None:
            submit, handle = self._submit_in_session, session
        self._tag = tag = self._tag + 1
        status = submit(handle, request, len(request), tag)
        while status != _OK:
            if status != _BUSY:
                raise _refusal(status)
            await self._turn(again=True)
            status = submit(handle, request, len(request), tag)
        future: asyncio.Future[tuple[int, bytes]] = self._loop.create_future()
        self._under_way[tag] = future
        try:
            return await future
        except asyncio.CancelledError:
            await self._give_up(tag)
            raise
        except GeneratorExit:  # the loop has ended, or forgotten the task
            self._library.cancel(self._client, tag)
            raise

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
        for tag, ended, response in taken:
            future = under_way.pop(tag)
            if not future.done():
                future.set_result((ended, response))
        if self._crowd:
            self._admit(len(taken) if status == _OK else len(self._crowd))
        if status == _CLOSED:
            self._end()

    def _end(self) -> None:
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


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False


def _refusal(status: int) -> GlideError:
    if status == Status.FORKED:
        return ClosingError(
            "the client was opened before this process was forked; open a new one in the child",
            status=Status.FORKED,
        )
    if status == Status.CLOSED:
        return ClosingError("the client is closed", status=Status.CLOSED)
    return RequestError(f"libglide answered {Status(status).name}", status=Status(status))
