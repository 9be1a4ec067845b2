"""What belongs to one connection: its database, its name, what it watches."""

from __future__ import annotations

from typing import Any

from glide_sync import Batch, ClusterBatch, GlideClusterClient

from calls.call import Step, call


def transaction(client: Any) -> Any:
    """An atomic batch for the client at hand."""
    return ClusterBatch(True) if isinstance(client, GlideClusterClient) else Batch(True)


def watched(client: Any) -> Any:
    """A watched key that changes: nothing of the transaction runs."""
    client.watch(["{k}w"])
    client.set("{k}w", "changed")
    return client.exec(transaction(client).set("{k}w", "mine").get("{k}w"), True)


def not_watched_any_more(client: Any) -> Any:
    """UNWATCH ends it."""
    client.watch(["{k}w"])
    client.set("{k}w", "changed")
    client.unwatch()
    return client.exec(transaction(client).set("{k}w", "mine").get("{k}w"), True)


def not_changed(client: Any) -> Any:
    """A watched key that stays: the transaction runs, once."""
    client.watch(["{k}w", "{k}other"])
    first = client.exec(transaction(client).set("{k}w", "mine").get("{k}w"), True)
    client.set("{k}w", "changed")
    return first, client.exec(transaction(client).get("{k}w"), True)


CALLS = [
    call("client_getname"),
    call("custom_command", ["CLIENT", "SETNAME", "tester"]),
    call("client_getname"),
    call("custom_command", ["CLIENT", "NO-EVICT", "ON"]),
    call("watch", ["{k}w"]),
    call("unwatch"),
    Step("watch", watched),
    Step("unwatch", not_watched_any_more),
    Step("watch", not_changed),
    call("custom_command", ["WATCH"]),
    call("custom_command", ["watch", "{k}w"]),
    call("custom_command", ["UNWATCH"]),
    call("select", 0),
    call("select", 1),
    call("select", 99),
    call("select", 0),
    call("custom_command", ["HELLO"]),
    call("reset"),
    call("ping"),
]
