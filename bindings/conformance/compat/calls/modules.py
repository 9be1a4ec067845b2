"""The commands of the JSON and search modules.

The servers of the test have neither, so this compares what is sent and how it is refused; how
replies are converted is tested beside the code.
"""

from __future__ import annotations

import re
from typing import Any

from glide_sync import (
    FtAggregateOptions,
    FtHybridSearchArm,
    FtHybridVsimArm,
    FtProfileOptions,
    FtSearchOptions,
    TextField,
    ft,
)

from calls.call import Step, call

QUERY = "@title:hello"


def hybrid(client: Any) -> Any:
    """FT.HYBRID, which names a parameter by a number of the moment: its error, without that."""
    try:
        return ft.hybrid(
            client, "index", FtHybridSearchArm(QUERY), FtHybridVsimArm("@v", b"\0" * 8)
        )
    except Exception as fault:
        return type(fault).__name__, re.sub("[0-9a-f]{32}", "parameter", str(fault))


CALLS = [
    call("ft.create", "index", [TextField("title")]),
    call("ft.list"),
    call("ft.search", "index", QUERY, FtSearchOptions()),
    call("ft.aliasadd", "alias", "index"),
    call("ft.aliasupdate", "alias", "index"),
    call("ft.aliaslist"),
    call("ft.aliasdel", "alias"),
    call("ft.info", "index"),
    call("ft.explain", "index", QUERY),
    call("ft.explaincli", "index", QUERY),
    call("ft.aggregate", "index", QUERY, FtAggregateOptions(loadAll=True)),
    call("ft.cursor_read", "index", 1),
    call("ft.cursor_del", "index", 1),
    call("ft.profile", "index", FtProfileOptions.from_query_options(QUERY, FtSearchOptions())),
    Step("ft.hybrid", hybrid),
    call("ft.dropindex", "index"),
    call("json.set", "{k}j", "$", "{}"),
    call("json.get", "{k}j", "$"),
    call("json.mget", ["{k}j", "{k}other"], "$"),
    call("json.arrappend", "{k}j", "$", ["1"]),
    call("json.arrindex", "{k}j", "$", "1"),
    call("json.arrinsert", "{k}j", "$", 0, ["1"]),
    call("json.arrlen", "{k}j", "$"),
    call("json.arrpop", "{k}j"),
    call("json.arrtrim", "{k}j", "$", 0, 1),
    call("json.clear", "{k}j"),
    call("json.debug_fields", "{k}j", "$"),
    call("json.debug_memory", "{k}j", "$"),
    call("json.delete", "{k}j", "$"),
    call("json.forget", "{k}j", "$"),
    call("json.numincrby", "{k}j", "$", 1),
    call("json.nummultby", "{k}j", "$", 2),
    call("json.objlen", "{k}j", "$"),
    call("json.objkeys", "{k}j", "$"),
    call("json.resp", "{k}j", "$"),
    call("json.strappend", "{k}j", '"x"', "$"),
    call("json.strlen", "{k}j", "$"),
    call("json.toggle", "{k}j", "$"),
    call("json.type", "{k}j", "$"),
]
