"""The results as text and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from bench.cases import OURS, Case
from bench.goals import Verdict
from bench.metrics import METRICS, Figures, ratio
from bench.results import Results

Row = Sequence[str]

RATIO = "ratio"
"""The heading of ours to another's figure, of the first metric of the case."""


def tables(results: Results) -> list[list[Row]]:
    """A table for each run of cases with the same columns, its heading first.

    A row is a client of a case; the name of the case stands in the first of its rows.
    """
    return [
        [_heading(columns), *(row for case in cases for row in _rows(results, case))]
        for columns, cases in groupby(results.cases(), key=lambda case: case.columns)
    ]


def _heading(columns: Iterable[str]) -> Row:
    return ("case", "client", *(METRICS[name].heading for name in columns), RATIO)


def _rows(results: Results, case: Case) -> Iterable[Row]:
    ours = results.median(case, OURS)
    title = case.name
    for client in case.measured:
        figures = results.median(case, client)
        if figures is None:
            continue
        numbers = (f"{figures[name]:,.{METRICS[name].digits}f}" for name in case.columns)
        yield (title, client, *numbers, _ratio(case, client, ours, figures))
        title = ""


def _ratio(case: Case, client: str, ours: Figures | None, figures: Figures) -> str:
    if client == OURS or ours is None:
        return ""
    return f"{ratio(case.columns[0], ours, figures):.2f}"


def goal_table(verdicts: Iterable[Verdict]) -> list[Row]:
    """A table of the goals, its heading first."""
    heading = ("goal", "bound", "measured", "reached")
    return [heading, *map(_goal_row, verdicts)]


def _goal_row(verdict: Verdict) -> Row:
    values = [value for _, value in verdict.values]
    least, most = min(values), max(values)
    return (
        verdict.goal.title,
        verdict.goal.demand,
        f"{least:.2f}" if least == most else f"{least:.2f} to {most:.2f}",
        f"{len(values) - len(verdict.missed)} of {len(values)}",
    )


def text(table: Sequence[Row], left: int = 2) -> str:
    """A table in columns, the first ``left`` of them flush left."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]

    def line(row: Row) -> str:
        cells = (
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(cells).rstrip()

    heading, *rows = table
    return "\n".join([line(heading), line(["-" * width for width in widths]), *map(line, rows)])


def goal_text(verdicts: Sequence[Verdict]) -> str:
    """The goals in columns, the cases that missed one in lines of their own."""
    lines = text(goal_table(verdicts), left=1).splitlines()
    told = lines[:2]
    for line, verdict in zip(lines[2:], verdicts, strict=True):
        told.append(line)
        told += [f"    missed by {case.name}: {value:.2f}" for case, value in verdict.missed]
    return "\n".join(told)


def markdown(table: Sequence[Row], left: int = 2) -> str:
    """A table in Markdown."""
    heading, *rows = table
    rule = ["---" if place < left else "---:" for place in range(len(heading))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (heading, rule, *rows))
