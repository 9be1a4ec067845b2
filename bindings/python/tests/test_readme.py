"""The programs of the project's README do what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Cluster

TOP = Path(__file__).resolve().parents[3]
README = TOP / "README.md"


def program(language: str, cluster: Cluster, which: int = 0) -> str:
    """A block of a language, made to connect to the cluster of the tests."""
    block = re.findall(rf"```{language}\n(.*?)```", README.read_text("utf-8"), re.DOTALL)[which]
    assert "127.0.0.1:7001" in block
    return str(block).replace("127.0.0.1:7001", cluster.addresses[0])


def test_the_python_program_runs(cluster: Cluster) -> None:
    names: dict[str, object] = {}
    exec(program("python", cluster), names)


def test_the_asynchronous_program_runs(cluster: Cluster, capfd: pytest.CaptureFixture[str]) -> None:
    exec(program("python", cluster, 1), {})
    assert capfd.readouterr().out == "10000\n"


def test_the_c_program_prints_what_the_python_program_set(cluster: Cluster, tmp_path: Path) -> None:
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None or not (TOP / "build/libglide.so").exists():
        pytest.fail("a C compiler and `make build` are needed", pytrace=False)
    exec(program("python", cluster), {})
    source = tmp_path / "get.c"
    source.write_text(program("c", cluster), "utf-8")
    binary = tmp_path / "get"
    codec = sorted(str(path) for path in (TOP / "bindings/c").glob("*.c"))
    build = str(TOP / "build")
    subprocess.run(
        [
            *(compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-Ibindings/c"),
            *(str(source), *codec, "-L" + build, "-lglide", "-Wl,-rpath," + build),
            *("-o", str(binary)),
        ],
        cwd=TOP,
        check=True,
    )
    done = subprocess.run([str(binary)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
