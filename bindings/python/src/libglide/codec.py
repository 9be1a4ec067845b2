"""Requests to bytes, bytes to responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from google.protobuf.message import DecodeError, EncodeError

from libglide import decoding, encoding
from libglide.duration import milliseconds
from libglide.exceptions import RequestError, Status
from libglide.messages import Messages
from libglide.options import Options, ReadFrom
from libglide.response import Plan, Response, ResponsePolicy
from libglide.routes import Route
from libglide.topology import Topology
from libglide.values import Value


class Codec:
    """Encodes what goes into the library and decodes what comes out.

    A method that takes a status and bytes raises the error that they are, if they are one.
    """

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def connection(self, options: Options) -> bytes:
        """A ``ConnectionRequest``."""
        message = self._messages.connection_request()
        encoding.connection(options, message)
        return _serialized(message)

    def request(
        self,
        words: Sequence[object],
        route: Route | None = None,
        timeout: float | None = None,
        outcomes: bool = False,
        policy: ResponsePolicy | None = None,
    ) -> bytes:
        """A ``CommandRequest`` of one command."""
        message = self._messages.command_request()
        encoding.command("args", words, message.single_command)
        if route is not None:
            encoding.route(route, message.route)
        if timeout is not None:
            try:
                message.timeout_ms = milliseconds("timeout", timeout)
            except ValueError as fault:
                raise RequestError(str(fault)) from None
        message.response_policy = encoding.policy(policy)
        message.outcomes = outcomes
        return _serialized(message)

    def batch(
        self, commands: Sequence[Sequence[object]], atomic: bool, route: Route | None
    ) -> bytes:
        """A ``CommandRequest`` of several commands."""
        message = self._messages.command_request()
        message.batch.is_atomic = atomic
        encoding.batch(commands, message.batch)
        if route is not None:
            encoding.route(route, message.route)
        return _serialized(message)

    def routing(self, topology: Topology, read_from: ReadFrom, client_az: str | None) -> bytes:
        """A ``Topology``, with how reads are shared over it."""
        message = self._messages.topology()
        encoding.topology(topology, read_from, client_az, message)
        return _serialized(message)

    def value(self, status: int, data: bytes) -> Value:
        """The value of a ``Response``."""
        return decoding.combined(self.accept(status, data), None)

    def response(self, status: int, data: bytes) -> Response:
        """The value and the outcomes of a ``Response``."""
        message = self.accept(status, data)
        outcomes = tuple(decoding.outcome(item) for item in message.outcomes)
        return Response(decoding.combined(message, outcomes), outcomes)

    def plan(self, status: int, data: bytes) -> Plan:
        """The plan of a ``Response``."""
        return decoding.plan(self.accept(status, data).plan)

    def topology(self, status: int, data: bytes) -> Topology:
        """The topology of a ``Response``."""
        return decoding.topology(self.accept(status, data).topology)

    def accept(self, status: int, data: bytes) -> Any:
        """The ``Response`` itself."""
        try:
            message = self._messages.response.FromString(data)
        except DecodeError as fault:
            raise decoding.undecodable(fault) from None
        if status != Status.OK:
            raise decoding.error(status, message)
        return message


def _serialized(message: Any) -> bytes:
    try:
        return cast(bytes, message.SerializeToString())
    except EncodeError as fault:
        raise RequestError(f"the request is too large: {fault}") from None
