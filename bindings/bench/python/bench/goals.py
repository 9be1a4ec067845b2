"""The ratios that this library wants to reach, and whether it does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bench.cases import LIMIT, OFFICIAL, OURS, Case
from bench.metrics import METRICS, ratio
from bench.results import Results

_SMALL = r"(GET|SET) of (16 B|100 B|4 KiB)"


@dataclass(frozen=True)
class Goal:
    """A bound that the cases of a pattern keep to.

    It is a lower bound where more of the metric is better, else an upper one.
    """

    title: str
    cases: str
    """A pattern of the names of the cases."""
    metric: str
    bound: float
    against: str = OFFICIAL
    """The client to whose figure ours is set in relation; "" where ours is a ratio itself."""

    def covers(self, case: Case) -> bool:
        """Whether a case is one of this goal's."""
        return re.fullmatch(self.cases, case.name) is not None and self.metric in case.columns

    def reached_by(self, value: float) -> bool:
        """Whether a ratio is within the bound."""
        return value >= self.bound if METRICS[self.metric].more_is_better else value <= self.bound

    @property
    def demand(self) -> str:
        """The bound as it is shown."""
        return f"{'≥' if METRICS[self.metric].more_is_better else '≤'} {self.bound:.2f}"


GOALS = (
    Goal("C, 1 thread: speed", f"C: {_SMALL}, 1 thread", "speed", 1.9),
    Goal("C, 8 threads: speed", f"C: {_SMALL}, 8 threads", "speed", 1.5),
    Goal("C, 64 threads: speed", f"C: {_SMALL}, 64 threads", "speed", 1.4),
    Goal("C, 1 thread: time to the socket's", f"C: {_SMALL}, 1 thread", "us", 1.35, LIMIT),
    Goal("C: CPU time", rf"C: {_SMALL}, \d+ threads?", "cpu_us", 0.65),
    Goal("Python, 1 thread: speed", f"Python: {_SMALL}, 1 thread", "speed", 1.7),
    Goal("Python, 8 threads: speed", f"Python: {_SMALL}, 8 threads", "speed", 1.15),
    Goal("MGET of 100 keys: speed", r"\w+: MGET .*", "speed", 1.3),
    Goal("batch of 100: speed", r"\w+: batch .*", "speed", 1.2),
    Goal("LRANGE of 10,000: speed", r"\w+: LRANGE .*", "speed", 1.0),
    Goal("1 MiB: speed", r"\w+: (GET|SET) of 1 MiB, .*", "speed", 1.0),
    Goal("C, asynchronous: speed", "C: .* async, .*", "speed", 1.5),
    Goal("C, asynchronous: CPU time", "C: .* async, .*", "cpu_us", 1.0),
    Goal("Python, asyncio: speed", "Python: .* asyncio, .*", "speed", 1.5),
    Goal("Python, asyncio: CPU time", "Python: .* asyncio, .*", "cpu_us", 1.0),
    Goal("import: time", "Python: start", "import_ms", 0.2),
    Goal("connect, with the library loaded: time", "Python: start", "again_ms", 0.4),
    Goal("connect, the first: time", "Python: start", "connect_ms", 0.4),
    Goal("memory after 20,000 operations", r"\w+: memory .*", "growth_mib", 0.9),
    Goal("p99, everywhere", ".*", "p99_us", 1.0),
    # "As fast as before", within what the median of a few rounds can tell.
    Goal("C, 1 thread after 64: speed to before", "C: 1 thread after 64", "after_burst", 0.95, ""),
    Goal("clients opened and closed: handles", "C: .* closed", "left_handles", 0, ""),
    Goal("clients opened and closed: goroutines", "C: .* closed", "left_goroutines", 0, ""),
    Goal("clients opened and closed: descriptors", "C: .* closed", "left_files", 0, ""),
)


@dataclass(frozen=True)
class Verdict:
    """A goal and what came of it."""

    goal: Goal
    values: tuple[tuple[Case, float], ...]
    """The ratio of each case that was measured."""

    @property
    def missed(self) -> tuple[tuple[Case, float], ...]:
        """The cases that are not within the bound."""
        return tuple(
            (case, value) for case, value in self.values if not self.goal.reached_by(value)
        )


def verdicts(results: Results, goals: Iterable[Goal] = GOALS) -> list[Verdict]:
    """What came of each goal that any measured case belongs to."""
    judged = (Verdict(goal, tuple(_values(results, goal))) for goal in goals)
    return [verdict for verdict in judged if verdict.values]


def _values(results: Results, goal: Goal) -> Iterable[tuple[Case, float]]:
    for case in results.cases():
        ours = results.median(case, OURS)
        if ours is None or not goal.covers(case):
            continue
        if not goal.against:
            yield case, round(ours[goal.metric], 2)
        elif (other := results.median(case, goal.against)) is not None:
            yield case, ratio(goal.metric, ours, other)
