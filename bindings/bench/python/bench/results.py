"""The figures of all rounds, and their form as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.cases import CASES, Case
from bench.metrics import Figures, medians


@dataclass
class Results:
    """What a run of the benchmark has measured so far."""

    conditions: dict[str, str]
    """What it was run on, to be shown."""
    known: Sequence[Case] = CASES
    rounds: dict[tuple[str, str], list[Figures]] = field(default_factory=dict)
    """The figures of each process, by the names of the case and of the client."""
    failures: list[str] = field(default_factory=list)
    """What failed to run or gave a wrong answer."""

    def add(self, case: Case, client: str, figures: Figures) -> None:
        """Keep the figures of one process."""
        self.rounds.setdefault((case.name, client), []).append(figures)

    def cases(self) -> list[Case]:
        """The cases that anything was measured of, in their order."""
        measured = {case for case, _ in self.rounds}
        return [case for case in self.known if case.name in measured]

    def median(self, case: Case, client: str) -> Figures | None:
        """The medians over the rounds; None where the client was not measured."""
        rounds = self.rounds.get((case.name, client))
        return medians(rounds) if rounds else None

    def to_json(self) -> dict[str, Any]:
        """All of it, for ``from_json`` and for others."""
        return {
            "conditions": self.conditions,
            "measurements": [
                {"case": case, "client": client, "median": medians(rounds), "rounds": rounds}
                for (case, client), rounds in self.rounds.items()
            ],
            "failures": self.failures,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Results:
        """What ``to_json`` gave."""
        rounds = {(each["case"], each["client"]): each["rounds"] for each in data["measurements"]}
        return cls(data["conditions"], rounds=rounds, failures=data["failures"])
