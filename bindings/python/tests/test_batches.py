"""Plans of batches, over a topology made by hand and on a live cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from libglide import Client, Node, Plan, ReadFrom, RequestError, Router, Shard, Status, Topology
from libglide.routes import AllNodes, AllPrimaries, ByAddressRoute, SlotKeyRoute, SlotType

LOW, HIGH = "{3}", "foo"  # their slots are in the first and in the second shard
TOPOLOGY = Topology(
    [
        Shard([(0, 8191)], Node("p1", 7000), [Node("r1", 7000)]),
        Shard([(8192, 16383)], Node("p2", 7000), [Node("r2", 7000)]),
    ],
    epoch=3,
)


@pytest.fixture
def router() -> Iterator[Router]:
    with Router(TOPOLOGY) as router:
        yield router


def parts(plan: Plan) -> dict[str, list[tuple[int, tuple[bytes, ...]]]]:
    """What each node gets, in its order."""
    gets: dict[str, list[tuple[int, tuple[bytes, ...]]]] = {}
    for leg in plan.legs:
        gets.setdefault(leg.node.host, []).append((leg.command, leg.words))
    return gets


def test_each_command_of_a_batch_goes_where_it_belongs(router: Router) -> None:
    plan = router.resolve_batch([["SET", LOW, 1], ["GET", HIGH], ["INCR", LOW]])
    assert parts(plan) == {
        "p1": [(0, (b"SET", LOW.encode(), b"1")), (2, (b"INCR", LOW.encode()))],
        "p2": [(1, (b"GET", HIGH.encode()))],
    }
    assert (plan.atomic, plan.epoch) == (False, 3)


def test_the_parts_of_a_split_command_have_its_index(router: Router) -> None:
    plan = router.resolve_batch([["GET", LOW], ["MGET", LOW, HIGH]])
    assert parts(plan) == {
        "p1": [(0, (b"GET", LOW.encode())), (1, (b"MGET", LOW.encode()))],
        "p2": [(1, (b"MGET", HIGH.encode()))],
    }


def test_a_command_for_all_primaries_is_a_part_of_each(router: Router) -> None:
    plan = router.resolve_batch([["DBSIZE"], ["GET", HIGH]])
    assert parts(plan) == {
        "p1": [(0, (b"DBSIZE",))],
        "p2": [(0, (b"DBSIZE",)), (1, (b"GET", HIGH.encode()))],
    }


def test_reads_of_a_batch_go_to_replicas_where_they_are_preferred() -> None:
    with Router(TOPOLOGY, read_from=ReadFrom.PREFER_REPLICA) as router:
        plan = router.resolve_batch([["GET", LOW], ["SET", LOW, 1]])
        assert [leg.node.host for leg in plan.legs] == ["r1", "p1"]
        plan = router.resolve_batch([["GET", LOW], ["GET", LOW]], atomic=True)
        assert [leg.node.host for leg in plan.legs] == ["r1", "r1"]
        plan = router.resolve_batch([["GET", LOW], ["SET", LOW, 1]], atomic=True)
        assert [leg.node.host for leg in plan.legs] == ["p1", "p1"]


def test_an_atomic_batch_goes_to_the_one_node_of_its_slot(router: Router) -> None:
    plan = router.resolve_batch([["PING"], ["SET", HIGH, 1], ["GET", HIGH]], atomic=True)
    assert plan.atomic
    assert parts(plan) == {
        "p2": [
            (0, (b"PING",)),
            (1, (b"SET", HIGH.encode(), b"1")),
            (2, (b"GET", HIGH.encode())),
        ]
    }


def test_an_atomic_batch_over_several_slots_is_refused_and_names_the_command(
    router: Router,
) -> None:
    with pytest.raises(RequestError, match="CROSSSLOT") as caught:
        router.resolve_batch([["SET", LOW, 1], ["PING"], ["GET", HIGH]], atomic=True)
    assert "command 2 of the atomic batch" in str(caught.value)
    assert caught.value.status is Status.INVALID_ARGUMENT
    assert not caught.value.sent


@pytest.mark.parametrize("atomic", [False, True])
def test_a_route_is_for_the_whole_batch(router: Router, atomic: bool) -> None:
    commands = [["GET", LOW], ["GET", LOW]]
    for route, host in (
        (ByAddressRoute("r2", 7000), "r2"),
        (SlotKeyRoute(SlotType.PRIMARY, HIGH), "p2"),
    ):
        plan = router.resolve_batch(commands, atomic=atomic, route=route)
        assert [leg.node.host for leg in plan.legs] == [host, host]


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("route", [AllNodes(), AllPrimaries()])
def test_a_route_to_several_nodes_is_refused(
    router: Router, route: AllNodes | AllPrimaries, atomic: bool
) -> None:
    with pytest.raises(RequestError, match="not to all nodes"):
        router.resolve_batch([["PING"]], atomic=atomic, route=route)


@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize(
    ("commands", "named"),
    [
        ([], "empty batch"),
        ([["PING"], []], "command 1 of the batch: .*no words"),
        ([["PING"], [""]], "command 1 of the batch: .*empty"),
        ([["GET", "\ud800"]], r"commands\[0\]\[1\] is not Unicode text"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_and_named(
    router: Router, commands: list[list[str]], named: str, atomic: bool
) -> None:
    with pytest.raises(RequestError, match=named):
        router.resolve_batch(commands, atomic=atomic)


@pytest.mark.parametrize(
    ("commands", "named"),
    [
        ([["PING"], ["SET", "k", None]], r"commands\[1\]\[2\] is a NoneType"),
        (["PING"], r"commands\[0\] is a str, not a sequence of words"),
        ([b"PING"], r"commands\[0\] is a bytes, not a sequence of words"),
        ("PING", r"commands\[0\] is a str"),
    ],
)
def test_what_is_no_batch_is_a_type_error_naming_its_position(
    router: Router, commands: Any, named: str
) -> None:
    with pytest.raises(TypeError, match=named):
        router.resolve_batch(commands)


def test_a_client_plans_a_batch_over_its_cluster(client: Client) -> None:
    commands = [["SET", "foo", "1"], ["GET", "bar"], ["GET", "foo"]]
    plan = client.resolve_batch(commands)
    assert {leg.command: leg.node for leg in plan.legs} == {
        index: client.resolve(*words).legs[0].node for index, words in enumerate(commands)
    }
    plan = client.resolve_batch([["SET", "foo", 1], ["GET", "foo"]], atomic=True)
    assert plan.atomic
    assert len({leg.node for leg in plan.legs}) == 1
    with pytest.raises(RequestError, match="CROSSSLOT"):
        client.resolve_batch(commands, atomic=True)
