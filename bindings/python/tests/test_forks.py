"""The children of forks: new clients work in them, their parents' are told apart."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Cluster, run

BEGIN = """
import gc, os, signal, sys, threading, time, traceback
import libglide
from libglide import AllPrimaries, Client, ClosingError, Node, Router, Shard, Topology

address = sys.argv[1]
topology = Topology([Shard([(0, 16383)], Node("127.0.0.1", 7000))])

def read():
    with Client.connect(address, request_timeout=5.0, connection_timeout=10.0) as client:
        assert client.execute("SET", "forked", os.getpid()) == "OK"
        return client.execute("GET", "forked") is not None

def fork(act):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if act() else 2
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return child

def end(child):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    return "hangs"

def in_threads(count, act):
    results = []
    threads = [threading.Thread(target=lambda: results.append(act())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
"""


def lines(program: str, cluster: Cluster) -> list[str]:
    """What a program prints, which must end well and with nothing on the error stream."""
    done = run(BEGIN + program, cluster.primaries[0])
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "before",
    [
        "",
        "libglide.key_slot('foo')",
        "client = Client.connect(address)",
        "client = Client.connect(address); client.execute('PING')",
        "client = Client.connect(address); client.close()",
        "client = Client.connect(address); del client",
    ],
    ids=["imported", "loaded", "open", "used", "closed", "dropped"],
)
def test_a_child_reads_through_a_client_of_its_own(cluster: Cluster, before: str) -> None:
    ended = lines(f"{before}\nfor _ in range(3): print(end(fork(read)))\nprint(read())", cluster)
    assert ended == ["0", "0", "0", "True"]


INHERITED = """
client, router = Client.connect(address), Router(topology)
session = client.session("forked")
scan = client.scan()
next(scan, None)

def use():
    for owner, name, arguments in [
        (client, "execute", ("PING",)),
        (client, "response", ("PING",)),
        (client, "batch", ([("PING",)],)),
        (client, "resolve", ("PING",)),
        (client, "resolve_batch", ([("PING",)],)),
        (client, "scan_step", ()),
        (client, "topology", ()),
        (client, "statistics", ()),
        (client, "update_password", ("secret",)),
        (client, "session", ("forked",)),
        (session, "execute", ("PING",)),
        (router, "resolve", ("PING",)),
        (router, "resolve_batch", ([("PING",)],)),
    ]:
        try:
            print(name, getattr(owner, name)(*arguments))
        except ClosingError as error:
            print(name, error.status.name, "before this process was forked" in str(error))
    try:
        list(client.scan())
    except ClosingError as error:
        print("scan", error.status.name)
    print(repr(client).endswith("open>"))
    with client, router, session:
        pass
    client.close()
    print(libglide.key_slot("foo"), read(), flush=True)
    return True

print(end(fork(use)))
print(client.execute("PING"), router.resolve("PING").legs[0].node.address)
"""


def test_the_parents_clients_and_routers_are_told_apart_and_close_in_silence(
    cluster: Cluster,
) -> None:
    assert lines(INHERITED, cluster) == [
        *(
            f"{name} FORKED True"
            for name in (
                "execute",
                "response",
                "batch",
                "resolve",
                "resolve_batch",
                "scan_step",
                "topology",
                "statistics",
                "update_password",
                "session",
                "execute",
                "resolve",
                "resolve_batch",
            )
        ),
        "scan FORKED",
        "True",
        "12182 True",
        "0",
        "PONG 127.0.0.1:7000",
    ]


@pytest.mark.parametrize(
    "how",
    [
        "pass",
        "sys.exit(0)",
        "del client, router; gc.collect()",
        "client.self = client; del client; gc.collect()",
        "client.close()",
        "read()",
        "kept = Client.connect(address); kept.execute('PING')",
    ],
    ids=["open", "exit", "dropped", "cycle", "closed", "after reading", "with its own open"],
)
def test_a_child_ends_as_any_process(cluster: Cluster, how: str) -> None:
    program = f"""
client, router = Client.connect(address), Router(topology)
child = os.fork()
if child:
    print(end(child), client.execute("PING"), router.resolve("PING").legs[0].node.port)
else:
    {how}
"""
    assert lines(program, cluster) == ["0 PONG 7000"]


def test_grandchildren_read_and_know_all_older_clients(cluster: Cluster) -> None:
    program = """
def descend(older, depth):
    def act():
        for client in older:
            try:
                client.execute("PING")
            except ClosingError:
                continue
            return False
        own = Client.connect(address, request_timeout=5.0)
        good = own.execute("PING") == "PONG"
        if depth > 1:
            good = good and end(fork(descend([*older, own], depth - 1))) == 0
        return good and own.execute("PING") == "PONG"
    return act

print(end(fork(descend([Client.connect(address)], 4))))
"""
    assert lines(program, cluster) == ["0"]


def test_a_child_may_be_forked_while_threads_of_the_parent_are_in_calls(cluster: Cluster) -> None:
    program = """
client = Client.connect(address, request_timeout=5.0)
done = threading.Event()
wrong = []

def work():
    while not done.is_set():
        if client.execute("ECHO", "hello") != b"hello":
            wrong.append("echo")

def block():
    try:
        client.execute("BLPOP", "forked:empty", 0)
        wrong.append("blpop")
    except ClosingError:
        pass

threads = [threading.Thread(target=act) for act in (work, work, block)]
for thread in threads:
    thread.start()
print({end(fork(read)) for _ in range(20)})
done.set()
for thread in threads[:2]:
    thread.join()
client.close()
threads[2].join()
print(wrong)
"""
    assert lines(program, cluster) == ["{0}", "[]"]


def test_threads_of_parents_and_children_fork_and_read(cluster: Cluster) -> None:
    program = """
client = Client.connect(address)
print(set(in_threads(8, lambda: end(fork(read)))))
print(set(in_threads(4, lambda: end(fork(lambda: all(in_threads(8, read)))))))
"""
    assert lines(program, cluster) == ["{0}", "{0}"]


def test_multiprocessing_with_fork(cluster: Cluster) -> None:
    program = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

class Worker:
    client = None

def square(number):
    if Worker.client is None:
        Worker.client = Client.connect(address, request_timeout=5.0)
    return int(Worker.client.execute("INCRBY", f"forked:{os.getpid()}:{number}", number)) ** 2

context = multiprocessing.get_context("fork")
client = Client.connect(address, request_timeout=5.0)
with context.Pool(4) as pool:
    print(pool.map(square, range(8)))
with ProcessPoolExecutor(4, mp_context=context) as pool:
    print(list(pool.map(square, range(8))))
process = context.Process(target=read)
process.start()
process.join(30)
print(process.exitcode, client.execute("PING"), multiprocessing.active_children())
"""
    squares = str([number**2 for number in range(8)])
    assert lines(program, cluster) == [squares, squares, "0 PONG []"]


def test_many_children_one_after_another_leave_nothing_behind(cluster: Cluster) -> None:
    program = """
def descriptors():
    return len(os.listdir("/proc/self/fd"))

client = Client.connect(address)
client.execute("PING")
print(end(fork(read)))
before = descriptors()
print({end(fork(read)) for _ in range(30)})
print(descriptors() - before, client.execute("PING"))
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("no zombies")
"""
    assert lines(program, cluster) == ["0", "{0}", "0 PONG", "no zombies"]


def test_where_no_copy_can_be_loaded_the_error_says_why(cluster: Cluster) -> None:
    program = """
import resource
libglide.key_slot("foo")

def refuse():
    os.closerange(3, 1024)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    for call, argument in (
        (libglide.key_slot, "foo"), (Client.connect, address), (Router, topology)
    ):
        try:
            print(call(argument))
        except ClosingError as error:
            print(error.status.name, error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    print(read(), flush=True)
    return True

print(end(fork(refuse)))
"""
    *errors, last, code = lines(program, cluster)
    assert len(errors) == 3
    for error in errors:
        assert error.startswith("FORKED this process is a forked child and cannot load its copy")
        assert "File too large" in error
    assert (last, code) == ("True", "0")


def test_ctrl_c_ends_a_call_of_a_child_and_of_its_child(cluster: Cluster) -> None:
    program = """
def interrupted():
    client = Client.connect(address)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    started = time.monotonic()
    try:
        client.execute("BLPOP", "forked:empty", 30, timeout=60)
    except KeyboardInterrupt:
        return time.monotonic() - started < 10 and client.execute("PING") == "PONG"

def both():
    return interrupted() and end(fork(interrupted)) == 0

interrupted() and print(end(fork(both)), end(fork(interrupted)))
"""
    assert lines(program, cluster) == ["0 0"]


@pytest.mark.parametrize("child", ["os._exit(3)", "sys.exit(3)", "pass"])
@pytest.mark.parametrize(
    ("before", "call"),
    [
        ("", "('BLPOP', 'forked:empty', 1)"),
        ("'CLIENT', 'PAUSE', 1000, 'WRITE'", "('SET', 'forked:key', 'x')"),
    ],
    ids=["waits", "reads"],
)
def test_a_signal_handler_may_fork_during_a_call(
    cluster: Cluster, before: str, call: str, child: str
) -> None:
    program = f"""
client = Client.connect(address, request_timeout=30.0)
parent, children = os.getpid(), []

def handle(number, frame):
    children.append(os.fork())
    if os.getpid() != parent:
        {child}

client.execute({before or "'PING'"}, route=AllPrimaries())
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.3)
try:
    client.execute(*{call})
except BaseException as left:
    print(type(left).__name__, os.getpid() != parent, read(), flush=True)
    os._exit(3)
print(end(children[0]), client.execute("PING"))
"""
    expected = {
        "os._exit(3)": [],
        "sys.exit(3)": ["SystemExit True True"],
        "pass": ["ClosingError True True"],
    }[child]
    assert lines(program, cluster) == [*expected, "3 PONG"]


# ---- A server with workers -----------------------------------------------------------------------

APPLICATION = """
import os
import libglide

master = libglide.Client.connect(os.environ["GLIDE_ADDRESS"], request_timeout=5.0)
master.execute("SET", "forked:page", "hello")
parent = os.getpid()
own = {}

def client():
    if os.getpid() not in own:
        own[os.getpid()] = libglide.Client.connect(os.environ["GLIDE_ADDRESS"], request_timeout=5.0)
    return own[os.getpid()]

def application(environ, start_response):
    try:
        inherited = master.execute("PING")
    except libglide.ClosingError as error:
        inherited = error.status.name
    page = client().execute("GET", "forked:page").decode()
    body = f"{os.getpid() != parent} {inherited} {page}".encode()
    start_response("200 OK", [("Content-Length", str(len(body))), ("Worker", str(os.getpid()))])
    return [body]
"""


@pytest.fixture
def gunicorn(cluster: Cluster, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A server that loads its application, with an open client, before it forks its workers."""
    (tmp_path / "pages.py").write_text(APPLICATION)
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--preload", "--workers", "3", "--threads", "2"),
            *("--bind", "127.0.0.1:0", "--no-control-socket", "pages:application"),
        ],
        cwd=tmp_path,
        env={**os.environ, "GLIDE_ADDRESS": cluster.primaries[0]},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    try:
        for line in server.stderr:
            if "Listening at:" in line:
                yield server, int(line.split(":")[-1].split()[0])
                break
        else:
            pytest.fail("gunicorn did not start")
    finally:
        server.kill()
        server.wait()
        server.stderr.close()


def page(port: int) -> tuple[str, str]:
    """What the server says, and which worker said it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        return response.read().decode(), response.headers["Worker"]
    finally:
        connection.close()


def test_a_server_that_loads_its_application_before_it_forks(
    gunicorn: tuple[subprocess.Popen[str], int],
) -> None:
    server, port = gunicorn
    seen: set[str] = set()
    deadline = time.monotonic() + 40
    while len(seen) < 3 and time.monotonic() < deadline:
        text, worker = page(port)
        assert text == "True FORKED hello"
        seen.add(worker)
    assert len(seen) == 3
    os.kill(int(seen.pop()), signal.SIGKILL)  # and the server forks another in its place
    while len(seen) < 3 and time.monotonic() < deadline:
        text, worker = page(port)
        assert text == "True FORKED hello"
        seen.add(worker)
    assert len(seen) == 3
    server.terminate()
    assert server.wait(timeout=40) == 0


def test_a_client_of_an_event_loop_is_left_to_the_parent_and_a_child_opens_its_own(
    cluster: Cluster,
) -> None:
    program = """
import asyncio
from libglide import aio

async def use(client):
    assert await client.execute("SET", "forked", os.getpid()) == "OK"
    return await client.execute("GET", "forked") is not None

async def use_another():
    async with await aio.Client.connect(address, request_timeout=5.0) as client:
        return await use(client)

async def refused(client):
    try:
        await client.execute("PING")
    except ClosingError as fault:
        return "before this process was forked" in str(fault)

loop = asyncio.new_event_loop()
kept = [loop.run_until_complete(aio.Client.connect(address, request_timeout=5.0))]
assert loop.run_until_complete(use(kept[0]))

def drop():
    told = loop.run_until_complete(refused(kept[0]))
    kept.clear()
    gc.collect()
    return told and asyncio.run(use_another())

for _ in range(2):
    print(end(fork(drop)))
    print(loop.run_until_complete(asyncio.wait_for(use(kept[0]), 10)))
loop.run_until_complete(kept[0].close())
"""
    done = run(BEGIN + program, cluster.addresses[0])
    assert (done.stdout.split(), done.stderr) == (["0", "True"] * 2, "")
