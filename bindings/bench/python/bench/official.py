"""What the official clients, valkey-glide-sync and valkey-glide, have in common.

Their packages have the same names. They are not imported here: in one process there is one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from bench.session import TIMEOUT, Session, host_and_port


def configuration(package: Any, addresses: Sequence[str], **options: object) -> Any:
    """How a client of a package connects to the cluster."""
    milliseconds = int(TIMEOUT * 1000)
    return package.GlideClusterClientConfiguration(
        [package.NodeAddress(*host_and_port(address)) for address in addresses],
        request_timeout=milliseconds,
        advanced_config=package.AdvancedGlideClusterClientConfiguration(
            connection_timeout=milliseconds
        ),
        **options,
    )


def session_of(package: Any, client: Any) -> Session:
    """The calls of a client; of an asynchronous one they give what is to be awaited."""

    def batch(keys: Sequence[str]) -> object:
        pipeline = package.ClusterBatch(is_atomic=False)
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
        ping=partial(client.ping, route=package.AllNodes()),
        close=client.close,
        pong=b"PONG",
    )
