"""How clients are made, and what their options do; each step makes its own."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from glide_sync import (
    AdvancedGlideClientConfiguration,
    AdvancedGlideClusterClientConfiguration,
    BackoffStrategy,
    ClosingError,
    GlideClient,
    GlideClientConfiguration,
    GlideClusterClient,
    GlideClusterClientConfiguration,
    NodeAddress,
    PeriodicChecksManualInterval,
    PeriodicChecksStatus,
    ProtocolVersion,
    ReadFrom,
    ServerCredentials,
)

from calls.call import Step, text

PATIENCE = 5000  # milliseconds for a request; the machine may be busy


def addresses(variable: str) -> list[NodeAddress]:
    """The servers that the environment names."""
    pairs = [text.rsplit(":", 1) for text in os.environ[variable].split(",")]
    return [NodeAddress(host, int(port)) for host, port in pairs]


def alone(variable: str = "GLIDE_TEST_STANDALONE", **options: Any) -> Any:
    """A client of a standalone server."""
    nodes = options.pop("addresses", None) or addresses(variable)
    return GlideClient.create(
        GlideClientConfiguration(nodes, **{"request_timeout": PATIENCE, **options})
    )


def cluster(**options: Any) -> Any:
    """A client of the cluster."""
    nodes = options.pop("addresses", None) or addresses("GLIDE_TEST_CLUSTER")
    return GlideClusterClient.create(
        GlideClusterClientConfiguration(nodes, **{"request_timeout": PATIENCE, **options})
    )


def client(make: Callable[..., Any], *probe: str, judge: str = "exact", **options: Any) -> Step:
    """What a client with these options answers to a command; by default, to PING."""

    def run(_: Any) -> Any:
        made = make(**options)
        try:
            return made.custom_command(list(probe or ("PING",)))
        finally:
            made.close()

    label = f"{make.__name__}{text(options)} {' '.join(probe)}".rstrip()
    return Step("create", run, judge, label)


def secured(**options: Any) -> Any:
    """A client of the server with a password."""
    return alone("GLIDE_TEST_PASSWORD", **options)


def library(make: Callable[..., Any], **options: Any) -> Step:
    """The library name that the server knows of a client."""

    def run(_: Any) -> Any:
        made = make(**options)
        try:
            said = made.custom_command(["CLIENT", "INFO"]).decode().split()
            return [
                field for field in said if field.split("=")[0] in {"lib-name", "name", "db", "resp"}
            ]
        finally:
            made.close()

    return Step("create", run, label=f"{make.__name__}{text(options)} lib-name")


def closed(make: Callable[..., Any]) -> Step:
    """A closed client says so; closing it again is harmless."""

    def run(_: Any) -> Any:
        made = make()
        made.close()
        made.close()
        try:
            return made.get("key")
        except ClosingError as fault:
            return fault

    return Step("close", run, label=make.__name__)


def late(make: Callable[..., Any]) -> Step:
    """A request that takes longer than it may; the client goes on."""

    def run(_: Any) -> Any:
        made = make(request_timeout=100)
        busy = "local i = 0 while i < 20000000 do i = i + 1 end return i"
        try:
            first = made.custom_command(["EVAL", busy, "1", "{k}"])
        except Exception as fault:
            first = fault
        finally:
            made.close()
        return first

    return Step("create", run, label=f"{make.__name__} late")


def resolved(make: Callable[..., Any], odd: bool) -> Step:
    """Addresses of another name, which a resolver knows; or one that knows nothing."""

    def run(_: Any) -> Any:
        asked = set()
        servers = addresses("GLIDE_TEST_STANDALONE" if make is alone else "GLIDE_TEST_CLUSTER")

        def resolve(host: str, port: int) -> tuple[str, int]:
            asked.add(host)
            return ("", 0) if odd else ("127.0.0.1", port)

        named = servers if odd else [NodeAddress("seed.invalid", one.port) for one in servers]
        made = make(addresses=named, address_resolver=resolve)
        try:
            return made.set("{k}a", "1"), made.get("{k}a"), sorted(asked)
        finally:
            made.close()

    return Step("create", run, label=f"{make.__name__} resolved {odd=}")


def deep(_: Any) -> Any:
    """Several clients at once, each with what it set itself."""
    made = [cluster(client_name=f"client-{number}") for number in range(4)]
    try:
        for number, one in enumerate(made):
            one.set(f"key{number}", str(number))
        return [(one.client_getname(), one.mget([f"key{n}" for n in range(4)])) for one in made]
    finally:
        for one in made:
            one.close()


NOWHERE = [NodeAddress("127.0.0.1", 1)]

CALLS = [
    client(alone),
    client(cluster),
    client(alone, "GET", "none"),
    client(alone, protocol=ProtocolVersion.RESP2),
    client(cluster, protocol=ProtocolVersion.RESP2),
    client(secured),
    client(secured, credentials=ServerCredentials("wrong")),
    client(secured, credentials=ServerCredentials("s3cret")),
    client(secured, credentials=ServerCredentials("s3cret", "default")),
    client(secured, credentials=ServerCredentials("s3cret", "nobody")),
    client(alone, addresses=NOWHERE),
    client(cluster, addresses=NOWHERE),
    client(cluster, addresses=[*NOWHERE, *addresses("GLIDE_TEST_CLUSTER")]),
    client(alone, "DBSIZE", database_id=5),
    client(alone, database_id=99),
    client(alone, client_name="tester"),
    client(alone, "CLIENT", "GETNAME", client_name="tester"),
    client(cluster, "CLIENT", "GETNAME", client_name="tester"),
    client(alone, reconnect_strategy=BackoffStrategy(3, 100, 2)),
    client(cluster, reconnect_strategy=BackoffStrategy(3, 100, 2, 10)),
    client(alone, lazy_connect=True),
    client(cluster, lazy_connect=True),
    client(alone, lazy_connect=True, addresses=NOWHERE),
    client(alone, inflight_requests_limit=5),
    client(alone, "SET", "k", "v", read_only=True),
    client(alone, "GET", "none", read_only=True),
    client(cluster, "GET", "none", read_from=ReadFrom.PREFER_REPLICA),
    client(cluster, "GET", "none", read_from=ReadFrom.AZ_AFFINITY, client_az="zone"),
    client(cluster, "GET", "none", client_az="zone"),
    client(alone, advanced_config=AdvancedGlideClientConfiguration(connection_timeout=3000)),
    client(alone, advanced_config=AdvancedGlideClientConfiguration(tcp_nodelay=False)),
    client(cluster, advanced_config=AdvancedGlideClusterClientConfiguration(3000)),
    client(
        cluster,
        advanced_config=AdvancedGlideClusterClientConfiguration(
            refresh_topology_from_initial_nodes=True
        ),
    ),
    client(cluster, periodic_checks=PeriodicChecksStatus.DISABLED),
    client(cluster, periodic_checks=PeriodicChecksManualInterval(5)),
    client(cluster, recovery_requests_queue_size=10),
    library(alone),
    library(cluster),
    library(alone, client_name="named", database_id=3),
    library(alone, lib_name="mine", client_info_tag="tag-1.0"),
    library(alone, protocol=ProtocolVersion.RESP2),
    closed(alone),
    closed(cluster),
    late(alone),
    late(cluster),
    *(resolved(make, odd) for make in (alone, cluster) for odd in (False, True)),
    Step("create", deep),
]
