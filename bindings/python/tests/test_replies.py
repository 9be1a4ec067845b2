"""Commands and their replies on a live cluster."""

from __future__ import annotations

import pytest
from conftest import Cluster

from libglide import Client, MultiNodeError, ProtocolVersion, RequestError, Status
from libglide.routes import AllNodes, AllPrimaries, ByAddressRoute
from libglide.values import Value


def test_info_of_all_primaries_is_a_dict_by_address(client: Client, cluster: Cluster) -> None:
    reply = client.execute("INFO", "server", route=AllPrimaries())
    assert isinstance(reply, dict)
    assert sorted(map(str, reply)) == sorted(cluster.primaries)
    for address, text in reply.items():
        assert isinstance(text, bytes)
        assert f"tcp_port:{str(address).rpartition(':')[2]}\r\n".encode() in text


def test_dbsize_is_the_sum_of_the_primaries(client: Client, cluster: Cluster) -> None:
    for number in range(20):
        client.execute("SET", f"dbsize:{number}", "x")
    each = [client.execute("DBSIZE", route=ByAddressRoute(a)) for a in cluster.primaries]
    total = client.execute("DBSIZE")
    assert all(isinstance(size, int) and size > 0 for size in each)
    assert total == sum(size for size in each if isinstance(size, int))


def test_mget_across_slots_keeps_the_order_of_its_keys(client: Client) -> None:
    keys = [f"mget:{number}" for number in range(20)]
    client.execute("MSET", *(word for key in keys for word in (key, key.upper())))
    reply = client.execute("MGET", *keys, "mget:none")
    assert reply == [*(key.upper().encode() for key in keys), None]


def test_config_get_is_a_dict(client: Client) -> None:
    assert client.execute("CONFIG", "GET", "cluster-enabled") == {b"cluster-enabled": b"yes"}


def test_a_value_comes_back_byte_for_byte(client: Client) -> None:
    value = bytes(range(256)) * 4096
    assert client.execute("SET", b"\x00\xff", value) == "OK"
    assert client.execute("GET", b"\x00\xff") == value


def test_numbers_are_arguments_as_they_are_written(client: Client) -> None:
    client.execute("SET", "number", 40)
    assert client.execute("INCRBY", "number", 2) == 42
    client.execute("SET", "number", 0.1)
    assert client.execute("GET", "number") == b"0.1"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("return 1", 1),
        ("return false", None),
        ("return {1, 'a', {2}}", [1, b"a", [2]]),
        ("return redis.status_reply('FINE')", "FINE"),
        ("redis.setresp(3); return true", True),
        ("redis.setresp(3); return {double=1.5}", 1.5),
        ("redis.setresp(3); return {big_number='36893488147419103232'}", 2**65),
        ("redis.setresp(3); return {map={k='v'}}", {b"k": b"v"}),
        ("redis.setresp(3); return {set={a=true, b=true}}", {b"a", b"b"}),
    ],
)
def test_a_reply_of_a_script_is_its_python_value(
    client: Client, script: str, expected: Value
) -> None:
    reply = client.execute("EVAL", script, 0)
    assert (type(reply), reply) == (type(expected), expected)


def test_an_error_inside_a_reply_is_an_element(client: Client) -> None:
    reply = client.execute("EVAL", "return {1, redis.error_reply('MYERR no')}", 0)
    assert isinstance(reply, list)
    assert isinstance(reply[1], RequestError)
    assert reply[1].code == "MYERR"


def test_a_reply_nested_thirty_deep_is_decoded(client: Client) -> None:
    script = "local t = {'x'} for i = 2, 30 do t = {t} end return t"
    reply = client.execute("EVAL", script, 0)
    for _ in range(30):
        assert isinstance(reply, list)
        (reply,) = reply
    assert reply == b"x"


def test_resp2_is_spoken_when_asked_for(cluster: Cluster) -> None:
    with Client.connect(cluster.addresses, protocol=ProtocolVersion.RESP2) as client:
        assert client.execute("EVAL", "redis.setresp(3); return true", 0) == 1


def test_an_error_of_the_server_says_all_about_itself(client: Client) -> None:
    client.execute("SET", "text", "x")
    node = client.response("GET", "text").outcomes[0].node.address
    with pytest.raises(RequestError, match="WRONGTYPE") as caught:
        client.execute("LPUSH", "text", "y")
    error = caught.value
    assert (error.status, error.code, error.node) == (Status.SERVER, "WRONGTYPE", node)
    assert error.sent


def test_a_command_that_replicas_refuse_fails_on_them_only(
    client: Client, cluster: Cluster
) -> None:
    with pytest.raises(MultiNodeError) as caught:
        client.execute("WAIT", 0, 1, route=AllNodes())
    assert caught.value.status is Status.PARTIAL
    assert sorted(caught.value.results) == sorted(cluster.primaries)
    assert sorted(caught.value.errors) == sorted(cluster.replicas)
    assert {error.code for error in caught.value.errors.values()} == {"ERR"}


def test_a_command_that_every_node_refuses_has_an_error_of_each(
    client: Client, cluster: Cluster
) -> None:
    with pytest.raises(MultiNodeError) as caught:
        client.execute("SCRIPT", "NOSUCH", route=AllNodes())
    assert caught.value.status is Status.SERVER
    assert sorted(caught.value.errors) == sorted(cluster.addresses)
    assert caught.value.results == {}


def test_a_request_without_a_word_is_refused(client: Client) -> None:
    with pytest.raises(RequestError) as caught:
        client.execute()
    assert not caught.value.sent


def test_an_unknown_command_is_an_error_of_the_server(client: Client) -> None:
    with pytest.raises(RequestError, match="NOSUCH") as caught:
        client.execute("NOSUCH", "x")
    assert caught.value.status is Status.SERVER
