"""Plays the calls of all families through whichever library glide_sync loads here.

usage: player.py OUTPUT [WORLD/FAMILY...]

Writes one JSON object for each call: its name, the method, how results compare, the result. Without
a world and its family, all are played.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, TextIO

import calls
from calls.call import Call, Made, Previous, Step
from calls.call import name as call_name
from calls.clients import alone, cluster
from glide_sync import (
    Batch,
    ClusterBatch,
    GlideClient,
    GlideClusterClient,
    Logger,
    LogLevel,
    ProtocolVersion,
    ft,
    glide_json,
)

WORLDS = {
    "cluster-resp3": lambda: cluster(),
    "cluster-resp2": lambda: cluster(protocol=ProtocolVersion.RESP2),
    "alone-resp3": lambda: alone(),
    "alone-resp2": lambda: alone(protocol=ProtocolVersion.RESP2),
}
MODULES = {"ft": ft, "json": glide_json}


def plain(value: Any) -> Any:
    """A value as JSON that tells every type apart."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, enum.Enum):
        return {"enum": str(value)}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": bytes(value).decode("latin-1")}
    if isinstance(value, BaseException):
        return {"error": type(value).__name__, "text": str(value)}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, (tuple, set, frozenset)):
        items = [plain(item) for item in value]
        if not isinstance(value, tuple):
            items.sort(key=json.dumps)
        return {type(value).__name__: items}
    if isinstance(value, dict):
        pairs = [[plain(key), plain(item)] for key, item in value.items()]
        return {"dict": sorted(pairs, key=json.dumps)}
    if dataclasses.is_dataclass(value):
        return {type(value).__name__: plain(vars(value))}
    return {"object": type(value).__name__}


def resolve(argument: Any, last: Any) -> Any:
    """What stands for a value of the moment becomes it."""
    if isinstance(argument, Made):
        return argument.make()
    return last if isinstance(argument, Previous) else argument


def perform(client: Any, what: Call | Step, last: Any) -> Any:
    """Do one call; an exception is a result too."""
    try:
        if isinstance(what, Step):
            return what.run(client)
        args = [resolve(argument, last) for argument in what.args]
        kwargs = {name: resolve(argument, last) for name, argument in what.kwargs.items()}
        module, _, function = what.method.rpartition(".")
        if module:
            return getattr(MODULES[module], function)(client, *args, **kwargs)
        return getattr(client, what.method)(*args, **kwargs)
    except Exception as fault:
        return fault.with_traceback(None)  # whose frames keep buffers in a cycle


def empty(client: Any) -> None:
    """Empty servers, for a family to begin with."""
    client.flushall()
    client.function_flush()
    client.script_flush()


def play(client: Any, family: Any, world: str) -> Iterator[dict[str, Any]]:
    """The calls of a family, each for itself."""
    last = None
    names = Names(f"{world}/{family.__name__.rpartition('.')[2]}")
    for what in family.CALLS:
        if isinstance(what, Call) and "." not in what.method and not fits(client, what):
            continue
        last = perform(client, what, last)
        yield {"name": names.of(what), **result(what, last)}


def result(what: Call | Step, value: Any) -> dict[str, Any]:
    """What is written of a call besides its name."""
    return {"method": what.method, "judge": what.judge, "result": plain(value)}


class Names:
    """Names for the calls of a family, each given once."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._given: Counter[str] = Counter()

    def of(self, what: Call | Step) -> str:
        """The call as it is written; the second one of its kind ends with #2."""
        name = f"{self._prefix}/{call_name(what)}"
        self._given[name] += 1
        return name if self._given[name] == 1 else f"{name} #{self._given[name]}"


def fits(client: Any, what: Call) -> bool:
    """Whether this kind of client has such a method with such arguments."""
    method = getattr(client, what.method, None)
    if method is None:
        return False
    try:
        inspect.signature(method).bind(*what.args, **what.kwargs)
    except TypeError:
        return False
    return True


def batched(client: Any, family: Any, world: str, atomic: bool) -> Iterator[dict[str, Any]]:
    """The calls of a family as one batch, as far as a batch has them."""
    batch = ClusterBatch(atomic) if isinstance(client, GlideClusterClient) else Batch(atomic)
    queued = []
    for what in family.CALLS:
        if isinstance(what, Step) or not fits(batch, what):
            continue
        if any(isinstance(argument, (Made, Previous)) for argument in what.args):
            continue
        try:
            getattr(batch, what.method)(*what.args, **what.kwargs)
        except Exception:  # what a batch cannot hold it says at once, without the library
            continue
        queued.append(what)
    if not queued:
        return
    kind = "atomic" if atomic else "pipeline"
    names = Names(f"{world}/{family.__name__.rpartition('.')[2]} {kind}")
    try:
        results = client.exec(batch, False)
    except Exception as fault:
        whole = Step("exec", client.exec)
        yield {"name": names.of(whole), **result(whole, fault)}
        return
    for what, value in zip(queued, results, strict=True):
        yield {"name": names.of(what), **result(what, value)}


def everything(only: list[str]) -> Iterator[dict[str, Any]]:
    """All families in all worlds, or those that are named."""

    def wanted(world: str, family: Any) -> bool:
        return not only or f"{world}/{family.__name__.rpartition('.')[2]}" in only

    for world, make in WORLDS.items():
        families = [*calls.EVERYWHERE]
        if world.startswith("cluster"):
            families += calls.CLUSTER_ONLY
        for family in families:
            if not wanted(world, family):
                continue
            client = make()
            empty(client)
            yield from play(client, family, world)
            client.close()
            if family in BATCHED:
                for atomic in (False, True):
                    client = make()
                    empty(client)
                    yield from batched(client, family, world, atomic)
                    client.close()
    for family in calls.OWN_CLIENTS:
        if wanted("own", family):
            yield from play(None, family, "own")


BATCHED = [
    family
    for family in calls.EVERYWHERE
    if family.__name__.rpartition(".")[2]
    not in {"batches", "sessions", "pubsub", "measures", "modules", "errors"}
]


def methods() -> list[str]:
    """Every command that the package has a method or a function for."""
    names = {
        name
        for kind in (GlideClient, GlideClusterClient)
        for name, member in inspect.getmembers(kind, callable)
        if not name.startswith("_")
    }
    for module, members in MODULES.items():
        names |= {
            f"{module}.{name}"
            for name, member in inspect.getmembers(members, inspect.isfunction)
            if not name.startswith("_") and "client" in inspect.signature(member).parameters
        }
    return sorted(names - set(calls.NOT_CALLED))


def main(output: TextIO, only: list[str]) -> None:
    """Play, and say at the end which methods there are."""
    Logger.set_logger_config(LogLevel.OFF)
    for played in everything(only):
        output.write(json.dumps(played) + "\n")
        output.flush()  # it is known where a library ended the process
    output.write(json.dumps({"name": "methods", "result": methods()}) + "\n")


if __name__ == "__main__":
    with open(sys.argv[1], "w") as file:
        main(file, sys.argv[2:])
