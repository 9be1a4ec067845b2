"""Times: seconds in Python, whole milliseconds in a message."""

from __future__ import annotations

import math

_LONGEST = 2**32 - 1


def milliseconds(name: str, seconds: object) -> int:
    """The milliseconds of a time above 0, rounded up.

    Args:
        name: What the time is for, for the error.
        seconds: The time, an ``int`` or a ``float``.

    Raises:
        ValueError: It is no number, not above 0, or longer than a message can say.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise ValueError(f"{name} is {seconds!r}, not a number of seconds")
    if not 0 < seconds <= _LONGEST / 1000:
        raise ValueError(f"{name} is {seconds} s, not in the range above 0 to {_LONGEST / 1000} s")
    return min(math.ceil(seconds * 1000), _LONGEST)
