from __future__ import annotations

from typing import cast

import pytest

from libglide import routes
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

EACH = [
    (AllNodes(), "AllNodes()"),
    (AllPrimaries(), "AllPrimaries()"),
    (RandomNode(), "RandomNode()"),
    (
        SlotKeyRoute(SlotType.PRIMARY, "user:1"),
        "SlotKeyRoute(slot_type=SlotType.PRIMARY, slot_key='user:1')",
    ),
    (
        SlotKeyRoute(SlotType.REPLICA, b"\xff"),
        "SlotKeyRoute(slot_type=SlotType.REPLICA, slot_key=b'\\xff')",
    ),
    (SlotIdRoute(SlotType.REPLICA, 7), "SlotIdRoute(slot_type=SlotType.REPLICA, slot_id=7)"),
    (ByAddressRoute("::1", 7000), "ByAddressRoute(host='::1', port=7000)"),
    (ByAddressRoute("localhost:7000"), "ByAddressRoute(host='localhost:7000', port=None)"),
]


@pytest.mark.parametrize(("route", "text"), EACH)
def test_a_route_reads_as_the_python_that_makes_it(route: Route, text: str) -> None:
    assert repr(route) == text
    assert eval(text, vars(routes)) == route


def test_routes_are_equal_only_to_themselves() -> None:
    for first, (route, _) in enumerate(EACH):
        assert [route == other for other, _ in EACH] == [first == i for i in range(len(EACH))]


def test_equal_routes_are_one_key_of_a_dict() -> None:
    assert len({SlotIdRoute(SlotType.PRIMARY, 1), SlotIdRoute(SlotType.PRIMARY, 1)}) == 1


def test_slot_types_have_the_numbers_of_glide() -> None:
    assert [(item.name, item.value) for item in SlotType] == [("PRIMARY", 1), ("REPLICA", 2)]


def test_a_constructor_stores_what_it_gets() -> None:
    route = SlotIdRoute(cast(SlotType, "primary"), -1)
    assert (repr(route.slot_type), route.slot_id) == ("'primary'", -1)


def test_every_route_is_a_route() -> None:
    assert all(isinstance(route, Route) for route, _ in EACH)
