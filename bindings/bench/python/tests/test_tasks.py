"""Tasks of one event loop, on a session that answers from memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bench import dataset
from bench.session import Session
from bench.tasks import run_phase
from bench.workload import WrongAnswerError, workload

SIZE, KEYS = 100, 5


def session(get: Callable[[str], Any]) -> Session:
    """A session that knows GET."""

    def unknown(*_: object) -> object:
        raise NotImplementedError

    return Session(get, unknown, unknown, unknown, unknown, unknown, unknown, unknown)


def test_every_task_runs_and_all_of_them_at_once() -> None:
    waiting: list[str] = []
    most = 0

    async def get(key: str) -> bytes:
        nonlocal most
        waiting.append(key)
        most = max(most, len(waiting))
        await asyncio.sleep(0.001)
        waiting.remove(key)
        return dataset.value(dataset.mark(int(key.rpartition(":")[2])), SIZE)

    phase = asyncio.run(run_phase(workload("get", session(get), SIZE, KEYS), 7, seconds=0.0))
    assert most == 7
    assert (phase.threads, len(phase.latencies_ns), phase.first_ran) == (7, 7, 1)
    assert min(phase.latencies_ns) >= 1_000_000


def test_a_wrong_answer_in_a_task_ends_the_phase() -> None:
    async def get(_: str) -> bytes:
        return b""

    with pytest.raises(WrongAnswerError):
        asyncio.run(run_phase(workload("get", session(get), SIZE, KEYS), 3, seconds=0.0))
