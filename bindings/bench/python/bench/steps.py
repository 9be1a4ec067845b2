"""What each microsecond of a GET is, by the samples of perf(1), beside the raw socket.

python -m bench.steps --build build

The time of a call and its processor time are measured without perf, as ``make bench`` does it. perf
then says how the processor time is shared: each sample belongs to the step that the innermost
function known to STEPS is of. What is left of the time of a call is the wait for the server.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from valkey.cluster import ClusterNode, ValkeyCluster

from bench import dataset
from bench.cases import CASES, LIMIT, OURS
from bench.metrics import Figures, figures, medians
from bench.rounds import command_line, run_process
from bench.session import host_and_port
from bench.table import markdown

CASE = next(case for case in CASES if case.name == "C: GET of 100 B, 1 thread")

PROGRAM = "the program: making the request, reading and checking the reply"
OTHERS = "other threads: Go's scheduler and collector"
WAIT = "waiting: the server, and the way there and back"
TOTAL = "a GET"

STEPS = {
    "C to Go and back, finding the client, checking for a fork": (
        r"runtime\.cgocall|crosscall2|_cgoexp|main\.|libglide/ffi|ticket_|glide(_client|Go)"
        r"|_?_?getpid"
    ),
    "reading the request": r"main\.\(\*request\)|main\.\(\*call\)\.read",
    "planning": r"libglide/routing\.",
    "joining the lane, deadline, counters": r"libglide/core\.",
    "the connection: writing and reading RESP": (
        r"libglide/core\.(\(\*(wire|conn|socket|until|health|reading|room)\)"
        r"|appendCommand|takeRoom|\w+At$)"
    ),
    "awake for the reply: yielding, looking, receiving it": (
        r"libglide/core\.(\(\*vigil\)|yieldThread|\(\*socket\)\.watch)"
    ),
    "a look for a hang-up": r"libglide/core\.peekGone",
    "Go's scheduler, around system calls": r"runtime\.(re)?entersyscall|runtime\.exitsyscall",
    "sending, in the kernel": r"syscall\.sendmsg$|(__GI_)?(___?libc_)?write$",
    "receiving and waking up, in the kernel": r"syscall\.read$|(__GI_)?(___?libc_)?read$",
    "writing the response": (
        r"main\.(\(\*reply\)|append|size|fieldOf|compact|fill|_Cfunc_buffer|\(\*call\)\.answer)"
        r"|buffer_"
    ),
}
"""The steps by what their functions' names begin with; of several patterns the last one counts."""


@dataclass(frozen=True)
class Sample:
    """Where a thread was."""

    process: int
    thread: int
    stack: tuple[str, ...]
    """The functions, the innermost first."""


def samples(lines: Iterable[str]) -> Iterator[Sample]:
    """What ``perf script -F pid,tid,ip,sym`` has printed."""
    ids: tuple[int, int] | None = None
    stack: list[str] = []
    for line in [*lines, ""]:
        words = line.split(None, 1)
        if not words:
            if ids:
                yield Sample(*ids, tuple(stack))
            ids, stack = None, []
        elif ids is None:
            process, _, thread = words[0].partition("/")
            ids = int(process), int(thread)
        else:
            stack.append(words[1].strip() if len(words) > 1 else "")


def step_of(stack: Sequence[str]) -> str:
    """The step that a stack belongs to."""
    for function in stack:
        for step, names in reversed(STEPS.items()):
            if re.match(names, function):
                return step
    return PROGRAM


def shares(taken: Iterable[Sample]) -> dict[str, float]:
    """How the time on a processor is divided among the steps of the one thread that calls.

    The first thread of the process only waits for that one, and prints.
    """
    working = [each for each in taken if each.thread != each.process]
    caller, _ = Counter(each.thread for each in working).most_common(1)[0]
    counts = Counter(step_of(each.stack) if each.thread == caller else OTHERS for each in working)
    return {step: count / len(working) for step, count in counts.items()}


def split(measured: Figures, shared: Mapping[str, float]) -> dict[str, float]:
    """The microseconds of each step, of the wait, and of all."""
    steps = {step: measured["cpu_us"] * share for step, share in shared.items()}
    others = steps.get(OTHERS, 0.0)
    return {
        **steps,
        WAIT: measured["us"] - measured["cpu_us"] + others,  # they run while the caller waits
        TOTAL: measured["us"],
    }


def table(ours: Mapping[str, float], limit: Mapping[str, float]) -> str:
    """Both beside each other, in Markdown."""
    rows = [
        (step, *(f"{side[step]:.2f}" if step in side else "" for side in (ours, limit)))
        for step in (PROGRAM, *STEPS, WAIT, TOTAL, OTHERS)
        if step in ours
    ]
    return markdown([("step", f"{OURS} µs", f"{LIMIT} µs"), *rows], left=1)


def main() -> None:
    """Measure on the cluster of GLIDE_TEST_CLUSTER, and print the table."""
    parser = argparse.ArgumentParser(prog="bench.steps")
    parser.add_argument("--build", type=Path, default=Path("build"), help="what make made")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each process")
    given = parser.parse_args()
    addresses = os.environ["GLIDE_TEST_CLUSTER"]
    seed = ValkeyCluster(startup_nodes=[ClusterNode(*host_and_port(addresses.split(",")[0]))])
    dataset.fill(seed)
    seed.close()
    build = given.build.resolve()
    places = {"build": str(build), "addresses": addresses}
    commands = {
        client: command_line(CASE, client, places, given.seconds) for client in (OURS, LIMIT)
    }
    rounds: dict[str, list[Figures]] = {client: [] for client in commands}
    for _ in range(given.rounds):
        for client, command in commands.items():
            rounds[client].append(figures(run_process(command, patience=60)))
    sides = [
        split(medians(rounds[client]), shares(_sampled(command, build / "bench" / client)))
        for client, command in commands.items()
    ]
    print(table(*sides))


def _sampled(command: Sequence[str], place: Path) -> Iterable[Sample]:
    """The samples of a process, which are kept beside what was built."""
    data = f"{place}.perf"
    record = ["perf", "record", "--quiet", "--event", "cpu-clock", "--freq", "9999"]
    record += ["--call-graph", "fp", "--output", data, "--", *command]
    script = ["perf", "script", "--no-inline", "-F", "pid,tid,ip,sym", "-i", data]
    try:
        subprocess.run(record, check=True, stdout=subprocess.DEVNULL)
        told = subprocess.run(script, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        sys.exit("perf is needed: the package linux-perf of Debian, linux-tools of others")
    return samples(told.stdout.splitlines())


if __name__ == "__main__":
    main()
