"""Requests to bytes, bytes to responses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from google.protobuf.message import DecodeError, EncodeError

from libglide import decoding, encoding
from libglide.duration import milliseconds
from libglide.exceptions import RequestError, Status
from libglide.library import Bulk
from libglide.messages import Messages
from libglide.options import Options, ReadFrom
from libglide.response import Plan, Response, ResponsePolicy
from libglide.routes import Route
from libglide.script import Script
from libglide.statistics import Statistics
from libglide.topology import Topology
from libglide.values import Value

_OK = int(Status.OK)


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
        return encoding.single_command(words) + self._options(route, timeout, outcomes, policy)

    def divided(
        self,
        words: Sequence[object],
        route: Route | None,
        timeout: float | None,
        outcomes: bool,
        policy: ResponsePolicy | None,
    ) -> tuple[bytes, list[bytes]]:
        """The same, with the arguments that are better not copied into it beside it."""
        request, beside = encoding.divided_command(words)
        return request + self._options(route, timeout, outcomes, policy), beside

    def _options(
        self,
        route: Route | None,
        timeout: float | None,
        outcomes: bool,
        policy: ResponsePolicy | None,
    ) -> bytes:
        """What a ``CommandRequest`` says beside its command."""
        if route is None and timeout is None and not outcomes and policy is None:
            return b""
        message = self._messages.command_request()
        if route is not None:
            encoding.route(route, message.route)
        _limit(timeout, message)
        message.response_policy = encoding.policy(policy)
        message.outcomes = outcomes
        return _serialized(message)

    def batch(
        self,
        commands: Sequence[Sequence[object]],
        atomic: bool,
        route: Route | None = None,
        timeout: float | None = None,
        raise_on_error: bool = False,
    ) -> bytes:
        """A ``CommandRequest`` of several commands."""
        pieces = encoding.batch(commands)
        message = self._messages.command_request()
        message.batch.is_atomic = atomic
        message.batch.raise_on_error = raise_on_error
        if route is not None:
            encoding.route(route, message.route)
        _limit(timeout, message)
        return b"".join((*pieces, _serialized(message)))

    def script(
        self,
        script: Script,
        keys: Sequence[object],
        args: Sequence[object],
        route: Route | None = None,
        timeout: float | None = None,
    ) -> bytes:
        """A ``CommandRequest`` of a script."""
        message = self._messages.command_request()
        encoding.script(script, keys, args, message.script_invocation)
        if route is not None:
            encoding.route(route, message.route)
        _limit(timeout, message)
        return _serialized(message)

    def opening(self, route: Route | None, timeout: float | None) -> bytes:
        """A ``CommandRequest`` that says where a session is to be."""
        message = self._messages.command_request()
        if route is not None:
            encoding.route(route, message.route)
        _limit(timeout, message)
        return _serialized(message)

    def scan(
        self,
        cursor: str,
        match: bytes | str | None = None,
        count: int | None = None,
        object_type: str | None = None,
        gaps: bool = False,
        timeout: float | None = None,
    ) -> bytes:
        """A ``CommandRequest`` of a step of a scan."""
        message = self._messages.command_request()
        encoding.scan(cursor, match, count, object_type, gaps, message.cluster_scan)
        _limit(timeout, message)
        return _serialized(message)

    def password(self, given: str | None, immediate: bool, timeout: float | None = None) -> bytes:
        """A ``CommandRequest`` of another password."""
        message = self._messages.command_request()
        encoding.password(given, immediate, message.update_connection_password)
        _limit(timeout, message)
        return _serialized(message)

    def channels(self, kind: int, names: Iterable[bytes], leave: bool) -> bytes:
        """A ``CommandRequest`` to subscribe to channels, or to unsubscribe from them."""
        message = self._messages.command_request()
        encoding.channels(kind, names, message.unsubscribe if leave else message.subscribe)
        return _serialized(message)

    def routing(self, topology: Topology, read_from: ReadFrom, client_az: str | None) -> bytes:
        """A ``Topology``, with how reads are shared over it."""
        message = self._messages.topology()
        encoding.topology(topology, read_from, client_az, message)
        return _serialized(message)

    def value(self, status: int, data: bytes | Bulk) -> Value:
        """The value of a ``Response``."""
        if isinstance(data, Bulk):
            return data.value
        if status == _OK:
            bulk = decoding.bulk(data)
            if bulk is not None:
                return bulk
        return decoding.combined(self.accept(status, data), None)

    def results(self, status: int, data: bytes) -> list[Value] | None:
        """The results of a batch."""
        return decoding.results(self.accept(status, data))

    def step(self, status: int, data: bytes) -> tuple[str, list[bytes]]:
        """The next cursor and the keys of a step of a scan."""
        return decoding.step(self.accept(status, data))

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

    def statistics(self, status: int, data: bytes) -> Statistics:
        """The statistics of a ``Response``."""
        return decoding.statistics(self.accept(status, data).statistics)

    def accept(self, status: int, data: bytes) -> Any:
        """The ``Response`` itself."""
        try:
            message = self._messages.response.FromString(data)
        except DecodeError as fault:
            raise decoding.undecodable(fault) from None
        if status != Status.OK:
            raise decoding.error(status, message)
        return message


def _limit(timeout: float | None, message: Any) -> None:
    if timeout is not None:
        try:
            message.timeout_ms = milliseconds("timeout", timeout)
        except ValueError as fault:
            raise RequestError(str(fault)) from None


def _serialized(message: Any) -> bytes:
    try:
        return cast(bytes, message.SerializeToString())
    except EncodeError as fault:
        raise RequestError(f"the request is too large: {fault}") from None
