"""Each kind of reply in Python, from messages made by hand."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libglide import (
    MultiNodeError,
    RequestError,
    Role,
    Status,
    TimeoutError,
    decoding,
    messages,
)
from libglide.codec import Codec

OK = int(Status.OK)


@pytest.fixture(scope="module")
def codec() -> Codec:
    return Codec(messages.load())


def response(**fields: Any) -> bytes:
    return bytes(messages.load().response(**fields).SerializeToString())


def bulk(text: bytes) -> dict[str, Any]:
    return {"bulk": text}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"nil": {}}, None),
        ({"integer": -(2**63)}, -(2**63)),
        ({"double": 1.5}, 1.5),
        ({"boolean": False}, False),
        ({"bulk": b"\x00\xff"}, b"\x00\xff"),
        ({"bulk": b""}, b""),
        ({"simple": b"OK"}, "OK"),
        ({"simple": b"\xff"}, "\udcff"),
        ({"verbatim": {"format": "txt", "text": b"hello"}}, b"hello"),
        ({"big_number": b"-36893488147419103232"}, -36893488147419103232),
        ({"bulks": {"items": [b"a", b""]}}, [b"a", b""]),
        ({"bulks": {}}, []),
        ({"bulk_map": {"items": [b"k", b"v", b"l", b"w"]}}, {b"k": b"v", b"l": b"w"}),
        ({"bulk_set": {"items": [b"a", b"b"]}}, {b"a", b"b"}),
        ({"array": {"items": [bulk(b"a"), {"nil": {}}, {"integer": 1}]}}, [b"a", None, 1]),
        ({"array": {}}, []),
        ({"set": {"items": [bulk(b"a"), bulk(b"b")]}}, {b"a", b"b"}),
        ({"set": {"items": [{"bulks": {"items": [b"a"]}}]}}, {(b"a",)}),
        ({"set": {"items": [{"set": {"items": [bulk(b"a")]}}]}}, {frozenset([b"a"])}),
        ({"map": {"items": [bulk(b"k"), {"integer": 1}]}}, {b"k": 1}),
        ({"map": {"items": [{"array": {"items": [bulk(b"k")]}}, {"nil": {}}]}}, {(b"k",): None}),
        (
            {"map": {"items": [{"map": {"items": [bulk(b"k"), bulk(b"v")]}}, {"integer": 1}]}},
            {frozenset([(b"k", b"v")]): 1},
        ),
        ({"map": {}}, {}),
    ],
)
def test_a_reply_is_the_python_value_of_its_kind(
    codec: Codec, value: dict[str, Any], expected: object
) -> None:
    decoded = codec.value(OK, response(value=value))
    assert decoded == expected
    assert type(decoded) is type(expected)


def test_the_class_of_a_message_outlives_the_last_of_its_messages() -> None:
    failed = messages.load().response(error={"code": "ERR"}).error
    kept = weakref.ref(type(failed))
    del failed
    gc.collect()
    assert kept() is not None


def test_an_error_in_an_array_is_not_raised(codec: Codec) -> None:
    fault = {"error": {"code": "WRONGTYPE", "message": "WRONGTYPE no"}}
    decoded = codec.value(OK, response(value={"array": {"items": [fault, {"integer": 1}]}}))
    assert isinstance(decoded, list)
    assert isinstance(decoded[0], RequestError)
    assert (str(decoded[0]), decoded[0].code) == ("WRONGTYPE no", "WRONGTYPE")
    assert decoded[1] == 1


def test_replies_of_all_nodes_are_a_dict_by_address(codec: Codec) -> None:
    outcomes = [
        {"node": {"host": "::1", "port": 7000}, "value": {"integer": 1}},
        {"node": {"host": "a", "port": 7001}, "value": {"integer": 2}},
    ]
    decoded = codec.value(OK, response(value={"per_node": {}}, outcomes=outcomes))
    assert decoded == {"::1:7000": 1, "a:7001": 2}


def test_a_number_too_long_for_python_is_a_request_error(codec: Codec) -> None:
    with pytest.raises(RequestError) as caught:
        codec.value(OK, response(value={"big_number": b"x"}))
    assert caught.value.status is Status.DECODE


def test_bytes_that_are_no_response_are_a_request_error(codec: Codec) -> None:
    with pytest.raises(RequestError, match="cannot be decoded") as caught:
        codec.value(OK, b"\xff\xff")
    assert caught.value.status is Status.DECODE


def test_a_status_without_bytes_is_an_error_all_the_same(codec: Codec) -> None:
    with pytest.raises(TimeoutError, match="TIMEOUT"):
        codec.value(Status.TIMEOUT, b"")


def test_an_outcome_says_all_that_is_known_of_its_node(codec: Codec) -> None:
    node = {"id": "f0", "host": "h", "port": 1, "role": 1, "zone": "z", "aliases": ["i:1"]}
    data = response(
        value={"nil": {}},
        outcomes=[
            {
                "node": node,
                "slots": [{"first": 0, "last": 9}],
                "value": {"integer": 1},
                "sent": True,
                "fallback": True,
                "served_by": "i:2",
            }
        ],
    )
    (outcome,) = codec.response(OK, data).outcomes
    assert (outcome.value, outcome.error, outcome.slots) == (1, None, ((0, 9),))
    assert (outcome.sent, outcome.retryable, outcome.fallback) == (True, False, True)
    assert outcome.served_by == "i:2"
    assert (outcome.node.address, outcome.node.role) == ("h:1", Role.REPLICA)
    assert (outcome.node.id, outcome.node.zone, outcome.node.aliases) == ("f0", "z", ("i:1",))


ONE_FAILED = [
    {"node": {"host": "a", "port": 1}, "value": {"integer": 1}},
    {
        "node": {"host": "b", "port": 2},
        "error": {"status": 5, "code": "WRONGPASS", "message": "WRONGPASS no", "node": "b:2"},
    },
]


@pytest.mark.parametrize("status", [Status.PARTIAL, Status.SERVER, Status.TIMEOUT])
def test_a_failure_on_one_of_several_nodes_holds_what_each_said(
    codec: Codec, status: Status
) -> None:
    error = {"status": int(status), "message": "1 of 2 nodes failed"}
    with pytest.raises(MultiNodeError, match="1 of 2") as caught:
        codec.value(status, response(error=error, outcomes=ONE_FAILED))
    assert caught.value.status is status
    assert caught.value.results == {"a:1": 1}
    assert [(k, e.code, e.node) for k, e in caught.value.errors.items()] == [
        ("b:2", "WRONGPASS", "b:2")
    ]
    assert len(caught.value.outcomes) == 2


def test_a_failure_that_the_command_can_bear_is_an_outcome(codec: Codec) -> None:
    reply = codec.response(OK, response(value={"integer": 1}, outcomes=ONE_FAILED))
    assert reply.value == 1
    assert [outcome.error is None for outcome in reply.outcomes] == [True, False]


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (Status.INVALID_ARGUMENT, "", "RequestError"),
        (Status.DECODE, "", "RequestError"),
        (Status.CONFIG, "", "ConfigurationError"),
        (Status.ROUTE, "", "RequestError"),
        (Status.SERVER, "WRONGTYPE", "RequestError"),
        (Status.SERVER, "EXECABORT", "ExecAbortError"),
        (Status.TIMEOUT, "", "TimeoutError"),
        (Status.CONNECTION, "", "ConnectionError"),
        (Status.CLOSED, "", "ClosingError"),
        (Status.BUSY, "", "RequestError"),
        (Status.CANCELLED, "", "RequestError"),
        (Status.FORKED, "", "ClosingError"),
        (Status.INTERNAL, "", "RequestError"),
    ],
)
def test_each_status_is_raised_as_its_error(
    codec: Codec, status: Status, code: str, kind: str
) -> None:
    data = response(error={"status": int(status), "message": "why", "code": code})
    with pytest.raises(Exception, match=r"^why$") as caught:
        codec.value(status, data)
    assert type(caught.value).__name__ == kind
    assert vars(caught.value)["status"] is status


@pytest.mark.parametrize(
    "size", [0, 1, 10, 122, 123, 124, 125, 126, 127, 128, 129, 130, 131, 1000, 16375, 16384, 70000]
)
def test_a_bulk_string_of_any_size_is_read_the_same_with_and_without_a_message(size: int) -> None:
    text = bytes(range(256)) * (size // 256 + 1)
    data = response(value={"bulk": text[:size]})
    assert decoding.bulk(data) == text[:size]
    assert Codec(messages.load()).value(0, data) == text[:size]


@given(st.binary(max_size=200))
def test_what_is_not_one_bulk_string_is_left_to_the_message(text: bytes) -> None:
    for other in (
        response(value={"simple": text}),
        response(value={"bulk": text}, callback_idx=1),
        response(value={"bulk": text}, outcomes=[{"sent": True}]),
        response(value={"bulks": {"items": [text]}}),
    ):
        assert decoding.bulk(other) is None


@given(st.binary(max_size=300))
def test_any_bytes_give_what_the_message_gives(data: bytes) -> None:
    found = decoding.bulk(data)
    if found is not None:
        message = messages.load().response.FromString(data)
        assert (message.value.bulk, message.value.WhichOneof("kind")) == (found, "bulk")
