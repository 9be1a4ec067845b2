"""What the cluster holds; ``c/workload.c`` knows the same."""

from __future__ import annotations

from typing import Any

LIST = "list"
LIST_ITEMS = 10_000
HASH = "hash"
HASH_FIELDS = 1_000
MANY = 100
"""Keys of an MGET, commands of a batch."""

KIB = 1024
MIB = 1024 * KIB
SIZES = {16: 1_000, 100: 1_000, 4 * KIB: 1_000, MIB: 32}
"""Bytes of a value, and how many keys have values of that size."""

_MARK = 16


def mark(number: int) -> bytes:
    """The 16 digits that tell the values of two keys apart."""
    return b"%016d" % number


def value(seed: bytes, size: int) -> bytes:
    """A mark again and again."""
    return (seed * (size // _MARK + 1))[:size]


def items() -> list[bytes]:
    """The list."""
    return [mark(number) for number in range(LIST_ITEMS)]


def fields() -> dict[bytes, bytes]:
    """The hash."""
    return {b"f%015d" % number: mark(number) for number in range(HASH_FIELDS)}


def fill(client: Any) -> None:
    """Put it all into the cluster of a ``ValkeyCluster``."""
    for size, count in SIZES.items():
        for number in range(count):
            client.set(f"get:{size}:{number}", value(mark(number), size))
    client.delete(LIST)
    client.rpush(LIST, *items())
    client.delete(HASH)
    client.hset(HASH, mapping=fields())
