from __future__ import annotations

from typing import Any

import pytest

from libglide import Client, ConfigurationError, NodeAddress, Status
from libglide.options import node_addresses


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("localhost:7000", [("localhost", 7000)]),
        ("localhost", [("localhost", 6379)]),
        ("[::1]", [("::1", 6379)]),
        (("::1", 7000), [("::1", 7000)]),
        (NodeAddress("localhost"), [("localhost", 6379)]),
        (["a:1", ("b", 2), NodeAddress("c", 3)], [("a", 1), ("b", 2), ("c", 3)]),
        (("a:1", "b:2"), [("a", 1), ("b", 2)]),
        ((item for item in ["[::1]:1"]), [("::1", 1)]),
    ],
)
def test_addresses_are_taken_in_each_form(given: Any, expected: list[tuple[str, int]]) -> None:
    assert [(node.host, node.port) for node in node_addresses(given)] == expected


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("addresses", []),
        ("addresses", None),
        ("addresses", 7000),
        ("addresses", b"localhost:7000"),
        ("addresses", ":7000"),
        ("addresses", "localhost:x"),
        ("addresses", "localhost:0"),
        ("addresses", ("localhost", 65536)),
        ("addresses", NodeAddress("localhost", 0)),
        ("addresses", ["localhost:7000", None]),
        ("username", b"me"),
        ("password", 1),
        ("password", "\ud800"),
        ("client_name", 1),
        ("lib_name", 1),
        ("database_id", -1),
        ("database_id", 2**32),
        ("database_id", "0"),
        ("database_id", True),
        ("protocol", 3),
        ("read_from", "PRIMARY"),
        ("client_az", 5),
        ("request_timeout", 0),
        ("request_timeout", -1.0),
        ("request_timeout", float("nan")),
        ("request_timeout", "1"),
        ("connection_timeout", float("inf")),
        ("connection_timeout", 5_000_000.0),
        ("connection_timeout", None),
        ("inflight_requests_limit", 0),
        ("inflight_requests_limit", 1.0),
        ("cluster_mode", 1),
    ],
)
def test_an_option_that_cannot_be_is_named(option: str, value: object) -> None:
    options: dict[str, Any] = {"addresses": "localhost:7000", option: value}
    with pytest.raises(ConfigurationError, match=option) as caught:
        Client.connect(**options)
    assert caught.value.status is Status.CONFIG


def test_a_password_that_cannot_be_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client.connect("localhost:7000", password="s3cr\ud800et")
    assert "s3cr" not in str(caught.value)
