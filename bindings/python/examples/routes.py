"""Every route on a cluster: who is asked, and who answers.

    python routes.py HOST:PORT...

Without arguments the addresses come from GLIDE_TEST_CLUSTER, divided by commas. The exit code is
0 only if each request went where its route says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from libglide import (
    AllNodes,
    AllPrimaries,
    ByAddressRoute,
    Client,
    GlideError,
    Node,
    Outcome,
    RandomNode,
    Role,
    Route,
    SlotIdRoute,
    SlotKeyRoute,
    SlotType,
    Topology,
    key_slot,
)

KEY = "greeting"
SLOT = 8000
WHO = ("CONFIG", "GET", "port")  # a node answers with its own port

Expected = Callable[[Sequence[Node]], bool]


@dataclass
class Try:
    """One request, and which nodes may answer it."""

    route: Route | None
    words: tuple[str, ...]
    expected: Expected


def tries(topology: Topology) -> list[Try]:
    """Each route, asked of each node itself; then commands that find their way alone."""
    nodes = topology.nodes
    primaries = [node for node in nodes if node.role is Role.PRIMARY]
    last = nodes[-1]
    slot = key_slot(KEY)
    return [
        Try(AllNodes(), WHO, exactly(nodes)),
        Try(AllPrimaries(), WHO, exactly(primaries)),
        Try(RandomNode(), WHO, one_of(nodes)),
        Try(SlotKeyRoute(SlotType.PRIMARY, KEY), WHO, one_of(shard(topology, slot, Role.PRIMARY))),
        Try(SlotKeyRoute(SlotType.REPLICA, KEY), WHO, one_of(shard(topology, slot, Role.REPLICA))),
        Try(SlotIdRoute(SlotType.PRIMARY, SLOT), WHO, one_of(shard(topology, SLOT, Role.PRIMARY))),
        Try(SlotIdRoute(SlotType.REPLICA, SLOT), WHO, one_of(shard(topology, SLOT, Role.REPLICA))),
        Try(ByAddressRoute(last.host, last.port), WHO, exactly([last])),
        Try(ByAddressRoute(last.address), WHO, exactly([last])),
        Try(None, ("SET", KEY, "hello"), one_of(shard(topology, slot, Role.PRIMARY))),
        Try(None, ("GET", KEY), one_of(shard(topology, slot, Role.PRIMARY))),
        Try(None, ("DBSIZE",), exactly(primaries)),
    ]


def shard(topology: Topology, slot: int, role: Role) -> list[Node]:
    """The nodes of one role that a slot has."""
    for shard in topology.shards:
        if any(first <= slot <= last for first, last in shard.slots):
            both = (shard.primary, *shard.replicas)
            return [node for node in both if node is not None and node.role is role]
    return []


def exactly(nodes: Sequence[Node]) -> Expected:
    """All of these, each once."""
    names = sorted(node.address for node in nodes)
    return lambda answered: sorted(node.address for node in answered) == names


def one_of(nodes: Sequence[Node]) -> Expected:
    """Any one of these."""
    return lambda answered: len(answered) == 1 and answered[0] in nodes


def title(route: Route) -> str:
    """A route as one would call it."""
    given = [value for value in vars(route).values() if value is not None]
    return f"{type(route).__name__}({', '.join(map(repr, given))})".replace("SlotType.", "")


def readable(value: object) -> str:
    """A reply in few words."""
    if isinstance(value, dict):
        text = ", ".join(f"{readable(key)} {readable(item)}" for key, item in value.items())
    elif isinstance(value, bytes):
        text = value.decode(errors="backslashreplace")
    else:
        text = str(value)
    return text if len(text) <= 30 else text[:27] + "..."


def right(words: tuple[str, ...], outcome: Outcome) -> bool:
    """Whether the node that was asked is the one that answered."""
    told = words != WHO or outcome.value == {b"port": b"%d" % outcome.node.port}
    return told and outcome.error is None and not (outcome.served_by or outcome.fallback)


def run(client: Client) -> bool:
    """Print the table; whether all of it is as expected."""
    rows = [("route", "command", "node", "role", "reply", "")]
    good = True
    for item in tries(client.topology()):
        name = "no route" if item.route is None else title(item.route)
        command = " ".join(item.words)
        try:
            outcomes = client.response(*item.words, route=item.route).outcomes
        except GlideError as error:
            rows.append((name, command, "", "", str(error), "WRONG"))
            good = False
            continue
        as_expected = item.expected([outcome.node for outcome in outcomes])
        for outcome in outcomes:
            fine = as_expected and right(item.words, outcome)
            node = outcome.node
            reply = readable((outcome.error and str(outcome.error)) or outcome.value)
            mark = "ok" if fine else "WRONG"
            rows.append((name, command, node.address, node.role.value, reply, mark))
            name = command = ""
            good = good and fine
        good = good and as_expected
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths))
        print("  ".join(cells).rstrip())
    return good


def main() -> int:
    addresses = sys.argv[1:] or os.environ.get("GLIDE_TEST_CLUSTER", "").split(",")
    if not any(addresses):
        print(__doc__, file=sys.stderr)
        return 2
    with Client.connect(addresses, request_timeout=2.0) as client:
        return 0 if run(client) else 1


if __name__ == "__main__":
    sys.exit(main())
