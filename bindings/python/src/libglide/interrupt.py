"""Signal handlers of Python run while the main thread waits within a call."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator

_HOOK = ctypes.CFUNCTYPE(ctypes.c_int)
_ONCE = (None,)


class Interrupt:
    """What the library asks while it keeps the main thread waiting.

    Python runs signal handlers on its main thread only, between two steps of its own code. The
    library asks for such a step when a signal came; a handler that raises, as that of Ctrl-C does,
    ends the call.

    Args:
        register: ``glide_on_interrupt``.
    """

    def __init__(self, register: Callable[[object], int]) -> None:
        self._register = register
        self._hook: object = None
        self.raised: BaseException | None = None

    def watch(self) -> None:
        """Have the library ask, where this is the main thread and it does not ask yet."""
        if self._hook is None and threading.current_thread() is threading.main_thread():
            steps = self._steps()
            next(steps)  # into its try; what a handler raises before that is raised from here
            self._hook = _HOOK(steps.__next__)
            self._register(self._hook)

    def _steps(self) -> Iterator[int]:
        """One step for each time that the library asks; 1: a handler raised.

        A generator, since it goes on within its ``try``: a function would run the handlers before
        it has one. The outer ``try`` is for a signal that comes while the inner one is being left.
        """
        answer = 0
        while True:
            try:
                while True:
                    try:
                        while True:
                            yield answer
                            answer = 0
                            for _ in _ONCE:
                                pass  # at the end of a loop at the latest handlers run
                    except GeneratorExit:
                        raise
                    except BaseException as raised:
                        self.raised = raised
                        answer = 1
            except GeneratorExit:
                return
            except BaseException as raised:
                self.raised = raised
                answer = 1

    @contextlib.contextmanager
    def asking(self, given_up: Callable[[], bool]) -> Iterator[None]:
        """Have the library ask a function instead, on this thread, which is not the main one."""
        hook = _HOOK(given_up)
        self._register(hook)
        try:
            yield
        finally:
            self._register(None)

    def check(self) -> None:
        """Raise what a handler raised during the call that has just ended."""
        if self.raised is not None and threading.current_thread() is threading.main_thread():
            raised, self.raised = self.raised, None
            raise raised
