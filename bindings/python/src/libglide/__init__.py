"""A Valkey cluster client on the shared library libglide.

Importing it is quick: the library and protobuf are loaded by the first use of either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from libglide.client import Client
from libglide.exceptions import (
    ClosingError,
    ConfigurationError,
    ConnectionError,
    ExecAbortError,
    GlideError,
    LibraryError,
    MultiNodeError,
    RequestError,
    Status,
    TimeoutError,
)
from libglide.library import key_slot, library_version
from libglide.log import set_log
from libglide.options import (
    Backoff,
    NodeAddress,
    NodeDiscoveryMode,
    ProtocolVersion,
    ReadFrom,
)
from libglide.response import Leg, Outcome, Plan, Response, ResponsePolicy
from libglide.router import Router
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
from libglide.script import Script
from libglide.session import Session
from libglide.tls import Tls
from libglide.topology import Node, Role, Shard, SlotRange, Topology
from libglide.values import Value

if TYPE_CHECKING:
    from libglide.statistics import Configuration, NodeStatistics, ProcessStatistics, Statistics

__version__ = "0.1.0"

__all__ = [
    "AllNodes",
    "AllPrimaries",
    "Backoff",
    "ByAddressRoute",
    "Client",
    "ClosingError",
    "Configuration",
    "ConfigurationError",
    "ConnectionError",
    "ExecAbortError",
    "GlideError",
    "Leg",
    "LibraryError",
    "MultiNodeError",
    "Node",
    "NodeAddress",
    "NodeDiscoveryMode",
    "NodeStatistics",
    "Outcome",
    "Plan",
    "ProcessStatistics",
    "ProtocolVersion",
    "RandomNode",
    "ReadFrom",
    "RequestError",
    "Response",
    "ResponsePolicy",
    "Role",
    "Route",
    "Router",
    "Script",
    "Session",
    "Shard",
    "SlotIdRoute",
    "SlotKeyRoute",
    "SlotRange",
    "SlotType",
    "Statistics",
    "Status",
    "TimeoutError",
    "Tls",
    "Topology",
    "Value",
    "key_slot",
    "library_version",
    "set_log",
]

if not TYPE_CHECKING:  # which would take any name for one of the package

    def __getattr__(name: str) -> object:
        """Import what few programs name when one does: a tenth of the time of the import."""
        if name not in ("Configuration", "NodeStatistics", "ProcessStatistics", "Statistics"):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from libglide import statistics

        return getattr(statistics, name)
