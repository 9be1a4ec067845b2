"""Passwords that are changed while a client lives."""

from __future__ import annotations

from typing import Any

from glide_sync import ServerCredentials

from calls.call import Step
from calls.clients import secured


def updated(password: str | None, immediately: bool) -> Step:
    """A new password, for later connections or for those that stand too."""

    def run(_: Any) -> Any:
        client = secured(credentials=ServerCredentials("s3cret"))
        try:
            return client.update_connection_password(password, immediately), client.ping()
        finally:
            client.close()

    return Step("update_connection_password", run, label=f"{password} {immediately=}")


CALLS = [
    updated("s3cret", True),
    updated("s3cret", False),
    updated("other", False),
    updated("other", True),
    updated(None, False),
    updated(None, True),
]
