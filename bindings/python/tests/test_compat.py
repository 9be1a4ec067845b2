"""Our library in the place of the official package's."""

from __future__ import annotations

from pathlib import Path

import pytest

from libglide.compat import install, main, restore
from libglide.exceptions import LibraryError

OFFICIAL = b"the package's own"
OURS = b"\x7fELF path libglide/ffi/compat mod"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A site-packages with the official package, as its wheel lays it out."""
    return package(tmp_path / "site-packages", "2.6.0")


@pytest.fixture
def library(tmp_path: Path) -> Path:
    made = tmp_path / "libglide_ffi.so"
    made.write_bytes(OURS)
    return made


def package(target: Path, version: str) -> Path:
    information = target / f"valkey_glide_sync-{version}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: valkey-glide-sync\nVersion: {version}\n"
    )
    for name in ("glide_shared", "glide_sync"):
        (target / name).mkdir()
    (target / "glide_sync/libglide_ffi.so").write_bytes(OFFICIAL)
    return target


def test_the_original_is_kept_and_comes_back(target: Path, library: Path) -> None:
    place = install(target, library)
    assert place == target / "glide_sync/libglide_ffi.so"
    assert place.read_bytes() == OURS
    assert (place.parent / "libglide_ffi.so.original").read_bytes() == OFFICIAL
    assert restore(target) == place
    assert place.read_bytes() == OFFICIAL
    assert [file.name for file in place.parent.iterdir()] == ["libglide_ffi.so"]


def test_installing_twice_keeps_the_first_original(target: Path, library: Path) -> None:
    install(target, library)
    library.write_bytes(OURS + b"newer")
    place = install(target, library)
    assert place.read_bytes() == OURS + b"newer"
    assert restore(target).read_bytes() == OFFICIAL


def test_a_package_that_was_installed_anew_is_the_original(target: Path, library: Path) -> None:
    place = install(target, library)
    place.write_bytes(b"another release")
    install(target, library)
    assert restore(target).read_bytes() == b"another release"


def test_a_library_in_glide_shared_is_the_one_that_is_loaded(target: Path, library: Path) -> None:
    (target / "glide_shared/libglide_ffi.so").write_bytes(OFFICIAL)
    assert install(target, library) == target / "glide_shared/libglide_ffi.so"
    assert (target / "glide_sync/libglide_ffi.so").read_bytes() == OFFICIAL


def test_what_is_missing_or_another_is_named(target: Path, library: Path, tmp_path: Path) -> None:
    for place, named, reason in (
        (tmp_path / "nowhere", library, "valkey-glide-sync is not installed in"),
        (package(tmp_path / "older", "2.5.1"), library, r"is 2\.5\.1; 2\.6\.x is needed"),
        (target, tmp_path / "none.so", r"looked for .*none\.so"),
        (target, target / "glide_sync/libglide_ffi.so", "is not the libglide_ffi.so of libglide"),
    ):
        with pytest.raises(LibraryError, match=reason):
            install(place, named)
    with pytest.raises(LibraryError, match="nothing to restore"):
        restore(target)
    (install(target, library).parent / "libglide_ffi.so.original").unlink()
    with pytest.raises(LibraryError, match="install valkey-glide-sync again"):
        restore(target)
    (target / "glide_sync/libglide_ffi.so").unlink()
    with pytest.raises(LibraryError, match=r"2\.6\.0 in .* has no libglide_ffi\.so"):
        install(target, library)


def test_the_command_line_says_what_it_did(
    target: Path, library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--target", str(target), "--library", str(library)]) == 0
    assert main(["--target", str(target), "--restore"]) == 0
    assert main(["--target", str(target), "--restore"]) == 1
    said = capsys.readouterr()
    place = target / "glide_sync/libglide_ffi.so"
    assert said.out == f"{place} is libglide's now\n{place} is the package's own again\n"
    assert "nothing to restore" in said.err
