"""What the benchmark was run on."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any


def conditions(client: Any, asyncio: Path, rounds: int, seconds: float) -> dict[str, str]:
    """The conditions, to be shown.

    The client is a ``ValkeyCluster``; asyncio the folder of the official asynchronous client.
    """
    primaries, replicas = len(client.get_primaries()), len(client.get_replicas())
    server = client.info(target_nodes=client.get_default_node())
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "processor": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "system": f"{platform.system()} {platform.release()}, {' '.join(platform.libc_ver())}",
        "load before": f"{os.getloadavg()[0]:.2f} (average of a minute)",
        "server": f"{server['server_name']} {_server_version(server)}, {primaries} primaries and "
        f"{replicas} replicas on this machine, over loopback",
        "libglide": f"{version('libglide')}, {_commit()}",
        "valkey-glide": f"valkey-glide-sync {version('valkey-glide-sync')}, "
        f"for asyncio valkey-glide {next(iter(distributions(path=[str(asyncio)]))).version}",
        "valkey-py": f"valkey {version('valkey')}",
        "Python": f"{platform.python_version()}, protobuf {version('protobuf')}",
        "rounds": f"{rounds} of {seconds:g} s for each case and client, a process each; "
        "the figures are the medians",
    }


def _processor() -> str:
    with open("/proc/cpuinfo") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.machine()


def _server_version(server: dict[str, Any]) -> str:
    return str(server.get("valkey_version", server["redis_version"]))


def _commit() -> str:
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "not from a checkout"
    return f"commit {described.stdout.strip()}"
