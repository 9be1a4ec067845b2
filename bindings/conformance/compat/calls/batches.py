"""Batches: the ways in which they end. That each command works in one is seen with its family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glide_sync import (
    Batch,
    BatchOptions,
    BatchRetryStrategy,
    ClusterBatch,
    ClusterBatchOptions,
    GlideClusterClient,
    RangeByIndex,
)

from calls.call import Step


def batch(build: Callable[[Any], Any], atomic: bool, raising: bool, **options: Any) -> Step:
    """A batch that build fills, and its options."""

    def run(client: Any) -> Any:
        clustered = isinstance(client, GlideClusterClient)
        made = ClusterBatch(atomic) if clustered else Batch(atomic)
        build(made)
        chosen = ClusterBatchOptions(**options) if clustered else BatchOptions(**options)
        return client.exec(made, raising, chosen)

    way = f"{'atomic' if atomic else 'pipeline'} {'raising' if raising else 'telling'}"
    return Step("exec", run, label=f"{build.__name__} {way} {options or ''}".rstrip())


def empty(_: Any) -> None:
    """No commands."""


def good(made: Any) -> None:
    """Commands of one slot."""
    made.set("{k}a", "1").get("{k}a").incr("{k}a").hset("{k}h", {"f": "v"}).hgetall("{k}h")
    made.expire("{k}a", 100).zadd("{k}z", {"m": 1.5}).zrange_withscores("{k}z", RangeByIndex(0, -1))
    made.delete(["{k}a", "{k}h", "{k}z"])


def scattered(made: Any) -> None:
    """Commands of several slots, some over all nodes."""
    made.mset({"a": "1", "b": "2", "c": "3"}).mget(["c", "a", "none", "b"]).dbsize()
    made.delete(["a", "b", "c"]).ping().custom_command(["CONFIG", "GET", "appendonly"])
    made.exists(["a", "b"]).config_set({"lua-time-limit": "5000"})


def bad(made: Any) -> None:
    """Commands that fail when they run."""
    made.set("{k}s", "text").lpush("{k}s", ["a"]).get("{k}s").incr("{k}s").strlen("{k}s")


def worse(made: Any) -> None:
    """A command that is refused before anything runs."""
    made.set("{k}s", "text").custom_command(["GET"]).get("{k}s")


def unknown(made: Any) -> None:
    """A command that no server knows."""
    made.get("{k}s").custom_command(["NOSUCH", "{k}s"])


def large(made: Any) -> None:
    """Many commands and long values."""
    for number in range(500):
        made.set(f"{{k}}{number}", "x" * 500)
    for number in range(500):
        made.strlen(f"{{k}}{number}")


def slow(made: Any) -> None:
    """More than the time of the batch."""
    busy = "local i = 0 while i < 20000000 do i = i + 1 end return i"
    made.custom_command(["EVAL", busy, "1", "{k}"])


WAYS = [(atomic, raising) for atomic in (False, True) for raising in (False, True)]

CALLS = [
    *(
        batch(build, *way)
        for build in (empty, good, scattered, bad, worse, unknown)
        for way in WAYS
    ),
    batch(large, False, True),
    batch(large, True, True, timeout=20000),
    batch(good, True, True, timeout=5000),
    batch(slow, False, True, timeout=100),
    batch(slow, False, False, timeout=100),
    batch(slow, True, True, timeout=100),
]

RETRY = BatchRetryStrategy(retry_server_error=True, retry_connection_error=True)


def retried(client: Any) -> Any:
    """A pipeline that may send commands again; only a cluster client has the option."""
    if not isinstance(client, GlideClusterClient):
        return "no such option"
    made = ClusterBatch(False)
    good(made)
    return client.exec(made, True, ClusterBatchOptions(retry_strategy=RETRY))


CALLS.append(Step("exec", retried))
