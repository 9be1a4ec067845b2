"""What is measured, as data: programs with their clients, and cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bench.dataset import HASH_FIELDS, KIB, LIST_ITEMS, MANY, MIB, SIZES

OURS = "libglide"
OFFICIAL = "valkey-glide"
LIMIT = "socket"
PEER = "valkey-py"

SPEED = ("speed", "us", "cpu_us", "p50_us", "p99_us", "peak_mib")
START = ("import_ms", "connect_ms", "again_ms", "ready_ms")
MEMORY = ("growth_mib", "peak_mib")
BURST = ("after_burst", *SPEED)
TOPOLOGIES = ("make_us", "resolve_us", "topology_kib")
CLIENTS = ("client_mib", "connection_kib", "connections")
LEFT = ("closed_us", "left_handles", "left_goroutines", "left_files", "left_bytes")


@dataclass(frozen=True)
class Program:
    """A worker and the backends that it has."""

    name: str
    command: tuple[str, ...]
    """With {python}, {build} and {addresses} to fill in."""
    clients: Mapping[str, tuple[str, ...]]
    """Further arguments by the names of the clients, with {build} and {glide_ffi} to fill in. In
    this order they take their turns."""


@dataclass(frozen=True)
class Case:
    """One operation under one load."""

    program: Program
    title: str
    arguments: Mapping[str, str]
    """Of the worker, by name."""
    columns: tuple[str, ...] = SPEED
    """The metrics that it is about."""
    clients: tuple[str, ...] = ()
    """Those that it is run on; by default all of the program's."""
    processes: int = 1
    """Of each client in one round."""
    once: bool = False
    """Whether the first round is enough: what it measures is a sum over many."""

    @property
    def name(self) -> str:
        """As ONLY= and the goals know it."""
        return f"{self.program.name}: {self.title}"

    @property
    def measured(self) -> tuple[str, ...]:
        """The clients that it is run on."""
        return self.clients or tuple(self.program.clients)


C = Program(
    "C",
    ("{build}/bench/c/worker", "addresses={addresses}"),
    {
        OURS: ("backend={build}/bench/c/backend-libglide.so",),
        OFFICIAL: ("backend={build}/bench/c/backend-official.so", "library={glide_ffi}"),
        LIMIT: ("backend={build}/bench/c/backend-socket.so",),
    },
)
LISTENER = Program(
    "C",
    (
        "{build}/bench/c/listener",
        "addresses={addresses}",
        "publisher={build}/bench/c/backend-socket.so",
    ),
    {name: C.clients[name] for name in (OURS, OFFICIAL)},
)
PYTHON = Program(
    "Python",
    ("{python}", "-m", "bench.worker", "addresses={addresses}"),
    {
        OURS: ("backend=libglide",),
        OFFICIAL: ("backend=official",),
        PEER: ("backend=valkey_py",),
    },
)
ASYNCIO = Program(
    "Python",
    ("{python}", "-m", "bench.tasks", "addresses={addresses}"),
    {
        OURS: ("backend=libglide_aio",),
        OFFICIAL: ("backend=official_aio", "site={build}/bench/asyncio"),
    },
)
CORES = Program(
    "official Python client",
    ("{python}", "-m", "bench.worker", "addresses={addresses}", "backend=official"),
    {OURS: ("site={build}/bench/compat",), OFFICIAL: ()},
)
"""The official client twice: on our core, which a copy of the package has, and on its own."""


def _fakes(nodes: int, *environment: str) -> Program:
    """What needs no real server: on so many fake nodes, half of them replicas."""
    growth = ("env", *environment, "{build}/bench/c/growth")
    return Program("C", ("{build}/bench/fakes", str(nodes), *growth), {OURS: ()})


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _bytes(size: int) -> str:
    if size >= MIB:
        return f"{size // MIB} MiB"
    return f"{size // KIB} KiB" if size >= KIB else f"{size} B"


def _values(program: Program, *threads: int) -> list[Case]:
    return [
        Case(
            program,
            f"{operation.upper()} of {_bytes(size)}, {_count(count, 'thread')}",
            {
                "operation": operation,
                "size": str(size),
                "keys": str(keys),
                "threads": str(count),
            },
        )
        for operation in ("get", "set")
        for size, keys in SIZES.items()
        for count in threads
    ]


def _hundreds(**arguments: str) -> dict[str, str]:
    """The arguments of a case over the values of 100 bytes."""
    return {"size": "100", "keys": str(SIZES[100]), "threads": "1", **arguments}


def _large(program: Program) -> list[Case]:
    return [
        Case(program, f"MGET of {MANY} keys over all slots", _hundreds(operation="mget")),
        Case(program, f"batch of {MANY} GETs", _hundreds(operation="batch")),
        Case(program, f"LRANGE of {LIST_ITEMS:,}", {"operation": "lrange", "threads": "1"}),
        Case(program, f"HGETALL of {HASH_FIELDS:,}", {"operation": "hgetall", "threads": "1"}),
        Case(program, "PING to all nodes", {"operation": "ping", "threads": "1"}),
    ]


def _memory(program: Program, *clients: str) -> Case:
    return Case(
        program,
        "memory after 20,000 GETs",
        _hundreds(operation="get", count="20000"),
        columns=MEMORY,
        clients=clients,
    )


def _in_flight() -> list[Case]:
    return [
        Case(
            C,
            f"GET of 100 B, async, {count:,} in flight",
            _hundreds(operation="get", flight=str(count)),
            clients=(OURS, OFFICIAL),
        )
        for count in (1, 100, 10_000)
    ]


def _messages() -> list[Case]:
    return [
        Case(
            LISTENER,
            f"messages of 100 B, {count:,} under way",
            {"size": "100", "flight": str(count)},
        )
        for count in (1, 1_000)
    ]


def _tasks() -> list[Case]:
    return [
        Case(
            ASYNCIO,
            f"GET of 100 B, asyncio, {_count(count, 'task')}",
            _hundreds(operation="get", threads=str(count)),
        )
        for count in (1, 100, 1_000)
    ]


def _cores() -> list[Case]:
    gets = [
        Case(
            CORES,
            f"GET of 100 B, {_count(count, 'thread')}",
            _hundreds(operation="get", threads=str(count)),
        )
        for count in (1, 8)
    ]
    return [
        *gets,
        Case(CORES, f"MGET of {MANY} keys over all slots", _hundreds(operation="mget")),
        Case(CORES, f"LRANGE of {LIST_ITEMS:,}", {"operation": "lrange", "threads": "1"}),
    ]


def _growing(on: Program, title: str, columns: tuple[str, ...], **arguments: str) -> Case:
    return Case(on, title, arguments, columns=columns, once=True)


def _growth() -> list[Case]:
    topologies = [
        _growing(
            _fakes(6),
            f"1,000 topologies of {nodes:,} nodes",
            TOPOLOGIES,
            measure="topologies",
            count="1000",
            nodes=str(nodes),
        )
        for nodes in (6, 100, 1_000)
    ]
    clients = [
        _growing(
            _fakes(nodes, "GOGC=10"),  # what they hold, without the garbage of making them
            f"a client of {nodes} nodes",
            CLIENTS,
            measure="clients",
            count=str(3_000 // nodes),
        )
        for nodes in (6, 60, 600)
    ]
    closed = _growing(
        _fakes(6), "10,000 clients opened and closed", LEFT, measure="closed", count="10000"
    )
    return [*topologies, *clients, closed]


CASES = (
    *_values(C, 1, 8, 64),
    *_large(C),
    *_in_flight(),
    *_messages(),
    Case(
        C,
        "1 thread after 64",
        _hundreds(operation="get", threads="1,64,1"),
        columns=BURST,
        clients=(OURS,),
    ),
    _memory(C, OURS, OFFICIAL),
    *_values(PYTHON, 1, 8),
    *_large(PYTHON),
    *_tasks(),
    *_cores(),
    Case(
        PYTHON,
        "start",
        _hundreds(operation="get", count="1"),
        columns=START,
        processes=3,
    ),
    _memory(PYTHON),
    *_growth(),
)
