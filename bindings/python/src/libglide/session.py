"""A connection of the caller's own, for transactions with ``WATCH``."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from libglide.script import Script
from libglide.topology import Node
from libglide.values import Value

if TYPE_CHECKING:
    from libglide.codec import Codec
    from libglide.library import Library


class Session:
    """One connection to one node; ``Client.session`` opens it.

    What a server remembers of a connection, as ``WATCH``, ``MULTI`` and ``SELECT`` set it, is the
    session's alone and ends with it. Nothing is sent again and no redirect is followed: where the
    slot has moved, the error says where to, and another session will be there.

    Add one to a counter, unless somebody else changes it meanwhile::

        with client.session("counter") as session:
            session.watch("counter")
            count = int(session.execute("GET", "counter") or 0)
            done = session.batch([["SET", "counter", count + 1]], atomic=True) is not None

    Calls of several threads take turns. It is a context manager that closes itself, and a session
    that is dropped is closed.
    """

    def __init__(self, loaded: Library, codec: Codec, handle: int, node: Node) -> None:
        self._library = loaded
        self._codec = codec
        self._handle = handle
        self._node = node
        self._closer = weakref.finalize(self, loaded.session_close, handle)
        self._closer.atexit = False  # the end of the process closes everything as well

    @property
    def node(self) -> Node:
        """The node that the session is with."""
        return self._node

    def execute(self, *args: bytes | str | int | float, timeout: float | None = None) -> Value:
        """Run one command on the session's node; its keys must be there.

        Args:
            args: The command and its arguments.
            timeout: Seconds until ``TimeoutError``; by default the client's. The connection is
                lost with it, since the reply may yet come.

        Returns:
            Its reply; "QUEUED" after ``multi``.

        Raises:
            RequestError: The server refused it, with the code "MOVED" or "ASK" where the slot is
                or goes elsewhere; or it has no place in a session.
            ConnectionError: The connection was lost, by this call or before.
            ClosingError: The session or its client is closed, or they were opened before a fork
                and this is the child.
            TypeError: An argument is neither bytes nor str, int or float.
        """
        request = self._codec.request(args, timeout=timeout)
        return self._codec.value(*self._library.session_execute(self._handle, request))

    def watch(self, *keys: bytes | str) -> None:
        """Let the next transaction be given up where one of the keys is changed before.

        Raises:
            GlideError: As ``execute``.
        """
        self.execute("WATCH", *keys)

    def unwatch(self) -> None:
        """Watch no key any more.

        Raises:
            GlideError: As ``execute``.
        """
        self.execute("UNWATCH")

    def multi(self) -> None:
        """Begin a transaction: the server keeps the commands that follow until ``exec``.

        ``batch`` with ``atomic`` is the same in one write.

        Raises:
            GlideError: As ``execute``.
        """
        self.execute("MULTI")

    def exec(self) -> list[Value] | None:
        """Run the transaction.

        Returns:
            The result of each command, a ``RequestError`` for one that failed; None where a key
            that was watched has changed, and nothing has run.

        Raises:
            ExecAbortError: A command had been refused, and nothing has run.
            GlideError: As ``execute``.
        """
        request = self._codec.request(("EXEC",))
        return self._codec.results(*self._library.session_execute(self._handle, request))

    def discard(self) -> None:
        """Forget the transaction, and watch no key any more.

        Raises:
            GlideError: As ``execute``.
        """
        self.execute("DISCARD")

    def batch(
        self,
        commands: Sequence[Sequence[bytes | str | int | float]],
        *,
        atomic: bool = False,
        raise_on_error: bool = True,
        timeout: float | None = None,
    ) -> list[Value] | None:
        """Run several commands in one write.

        Args:
            commands: The commands, each with its arguments.
            atomic: They are a transaction, all of it: ``MULTI``, the commands and ``EXEC``.
            raise_on_error: As ``Client.batch``.
            timeout: As ``execute``, for the whole batch.

        Returns:
            One result for each command; None where a key that was watched has changed, and
            nothing has run.

        Raises:
            RequestError: As ``execute``; of a transaction the first refusal, before which nothing
                has run.
            GlideError: As ``execute``.
            TypeError: A word is neither bytes nor str, int or float, or a command is one word.
        """
        request = self._codec.batch(commands, atomic, None, timeout, raise_on_error)
        return self._codec.results(*self._library.session_execute(self._handle, request))

    def script(
        self,
        script: Script,
        keys: Sequence[bytes | str | int | float] = (),
        args: Sequence[bytes | str | int | float] = (),
        *,
        timeout: float | None = None,
    ) -> Value:
        """Run a script on the session's node.

        Args:
            script: The script.
            keys: Its keys.
            args: Its other arguments.
            timeout: As ``execute``.

        Raises:
            GlideError: As ``execute``.
            TypeError: An argument is of another type.
        """
        request = self._codec.script(script, keys, args, None, timeout)
        return self._codec.value(*self._library.session_execute(self._handle, request))

    def close(self) -> None:
        """Close it with its connection.

        A call that still runs on it raises ``ClosingError``. Closing again does nothing.
        """
        self._closer()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "open" if self._closer.alive else "closed"
        return f"<libglide.Session with {self._node.address}, {state}>"
