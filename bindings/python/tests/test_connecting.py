"""Connecting, and what is said when it fails."""

from __future__ import annotations

import time

import pytest
from conftest import Cluster, Connect

from libglide import Client, ConnectionError, RequestError, Status, TimeoutError
from libglide.routes import AllNodes, AllPrimaries, SlotIdRoute, SlotKeyRoute, SlotType


def test_one_address_is_enough_to_find_the_cluster(connect: Connect, cluster: Cluster) -> None:
    client = connect(cluster.replicas[0])
    assert len(client.topology().nodes) == 6


def test_an_address_without_a_server_does_not_matter_beside_a_good_one(
    connect: Connect, cluster: Cluster, nobody: str
) -> None:
    assert connect([nobody, cluster.primaries[0]]).execute("PING") == "PONG"


def test_an_address_without_a_server_is_a_connection_error_naming_it(nobody: str) -> None:
    with pytest.raises(ConnectionError, match=nobody):
        Client.connect(nobody)


def test_a_silent_server_is_given_up_at_the_connection_timeout(silent: str) -> None:
    started = time.monotonic()
    with pytest.raises((TimeoutError, ConnectionError), match=silent):
        Client.connect(silent, connection_timeout=0.5)
    assert 0.4 < time.monotonic() - started < 1.0


def test_a_name_that_is_none_is_an_error_naming_it() -> None:
    with pytest.raises(RequestError, match=r"nosuch\.invalid"):
        Client.connect("nosuch.invalid:7000", connection_timeout=1.0)


def test_the_right_password_opens(connect: Connect, locked: str) -> None:
    assert connect(locked, password="s3cret").execute("PING") == "PONG"


def test_the_user_is_the_one_that_is_named(connect: Connect, locked: str) -> None:
    client = connect(locked, username="default", password="s3cret")
    assert client.execute("ACL", "WHOAMI") == b"default"


@pytest.mark.parametrize("password", ["wrong", None])
def test_a_password_that_is_refused_is_an_error_of_the_server(
    locked: str, password: str | None
) -> None:
    with pytest.raises(RequestError) as caught:
        Client.connect(locked, password=password)
    assert caught.value.status is Status.SERVER
    assert caught.value.code in ("WRONGPASS", "NOAUTH")


def test_a_password_is_not_in_what_a_client_or_an_error_shows(
    connect: Connect, locked: str
) -> None:
    assert "s3cret" not in repr(connect(locked, password="s3cret"))
    with pytest.raises(RequestError) as caught:
        Client.connect(locked, password="open sesame")
    assert "sesame" not in str(caught.value)


def test_connections_have_the_name_that_was_given(connect: Connect, cluster: Cluster) -> None:
    client = connect(cluster.addresses, client_name="somebody")
    assert client.execute("CLIENT", "GETNAME") == b"somebody"


@pytest.mark.parametrize("cluster_mode", [True, False])
def test_a_standalone_server_is_served(
    connect: Connect, standalone: str, cluster_mode: bool
) -> None:
    client = connect(standalone, cluster_mode=cluster_mode)
    assert client.execute("SET", "foo", "here") == "OK"
    assert client.execute("GET", "foo") == b"here"
    assert client.topology().standalone


@pytest.mark.parametrize("route", [AllNodes(), AllPrimaries()])
def test_all_nodes_of_a_standalone_server_are_the_one(
    connect: Connect, standalone: str, route: AllNodes | AllPrimaries
) -> None:
    reply = connect(standalone).response("PING", route=route)
    assert [outcome.node.address for outcome in reply.outcomes] == [standalone]


@pytest.mark.parametrize(
    "route", [SlotIdRoute(SlotType.PRIMARY, 1), SlotKeyRoute(SlotType.REPLICA, "foo")]
)
def test_a_standalone_server_refuses_routes_by_slot_and_says_why(
    connect: Connect, standalone: str, route: SlotIdRoute | SlotKeyRoute
) -> None:
    with pytest.raises(RequestError, match="cluster") as caught:
        connect(standalone).execute("GET", "foo", route=route)
    assert not caught.value.sent
