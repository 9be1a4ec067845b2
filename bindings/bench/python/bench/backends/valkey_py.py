"""valkey-py, the client in Python alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from valkey.cluster import ClusterNode, ValkeyCluster

from bench.session import TIMEOUT, Session, host_and_port


def connect(addresses: Sequence[str]) -> Session:
    """Connect to the cluster."""
    client = ValkeyCluster(
        startup_nodes=[ClusterNode(*host_and_port(address)) for address in addresses],
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
    )

    def batch(keys: Sequence[str]) -> object:
        pipeline = client.pipeline()
        for key in keys:
            pipeline.get(key)
        return pipeline.execute()

    return Session(
        get=client.get,
        set=client.set,
        mget=client.mget_nonatomic,
        batch=batch,
        lrange=lambda key: client.lrange(key, 0, -1),
        hgetall=client.hgetall,
        ping=partial(client.ping, target_nodes=ValkeyCluster.ALL_NODES),
        close=client.close,
        ok=True,
        pong=True,
    )
