"""The message classes, built at run time from what the library ships.

They live in a descriptor pool of their own: no generated code that must fit the installed
protobuf, and no clash with other packages' messages.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from google.protobuf import descriptor_pool, message_factory

from libglide import library
from libglide.exceptions import LibraryError, Status


class Messages:
    """The classes of the messages that cross the border whole.

    Args:
        schema: A serialized ``google.protobuf.FileDescriptorSet``.
    """

    def __init__(self, schema: bytes) -> None:
        pool = descriptor_pool.DescriptorPool()
        files = [pool.AddSerializedFile(file) for file in _files(schema)]

        def message(name: str) -> Any:
            return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"libglide.{name}"))

        self.connection_request = message("ConnectionRequest")
        self.command_request = message("CommandRequest")
        self.topology = message("Topology")
        self.response = message("Response")
        # By itself protobuf (7.36) makes the class of a message within another when one is looked
        # at, and has the next collection of garbage free it. Among threads that freed one which
        # still had a message, and the process crashed.
        self._kept = [
            message_factory.GetMessageClass(descriptor)
            for file in files
            for descriptor in _all(file.message_types_by_name.values())
        ]


def _files(schema: bytes) -> Iterator[bytes]:
    """The files of a ``FileDescriptorSet``, serialized; it has no other field.

    To read it as the message that it is would need the messages that describe messages, which take
    longer to import than all of these to make.
    """
    start = 0
    while start < len(schema):
        size, start = library.varint(schema, start + 1)  # past the key
        yield schema[start : start + size]
        start += size


def _all(descriptors: Iterable[Any]) -> Iterator[Any]:
    """Descriptors of messages, and of those that are declared within them."""
    for descriptor in descriptors:
        yield descriptor
        yield from _all(descriptor.nested_types)


@functools.cache
def load() -> Messages:
    """The message classes, built by the first call.

    Raises:
        LibraryError: The library was not found, or gives no schema.
        ClosingError: This is the child of a fork and cannot load its copy of the library.
    """
    status, schema = library.load().schema()
    if status == Status.FORKED:
        raise library.forked()
    if status != Status.OK:
        raise LibraryError(f"libglide gave no schema: {library.load().status_name(status)}")
    return Messages(schema)
