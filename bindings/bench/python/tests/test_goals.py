"""Goals, and the verdicts on them."""

from __future__ import annotations

import pytest

from bench.cases import CASES, LIMIT, OFFICIAL, OURS, Case
from bench.goals import GOALS, Goal, verdicts
from bench.results import Results

GET = "C: GET of 100 B, 1 thread"


def case_named(name: str) -> Case:
    return next(case for case in CASES if case.name == name)


def measured(name: str, **figures: dict[str, float]) -> Results:
    results = Results({})
    for client, metrics in figures.items():
        results.add(case_named(name), client.replace("_", "-"), metrics)
    return results


def test_case_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.title)
def test_a_goal_has_cases_that_measure_both_sides(goal: Goal) -> None:
    covered = [case for case in CASES if goal.covers(case)]
    assert covered
    assert any(goal.against in ("", *case.measured) for case in covered)


def test_the_small_values_are_the_goal_of_one_thread_and_1_mib_is_not() -> None:
    covered = [case.title for case in CASES if GOALS[0].covers(case)]
    assert covered == [
        f"{verb} of {size}, 1 thread"
        for verb in ("GET", "SET")
        for size in ("16 B", "100 B", "4 KiB")
    ]


def test_a_speed_reaches_its_bound_from_above() -> None:
    goal = Goal("", GET, "speed", 1.9)
    (verdict,) = verdicts(
        measured(GET, libglide={"speed": 190.0}, valkey_glide={"speed": 100.0}), [goal]
    )
    assert verdict.values == ((case_named(GET), 1.9),)
    assert verdict.missed == ()
    assert goal.demand == "≥ 1.90"


def test_a_time_reaches_its_bound_from_below() -> None:
    goal = Goal("", GET, "us", 1.35, LIMIT)
    (verdict,) = verdicts(measured(GET, libglide={"us": 27.2}, socket={"us": 20.0}), [goal])
    assert verdict.missed == ((case_named(GET), 1.36),)
    assert goal.demand == "≤ 1.35"


def test_a_ratio_of_ours_alone_needs_no_other() -> None:
    name = "C: 1 thread after 64"
    (verdict,) = verdicts(measured(name, libglide={"after_burst": 0.9}))
    assert verdict.missed == ((case_named(name), 0.9),)


@pytest.mark.parametrize("client", [OURS, OFFICIAL])
def test_what_only_one_side_was_measured_of_is_no_verdict(client: str) -> None:
    results = Results({})
    results.add(case_named(GET), client, {"speed": 1.0, "us": 1.0, "cpu_us": 1.0, "p99_us": 1.0})
    assert verdicts(results) == []
