"""Messages of channels, for tasks of an event loop that wait for them."""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator
from copy import copy
from types import TracebackType
from typing import TYPE_CHECKING

from libglide.events import Event, Message
from libglide.exceptions import ClosingError, Status
from libglide.inbox import Inbox, Item, deadline, event_of, message_of
from libglide.mailbox import Mailbox

if TYPE_CHECKING:
    from libglide.aio import Client


class Subscription:
    """Channels that a client listens to; ``await client.subscribe(...)`` makes it.

    It is an asynchronous iterator over the messages::

        async with await client.subscribe("news", patterns=["user:*"]) as subscription:
            async for message in subscription:
                print(message.channel, message.payload)

    It is as ``libglide.subscription.Subscription``, for the tasks of the client's event loop. A
    task that is cancelled while it waits takes no message.

    Args:
        client: The client, which stays open as long as somebody has this.
        mailbox: What the events come to.
        inbox: Where those of this subscription wait.
    """

    def __init__(self, client: Client, mailbox: Mailbox, inbox: Inbox) -> None:
        self._client = client
        self._mailbox = mailbox
        self._inbox = inbox
        self._closer = weakref.finalize(self, mailbox.leave, inbox)
        self._closer.atexit = False  # the end of the process closes everything as well

    async def _begin(self, seconds: float) -> Subscription:
        """Wait until every name is confirmed; where one is not, subscribe to none of them."""
        try:
            self._mailbox.subscribe(self._inbox, self._client._codec)
            await self._mailbox.wait(self._inbox, self._inbox.settled, deadline(seconds))
            self._inbox.check()
        except BaseException:
            await self.close()
            raise
        return self

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        try:
            message = await self.get()
        except ClosingError as over:
            if over.status is Status.FORKED:
                raise
            raise StopAsyncIteration from None
        assert message is not None  # since there was no time to wait until
        return message

    async def get(self, timeout: float | None = None) -> Message | None:
        """Wait for a message.

        The argument, the result and the errors are those of ``Subscription.get`` of the client that
        waits. ``asyncio.wait_for`` may lose a message on Python before 3.12; the timeout does not.
        """
        until = deadline(timeout)
        while True:
            item = await self._take(until)
            if item is None:
                return None
            message = message_of(item)
            if message is not None:
                return message

    def events(self, timeout: float | None = None) -> AsyncIterator[Event]:
        """Iterate over messages and all else that there is to tell, see ``libglide.events``.

        The argument and the errors are those of ``Subscription.events`` of the client that waits.
        """
        deadline(timeout)
        return self._events(timeout)

    async def _events(self, timeout: float | None) -> AsyncIterator[Event]:
        while True:
            try:
                item = await self._take(deadline(timeout))
            except ClosingError as over:
                if over.status is Status.FORKED:
                    raise
                return
            if item is None:
                return
            yield event_of(item)

    async def _take(self, until: float | None) -> Item | None:
        """Take what is next; None where nothing came in time."""
        inbox = self._inbox
        while True:
            try:
                return inbox.ready.popleft()
            except IndexError:
                if not await self._mailbox.wait(inbox, inbox.fill, until):
                    return None
            if inbox.over is not None and not inbox.ready:
                raise copy(inbox.over)

    async def close(self) -> None:
        """Unsubscribe from the channels that no other subscription of the client listens to.

        Tasks that wait for messages of it do so no more. Closing again does nothing.
        """
        self._inbox.close()
        self._closer()

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
