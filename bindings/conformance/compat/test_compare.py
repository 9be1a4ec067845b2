"""How results are compared, on results that are made up."""

# ruff: noqa: D103

from __future__ import annotations

from typing import Any

import pytest
from compare import Known, Tally, check_known, compare, late


def results(value: Any, judge: str = "exact") -> dict[str, Any]:
    return {"a/b/call": {"method": "call", "judge": judge, "result": value}}


def bulk(text: str) -> dict[str, str]:
    return {"bytes": text}


@pytest.mark.parametrize(
    ("judge", "one", "other", "same"),
    [
        ("exact", [1, 2], [1, 2], True),
        ("exact", [1, 2], [2, 1], False),
        ("exact", bulk("OK"), "OK", False),
        ("exact", {"float": "1.0"}, 1, False),
        ("unordered", [1, 2], [2, 1], True),
        ("unordered", {"dict": [["k", [1, 2]]]}, {"dict": [["k", [2, 1]]]}, True),
        ("unordered", [1, 2], [1, 1], False),
        ("shape", bulk("1"), bulk("2"), True),
        ("shape", bulk("1"), 1, False),
        ("shape", [1, 2], [3], True),
        ("shape", [1], [bulk("1")], False),
        ("shape", {"dict": [["k", 1]]}, {"dict": [["k", 2]]}, True),
        ("shape", {"dict": [["k", 1]]}, {"dict": [["l", 1]]}, False),
        ("shape", {"error": "E", "text": "x"}, {"error": "E", "text": "y"}, False),
        ("kind", {"dict": [["k", 1]]}, {"dict": []}, True),
        ("kind", {"dict": []}, bulk(""), False),
        ("kind", {"error": "E", "text": "x"}, {"error": "E", "text": "y"}, False),
    ],
)
def test_a_judge_knows_what_counts(judge: str, one: Any, other: Any, same: bool) -> None:
    tally = compare(results(one, judge), results(other, judge), [])
    assert (tally.passed, len(tally.failures)) == ((1, 0) if same else (0, 1))


def test_a_call_without_a_result_on_one_side_fails() -> None:
    assert compare(results(1), {}, []).failures
    assert compare({}, results(1), []).failures


def test_a_known_difference_passes_until_there_is_none() -> None:
    known = [Known("a/*", "it is understood")]
    tally = compare(results(1), results(2), known)
    check_known(tally, known)
    assert (tally.passed, tally.failures) == (2, [])
    known = [Known("a/*", "it was understood")]
    tally = compare(results(1), results(1), known)
    check_known(tally, known)
    assert tally.failures == ["known.tsv a/*\n  there is no difference any more"]


def test_a_family_is_played_again_where_one_side_alone_was_late() -> None:
    slow = {"error": "TimeoutError", "text": "timed out"}
    good = {"w/f/one": {"result": 1}, "w/f pipeline/two": {"result": 1}, "w/g/one": {"result": 1}}
    assert late(good, good, []) == []
    assert late(good, {**good, "w/f pipeline/two": {"result": slow}}, []) == ["w/f"]
    assert late({"w/g/one": {"result": slow}}, {"w/g/one": {"result": slow}}, []) == []
    assert late(good, {"w/g/one": {"result": slow}}, [Known("w/g/*", "always")]) == []


def test_a_failure_shows_both_results() -> None:
    (failure,) = compare(results([1]), results(bulk("x")), []).failures
    assert failure == 'a/b/call\n  official [1]\n  ours     {"bytes": "x"}'
    assert Tally().failures == []
