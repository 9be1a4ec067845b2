"""Scripts and functions."""

from __future__ import annotations

from typing import Any

from glide_sync import FlushMode, FunctionRestorePolicy, Script

from calls.call import Step, call, unordered

CODE = """#!lua name=library
redis.register_function{function_name='echo', callback=function(keys, args) return args[1] end,
    flags={'no-writes'}}
redis.register_function('put', function(keys, args)
    return redis.call('SET', keys[1], args[1])
end)"""
NONE = "0" * 40


def script(code: str, **given: Any) -> Step:
    """Call a script that is made for it, and gone afterwards."""

    def run(client: Any) -> Any:
        return client.invoke_script(Script(code), **given)

    return Step("invoke_script", run, label=code)


def shown(client: Any) -> Any:
    """SCRIPT SHOW of a script that is loaded, by its digits."""
    loaded = Script("return 'shown'")
    return client.invoke_script(loaded), client.script_show(loaded.get_hash())


def once_more(client: Any) -> Any:
    """A script that the servers forgot is loaded again."""
    kept = Script("return redis.call('INCR', KEYS[1])")
    first = client.invoke_script(kept, keys=["{k}n"])
    client.script_flush()
    exists = client.script_exists([kept.get_hash(), NONE])
    return first, exists, client.invoke_script(kept, keys=["{k}n"]), kept.get_hash()


def keyless(client: Any) -> Any:
    """A function without keys, by a name in bytes."""
    return client.fcall(b"echo", arguments=["hello"])


def dumped(client: Any) -> Any:
    """FUNCTION DUMP, and all of it put back."""
    dump = client.function_dump()
    client.function_flush()
    return dump, client.function_restore(dump), client.fcall("echo", arguments=["again"])


CALLS = [
    script("return 'bulk'"),
    script("return {KEYS[1], ARGV[1], ARGV[2]}", keys=["{k}a"], args=["1", b"\xff"]),
    script("return {1, {2, 'three'}, false, 4}"),
    script("return redis.call('SET', KEYS[1], 'v')", keys=["{k}a"]),
    script("return redis.call('HGETALL', KEYS[1])", keys=["{k}none"]),
    script("return 3.9"),
    script("return {ok='fine'}"),
    script("return redis.error_reply('MINE it is')"),
    script("return redis.call('INCR', KEYS[1])", keys=["{k}a"]),
    script("this is no code"),
    script("server.setresp(3); return {double=1.5}"),
    script("server.setresp(3); return {map={a=1}}"),
    script("server.setresp(3); return true"),
    Step("script_show", shown),
    Step("script_exists", once_more),
    call("script_show", NONE),
    call("script_exists", [NONE, NONE]),
    call("script_flush", FlushMode.SYNC),
    call("script_flush"),
    call("script_kill"),
    call("function_flush"),
    call("function_load", CODE),
    call("function_load", CODE),
    call("function_load", CODE, True),
    call("function_load", "no code"),
    unordered("function_list"),
    unordered("function_list", "lib*", True),
    call("function_list", "none*"),
    call("function_stats"),
    Step("fcall", keyless),
    call("fcall", "echo", ["{k}f"], ["hello"]),
    call("fcall", "put", ["{k}f"], ["v"]),
    call("fcall_ro", "echo", ["{k}f"], ["hello"]),
    call("fcall_ro", "put", ["{k}f"], ["v"]),
    call("fcall", "none", ["{k}f"]),
    Step("function_dump", dumped),
    call("function_restore", b"odd"),
    call("function_delete", "library"),
    call("function_delete", "library"),
    call("function_restore", b"odd", FunctionRestorePolicy.FLUSH),
    call("function_kill"),
    call("function_flush", FlushMode.ASYNC),
    call("custom_command", ["EVAL", "return {1, ARGV[1]}", "0", "x"]),
    call("custom_command", ["EVALSHA", NONE, "0"]),
    call("custom_command", ["EVAL_RO", "return redis.call('SET', KEYS[1], '1')", "1", "{k}a"]),
]
