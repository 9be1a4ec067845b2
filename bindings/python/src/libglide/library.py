"""The shared library: where it is, and its functions as they are in ``include/glide.h``."""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from libglide.exceptions import ClosingError, GlideError, LibraryError, RequestError, Status
from libglide.interrupt import Interrupt

NAME = "libglide.so.1"
VARIABLE = "LIBGLIDE_LIBRARY"
ABI = 1


class _Buffer(ctypes.Structure):
    """``glide_buffer``."""

    _fields_ = (("data", ctypes.c_void_p), ("len", ctypes.c_size_t))


class _Bytes(ctypes.Structure):
    """``glide_bytes``."""

    _fields_ = (("data", ctypes.c_char_p), ("len", ctypes.c_size_t))


class _Completion(ctypes.Structure):
    """``glide_completion``."""

    _fields_ = (
        ("tag", ctypes.c_uint64),
        ("response", _Buffer),
        ("status", ctypes.c_int32),
        ("kind", ctypes.c_uint32),
    )


_COMPLETION = struct.Struct("QPNiI")  # the same, to unpack many of them at once

_BYTES = ctypes.c_char_p  # const uint8_t *; its length goes beside it
_SIZE = ctypes.c_size_t
_STATUS = ctypes.c_int32
_HANDLE = ctypes.c_uint64
_BUFFER_P = ctypes.POINTER(_Buffer)
_LOG_CALLBACK = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_size_t
)
_COMPLETION_P = ctypes.POINTER(_Completion)

_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "glide_abi_version": (ctypes.c_uint32, []),
    "glide_version": (ctypes.c_char_p, []),
    "glide_status_name": (ctypes.c_char_p, [_STATUS]),
    "glide_buffer_free": (None, [_BUFFER_P]),
    "glide_schema": (_STATUS, [_BUFFER_P]),
    "glide_on_interrupt": (_STATUS, [ctypes.c_void_p]),
    "glide_set_log": (_STATUS, [ctypes.c_int32, _LOG_CALLBACK, ctypes.c_void_p]),
    "glide_key_slot": (ctypes.c_int32, [_BYTES, _SIZE]),
    "glide_router_open": (_STATUS, [_BYTES, _SIZE, ctypes.POINTER(_HANDLE), _BUFFER_P]),
    "glide_router_resolve": (_STATUS, [_HANDLE, _BYTES, _SIZE, _BUFFER_P]),
    "glide_router_close": (_STATUS, [_HANDLE]),
    "glide_client_open": (_STATUS, [_BYTES, _SIZE, ctypes.POINTER(_HANDLE), _BUFFER_P]),
    "glide_client_execute": (_STATUS, [_HANDLE, _BYTES, _SIZE, _BUFFER_P]),
    "glide_client_execute_with": (
        _STATUS,
        [_HANDLE, _BYTES, _SIZE, ctypes.POINTER(_Bytes), _SIZE, _BUFFER_P],
    ),
    "glide_client_resolve": (_STATUS, [_HANDLE, _BYTES, _SIZE, _BUFFER_P]),
    "glide_client_topology": (_STATUS, [_HANDLE, _BUFFER_P]),
    "glide_client_statistics": (_STATUS, [_HANDLE, _BUFFER_P]),
    "glide_client_close": (_STATUS, [_HANDLE]),
    "glide_session_open": (_STATUS, [_HANDLE, _BYTES, _SIZE, ctypes.POINTER(_HANDLE), _BUFFER_P]),
    "glide_session_execute": (_STATUS, [_HANDLE, _BYTES, _SIZE, _BUFFER_P]),
    "glide_session_submit": (_STATUS, [_HANDLE, _BYTES, _SIZE, ctypes.c_uint64]),
    "glide_session_close": (_STATUS, [_HANDLE]),
    "glide_client_submit": (_STATUS, [_HANDLE, _BYTES, _SIZE, ctypes.c_uint64]),
    "glide_client_event_fd": (ctypes.c_int32, [_HANDLE]),
    "glide_client_poll": (_STATUS, [_HANDLE, _COMPLETION_P, _SIZE, ctypes.POINTER(_SIZE)]),
    "glide_completions_free": (None, [_COMPLETION_P, _SIZE]),
    "glide_client_cancel": (_STATUS, [_HANDLE, ctypes.c_uint64]),
}
# They do not wait, so it would only cost time to let go of the interpreter's lock in them.
_QUICK = (
    "glide_buffer_free",
    "glide_client_submit",
    "glide_session_submit",
    "glide_client_poll",
    "glide_completions_free",
    "glide_client_cancel",
)


class Bulk:
    """The one bulk string that a ``Response`` holds, and nothing else."""

    __slots__ = ("value",)

    def __init__(self, value: bytes) -> None:
        self.value = value


_LARGE = 32 << 10
_Taken = TypeVar("_Taken", bytes, "bytes | Bulk")


def _take(address: int, size: int) -> bytes | Bulk:
    """The bytes of a ``Response``, or of a large one the bulk string that it is.

    That saves two copies on the way through message objects, which is most of the time that a
    value of a MiB takes.
    """
    if size >= _LARGE:
        start = bulk_at(ctypes.string_at(address, 16), size)
        if start:
            return Bulk(ctypes.string_at(address + start, size - start))
    return ctypes.string_at(address, size)


EVENTS = 1  # the kind of a completion that holds events of subscriptions
VALUE, BULK = 0x12, 0x2A  # keys of Response.value and of Value.bulk


def bulk_at(head: bytes, size: int) -> int:
    """Where the one bulk string of a ``Response`` begins, of which this is the head; 0: it is none.

    Args:
        head: The first 16 bytes, or all.
        size: Of the response, in bytes.
    """
    value = _content(head, 0, VALUE, size)
    return _content(head, value, BULK, size) if value else 0


def _content(head: bytes, offset: int, key: int, size: int) -> int:
    """Where the content begins of a field that reaches to the end; 0: there is no such field."""
    if offset >= len(head) or head[offset] != key:
        return 0
    try:
        length, start = varint(head, offset + 1)
    except IndexError:
        return 0
    return start if start + length == size else 0


def varint(data: bytes, start: int) -> tuple[int, int]:
    """The number that starts at a place of a message, and where it ends."""
    number = shift = 0
    while data[start] & 0x80:
        number |= (data[start] & 0x7F) << shift
        shift += 7
        start += 1
    return number | data[start] << shift, start + 1


class Library:
    """A loaded library. Each call gives the status and the bytes that came with it.

    Args:
        path: The file, or a name for the system's loader.

    Raises:
        OSError: It cannot be loaded.
        LibraryError: It is not this library, or too old.
    """

    def __init__(self, path: str) -> None:
        self._c = ctypes.CDLL(path)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._c, name, None)
            if function is None:
                raise LibraryError(f"{path} has no {name}: it is not libglide, or too old")
            function.restype = result
            function.argtypes = arguments
        quick = ctypes.PyDLL(path)
        for name in _QUICK:
            result, arguments = _FUNCTIONS[name]
            function = getattr(quick, name)
            function.restype, function.argtypes = result, arguments
            setattr(self._c, name, function)
        abi = self._c.glide_abi_version()
        if abi < ABI:
            raise LibraryError(f"{path} has version {abi} of the C interface; {ABI} is needed")
        self._interrupt = Interrupt(self._c.glide_on_interrupt)
        self.asking = self._interrupt.asking
        """Within it, calls of this thread end once a function says so; not of the main thread."""
        self._logs: list[object] = []  # that the library may call
        self._log_lock = threading.Lock()
        self.submit: Callable[[int, bytes, int, int], int] = self._c.glide_client_submit
        """Begin a ``CommandRequest`` of a client, which has so many bytes, under a tag."""
        self.session_submit: Callable[[int, bytes, int, int], int] = self._c.glide_session_submit
        """The same in a session."""

    def version(self) -> str:
        """The release of the library."""
        return bytes(self._c.glide_version()).decode()

    def status_name(self, status: int) -> str:
        """The name of a status, as "TIMEOUT"."""
        return bytes(self._c.glide_status_name(status)).decode()

    def schema(self) -> tuple[int, bytes]:
        """The messages, as a ``FileDescriptorSet``."""
        return self._call(self._c.glide_schema)

    def set_log(self, level: int, take: Callable[[int, str], None] | None) -> int:
        """Say what is logged from now on; None has it written to the standard error stream."""

        def callback(_context: int | None, level: int, line: int, size: int) -> None:
            take(level, ctypes.string_at(line, size).decode("utf-8", "replace"))  # type: ignore[misc]

        function = _LOG_CALLBACK() if take is None else _LOG_CALLBACK(callback)
        self._interrupt.watch()
        with self._log_lock:
            self._logs.append(function)
            status = int(self._c.glide_set_log(level, function, None))
            if status == Status.OK:
                del self._logs[:-1]  # are not called any more
            elif status == Status.INVALID_ARGUMENT:
                self._logs.pop()
        self._interrupt.check()
        return status

    def key_slot(self, key: bytes) -> int:
        """The slot of a key; -1 in a forked child that cannot load its copy."""
        return int(self._c.glide_key_slot(key, len(key)))

    def open(self, config: bytes) -> tuple[int, int, bytes]:
        """Connect as a ``ConnectionRequest`` says: the status, the client's handle, a response."""
        return self._open(self._c.glide_client_open, config, len(config))

    def execute(
        self, client: int, request: bytes, beside: Sequence[bytes] = ()
    ) -> tuple[int, bytes]:
        """Run a ``CommandRequest``, whose command goes on with the words beside it."""
        return self._execute(ctypes.string_at, client, request, beside)

    def execute_value(
        self, client: int, request: bytes, beside: Sequence[bytes] = ()
    ) -> tuple[int, bytes | Bulk]:
        """Run a ``CommandRequest`` of which only the value counts."""
        return self._execute(_take, client, request, beside)

    def _execute(
        self,
        take: Callable[[int, int], _Taken],
        client: int,
        request: bytes,
        beside: Sequence[bytes],
    ) -> tuple[int, _Taken | bytes]:
        size, count = len(request), len(beside)
        if count == 0:
            return self._call(self._c.glide_client_execute, client, request, size, take=take)
        words = (_Bytes * count)(*[_Bytes(word, len(word)) for word in beside])
        function = self._c.glide_client_execute_with
        return self._call(function, client, request, size, words, count, take=take)

    def resolve(self, client: int, request: bytes) -> tuple[int, bytes]:
        """Where a ``CommandRequest`` would go."""
        return self._call(self._c.glide_client_resolve, client, request, len(request))

    def topology(self, client: int) -> tuple[int, bytes]:
        """The topology as the client knows it."""
        return self._call(self._c.glide_client_topology, client)

    def statistics(self, client: int) -> tuple[int, bytes]:
        """What the client has counted."""
        return self._call(self._c.glide_client_statistics, client)

    def close(self, client: int) -> int:
        """Close a client; harmless on a closed one and on one of a parent."""
        return int(self._c.glide_client_close(client))

    def event_fd(self, client: int) -> int:
        """A descriptor that is readable while completions wait; negative: a status."""
        return int(self._c.glide_client_event_fd(client))

    def cancel(self, client: int, tag: int) -> int:
        """Give a request up; it completes all the same."""
        return int(self._c.glide_client_cancel(client, tag))

    def completions(self, client: int) -> Completions:
        """The completions of a client."""
        return Completions(self._c, client)

    def router_open(self, topology: bytes) -> tuple[int, int, bytes]:
        """Open a router over a ``Topology``: the status, its handle, a response."""
        return self._open(self._c.glide_router_open, topology, len(topology))

    def router_resolve(self, router: int, request: bytes) -> tuple[int, bytes]:
        """Where a ``CommandRequest`` goes."""
        return self._call(self._c.glide_router_resolve, router, request, len(request))

    def router_close(self, router: int) -> int:
        """Close a router; harmless on a closed one and on one of a parent."""
        return int(self._c.glide_router_close(router))

    def session_open(self, client: int, request: bytes) -> tuple[int, int, bytes]:
        """Open a session as a ``CommandRequest`` says: the status, its handle, a response."""
        return self._open(self._c.glide_session_open, client, request, len(request))

    def session_execute(self, session: int, request: bytes) -> tuple[int, bytes]:
        """Run a ``CommandRequest`` in a session."""
        return self._call(self._c.glide_session_execute, session, request, len(request))

    def session_close(self, session: int) -> int:
        """Close a session; harmless on a closed one and on one of a parent."""
        return int(self._c.glide_session_close(session))

    def _open(self, function: Callable[..., int], *arguments: object) -> tuple[int, int, bytes]:
        """Call a function that gives a handle."""
        handle = _HANDLE()
        status, response = self._call(function, *arguments, ctypes.byref(handle))
        return status, handle.value, response

    def _call(
        self,
        function: Callable[..., int],
        *arguments: object,
        take: Callable[[int, int], _Taken] = ctypes.string_at,
    ) -> tuple[int, _Taken | bytes]:
        """Call a function whose last argument is a buffer for what it hands out."""
        buffer = _Buffer()
        reference = ctypes.byref(buffer)
        self._interrupt.watch()
        try:
            status = function(*arguments, reference)
            self._interrupt.check()
            return status, take(buffer.data, buffer.len) if buffer.len else b""
        finally:
            self._c.glide_buffer_free(reference)


class Completions:
    """The completions of a client, taken many at once.

    Args:
        c: The library's functions.
        client: The client's handle.
    """

    _AT_ONCE = 256

    def __init__(self, c: ctypes.CDLL, client: int) -> None:
        self._poll = c.glide_client_poll
        self._free = c.glide_completions_free
        self._client = client
        self._room = (_Completion * self._AT_ONCE)()
        self._bytes = memoryview(self._room).cast("B")
        self._count = _SIZE()
        self._count_reference = ctypes.byref(self._count)

    def take(self) -> tuple[int, list[tuple[int, int, bytes, int]]]:
        """Take those that wait, or some of them.

        Returns:
            The status of the library, and for each the tag, the status, the response and the kind:
            0 or ``EVENTS``, or one that only newer libraries know.
        """
        status = self._poll(self._client, self._room, self._AT_ONCE, self._count_reference)
        count = self._count.value
        if not count:
            return status, []
        copy = ctypes.string_at
        taken = [
            (tag, ended, copy(data, size) if size else b"", kind)
            for tag, data, size, ended, kind in _COMPLETION.iter_unpack(
                self._bytes[: count * _COMPLETION.size]
            )
        ]
        self._free(self._room, count)
        return status, taken


_loaded: dict[str, Library] = {}


@functools.cache
def load() -> Library:
    """The library, loaded by the first call.

    Of threads that come here at once all get the same: it is what hears of signals.

    Raises:
        LibraryError: It was not found; the message lists where it was looked for.
    """
    return _loaded.setdefault(NAME, _load())


def _load() -> Library:
    if sys.platform == "linux" and not _is_glibc():
        raise LibraryError(
            "libglide needs glibc, and this Python runs on another C library (musl, as on "
            "Alpine): use an image with glibc, as Debian's"
        )
    _check_descriptors()
    tried = []
    for path in _places():
        if os.path.isabs(path) and not os.path.exists(path):
            tried.append(f"{path}: not there")
            continue
        try:
            return Library(path)
        except OSError as fault:
            tried.append(str(fault) if path in str(fault) else f"{path}: {fault}")
    raise LibraryError(
        f"libglide cannot be loaded; {VARIABLE} may name its file. Looked for:\n  "
        + "\n  ".join(tried)
    )


def _places() -> Iterator[str]:
    """Where the library may be, the first that exists counts."""
    named = os.environ.get(VARIABLE)
    if named:
        yield os.path.abspath(named)
        return
    # Not by pathlib, whose import would take a fifth of the time of this one's.
    package = os.path.dirname(os.path.realpath(__file__))
    yield os.path.join(package, NAME)
    top, found, below = package.rpartition("/bindings/python/src/libglide")
    if found and not below:
        yield os.path.join(top, "build", NAME)
    yield NAME


_DESCRIPTORS = 8  # the file of the library, and what the Go runtime opens


def _check_descriptors() -> None:
    """See that enough are free: a Go runtime that starts without them ends the process."""
    held: list[int] = []
    try:
        while len(held) < _DESCRIPTORS:
            held.extend(os.pipe())
    except OSError as fault:
        raise LibraryError(
            f"libglide cannot be loaded: it needs {_DESCRIPTORS} free file descriptors: {fault}"
        ) from None
    finally:
        for descriptor in held:
            os.close(descriptor)


def _is_glibc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (ValueError, OSError):
        return False


def key_slot(key: bytes | str) -> int:
    """The hash slot of a key.

    Args:
        key: The key; text stands for its UTF-8 bytes. Only the first non-empty {tag} is hashed
            where it has one.

    Returns:
        The slot, 0 to 16383.

    Raises:
        TypeError: The key is neither bytes nor text.
        ClosingError: This is the child of a fork and cannot load its copy of the library.
    """
    if not isinstance(key, (bytes, str)):
        raise TypeError(f"a key is bytes or str, not {type(key).__name__}")
    slot = load().key_slot(key.encode() if isinstance(key, str) else key)
    if slot < 0:
        raise forked()
    return slot


def library_version() -> str:
    """The release of the shared library, as "0.1.0"."""
    return load().version()


def forked() -> ClosingError:
    """The error of a call in a forked child that comes without a message of its own.

    Another call is made for that. The library wrote its error without a message class, and so it
    is read: one field of ``Response`` with two of ``Error`` in it, of which the text comes last.
    """
    status, _, data = load().router_open(b"")
    if status != Status.FORKED:
        return ClosingError("the library could not be loaded again", status=Status.FORKED)
    error = data[varint(data, 1)[1] :]
    return ClosingError(error[varint(error, 3)[1] :].decode(), status=Status.FORKED)


def refusal(status: int) -> GlideError:
    """The error of a call on a client that comes without a message of its own."""
    if status == Status.FORKED:
        return ClosingError(
            "the client was opened before this process was forked; open a new one in the child",
            status=Status.FORKED,
        )
    if status == Status.CLOSED:
        return ClosingError("the client is closed", status=Status.CLOSED)
    return RequestError(f"libglide answered {Status(status).name}", status=Status(status))
