"""What is measured: from the samples of one process to figures, from rounds to their median."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

Figures = Mapping[str, float]
"""Numbers by the names of ``METRICS``."""


@dataclass(frozen=True)
class Metric:
    """One number of a measurement."""

    heading: str
    more_is_better: bool = False
    digits: int = 1


METRICS = {
    "speed": Metric("op/s", more_is_better=True, digits=0),
    "us": Metric("µs"),
    "cpu_us": Metric("CPU µs"),
    "p50_us": Metric("p50 µs"),
    "p99_us": Metric("p99 µs"),
    "peak_mib": Metric("peak MiB"),
    "growth_mib": Metric("growth MiB"),
    "import_ms": Metric("import ms"),
    "connect_ms": Metric("connect ms"),
    "again_ms": Metric("connect again ms"),
    "ready_ms": Metric("first reply ms"),
    "after_burst": Metric("after/before", more_is_better=True, digits=2),
    "make_us": Metric("make µs"),
    "resolve_us": Metric("resolve µs", digits=2),
    "topology_kib": Metric("KiB of each"),
    "client_mib": Metric("MiB of each", digits=2),
    "connection_kib": Metric("KiB of a connection"),
    "connections": Metric("connections", digits=0),
    "closed_us": Metric("µs of each"),
    "left_handles": Metric("handles left", digits=0),
    "left_goroutines": Metric("goroutines left", digits=0),
    "left_files": Metric("descriptors left", digits=0),
    "left_bytes": Metric("bytes of each", digits=0),
}


def percentile(ordered: Sequence[int], share: float) -> int:
    """The least of the ordered numbers that at least this share of them does not exceed."""
    if not ordered:
        raise ValueError("a percentile of nothing")
    rank = -(-len(ordered) * share // 1)
    return ordered[max(int(rank), 1) - 1]


def figures(result: Mapping[str, Any]) -> dict[str, float]:
    """The figures of one process, from what its worker printed.

    Of several phases, the last one; ``after_burst`` is its speed to that of the first. A worker
    that measures something else than calls prints its figures themselves.
    """
    if "figures" in result:
        return dict(result["figures"])
    first, last = result["phases"][0], result["phases"][-1]
    latencies = sorted(last["latencies_ns"])
    measured = {
        "speed": _speed(last),
        "us": fmean(latencies) / 1e3,
        "cpu_us": last["cpu_us"] / len(latencies),
        "p50_us": percentile(latencies, 0.5) / 1e3,
        "p99_us": percentile(latencies, 0.99) / 1e3,
        "peak_mib": result["peak_kib"] / 1024,
        "growth_mib": (result["peak_kib"] - result["resident_kib"]) / 1024,
        "import_ms": result["import_ns"] / 1e6,
        "connect_ms": result["connect_ns"] / 1e6,
        "ready_ms": (result["import_ns"] + result["connect_ns"] + first["latencies_ns"][0]) / 1e6,
    }
    if "again_ns" in result:
        measured["again_ms"] = result["again_ns"] / 1e6
    if last is not first:
        measured["after_burst"] = _speed(last) / _speed(first)
    return measured


def _speed(phase: Mapping[str, Any]) -> float:
    return float(len(phase["latencies_ns"]) * 1e9 / phase["wall_ns"])


def medians(rounds: Iterable[Figures]) -> dict[str, float]:
    """The median of each figure over the rounds."""
    rounds = list(rounds)
    return {name: median(figures[name] for figures in rounds) for name in rounds[0]}


def ratio(metric: str, ours: Figures, other: Figures) -> float:
    """This library's figure to another's, to two decimals, as it is shown and judged."""
    return round(ours[metric] / other[metric], 2)
