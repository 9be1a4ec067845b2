"""The servers that the tests run on, named by the environment."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvloop

from libglide import ByAddressRoute, Client


@dataclass(frozen=True)
class Cluster:
    """Three primaries with one replica each, as "host:port"."""

    addresses: tuple[str, ...]

    @property
    def primaries(self) -> tuple[str, ...]:
        return self.addresses[:3]

    @property
    def replicas(self) -> tuple[str, ...]:
        return self.addresses[3:]


Connect = Callable[..., Client]


def from_environment(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        pytest.fail(
            f"{variable} is not set. At the top of the repository, "
            "`go run ./bindings/conformance/cluster/run -standalone -- COMMAND` runs a command "
            "with servers of its own",
            pytrace=False,
        )
    return value


def run(program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program in a process of its own."""
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


InLoop = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def in_loop(request: pytest.FixtureRequest) -> InLoop:
    """Runs a coroutine in an event loop of either kind."""
    return uvloop.run if request.param == "uvloop" else asyncio.run


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return Cluster(tuple(from_environment("GLIDE_TEST_CLUSTER").split(",")))


@pytest.fixture(scope="session")
def standalone() -> str:
    return from_environment("GLIDE_TEST_STANDALONE")


@pytest.fixture(scope="session")
def locked() -> str:
    """A server that wants the password s3cret."""
    return from_environment("GLIDE_TEST_PASSWORD")


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens clients that are closed when the test is over."""
    opened: list[Client] = []

    def connect(*args: object, **options: object) -> Client:
        opened.append(Client.connect(*args, **options))  # type: ignore[arg-type]
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


@pytest.fixture
def client(cluster: Cluster, connect: Connect) -> Client:
    return connect(cluster.addresses, request_timeout=5.0)


@pytest.fixture
def stalled(client: Client) -> Iterator[str]:
    """The address of the node of key "stalled", which answers no writes for a while."""
    node = ByAddressRoute(client.resolve("SET", "stalled", "x").legs[0].node.address)
    client.execute("CLIENT", "PAUSE", 5000, "WRITE", route=node)
    yield node.host
    client.execute("CLIENT", "UNPAUSE", route=node)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address that no server listens at."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{reserved.getsockname()[1]}"
