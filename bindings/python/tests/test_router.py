"""Where a router sends requests over a topology that was made by hand."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import run

from libglide import (
    ClosingError,
    Node,
    Plan,
    ReadFrom,
    RequestError,
    ResponsePolicy,
    Role,
    Router,
    Shard,
    Status,
    Topology,
    key_slot,
)
from libglide.library import load
from libglide.routes import (
    AllNodes,
    AllPrimaries,
    ByAddressRoute,
    RandomNode,
    SlotIdRoute,
    SlotKeyRoute,
    SlotType,
)

PORT = 7000
TOPOLOGY = Topology(
    [
        Shard(
            [(0, 5460)],
            Node("p1", PORT, zone="a"),
            [Node("r1", PORT, zone="a"), Node("r2", PORT, zone="b")],
        ),
        Shard([(5461, 10000), (10002, 10922)], Node("p2", PORT, zone="b"), [Node("r3", PORT)]),
        Shard([(10923, 16383)], Node("p3", PORT, id="third", aliases=("10.0.0.3:7000",))),
    ],
    epoch=7,
)
FIRST, SECOND, THIRD, NOBODYS = "{3}", "{2}", "foo", 10001


@pytest.fixture
def router() -> Iterator[Router]:
    with Router(TOPOLOGY) as router:
        yield router


def nodes(plan: Plan) -> list[str]:
    """The hosts of a plan, sorted."""
    return sorted(leg.node.host for leg in plan.legs)


def test_the_keys_of_these_tests_are_in_the_shards_that_their_names_say() -> None:
    owners = [
        [
            position
            for position, shard in enumerate(TOPOLOGY.shards)
            for first, last in shard.slots
            if first <= key_slot(key) <= last
        ]
        for key in (FIRST, SECOND, THIRD)
    ]
    assert owners == [[0], [1], [2]]


@pytest.mark.parametrize(("key", "owner"), [(FIRST, "p1"), (SECOND, "p2"), (THIRD, "p3")])
def test_without_a_route_a_command_goes_to_the_owner_of_its_key(
    router: Router, key: str, owner: str
) -> None:
    plan = router.resolve("GET", key)
    assert nodes(plan) == [owner]
    assert plan.legs[0].words == (b"GET", key.encode())
    assert plan.legs[0].slots == ((key_slot(key), key_slot(key)),)
    assert (plan.policy, plan.blocking, plan.atomic) == (ResponsePolicy.DEFAULT, None, False)


def test_a_command_over_several_slots_is_split_by_owner(router: Router) -> None:
    plan = router.resolve("MGET", FIRST, THIRD, SECOND)
    assert {leg.node.host: leg.words for leg in plan.legs} == {
        "p1": (b"MGET", FIRST.encode()),
        "p2": (b"MGET", SECOND.encode()),
        "p3": (b"MGET", THIRD.encode()),
    }
    assert plan.policy is ResponsePolicy.COMBINE_ARRAYS


def test_all_nodes_are_planned_once_each_in_the_order_of_the_topology(router: Router) -> None:
    plan = router.resolve("PING", route=AllNodes())
    assert [leg.node for leg in plan.legs] == list(TOPOLOGY.nodes)
    assert [leg.slots for leg in plan.legs[:3]] == [TOPOLOGY.shards[0].slots] * 3


def test_all_primaries_are_planned_once_each(router: Router) -> None:
    plan = router.resolve("DBSIZE", route=AllPrimaries())
    assert [leg.node for leg in plan.legs] == [shard.primary for shard in TOPOLOGY.shards]
    assert plan.policy is ResponsePolicy.SUM


def test_a_random_node_is_each_of_them_in_the_long_run(router: Router) -> None:
    plans = [router.resolve("PING", route=RandomNode()) for _ in range(400)]
    assert {len(plan.legs) for plan in plans} == {1}
    assert {plan.legs[0].node for plan in plans} == set(TOPOLOGY.nodes)


def test_a_random_node_for_a_write_is_a_primary(router: Router) -> None:
    plans = [router.resolve("SET", "k", "v", route=RandomNode()) for _ in range(100)]
    assert {plan.legs[0].node.role for plan in plans} == {Role.PRIMARY}


@pytest.mark.parametrize("of_key", [True, False], ids=["key", "slot"])
def test_slot_routes_are_planned_to_the_primary_and_a_replica(router: Router, of_key: bool) -> None:
    def hosts(slot_type: SlotType, key: str) -> list[str]:
        if of_key:
            return nodes(router.resolve("PING", route=SlotKeyRoute(slot_type, key)))
        return nodes(router.resolve("PING", route=SlotIdRoute(slot_type, key_slot(key))))

    assert hosts(SlotType.PRIMARY, FIRST) == ["p1"]
    assert hosts(SlotType.PRIMARY, SECOND) == ["p2"]
    assert hosts(SlotType.REPLICA, SECOND) == ["r3"]
    assert {hosts(SlotType.REPLICA, FIRST)[0] for _ in range(2)} == {"r1", "r2"}


def test_the_primary_of_a_shard_without_replicas_stands_in_and_the_leg_says_so(
    router: Router,
) -> None:
    (leg,) = router.resolve("GET", THIRD, route=SlotKeyRoute(SlotType.REPLICA, THIRD)).legs
    assert (leg.node.host, leg.fallback) == ("p3", True)
    (leg,) = router.resolve("GET", THIRD, route=SlotKeyRoute(SlotType.PRIMARY, THIRD)).legs
    assert (leg.node.host, leg.fallback) == ("p3", False)


@pytest.mark.parametrize(
    "route",
    [
        ByAddressRoute("p3", PORT),
        ByAddressRoute("p3:7000"),
        ByAddressRoute("P3", PORT),
        ByAddressRoute("10.0.0.3", PORT),
        ByAddressRoute("10.0.0.3:7000"),
    ],
)
def test_every_name_of_a_node_is_an_address_of_it(router: Router, route: ByAddressRoute) -> None:
    (leg,) = router.resolve("PING", route=route).legs
    assert leg.node == TOPOLOGY.shards[2].primary


def test_an_address_that_is_no_node_is_refused_with_those_that_are(router: Router) -> None:
    with pytest.raises(RequestError, match="p4:7000") as caught:
        router.resolve("PING", route=ByAddressRoute("p4", PORT))
    assert caught.value.status is Status.ROUTE
    assert all(node.address in str(caught.value) for node in TOPOLOGY.nodes)


def test_a_slot_that_no_shard_serves_has_no_slot_route(router: Router) -> None:
    with pytest.raises(RequestError, match=str(NOBODYS)) as caught:
        router.resolve("PING", route=SlotIdRoute(SlotType.PRIMARY, NOBODYS))
    assert caught.value.status is Status.ROUTE


def test_a_standalone_server_gets_everything_and_has_no_slot_routes() -> None:
    server = Node("::1", PORT)
    with Router(Topology([Shard([], server)], standalone=True)) as router:
        assert [leg.node for leg in router.resolve("GET", FIRST).legs] == [server]
        assert [leg.node for leg in router.resolve("PING", route=AllNodes()).legs] == [server]
        with pytest.raises(RequestError, match="standalone"):
            router.resolve("GET", FIRST, route=SlotIdRoute(SlotType.PRIMARY, 1))


def test_a_plan_has_the_epoch_of_its_topology(router: Router) -> None:
    assert router.resolve("PING").epoch == 7


def test_a_blocking_command_has_its_seconds(router: Router) -> None:
    assert router.resolve("BLPOP", FIRST, 1.5).blocking == 1.5


@pytest.mark.parametrize(
    ("words", "named"), [((), "no words"), (("",), "empty"), (("GET", "\ud800"), r"args\[1\]")]
)
def test_a_command_that_cannot_be_is_refused(
    router: Router, words: tuple[str, ...], named: str
) -> None:
    with pytest.raises(RequestError, match=named):
        router.resolve(*words)


def test_replicas_take_turns_where_they_are_preferred() -> None:
    with Router(TOPOLOGY, read_from=ReadFrom.PREFER_REPLICA) as router:
        seen = [nodes(router.resolve("GET", FIRST)) for _ in range(10)]
        written = nodes(router.resolve("SET", FIRST, "v"))
    assert Counter(host for (host,) in seen) == {"r1": 5, "r2": 5}
    assert all(one != next_one for one, next_one in zip(seen, seen[1:]))
    assert written == ["p1"]


@pytest.mark.parametrize(
    ("read_from", "client_az", "first", "second"),
    [
        (ReadFrom.PRIMARY, None, {"p1"}, {"p2"}),
        (ReadFrom.PREFER_REPLICA, None, {"r1", "r2"}, {"r3"}),
        (ReadFrom.ALL_NODES, None, {"p1", "r1", "r2"}, {"p2", "r3"}),
        (ReadFrom.AZ_AFFINITY, "b", {"r2"}, {"r3"}),
        (ReadFrom.AZ_AFFINITY, "nowhere", {"r1", "r2"}, {"r3"}),
        (ReadFrom.AZ_AFFINITY_REPLICAS_AND_PRIMARY, "b", {"r2"}, {"p2"}),
        (ReadFrom.AZ_AFFINITY_ALL_NODES, "a", {"p1", "r1"}, {"p2", "r3"}),
    ],
)
def test_a_read_goes_to_the_nodes_of_its_strategy_and_zone(
    read_from: ReadFrom, client_az: str | None, first: set[str], second: set[str]
) -> None:
    with Router(TOPOLOGY, read_from=read_from, client_az=client_az) as router:
        reads = {key: [router.resolve("GET", key) for _ in range(12)] for key in (FIRST, SECOND)}
    assert {nodes(plan)[0] for plan in reads[FIRST]} == first
    assert {nodes(plan)[0] for plan in reads[SECOND]} == second


def test_four_threads_share_a_router_and_its_turns() -> None:
    with Router(TOPOLOGY, read_from=ReadFrom.PREFER_REPLICA) as router:

        def work(_: int) -> list[str]:
            return [nodes(router.resolve("GET", FIRST))[0] for _ in range(250)]

        with ThreadPoolExecutor(4) as pool:
            seen = Counter(host for hosts in pool.map(work, range(4)) for host in hosts)
    assert seen == {"r1": 500, "r2": 500}


def test_two_routers_know_nothing_of_each_other(router: Router) -> None:
    with Router(Topology([Shard([(0, 16383)], Node("other", 1))])) as other:
        assert nodes(other.resolve("GET", FIRST)) == ["other"]
        assert nodes(router.resolve("GET", FIRST)) == ["p1"]
    assert nodes(router.resolve("GET", FIRST)) == ["p1"]


def test_a_closed_router_says_so() -> None:
    with Router(TOPOLOGY) as router:
        assert repr(router) == "<libglide.Router over 3 shards, epoch 7, open>"
    with pytest.raises(ClosingError) as caught:
        router.resolve("PING")
    assert caught.value.status is Status.CLOSED
    with pytest.raises(ClosingError):
        router.resolve_batch([["PING"]])
    router.close()
    assert repr(router) == "<libglide.Router over 3 shards, epoch 7, closed>"


def test_a_dropped_router_is_closed() -> None:
    router = Router(TOPOLOGY)
    handle, library = router._handle, load()
    assert library.router_resolve(handle, b"")[0] == Status.INVALID_ARGUMENT
    del router
    gc.collect()
    assert library.router_resolve(handle, b"")[0] == Status.CLOSED


ALONE = """
import os
from libglide import *
def sockets():
    names = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return [name for name in names if os.path.islink(name) and "socket:" in os.readlink(name)]
router = Router(
    Topology([Shard([(0, 16383)], Node("127.0.0.1", 7000), [Node("localhost", 7001)])]),
    read_from=ReadFrom.PREFER_REPLICA,
)
for number in range(1000):
    router.resolve("GET", number)
    router.resolve("PING", route=AllNodes())
    router.resolve_batch([["GET", number], ["PING"]])
print(sockets(), len(router.resolve("PING", route=AllNodes()).legs))
"""


def test_a_router_opens_no_connection() -> None:
    done = run(ALONE)
    assert (done.stdout, done.stderr) == ("[] 2\n", "")
