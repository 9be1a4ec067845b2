"""The wheel, in an environment that knows nothing of this repository."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps"]
    subprocess.run(
        [*pip, "--no-build-isolation", "--quiet", "--wheel-dir", str(folder), str(HERE)],
        check=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_a_wheel_serves_every_python_of_one_platform(wheel: Path) -> None:
    assert "-py3-none-" in wheel.name
    assert "-any" not in wheel.name


def test_a_wheel_holds_the_package_its_types_and_the_library(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"libglide/__init__.py", "libglide/py.typed", "libglide/libglide.so.1"} <= set(names)
    assert not [name for name in names if name.endswith(".proto") or "test" in name]


def test_an_unpacked_wheel_finds_the_library_beside_it(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    environment = {k: v for k, v in os.environ.items() if k != "LIBGLIDE_LIBRARY"}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import libglide; libglide.key_slot('foo');"
            "print(*{l.split()[-1] for l in open('/proc/self/maps') if 'libglide.so' in l})",
        ],
        env={**environment, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout.strip(), done.stderr) == (str(tmp_path / "libglide/libglide.so.1"), "")
