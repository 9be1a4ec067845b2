"""Topologies: made by hand, refused, and taken from a live cluster."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Connect
from hypothesis import given, settings
from hypothesis import strategies as st

from libglide import (
    Client,
    ConfigurationError,
    Node,
    ReadFrom,
    Role,
    Router,
    Shard,
    SlotRange,
    Status,
    Topology,
)
from libglide.routes import AllNodes, AllPrimaries, ByAddressRoute, SlotIdRoute, SlotType

A, B, C = Node("a", 1), Node("b", 2), Node("c", 3)


def test_a_node_needs_a_host_and_a_port() -> None:
    assert (A.role, A.id, A.zone, A.aliases) == (Role.PRIMARY, "", "", ())
    assert A.address == "a:1"


def test_a_shard_takes_any_iterable_and_pairs_for_ranges() -> None:
    shard = Shard([(0, 5)], A, [B])
    assert shard == Shard(slots=(SlotRange(0, 5),), primary=A, replicas=(B,))
    assert (shard.slots[0].first, shard.slots[0].last) == (0, 5)
    assert Shard(iter([(0, 5)]), A, iter([B])) == shard
    assert Shard([], A).replicas == ()
    assert Shard([], None).primary is None


def test_a_node_has_the_role_of_its_place() -> None:
    shard = Shard([], Node("a", 1, Role.REPLICA), [Node("b", 2)])
    assert shard.primary == A
    assert shard.replicas == (Node("b", 2, Role.REPLICA),)


def test_a_topology_needs_its_shards_only() -> None:
    topology = Topology([Shard([(0, 5)], A, [B]), Shard([], C)])
    assert (topology.epoch, topology.standalone) == (0, False)
    assert [node.host for node in topology.nodes] == ["a", "b", "c"]


def test_equal_topologies_are_one_key_of_a_dict() -> None:
    assert len({Topology([Shard([(0, 5)], A, [B])]), Topology((Shard(((0, 5),), A, (B,)),))}) == 1


def whole(*shards: Any, **options: Any) -> Topology:
    return Topology(shards, **options)


NODES: Any = "localhost:7000"


@pytest.mark.parametrize(
    ("topology", "named"),
    [
        (whole(Shard([(0, 5)], A), Shard([(5, 9)], B)), "slot 5 is given twice"),
        (whole(Shard([], A, [B]), Shard([], C, [B])), "node b:2 stands in two places"),
        (whole(Shard([], A, [A])), "node a:1 stands in two places"),
        (whole(Shard([], Node("A", 1)), Shard([], A)), "node a:1 stands in two places"),
        (whole(Shard([], A), Shard([], None, [B])), r"shards\[1\] has no primary"),
        (whole(Shard([(5, 3)], A)), r"shards\[0\]: slots 5-3 are no range"),
        (whole(Shard([(0, 16384)], A)), r"shards\[0\].slots\[0\].last is 16384, out of range"),
        (whole(Shard([(0, 1), (-1, 5)], A)), r"shards\[0\].slots\[1\].first is -1, out of range"),
        (whole(Shard([(0, True)], A)), r"shards\[0\].slots\[0\].last is True, not an int"),
        (whole(Shard([], Node("a", 0))), r"shards\[0\].primary.port is 0, out of range 1..65535"),
        (whole(Shard([], A, [Node("b", 65536)])), r"shards\[0\].replicas\[0\].port is 65536"),
        (whole(Shard([], Node("a", "1"))), r"shards\[0\].primary.port is '1', not an int"),  # type: ignore[arg-type]
        (whole(Shard([], Node("", 1))), r"shards\[0\]: the primary: host \"\" is empty"),
        (whole(Shard([], Node(b"a", 1))), r"shards\[0\].primary.host is a bytes"),  # type: ignore[arg-type]
        (whole(Shard([], Node("\ud800", 1))), r"shards\[0\].primary.host is not Unicode"),
        (whole(Shard([], Node("a", 1, zone=None))), r"shards\[0\].primary.zone is a NoneType"),  # type: ignore[arg-type]
        (whole(Shard([], Node("a", 1, aliases=("b",)))), 'alias of a:1.*"b" has no port'),
        (whole(Shard([], NODES)), r"shards\[0\].primary is 'localhost:7000', not a Node"),
        (whole(Shard([], A, [NODES])), r"shards\[0\].replicas\[0\] is 'localhost:7000'"),
        (whole(NODES), r"shards\[0\] is 'localhost:7000', not a Shard"),
        (whole(Shard([], A), epoch=-1), "epoch is -1, out of range"),
        (whole(Shard([], A), epoch=2**64), "epoch is 18446744073709551616, out of range"),
        (whole(Shard([], A), standalone=1), "standalone is 1, not a bool"),
        (whole(Shard([], A), Shard([], B), standalone=True), "one shard, not 2"),
        (None, "topology is None, not a Topology"),
        ([Shard([], A)], r"topology is \[Shard\("),
    ],
)
def test_a_topology_that_cannot_be_is_refused_and_named(topology: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named) as caught:
        Router(topology)
    assert caught.value.status is Status.CONFIG


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"read_from": "PRIMARY"}, "read_from is 'PRIMARY', not a ReadFrom"),
        ({"client_az": 1}, "client_az is a int"),
        ({"client_az": "a"}, 'client_az "a"'),
        ({"read_from": ReadFrom.AZ_AFFINITY}, 'client_az ""'),
    ],
)
def test_an_option_that_cannot_be_is_named(options: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        Router(whole(Shard([(0, 16383)], A)), **options)


def test_the_greatest_epoch_comes_back() -> None:
    with Router(whole(Shard([], A), epoch=2**64 - 1)) as router:
        assert router.resolve("PING").epoch == 2**64 - 1


WORDS = st.binary(max_size=40)


def test_over_a_clients_topology_a_router_plans_as_the_client_does(client: Client) -> None:
    router = Router(client.topology())

    @settings(max_examples=400, deadline=None, database=None)
    @given(key=WORDS, more=st.lists(WORDS, max_size=4))
    def same(key: bytes, more: list[bytes]) -> None:
        commands: list[list[str | bytes]] = [["GET", key], ["SET", key, "v"]]
        commands += [[name, key, *more] for name in ("MGET", "DEL", "EXISTS")]
        for words in commands:
            assert router.resolve(*words) == client.resolve(*words)
        assert router.resolve_batch(commands) == client.resolve_batch(commands)

    same()
    router.close()


def test_over_a_clients_topology_every_route_is_the_same(client: Client) -> None:
    topology = client.topology()
    with Router(topology) as router:
        for route in (
            AllNodes(),
            AllPrimaries(),
            *(SlotIdRoute(kind, slot) for kind in SlotType for slot in (0, 8000, 16383)),
            *(ByAddressRoute(node.host, node.port) for node in topology.nodes),
        ):
            plan = router.resolve("PING", route=route)
            assert plan == client.resolve("PING", route=route)


def test_the_topology_of_a_standalone_server_is_one_for_a_router(
    connect: Connect, standalone: str
) -> None:
    topology = connect(standalone).topology()
    with Router(topology) as router:
        assert [leg.node.address for leg in router.resolve("GET", "k").legs] == [standalone]
