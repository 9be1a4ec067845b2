"""A client for asyncio, or another event loop with its interface, such as uvloop.

``libglide.aio.Client`` has the methods of ``libglide.Client``; those that wait are awaited.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from libglide import client as waiting
from libglide.aio_session import Session
from libglide.client import FINISHED
from libglide.library import load
from libglide.mailbox import Mailbox
from libglide.response import Plan, Response, ResponsePolicy
from libglide.routes import Route
from libglide.script import Script
from libglide.statistics import Statistics
from libglide.topology import Topology
from libglide.values import Value

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    from libglide.aio_subscription import Subscription

    P = ParamSpec("P")

T = TypeVar("T")

__all__ = ["Client", "Session"]


def _arguments_of(
    _: Callable[P, object],
) -> Callable[
    [Callable[..., Coroutine[Any, Any, T]]],
    Callable[Concatenate[type[Client], P], Coroutine[Any, Any, T]],
]:
    """Let a class method have the arguments of one that waits."""
    return lambda method: method


class Client:
    """A client of a Valkey cluster or of one server; ``await Client.connect`` opens it.

    It belongs to the event loop that it was opened in, and any number of tasks of that loop may use
    it at once; another loop, in another thread, opens one of its own. It is an asynchronous
    context manager that closes itself, and one that is dropped is closed.

    Where as many requests are under way as ``inflight_requests_limit`` says, further ones wait for
    their turn, in the order of their coming; the ``timeout`` of a request counts from its turn on.

    A task that is cancelled while it waits, as by ``asyncio.timeout``, gives its request up: one
    that was not written yet never is; one that was may have run; one that waits on the server, as
    ``BLPOP``, is ended there too, and takes nothing afterwards.

    Args:
        client: A client that is used in no other way.
    """

    def __init__(self, client: waiting.Client) -> None:
        self._client = client
        self._codec = client._codec
        self._mailbox = client._mailbox(asyncio.get_running_loop())
        self._answer = self._mailbox.answer
        self._dropped = weakref.finalize(self, _drop, client, self._mailbox)
        self._dropped.atexit = False  # the end of the process closes everything as well

    @classmethod
    @_arguments_of(waiting.Client.connect)
    async def connect(cls, *args: object, **options: object) -> Client:
        """Connect to a cluster and learn its topology.

        The arguments and errors are those of ``libglide.Client.connect``.
        """
        loop = asyncio.get_running_loop()
        given_up = threading.Event()
        connect = partial(_connect, given_up, *args, **options)
        try:
            return cls(await loop.run_in_executor(None, connect))
        except asyncio.CancelledError:
            given_up.set()  # or else the end of the loop would wait for the thread
            raise

    async def execute(
        self,
        *args: bytes | str | int | float,
        route: Route | None = None,
        timeout: float | None = None,
        policy: ResponsePolicy | None = None,
    ) -> Value:
        """Run one command and return its reply, of several nodes the combined one.

        The arguments and errors are those of ``libglide.Client.execute``.
        """
        request = self._codec.request(args, route, timeout, False, policy)
        return self._codec.value(*await self._answer(request))

    async def response(
        self,
        *args: bytes | str | int | float,
        route: Route | None = None,
        timeout: float | None = None,
        outcomes: bool = True,
        policy: ResponsePolicy | None = None,
    ) -> Response:
        """Run one command as ``execute`` does, and tell which node had which part in it.

        The arguments and errors are those of ``libglide.Client.response``.
        """
        request = self._codec.request(args, route, timeout, outcomes, policy)
        return self._codec.response(*await self._answer(request))

    async def batch(
        self,
        commands: Sequence[Sequence[bytes | str | int | float]],
        *,
        atomic: bool = False,
        raise_on_error: bool = True,
        route: Route | None = None,
        timeout: float | None = None,
    ) -> list[Value] | None:
        """Run several commands together: those for one node travel in one write.

        The arguments, the result and the errors are those of ``libglide.Client.batch``.
        """
        request = self._codec.batch(commands, atomic, route, timeout, raise_on_error)
        return self._codec.results(*await self._answer(request))

    async def script(
        self,
        script: Script,
        keys: Sequence[bytes | str | int | float] = (),
        args: Sequence[bytes | str | int | float] = (),
        *,
        route: Route | None = None,
        timeout: float | None = None,
    ) -> Value:
        """Run a script; its source travels only to a node that does not know it yet.

        The arguments and errors are those of ``libglide.Client.script``.
        """
        request = self._codec.script(script, keys, args, route, timeout)
        return self._codec.value(*await self._answer(request))

    def scan(
        self,
        match: bytes | str | None = None,
        *,
        count: int | None = None,
        object_type: str | None = None,
        allow_non_covered_slots: bool = False,
        timeout: float | None = None,
    ) -> AsyncIterator[bytes]:
        """Iterate over the keys of the whole cluster with ``async for``, step by step.

        The arguments and errors are those of ``libglide.Client.scan``.
        """
        encode = partial(
            self._codec.scan,
            match=match,
            count=count,
            object_type=object_type,
            gaps=allow_non_covered_slots,
            timeout=timeout,
        )
        return self._keys(encode(""), encode)

    async def _keys(self, request: bytes, encode: Callable[[str], bytes]) -> AsyncIterator[bytes]:
        while True:
            cursor, keys = self._codec.step(*await self._answer(request))
            for key in keys:
                yield key
            if cursor == FINISHED:
                return
            request = encode(cursor)

    async def scan_step(
        self,
        cursor: str = "",
        match: bytes | str | None = None,
        *,
        count: int | None = None,
        object_type: str | None = None,
        allow_non_covered_slots: bool = False,
        timeout: float | None = None,
    ) -> tuple[str, list[bytes]]:
        """Take one step of a scan, for callers who keep the cursor themselves.

        The arguments, the result and the errors are those of ``libglide.Client.scan_step``.
        """
        request = self._codec.scan(
            cursor, match, count, object_type, allow_non_covered_slots, timeout
        )
        return self._codec.step(*await self._answer(request))

    def resolve(self, *args: bytes | str | int | float, route: Route | None = None) -> Plan:
        """Tell where a command would go now, without sending it; there is nothing to wait for.

        The arguments and errors are those of ``libglide.Client.resolve``.
        """
        return self._client.resolve(*args, route=route)

    def resolve_batch(
        self,
        commands: Sequence[Sequence[bytes | str | int | float]],
        *,
        atomic: bool = False,
        route: Route | None = None,
    ) -> Plan:
        """Tell where the commands of a batch would go now; there is nothing to wait for.

        The arguments and errors are those of ``libglide.Client.resolve_batch``.
        """
        return self._client.resolve_batch(commands, atomic=atomic, route=route)

    async def session(
        self,
        key: bytes | str | None = None,
        *,
        route: Route | None = None,
        timeout: float | None = None,
    ) -> Session:
        """Open a connection of one's own to one node, for ``WATCH``, ``MULTI`` and ``EXEC``.

        The arguments and errors are those of ``libglide.Client.session``.
        """
        opening = partial(self._client.session, key, route=route, timeout=timeout)
        loop = asyncio.get_running_loop()
        return Session(await loop.run_in_executor(None, opening), self._mailbox)

    async def subscribe(
        self,
        *channels: bytes | str,
        patterns: Sequence[bytes | str] = (),
        sharded: Sequence[bytes | str] = (),
        timeout: float | None = None,
    ) -> Subscription:
        """Listen to channels, over connections beside those of requests.

        The arguments and errors are those of ``libglide.Client.subscribe``.
        """
        from libglide.aio_subscription import Subscription
        from libglide.inbox import Inbox
        from libglide.listeners import keys, patience

        inbox = Inbox(keys(channels, patterns, sharded), self._client._event_queue_limit)
        seconds = patience(timeout, self._client._connection_timeout)
        return await Subscription(self, self._mailbox, inbox)._begin(seconds)

    async def update_password(
        self, password: str | None, immediate: bool = False, *, timeout: float | None = None
    ) -> None:
        """Replace the password of the client's user; nothing is disconnected.

        The arguments and errors are those of ``libglide.Client.update_password``.
        """
        request = self._codec.password(password, immediate, timeout)
        self._codec.accept(*await self._answer(request))

    def statistics(self) -> Statistics:
        """What the client has counted, and the options in force; there is nothing to wait for.

        Raises:
            ClosingError: The client is closed, or this is the child of a fork.
        """
        return self._client.statistics()

    def topology(self) -> Topology:
        """The cluster as the client knows it now; there is nothing to wait for.

        Raises:
            ClosingError: The client is closed, or this is the child of a fork.
        """
        return self._client.topology()

    async def close(self) -> None:
        """Close the client and its connections, and wait until every request has ended.

        Those that are under way raise ``ClosingError``. Closing again does nothing.
        """
        self._client.close()
        await self._mailbox.ended()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return repr(self._client).replace("libglide.Client", "libglide.aio.Client")


def _connect(given_up: threading.Event, *args: object, **options: object) -> waiting.Client:
    connect: Callable[..., waiting.Client] = waiting.Client.connect
    with load().asking(given_up.is_set):
        return connect(*args, **options)


def _drop(client: waiting.Client, mailbox: Mailbox) -> None:
    client.close()
    mailbox.abandon()
