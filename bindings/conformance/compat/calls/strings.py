"""Strings, bitmaps and counters."""

from __future__ import annotations

from typing import Any

from glide_sync import (
    BitEncoding,
    BitFieldGet,
    BitFieldIncrBy,
    BitFieldOverflow,
    BitFieldSet,
    BitmapIndexType,
    BitOffset,
    BitOffsetMultiplier,
    BitOverflowControl,
    BitwiseOperation,
    ConditionalChange,
    ExpirySet,
    ExpiryType,
    OffsetOptions,
    OnlyIfEqual,
    SignedEncoding,
    UnsignedEncoding,
)
from glide_sync import ExpiryGetEx as Getex
from glide_sync import ExpiryTypeGetEx as GetexType

from calls.call import Step, call, shape

U4: BitEncoding = UnsignedEncoding(4)
BYTES = bytes(range(256))


def into_buffer(client: Any) -> Any:
    """GET into memory of the caller's."""
    client.set("{k}v", BYTES)
    room = bytearray(300)
    return client.get("{k}v", buffer=memoryview(room)), bytes(room)


def into_buffers(client: Any) -> Any:
    """MGET into memory of the caller's, with a key that is not there."""
    client.mset({"{k}1": "one", "{k}2": "two"})
    rooms = [bytearray(5) for _ in range(3)]
    keys = ["{k}1", "{k}none", "{k}2"]
    return client.mget(keys, buffers=[memoryview(room) for room in rooms]), rooms


def too_small(client: Any) -> Any:
    """A buffer without enough room stays as it was."""
    client.set("{k}v", "12345")
    room = bytearray(4)
    try:
        client.get("{k}v", buffer=memoryview(room))
    except Exception as fault:
        return fault.with_traceback(None), room
    return "it fitted"


CALLS = [
    call("set", "{k}s", "value"),
    call("set", "{k}s", b"\x00\xff", return_old_value=True),
    call("get", "{k}s"),
    call("get", "{k}none"),
    call("get", b"{k}s"),
    call("set", "{k}s", "x", conditional_set=ConditionalChange.ONLY_IF_DOES_NOT_EXIST),
    call("set", "{k}s", "x", conditional_set=ConditionalChange.ONLY_IF_EXISTS),
    call("set", "{k}s", "y", conditional_set=OnlyIfEqual("x")),
    call("set", "{k}s", "z", conditional_set=OnlyIfEqual("no")),
    call("set", "{k}e", "z", expiry=ExpirySet(ExpiryType.SEC, 1000)),
    shape("ttl", "{k}e"),
    call("getex", "{k}e", Getex(GetexType.PERSIST, None)),
    call("getex", "{k}e"),
    call("ttl", "{k}e"),
    call("set", "{k}big", b"x" * 200_000),
    call("get", "{k}big"),
    call("set", "{k}empty", ""),
    call("get", "{k}empty"),
    call("set", "{k}OK", "OK"),
    call("get", "{k}OK"),
    call("append", "{k}a", "abc"),
    call("append", "{k}a", "def"),
    call("getrange", "{k}a", 1, -2),
    call("strlen", "{k}a"),
    call("strlen", "{k}none"),
    call("setrange", "{k}a", 3, "XYZ"),
    call("getdel", "{k}a"),
    call("getdel", "{k}a"),
    call("delifeq", "{k}s", "no"),
    call("delifeq", "{k}s", "y"),
    call("incr", "{k}n"),
    call("incrby", "{k}n", 41),
    call("incrbyfloat", "{k}f", 1.5),
    call("incrbyfloat", "{k}f", 1e3),
    call("decr", "{k}n"),
    call("decrby", "{k}n", 2),
    call("incr", "{k}empty"),
    call("mset", {"{k}1": "one", "{k}2": "two"}),
    call("mget", ["{k}1", "{k}none", "{k}2"]),
    call("msetnx", {"{k}1": "one", "{k}3": "three"}),
    call("msetnx", {"{k}4": "four", "{k}5": "five"}),
    call("set", "{k}l1", "ohmytext"),
    call("set", "{k}l2", "mynewtext"),
    call("lcs", "{k}l1", "{k}l2"),
    call("lcs_len", "{k}l1", "{k}l2"),
    call("lcs_idx", "{k}l1", "{k}l2"),
    call("lcs_idx", "{k}l1", "{k}l2", min_match_len=4, with_match_len=True),
    call("setbit", "{k}b", 7, 1),
    call("setbit", "{k}b", 7, 0),
    call("setbit", "{k}b", 1, 1),
    call("getbit", "{k}b", 1),
    call("getbit", "{k}b", 100),
    call("set", "{k}bits", "foobar"),
    call("bitcount", "{k}bits"),
    call("bitcount", "{k}bits", OffsetOptions(1, 1)),
    call("bitcount", "{k}bits", OffsetOptions(5, 30, BitmapIndexType.BIT)),
    call("bitpos", "{k}bits", 1),
    call("bitpos", "{k}bits", 0, OffsetOptions(2)),
    call("bitop", BitwiseOperation.AND, "{k}and", ["{k}bits", "{k}b"]),
    call("bitop", BitwiseOperation.NOT, "{k}not", ["{k}bits"]),
    call("get", "{k}not"),
    call("bitfield", "{k}bf", [BitFieldSet(U4, BitOffset(1), 6), BitFieldGet(U4, BitOffset(1))]),
    call("bitfield", "{k}bf", [BitFieldIncrBy(SignedEncoding(5), BitOffsetMultiplier(2), 3)]),
    call(
        "bitfield",
        "{k}bf",
        [
            BitFieldOverflow(BitOverflowControl.FAIL),
            BitFieldIncrBy(UnsignedEncoding(2), BitOffset(100), 10),
        ],
    ),
    call("bitfield_read_only", "{k}bf", [BitFieldGet(U4, BitOffset(1))]),
    call("pfadd", "{k}hll", ["a", "b", "c"]),
    call("pfadd", "{k}hll", ["a"]),
    call("pfadd", "{k}hll2", ["c", "d"]),
    call("pfcount", ["{k}hll", "{k}hll2"]),
    call("pfmerge", "{k}hll3", ["{k}hll", "{k}hll2"]),
    call("pfcount", ["{k}hll3"]),
    Step("get", into_buffer),
    Step("mget", into_buffers),
    Step("get", too_small),
]
