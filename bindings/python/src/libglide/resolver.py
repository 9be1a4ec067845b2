"""What a client and a router have in common: both say where requests go."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from libglide.response import Plan
from libglide.routes import Route

if TYPE_CHECKING:
    from libglide.codec import Codec

Self = TypeVar("Self", bound="Resolver")


class Resolver:
    """A handle of the library that says where requests go, as long as it is open.

    Args:
        codec: Speaks to the library.
        handle: What the library calls it.
        resolve: The library's call that plans a request.
        close: The library's call that closes the handle.
    """

    def __init__(
        self,
        codec: Codec,
        handle: int,
        resolve: Callable[[int, bytes], tuple[int, bytes]],
        close: Callable[[int], int],
    ) -> None:
        self._codec = codec
        self._handle = handle
        self._resolve = resolve
        self._closer = weakref.finalize(self, close, handle)
        self._closer.atexit = False  # the end of the process closes everything as well

    def resolve(self, *args: bytes | str | int | float, route: Route | None = None) -> Plan:
        """Tell where a command would go now, without sending it.

        Args:
            args: The command and its arguments.
            route: Where it would be sent; by default where the command belongs. Random choices
                are drawn anew by every call, and replicas take turns.

        Raises:
            RequestError: The route names no node, or an argument cannot be.
            ClosingError: It is closed, or was opened before a fork and this is the child.
            TypeError: An argument is neither bytes nor str, int or float.
        """
        request = self._codec.request(args, route)
        return self._codec.plan(*self._resolve(self._handle, request))

    def resolve_batch(
        self,
        commands: Sequence[Sequence[bytes | str | int | float]],
        *,
        atomic: bool = False,
        route: Route | None = None,
    ) -> Plan:
        """Tell where the commands of a batch would go now, without sending them.

        Args:
            commands: The commands, each with its arguments. The legs of the plan say by
                ``command`` which one they belong to.
            atomic: The batch is a transaction: all of it goes to one node, and its keys must be
                in one slot.
            route: Where the whole batch would be sent, one node; by default each command where
                it belongs.

        Raises:
            RequestError: A command cannot be, the route names no node or several, or the keys
                of an atomic batch are in several slots; the message names the command.
            ClosingError: It is closed, or was opened before a fork and this is the child.
            TypeError: A word is neither bytes nor str, int or float, or a command is one word.
        """
        request = self._codec.batch(commands, atomic, route)
        return self._codec.plan(*self._resolve(self._handle, request))

    def close(self) -> None:
        """Close it, with its connections where it has some.

        Calls that still run on it raise ``ClosingError``. Closing again does nothing.
        """
        self._closer()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def _state(self) -> str:
        return "open" if self._closer.alive else "closed"


def load_codec() -> Codec:
    """A codec, whose needs are imported here so that importing libglide stays quick.

    Raises:
        LibraryError: The library was not found, or gives no schema.
        ClosingError: This is the child of a fork and cannot load its copy of the library.
    """
    from libglide import codec, messages

    return codec.Codec(messages.load())
