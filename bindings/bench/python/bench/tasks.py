"""One process of the benchmark, asyncio; the arguments and the output are those of ``worker``.

python -m bench.tasks backend=libglide_aio addresses=127.0.0.1:7001,... operation=get size=100
    keys=1000 threads=100 seconds=0.25

The threads are tasks here, of one event loop in one thread.
"""

from __future__ import annotations

import asyncio
import sys
import time
from importlib import import_module
from typing import TYPE_CHECKING

from bench.process import peak_kib, resident_kib

if TYPE_CHECKING:
    from bench.phases import Phase
    from bench.workload import Workload

# As in the worker, what the client library might need is imported after it.


async def main() -> None:
    """Measure what the arguments say, and print it as a line of JSON."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    if "site" in given:
        sys.path.insert(0, given["site"])
    resident = resident_kib()
    began = time.perf_counter_ns()
    backend = import_module(f"bench.backends.{given['backend']}")
    imported = time.perf_counter_ns()
    session = await backend.connect(given["addresses"].split(","))
    connected = time.perf_counter_ns()

    import json

    from bench.workload import workload

    load = workload(given["operation"], session, int(given["size"]), int(given["keys"]))
    phases = [
        await run_phase(load, int(tasks), float(given["seconds"]))
        for tasks in given["threads"].split(",")
    ]
    peak = peak_kib()
    await session.close()
    result = {
        "phases": [phase.figures() for phase in phases],
        "import_ns": imported - began,
        "connect_ns": connected - imported,
        "resident_kib": resident,
        "peak_kib": peak,
    }
    print(json.dumps(result))


async def run_phase(load: Workload, count: int, seconds: float) -> Phase:
    """Run a workload in so many tasks for so many seconds, after a warm-up."""
    from bench.phases import WARM_UP_NS, Phase, cpu_us

    end = time.perf_counter_ns() + WARM_UP_NS
    await asyncio.gather(*(_warm_up(load, number * 131, end) for number in range(count)))
    gate: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    latencies: list[int] = []
    tasks = [
        asyncio.create_task(_measure(load, number * 131, gate, latencies))
        for number in range(count)
    ]
    await asyncio.sleep(0)  # until all of them are at the gate
    cpu, began = cpu_us(), time.perf_counter_ns()
    gate.set_result(began + int(seconds * 1e9))
    ran = await asyncio.gather(*tasks)
    ended = time.perf_counter_ns()
    return Phase(count, ended - began, cpu_us() - cpu, latencies, ran[0])


async def _warm_up(load: Workload, index: int, end: int) -> None:
    while True:
        load.check(index, await load.run(index))
        index += 1
        if time.perf_counter_ns() >= end:
            return


async def _measure(
    load: Workload, first: int, gate: asyncio.Future[int], latencies: list[int]
) -> int:
    """Run until the time that the gate names; how many operations that were."""
    run, clock, keep = load.run, time.perf_counter_ns, latencies.append
    check = load.check_at_a_glance
    index = first
    end = await gate
    while True:
        before = clock()
        reply = await run(index)
        after = clock()
        keep(after - before)
        check(index, reply)
        index += 1
        if after >= end:
            return index - first


if __name__ == "__main__":
    asyncio.run(main())
