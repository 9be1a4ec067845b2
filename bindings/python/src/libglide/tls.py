"""How connections are encrypted."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Union

from libglide import checks
from libglide.duration import milliseconds

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Tls:
    """Connections with TLS 1.2 or later, to servers whose certificates are checked.

    What certificates hold is looked at by ``Client.connect``.

    Attributes:
        root_certs: Certificates in PEM form, one bundle or several, that take the place of the
            system's: a server's certificate must lead back to one of them.
        server_name: The name that the servers' certificates must be for; by default the host of
            each node.
        insecure: Take any certificate. What is sent is encrypted, but nobody knows for whom.
        client_cert: A certificate of the client's own in PEM form, for servers that ask for one.
        client_key: The private key of ``client_cert``.
        client_cert_path: A file with the certificate, in place of ``client_cert``.
        client_key_path: A file with the key, in place of ``client_key``.
        cert_reload_interval: Seconds after which the two files are read again for a new
            connection, in case somebody has replaced them; by default they are read once. Files
            that make no good pair leave the last one in force.

    Raises:
        ConfigurationError: An option cannot be; the message names it.
    """

    root_certs: bytes | Sequence[bytes] = ()
    server_name: str | None = None
    insecure: bool = False
    client_cert: bytes | None = None
    client_key: bytes | None = field(default=None, repr=False)
    client_cert_path: PathLike | None = None
    client_key_path: PathLike | None = None
    cert_reload_interval: float | None = None

    def __post_init__(self) -> None:
        keep = object.__setattr__  # the instance is frozen
        keep(self, "root_certs", _bundles(self.root_certs))
        if self.server_name is not None:
            _not_empty("server_name", checks.text("server_name", self.server_name))
        checks.boolean("insecure", self.insecure)
        for name in ("client_cert", "client_key"):
            if getattr(self, name) is not None:
                _not_empty(name, checks.content(name, getattr(self, name)))
        for name in ("client_cert_path", "client_key_path"):
            if getattr(self, name) is not None:
                keep(self, name, _path(name, getattr(self, name)))
        if self.cert_reload_interval is not None:
            try:
                milliseconds("cert_reload_interval", self.cert_reload_interval)
            except ValueError as fault:
                raise checks.refusal(str(fault)) from None


def _bundles(given: object) -> tuple[bytes, ...]:
    if isinstance(given, bytes):
        return (given,)
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise checks.refusal(f"root_certs is a {type(given).__name__}, not bytes or several bytes")
    return tuple(
        checks.content(f"root_certs[{position}]", bundle) for position, bundle in enumerate(given)
    )


def _path(name: str, given: object) -> str:
    if not isinstance(given, (str, os.PathLike)):
        raise checks.refusal(f"{name} is a {type(given).__name__}, not a path")
    path = checks.text(name, os.fspath(given))
    _not_empty(name, path)
    return path


def _not_empty(name: str, given: str | bytes) -> None:
    if not given:
        raise checks.refusal(f"{name} is empty; leave it out, or give one")
