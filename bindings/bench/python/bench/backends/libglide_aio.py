"""This library, asynchronous. The functions of its session give what is to be awaited."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from libglide import AllNodes
from libglide.aio import Client

from bench.session import IN_FLIGHT, TIMEOUT, Session


async def connect(addresses: Sequence[str]) -> Session:
    """Connect to the cluster."""
    client = await Client.connect(
        addresses,
        request_timeout=TIMEOUT,
        connection_timeout=TIMEOUT,
        inflight_requests_limit=IN_FLIGHT,
    )
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
