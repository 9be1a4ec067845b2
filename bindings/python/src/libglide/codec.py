"""Requests to bytes, bytes to responses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from google.protobuf.message import DecodeError, EncodeError

from libglide import address
from libglide.duration import milliseconds
from libglide.exceptions import (
    ClosingError,
    ConfigurationError,
    ConnectionError,
    ExecAbortError,
    GlideError,
    MultiNodeError,
    RequestError,
    Status,
    TimeoutError,
)
from libglide.messages import Messages
from libglide.options import Options, ProtocolVersion, ReadFrom
from libglide.response import Leg, Outcome, Plan, Response, ResponsePolicy
from libglide.routes import (
    AllNodes,
    AllPrimaries,
    ByAddressRoute,
    RandomNode,
    Route,
    SlotIdRoute,
    SlotKeyRoute,
    SlotType,
)
from libglide.topology import Node, Role, Shard, SlotRange, Topology
from libglide.values import Key, Value

_CUSTOM_COMMAND = 1
_SIMPLE_ROUTES: dict[type, int] = {AllNodes: 0, AllPrimaries: 1, RandomNode: 2}
_SLOT_TYPES = {SlotType.PRIMARY: 0, SlotType.REPLICA: 1}
_PROTOCOLS = {ProtocolVersion.RESP3: 0, ProtocolVersion.RESP2: 1}
_READ_FROM = {
    ReadFrom.PRIMARY: 0,
    ReadFrom.PREFER_REPLICA: 1,
    ReadFrom.LOWEST_LATENCY: 2,
    ReadFrom.AZ_AFFINITY: 3,
    ReadFrom.AZ_AFFINITY_REPLICAS_AND_PRIMARY: 4,
    ReadFrom.ALL_NODES: 5,
    ReadFrom.AZ_AFFINITY_ALL_NODES: 6,
}
_ROLES = (Role.PRIMARY, Role.REPLICA)
_ERRORS: dict[Status, type[RequestError]] = {
    Status.CONFIG: ConfigurationError,
    Status.TIMEOUT: TimeoutError,
    Status.CONNECTION: ConnectionError,
}


class Codec:
    """Encodes what goes into the library and decodes what comes out.

    A method that takes a status and bytes raises the error that they are, if they are one.
    """

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def connection(self, options: Options) -> bytes:
        """A ``ConnectionRequest``."""
        message = self._messages.connection_request()
        for node in options.addresses:
            message.addresses.add(host=node.host, port=node.port)
        message.cluster_mode_enabled = options.cluster_mode
        message.request_timeout = milliseconds("request_timeout", options.request_timeout)
        message.connection_timeout = milliseconds("connection_timeout", options.connection_timeout)
        message.inflight_requests_limit = options.inflight_requests_limit
        message.database_id = options.database_id
        message.protocol = _PROTOCOLS[options.protocol]
        message.read_from = _READ_FROM[options.read_from]
        message.client_az = options.client_az or ""
        message.client_name = options.client_name or ""
        message.lib_name = options.lib_name or ""
        if options.username is not None or options.password is not None:
            message.authentication_info.username = options.username or ""
            message.authentication_info.password = options.password or ""
        return _serialized(message)

    def request(
        self, words: Sequence[object], route: Route | None, timeout: float | None, outcomes: bool
    ) -> bytes:
        """A ``CommandRequest`` of a whole command."""
        message = self._messages.command_request()
        command = message.single_command
        command.request_type = _CUSTOM_COMMAND
        command.args_array.args.extend(
            [
                word if type(word) is bytes else _word(position, word)
                for position, word in enumerate(words)
            ]
        )
        if route is not None:
            _encode_route(route, message.route)
        if timeout is not None:
            try:
                message.timeout_ms = milliseconds("timeout", timeout)
            except ValueError as fault:
                raise RequestError(str(fault)) from None
        message.outcomes = outcomes
        return _serialized(message)

    def value(self, status: int, data: bytes) -> Value:
        """The value of a ``Response``."""
        message = self._accept(status, data)
        return _combined(message, None)

    def response(self, status: int, data: bytes) -> Response:
        """The value and the outcomes of a ``Response``."""
        message = self._accept(status, data)
        outcomes = tuple(_outcome(item) for item in message.outcomes)
        return Response(_combined(message, outcomes), outcomes)

    def plan(self, status: int, data: bytes) -> Plan:
        """The plan of a ``Response``."""
        plan = self._accept(status, data).plan
        return Plan(
            legs=tuple(
                Leg(_node(leg.node), _slots(leg.slots), tuple(leg.words), leg.fallback)
                for leg in plan.legs
            ),
            policy=ResponsePolicy(plan.policy),
            blocking=plan.blocking_ms / 1000 if plan.HasField("blocking_ms") else None,
            epoch=plan.epoch,
        )

    def topology(self, status: int, data: bytes) -> Topology:
        """The topology of a ``Response``."""
        topology = self._accept(status, data).topology
        return Topology(
            epoch=topology.epoch,
            shards=tuple(
                Shard(
                    slots=_slots(shard.slots),
                    primary=_node(shard.primary) if shard.HasField("primary") else None,
                    replicas=tuple(_node(node) for node in shard.replicas),
                )
                for shard in topology.shards
            ),
            standalone=topology.standalone,
        )

    def _accept(self, status: int, data: bytes) -> Any:
        """The message, where it is no error."""
        try:
            message = self._messages.response.FromString(data)
        except DecodeError as fault:
            raise _undecodable(fault) from None
        if status != Status.OK:
            raise _error(status, message)
        return message


def _word(position: int, word: object) -> bytes:
    if isinstance(word, str):
        return _utf8(f"args[{position}]", word)
    if isinstance(word, bytes):
        return word
    if isinstance(word, int) and not isinstance(word, bool):
        return b"%d" % word
    if isinstance(word, float):
        return float.__repr__(word).encode()
    raise TypeError(
        f"args[{position}] is a {type(word).__name__}; "
        "the words of a command are bytes, str, int or float"
    )


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as fault:
        raise RequestError(f"{name} is not Unicode text: {fault}; give bytes") from None


def _encode_route(route: Route, message: Any) -> None:
    if type(route) in _SIMPLE_ROUTES:
        message.simple_routes = _SIMPLE_ROUTES[type(route)]
    elif isinstance(route, SlotKeyRoute):
        _encode_slot_key(route, message.slot_key_route)
    elif isinstance(route, SlotIdRoute):
        message.slot_id_route.slot_type = _slot_type(route.slot_type)
        if isinstance(route.slot_id, bool) or not isinstance(route.slot_id, int):
            raise RequestError(f"slot_id is {route.slot_id!r}, not an int")
        try:
            message.slot_id_route.slot_id = route.slot_id
        except ValueError:
            raise RequestError(f"slot_id {route.slot_id} is out of range 0..16383") from None
    elif isinstance(route, ByAddressRoute):
        try:
            host, port = address.host_and_port(route.host, route.port)
        except ValueError as fault:
            raise RequestError(str(fault)) from None
        message.by_address_route.host = _utf8("host", host).decode()
        message.by_address_route.port = port
    else:
        raise RequestError(f"route is {route!r:.80}, which is none of libglide.routes")


def _encode_slot_key(route: SlotKeyRoute, message: Any) -> None:
    message.slot_type = _slot_type(route.slot_type)
    if isinstance(route.slot_key, str):
        message.slot_key = _utf8("slot_key", route.slot_key).decode()
    elif isinstance(route.slot_key, bytes):
        try:
            message.slot_key = route.slot_key.decode()
        except UnicodeDecodeError:
            message.slot_key_bytes = route.slot_key
    else:
        raise RequestError(f"slot_key is {route.slot_key!r:.80}, neither str nor bytes")


def _slot_type(given: object) -> int:
    if not isinstance(given, SlotType):
        raise RequestError(f"slot_type is {given!r:.80}, not a SlotType")
    return _SLOT_TYPES[given]


def _serialized(message: Any) -> bytes:
    try:
        return cast(bytes, message.SerializeToString())
    except EncodeError as fault:
        raise RequestError(f"the request is too large: {fault}") from None


def _undecodable(fault: Exception) -> RequestError:
    return RequestError(f"the reply cannot be decoded: {fault}", status=Status.DECODE, sent=True)


def _combined(message: Any, outcomes: Sequence[Outcome] | None) -> Value:
    if not message.HasField("value"):
        return None
    if message.value.WhichOneof("kind") != "per_node":
        return _value(message.value)
    if outcomes is None:
        outcomes = [_outcome(item) for item in message.outcomes]
    return {outcome.node.address: outcome.value for outcome in outcomes}


def _value(message: Any) -> Value:
    kind = message.WhichOneof("kind")
    if kind in ("bulk", "integer", "boolean", "double"):
        return cast(Value, getattr(message, kind))
    if kind == "nil":
        return None
    if kind == "simple":
        return cast(bytes, message.simple).decode(errors="surrogateescape")
    if kind == "bulks":
        return list(message.bulks.items)
    if kind == "array":
        return [_value(item) for item in message.array.items]
    if kind == "map":
        items = iter(message.map.items)
        return {_key(_value(key)): _value(value) for key, value in zip(items, items)}
    if kind == "set":
        return {_key(_value(item)) for item in message.set.items}
    if kind == "verbatim":
        return cast(bytes, message.verbatim.text)
    if kind == "big_number":
        try:
            return int(message.big_number)
        except ValueError as fault:  # Python refuses to parse thousands of digits
            raise _undecodable(fault) from None
    if kind == "error":
        return RequestError(
            message.error.message, status=Status.SERVER, code=message.error.code, sent=True
        )
    raise _undecodable(ValueError(f"a value of an unknown kind, {kind}"))


def _key(value: Value) -> Key:
    """A value in a form that can be hashed."""
    if isinstance(value, list):
        return tuple(_key(item) for item in value)
    if isinstance(value, dict):
        return frozenset((key, _key(item)) for key, item in value.items())
    if isinstance(value, set):
        return frozenset(value)
    return value


def _outcome(message: Any) -> Outcome:
    failed = message.WhichOneof("result") == "error"
    return Outcome(
        node=_node(message.node),
        slots=_slots(message.slots),
        value=None if failed else _value(message.value),
        error=_request_error(message.error.status, message.error) if failed else None,
        sent=message.sent,
        retryable=message.retryable,
        fallback=message.fallback,
        served_by=message.served_by,
    )


def _node(message: Any) -> Node:
    return Node(
        id=message.id,
        host=message.host,
        port=message.port,
        role=_ROLES[message.role],
        zone=message.zone,
        aliases=tuple(message.aliases),
    )


def _slots(ranges: Any) -> tuple[SlotRange, ...]:
    return tuple(SlotRange(item.first, item.last) for item in ranges)


def _error(status: int, message: Any) -> GlideError:
    """The error that a response with a status other than OK is."""
    error = message.error
    if status in (Status.CLOSED, Status.FORKED):
        return ClosingError(_text(status, error), status=Status(status))
    if status == Status.PARTIAL or len(message.outcomes) > 1:
        outcomes = [_outcome(item) for item in message.outcomes]
        if status == Status.PARTIAL or any(outcome.error for outcome in outcomes):
            return MultiNodeError(
                _text(status, error), outcomes=outcomes, **_details(status, error)
            )
    return _request_error(status, error)


def _request_error(status: int, error: Any) -> RequestError:
    kind = _ERRORS.get(Status(status), RequestError)
    if status == Status.SERVER and error.code == "EXECABORT":
        kind = ExecAbortError
    return kind(_text(status, error), **_details(status, error))


def _details(status: int, error: Any) -> dict[str, Any]:
    return {
        "status": Status(status),
        "code": error.code,
        "node": error.node,
        "sent": error.sent,
        "retryable": error.retryable,
    }


def _text(status: int, error: Any) -> str:
    return error.message or f"libglide answered {Status(status).name} without a message"
