"""What a message says, in this package's classes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any, cast

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
from libglide.library import BULK, VALUE, bulk_at
from libglide.options import Backoff, NodeAddress, NodeDiscoveryMode, ProtocolVersion, ReadFrom
from libglide.response import Leg, Outcome, Plan, ResponsePolicy
from libglide.statistics import Configuration, NodeStatistics, ProcessStatistics, Statistics
from libglide.topology import Node, Role, Shard, SlotRange, Topology
from libglide.values import Key, Value

_ROLES = (Role.PRIMARY, Role.REPLICA)
_PROTOCOLS = (ProtocolVersion.RESP3, ProtocolVersion.RESP2)
_READ_FROM = tuple(ReadFrom)  # in the order of their numbers, as the next
_DISCOVERY = tuple(NodeDiscoveryMode)
_INSECURE_TLS = 2
_ERRORS: dict[Status, type[RequestError]] = {
    Status.CONFIG: ConfigurationError,
    Status.TIMEOUT: TimeoutError,
    Status.CONNECTION: ConnectionError,
}


def undecodable(fault: Exception) -> RequestError:
    """The error of a reply that makes no sense."""
    return RequestError(f"the reply cannot be decoded: {fault}", status=Status.DECODE, sent=True)


def bulk(data: bytes) -> bytes | None:
    """The bulk string that a ``Response`` holds and nothing else; None where it is another.

    Most replies are one, and message objects take longer than all the rest.
    """
    size = len(data)
    # Such a short one that both lengths are one byte.
    if size >= 4 and data[0] == VALUE and data[1] == size - 2 and data[2] == BULK:
        return data[4:] if data[3] == size - 4 else None
    start = bulk_at(data[:16], size)
    return data[start:] if start else None


def combined(message: Any, outcomes: Sequence[Outcome] | None) -> Value:
    """The value of a ``Response``.

    Args:
        message: The ``Response``.
        outcomes: Its outcomes, where they are decoded already.
    """
    if not message.HasField("value"):
        return None
    if message.value.WhichOneof("kind") != "per_node":
        return _value(message.value)
    if outcomes is None:
        outcomes = [outcome(item) for item in message.outcomes]
    return {item.node.address: item.value for item in outcomes}


def results(message: Any) -> list[Value] | None:
    """The results of a batch, one for each command; None of a transaction that was given up."""
    value = combined(message, None)
    if value is None:
        return None
    if not isinstance(value, list):
        raise undecodable(ValueError(f"the results of a batch are a {type(value).__name__}"))
    return value


def step(message: Any) -> tuple[str, list[bytes]]:
    """The next cursor and the keys of a step of a scan."""
    value = combined(message, None)
    if isinstance(value, list) and len(value) == 2:
        cursor, keys = value
        if isinstance(cursor, bytes) and isinstance(keys, list):
            return cursor.decode(), cast(list[bytes], keys)
    raise undecodable(ValueError("a step of a scan is no cursor with keys"))


def outcome(message: Any) -> Outcome:
    """An ``Outcome``."""
    failed = message.WhichOneof("result") == "error"
    return Outcome(
        node=_node(message.node),
        slots=_slots(message.slots),
        value=None if failed else _value(message.value),
        error=request_error(message.error.status, message.error) if failed else None,
        sent=message.sent,
        retryable=message.retryable,
        fallback=message.fallback,
        served_by=message.served_by,
    )


def plan(message: Any) -> Plan:
    """A ``Plan``."""
    return Plan(
        legs=tuple(_leg(leg) for leg in message.legs),
        policy=ResponsePolicy(message.policy),
        blocking=message.blocking_ms / 1000 if message.HasField("blocking_ms") else None,
        epoch=message.epoch,
        atomic=message.atomic,
    )


def _leg(message: Any) -> Leg:
    return Leg(
        node=_node(message.node),
        slots=_slots(message.slots),
        words=tuple(message.words),
        fallback=message.fallback,
        command=message.command,
    )


def topology(message: Any) -> Topology:
    """A ``Topology``."""
    return Topology(
        shards=[
            Shard(
                slots=_slots(shard.slots),
                primary=_node(shard.primary) if shard.HasField("primary") else None,
                replicas=[_node(node) for node in shard.replicas],
            )
            for shard in message.shards
        ],
        epoch=message.epoch,
        standalone=message.standalone,
    )


def statistics(message: Any) -> Statistics:
    """A ``Statistics``."""
    return Statistics(
        nodes=tuple(_node_statistics(node) for node in message.nodes),
        inflight_requests=message.inflight_requests,
        topology_epoch=message.topology_epoch,
        topology_age=_seconds(message, "topology_age_ms"),
        topology_refreshes=message.topology_refreshes,
        topology_refresh_failures=message.topology_refresh_failures,
        configuration=_configuration(message.configuration),
        process=ProcessStatistics(
            handles=message.process.handles,
            calls=message.process.calls,
            goroutines=message.process.goroutines,
            heap_bytes=message.process.heap_bytes,
        ),
    )


def _node_statistics(message: Any) -> NodeStatistics:
    return NodeStatistics(
        node=_node(message.node),
        in_topology=message.in_topology,
        connections=message.connections,
        connections_made=message.connections_made,
        connected_since=_moment(message, "connected_since_ms"),
        requests=message.requests,
        errors=message.errors,
        redirects=message.redirects,
        failures=message.failures,
        bytes_sent=message.bytes_sent,
        bytes_received=message.bytes_received,
        latency=(
            message.latency_average_us / 1e6 if message.HasField("latency_average_us") else None
        ),
        last_error=message.last_error,
        last_error_at=_moment(message, "last_error_ms"),
    )


def _configuration(message: Any) -> Configuration:
    strategy = message.connection_retry_strategy
    return Configuration(
        addresses=tuple(message.addresses),
        cluster_mode=message.cluster_mode_enabled,
        request_timeout=message.request_timeout_ms / 1000,
        connection_timeout=message.connection_timeout_ms / 1000,
        inflight_requests_limit=message.inflight_requests_limit,
        periodic_checks=_seconds(message, "periodic_checks_ms"),
        read_from=_READ_FROM[message.read_from],
        client_az=message.client_az,
        protocol=_PROTOCOLS[message.protocol],
        database_id=message.database_id,
        client_name=message.client_name,
        lib_name=message.lib_name,
        username=message.username,
        has_password=message.has_password,
        encrypted=message.tls_mode != 0,
        insecure=message.tls_mode == _INSECURE_TLS,
        server_name=message.tls_server_name,
        has_client_certificate=message.has_client_certificate,
        cert_reload_interval=_seconds(message, "cert_reload_ms"),
        tcp_nodelay=message.tcp_nodelay,
        read_only=message.read_only,
        lazy_connect=message.lazy_connect,
        refresh_topology_from_initial_nodes=message.refresh_topology_from_initial_nodes,
        node_discovery_mode=_DISCOVERY[message.node_discovery_mode],
        reconnect=Backoff(
            first=strategy.factor / 1000,
            base=strategy.exponent_base,
            steps=strategy.number_of_retries,
            jitter_percent=strategy.jitter_percent,
        ),
        address_map=tuple(
            (_address(pair.announced), _address(pair.dial)) for pair in message.address_map
        ),
        trust_redirects=message.trust_redirects,
    )


def _address(message: Any) -> NodeAddress:
    return NodeAddress(message.host, message.port)


def _seconds(message: Any, field: str) -> float | None:
    """The seconds of a field in milliseconds that may be absent."""
    return getattr(message, field) / 1000 if message.HasField(field) else None


def _moment(message: Any, field: str) -> datetime | None:
    """The time of a field in milliseconds since 1970 that may be absent."""
    return time(getattr(message, field)) if message.HasField(field) else None


def time(milliseconds: int) -> datetime:
    """The time so long after the begin of 1970."""
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)


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
    if kind == "bulk_map":
        bulks = iter(message.bulk_map.items)
        return dict(zip(bulks, bulks))
    if kind == "bulk_set":
        return set(message.bulk_set.items)
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
            raise undecodable(fault) from None
    if kind == "error":
        return _element(message.error)
    raise undecodable(ValueError(f"a value of an unknown kind, {kind}"))


def _element(error: Any) -> RequestError:
    """A ``ServerError``; one that says nothing but what the server said came from there."""
    if error.status:
        return request_error(error.status, error)
    return RequestError(error.message, status=Status.SERVER, code=error.code, sent=True)


def _key(value: Value) -> Key:
    """A value in a form that can be hashed."""
    if isinstance(value, list):
        return tuple(_key(item) for item in value)
    if isinstance(value, dict):
        return frozenset((key, _key(item)) for key, item in value.items())
    if isinstance(value, set):
        return frozenset(value)
    return value


def error(status: int, message: Any) -> GlideError:
    """The error that a ``Response`` with a status other than OK is."""
    fault = message.error
    if status in (Status.CLOSED, Status.FORKED):
        return ClosingError(_text(status, fault), status=Status(status))
    if status == Status.PARTIAL or len(message.outcomes) > 1:
        outcomes = [outcome(item) for item in message.outcomes]
        if status == Status.PARTIAL or any(item.error for item in outcomes):
            return MultiNodeError(
                _text(status, fault), outcomes=outcomes, **_details(status, fault)
            )
    return request_error(status, fault)


def request_error(status: int, error: Any) -> RequestError:
    """An ``Error``, or what tells the same."""
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
