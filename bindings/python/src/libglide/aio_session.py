"""A connection of the caller's own, for an event loop."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from libglide.script import Script
from libglide.topology import Node
from libglide.values import Value

if TYPE_CHECKING:
    from libglide.mailbox import Mailbox
    from libglide.session import Session as WaitingSession


class Session:
    """One connection to one node; ``await Client.session`` of ``libglide.aio`` opens it.

    It is what ``libglide.Session`` is, with methods that are awaited::

        async with await client.session("counter") as session:
            await session.watch("counter")
            count = int(await session.execute("GET", "counter") or 0)
            await session.batch([["SET", "counter", count + 1]], atomic=True)

    Calls of several tasks take turns, in the order of their coming. One that is cancelled after it
    was written takes the connection with it, since its reply may yet come.

    Args:
        session: A session that is used in no other way.
        mailbox: That of its client.
    """

    def __init__(self, session: WaitingSession, mailbox: Mailbox) -> None:
        self._session = session
        self._codec = session._codec
        self._handle = session._handle
        self._mailbox = mailbox

    @property
    def node(self) -> Node:
        """The node that the session is with."""
        return self._session.node

    async def execute(
        self, *args: bytes | str | int | float, timeout: float | None = None
    ) -> Value:
        """Run one command on the session's node; its keys must be there.

        The arguments, the result and the errors are those of ``libglide.Session.execute``.
        """
        return self._codec.value(*await self._answer(self._codec.request(args, timeout=timeout)))

    async def watch(self, *keys: bytes | str) -> None:
        """Let the next transaction be given up where one of the keys is changed before.

        Raises:
            GlideError: As ``execute``.
        """
        await self.execute("WATCH", *keys)

    async def unwatch(self) -> None:
        """Watch no key any more.

        Raises:
            GlideError: As ``execute``.
        """
        await self.execute("UNWATCH")

    async def multi(self) -> None:
        """Begin a transaction: the server keeps the commands that follow until ``exec``.

        Raises:
            GlideError: As ``execute``.
        """
        await self.execute("MULTI")

    async def exec(self) -> list[Value] | None:
        """Run the transaction.

        The result and the errors are those of ``libglide.Session.exec``.
        """
        return self._codec.results(*await self._answer(self._codec.request(("EXEC",))))

    async def discard(self) -> None:
        """Forget the transaction, and watch no key any more.

        Raises:
            GlideError: As ``execute``.
        """
        await self.execute("DISCARD")

    async def batch(
        self,
        commands: Sequence[Sequence[bytes | str | int | float]],
        *,
        atomic: bool = False,
        raise_on_error: bool = True,
        timeout: float | None = None,
    ) -> list[Value] | None:
        """Run several commands in one write.

        The arguments, the result and the errors are those of ``libglide.Session.batch``.
        """
        request = self._codec.batch(commands, atomic, None, timeout, raise_on_error)
        return self._codec.results(*await self._answer(request))

    async def script(
        self,
        script: Script,
        keys: Sequence[bytes | str | int | float] = (),
        args: Sequence[bytes | str | int | float] = (),
        *,
        timeout: float | None = None,
    ) -> Value:
        """Run a script on the session's node.

        The arguments and the errors are those of ``libglide.Session.script``.
        """
        request = self._codec.script(script, keys, args, None, timeout)
        return self._codec.value(*await self._answer(request))

    async def _answer(self, request: bytes) -> tuple[int, bytes]:
        return await self._mailbox.answer(request, self._handle)

    async def close(self) -> None:
        """Close it with its connection; there is nothing to wait for.

        A call that still runs on it raises ``ClosingError``. Closing again does nothing.
        """
        self._session.close()

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return repr(self._session).replace("libglide.Session", "libglide.aio.Session")
