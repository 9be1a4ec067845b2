"""A connected client library as the benchmark sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

TIMEOUT = 30.0
"""Seconds for a request and for connecting: so long that only what hangs reaches it."""

IN_FLIGHT = 2_000
"""Requests under way at once that asynchronous clients are to allow, more than there are tasks."""


@dataclass(frozen=True)
class Session:
    """One connected client, as the functions that the operations call.

    Those of an asynchronous client give what is to be awaited.
    """

    get: Callable[[str], object]
    set: Callable[[str, bytes], object]
    mget: Callable[[Sequence[str]], object]
    """Of keys in any slots: the values in the order of the keys."""
    batch: Callable[[Sequence[str]], object]
    """A GET of each key, in one pipeline that is not atomic."""
    lrange: Callable[[str], object]
    """All of a list."""
    hgetall: Callable[[str], object]
    ping: Callable[[], object]
    """To all nodes."""
    close: Callable[[], Any]
    ok: object = "OK"
    """What ``set`` returns."""
    pong: object = "PONG"
    """What ``ping`` returns."""


def host_and_port(address: str) -> tuple[str, int]:
    """Divide "host:port"."""
    host, _, port = address.rpartition(":")
    return host, int(port)
