"""Each route on a live cluster."""

from __future__ import annotations

import pytest
from conftest import Cluster, Connect

from libglide import Client, ReadFrom, RequestError, Response, Role, Topology, key_slot
from libglide.routes import (
    AllNodes,
    AllPrimaries,
    ByAddressRoute,
    RandomNode,
    Route,
    SlotIdRoute,
    SlotKeyRoute,
    SlotType,
)

KEYS = ["foo", "bar", "{user:1}:name", b"\xff\x00"]
WHO = ("CONFIG", "GET", "port")


def answered(response: Response) -> list[str]:
    """The addresses of the nodes whose own word is in a response to ``WHO``."""
    ports = [outcome.value for outcome in response.outcomes]
    assert ports == [{b"port": b"%d" % outcome.node.port} for outcome in response.outcomes]
    return [outcome.node.address for outcome in response.outcomes]


def owner(topology: Topology, slot: int) -> tuple[str, list[str]]:
    """The primary of a slot and its replicas."""
    for shard in topology.shards:
        if any(first <= slot <= last for first, last in shard.slots):
            assert shard.primary is not None
            return shard.primary.address, [node.address for node in shard.replicas]
    raise AssertionError(f"slot {slot} has no shard")


def test_all_nodes_asks_each_node_once(client: Client, cluster: Cluster) -> None:
    reply = client.response(*WHO, route=AllNodes())
    assert sorted(answered(reply)) == sorted(cluster.addresses)


def test_all_primaries_asks_each_primary_once(client: Client, cluster: Cluster) -> None:
    reply = client.response(*WHO, route=AllPrimaries())
    assert sorted(answered(reply)) == sorted(cluster.primaries)
    assert {outcome.node.role for outcome in reply.outcomes} == {Role.PRIMARY}


def test_a_random_node_is_another_one_now_and_then(client: Client, cluster: Cluster) -> None:
    seen = [answered(client.response(*WHO, route=RandomNode())) for _ in range(100)]
    assert all(len(nodes) == 1 for nodes in seen)
    nodes = {node for (node,) in seen}
    assert nodes <= set(cluster.addresses)
    assert len(nodes) > 1


@pytest.mark.parametrize("key", KEYS)
def test_a_key_on_the_primary_is_asked_of_its_owner(client: Client, key: str | bytes) -> None:
    reply = client.response(*WHO, route=SlotKeyRoute(SlotType.PRIMARY, key))
    primary, _ = owner(client.topology(), key_slot(key))
    assert answered(reply) == [primary]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_on_a_replica_is_asked_of_a_replica_of_its_owner(
    client: Client, key: str | bytes
) -> None:
    reply = client.response(*WHO, route=SlotKeyRoute(SlotType.REPLICA, key))
    _, replicas = owner(client.topology(), key_slot(key))
    assert set(answered(reply)) <= set(replicas)
    assert not reply.outcomes[0].fallback


@pytest.mark.parametrize("slot", [0, 5460, 8000, 16383])
def test_a_slot_on_the_primary_is_asked_of_its_owner(client: Client, slot: int) -> None:
    reply = client.response(*WHO, route=SlotIdRoute(SlotType.PRIMARY, slot))
    assert answered(reply) == [owner(client.topology(), slot)[0]]


@pytest.mark.parametrize("slot", [0, 5460, 8000, 16383])
def test_a_slot_on_a_replica_is_asked_of_a_replica_of_its_owner(client: Client, slot: int) -> None:
    reply = client.response(*WHO, route=SlotIdRoute(SlotType.REPLICA, slot))
    assert set(answered(reply)) <= set(owner(client.topology(), slot)[1])


@pytest.mark.parametrize("number", range(6))
def test_an_address_is_asked_of_that_node(client: Client, cluster: Cluster, number: int) -> None:
    host, _, port = cluster.addresses[number].rpartition(":")
    reply = client.response(*WHO, route=ByAddressRoute(host, int(port)))
    assert answered(reply) == [cluster.addresses[number]]


@pytest.mark.parametrize("number", range(6))
def test_an_address_in_one_string_is_asked_of_that_node(
    client: Client, cluster: Cluster, number: int
) -> None:
    reply = client.response(*WHO, route=ByAddressRoute(cluster.addresses[number]))
    assert answered(reply) == [cluster.addresses[number]]


def test_without_a_route_a_command_goes_to_the_owner_of_its_key(client: Client) -> None:
    client.execute("SET", "foo", "here")
    reply = client.response("GET", "foo")
    primary, _ = owner(client.topology(), key_slot("foo"))
    assert reply.value == b"here"
    assert [outcome.node.address for outcome in reply.outcomes] == [primary]


def reads(client: Client, address: str) -> int:
    """How many GET commands a node has served."""
    text = client.execute("INFO", "COMMANDSTATS", route=ByAddressRoute(address))
    assert isinstance(text, bytes)
    for line in text.decode().splitlines():
        if line.startswith("cmdstat_get:calls="):
            return int(line.partition("=")[2].partition(",")[0])
    return 0


def test_a_replica_route_is_served_by_the_replica_itself(client: Client) -> None:
    client.execute("SET", "foo", "here")
    primary, (replica, *_) = owner(client.topology(), key_slot("foo"))
    before = reads(client, primary), reads(client, replica)
    for _ in range(10):
        client.execute("GET", "foo", route=SlotKeyRoute(SlotType.REPLICA, "foo"))
    assert (reads(client, primary), reads(client, replica)) == (before[0], before[1] + 10)


def test_a_plan_names_the_node_that_then_answers(client: Client) -> None:
    plan = client.resolve(*WHO, route=SlotIdRoute(SlotType.PRIMARY, 8000))
    reply = client.response(*WHO, route=SlotIdRoute(SlotType.PRIMARY, 8000))
    assert [leg.node for leg in plan.legs] == [outcome.node for outcome in reply.outcomes]
    assert [leg.words for leg in plan.legs] == [(b"CONFIG", b"GET", b"port")]
    assert plan.blocking is None


def test_a_plan_of_a_split_command_gives_each_node_its_keys(client: Client) -> None:
    plan = client.resolve("MGET", "foo", "bar", "baz")
    given = {word for leg in plan.legs for word in leg.words[1:]}
    assert len(plan.legs) > 1
    assert given == {b"foo", b"bar", b"baz"}


def test_a_plan_of_a_blocking_command_has_its_seconds(client: Client) -> None:
    assert client.resolve("BLPOP", "foo", 1.5).blocking == 1.5
    assert client.resolve("BLPOP", "foo", 0).blocking == 0.0


def test_the_topology_has_every_node_in_its_role(client: Client, cluster: Cluster) -> None:
    topology = client.topology()
    assert {node.address: node.role for node in topology.nodes} == {
        **dict.fromkeys(cluster.primaries, Role.PRIMARY),
        **dict.fromkeys(cluster.replicas, Role.REPLICA),
    }
    assert not topology.standalone


def test_the_topology_covers_every_slot_once(client: Client) -> None:
    ranges = [slots for shard in client.topology().shards for slots in shard.slots]
    assert sorted(slot for first, last in ranges for slot in range(first, last + 1)) == list(
        range(16384)
    )


@pytest.mark.parametrize(
    ("route", "named"),
    [
        (SlotIdRoute(SlotType.PRIMARY, -1), "-1"),
        (SlotIdRoute(SlotType.PRIMARY, 16384), "16384"),
        (SlotIdRoute(SlotType.REPLICA, 65541), "65541"),
        (SlotIdRoute(SlotType.PRIMARY, 2**31), "2147483648"),
        (ByAddressRoute("127.0.0.1", 0), "port 0"),
        (ByAddressRoute("127.0.0.1", 65536), "port 65536"),
        (ByAddressRoute("127.0.0.1"), "No port provided"),
        (ByAddressRoute("127.0.0.1:http"), "'http'"),
        (ByAddressRoute("", 7000), "host"),
    ],
)
def test_a_route_that_cannot_be_is_refused_and_named(
    client: Client, route: Route, named: str
) -> None:
    with pytest.raises(RequestError, match=named) as caught:
        client.execute("PING", route=route)
    assert not caught.value.sent


def test_an_unknown_address_is_refused_with_those_that_are_known(
    client: Client, cluster: Cluster
) -> None:
    with pytest.raises(RequestError, match=r"192\.0\.2\.1:7000") as caught:
        client.execute("PING", route=ByAddressRoute("192.0.2.1", 7000))
    assert any(address in str(caught.value) for address in cluster.addresses)


def test_reads_of_a_client_that_prefers_replicas_are_served_by_a_replica(
    connect: Connect, cluster: Cluster
) -> None:
    with connect(cluster.addresses[0], read_from=ReadFrom.PREFER_REPLICA) as reader:
        reader.execute("SET", "preferred", "v")
        (read,) = reader.response("GET", "preferred").outcomes
        (written,) = reader.response("SET", "preferred", "w").outcomes
    assert read.node.role is Role.REPLICA
    assert written.node.role is Role.PRIMARY


def test_an_empty_command_word_is_refused_before_anything_is_sent(client: Client) -> None:
    with pytest.raises(RequestError, match="first word of the command is empty") as refused:
        client.execute("")
    assert not refused.value.sent


def test_a_reply_nested_too_deeply_is_refused_and_the_client_goes_on(client: Client) -> None:
    nest = "local t = {} for i = 1, 60 do t = {t} end return t"
    with pytest.raises(RequestError, match="nested deeper than 48 levels"):
        client.execute("EVAL", nest, "0")
    assert client.execute("EVAL", nest.replace("60", "40"), "0")
