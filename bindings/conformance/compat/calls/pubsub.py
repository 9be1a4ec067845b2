"""Subscriptions."""

from __future__ import annotations

from calls.call import call

CALLS = [
    call("subscribe_lazy", {"channel"}),
    call("psubscribe_lazy", {"pattern*"}),
    call("unsubscribe_lazy", {"channel"}),
    call("unsubscribe_lazy"),
    call("punsubscribe_lazy", {"pattern*"}),
    call("punsubscribe_lazy"),
    call("subscribe", {"channel"}, 3000),
    call("psubscribe", {"pattern*"}, 3000),
    call("unsubscribe", {"channel"}, 3000),
    call("punsubscribe", {"pattern*"}, 3000),
    call("ssubscribe_lazy", {"channel"}),
    call("sunsubscribe_lazy", {"channel"}),
    call("ssubscribe", {"channel"}, 3000),
    call("sunsubscribe", {"channel"}, 3000),
    call("get_subscriptions"),
]
