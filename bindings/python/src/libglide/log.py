"""The library's log, on Python's."""

from __future__ import annotations

import atexit
import functools
from typing import TYPE_CHECKING

from libglide.library import load

if TYPE_CHECKING:
    import logging

# The levels of the library and those of Python's logging.
_LEVELS = {1: 40, 2: 30, 3: 20, 4: 10}


def set_log(level: int | str | None, logger: logging.Logger | None = None) -> None:
    """Say what the library logs from now on, of all clients of the process, and where to.

    Lines name nodes, slots, commands and users; they hold no password, no argument of a command
    and no value. The variable GLIDE_LOG of the environment (error, warn, info, debug) has them
    written to the standard error stream instead, from the start. It waits until the logger that was
    set before has taken its lines. Where a signal ends that, as Ctrl-C does, what was asked for is
    set all the same, and the other logger gets the rest of its lines later.

    Args:
        level: A level of ``logging``, as ``logging.INFO`` or "INFO"; None: nothing any more.
        logger: What gets the lines, on a thread of the library; by default the logger "libglide".

    Raises:
        ValueError: There is no such level.
        LibraryError: The library cannot be loaded.
    """
    if level is None:
        load().set_log(0, None)
        return
    import logging

    target = logger if logger is not None else logging.getLogger("libglide")
    wanted = logging.getLevelName(level.upper()) if isinstance(level, str) else level
    if not isinstance(wanted, int):
        raise ValueError(f"{level!r} is no level of logging")
    own = max((number for number, known in _LEVELS.items() if known >= wanted), default=1)

    def take(number: int, line: str) -> None:
        target.log(_LEVELS[number], "%s", line)

    library = load()
    _stop_at_exit()
    library.set_log(own, take)


@functools.cache
def _stop_at_exit() -> None:
    """Have the last lines taken while there is still an interpreter to take them."""
    atexit.register(set_log, None)
