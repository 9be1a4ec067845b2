"""Answers of the line protocol: what the package gives, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from libglide import (
    ClosingError,
    MultiNodeError,
    Node,
    Outcome,
    Plan,
    RequestError,
    Role,
    Topology,
)

Json = dict[str, Any]

_INT64 = range(-(2**63), 2**63)


def value(given: object) -> Json:
    """A value in the notation of the vectors."""
    if given is None:
        return {"nil": 1}
    if isinstance(given, bool):
        return {"t": given}
    if isinstance(given, int):
        return {"i": given} if given in _INT64 else {"n": str(given)}
    if isinstance(given, float):
        return {"d": repr(given)}
    if isinstance(given, bytes):
        return {"b": given.decode("latin-1")}
    if isinstance(given, str):
        return {"s": given.encode(errors="surrogateescape").decode("latin-1")}
    if isinstance(given, RequestError):
        return {"e": str(given).encode().decode("latin-1")}
    if isinstance(given, dict):
        return {"m": [[value(key), value(item)] for key, item in given.items()]}
    if isinstance(given, (set, frozenset)):
        return {"u": [value(item) for item in given]}
    if isinstance(given, (list, tuple)):
        return {"a": [value(item) for item in given]}
    raise TypeError(f"a value of type {type(given).__name__}")


def failure(given: RequestError | ClosingError) -> Json:
    """An answer that is an error, with the outcomes that it knows."""
    answer: Json = {"status": given.status.name, "error": _error(given)}
    if isinstance(given, MultiNodeError):
        answer["outcomes"] = outcomes(given.outcomes)
    return answer


def _error(given: RequestError | ClosingError) -> Json:
    error: Json = {"status": given.status.name, "message": str(given)}
    if isinstance(given, RequestError):
        error |= {
            "code": given.code,
            "node": given.node,
            "sent": given.sent,
            "retryable": given.retryable,
        }
    return error


def outcomes(given: Iterable[Outcome]) -> list[Json]:
    """What became of each target."""
    return [
        {
            "node": outcome.node.address,
            "role": outcome.node.role.value,
            "sent": outcome.sent,
            "fallback": outcome.fallback,
            "served_by": outcome.served_by,
        }
        | ({"error": _error(outcome.error)} if outcome.error else {"value": value(outcome.value)})
        for outcome in given
    ]


def plan(given: Plan) -> Json:
    """Where a request would go."""
    answer: Json = {
        "policy": given.policy.name.lower(),
        "atomic": given.atomic,
        "legs": [
            {
                "node": leg.node.address,
                "role": leg.node.role.value,
                "words": [word.hex() for word in leg.words],
                "fallback": leg.fallback,
                "command": leg.command,
            }
            for leg in given.legs
        ],
    }
    if given.blocking is not None:
        answer["blocking_ms"] = round(given.blocking * 1000)
    return answer


def topology(given: Topology) -> Json:
    """The cluster as a client knows it."""
    return {
        "epoch": given.epoch,
        "standalone": given.standalone,
        "shards": [
            {
                "slots": [list(held) for held in shard.slots],
                "primary": _node(shard.primary or Node("", 0, Role.PRIMARY)),
                "replicas": [_node(replica) for replica in shard.replicas],
            }
            for shard in given.shards
        ],
    }


def _node(given: Node) -> Json:
    return {"address": given.address, "zone": given.zone, "aliases": list(given.aliases)}
