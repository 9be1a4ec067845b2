"""Clients that connect with their first request, and passwords that change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Cluster, Connect

from libglide import Client, ConfigurationError, ConnectionError, MultiNodeError, RequestError
from libglide.routes import AllNodes


def test_a_lazy_client_connects_with_its_first_request(connect: Connect, cluster: Cluster) -> None:
    client = connect(cluster.addresses, lazy_connect=True, request_timeout=5.0)
    assert client.topology().nodes == ()
    assert client.execute("PING") == "PONG"
    assert len(client.topology().nodes) == 6


def test_a_lazy_client_without_a_server_fails_with_each_request(nobody: str) -> None:
    with Client.connect(nobody, lazy_connect=True) as client:
        for _ in range(2):
            with pytest.raises(ConnectionError, match=nobody) as caught:
                client.execute("PING")
            assert not caught.value.sent


def test_a_wrong_password_of_a_lazy_client_is_an_error_of_its_first_request(
    connect: Connect, locked: str
) -> None:
    client = connect(locked, lazy_connect=True, password="wrong", request_timeout=5.0)
    with pytest.raises(RequestError, match="WRONGPASS"):
        client.execute("PING")
    client.update_password("s3cret")
    assert client.execute("PING") == "PONG"


@pytest.fixture
def user(client: Client) -> Iterator[str]:
    """A user of every node with the password "one"."""
    everywhere = AllNodes()
    client.execute("ACL", "SETUSER", "rotating", "on", ">one", "~*", "+@all", route=everywhere)
    yield "rotating"
    client.execute("ACL", "DELUSER", "rotating", route=everywhere)


def test_a_password_rotates_while_its_client_goes_on(
    client: Client, user: str, connect: Connect, cluster: Cluster
) -> None:
    tested = connect(cluster.addresses, username=user, password="one", request_timeout=5.0)
    tested.execute("PING", route=AllNodes())
    made = sum(node.connections_made for node in tested.statistics().nodes)
    client.execute("ACL", "SETUSER", user, ">two", route=AllNodes())
    tested.update_password("two", immediate=True)
    client.execute("ACL", "SETUSER", user, "<one", route=AllNodes())
    tested.execute("PING", route=AllNodes())
    assert sum(node.connections_made for node in tested.statistics().nodes) == made
    client.execute("CLIENT", "KILL", "USER", user, route=AllNodes())
    assert tested.execute("ACL", "WHOAMI") == user.encode()


def test_a_password_that_every_node_refuses_is_an_error_that_does_not_show_it(
    user: str, connect: Connect, cluster: Cluster
) -> None:
    tested = connect(cluster.addresses, username=user, password="one", request_timeout=5.0)
    with pytest.raises(MultiNodeError, match="WRONGPASS") as caught:
        tested.update_password("open sesame", immediate=True)
    assert "sesame" not in str(caught.value)
    assert len(caught.value.errors) == 6


def test_a_password_that_cannot_be_is_refused_and_not_shown(client: Client) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client.update_password("s3cr\ud800et")
    assert "s3cr" not in str(caught.value)
    with pytest.raises(RequestError, match="immediate is 1"):
        client.update_password("p", immediate=1)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="immediate_auth needs a password"):
        client.update_password(None, immediate=True)
