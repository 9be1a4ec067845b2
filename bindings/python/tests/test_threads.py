"""32 threads on one client, and handles that are closed while others use them.

The interpreter switches between the threads as often as it can; `make test-freethreaded` has one
that runs them at the same time.
"""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from conftest import Cluster, Connect, run

import libglide
from libglide import Client, ClosingError, RequestError, Router, Status
from libglide.routes import AllNodes, AllPrimaries, ByAddressRoute, SlotKeyRoute, SlotType

THREADS = 32
ROUNDS = 12


@pytest.fixture(autouse=True)
def hasty() -> Iterator[None]:
    """Have the interpreter switch between threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Do something on many threads at once, and raise what one of them raised."""
    faults: list[BaseException] = []
    start = threading.Barrier(threads)

    def run(number: int) -> None:
        try:
            start.wait(timeout=60)
            work(number)
        except BaseException as fault:
            faults.append(fault)

    workers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
    assert not any(worker.is_alive() for worker in workers), "a thread hangs"
    if faults:
        raise faults[0]


# Each gets a key of the thread's own, whose value is its own as well, and checks the answer.


def write_and_read(client: Client, key: str, value: str) -> None:
    assert client.execute("SET", key, value) == "OK"
    assert client.execute("GET", key) == value.encode()


def count(client: Client, key: str, value: str) -> None:
    before = client.execute("INCR", f"{key}:count")
    assert isinstance(before, int)
    assert client.execute("INCR", f"{key}:count") == before + 1


def fan_out(client: Client, key: str, value: str) -> None:
    outcomes = client.response("PING", route=AllNodes()).outcomes
    assert [outcome.value for outcome in outcomes] == ["PONG"] * 6
    names = client.execute("CONFIG", "GET", "port", route=AllPrimaries())
    assert isinstance(names, dict)
    assert len(names) == 3


def split(client: Client, key: str, value: str) -> None:
    keys = [f"{key}:{part}" for part in "abcdef"]
    assert client.execute("MSET", *(word for one in keys for word in (one, one + value))) == "OK"
    assert client.execute("MGET", *keys) == [(one + value).encode() for one in keys]


def pipeline(client: Client, key: str, value: str) -> None:
    commands = [("SET", key, value), ("GET", key), ("LPUSH", key, "x"), ("GET", key)]
    got = client.batch(commands, raise_on_error=False)
    assert got is not None
    assert got[0] == "OK"
    assert got[1] == got[3] == value.encode()
    assert isinstance(got[2], RequestError)
    assert got[2].code == "WRONGTYPE"


def transaction(client: Client, key: str, value: str) -> None:
    got = client.batch([("SET", key, value), ("GET", key)], atomic=True)
    assert got == ["OK", value.encode()]


def scan(client: Client, key: str, value: str) -> None:
    client.execute("SET", key, value)
    assert key.encode() in list(client.scan(match=key, count=1000))


def block(client: Client, key: str, value: str) -> None:
    assert client.execute("BLPOP", f"{key}:empty", 0.01) is None


def large(client: Client, key: str, value: str) -> None:
    content = value.encode() * (300_000 // len(value))
    assert client.execute("SET", key, content) == "OK"
    assert client.execute("GET", key) == content


def fail(client: Client, key: str, value: str) -> None:
    with pytest.raises(RequestError) as wrong:
        client.execute("NO-SUCH-COMMAND", key)
    assert (wrong.value.status, wrong.value.code) == (Status.SERVER, "ERR")
    with pytest.raises(RequestError) as nowhere:
        client.execute("GET", key, route=ByAddressRoute("nobody.invalid", 1))
    assert nowhere.value.status is Status.ROUTE


def plan(client: Client, key: str, value: str) -> None:
    (leg,) = client.resolve("GET", key, route=SlotKeyRoute(SlotType.PRIMARY, key)).legs
    with Router(client.topology()) as router:
        (same,) = router.resolve("GET", key).legs
    assert leg.node.address == same.node.address
    assert libglide.key_slot(key) == libglide.key_slot(key.encode())


def look(client: Client, key: str, value: str) -> None:
    assert len(client.topology().shards) == 3
    assert client.statistics().configuration.cluster_mode


KINDS = (
    write_and_read,
    count,
    fan_out,
    split,
    pipeline,
    transaction,
    scan,
    block,
    large,
    fail,
    plan,
    look,
)


def test_thirty_two_threads_make_every_kind_of_call_and_get_their_own_answers(
    connect: Connect, cluster: Cluster
) -> None:
    client = connect(cluster.addresses, request_timeout=60.0)

    def work(number: int) -> None:
        for turn in range(ROUNDS):
            kind = KINDS[(number + turn) % len(KINDS)]
            kind(client, f"threads:{number}:{kind.__name__}", f"{number}/{turn}")

    together(work)
    assert client.statistics().inflight_requests == 0


def test_a_client_that_is_closed_ends_the_calls_of_all_threads_and_none_hangs(
    connect: Connect, cluster: Cluster
) -> None:
    client = connect(cluster.addresses, request_timeout=60.0)
    busy = threading.Semaphore(0)
    ended: list[Status] = []

    def work(number: int) -> None:
        if number == 0:
            for _ in range(THREADS):
                assert busy.acquire(timeout=60)
            client.close()
            return
        busy.release()
        if number == 1:
            busy.release()
        kind = KINDS[number % len(KINDS)]
        with pytest.raises(ClosingError) as closed:
            while True:
                if number % 4 == 0:
                    client.execute("BLPOP", f"threads:none:{number}", 0)
                else:
                    kind(client, f"threads:closing:{number}", "value")
        ended.append(closed.value.status)

    together(work)
    assert ended == [Status.CLOSED] * (THREADS - 1)


def test_clients_come_and_go_under_threads_that_use_them(cluster: Cluster) -> None:
    def fresh() -> Client:
        return Client.connect(cluster.addresses, request_timeout=60.0, lazy_connect=True)

    shared = [fresh() for _ in range(4)]
    stop = threading.Event()
    answered = [0] * THREADS

    def work(number: int) -> None:
        if number < 2:
            for turn in range(40):
                place = turn % len(shared)
                shared[place].close()
                if random.random() < 0.5:
                    shared[place] = fresh()  # the old one is dropped with no call running, or with
                else:
                    old, shared[place] = shared[place], fresh()
                    old.close()
            stop.set()
            return
        while not stop.is_set():
            client = shared[number % len(shared)]
            try:
                assert client.execute("PING") == "PONG"
                assert client.execute("SET", f"threads:come:{number}", "v") == "OK"
                client.topology()
                client.statistics()
                answered[number] += 1
            except ClosingError:
                pass

    together(work)
    for client in shared:
        client.close()
    assert sum(answered) > 0


def test_threads_that_close_one_client_at_once_close_it_once(cluster: Cluster) -> None:
    with Client.connect(cluster.addresses) as watcher:
        before = watcher.statistics().process.handles
        for _ in range(5):
            client = Client.connect(cluster.addresses)
            together(lambda _, client=client: client.close(), 8)  # type: ignore[misc]
        assert watcher.statistics().process.handles == before


def test_routers_are_opened_used_and_closed_by_all_threads(client: Client) -> None:
    topology = client.topology()
    shared = Router(topology)
    started = client.statistics().process.handles

    def work(number: int) -> None:
        for turn in range(20):
            with Router(topology) as router:
                assert len(router.resolve("MGET", "a", "b", "c").legs) >= 1
            (leg,) = shared.resolve("GET", f"key:{number}:{turn}").legs
            assert leg.node.address

    together(work)
    shared.close()
    assert client.statistics().process.handles == started - 1


def test_threads_that_load_the_library_at_once_get_the_same() -> None:
    program = """
import threading
from libglide import library

start, loaded = threading.Barrier(32), []

def load():
    start.wait()
    loaded.append(library.load())

threads = [threading.Thread(target=load) for _ in range(32)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(loaded), len(set(map(id, loaded))), library.load() is loaded[0])
"""
    done = run(program)
    assert (done.stdout, done.stderr) == ("32 1 True\n", "")
