"""The calls that are compared, in families that each begin with empty servers."""

from __future__ import annotations

from calls import (
    batches,
    callbacks,
    clients,
    errors,
    hashes,
    keys,
    lists,
    measures,
    modules,
    passwords,
    pubsub,
    routes,
    scans,
    scripts,
    server,
    sessions,
    sets,
    sorted_sets,
    streams,
    strings,
)

EVERYWHERE = [
    strings,
    hashes,
    lists,
    sets,
    sorted_sets,
    streams,
    keys,
    server,
    scripts,
    errors,
    modules,
    scans,
    batches,
    sessions,
    pubsub,
    measures,
]
CLUSTER_ONLY = [routes]
OWN_CLIENTS = [clients, passwords, callbacks]

NOT_CALLED = {
    "create": "how clients are made: family clients",
    "exec": "family batches, and every family as a batch",
    "scoped_connection": "isolated scopes are not supported yet",
    "register_rdma_region": "needs a network card",
    "rdma_get": "needs a network card",
    "rdma_set": "needs a network card",
    "rdma_checksum": "needs a processor that the machines of the test may not have",
    "get_pubsub_message": "waits for a message that never comes",
    "failover": "would change the servers under the other calls",
    "replicaof": "would change the servers under the other calls",
    "replicaof_no_one": "would change the servers under the other calls",
}
"""Methods of clients that no family calls, with the reason."""
