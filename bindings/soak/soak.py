"""Call every function of the library from Python again and again, and see that nothing grows.

The counterpart of soak.c, with the same table and the same exit codes. To be run with GOGC=10 in
the environment: garbage that waits to be collected would hide a leak.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import logging
import os
import re
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import libglide
from libglide import Client, ClosingError, RequestError, Router, Session, Status, Topology, aio
from libglide.library import load
from libglide.routes import AllNodes, ByAddressRoute, Route, SlotKeyRoute, SlotType

WARM_CALLS = 500
SETTLE = 20.0  # seconds
# What may grow without being a leak; beyond it the limit is BYTES_PER_1000 for each 1,000 calls.
RESIDENT_SLACK = 6 << 20
BYTES_PER_1000 = 1000
OBJECTS_SLACK = 500
THREADS_SLACK = 16

Entry = Callable[["Field", Client, int], None]


@dataclass
class Field:
    """What the threads share; ``kept`` is for what is left behind on purpose."""

    seeds: list[str]
    client: Client
    topology: Topology
    leak: bool = False
    shared: list[Client] = field(default_factory=list)
    kept: list[object] = field(default_factory=list)

    def open(self, lazy: bool = True) -> Client:
        """Open a client of the servers."""
        return Client.connect(
            self.seeds[:1], lazy_connect=lazy, request_timeout=60.0, connection_timeout=60.0
        )

    def drop(self, turn: int, thing: Client | Router | Session) -> None:
        """Close a thing, unless it is left behind on purpose."""
        if self.leak and turn % 50 == 0:
            self.kept.append(thing)
        else:
            thing.close()


# ---- What is called ------------------------------------------------------------------------------


def plain(on: Field, client: Client, turn: int) -> None:
    """The functions without a handle: glide_key_slot, glide_version, glide_status_name."""
    libglide.key_slot(f"key:{turn}")
    libglide.library_version()
    load().status_name(turn % 20)


def schema(on: Field, client: Client, turn: int) -> None:
    """glide_schema."""
    status, content = load().schema()
    assert status == 0
    assert content


def log(on: Field, client: Client, turn: int) -> None:
    """glide_set_log."""
    libglide.set_log(None if turn % 2 else logging.CRITICAL)


def route(on: Field, client: Client, turn: int) -> None:
    """glide_router_open, glide_router_resolve, glide_router_close."""
    router = Router(on.topology)
    router.resolve("MGET", "a", "b", "c")
    on.drop(turn, router)


def dropped(on: Field, client: Client, turn: int) -> None:
    """Handles that nobody closes: the collection of garbage does."""
    thing: object = Router(on.topology)
    if on.leak and turn % 50 == 0:
        on.kept.append(thing)
    del thing


def resolve(on: Field, client: Client, turn: int) -> None:
    """glide_client_resolve."""
    client.resolve("GET", f"key:{turn}")
    client.resolve("MGET", "a", "b", "c", "d")


def look(on: Field, client: Client, turn: int) -> None:
    """glide_client_topology, glide_client_statistics."""
    assert client.topology().shards or client is not on.client
    client.statistics()


def execute(on: Field, client: Client, turn: int) -> None:
    """glide_client_execute, in all its forms."""
    form = turn % 32
    if form == 0:
        client.batch([("SET", "{soak}a", "1"), ("GET", "{soak}a")], atomic=turn % 64 == 0)
    elif form == 4:
        list(itertools.islice(client.scan(match="soak:*"), 3))
    elif form == 8:
        client.execute("PING", route=AllNodes())
    elif form == 12:
        client.execute("DBSIZE")
    elif form == 16:
        expect(Status.SERVER, client, "LPUSH", "soak:text", "x")
    elif form == 20:
        client.execute("GET", "soak:key", route=SlotKeyRoute(SlotType.REPLICA, "soak:key"))
    elif form == 24:
        expect(Status.ROUTE, client, "GET", "x", route=ByAddressRoute("nobody.invalid", 1))
    elif form == 28 and turn % 512 == 28:
        client.execute("SET", "soak:large", b"x" * (300 << 10))
        client.execute("GET", "soak:large")
        client.execute("BLPOP", "soak:empty", 0.001)
    elif turn % 2:
        client.execute("SET", "soak:key", "value")
    else:
        client.execute("GET", "soak:key")


def expect(status: Status, client: Client, *words: str, route: Route | None = None) -> None:
    """Run a command that fails so."""
    try:
        client.execute(*words, route=route)
    except RequestError as failure:
        if failure.status != status:
            raise
    else:
        raise AssertionError(words)


def session(on: Field, client: Client, turn: int) -> None:
    """glide_session_open, glide_session_execute, glide_session_close."""
    held = client.session("soak:key")
    held.execute("WATCH", "soak:key")
    held.execute("GET", "soak:key")
    on.drop(turn, held)


def subscription(on: Field, client: Client, turn: int) -> None:
    """Subscriptions, on a client of their own."""
    own = on.open(lazy=False)
    with own.subscribe("soak:news", patterns=["soak:p*"], sharded=["soak:sharded"]) as heard:
        client.execute("PUBLISH", "soak:news", "x")
        client.execute("SPUBLISH", "soak:sharded", "x")
        for _ in range(2):
            assert heard.get(timeout=60.0) is not None
    on.drop(turn, own)


def connect(on: Field, client: Client, turn: int) -> None:
    """glide_client_open, glide_client_close."""
    on.drop(turn, on.open(lazy=turn % 4 != 0))


def event_loop(on: Field, client: Client, turn: int) -> None:
    """The asynchronous functions, glide_session_submit among them: libglide.aio."""
    asyncio.run(submit(on, turn))


async def submit(on: Field, turn: int) -> None:
    """Use a client of a loop for every kind of request; a task that waits is cancelled."""
    client = await aio.Client.connect(
        on.seeds[:1], lazy_connect=turn % 4 != 0, request_timeout=60.0, connection_timeout=60.0
    )
    answers = await asyncio.gather(
        *(client.execute("SET", f"soak:{number % 8}", "value") for number in range(32)),
        client.execute("PING", route=AllNodes()),
        client.batch([("SET", "{soak}a", "1"), ("GET", "{soak}a")], atomic=turn % 2 == 0),
        client.scan_step(match="soak:*"),
        client.execute("LPUSH", "soak:text", "x"),
        return_exceptions=True,
    )
    assert [isinstance(answer, RequestError) for answer in answers] == [False] * 35 + [True]
    async with await client.session("soak:key") as held:
        await held.execute("GET", "soak:key")
    waiting = asyncio.ensure_future(client.execute("BLPOP", "soak:empty", 0))
    await client.execute("GET", "soak:key")
    waiting.cancel()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    await client.close()


ENTRIES: tuple[Entry, ...] = (
    plain,
    schema,
    log,
    route,
    dropped,
    resolve,
    look,
    session,
    subscription,
    execute,
    event_loop,
    connect,
)


def mixed(on: Field, client: Client, turn: int) -> None:
    """Any of them, on clients that are closed and opened meanwhile."""
    if turn % 64 == 0:
        place = turn // 64 % len(on.shared)
        fresh = on.open()
        old, on.shared[place] = on.shared[place], fresh
        old.close()
        return
    try:
        ENTRIES[turn % len(ENTRIES)](on, on.shared[turn % len(on.shared)], turn // len(ENTRIES))
    except (ClosingError, RequestError) as failure:
        if failure.status not in (Status.CLOSED, Status.ROUTE):
            raise  # ROUTE: a lazy client that has not connected knows no node


# ---- Measuring -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gauge:
    """What the process holds when no call runs."""

    resident: int
    objects: int
    heap: int
    handles: int
    calls: int
    goroutines: int
    threads: int
    connections: int
    files: int


def resident() -> int:
    """The memory of the process in bytes."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def gauge(client: Client) -> Gauge:
    """All that the process holds; the client is asked for what the library does."""
    gc.collect()
    told = client.statistics()
    connections = sum(node.connections for node in told.nodes)
    process = told.process
    del told
    return Gauge(
        resident=resident(),
        objects=len(gc.get_objects()),
        heap=process.heap_bytes,
        handles=process.handles,
        calls=process.calls,
        goroutines=process.goroutines,
        threads=len(os.listdir("/proc/self/task")),
        connections=connections,
        files=len(os.listdir("/proc/self/fd")) - 1 - connections,
    )


def settled(client: Client, first: Gauge) -> Gauge:
    """What is left when the goroutines of the calls have ended."""
    end = time.monotonic() + SETTLE
    while True:
        now = gauge(client)
        quiet = now.goroutines <= first.goroutines and now.files <= first.files and now.calls == 0
        if quiet or time.monotonic() >= end:
            return now
        time.sleep(0.02)


def run(
    on: Field, entry: Entry, calls: int, seconds: float | None, threads: int
) -> tuple[int, float]:
    """Make the calls. Gives their number, and the growth in bytes that their slope stands for."""
    turns = itertools.count()
    end = None if seconds is None else time.monotonic() + seconds
    faults: list[BaseException] = []
    samples: list[tuple[int, int]] = []
    done = [0] * threads

    def work(number: int) -> None:
        try:
            while (turn := next(turns)) < calls and not faults:
                if end is not None and time.monotonic() >= end:
                    return
                entry(on, on.client, turn)
                done[number] += 1
        except BaseException as fault:
            faults.append(fault)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    pause = 0.05 if seconds is None else max(seconds / 60, 0.01)
    while any(worker.is_alive() for worker in workers):
        time.sleep(pause)
        samples.append((sum(done), resident()))
    if faults:
        raise faults[0]
    libglide.set_log(None)
    return sum(done), slope(samples[len(samples) // 4 :]) * sum(done)


def slope(samples: list[tuple[int, int]]) -> float:
    """Bytes for one call, the least squares of the samples."""
    count = len(samples)
    x = sum(calls for calls, _ in samples)
    y = sum(size for _, size in samples)
    spread = count * sum(calls * calls for calls, _ in samples) - x * x
    if count < 10 or spread <= 0:  # fewer are all chance
        return 0.0
    return (count * sum(calls * size for calls, size in samples) - x * y) / spread


def judge(name: str, made: int, grown: float, before: Gauge, after: Gauge, first: Gauge) -> int:
    """Print a line, and what grows; gives the number of that."""
    per_1000 = grown / made * 1000 if made else 0.0
    print(
        f"{name:24} {made:9} {per_1000:10.0f} {after.objects - before.objects:10} "
        f"{after.heap / 1024:10.1f} {after.handles:8} {after.goroutines:7} {after.threads:8} "
        f"{after.connections:7} {after.files:7}"
    )
    limits = (
        ("resident bytes", grown, max(RESIDENT_SLACK, made / 1000 * BYTES_PER_1000)),
        ("Python objects", after.objects - before.objects, OBJECTS_SLACK),
        ("open handles", after.handles, before.handles),
        ("calls", after.calls, 0),
        ("goroutines", after.goroutines, first.goroutines),
        ("threads", after.threads, first.threads + THREADS_SLACK),
        ("descriptors that are no connections", after.files, first.files),
    )
    flaws = [(what, value, most) for what, value, most in limits if value > most]
    for what, value, most in flaws:
        print(f"GROWS {name}: {what}: {value:.0f}, at most {most:.0f} would be flat")
    return len(flaws)


def soak(given: argparse.Namespace) -> int:
    """One kind of call after another, then all at once. Gives the exit code."""
    began = time.monotonic()
    seeds = given.addresses.split(",")
    client = Client.connect(seeds[:1], request_timeout=60.0, connection_timeout=60.0)
    on = Field(seeds, client, client.topology())
    client.execute("SET", "soak:text", "x")
    phases = [entry for entry in (*ENTRIES, mixed) if given.only.search(entry.__name__)]
    on.shared = [on.open() for _ in range(4)]
    for entry in phases:
        run(on, entry, min(WARM_CALLS, given.calls), None, given.threads)
    for other in on.shared:
        other.close()
    on.shared.clear()
    time.sleep(0.5)
    before = first = gauge(client)
    on.leak = given.leak
    flaws = 0
    print(
        f"{'calls from Python':24} {'calls':>9} {'B/1000':>10} {'objects':>10} {'Go KiB':>10} "
        f"{'handles':>8} {'gorout.':>7} {'threads':>8} {'conn.':>7} {'files':>7}"
    )
    for number, entry in enumerate(phases):
        left = began + given.seconds - time.monotonic()
        share = max(left / (len(phases) - number), 0.1) if given.seconds else None
        if entry is mixed:
            on.shared = [on.open() for _ in range(4)]
        made, grown = run(on, entry, given.calls, share, given.threads)
        for other in on.shared:
            other.close()
        on.shared.clear()
        after = settled(client, first)
        flaws += judge(entry.__name__, made, grown, before, after, first)
        before = after
    start, end = first.resident / (1 << 20), before.resident / (1 << 20)
    print(f"resident memory: {start:.1f} MiB after the warm-up, {end:.1f} MiB at the end")
    client.close()
    print(f"{'NOT FLAT' if flaws else 'flat'}: {flaws} things grow")
    return 1 if flaws else 0


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("addresses", help="host:port,... of a cluster")
    parser.add_argument("--seconds", type=float, default=30.0, help="0: as long as it takes")
    parser.add_argument("--calls", type=int, default=1_000_000, help="of each, at most")
    parser.add_argument("--only", type=re.compile, default="", help="those that this matches")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--leak", action="store_true", help="leave things behind on purpose")
    return soak(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
