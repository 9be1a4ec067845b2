"""The official asynchronous client, valkey-glide, as ``libglide_aio`` is."""

from __future__ import annotations

from collections.abc import Sequence

import glide

from bench.official import configuration, session_of
from bench.session import IN_FLIGHT, Session


async def connect(addresses: Sequence[str]) -> Session:
    """Connect to the cluster."""
    client = await glide.GlideClusterClient.create(
        configuration(glide, addresses, inflight_requests_limit=IN_FLIGHT)
    )
    return session_of(glide, client)
