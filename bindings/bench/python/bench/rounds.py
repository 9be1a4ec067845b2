"""Rounds of processes: each client in turn, each process for itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from bench.cases import Case
from bench.metrics import figures
from bench.results import Results

PATIENCE = 120.0
"""Seconds that a process may take beyond those that it measures."""


class FailedError(Exception):
    """A process did not measure what it should."""


def command_line(case: Case, client: str, places: Mapping[str, str], seconds: float) -> list[str]:
    """The command line of one process."""
    program = case.program
    words = [word.format_map(places) for word in (*program.command, *program.clients[client])]
    words += [f"{name}={value}" for name, value in case.arguments.items()]
    return [*words, f"seconds={seconds}"]


def run_rounds(
    results: Results,
    cases: Sequence[Case],
    places: Mapping[str, str],
    rounds: int,
    seconds: float,
    tell: Callable[[str], None] = lambda text: None,
) -> None:
    """Run every case on every client, ``rounds`` times over.

    A round goes through all cases, so that a disturbance of the machine hits one round of some
    cases rather than all rounds of one. What fails is kept with the results, and not tried again.
    """
    broken = set()
    for number in range(1, rounds + 1):
        for place, case in enumerate(cases, 1):
            if case.once and number > 1:
                continue
            tell(f"round {number} of {rounds}, case {place} of {len(cases)}: {case.name}")
            for client in case.measured * case.processes:
                if (case.name, client) in broken:
                    continue
                phases = len(case.arguments.get("threads", "").split(","))
                try:
                    result = run_process(
                        command_line(case, client, places, seconds), phases * seconds + PATIENCE
                    )
                except FailedError as failure:
                    broken.add((case.name, client))
                    results.failures.append(f"{case.name}: {client}: {failure}")
                else:
                    results.add(case, client, figures(result))


def run_process(command: Sequence[str], patience: float) -> Mapping[str, object]:
    """What a worker prints, within so many seconds."""
    try:
        process = subprocess.run(command, capture_output=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        raise FailedError(f"still running after {patience:.0f} s") from None
    said = process.stderr.decode(errors="replace").strip()
    if process.returncode != 0:
        last = said.splitlines()[-1] if said else "it does not say why"
        raise FailedError(f"exit code {process.returncode}: {last}")
    if said:
        print(said, file=sys.stderr)
    try:
        result: Mapping[str, object] = json.loads(process.stdout)
    except json.JSONDecodeError:
        raise FailedError(f"it printed {process.stdout[:100]!r} instead of figures") from None
    return result
