"""Scans over all keys, on a standalone server and over a whole cluster."""

from __future__ import annotations

from typing import Any

from glide_sync import ClusterScanCursor, GlideClusterClient, ObjectType

from calls.call import Step, call, text


def fill(client: Any) -> Any:
    """Keys of two types in many slots."""
    client.mset({f"key{number}": "v" for number in range(300)})
    for number in range(20):
        client.sadd(f"set{number}", ["m"])
    return client.dbsize()


def scanned(**options: Any) -> Step:
    """All the keys that a scan with these options gives."""

    def run(client: Any) -> Any:
        keys: set[bytes] = set()
        if isinstance(client, GlideClusterClient):
            cluster_cursor = ClusterScanCursor()
            while not cluster_cursor.is_finished():
                cluster_cursor, found = client.scan(cluster_cursor, **options)
                keys.update(found)
            return sorted(keys)
        cursor = b"0"
        while True:
            cursor, found = client.scan(cursor, **options)
            keys.update(found)
            if cursor == b"0":
                return sorted(keys)

    return Step("scan", run, label=text(options))


def twice_from_one_cursor(client: Any) -> Any:
    """A cursor can be gone on from again; a made-up one cannot."""
    if not isinstance(client, GlideClusterClient):
        return "no cursors are kept"
    cursor, _ = client.scan(ClusterScanCursor(), count=1)
    first, _ = client.scan(cursor, count=1)
    second, _ = client.scan(cursor, count=1)
    return first.is_finished(), second.is_finished()


def forgotten(client: Any) -> Any:
    """A cursor whose object is gone is gone too."""
    if not isinstance(client, GlideClusterClient):
        return "no cursors are kept"
    cursor, _ = client.scan(ClusterScanCursor(), count=1)
    name = cursor.get_cursor()
    del cursor
    try:
        client.scan(ClusterScanCursor(name))
    except Exception as fault:
        return type(fault).__name__, str(fault).replace(name, "name")
    return "it is still there"


def unknown(client: Any) -> Any:
    """A cursor that was never given."""
    return client.scan(
        ClusterScanCursor("nosuch") if isinstance(client, GlideClusterClient) else "nosuch"
    )


CALLS = [
    Step("scan", fill),
    scanned(),
    scanned(count=1000),
    scanned(match="key1*"),
    scanned(match=b"none*", count=100),
    scanned(type=ObjectType.SET),
    scanned(type=ObjectType.STRING, match="*9", count=7),
    Step("scan", twice_from_one_cursor),
    Step("scan", forgotten),
    Step("scan", unknown),
    call("custom_command", ["SCAN", "x"]),
]
