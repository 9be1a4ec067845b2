"""Requests that cannot be done."""

from __future__ import annotations

from glide_sync import ListDirection

from calls.call import call


def custom(*words: str) -> object:
    """A command as its words."""
    return call("custom_command", list(words))


CALLS = [
    call("set", "{k}s", "text"),
    call("lpush", "{k}s", ["a"]),
    call("hget", "{k}s", "f"),
    call("hgetall", "{k}s"),
    call("smembers", "{k}s"),
    call("zrange_withscores", "{k}s", None),
    call("zscore", "{k}s", "m"),
    call("xlen", "{k}s"),
    call("incr", "{k}s"),
    call("incrbyfloat", "{k}s", 1.0),
    call("expire", "{k}s", 10**15),
    call("setbit", "{k}s", -1, 1),
    call("getrange", "{k}none", 0, -1),
    call("set", "{k}s", 5),
    call("lset", "{k}none", 0, "v"),
    call("rename", "{k}none", "{k}other"),
    call("blpop", ["{k}none"], -1),
    call("brpop", ["{k}none"], -0.5),
    call("blmpop", ["{k}none"], ListDirection.LEFT, -1),
    custom("NOSUCHCOMMAND"),
    custom("nosuchcommand", "a", "b"),
    custom("CONFIG", "NOSUCH"),
    custom("GET"),
    custom("GET", "a", "b"),
    custom("MSET", "a"),
    custom("SET", "{k}s", "v", "NOSUCHOPTION"),
    custom("XADD", "{k}x", "not-an-id", "f", "v"),
    custom("XGROUP", "CREATE", "{k}none", "g", "$"),
    custom("BLPOP", "{k}none", "soon"),
    custom("BLPOP", "{k}none", "1e30"),
    custom("WAIT", "0", "-5"),
    custom("XREAD", "BLOCK", "-1", "STREAMS", "{k}none", "0"),
    custom("OBJECT", "FREQ", "{k}s"),
    custom("AUTH", "no", "such"),
    custom("FCALL", "none", "0"),
    custom("RESTORE", "{k}r", "0", "odd"),
    custom("SINTERSTORE", "a", "b"),
    custom("SUNION", "a", "b"),
    custom("RENAME", "a", "b"),
    custom("EXEC"),
    custom("DISCARD"),
    custom("CLUSTER", "ADDSLOTS", "1"),
    custom("DEBUG", "NOSUCH"),
    custom("CLIENT", "NOSUCH"),
    custom("SCRIPT", "NOSUCH"),
]
