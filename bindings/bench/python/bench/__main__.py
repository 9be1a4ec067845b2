"""Run the benchmark on the cluster of GLIDE_TEST_CLUSTER, print the tables, keep the results."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path

from valkey.cluster import ClusterNode, ValkeyCluster

from bench import dataset
from bench.cases import CASES
from bench.conditions import conditions
from bench.goals import verdicts
from bench.plot import draw
from bench.results import Results
from bench.rounds import run_rounds
from bench.session import host_and_port
from bench.table import goal_text, tables, text


def main() -> int:
    """Run what the arguments say; 1 where something failed, whatever the ratios."""
    given = _arguments()
    addresses = os.environ["GLIDE_TEST_CLUSTER"]
    cases = [case for case in CASES if re.search(given.only, case.name, re.IGNORECASE)]
    if not cases:
        names = "\n  ".join(case.name for case in CASES)
        sys.exit(f"no case is called {given.only!r}; there are\n  {names}")
    seed = ValkeyCluster(startup_nodes=[ClusterNode(*host_and_port(addresses.split(",")[0]))])
    asyncio = given.build / "bench" / "asyncio"
    results = Results(conditions(seed, asyncio, given.rounds, given.seconds))
    dataset.fill(seed)
    seed.close()
    places = {
        "python": sys.executable,
        "build": str(given.build.resolve()),
        "addresses": addresses,
        "glide_ffi": _glide_ffi(),
    }
    run_rounds(results, cases, places, given.rounds, given.seconds, _teller())
    _write(results, given.build / "bench")
    _print(results)
    return 1 if results.failures else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--build", type=Path, default=Path("build"), help="what make made")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.25, help="of each process")
    parser.add_argument("--only", default="", help="a pattern of the names of the cases")
    return parser.parse_args()


def _glide_ffi() -> str:
    """The path of the library in the official wheel."""
    for file in files("valkey-glide-sync") or ():
        if file.name == "libglide_ffi.so":
            return str(file.locate())
    raise FileNotFoundError("valkey-glide-sync is installed without its libglide_ffi.so")


def _teller() -> Callable[[str], None]:
    """Tells on the standard error how far it is: always on a terminal, else once a round."""
    began = time.monotonic()
    terminal = sys.stderr.isatty()
    told = ""

    def tell(line: str) -> None:
        nonlocal told
        stage = line.partition(",")[0]
        if terminal:
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
        elif stage != told:
            print(f"{stage}, after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        told = stage

    return tell


def _write(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results.to_json(), indent=1) + "\n")
    plot = folder / "speed.png"
    plot.unlink(missing_ok=True)
    draw(results, plot)


def _print(results: Results) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    for name, value in results.conditions.items():
        print(f"{name:13} {value}")
    for table in tables(results):
        print()
        print(text(table))
    judged = verdicts(results)
    if judged:
        print()
        print(goal_text(judged))
    for failure in results.failures:
        print(f"FAILED {failure}")


if __name__ == "__main__":
    sys.exit(main())
