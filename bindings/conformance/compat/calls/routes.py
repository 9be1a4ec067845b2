"""Requests that name where they go; of a cluster only."""

from __future__ import annotations

from typing import Any

from glide_sync import (
    AllNodes,
    AllPrimaries,
    ByAddressRoute,
    ClusterBatch,
    ClusterBatchOptions,
    InfoSection,
    RandomNode,
    Route,
    Script,
    SlotIdRoute,
    SlotKeyRoute,
    SlotType,
)

from calls.call import Call, Step, call, made, shape, text

PRIMARY, REPLICA = SlotType.PRIMARY, SlotType.REPLICA
SINGLE: list[Route] = [
    SlotKeyRoute(PRIMARY, "foo"),
    SlotKeyRoute(REPLICA, "foo"),
    SlotKeyRoute(PRIMARY, "{foo}bar"),
    SlotIdRoute(PRIMARY, 0),
    SlotIdRoute(REPLICA, 16383),
]
SEVERAL: list[Route] = [AllNodes(), AllPrimaries()]
CODE = "#!lua name=routed\nredis.register_function{function_name='one', flags={'no-writes'}, "
CODE += "callback=function() return 1 end}"


def each(method: str, *args: Any, judge: str = "exact", **kwargs: Any) -> list[Call]:
    """A call on every route that leads to the same nodes each time."""
    return [Call(method, args, {**kwargs, "route": route}, judge) for route in [*SINGLE, *SEVERAL]]


def by_address(client: Any) -> Any:
    """Every node of the cluster, by its address, says which it is."""
    names = client.config_get(["port"], route=AllNodes())
    said = {}
    for name in names:
        host, port = name.decode().rsplit(":", 1)
        one = client.config_get(["port"], route=ByAddressRoute(host, int(port)))
        other = client.config_get(["port"], route=ByAddressRoute(name.decode()))
        said[name] = one, other
    return said


def batch_on(route: Route, atomic: bool) -> Step:
    """A batch that goes to one node as a whole."""

    def run(client: Any) -> Any:
        batch = ClusterBatch(atomic)
        batch.config_get(["port"])
        batch.ping()
        return client.exec(batch, True, ClusterBatchOptions(route=route))

    kind = "atomic" if atomic else "pipeline"
    return Step("exec", run, label=f"{kind} on {text(route)}")


CALLS = [
    *each("ping"),
    *each("ping", "hello"),
    *each("echo", "hello"),
    *each("config_get", ["port"]),
    *each("config_get", ["port", "appendonly"]),
    *each("info", [InfoSection.CLUSTER]),
    *each("dbsize"),
    *each("time", judge="shape"),
    *each("lastsave", judge="shape"),
    *each("client_id", judge="shape"),
    *each("client_getname"),
    *each("client_tracking_info"),
    *each("config_set", {"lua-time-limit": "5000"}),
    *each("config_resetstat"),
    *each("config_rewrite"),
    *each("memory_doctor", judge="shape"),
    *each("memory_malloc_stats", judge="shape"),
    *each("memory_purge"),
    *each("memory_stats", judge="kind"),
    *each("latency_history", "command"),
    *each("latency_latest"),
    *each("latency_reset"),
    *each("lolwut", judge="shape"),
    *each("lolwut", 5, [10, 2, 2], judge="shape"),
    *each("script_exists", ["0" * 40]),
    *each("script_flush"),
    *each("script_kill"),
    *each("function_flush"),
    *each("function_load", CODE, True),
    *each("function_list"),
    *each("function_stats"),
    *each("fcall_route", "one"),
    *each("fcall_ro_route", "one", ["x"]),
    *each("function_dump"),
    *each("function_restore", b"odd"),
    *each("function_delete", "none"),
    *each("function_kill"),
    *each("invoke_script_route", made(lambda: Script("return {ARGV[1], 2}")), ["x"]),
    *each("wait", 0, 50, judge="shape"),
    *each("client_unpause"),
    *each("save"),
    *each("bgsave_cancel"),
    *each("flushdb"),
    *each("flushall"),
    *each("random_key"),
    *each("custom_command", ["DBSIZE"]),
    *each("custom_command", ["PUBSUB", "CHANNELS"]),
    *each("custom_command", ["PUBSUB", "NUMSUB", "a"]),
    *each("custom_command", ["CLUSTER", "MYID"]),
    *each("custom_command", ["ACL", "WHOAMI"]),
    *each("custom_command", ["NOSUCH"]),
    *each("custom_command", ["GET", "foo"]),
    *each("custom_command", ["HGETALL", "foo"]),
    *each("custom_command", ["SLOWLOG", "LEN"], judge="shape"),
    *each("custom_command", ["CONFIG", "GET", "port"]),
    *each("custom_command", ["KEYS", "*"]),
    call("custom_command", ["SET", "foo", "1"], route=SlotKeyRoute(PRIMARY, "foo")),
    call("custom_command", ["SET", "foo", "2"], route=SlotKeyRoute(PRIMARY, "bar")),
    call("custom_command", ["SET", "foo", "3"], route=AllNodes()),
    call("custom_command", ["GET", "foo"], route=AllPrimaries()),
    shape("custom_command", ["CONFIG", "GET", "port"], route=RandomNode()),
    shape("ping", route=RandomNode()),
    shape("info", route=RandomNode()),
    call("custom_command", ["GET", "foo"], route=RandomNode()),
    call("config_get", ["port"], route=SlotIdRoute(PRIMARY, 99999)),
    call("config_get", ["port"], route=ByAddressRoute("127.0.0.1", 1)),
    Step("config_get", by_address),
    *(batch_on(route, atomic) for route in SINGLE for atomic in (False, True)),
]
