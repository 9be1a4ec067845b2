"""Faults that are injected into the library, which is built for that, and what it makes of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import Cluster, run

TOP = Path(__file__).resolve().parents[3]
LIBRARY = TOP / "build" / "faults" / "libglide.so.1"

BEGIN = """
import ctypes, json, os, select, sys, threading, time
import libglide
from libglide import AllNodes, Client, Node, ReadFrom, Router, Shard, SlotKeyRoute, SlotType
from libglide import Topology
from libglide import library, messages

address = sys.argv[1]
glide = library.load()
classes = messages.load()
topology = Topology([Shard([(0, 16383)], Node("127.0.0.1", 7000))])
client = Client.connect(address, request_timeout=5.0, connection_timeout=10.0)
router, session = Router(topology), client.session("forked")
ping = client._codec.request(("PING",))
config = classes.connection_request.FromString(b"")
host, _, port = address.rpartition(":")
config.addresses.add(host=host, port=int(port))
config.cluster_mode_enabled = True
config.client_name = "faults"
config = config.SerializeToString()
opening = client._codec.opening(SlotKeyRoute(SlotType.PRIMARY, "faults"), None)
own = client._codec.routing(topology, ReadFrom.PRIMARY, None)

get = client._codec.request(("GET", "faults"))

class Submitted:
    def __init__(self):
        self.client = Client.connect(address, request_timeout=5.0)
        self.handle = self.client._handle
        glide.execute(self.handle, get)
        self.session = self.client.session("faults")
        self.completions = glide.completions(self.handle)
        self.watch = select.poll()
        self.watch.register(glide.event_fd(self.handle), select.POLLIN)
        self.tag = 0

    def submit(self, request, in_session=False):
        self.tag += 1
        if in_session:
            return glide.session_submit(self.session._handle, request, len(request), self.tag)
        return glide.submit(self.handle, request, len(request), self.tag)

    def take(self):
        while True:
            assert self.watch.poll(10_000)
            for tag, status, data, _ in self.completions.take()[1]:
                assert tag == self.tag
                return status, None, data

    def __call__(self, request, in_session=False):
        status = self.submit(request, in_session)
        return self.take() if status == 0 else (status, None, b"")

submitted = Submitted()

calls = {
    "glideGoClientLimit": lambda: (limited(), None, b""),
    "glideGoClientSubmit": lambda: submitted(get),
    "glideGoKeySlot": lambda: (glide.key_slot(b"foo"), None, b""),
    "glideGoSchema": lambda: (glide.schema()[0], None, b""),
    "glideGoSetLog": lambda: (glide.set_log(0, None), None, b""),
    "glideGoLogSettled": lambda: (glide.set_log(0, None), None, b""),
    "glideGoClientOpen": lambda: glide.open(config),
    "glideGoClientExecute": lambda: with_handle(glide.execute(client._handle, ping)),
    "glideGoClientResolve": lambda: with_handle(glide.resolve(client._handle, ping)),
    "glideGoClientTopology": lambda: with_handle(glide.topology(client._handle)),
    "glideGoClientStatistics": lambda: with_handle(glide.statistics(client._handle)),
    "glideGoClientClose": lambda: (glide.close(opened()), None, b""),
    "glideGoSessionOpen": lambda: glide.session_open(client._handle, opening),
    "glideGoSessionExecute": lambda: with_handle(glide.session_execute(session._handle, ping)),
    "glideGoSessionClient": lambda: submitted(ping, in_session=True),
    "glideGoSessionSubmit": lambda: submitted(ping, in_session=True),
    "glideGoSessionClose": lambda: (glide.session_close(opened_session()), None, b""),
    "glideGoRouterOpen": lambda: glide.router_open(own),
    "glideGoRouterResolve": lambda: with_handle(glide.router_resolve(router._handle, ping)),
    "glideGoRouterClose": lambda: (glide.router_close(opened_router()), None, b""),
}

def with_handle(answer):
    return answer[0], None, answer[1]

def limited():
    handle = opened()
    descriptor = glide.event_fd(handle)
    with fault(""):
        glide.close(handle)
    return max(0, -descriptor)

def opened():
    with fault(""):
        return glide.open(config)[1]

def opened_session():
    with fault(""):
        return glide.session_open(client._handle, opening)[1]

def opened_router():
    with fault(""):
        return glide.router_open(own)[1]

class fault:
    def __init__(self, place):
        self.place = place
    def __enter__(self):
        self.before = os.environ.get("LIBGLIDE_FAULT", "")
        os.environ["LIBGLIDE_FAULT"] = self.place
    def __exit__(self, *_):
        os.environ["LIBGLIDE_FAULT"] = self.before

def tell(place, status, handle, data):
    message = classes.response.FromString(data).error.message
    print(json.dumps([place, status, handle, message]), flush=True)
"""


def answers(program: str, cluster: Cluster) -> list[list[object]]:
    """What a program with the faulty library tells, line by line."""
    if not LIBRARY.exists():
        pytest.fail("run `make build/faults/libglide.so.1`", pytrace=False)
    done = run(BEGIN + program, cluster.primaries[0], LIBGLIDE_LIBRARY=str(LIBRARY))
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def exports() -> set[str]:
    """Every function of Go that C calls."""
    sources = "\n".join(path.read_text("utf-8") for path in (TOP / "ffi").glob("*.go"))
    return set(re.findall(r"^//export (\w+)$", sources, re.MULTILINE))


WITHOUT_RESPONSE = {
    "glideGoSchema",
    "glideGoSetLog",
    "glideGoLogSettled",
    "glideGoClientClose",
    "glideGoClientLimit",
    "glideGoRouterClose",
    "glideGoSessionClient",
    "glideGoSessionClose",
}
INTERNAL = 13


def test_a_panic_in_any_export_is_an_error_that_names_its_place_and_the_library_goes_on(
    cluster: Cluster,
) -> None:
    program = """
for place, call in calls.items():
    with fault(place):
        tell(place, *call())
    tell("then", *call())
"""
    told = answers(program, cluster)
    names = set()
    for (place, status, handle, message), then in zip(told[::2], told[1::2]):
        names.add(place)
        assert then[1] == (12182 if place == "glideGoKeySlot" else 0), then
        if place == "glideGoKeySlot":
            assert status == -1
            continue
        assert status == INTERNAL, place
        assert not handle
        if place not in WITHOUT_RESPONSE:
            assert re.fullmatch(rf"panic: the fault of {place} at .*fault\.go:\d+", str(message))
    # Those that only threads in calls come to, or who polls, have tests of their own.
    others = {"glideGoCallLead", "glideGoCallLeave", "glideGoCallCollect", "glideGoClientEvents"}
    assert names | others == exports()


def test_after_a_panic_of_who_polls_a_goroutine_reads_the_reply(cluster: Cluster) -> None:
    program = """
for _ in range(20):
    with fault("glideGoCallCollect"):
        tell("collected", *submitted(get))
    tell("then", *submitted(get))
"""
    told = answers(program, cluster)
    assert [status for _, status, _, _ in told] == [0] * 40


def test_a_panic_where_events_are_taken_is_told_and_the_events_come_later(
    cluster: Cluster,
) -> None:
    program = """
subscription = client.subscribe("faults:events")
with fault("glideGoClientEvents"):
    client.execute("PUBLISH", "faults:events", "kept")
    try:
        subscription.get(20)
    except libglide.RequestError as error:
        print(json.dumps(["told", error.status, None, str(error)]))
print(json.dumps(["then", 0, None, subscription.get(20).payload.decode()]))

class Polled(Submitted):
    def take(self):
        while True:
            assert self.watch.poll(10_000)
            for _, status, data, kind in self.completions.take()[1]:
                if kind == 1:
                    return status, None, data

polled = Polled()
with fault("glideGoClientEvents"):
    glide.execute(polled.handle, client._codec.channels(0, [b"faults:polled"], False))
    tell("told", *polled.take())
response = classes.response.FromString(polled.take()[2])
print(json.dumps(["then", response.events[0].kind, None, response.events[0].names[0].decode()]))
"""
    told = answers(program, cluster)
    for _, status, _, message in told[::2]:
        assert status == INTERNAL
        assert re.fullmatch(
            r"panic: the fault of glideGoClientEvents at .*fault\.go:\d+", str(message)
        )
    assert told[1::2] == [["then", 0, None, "kept"], ["then", 1, None, "faults:polled"]]


def test_a_panic_while_a_request_is_cancelled_is_its_error(cluster: Cluster) -> None:
    program = """
blpop = client._codec.request(("BLPOP", "{faults}never", 0))
assert submitted.submit(blpop) == 0
with fault("glideGoCallLeave"):
    assert glide.cancel(submitted.handle, submitted.tag) == 0
    tell("cancelled", *submitted.take())
tell("then", *submitted(get))
"""
    told = answers(program, cluster)
    assert [status for _, status, _, _ in told] == [INTERNAL, 0]


def test_a_panic_of_a_thread_that_leads_is_its_own_error_and_others_go_on(cluster: Cluster) -> None:
    program = """
statuses = {}
get = client._codec.request(("GET", "faults"))
end = time.monotonic() + 20

def work():
    while 13 not in statuses and time.monotonic() < end:
        status, data = glide.execute(client._handle, get)
        statuses[status] = classes.response.FromString(data).error.message

threads = [threading.Thread(target=work) for _ in range(8)]
with fault("glideGoCallLead"):
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
for status in sorted(statuses):
    tell("lead", status, None, classes.response(error={"message": statuses[status]})
         .SerializeToString())
for _ in range(100):
    assert client.execute("SET", "faults", "x") == "OK"
"""
    (_, fine, _, _), (_, status, _, message) = answers(program, cluster)
    assert (fine, status) == (0, INTERNAL)
    assert re.fullmatch(r"panic: the fault of glideGoCallLead at .*fault\.go:\d+", str(message))


def test_a_panic_of_a_thread_that_leaves_is_its_own_error(cluster: Cluster) -> None:
    program = """
request = client._codec.request(("BLPOP", "faults:empty", 0), None, 60.0)
interrupt = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)
register = glide._c.glide_on_interrupt

register(interrupt)
with fault("glideGoCallLeave"):
    buffer = library._Buffer()
    status = glide._c.glide_client_execute(
        client._handle, request, len(request), ctypes.byref(buffer)
    )
register(None)
tell("leave", status, None, ctypes.string_at(buffer.data, buffer.len))
assert client.execute("PING") == "PONG"
"""
    ((_, status, _, message),) = answers(program, cluster)
    assert status == INTERNAL
    assert re.fullmatch(r"panic: the fault of glideGoCallLeave at .*fault\.go:\d+", str(message))


def test_a_response_without_memory_is_an_error_without_a_response(cluster: Cluster) -> None:
    program = """
for place, call in calls.items():
    if place != "glideGoKeySlot" and not place.endswith("Close"):
        with fault("malloc"):
            status, handle, data = call()
        print(json.dumps([place, status, handle, len(data)]))
with fault("malloc"):
    status, data = glide.execute(0xabc, ping)
print(json.dumps(["made up", status, None, len(data)]))
end = time.monotonic() + 20
while time.monotonic() < end:
    lists = client.response("CLIENT", "LIST", route=AllNodes()).outcomes
    if not any(b"name=faults " in outcome.value for outcome in lists):
        break
    time.sleep(0.02)
print(json.dumps(["closed", time.monotonic() < end, None, 0]))
for call in calls.values():
    assert call()[0] in (0, 12182)
"""
    *told, closed = answers(program, cluster)
    assert closed == ["closed", True, None, 0]  # the client that nobody could be told of
    assert len(told) == 17
    for place, status, handle, size in told:
        # A router that opened has nothing to say, and so needs no memory; nor have these two.
        silent = ("glideGoRouterOpen", "glideGoClientLimit", "glideGoSetLog", "glideGoLogSettled")
        expected = 0 if place in silent else INTERNAL
        assert (place, status, size) == (place, expected, 0)
        assert not handle or place == "glideGoRouterOpen"


def test_a_response_beyond_the_limit_is_an_error_that_names_it_and_the_client_goes_on(
    cluster: Cluster,
) -> None:
    program = """
def told(call):
    try:
        return ["told", 0, None, len(call())]
    except libglide.RequestError as error:
        return ["told", error.status, error.sent, str(error)]

value = "x" * (700 << 10)
client.execute("SET", "{faults}a", value)
client.execute("SET", "{faults}b", value)
both = lambda: client.execute("MGET", "{faults}a", "{faults}b")
everywhere = lambda: client.execute("ECHO", value, route=AllNodes())
for call in (both, everywhere, lambda: [client.execute("SET", "{faults}a", value)]):
    with fault("response"):
        print(json.dumps(told(call)))
    print(json.dumps(told(call)))
"""
    both, then, everywhere, after, *short = answers(program, cluster)
    for _, status, sent, message in (both, everywhere):
        assert (status, sent) == (INTERNAL, True)
        assert re.search(r"the response has \d+ bytes; a message holds 1048576", str(message))
    assert (then, after) == (["told", 0, None, 2], ["told", 0, None, 6])
    assert short == [["told", 0, None, 1]] * 2
