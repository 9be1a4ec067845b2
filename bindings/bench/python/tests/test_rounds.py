"""Rounds of processes, with processes that only say what they are told to."""

from __future__ import annotations

import json
import sys

from bench.cases import C, Case, Program
from bench.results import Results
from bench.rounds import command_line, run_rounds

RESULT = {
    "phases": [{"threads": 1, "wall_ns": 1000, "cpu_us": 1, "latencies_ns": [500, 500]}],
    "import_ns": 1,
    "connect_ns": 1,
    "resident_kib": 1,
    "peak_kib": 2,
}

SCRIPTED = Program(
    "scripted",
    ("{python}", "-c"),
    {
        "good": (f"print({json.dumps(RESULT)!r})".replace("{", "{{").replace("}", "}}"),),
        "wrong": ("import sys; sys.exit('GET: wrong answer')",),
    },
)
CASE = Case(SCRIPTED, "says it", {"threads": "1"})
PLACES = {"python": sys.executable}


def run(case: Case, rounds: int) -> Results:
    results = Results({}, known=[case])
    run_rounds(results, [case], PLACES, rounds, seconds=0.0)
    return results


def test_the_command_line_has_places_arguments_and_seconds() -> None:
    case = Case(C, "", {"operation": "get", "threads": "1,64,1"})
    places = {"build": "/b", "addresses": "h:1", "glide_ffi": "/f.so"}
    assert command_line(case, "valkey-glide", places, 0.25) == [
        "/b/bench/c/worker",
        "addresses=h:1",
        "backend=/b/bench/c/backend-official.so",
        "library=/f.so",
        "operation=get",
        "threads=1,64,1",
        "seconds=0.25",
    ]


def test_every_round_adds_figures() -> None:
    results = run(CASE, rounds=3)
    assert [figures["speed"] for figures in results.rounds[CASE.name, "good"]] == [2e6] * 3


def test_what_fails_is_told_once_and_the_others_go_on() -> None:
    results = run(CASE, rounds=2)
    assert results.failures == ["scripted: says it: wrong: exit code 1: GET: wrong answer"]
    assert len(results.rounds[CASE.name, "good"]) == 2
    assert results.median(CASE, "wrong") is None


def test_a_case_may_want_several_processes_in_a_round() -> None:
    case = Case(SCRIPTED, "says it", {"threads": "1"}, clients=("good",), processes=3)
    assert len(run(case, rounds=2).rounds[case.name, "good"]) == 6


def test_a_sum_over_many_is_measured_in_the_first_round_only() -> None:
    case = Case(SCRIPTED, "says it", {"threads": "1"}, clients=("good",), once=True)
    assert len(run(case, rounds=3).rounds[case.name, "good"]) == 1
