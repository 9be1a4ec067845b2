"""The speeds as a plot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.cases import LIMIT, OFFICIAL, OURS, PEER, Case
from bench.results import Results

COLOURS = {OURS: "#1f77b4", OFFICIAL: "#d95f02", LIMIT: "#b0b0b0", PEER: "#7a9e4f"}


def draw(results: Results, path: Path) -> bool:
    """Draw the speed of each client to the official one's; False where there is none to draw."""
    programs: dict[str, list[Case]] = {}
    for case in results.cases():
        if case.columns[0] == "speed" and results.median(case, OFFICIAL) is not None:
            programs.setdefault(case.program.name, []).append(case)
    if not programs:
        return False

    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    tallest = max(map(len, programs.values()))
    figure, axes = pyplot.subplots(
        1, len(programs), figsize=(8 * len(programs), 1.5 + 0.5 * tallest), squeeze=False
    )
    for axis, (program, cases) in zip(axes[0], programs.items(), strict=True):
        _draw_program(axis, program, cases, results)
        axis.set_ylim(tallest - 0.4, -0.6)  # bars of one height
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    pyplot.close(figure)
    return True


def _draw_program(axis: Any, program: str, cases: list[Case], results: Results) -> None:
    clients = list(cases[0].program.clients)
    height = 0.8 / len(clients)
    for place, client in enumerate(clients):
        at, length = [], []
        for row, case in enumerate(cases):
            measured, official = results.median(case, client), results.median(case, OFFICIAL)
            if measured is not None and official is not None:
                at.append(row + (place - (len(clients) - 1) / 2) * height)
                length.append(measured["speed"] / official["speed"])
        axis.barh(at, length, height, label=client, color=COLOURS[client])
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set_yticks(range(len(cases)), [case.title for case in cases])
    axis.set_xlabel(f"operations per second, {OFFICIAL} = 1")
    axis.set_title(program)
    axis.legend(loc="lower right")
