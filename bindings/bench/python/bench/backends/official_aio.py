"""The official asynchronous client, valkey-glide, as ``libglide_aio`` is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from glide import (
    AdvancedGlideClusterClientConfiguration,
    AllNodes,
    ClusterBatch,
    GlideClusterClient,
    GlideClusterClientConfiguration,
    NodeAddress,
)

from bench.session import IN_FLIGHT, TIMEOUT, Session, host_and_port


async def connect(addresses: Sequence[str]) -> Session:
    """Connect to the cluster."""
    milliseconds = int(TIMEOUT * 1000)
    client = await GlideClusterClient.create(
        GlideClusterClientConfiguration(
            [NodeAddress(*host_and_port(address)) for address in addresses],
            request_timeout=milliseconds,
            inflight_requests_limit=IN_FLIGHT,
            advanced_config=AdvancedGlideClusterClientConfiguration(
                connection_timeout=milliseconds
            ),
        )
    )

    def batch(keys: Sequence[str]) -> object:
        pipeline = ClusterBatch(is_atomic=False)
        for key in keys:
            pipeline.get(key)
        return client.exec(pipeline, raise_on_error=True)

    return Session(
        get=client.get,
        set=client.set,
        mget=client.mget,
        batch=batch,
        lrange=lambda key: client.lrange(key, 0, -1),
        hgetall=client.hgetall,
        ping=partial(client.ping, route=AllNodes()),
        close=client.close,
        pong=b"PONG",
    )
