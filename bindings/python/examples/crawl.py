"""Many tasks on one client: count how large the values of all keys are.

    python crawl.py HOST:PORT...

Without arguments the addresses come from GLIDE_TEST_CLUSTER, divided by commas. Keys come from an
asynchronous scan; a hundred tasks ask for their sizes, and all of it takes at most ten seconds.
"""

from __future__ import annotations

import asyncio
import os
import sys

from libglide import GlideError
from libglide.aio import Client

TASKS = 100
PATIENCE = 10.0  # seconds


async def measure(client: Client, keys: asyncio.Queue[bytes | None]) -> tuple[int, int]:
    """How many keys this task has seen, and the bytes that they take."""
    count = total = 0
    while (key := await keys.get()) is not None:
        size = await client.execute("MEMORY", "USAGE", key)
        if isinstance(size, int):  # or else the key has gone meanwhile
            count, total = count + 1, total + size
    return count, total


async def crawl(addresses: list[str]) -> None:
    keys: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1000)
    async with await Client.connect(addresses) as client:
        tasks = [asyncio.create_task(measure(client, keys)) for _ in range(TASKS)]
        async for key in client.scan(count=1000):
            await keys.put(key)
        for _ in tasks:
            await keys.put(None)
        results = await asyncio.gather(*tasks)
    print(f"{sum(count for count, _ in results)} keys, {sum(size for _, size in results)} bytes")


def main() -> int:
    addresses = sys.argv[1:] or os.environ.get("GLIDE_TEST_CLUSTER", "").split(",")
    try:
        asyncio.run(asyncio.wait_for(crawl(addresses), PATIENCE))
    except (GlideError, asyncio.TimeoutError) as fault:
        print(f"{type(fault).__name__}: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
