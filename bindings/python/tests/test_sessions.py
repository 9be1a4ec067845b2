"""Sessions, on live servers."""

from __future__ import annotations

import gc
import threading
import time
from typing import Any

import pytest
from conftest import Cluster, Connect

from libglide import (
    AllPrimaries,
    ByAddressRoute,
    Client,
    ClosingError,
    ConnectionError,
    ExecAbortError,
    RequestError,
    Script,
    Session,
    SlotKeyRoute,
    SlotType,
    Status,
    TimeoutError,
)

KEY = "{session}key"


@pytest.fixture
def session(client: Client) -> Session:
    client.execute("DEL", KEY)
    return client.session(KEY)


def test_a_session_is_with_the_primary_of_its_key(client: Client, session: Session) -> None:
    assert session.node == client.resolve("SET", KEY, 1).legs[0].node
    assert session.node.address in repr(session)
    with client.session(route=SlotKeyRoute(SlotType.REPLICA, KEY)) as other:
        assert (
            other.node
            == client.resolve("GET", KEY, route=SlotKeyRoute(SlotType.REPLICA, KEY)).legs[0].node
        )


def test_a_transaction_gives_its_results(session: Session) -> None:
    session.multi()
    assert session.execute("SET", KEY, 1) == "QUEUED"
    assert session.execute("LPUSH", KEY, "x") == "QUEUED"
    results = session.exec()
    assert results is not None
    assert results[0] == "OK"
    assert isinstance(results[1], RequestError)
    assert (results[1].code, results[1].node) == ("WRONGTYPE", session.node.address)
    assert session.batch([["INCR", KEY], ["INCR", KEY]], atomic=True) == [2, 3]


def test_a_transaction_is_none_where_a_watched_key_was_changed(
    client: Client, session: Session
) -> None:
    session.watch(KEY)
    client.execute("SET", KEY, "by another")
    session.multi()
    session.execute("SET", KEY, "mine")
    assert session.exec() is None
    session.watch(KEY)
    client.execute("SET", KEY, "by another")
    assert session.batch([["SET", KEY, "mine"]], atomic=True) is None
    session.watch(KEY)
    client.execute("SET", KEY, "by another")
    session.unwatch()
    assert session.batch([["SET", KEY, "mine"], ["GET", KEY]], atomic=True) == ["OK", b"mine"]


def test_counting_under_optimistic_locking_loses_nothing(client: Client) -> None:
    client.execute("DEL", KEY)

    def count() -> None:
        with client.session(KEY) as session:
            left = 20
            while left:
                watched = session.batch([["WATCH", KEY], ["GET", KEY]])
                assert watched is not None
                before = watched[1]
                assert before is None or isinstance(before, bytes)
                left -= session.batch([["SET", KEY, int(before or 0) + 1]], atomic=True) == ["OK"]

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.execute("GET", KEY) == b"80"


def test_a_refused_command_discards_the_transaction(session: Session) -> None:
    session.multi()
    with pytest.raises(RequestError, match="unknown command"):
        session.execute("NOSUCH")
    with pytest.raises(ExecAbortError):
        session.exec()
    session.multi()
    session.execute("SET", KEY, 1)
    session.discard()
    assert session.execute("EXISTS", KEY) == 0


def test_the_database_of_a_session_is_its_own(connect: Connect, standalone: str) -> None:
    client = connect(standalone, cluster_mode=False, request_timeout=5.0)
    with client.session() as session:
        session.execute("SELECT", 7)
        session.execute("SET", KEY, 1)
        assert client.execute("EXISTS", KEY) == 0
        session.execute("DEL", KEY)


def test_a_session_runs_scripts(session: Session) -> None:
    script = Script("return {KEYS[1], ARGV[1]}")
    session.execute("SCRIPT", "FLUSH")
    assert session.script(script, [KEY], [1]) == [KEY.encode(), b"1"]
    session.multi()
    assert session.script(script, [KEY], [2]) == "QUEUED"
    assert session.exec() == [[KEY.encode(), b"2"]]


def test_a_key_of_another_node_is_an_error_that_names_it(client: Client) -> None:
    other = client.resolve("SET", "bar", 1).legs[0].node
    with (
        client.session("foo") as session,
        pytest.raises(RequestError, match="does not follow") as e,
    ):
        session.execute("GET", "bar")
    assert (e.value.code, e.value.retryable) == ("MOVED", True)
    assert other.address in str(e.value)


def test_a_killed_connection_is_an_error_from_then_on(client: Client, session: Session) -> None:
    number = session.execute("CLIENT", "ID")
    session.watch(KEY)
    assert isinstance(number, int)
    client.execute("CLIENT", "KILL", "ID", number, route=ByAddressRoute(session.node.address))
    for _ in range(2):
        with pytest.raises(ConnectionError) as caught:
            session.batch([["INCR", KEY]], atomic=True)
        assert not caught.value.sent
    assert client.execute("EXISTS", KEY) == 0


def test_a_deadline_that_passes_ends_the_connection(session: Session) -> None:
    with pytest.raises(TimeoutError) as caught:
        session.execute("BLPOP", KEY, 0, timeout=0.1)
    assert caught.value.sent
    with pytest.raises(ConnectionError, match="open another session"):
        session.execute("PING")


@pytest.mark.parametrize("what", ["session", "client"])
def test_closing_ends_the_call_that_runs(connect: Connect, cluster: Cluster, what: str) -> None:
    client = connect(cluster.addresses, request_timeout=5.0)
    session = client.session(KEY)
    session.execute("DEL", KEY)
    threading.Timer(0.2, {"session": session, "client": client}[what].close).start()  # type: ignore[attr-defined]
    with pytest.raises(ClosingError, match=f"the {what} is closed"):
        session.execute("BLPOP", KEY, 0)
    with pytest.raises(ClosingError):
        session.execute("PING")
    session.close()
    session.close()


def test_a_session_that_is_dropped_is_closed(client: Client) -> None:
    session = client.session(KEY)
    number = session.execute("CLIENT", "ID")
    assert isinstance(number, int)
    with client.session(KEY) as other:
        assert f"id={number} ".encode() in listed(other, number)
        del session
        gc.collect()
        until = time.monotonic() + 10
        while listed(other, number) and time.monotonic() < until:
            time.sleep(0.01)
        assert not listed(other, number)


def listed(session: Session, number: int) -> bytes:
    text = session.execute("CLIENT", "LIST", "ID", number)
    assert isinstance(text, bytes)
    return text


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({}, "needs a route"),
        ({"route": AllPrimaries()}, "with one node"),
        ({"key": "k", "route": AllPrimaries()}, "key and route are both given"),
        ({"key": 5}, "slot_key is 5"),
        ({"key": "k", "timeout": 0}, "timeout is 0 s"),
        ({"route": ByAddressRoute("127.0.0.1", 1)}, "not found in the topology"),
    ],
)
def test_a_session_that_cannot_be_is_refused_by_what_is_wrong(
    client: Client, arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(RequestError, match=named):
        client.session(**arguments)


def test_what_has_no_place_in_a_session_is_refused(session: Session) -> None:
    for line in ("RESET", "HELLO 3", "CLIENT TRACKING ON", "SUBSCRIBE c", "MONITOR", "ASKING"):
        with pytest.raises(RequestError, match="is not sent") as caught:
            session.execute(*line.split())
        assert caught.value.status is Status.INVALID_ARGUMENT
    assert session.execute("PING") == "PONG"


def test_there_are_as_many_sessions_as_requests(connect: Connect, cluster: Cluster) -> None:
    client = connect(cluster.addresses, request_timeout=5.0, inflight_requests_limit=2)
    with client.session(KEY), client.session(KEY), pytest.raises(RequestError) as caught:
        client.session(KEY)
    assert (caught.value.status, caught.value.retryable) == (Status.BUSY, True)
    client.session(KEY).close()
