"""The official client, valkey-glide-sync."""

from __future__ import annotations

from collections.abc import Sequence

import glide_sync

from bench.official import configuration, session_of
from bench.session import Session


def connect(addresses: Sequence[str]) -> Session:
    """Connect to the cluster."""
    client = glide_sync.GlideClusterClient.create(configuration(glide_sync, addresses))
    return session_of(glide_sync, client)
