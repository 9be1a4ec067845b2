"""Checks of what a client or a router is told; each names what it refuses."""

from __future__ import annotations

from libglide.exceptions import ConfigurationError, Status


def text(name: str, value: object) -> str:
    """A text that a message can hold.

    Args:
        name: What it is for, for the error.
        value: The text.

    Raises:
        ConfigurationError: It is no ``str``, or has no UTF-8 form. The error does not show it.
    """
    if not isinstance(value, str):
        raise refusal(f"{name} is a {type(value).__name__}, not a str")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise refusal(f"{name} is not Unicode text") from None
    return value


def content(name: str, value: object) -> bytes:
    """Bytes, and nothing that only holds some.

    Args:
        name: What they are for, for the error.
        value: The bytes.

    Raises:
        ConfigurationError: They are no ``bytes``. The error does not show them.
    """
    if not isinstance(value, bytes):
        raise refusal(f"{name} is a {type(value).__name__}, not bytes")
    return value


def whole_number(name: str, value: object, least: int, most: int = 2**32 - 1) -> int:
    """A number from ``least`` to ``most``, both included.

    Args:
        name: What it is for, for the error.
        value: The number.
        least: The first that is good.
        most: The last that is good.

    Raises:
        ConfigurationError: It is no ``int``, or out of the range.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise refusal(f"{name} is {value!r:.80}, not an int")
    if not least <= value <= most:
        raise refusal(f"{name} is {value}, out of range {least}..{most}")
    return value


def boolean(name: str, value: object) -> bool:
    """A ``bool``, and nothing that only counts as one.

    Args:
        name: What it is for, for the error.
        value: The truth value.

    Raises:
        ConfigurationError: It is no ``bool``.
    """
    if not isinstance(value, bool):
        raise refusal(f"{name} is {value!r:.80}, not a bool")
    return value


def refusal(message: str) -> ConfigurationError:
    """The error of an option that cannot be."""
    return ConfigurationError(message, status=Status.CONFIG)
