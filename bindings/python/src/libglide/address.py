"""Addresses as people write them."""

from __future__ import annotations


def split(text: str) -> tuple[str, str | None]:
    """Divide "host:port" at its last colon.

    Args:
        text: The address. An IPv6 host may stand in brackets or without.

    Returns:
        The host without brackets, and the port as it is written; None where there is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or not port or port.endswith("]"):
        return without_brackets(text), None
    if host.endswith(":") and not host.endswith("::"):
        return text, None  # the last colon belongs to the address, as in "::1"
    return without_brackets(host), port


def without_brackets(host: str) -> str:
    """The host, without the brackets that may stand around an IPv6 address."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def port_number(port: object) -> int:
    """The number that a port is, given as one or as text.

    Raises:
        ValueError: It is no number, or none of 1 to 65535.
    """
    if isinstance(port, str) and port.isascii() and port.isdigit():
        number = int(port) if len(port) <= 10 else 0
    elif isinstance(port, int) and not isinstance(port, bool):
        number = port
    else:
        raise ValueError(f"port {port!r} is not a number")
    if not 1 <= number <= 65535:
        raise ValueError(f"port {port} is out of range 1..65535")
    return number


def host_and_port(host: object, port: object) -> tuple[str, int]:
    """The host without brackets and the number of the port.

    Args:
        host: The host; where ``port`` is None, "host:port".
        port: The port, or None.

    Raises:
        ValueError: There is no port, or an argument cannot be; the message names it.
    """
    if not isinstance(host, str):
        raise ValueError(f"host is {host!r}, not a str")
    if port is not None:
        return without_brackets(host), port_number(port)
    name, text = split(host)
    if text is None:
        raise ValueError(
            "No port provided, expected host to be formatted as {hostname}:{port}. "
            f"Received {host}"
        )
    try:
        return name, port_number(text)
    except ValueError as fault:
        raise ValueError(f"{fault}, in host {host!r}") from None
