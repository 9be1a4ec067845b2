from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libglide.address import host_and_port, split

PORTS = st.integers(1, 65535)
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)


@given(NAMES, PORTS)
def test_a_name_and_a_port_are_divided_at_their_colon(name: str, port: int) -> None:
    assert host_and_port(f"{name}:{port}", None) == (name, port)


@given(st.ip_addresses(v=6), PORTS)
def test_an_ipv6_address_without_brackets_ends_at_the_last_colon(
    host: ipaddress.IPv6Address, port: int
) -> None:
    assert host_and_port(f"{host}:{port}", None) == (str(host), port)


@given(st.ip_addresses(v=6), PORTS)
def test_an_ipv6_address_with_all_its_digits_ends_at_the_last_colon(
    host: ipaddress.IPv6Address, port: int
) -> None:
    assert host_and_port(f"{host.exploded}:{port}", None) == (host.exploded, port)


@given(st.ip_addresses(v=6), PORTS)
def test_brackets_around_an_ipv6_address_are_taken_off(
    host: ipaddress.IPv6Address, port: int
) -> None:
    assert host_and_port(f"[{host}]:{port}", None) == (str(host), port)


@given(st.text())
def test_every_text_is_divided_without_an_exception(text: str) -> None:
    host, port = split(text)
    assert len(host) <= len(text)
    assert port is None or text.endswith(f":{port}")


@given(NAMES, st.text(max_size=8))
def test_a_text_that_is_no_port_is_refused_with_a_value_error_only(name: str, port: str) -> None:
    try:
        _, number = host_and_port(f"{name}:{port}", None)
    except ValueError:
        return
    assert 1 <= number <= 65535


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:7000", ("127.0.0.1", 7000)),
        ("[::1]:7000", ("::1", 7000)),
        ("::1:7000", ("::1", 7000)),
        ("2001:db8::1:7001", ("2001:db8::1", 7001)),
        ("[2001:db8::1]:7001", ("2001:db8::1", 7001)),
        ("fe80:::7000", ("fe80::", 7000)),
        ("node-1.example.org:6379", ("node-1.example.org", 6379)),
        ("host:065535", ("host", 65535)),
    ],
)
def test_an_address_in_one_string_has_a_host_and_a_port(
    text: str, expected: tuple[str, int]
) -> None:
    assert host_and_port(text, None) == expected


@pytest.mark.parametrize(
    "text", ["", "localhost", "127.0.0.1", "localhost:", "[::1]", "::1", "2001:db8::1", "[::1]:"]
)
def test_a_host_without_a_port_is_refused_and_named(text: str) -> None:
    with pytest.raises(ValueError, match="No port provided") as caught:
        host_and_port(text, None)
    assert str(caught.value).endswith(f"Received {text}")


@pytest.mark.parametrize("port", ["x", "70 00", "+7000", "7_000", "-1", "\u0667\u0660", "7000 "])
def test_a_port_that_is_no_number_is_refused_and_named(port: str) -> None:
    with pytest.raises(ValueError, match="is not a number") as caught:
        host_and_port(f"localhost:{port}", None)
    assert repr(port) in str(caught.value)


@pytest.mark.parametrize("port", ["0", "65536", "9" * 5000])
def test_a_port_out_of_range_is_refused_in_a_string(port: str) -> None:
    with pytest.raises(ValueError, match=r"is out of range 1\.\.65535"):
        host_and_port(f"localhost:{port}", None)


@pytest.mark.parametrize("port", [0, -1, 65536, 2**31, 2**64])
def test_a_port_out_of_range_is_refused_as_a_number(port: int) -> None:
    with pytest.raises(ValueError, match=rf"port {port} is out of range 1\.\.65535"):
        host_and_port("localhost", port)


@pytest.mark.parametrize("port", [True, 7000.0, b"7000", [7000]])
def test_a_port_of_another_type_is_refused(port: object) -> None:
    with pytest.raises(ValueError, match="is not a number"):
        host_and_port("localhost", port)
