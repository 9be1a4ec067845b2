"""The program's own signals, with the library loaded and a client in use."""

from __future__ import annotations

import signal

import pytest
from conftest import Cluster, run

BEGIN = """
import ctypes, faulthandler, os, signal, subprocess, sys, threading, time
from libglide import Client

def connect():
    client = Client.connect(sys.argv[1], request_timeout=5.0, connection_timeout=10.0)
    client.execute("PING")
    return client
"""

IN_CHILD = """
client = connect()
child = os.fork()
if child:
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)
"""


@pytest.fixture(params=["", IN_CHILD], ids=["process", "forked child"])
def begin(request: pytest.FixtureRequest) -> str:
    """The beginning of a program, of which the rest runs as it is or in a forked child."""
    return BEGIN + str(request.param)


def test_nothing_is_caught_but_what_the_go_runtime_needs() -> None:
    program = """
import threading, libglide

def caught():
    with open("/proc/self/status") as status:
        (mask,) = (int(line.split()[1], 16) for line in status if line.startswith("SigCgt"))
    return {number for number in range(1, 65) if mask >> (number - 1) & 1}

thread = threading.Thread(target=int)  # the C library's own come with the first thread
thread.start()
thread.join()
before = caught()
libglide.key_slot("foo")
print(sorted(caught() - before))
"""
    done = run(program)
    needed = {signal.SIGBUS, signal.SIGFPE, signal.SIGSEGV, signal.SIGPIPE, signal.SIGURG}
    assert done.stdout == f"{sorted(map(int, needed))}\n"


def test_ctrl_c_between_calls_raises_keyboard_interrupt(begin: str, cluster: Cluster) -> None:
    program = """
client = connect()
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(30)
except KeyboardInterrupt:
    print("interrupted", client.execute("PING"), flush=True)
"""
    done = run(begin + program, cluster.primaries[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted PONG\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGALRM])
@pytest.mark.parametrize("order", ["before", "after"])
def test_a_signal_that_ends_a_process_still_does(
    begin: str, cluster: Cluster, number: signal.Signals, order: str
) -> None:
    default = f"signal.signal({int(number)}, signal.SIG_DFL)\n"
    kill = f"os.kill(os.getpid(), {int(number)})\ntime.sleep(30)\n"
    connect = "client = connect()\n"
    program = default + connect if order == "before" else connect + default
    done = run(begin + program + kill, cluster.primaries[0])
    assert (done.returncode, done.stdout, done.stderr) == (-number, "", "")


@pytest.mark.parametrize("order", ["before", "after", "never"])
def test_a_fault_in_the_program_ends_it_as_ever_and_faulthandler_tells(
    begin: str, cluster: Cluster, order: str
) -> None:
    enable, connect = "faulthandler.enable()\n", "client = connect()\n"
    program = {"before": enable + connect, "after": connect + enable, "never": connect}[order]
    done = run(begin + program + "ctypes.string_at(8)", cluster.primaries[0])
    assert done.returncode == -signal.SIGSEGV
    assert done.stdout == ""
    if order == "never":
        assert done.stderr == ""
    else:
        assert done.stderr.startswith("Fatal Python error: Segmentation fault")
        assert "goroutine" not in done.stderr


def test_a_closed_pipe_is_an_error(begin: str, cluster: Cluster) -> None:
    program = """
client = connect()
reading, writing = os.pipe()
os.close(reading)
try:
    os.write(writing, b"x")
except BrokenPipeError:
    print("broken", client.execute("PING"), flush=True)
"""
    done = run(begin + program, cluster.primaries[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "broken PONG\n", "")


def test_the_end_of_a_child_is_signalled(begin: str, cluster: Cluster) -> None:
    program = """
client = connect()
ended = []
signal.signal(signal.SIGCHLD, lambda number, frame: ended.append(number))
subprocess.run(["true"], check=True)
print(ended == [signal.SIGCHLD], client.execute("PING"), flush=True)
"""
    done = run(begin + program, cluster.primaries[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "True PONG\n", "")


def test_a_timer_goes_off_while_threads_are_in_calls(begin: str, cluster: Cluster) -> None:
    program = """
client = connect()
rung, wrong = [], []
signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
done = threading.Event()

def work():
    while not done.is_set():
        if client.execute("ECHO", "hello") != b"hello":
            wrong.append("echo")

def block():
    if client.execute("BLPOP", "signals:empty", 0.5) is not None:
        wrong.append("blpop")

threads = [threading.Thread(target=act) for act in (work, work, block)]
for thread in threads:
    thread.start()
signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
deadline = time.monotonic() + 30
while len(rung) < 50 and time.monotonic() < deadline:
    time.sleep(0.01)
threads[2].join()
done.set()
for thread in threads:
    thread.join()
signal.setitimer(signal.ITIMER_REAL, 0)
print(len(rung) >= 50, wrong, client.execute("PING"), flush=True)
"""
    done = run(begin + program, cluster.primaries[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "True [] PONG\n", "")
