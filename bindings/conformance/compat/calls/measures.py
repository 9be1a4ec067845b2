"""What a client says of itself and of its library."""

from __future__ import annotations

from typing import Any

from glide_sync import get_min_compressed_size

from calls.call import Step, call, shape


def smallest(_: Any) -> Any:
    """The size below which nothing is compressed."""
    return get_min_compressed_size()


CALLS = [
    shape("get_statistics"),
    call("get_cache_hit_rate"),
    call("get_cache_miss_rate"),
    call("get_cache_entry_count"),
    call("get_cache_evictions"),
    call("get_cache_expirations"),
    call("get_cache_total_lookups"),
    call("refresh_iam_token"),
    call("try_get_pubsub_message"),
    call("rdma_available"),
    call("rdma_usable"),
    Step("get_min_compressed_size", smallest),
]
