"""Streams and their groups."""

from __future__ import annotations

from glide_sync import (
    ExclusiveIdBound,
    IdBound,
    MaxId,
    MinId,
    StreamAddOptions,
    StreamClaimOptions,
    StreamGroupOptions,
    StreamPendingOptions,
    StreamReadGroupOptions,
    StreamReadOptions,
    TrimByMaxLen,
    TrimByMinId,
)

from calls.call import call, shape


def entry(number: int) -> StreamAddOptions:
    """The options of an entry with a given id."""
    return StreamAddOptions(id=f"{number}-1")


CALLS = [
    call("xadd", "{k}x", [("f", "1"), ("g", b"\xff")], entry(1)),
    call("xadd", "{k}x", [("f", "2")], entry(2)),
    call("xadd", "{k}x", [("f", "3")], entry(3)),
    call("xadd", "{k}x", [("f", "0")], entry(1)),
    shape("xadd", "{k}auto", [("f", "v")]),
    call("xadd", "{k}none", [("f", "v")], StreamAddOptions(make_stream=False)),
    call("xlen", "{k}x"),
    call("xrange", "{k}x", MinId(), MaxId()),
    call("xrange", "{k}x", IdBound("2-1"), MaxId(), 1),
    call("xrange", "{k}none", MinId(), MaxId()),
    call("xrevrange", "{k}x", MaxId(), ExclusiveIdBound("1-1")),
    call("xread", {"{k}x": "1-1"}),
    call("xread", {"{k}x": "0", "{k}none": "0"}, StreamReadOptions(count=1)),
    call("xread", {"{k}x": "9-9"}),
    call("xread", {"{k}x": "9-9"}, StreamReadOptions(block_ms=50)),
    call("xread", {"{k}x": "0-0"}, StreamReadOptions(block_ms=50, count=2)),
    call("xgroup_create", "{k}x", "g", "0"),
    call("xgroup_create", "{k}x", "g", "0"),
    call("xgroup_create", "{k}new", "g", "$", StreamGroupOptions(make_stream=True)),
    call("xgroup_create_consumer", "{k}x", "g", "c"),
    call("xgroup_create_consumer", "{k}x", "g", "c"),
    call("xreadgroup", {"{k}x": ">"}, "g", "c", StreamReadGroupOptions(count=2)),
    call("xreadgroup", {"{k}x": ">"}, "g", "c"),
    call("xreadgroup", {"{k}x": ">"}, "g", "c", StreamReadGroupOptions(block_ms=50)),
    call("xreadgroup", {"{k}x": "0"}, "g", "c"),
    call("xreadgroup", {"{k}x": ">"}, "none", "c"),
    call("xpending", "{k}x", "g"),
    call("xpending", "{k}new", "g"),
    shape("xpending_range", "{k}x", "g", MinId(), MaxId(), 10),
    call(
        "xpending_range",
        "{k}x",
        "g",
        MinId(),
        MaxId(),
        10,
        StreamPendingOptions(consumer_name="none"),
    ),
    call("xclaim", "{k}x", "g", "d", 0, ["1-1", "9-9"]),
    call("xclaim", "{k}x", "g", "d", 0, ["2-1"], StreamClaimOptions(retry_count=3)),
    call("xclaim_just_id", "{k}x", "g", "d", 0, ["3-1"]),
    call("xautoclaim", "{k}x", "g", "c", 0, "0-0", 2),
    call("xautoclaim_just_id", "{k}x", "g", "d", 0, "0-0"),
    call("xautoclaim", "{k}new", "g", "c", 0, "0-0"),
    call("xack", "{k}x", "g", ["1-1", "9-9"]),
    call("xinfo_groups", "{k}x"),
    call("xinfo_groups", "{k}new"),
    shape("xinfo_consumers", "{k}x", "g"),
    shape("xinfo_consumers", "{k}new", "g"),
    call("xinfo_stream", "{k}x"),
    shape("xinfo_stream_full", "{k}x"),
    shape("xinfo_stream_full", "{k}new", 1),
    call("xinfo_stream", "{k}none"),
    call("xgroup_set_id", "{k}x", "g", "2-1"),
    call("xgroup_set_id", "{k}x", "g", "1-1", 1),
    call("xgroup_del_consumer", "{k}x", "g", "d"),
    call("xgroup_destroy", "{k}x", "g"),
    call("xgroup_destroy", "{k}x", "g"),
    call("xdel", "{k}x", ["2-1", "9-9"]),
    call("xtrim", "{k}x", TrimByMaxLen(exact=True, threshold=1)),
    call("xtrim", "{k}x", TrimByMinId(exact=True, threshold="9-9")),
]
