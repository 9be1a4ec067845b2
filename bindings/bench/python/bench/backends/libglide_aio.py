"""This library, asynchronous. The functions of its session give what is to be awaited."""

from __future__ import annotations

from collections.abc import Sequence

from libglide.aio import Client

from bench.backends.libglide import session_of
from bench.session import IN_FLIGHT, TIMEOUT, Session


async def connect(addresses: Sequence[str]) -> Session:
    """Connect to the cluster."""
    client = await Client.connect(
        addresses,
        request_timeout=TIMEOUT,
        connection_timeout=TIMEOUT,
        inflight_requests_limit=IN_FLIGHT,
    )
    return session_of(client)
