"""Sets."""

from __future__ import annotations

from calls.call import call

CALLS = [
    call("sadd", "{k}s", ["a", "b", "c"]),
    call("sadd", "{k}s", ["a", b"\xfe"]),
    call("sadd", "{k}t", ["b", "c", "d"]),
    call("sadd", "{k}one", ["x"]),
    call("smembers", "{k}s"),
    call("smembers", "{k}none"),
    call("scard", "{k}s"),
    call("sismember", "{k}s", "a"),
    call("sismember", "{k}s", "none"),
    call("sismember_if_exists", "{k}s", "a"),
    call("sismember_if_exists", "{k}none", "a"),
    call("smismember", "{k}s", ["a", "none", "b"]),
    call("smismember", "{k}none", ["a"]),
    call("smove", "{k}s", "{k}t", "a"),
    call("smove", "{k}s", "{k}t", "none"),
    call("srem", "{k}s", ["b", "none"]),
    call("sunion", ["{k}s", "{k}t"]),
    call("sunionstore", "{k}u", ["{k}s", "{k}t"]),
    call("sinter", ["{k}s", "{k}t"]),
    call("sinter", ["{k}s", "{k}none"]),
    call("sinterstore", "{k}i", ["{k}s", "{k}t"]),
    call("sintercard", ["{k}s", "{k}t"]),
    call("sintercard", ["{k}u", "{k}t"], limit=2),
    call("sdiff", ["{k}t", "{k}s"]),
    call("sdiffstore", "{k}d", ["{k}t", "{k}s"]),
    call("srandmember", "{k}one"),
    call("srandmember", "{k}none"),
    call("srandmember_count", "{k}one", 2),
    call("srandmember_count", "{k}one", -2),
    call("srandmember_count", "{k}none", 2),
    call("sscan", "{k}one", "0"),
    call("sscan", "{k}one", "0", match="y*", count=5),
    call("spop", "{k}one"),
    call("spop", "{k}one"),
    call("spop_count", "{k}t", 100),
    call("spop_count", "{k}t", 100),
]
