"""What the C interface has and the Python client does not use.

Asynchronous clients that call back, and input that is none.
"""

from __future__ import annotations

import queue
from typing import Any

from glide_shared._fast_response import parse_response
from glide_shared._glide_ffi import _GlideFFI
from glide_shared.connection_request import _create_sync_connection_request
from glide_shared.ffi_helpers import to_c_strings
from glide_shared.protobuf.command_request_pb2 import RequestType
from glide_sync import GlideClientConfiguration, GlideClusterClientConfiguration

from calls.call import Step
from calls.clients import PATIENCE, addresses

GLIDE = _GlideFFI()
FFI, LIB = GLIDE.ffi, GLIDE.lib
ASYNC, SYNC = 0, 1


def request(clustered: bool) -> bytes:
    """A serialized ConnectionRequest."""
    kind = GlideClusterClientConfiguration if clustered else GlideClientConfiguration
    variable = "GLIDE_TEST_CLUSTER" if clustered else "GLIDE_TEST_STANDALONE"
    config = kind(addresses(variable), request_timeout=PATIENCE)
    return _create_sync_connection_request(config).SerializeToString()


def opened(clustered: bool, kind: int, *callbacks: Any) -> Any:
    """The handle of a client."""
    bytes_, what = request(clustered), FFI.new("ClientType*")
    what._type = kind
    if callbacks:
        what.async_client.success_callback, what.async_client.failure_callback = callbacks
    response = LIB.create_client(bytes_, len(bytes_), what, FFI.NULL, FFI.NULL, 0)
    client = response.conn_ptr
    LIB.free_connection_response(FFI.cast("ConnectionResponse*", response))
    return client


def value(response: Any) -> Any:
    """A reply as Python has it."""
    return parse_response(int(FFI.cast("uintptr_t", response)))[0]


def result(answer: Any) -> Any:
    """What a CommandResult holds; it is freed."""
    try:
        if answer.command_error != FFI.NULL:
            error = answer.command_error
            return FFI.string(error.command_error_message), error.command_error_type
        return value(answer.response)
    finally:
        LIB.free_command_result(answer)


def called_back(clustered: bool) -> Step:
    """Commands of an asynchronous client, each with its own number."""

    def run(_: Any) -> Any:
        told: queue.Queue[Any] = queue.Queue()

        @FFI.callback("SuccessCallback")  # type: ignore[untyped-decorator]
        def success(number: int, response: Any) -> None:
            told.put((number, value(response)))
            LIB.free_command_response(FFI.cast("CommandResponse*", response))

        @FFI.callback("FailureCallback")  # type: ignore[untyped-decorator]
        def failure(number: int, message: Any, kind: int) -> None:
            told.put((number, FFI.string(message), kind))

        client = opened(clustered, ASYNC, success, failure)
        answers = []
        for number, words in enumerate(
            (["SET", "{k}a", "1"], ["GET", "{k}a"], ["HGETALL", "{k}a"], ["MGET", "{k}a", "{k}b"])
        ):
            at, sizes, _kept = to_c_strings(FFI, words)
            kind = RequestType.CustomCommand
            returned = LIB.command(
                client, 100 + number, kind, len(words), at, sizes, FFI.NULL, 0, 0
            )
            answers.append((returned == FFI.NULL, told.get(timeout=30)))
        LIB.close_client(client)
        return answers

    return Step("command", run, label=f"called back {clustered=}")


def odd(kind: int) -> Step:
    """A request type that is no command."""

    def run(_: Any) -> Any:
        client = opened(False, SYNC)
        none = FFI.NULL
        answer = LIB.command_with_buffer(client, 0, kind, 0, none, none, none, 0, none, 0, 0)
        try:
            return result(answer)
        finally:
            LIB.close_client(client)

    return Step("command_with_buffer", run, label=f"of type {kind}")


def nothing(_: Any) -> Any:
    """Functions that free take NULL; of the official ones, all but that for script hashes."""
    for name in (
        "free_command_result",
        "free_command_response",
        "free_response_arena",
        "free_c_string",
        "free_drop_script_error",
        "free_log_result",
        "free_pipe_error_string",
        "remove_cluster_scan_cursor",
        "free_rdma_registration",
        "free_rdma_result",
    ):
        getattr(LIB, name)(FFI.NULL)
    return "nothing happened"


def dropped(_: Any) -> Any:
    """A script that nobody stored is dropped without an error; no hash is none."""
    known = LIB.drop_script(FFI.from_buffer(b"0" * 40), 40)
    odd = LIB.drop_script(FFI.NULL, 0)
    said = FFI.string(odd)
    LIB.free_drop_script_error(odd)
    return known == FFI.NULL, said


def logged(_: Any) -> Any:
    """The level that is in force; a level that is none is refused."""
    before = LIB.init(FFI.new("Level*", 3), FFI.NULL)
    levels = [before.level]
    LIB.free_log_result(before)
    again = LIB.init(FFI.new("Level*", 5), FFI.NULL)
    levels.append(again.level)
    LIB.free_log_result(again)
    return levels


CALLS = [
    called_back(True),
    called_back(False),
    odd(0),
    odd(1001),
    odd(99999),
    Step("free", nothing),
    Step("drop_script", dropped),
    Step("init", logged),
]
