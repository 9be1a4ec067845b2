"""This library."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from libglide import AllNodes, Client

from bench.session import TIMEOUT, Session

if TYPE_CHECKING:
    from libglide import aio


def connect(addresses: Sequence[str]) -> Session:
    """Connect to the cluster."""
    client = Client.connect(addresses, request_timeout=TIMEOUT, connection_timeout=TIMEOUT)
    return session_of(client)


def session_of(client: Client | aio.Client) -> Session:
    """The calls of a client; of an asynchronous one they give what is to be awaited."""
    return Session(
        get=partial(client.execute, "GET"),
        set=partial(client.execute, "SET"),
        mget=lambda keys: client.execute("MGET", *keys),
        batch=lambda keys: client.batch([("GET", key) for key in keys]),
        lrange=lambda key: client.execute("LRANGE", key, 0, -1),
        hgetall=partial(client.execute, "HGETALL"),
        ping=partial(client.execute, "PING", route=AllNodes()),
        close=client.close,
    )
