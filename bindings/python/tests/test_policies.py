"""Another way than the command's own to make one value of several replies."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Cluster

from libglide import Client, MultiNodeError, RequestError, ResponsePolicy, messages
from libglide.codec import Codec
from libglide.routes import AllNodes, AllPrimaries, ByAddressRoute
from libglide.values import Value


@pytest.fixture
def sizes(client: Client, cluster: Cluster) -> dict[str, Value]:
    """How many keys each primary has: at least one, and not all as many."""
    for number in range(50):
        client.execute("SET", f"policy:{number}", "x")
    client.execute("MSET", *(word for n in range(99) for word in (f"{{policy}}:{n}", "x")))
    return {
        address: client.execute("DBSIZE", route=ByAddressRoute(address))
        for address in cluster.primaries
    }


def test_without_a_policy_the_command_has_its_own(client: Client, sizes: dict[str, int]) -> None:
    assert client.execute("DBSIZE") == sum(sizes.values())
    assert client.execute("DBSIZE", policy=None) == sum(sizes.values())
    assert client.execute("DBSIZE", policy=ResponsePolicy.DEFAULT) == sum(sizes.values())


def test_the_greatest_or_the_least_reply_is_the_value(
    client: Client, sizes: dict[str, int]
) -> None:
    assert min(sizes.values()) < max(sizes.values())
    assert client.execute("DBSIZE", policy=ResponsePolicy.MAX) == max(sizes.values())
    assert client.execute("DBSIZE", policy=ResponsePolicy.MIN) == min(sizes.values())


def test_per_node_is_a_dict_by_address(client: Client, sizes: dict[str, int]) -> None:
    assert client.execute("DBSIZE", policy=ResponsePolicy.PER_NODE) == sizes


def test_a_policy_holds_beside_a_route(client: Client, cluster: Cluster) -> None:
    reply = client.execute("PING", "hi", route=AllNodes(), policy=ResponsePolicy.PER_NODE)
    assert reply == dict.fromkeys(cluster.addresses, b"hi")
    reply = client.execute("ECHO", "hi", route=AllPrimaries(), policy=ResponsePolicy.ONE_SUCCEEDED)
    assert reply == b"hi"


def test_one_that_succeeded_is_enough_where_the_policy_says_so(client: Client) -> None:
    with pytest.raises(MultiNodeError):
        client.execute("WAIT", 0, 1, route=AllNodes())
    policy = ResponsePolicy.ONE_SUCCEEDED
    assert isinstance(client.execute("WAIT", 0, 1, route=AllNodes(), policy=policy), int)


def test_a_response_has_the_value_of_the_policy_and_every_outcome(
    client: Client, sizes: dict[str, int]
) -> None:
    reply = client.response("DBSIZE", policy=ResponsePolicy.MAX)
    assert reply.value == max(sizes.values())
    assert {outcome.node.address: outcome.value for outcome in reply.outcomes} == sizes


def test_a_policy_that_does_not_fit_the_replies_is_an_error(client: Client) -> None:
    with pytest.raises(RequestError, match="PING"):
        client.execute("PING", route=AllNodes(), policy=ResponsePolicy.SUM)


@pytest.mark.parametrize("words", [("GET", "policy"), ("DEL", "policy", "other", "third")])
def test_a_policy_for_what_does_not_go_to_all_nodes_is_refused(
    client: Client, words: tuple[str, ...]
) -> None:
    with pytest.raises(RequestError, match="response policy max is for all nodes") as refused:
        client.execute(*words, policy=ResponsePolicy.MAX)
    assert not refused.value.sent


@pytest.mark.parametrize("policy", ResponsePolicy)
def test_a_policy_is_sent_as_its_number(policy: ResponsePolicy) -> None:
    schema = messages.load()
    request = schema.command_request.FromString(Codec(schema).request(["PING"], policy=policy))
    assert request.response_policy == policy
    name = schema.command_request.DESCRIPTOR.fields_by_name["response_policy"].enum_type
    assert name.values_by_number[policy].name == f"RESPONSE_POLICY_{policy.name}"


@pytest.mark.parametrize("policy", ["MAX", 7, 99, True, ResponsePolicy])
def test_a_policy_that_is_none_is_refused_and_named(client: Client, policy: Any) -> None:
    with pytest.raises(RequestError, match=r"policy is .*, not a ResponsePolicy"):
        client.execute("DBSIZE", policy=policy)
    with pytest.raises(RequestError, match="policy is"):
        client.response("DBSIZE", policy=policy)
