"""A process whose descriptors are used up, or were never many, or that gets no more threads."""

from __future__ import annotations

from conftest import Cluster, run

BEGIN = """
import os, resource, sys
import libglide, libglide.codec, libglide.messages
from libglide import AllNodes, Client

def tell(name, call):
    try:
        print(name, call(), flush=True)
    except libglide.GlideError as error:
        print(name, type(error).__name__, "oo many open files" in str(error), flush=True)

def fill(free):
    held = []
    try:
        while True:
            held.append(os.dup(0))
    except OSError:
        pass
    for _ in range(free):
        os.close(held.pop())
    return held

def limit(soft, hard):
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
"""


def test_loading_leaves_the_limit_of_open_files_as_it_was() -> None:
    program = """
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
limit(256, hard)
libglide.key_slot("foo")
print(resource.getrlimit(resource.RLIMIT_NOFILE) == (256, hard))
"""
    done = run(BEGIN + program)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_a_client_goes_on_with_the_connections_that_it_has(cluster: Cluster) -> None:
    program = """
client = Client.connect(sys.argv[1], request_timeout=5.0, connection_timeout=10.0)
client.execute("SET", "limits", "x")
limit(128, 128)
held = fill(0)
tell("known", lambda: client.execute("GET", "limits"))
tell("new", lambda: client.execute("PING", route=AllNodes()))
tell("own", lambda: client.execute("BLPOP", "limits:empty", 0.1))
tell("client", lambda: Client.connect(sys.argv[1]))
for descriptor in held:
    os.close(descriptor)
tell("new", lambda: client.execute("PING", route=AllNodes()))
tell("own", lambda: client.execute("BLPOP", "limits:empty", 0.1))
"""
    done = run(BEGIN + program, cluster.primaries[0])
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "known b'x'",
        "new MultiNodeError True",
        "own ConnectionError True",
        "client ConnectionError True",
        "new PONG",
        "own None",
    ]


def test_the_library_is_not_loaded_where_its_runtime_would_end_the_process(
    cluster: Cluster,
) -> None:
    program = """
limit(64, 64)
held = fill(0)
for _ in range(8):
    tell("few", lambda: libglide.key_slot("foo"))
    os.close(held.pop())
tell("enough", lambda: libglide.key_slot("foo"))
held += fill(0)
tell("none", lambda: Client.connect(sys.argv[1]))
for descriptor in held:
    os.close(descriptor)
tell("many", lambda: Client.connect(sys.argv[1], connection_timeout=10.0).execute("PING"))
"""
    done = run(BEGIN + program, cluster.primaries[0])
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        *["few LibraryError True"] * 8,
        "enough 12182",
        "none ConnectionError True",
        "many PONG",
    ]


def test_threads_that_the_system_refuses_for_a_while_are_waited_for(cluster: Cluster) -> None:
    program = """
import threading, time
client = Client.connect(sys.argv[1], request_timeout=20.0, connection_timeout=10.0)
client.execute("PING")
start, replies = threading.Event(), []

def work(number):
    start.wait()
    replies.append(client.execute("BLPOP", f"limits:{number}", 0.1, timeout=20.0))
    replies.append(client.execute("PING", route=AllNodes()))

threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
for thread in threads:
    thread.start()
if os.getuid() == 0:
    os.setuid(65534)  # for whom the limit counts
soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
resource.setrlimit(resource.RLIMIT_NPROC, (0, hard))
try:
    threading.Thread(target=int).start()
    print("a thread was had")
except RuntimeError:
    pass
start.set()
time.sleep(2)
resource.setrlimit(resource.RLIMIT_NPROC, (soft, hard))
for thread in threads:
    thread.join()
print(sorted(map(str, replies)) == ["None"] * 24 + ["PONG"] * 24)
"""
    done = run(BEGIN + program, cluster.primaries[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
