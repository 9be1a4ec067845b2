"""Puts the shared library of this repository into the wheel."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIBRARY = "libglide.so.1"
COMPAT = "libglide_ffi.so"  # of `make compat`, for libglide.compat; goes along where it is


class LibraryHook(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return  # finds the library in the checkout, see libglide/library.py
        library = self._library(Path(self.root).resolve().parents[1])
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"
        build_data["force_include"][str(library)] = f"libglide/{LIBRARY}"
        compat = library.with_name(COMPAT)
        if compat.is_file():
            build_data["force_include"][str(compat)] = f"libglide/{COMPAT}"

    def _library(self, repository: Path) -> Path:
        library = repository / "build" / LIBRARY
        if library.is_file():
            return library.resolve()
        if not all((repository / name).is_file() for name in ("Makefile", "include/glide.h")):
            raise RuntimeError(
                f"no {library}, and {repository} is not a checkout of libglide that could make it; "
                "build the wheel in bindings/python of a checkout"
            )
        self.app.display_info(f"make build, for there is no {library} yet")
        subprocess.run(["make", "build"], cwd=repository, check=True)
        if not library.is_file():
            raise RuntimeError(f"`make build` in {repository} made no build/{LIBRARY}")
        return library.resolve()
