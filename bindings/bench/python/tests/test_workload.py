"""What the operations expect, on a session that answers from memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import dataset
from bench.phases import run_phase
from bench.session import Session
from bench.workload import OPERATIONS, WrongAnswerError, workload

SIZE, KEYS = 100, 5


def memory() -> Session:
    """A session on the data set, as a client in memory would be."""
    held: dict[str, bytes] = {
        f"get:{SIZE}:{number}": dataset.value(dataset.mark(number), SIZE) for number in range(KEYS)
    }

    def set_key(key: str, value: bytes) -> str:
        held[key] = value
        return "OK"

    return Session(
        get=held.get,
        set=set_key,
        mget=lambda keys: [held[key] for key in keys],
        batch=lambda keys: [held[key] for key in keys],
        lrange=lambda key: dataset.items(),
        hgetall=lambda key: dataset.fields(),
        ping=lambda: "PONG",
        close=lambda: None,
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_right_answers_are_taken_for_every_key(operation: str) -> None:
    load = workload(operation, memory(), SIZE, KEYS)
    for index in range(2 * KEYS):
        load.check(index, load.run(index))
        load.check_at_a_glance(index, load.run(index))
    load.prove(KEYS)


@pytest.mark.parametrize(
    ("operation", "wrong"),
    [
        ("get", dataset.value(dataset.mark(1), SIZE)),
        ("get", dataset.value(dataset.mark(0), SIZE - 1)),
        ("set", None),
        ("mget", [dataset.value(dataset.mark(1), SIZE)] * dataset.MANY),
        ("batch", [dataset.value(dataset.mark(0), SIZE)] * (dataset.MANY - 1)),
        ("lrange", dataset.items()[:-1]),
        ("lrange", dataset.items()[::-1]),
        ("hgetall", dict.fromkeys(dataset.fields(), b"")),
        ("ping", "OK"),
    ],
)
def test_a_wrong_answer_is_seen_at_a_glance(operation: str, wrong: object) -> None:
    load = workload(operation, memory(), SIZE, KEYS)
    with pytest.raises(WrongAnswerError, match="wrong answer to operation 0"):
        load.check_at_a_glance(0, wrong)
    with pytest.raises(WrongAnswerError):
        load.check(0, wrong)


def test_what_was_set_must_be_there() -> None:
    load = workload("set", replace(memory(), set=lambda key, value: "OK"), SIZE, KEYS)
    load.check(0, load.run(0))
    with pytest.raises(WrongAnswerError, match="set:100:0 does not hold"):
        load.prove(1)


def test_a_phase_of_so_many_operations_runs_so_many() -> None:
    phase = run_phase(workload("get", memory(), SIZE, KEYS), 4, seconds=0.0, operations=40)
    assert (phase.threads, len(phase.latencies_ns), phase.first_ran) == (4, 40, 10)


def test_a_wrong_answer_in_a_thread_ends_the_phase() -> None:
    broken = workload("get", replace(memory(), get=lambda key: b""), SIZE, KEYS)
    with pytest.raises(WrongAnswerError):
        run_phase(broken, 3, seconds=0.0, operations=3)
