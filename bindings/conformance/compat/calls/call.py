"""What a call is, and how two results of it are compared."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Call:
    """One call of a client.

    Attributes:
        method: A method of the client; "ft.search" and "json.get" are functions that take it first.
        args: What it is called with. ``made`` and ``previous`` stand for values of the moment.
        kwargs: Likewise.
        judge: How two results compare: "exact"; "unordered", lists count as sets; "shape", types
            alone count; "kind", the type of the whole alone.
    """

    method: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    judge: str = "exact"


@dataclass(frozen=True)
class Made:
    """An argument that is made when the call is."""

    make: Callable[[], Any]


@dataclass(frozen=True)
class Previous:
    """The result of the call before, as an argument."""


@dataclass(frozen=True)
class Step:
    """Something to do with a client that is more than one call; its value is compared.

    Attributes:
        method: The method that it is about.
        run: What is done.
        judge: As of a call.
        label: What tells it from others about the method.
    """

    method: str
    run: Callable[[Any], Any]
    judge: str = "exact"
    label: str = ""


def call(method: str, *args: Any, **kwargs: Any) -> Call:
    """A call whose results must be equal."""
    return Call(method, args, kwargs)


def unordered(method: str, *args: Any, **kwargs: Any) -> Call:
    """A call whose results may differ in the order of their elements."""
    return Call(method, args, kwargs, "unordered")


def shape(method: str, *args: Any, **kwargs: Any) -> Call:
    """A call whose results say something of the moment: only their types must agree."""
    return Call(method, args, kwargs, "shape")


def kind(method: str, *args: Any, **kwargs: Any) -> Call:
    """A call whose results tell other things each time: only that there are any is compared."""
    return Call(method, args, kwargs, "kind")


def name(what: Call | Step) -> str:
    """A call as it is written, shortened; of a step its method and its label."""
    if isinstance(what, Step):
        return f"{what.method} {what.label or what.run.__name__}"
    texts = [text(argument) for argument in what.args]
    texts += [f"{key}={text(argument)}" for key, argument in what.kwargs.items()]
    written = f"{what.method}({', '.join(texts)})"
    written = written.replace("\\n", " ")
    return written if len(written) <= LONGEST else f"{written[:LONGEST]}..."


LONGEST = 120


def text(argument: Any) -> str:
    """An argument as it is written; of an object, its class and what is in it."""
    if argument is None or isinstance(argument, (str, bytes, int, float, enum.Enum)):
        return str(argument) if isinstance(argument, enum.Enum) else repr(argument)
    if isinstance(argument, (list, tuple, set)):
        items = list(map(text, argument))
        return f"[{', '.join(sorted(items) if isinstance(argument, set) else items)}]"
    if isinstance(argument, dict):
        return f"{{{', '.join(f'{text(key)}: {text(item)}' for key, item in argument.items())}}}"
    members = getattr(argument, "__dict__", {})
    inside = [] if isinstance(argument, Made) else [text(member) for member in members.values()]
    return f"{type(argument).__name__}({', '.join(inside)})"


made = Made
previous = Previous()
