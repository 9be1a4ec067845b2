"""Puts the core of this library under the official client, valkey-glide-sync, and takes it away.

``python -m libglide.compat --target SITE_PACKAGES`` replaces the shared library of the
valkey-glide-sync that is installed there by one that speaks the same C interface; the package
itself stays as it is. ``--restore`` brings its own library back. Processes that have loaded
either keep it until they end.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from libglide.exceptions import LibraryError

NAME = "libglide_ffi.so"
ORIGINAL = f"{NAME}.original"
PACKAGE = "valkey-glide-sync"
RELEASE = "2.6."
"""The releases of the package whose C interface the library speaks."""

_MARK = b"libglide/ffi/compat"  # the path of its main package, which Go builds into a program


def install(target: str | os.PathLike[str], library: str | os.PathLike[str] | None = None) -> Path:
    """Put our library in the place of the package's own, which is kept beside it.

    Args:
        target: The ``site-packages`` that the package is installed in.
        library: Our library; by default the one that came with this package, or that
            ``make compat`` made.

    Returns:
        The file that was replaced.

    Raises:
        LibraryError: The package is not there, of another release, or there is no library.
    """
    ours = _ours(library)
    place = _place(Path(target))
    if not _is_ours(place):
        _copy(place, place.with_name(ORIGINAL))
    _copy(ours, place)
    return place


def restore(target: str | os.PathLike[str]) -> Path:
    """Bring the package's own library back.

    Args:
        target: The ``site-packages`` that the package is installed in.

    Returns:
        The file that is the package's own again.

    Raises:
        LibraryError: The package is not there, or our library is not in it.
    """
    place = _place(Path(target))
    original = place.with_name(ORIGINAL)
    if not _is_ours(place):
        raise LibraryError(f"{place} is the package's own library; there is nothing to restore")
    if not original.is_file():
        raise LibraryError(f"{original} is gone: install {PACKAGE} again")
    os.replace(original, place)
    return place


def _ours(named: str | os.PathLike[str] | None) -> Path:
    """Our library: the one that was named, or else one of those that come with the package."""
    places = [Path(named)] if named is not None else list(_places())
    for library in places:
        if library.is_file():
            if _is_ours(library):
                return library
            raise LibraryError(f"{library} is not the {NAME} of libglide")
    looked = ", ".join(str(place) for place in places)
    raise LibraryError(f"there is no {NAME} of libglide (make compat); looked for {looked}")


def _places() -> Sequence[Path]:
    package = Path(__file__).resolve().parent
    if package.parts[-4:] == ("bindings", "python", "src", "libglide"):
        return package / NAME, package.parents[3] / "build" / NAME
    return (package / NAME,)


def _place(target: Path) -> Path:
    """The library that the package in target loads: it looks into glide_shared first."""
    for found in importlib.metadata.distributions(name=PACKAGE, path=[str(target)]):
        if not found.version.startswith(RELEASE):
            raise LibraryError(f"{PACKAGE} in {target} is {found.version}; {RELEASE}x is needed")
        for package in ("glide_shared", "glide_sync"):
            library = target / package / NAME
            if library.is_file():
                return library
        raise LibraryError(f"{PACKAGE} {found.version} in {target} has no {NAME}")
    raise LibraryError(f"{PACKAGE} is not installed in {target}")


def _is_ours(library: Path) -> bool:
    return _MARK in library.read_bytes()


def _copy(source: Path, place: Path) -> None:
    """Put a copy in its place at once: whoever opens it finds the old file or the new one."""
    draft = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        shutil.copy2(source, draft)
        os.replace(draft, place)
    finally:
        draft.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 where it did what was asked."""
    parser = argparse.ArgumentParser(prog="python -m libglide.compat", description=__doc__)
    parser.add_argument("--target", required=True, metavar="SITE_PACKAGES", type=Path)
    parser.add_argument("--restore", action="store_true", help="bring the package's own back")
    parser.add_argument("--library", metavar="FILE", type=Path, help="another one than ours")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.restore:
            print(f"{restore(chosen.target)} is the package's own again")
        else:
            print(f"{install(chosen.target, chosen.library)} is libglide's now")
    except (LibraryError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
