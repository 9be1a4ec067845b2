"""The results as text and as Markdown."""

from __future__ import annotations

from bench.cases import CASES, LIMIT, OFFICIAL, OURS
from bench.document import document
from bench.goals import Goal, verdicts
from bench.metrics import METRICS
from bench.results import Results
from bench.table import goal_table, goal_text, markdown, tables, text

GET = next(case for case in CASES if case.name == "C: GET of 100 B, 1 thread")
START = next(case for case in CASES if case.name == "Python: start")
GOAL = Goal("C: speed", "C: GET .*", "speed", 1.9)


def results() -> Results:
    made = Results({"processor": "a fast one"})
    for case, client, scale in (
        (GET, OURS, 3.0),
        (GET, OFFICIAL, 2.0),
        (GET, LIMIT, 6.0),
        (START, OURS, 1.0),
        (START, OFFICIAL, 4.0),
    ):
        made.add(case, client, {name: 1000 * scale for name in METRICS})
    return made


def test_a_table_for_each_set_of_columns() -> None:
    speeds, starts = tables(results())
    assert speeds[0] == (
        "case", "client", "op/s", "µs", "CPU µs", "p50 µs", "p99 µs", "peak MiB", "ratio",
    )  # fmt: skip
    assert starts[0] == (
        "case", "client", "import ms", "connect ms", "connect again ms", "first reply ms", "ratio",
    )  # fmt: skip


def test_the_ratio_is_ours_to_that_of_the_row() -> None:
    speeds, starts = tables(results())
    assert [(row[1], row[-1]) for row in speeds[1:]] == [
        (OURS, ""),
        (OFFICIAL, "1.50"),
        (LIMIT, "0.50"),
    ]
    assert starts[2][-1] == "0.25"


def test_the_case_stands_in_its_first_row() -> None:
    speeds, _ = tables(results())
    assert [row[0] for row in speeds[1:]] == [GET.name, "", ""]


def test_a_client_that_was_not_measured_has_no_row() -> None:
    alone = Results({})
    alone.add(GET, OFFICIAL, {name: 1.0 for name in METRICS})
    assert [row[1] for row in tables(alone)[0][1:]] == [OFFICIAL]


def test_text_is_aligned() -> None:
    table = [("case", "client", "op/s"), ("a", "x", "1"), ("", "longer", "1,000")]
    assert text(table).splitlines() == [
        "case  client   op/s",
        "----  ------  -----",
        "a     x           1",
        "      longer  1,000",
    ]


def test_markdown_is_a_table() -> None:
    assert markdown([("case", "client", "op/s"), ("a", "x", "1")]).splitlines() == [
        "| case | client | op/s |",
        "| --- | --- | ---: |",
        "| a | x | 1 |",
    ]


def test_a_goal_tells_its_range_and_what_missed_it() -> None:
    assert goal_table(verdicts(results(), [GOAL]))[1:] == [("C: speed", "≥ 1.90", "1.50", "0 of 1")]
    assert goal_text(verdicts(results(), [GOAL])).splitlines()[2:] == [
        "C: speed  ≥ 1.90      1.50   0 of 1",
        f"    missed by {GET.name}: 1.50",
    ]


def test_json_keeps_everything_that_the_document_needs() -> None:
    first = results()
    first.failures.append("C: PING to all nodes: socket: it hung up")
    again = Results.from_json(first.to_json())
    assert document(again, None) == document(first, None)
    assert f"missed by {GET.name} (1.50)" in document(again, None)
    assert "| processor | a fast one |" in document(again, None)
    assert "* C: PING to all nodes: socket: it hung up" in document(again, None)
    assert "![" in document(again, "benchmarks.png")
