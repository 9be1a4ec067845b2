"""Lists, also those that are waited for."""

from __future__ import annotations

from glide_sync import InsertPosition, Limit, ListDirection, OrderBy

from calls.call import call

LEFT, RIGHT = ListDirection.LEFT, ListDirection.RIGHT

CALLS = [
    call("lpush", "{k}l", ["a", "b", "c"]),
    call("rpush", "{k}l", ["d", b"\x00"]),
    call("lpushx", "{k}none", ["a"]),
    call("rpushx", "{k}l", ["e"]),
    call("lrange", "{k}l", 0, -1),
    call("lrange", "{k}none", 0, -1),
    call("lindex", "{k}l", 1),
    call("lindex", "{k}l", 100),
    call("lset", "{k}l", 0, "z"),
    call("lset", "{k}l", 100, "z"),
    call("linsert", "{k}l", InsertPosition.BEFORE, "d", "i"),
    call("linsert", "{k}l", InsertPosition.AFTER, "none", "i"),
    call("llen", "{k}l"),
    call("lpos", "{k}l", "d"),
    call("lpos", "{k}l", "none"),
    call("lpos", "{k}l", "d", rank=-1, count=0, max_len=100),
    call("lrem", "{k}l", 0, "i"),
    call("ltrim", "{k}l", 0, 4),
    call("lpop", "{k}l"),
    call("lpop", "{k}none"),
    call("lpop_count", "{k}l", 2),
    call("lpop_count", "{k}none", 2),
    call("rpop", "{k}l"),
    call("rpop_count", "{k}l", 5),
    call("rpop_count", "{k}none", 5),
    call("rpush", "{k}l", ["1", "2", "3", "4", "5", "6", "7", "8"]),
    call("lmove", "{k}l", "{k}m", LEFT, RIGHT),
    call("lmove", "{k}none", "{k}m", LEFT, RIGHT),
    call("blmove", "{k}l", "{k}m", RIGHT, LEFT, 0.1),
    call("blmove", "{k}none", "{k}m", RIGHT, LEFT, 0.1),
    call("lmpop", ["{k}none", "{k}l"], LEFT),
    call("lmpop", ["{k}l"], RIGHT, 2),
    call("lmpop", ["{k}none"], RIGHT),
    call("blmpop", ["{k}l"], LEFT, 0.1, 1),
    call("blmpop", ["{k}none"], LEFT, 0.1),
    call("blpop", ["{k}none", "{k}l"], 0.1),
    call("blpop", ["{k}none"], 0.1),
    call("brpop", ["{k}l"], 0.1),
    call("brpop", ["{k}none"], 0.1),
    call("rpush", "{k}sort", ["3", "1", "2"]),
    call("sort", "{k}sort"),
    call("sort", "{k}sort", limit=Limit(1, 2), order=OrderBy.DESC),
    call("sort", "{k}sort", alpha=True, get_patterns=["#"]),
    call("sort_ro", "{k}sort", order=OrderBy.ASC),
    call("sort_store", "{k}sort", "{k}sorted", order=OrderBy.DESC),
    call("lrange", "{k}sorted", 0, -1),
    call("sort", "{k}m", alpha=False),
]
