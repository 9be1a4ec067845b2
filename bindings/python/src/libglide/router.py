"""Routing without a network."""

from __future__ import annotations

from libglide.library import load
from libglide.options import ReadFrom, check_reads
from libglide.resolver import Resolver, load_codec
from libglide.topology import Topology


class Router(Resolver):
    """Says where requests go over a topology that it is given: for a test, a proxy, a tool.

    It opens no connection and knows nothing but that topology::

        shards = [
            Shard([(0, 8191)], Node("10.0.0.1", 7000), [Node("10.0.0.2", 7000)]),
            Shard([(8192, 16383)], Node("10.0.0.3", 7000)),
        ]
        with Router(Topology(shards)) as router:
            router.resolve("GET", "user:1").legs[0].node.address  # '10.0.0.3:7000'

    Any number of threads may use it at once. It is a context manager that closes itself, and a
    router that is dropped is closed. In the child of a fork open another: each call of this one
    raises ``ClosingError`` there.

    Args:
        topology: The cluster, made by hand or by ``Client.topology``. A slot belongs to one
            shard at most, a node to one place.
        read_from: Which node of a shard serves a read without a route.
        client_az: The availability zone that the ``AZ_AFFINITY`` ways of ``read_from`` prefer.

    Raises:
        ConfigurationError: The topology or an option cannot be; the message names what of it.
        LibraryError: The shared library was not found.
        ClosingError: This is the child of a fork and cannot load its copy of the library.
    """

    def __init__(
        self,
        topology: Topology,
        *,
        read_from: ReadFrom = ReadFrom.PRIMARY,
        client_az: str | None = None,
    ) -> None:
        check_reads(read_from, client_az)
        library, codec = load(), load_codec()
        status, handle, data = library.router_open(codec.routing(topology, read_from, client_az))
        codec.accept(status, data)
        super().__init__(codec, handle, library.router_resolve, library.router_close)
        self._about = f"{len(topology.shards)} shards, epoch {topology.epoch}"

    def __repr__(self) -> str:
        return f"<libglide.Router over {self._about}, {self._state}>"
