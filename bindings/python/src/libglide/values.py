"""What a server's reply is in Python.

=====================  ==================================================
reply                  Python
=====================  ==================================================
nil                    ``None``
integer, big number    ``int``
double                 ``float``
boolean                ``bool``
bulk string, verbatim  ``bytes``
status line            ``str``
array                  ``list``
set                    ``set``
map                    ``dict``
error as an element    a ``RequestError``, not raised
replies of all nodes   ``dict`` by "host:port"
=====================  ==================================================

In a key of a map and in a member of a set a list is a ``tuple``, a set is a ``frozenset`` and a
map is a ``frozenset`` of its items.
"""

from __future__ import annotations

from typing import Union

from libglide.exceptions import RequestError

Key = Union[None, int, float, bool, bytes, str, RequestError, tuple["Key", ...], frozenset["Key"]]
Value = Union[
    None, int, float, bool, bytes, str, RequestError, list["Value"], dict[Key, "Value"], set[Key]
]
