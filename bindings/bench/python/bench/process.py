"""What this process has used. Imports next to nothing, for it is imported before the client."""

from __future__ import annotations


def resident_kib() -> int:
    """The memory in use now."""
    return _status("VmRSS:")


def peak_kib() -> int:
    """The most memory that was ever in use; ``ru_maxrss`` begins with that of the parent."""
    return _status("VmHWM:")


def _status(name: str) -> int:
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(name):
                return int(line.split()[1])
    raise RuntimeError(f"/proc/self/status has no {name}")
