"""What a request is in bytes, and what is refused before it becomes any."""

from __future__ import annotations

from typing import Any, cast

import pytest

from libglide import RequestError, messages
from libglide.codec import Codec
from libglide.routes import (
    AllNodes,
    AllPrimaries,
    ByAddressRoute,
    RandomNode,
    Route,
    SlotIdRoute,
    SlotKeyRoute,
    SlotType,
)


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(messages.load())


def encoded(codec: Codec, *words: object, route: Any = None, timeout: Any = None) -> Any:
    return messages.load().command_request.FromString(codec.request(words, route, timeout, False))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        (b"\x00\xff", b"\x00\xff"),
        ("é", "é".encode()),
        ("", b""),
        (-7, b"-7"),
        (2**100, str(2**100).encode()),
        (0.1, b"0.1"),
        (1e300, b"1e+300"),
        (float("inf"), b"inf"),
    ],
)
def test_a_word_is_sent_as_its_bytes(codec: Codec, word: object, expected: bytes) -> None:
    request = encoded(codec, "ECHO", word)
    assert list(request.single_command.args_array.args) == [b"ECHO", expected]


LARGE = b"x" * (32 << 10)


@pytest.mark.parametrize(
    ("words", "inside"),
    [
        (("PING",), 1),
        (("SET", "key", LARGE[1:]), 3),
        (("SET", "key", LARGE), 2),
        (("SET", "key", LARGE.decode(), "EX", 10), 2),
        (("MSET", LARGE, "small", "key", LARGE), 1),
        ((LARGE, "x"), 2),
        ((LARGE, "x", LARGE), 2),
    ],
)
def test_words_from_the_first_large_argument_on_go_beside_the_request(
    codec: Codec, words: tuple[object, ...], inside: int
) -> None:
    request, beside = codec.divided(words, AllNodes(), None, False, None)
    message = messages.load().command_request.FromString(request)
    plain = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    assert list(message.single_command.args_array.args) == plain[:inside]
    assert beside == plain[inside:]
    assert message.route.HasField("simple_routes")


@pytest.mark.parametrize("word", [None, True, [1], b"x".__iter__, object()])
def test_a_word_of_another_type_is_a_type_error_naming_its_position(
    codec: Codec, word: object
) -> None:
    with pytest.raises(TypeError, match=r"args\[2\]"):
        encoded(codec, "SET", "key", word)


def test_text_with_a_lone_surrogate_is_refused_by_position(codec: Codec) -> None:
    with pytest.raises(RequestError, match=r"args\[1\] is not Unicode text"):
        encoded(codec, "GET", "\ud800")


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (AllNodes(), {"simple_routes": 0}),
        (AllPrimaries(), {"simple_routes": 1}),
        (RandomNode(), {"simple_routes": 2}),
        (
            SlotKeyRoute(SlotType.PRIMARY, "é"),
            {"slot_key_route": {"slot_type": 0, "slot_key": "é"}},
        ),
        (
            SlotKeyRoute(SlotType.REPLICA, "é".encode()),
            {"slot_key_route": {"slot_type": 1, "slot_key": "é"}},
        ),
        (
            SlotKeyRoute(SlotType.REPLICA, b"\xff"),
            {"slot_key_route": {"slot_type": 1, "slot_key_bytes": b"\xff"}},
        ),
        (SlotIdRoute(SlotType.REPLICA, 7), {"slot_id_route": {"slot_type": 1, "slot_id": 7}}),
        (SlotIdRoute(SlotType.PRIMARY, -1), {"slot_id_route": {"slot_type": 0, "slot_id": -1}}),
        (ByAddressRoute("::1", 7000), {"by_address_route": {"host": "::1", "port": 7000}}),
        (ByAddressRoute("[::1]", 7000), {"by_address_route": {"host": "::1", "port": 7000}}),
        (ByAddressRoute("::1:7000"), {"by_address_route": {"host": "::1", "port": 7000}}),
    ],
)
def test_a_route_is_its_message(codec: Codec, route: Route, expected: dict[str, Any]) -> None:
    message = encoded(codec, "PING", route=route)
    assert message.route == type(message.route)(**expected)


def test_no_route_is_no_message(codec: Codec) -> None:
    assert not encoded(codec, "PING").HasField("route")


PRIMARY = SlotType.PRIMARY
NO_TYPE = cast(SlotType, "primary")


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (SlotKeyRoute(NO_TYPE, "k"), "slot_type is 'primary', not a SlotType"),
        (SlotIdRoute(NO_TYPE, 1), "slot_type is 'primary', not a SlotType"),
        (SlotKeyRoute(PRIMARY, cast(str, 1)), "slot_key is 1, neither str nor bytes"),
        (SlotKeyRoute(PRIMARY, "\ud800"), "slot_key is not Unicode text"),
        (SlotIdRoute(PRIMARY, cast(int, "1")), "slot_id is '1', not an int"),
        (SlotIdRoute(PRIMARY, True), "slot_id is True, not an int"),
        (SlotIdRoute(PRIMARY, 2**31), "slot_id 2147483648 is out of range"),
        (SlotIdRoute(PRIMARY, -(2**31) - 1), "slot_id -2147483649 is out of range"),
        (ByAddressRoute(cast(str, None), 1), "host is None, not a str"),
        (ByAddressRoute("\ud800", 1), "host is not Unicode text"),
        (ByAddressRoute("localhost"), "No port provided, expected host to be formatted as"),
        (ByAddressRoute("localhost:x"), "port 'x' is not a number"),
        (ByAddressRoute("localhost", 0), "port 0 is out of range"),
        (ByAddressRoute("localhost", 65536), "port 65536 is out of range"),
        (ByAddressRoute("localhost", 2**31), "port 2147483648 is out of range"),
        (Route(), "which is none of libglide.routes"),
        (AllNodes, "which is none of libglide.routes"),
        ("localhost:7000", "which is none of libglide.routes"),
    ],
)
def test_a_route_that_cannot_be_is_refused_when_it_is_used(
    codec: Codec, route: Any, message: str
) -> None:
    with pytest.raises(RequestError) as caught:
        encoded(codec, "PING", route=route)
    assert message in str(caught.value)


@pytest.mark.parametrize(("seconds", "expected"), [(1, 1000), (0.25, 250), (0.0001, 1)])
def test_a_timeout_is_sent_in_milliseconds_and_never_as_none(
    codec: Codec, seconds: float, expected: int
) -> None:
    assert encoded(codec, "PING", timeout=seconds).timeout_ms == expected


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e9, "1", True])
def test_a_timeout_that_cannot_be_is_refused_by_name(codec: Codec, seconds: object) -> None:
    with pytest.raises(RequestError, match="timeout is "):
        encoded(codec, "PING", timeout=seconds)
