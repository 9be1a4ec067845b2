"""What can go wrong; the classes are named as in ``glide_shared.exceptions``.

Some of them have the names of built-in exceptions and are others: catch
``libglide.TimeoutError``, not ``TimeoutError``.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from libglide.response import Outcome
    from libglide.values import Value


class Status(IntEnum):
    """What became of a call: ``glide_status`` of the C interface."""

    OK = 0
    INVALID_ARGUMENT = 1
    DECODE = 2
    CONFIG = 3
    ROUTE = 4
    SERVER = 5
    PARTIAL = 6
    TIMEOUT = 7
    CONNECTION = 8
    CLOSED = 9
    BUSY = 10
    CANCELLED = 11
    FORKED = 12
    INTERNAL = 13

    @classmethod
    def _missing_(cls, value: object) -> Status:
        return cls.INTERNAL  # a status that a newer library knows


class GlideError(Exception):
    """The base of all errors of this package."""


class LibraryError(GlideError):
    """The shared library was not found, or is not one that this package can use."""


class ClosingError(GlideError):
    """The client or router is closed, or it was opened before a fork and this is the child.

    Attributes:
        status: ``CLOSED`` or ``FORKED``.
    """

    def __init__(self, message: str, *, status: Status = Status.CLOSED) -> None:
        super().__init__(message)
        self.status = status


class RequestError(GlideError):
    """A request failed.

    Of this class itself are: an argument or a route that cannot be (``INVALID_ARGUMENT``,
    ``DECODE``, ``ROUTE``), an error of the server (``SERVER``), a full client (``BUSY``), a
    cancelled request (``CANCELLED``) and a fault of the library (``INTERNAL``).

    Attributes:
        status: What became of the call.
        code: The first word of the server's error, as "WRONGTYPE"; "" where no server spoke.
        node: "host:port" of the node concerned; "" where it is not one.
        sent: The command was written to a node; it may have run.
        retryable: Doing it again cannot run it twice.
    """

    def __init__(
        self,
        message: str,
        *,
        status: Status = Status.INVALID_ARGUMENT,
        code: str = "",
        node: str = "",
        sent: bool = False,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.node = node
        self.sent = sent
        self.retryable = retryable


class TimeoutError(RequestError):
    """The deadline of a request passed, or that of connecting."""


class ExecAbortError(RequestError):
    """The server discarded a transaction."""


class ConnectionError(RequestError):
    """There is no connection to the node, or it was lost."""


class ConfigurationError(RequestError):
    """An option of a client, or the topology of a router, asks for what cannot be."""


class MultiNodeError(RequestError):
    """A request to several nodes failed on some of them or on all.

    ``status`` is ``PARTIAL`` where some succeeded, else that of the first failure.

    Attributes:
        results: What the others answered, by "host:port".
        errors: What failed, by "host:port".
        outcomes: Both, with all that is known of each node.
    """

    def __init__(
        self,
        message: str,
        *,
        outcomes: Sequence[Outcome] = (),
        status: Status = Status.PARTIAL,
        code: str = "",
        node: str = "",
        sent: bool = False,
        retryable: bool = False,
    ) -> None:
        super().__init__(
            message, status=status, code=code, node=node, sent=sent, retryable=retryable
        )
        self.outcomes = tuple(outcomes)
        self.results: dict[str, Value] = {}
        self.errors: dict[str, RequestError] = {}
        for outcome in self.outcomes:
            if outcome.error is None:
                self.results.setdefault(outcome.node.address, outcome.value)
            else:
                self.errors.setdefault(outcome.node.address, outcome.error)
