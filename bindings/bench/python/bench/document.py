"""docs/benchmarks.md, from the results of the last run.

python -m bench.document build/bench docs
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from bench.goals import Verdict, verdicts
from bench.results import Results
from bench.table import goal_table, markdown, tables

INTRODUCTION = """\
# Benchmarks

This library side by side with its peers in one run, as `make bench` measured it and
`make bench-docs` wrote it down. Absolute figures differ between machines and runs; the ratios of
one run are what counts.
"""

READING = """\
## How to read it

* `valkey-glide` is the official client: in C its core, `libglide_ffi.so` out of the wheel
  `valkey-glide-sync`, in Python that wheel. `socket` is the limit: blocking sockets that look up
  slots and nothing else, in each thread its own. `valkey-py` is the client in Python alone.
* In the cases of `official Python client` it is `valkey-glide-sync` on two cores: its own, and as
  `libglide` that of this library (`make compat`).
* Each figure is the median over the rounds. The clients take turns within a round, and every
  process measures one case on one client. Each thread or task makes one call at a time; all share
  one client. In the cases called async one thread keeps so many commands under way. Every reply is
  checked.
* µs is the mean time of a call, as its caller sees it; CPU µs is the processor time of the whole
  client process for one operation; p50 and p99 are percentiles of the calls. Peak MiB is the most
  memory of the process; growth is that less what it had before it loaded the library.
* ratio is this library's figure to that of the row, in the first column of figures: more is better
  for op/s, less for times and memory.
* Connect is that of the first client of a process; here it loads the library, which the official
  package does at its import. To connect again is to connect another client after the first was
  closed. First reply is import, the first connect and the first call together.
* Of messages, op/s is how many were heard in a second, µs how long each was under way. A process
  of its own publishes them on a sharded channel; the official library calls back, this one is
  polled.
* Topologies and clients were all open at once, each topology over nodes of its own, each client
  connected to every one of its fake nodes; their memory is what the process grew by (of clients
  with GOGC=10, so next to no garbage is in it). Of clients that were opened and closed: what is
  left of all of them, and by how much memory grew with each of the last half (by least squares).
* p99 of a short run is a rare call: its ratio differs more from run to run than the others.
"""


def document(results: Results, plot: str | None) -> str:
    """The text of the document; the plot is the name of its file, beside the document."""
    judged = verdicts(results)
    parts = [
        INTRODUCTION,
        markdown([("", ""), *results.conditions.items()]),
        "",
        READING,
        "## Goals\n",
        markdown(goal_table(judged), left=1),
        "",
        *(f"* {verdict.goal.title}: {_misses(verdict)}" for verdict in judged if verdict.missed),
        "",
        "## Figures\n",
    ]
    if plot:
        parts.append(f"![operations per second relative to valkey-glide]({plot})\n")
    parts.append("\n\n".join(map(markdown, tables(results))))
    if results.failures:
        parts += ["", "## Failed\n", *(f"* {failure}" for failure in results.failures)]
    return "\n".join(parts) + "\n"


def _misses(verdict: Verdict) -> str:
    named = (f"{case.name} ({value:.2f})" for case, value in verdict.missed)
    return f"missed by {'; '.join(named)}"


def main() -> None:
    """Read the results from one folder and write the document into another."""
    source, target = map(Path, sys.argv[1:])
    found = source / "results.json"
    if not found.is_file():
        sys.exit(f"no {found}; run `make bench` first")
    results = Results.from_json(json.loads(found.read_text()))
    drawn = source / "speed.png"
    if drawn.is_file():
        shutil.copy(drawn, target / "benchmarks.png")
    text = document(results, "benchmarks.png" if drawn.is_file() else None)
    (target / "benchmarks.md").write_text(text)


if __name__ == "__main__":
    main()
