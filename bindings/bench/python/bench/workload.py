"""What the operations send, and what must come back.

Before anything is timed each reply is compared as a whole; the timed ones by their size, begin and
end, which costs next to nothing and still catches a reply that is another's.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bench import dataset
from bench.session import Session

_T = TypeVar("_T")


class WrongAnswerError(Exception):
    """A client library gave a reply that is not what the cluster holds."""


@dataclass(frozen=True)
class Workload:
    """An operation on one session; the index, any number, chooses the key."""

    run: Callable[[int], Any]
    glance: Callable[[int, Any], bool]
    """Whether a reply has the right size, begin and end."""
    compare: Callable[[int, Any], bool]
    """Whether a reply is right as a whole."""
    prove: Callable[[int], None] = lambda count: None
    """Read back what the first so many runs have written."""

    def check(self, index: int, reply: Any) -> None:
        """Compare a reply as a whole."""
        _demand(self.compare(index, reply), index, reply)

    def check_at_a_glance(self, index: int, reply: Any) -> None:
        """Compare what costs next to nothing."""
        _demand(self.glance(index, reply), index, reply)


def _demand(right: bool, index: int, reply: object) -> None:
    if not right:
        raise WrongAnswerError(f"wrong answer to operation {index}: {reply!r:.200}")


def workload(operation: str, session: Session, size: int, keys: int) -> Workload:
    """The workload of a name, on keys whose values have so many bytes."""
    return OPERATIONS[operation](session, size, keys)


def _get(session: Session, size: int, count: int) -> Workload:
    keys = [f"get:{size}:{number}" for number in range(count)]
    marks = [dataset.mark(number) for number in range(count)]
    get = session.get
    return Workload(
        run=lambda index: get(keys[index % count]),
        glance=lambda index, reply: len(reply) == size and reply.startswith(marks[index % count]),
        compare=lambda index, reply: reply == dataset.value(marks[index % count], size),
    )


def _set(session: Session, size: int, count: int) -> Workload:
    keys = [f"set:{size}:{number}" for number in range(count)]
    written = dataset.value(dataset.mark(os.getpid()), size)
    set_key, ok = session.set, session.ok

    def prove(runs: int) -> None:
        for key in keys[:runs]:
            if session.get(key) != written:
                raise WrongAnswerError(f"{key} does not hold what this process has set")

    return Workload(
        run=lambda index: set_key(keys[index % count], written),
        glance=lambda _, reply: reply == ok,
        compare=lambda _, reply: reply == ok,
        prove=prove,
    )


def _many(run: Callable[[list[str]], object], size: int, count: int) -> Workload:
    keys = [f"get:{size}:{number % count}" for number in range(count + dataset.MANY)]
    marks = [dataset.mark(number % count) for number in range(count + dataset.MANY)]

    def expected(index: int) -> list[bytes]:
        return [dataset.value(mark, size) for mark in _window(marks, index % count)]

    def glance(index: int, reply: list[bytes]) -> bool:
        first, *_, last = reply
        window = _window(marks, index % count)
        right = first.startswith(window[0]) and last.startswith(window[-1])
        return right and len(reply) == dataset.MANY

    return Workload(
        run=lambda index: run(_window(keys, index % count)),
        glance=glance,
        compare=lambda index, reply: reply == expected(index),
    )


def _window(items: list[_T], first: int) -> list[_T]:
    return items[first : first + dataset.MANY]


def _lrange(session: Session, _size: int, _count: int) -> Workload:
    items = dataset.items()
    return Workload(
        run=lambda _: session.lrange(dataset.LIST),
        glance=lambda _, reply: (
            (len(reply), reply[0], reply[-1]) == (len(items), items[0], items[-1])
        ),
        compare=lambda _, reply: reply == items,
    )


def _hgetall(session: Session, _size: int, _count: int) -> Workload:
    fields = dataset.fields()
    name, held = next(iter(fields.items()))
    return Workload(
        run=lambda _: session.hgetall(dataset.HASH),
        glance=lambda _, reply: len(reply) == len(fields) and reply[name] == held,
        compare=lambda _, reply: reply == fields,
    )


def _ping(session: Session, _size: int, _count: int) -> Workload:
    return Workload(
        run=lambda _: session.ping(),
        glance=lambda _, reply: reply == session.pong,
        compare=lambda _, reply: reply == session.pong,
    )


OPERATIONS: dict[str, Callable[[Session, int, int], Workload]] = {
    "get": _get,
    "set": _set,
    "mget": lambda session, size, count: _many(session.mget, size, count),
    "batch": lambda session, size, count: _many(session.batch, size, count),
    "lrange": _lrange,
    "hgetall": _hgetall,
    "ping": _ping,
}
