"""Plays the same calls through the official library and through ours, and compares the results.

usage: compare.py OFFICIAL OURS

Both are Python interpreters of environments with valkey-glide-sync; the second one loads our
library. The servers are named by the environment, see cluster/run. A difference fails unless
known.tsv has it with a reason; an entry of known.tsv that no difference needs any more fails too.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PATIENCE = 900  # seconds for all calls of one side
PRIVATE = re.compile("glide_fi_")
"""Functions of the official library that only it calls: its way to libfabric."""


@dataclass
class Known:
    """A difference that is understood.

    Attributes:
        pattern: The names of the calls that differ, as a shell pattern.
        reason: Why.
        used: Whether any call still differs.
    """

    pattern: str
    reason: str
    used: bool = False


@dataclass
class Tally:
    """What came of the comparison."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)

    def check(self, name: str, good: bool, why: str) -> None:
        """Count one check, and why it failed."""
        if good:
            self.passed += 1
        else:
            self.failures.append(f"{name}\n{why}")


def play(python: str, *only: str) -> dict[str, dict[str, Any]]:
    """The results of one side, by the names of the calls: of all families, or of some."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "results"
        command = [python, str(HERE / "player.py"), str(output), *only]
        silence = subprocess.DEVNULL  # the package prints every error
        ended = subprocess.run(command, stdout=silence, stderr=silence, timeout=PATIENCE)
        lines = output.read_text().splitlines() if output.exists() else []
        if ended.returncode != 0:
            last = json.loads(lines[-1])["name"] if lines else "the first call"
            sys.exit(f"{python}: player.py ended with {ended.returncode} after {last}")
    return {result["name"]: result for result in map(json.loads, lines)}


def shape(value: Any) -> Any:
    """The types of a value; of the members of a list or a dict, those that occur."""
    if isinstance(value, list):
        return [sorted({json.dumps(shape(item)) for item in value})]
    if not isinstance(value, dict):
        return type(value).__name__
    ((kind, inner),) = list(value.items())[:1]
    if kind == "error":
        return value
    if kind == "dict":
        return {kind: [[key, shape(item)] for key, item in inner]}
    return {kind: shape(inner)} if isinstance(inner, (list, dict)) else kind


def unordered(value: Any) -> Any:
    """A value whose lists are in one order."""
    if isinstance(value, list):
        return sorted(map(unordered, value), key=json.dumps)
    if isinstance(value, dict):
        return {kind: unordered(inner) for kind, inner in value.items()}
    return value


MISSING = {"judge": "exact", "result": {"missing": "this call had no result"}}


def kind(value: Any) -> Any:
    """The type of a value as a whole; an error counts with its text."""
    if isinstance(value, dict) and "error" not in value:
        return list(value)
    return value if isinstance(value, dict) else type(value).__name__


JUDGES = {"exact": lambda value: value, "shape": shape, "unordered": unordered, "kind": kind}


def short(value: Any) -> str:
    """A value on one line."""
    text = json.dumps(value)
    return text if len(text) <= 600 else f"{text[:600]}... ({len(text)} characters)"


def compare(official: dict[str, Any], ours: dict[str, Any], known: list[Known]) -> Tally:
    """Hold the results of each call against one another."""
    tally = Tally()
    for name in sorted(official.keys() | ours.keys()):
        one, other = official.get(name, MISSING), ours.get(name, MISSING)
        judge = JUDGES[one["judge"]]
        same = judge(one["result"]) == judge(other["result"])
        entry = entry_of(name, known)
        if not same and entry is not None:
            entry.used = True
        why = f"  official {short(one['result'])}\n  ours     {short(other['result'])}"
        tally.check(name, same or entry is not None, why)
    return tally


def entry_of(name: str, known: list[Known]) -> Known | None:
    """The first known difference that a call may be."""
    return next((entry for entry in known if fnmatch.fnmatchcase(name, entry.pattern)), None)


def late(official: dict[str, Any], ours: dict[str, Any], known: list[Known]) -> list[str]:
    """The families in which one side alone ran out of time: the machine may have stood still."""

    def timed_out(result: dict[str, Any]) -> bool:
        value = result["result"]
        return isinstance(value, dict) and value.get("error") == "TimeoutError"

    names = [
        name
        for name in official.keys() & ours.keys()
        if timed_out(official[name]) != timed_out(ours[name]) and not entry_of(name, known)
    ]
    return sorted({"/".join(name.split(" ")[0].split("/")[:2]) for name in names})


def check_known(tally: Tally, known: list[Known]) -> None:
    """Every known difference is still one."""
    for entry in known:
        tally.check(f"known.tsv {entry.pattern}", entry.used, "  there is no difference any more")


def check_symbols(tally: Tally, official: str, ours: str) -> None:
    """Every function of the official library is one of ours."""
    have = symbols(ours)
    for name in sorted(symbols(official)):
        if not PRIVATE.match(name):
            tally.check(f"symbol {name}", name in have, "  our library has no such function")


def symbols(python: str) -> set[str]:
    """The functions of the library that an environment's package loads."""
    find = "from glide_shared._glide_ffi import LIB_FILE; print(LIB_FILE)"
    library = subprocess.check_output([python, "-c", find], text=True).strip()
    listed = subprocess.check_output(["nm", "-D", "--defined-only", library], text=True)
    return {line.split()[-1] for line in listed.splitlines()}


def read_known() -> list[Known]:
    """known.tsv: a pattern, a tab, a reason."""
    lines = (HERE / "known.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [Known(pattern, reason) for pattern, reason in rows]


def main(official: str, ours: str) -> int:
    """Play, compare and report; 0 where nothing failed."""
    known = read_known()
    one, other = play(official), play(ours)
    methods = set(one.pop("methods")["result"])
    other.pop("methods")
    if families := late(one, other, known):
        print("once more, for a call ran out of time:", *families)
        for python, results in ((official, one), (ours, other)):
            results.update(play(python, *families))
            results.pop("methods")
    played = {result["method"] for result in one.values()}
    tally = compare(one, other, known)
    for method in sorted(methods - played):
        tally.check(f"method {method}", False, "  no family calls it, and NOT_CALLED has no reason")
    check_symbols(tally, official, ours)
    check_known(tally, known)
    for failure in tally.failures:
        print(failure)
    for entry in known:
        print(f"known difference: {entry.pattern}: {entry.reason}")
    print(f"{len(one)} results of {len(methods & played)} commands compared")
    print(f"{tally.passed} passed, {len(tally.failures)} failed")
    return 1 if tally.failures else 0


if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(HERE)
    sys.exit(main(*sys.argv[1:]))
