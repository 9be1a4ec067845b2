"""One process of the benchmark, in Python; the arguments and the output are those of c/worker.c.

python -m bench.worker backend=libglide addresses=127.0.0.1:7001,... operation=get size=100
    keys=1000 threads=1,8,1 seconds=0.25 [count=20000] [site=build/bench/compat]

With a site its packages come before those of the environment.
"""

import sys
import time
from importlib import import_module

from bench.process import peak_kib, resident_kib

# Whatever else is needed is imported after the client library: an import is quicker when others
# have already imported a part of it.


def main() -> None:
    """Measure what the arguments say, and print it as a line of JSON."""
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    if "site" in given:
        sys.path.insert(0, given["site"])
    resident = resident_kib()
    began = time.perf_counter_ns()
    backend = import_module(f"bench.backends.{given['backend']}")
    imported = time.perf_counter_ns()
    session = backend.connect(given["addresses"].split(","))
    connected = time.perf_counter_ns()

    import json

    from bench.phases import run_phase
    from bench.workload import workload

    load = workload(
        given["operation"], session, int(given.get("size", 16)), int(given.get("keys", 1))
    )
    phases = [
        run_phase(load, int(threads), float(given["seconds"]), int(given.get("count", 0)))
        for threads in given["threads"].split(",")
    ]
    peak = peak_kib()
    load.prove(phases[-1].first_ran)
    session.close()
    closed = time.perf_counter_ns()
    again = backend.connect(given["addresses"].split(","))
    connected_again = time.perf_counter_ns()
    again.close()
    result = {
        "phases": [phase.figures() for phase in phases],
        "import_ns": imported - began,
        "connect_ns": connected - imported,
        "again_ns": connected_again - closed,
        "resident_kib": resident,
        "peak_kib": peak,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
