"""From samples to figures."""

from __future__ import annotations

import pytest

from bench.metrics import figures, medians, percentile, ratio


def phase(latencies: list[int], wall_ns: int = 1_000_000, cpu_us: int = 0) -> dict[str, object]:
    return {"threads": 1, "wall_ns": wall_ns, "cpu_us": cpu_us, "latencies_ns": latencies}


def result(*phases: dict[str, object]) -> dict[str, object]:
    return {
        "phases": list(phases),
        "import_ns": 30_000_000,
        "connect_ns": 5_000_000,
        "resident_kib": 1024,
        "peak_kib": 3072,
    }


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.5, 50), (0.501, 51), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_a_percentile_is_the_nearest_rank(share: float, expected: int) -> None:
    assert percentile(range(1, 101), share) == expected


def test_the_only_sample_is_every_percentile() -> None:
    assert [percentile([7], share) for share in (0.0, 0.5, 0.99, 1.0)] == [7, 7, 7, 7]


def test_nothing_has_no_percentile() -> None:
    with pytest.raises(ValueError, match="of nothing"):
        percentile([], 0.5)


def test_figures_of_a_process() -> None:
    measured = figures(result(phase([3000, 1000, 2000, 4000], wall_ns=8000, cpu_us=2)))
    assert measured == {
        "speed": 4 / 8000e-9,
        "us": 2.5,
        "cpu_us": 0.5,
        "p50_us": 2.0,
        "p99_us": 4.0,
        "peak_mib": 3.0,
        "growth_mib": 2.0,
        "import_ms": 30.0,
        "connect_ms": 5.0,
        "ready_ms": 35.003,
    }


def test_after_several_phases_the_last_counts_and_is_compared_with_the_first() -> None:
    measured = figures(
        result(phase([10] * 10, wall_ns=1000), phase([99] * 50), phase([10] * 8, wall_ns=1000))
    )
    assert measured["after_burst"] == pytest.approx(0.8)
    assert measured["us"] == 0.01


def test_a_worker_that_measures_something_else_prints_its_figures() -> None:
    assert figures({"figures": {"left_handles": 0}}) == {"left_handles": 0}


def test_a_disturbed_round_does_not_move_the_median() -> None:
    assert medians([{"us": 20.0}, {"us": 21.0}, {"us": 900.0}]) == {"us": 21.0}


def test_a_ratio_is_rounded_as_it_is_shown() -> None:
    assert ratio("us", {"us": 1.0}, {"us": 3.0}) == 0.33
