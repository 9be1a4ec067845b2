"""GLIDE's interface: what is not there yet says so, and what is wrong is an error."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest

from libglide import messages

LIBRARY = Path(__file__).resolve().parents[3] / "build" / "libglide_ffi.so"


class Failure(ctypes.Structure):
    """``CommandError``."""

    _fields_ = (("message", ctypes.c_char_p), ("kind", ctypes.c_int32))


class Result(ctypes.Structure):
    """``CommandResult``."""

    _fields_ = (
        ("response", ctypes.c_void_p),
        ("failure", ctypes.POINTER(Failure)),
        ("arena", ctypes.c_void_p),
    )


class Connection(ctypes.Structure):
    """``ConnectionResponse``."""

    _fields_ = (("client", ctypes.c_void_p), ("message", ctypes.c_char_p), ("kind", ctypes.c_int32))


class Registration(ctypes.Structure):
    """``RdmaRegistration``; an ``RdmaResult`` begins with its message too."""

    _fields_ = (("message", ctypes.c_char_p), ("region", ctypes.c_void_p))


@pytest.fixture(scope="module")
def glide() -> ctypes.CDLL:
    """Our library with GLIDE's interface."""
    if not LIBRARY.exists():
        pytest.fail("run `make compat`", pytrace=False)
    return ctypes.CDLL(str(LIBRARY))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("refresh_iam_token", "No IAM token manager configured"),
        ("get_cache_metrics", "Client-side caching is not enabled- InvalidClientConfig"),
        ("glide_scope_acquire_blocking", "isolated scopes are not supported yet- ClientError"),
        ("glide_scope_execute", "isolated scopes are not supported yet- ClientError"),
    ],
)
def test_a_command_that_is_not_there_yet_fails_and_says_so(
    glide: ctypes.CDLL, name: str, said: str
) -> None:
    function = getattr(glide, name)
    function.restype = ctypes.POINTER(Result)
    result = function(None, None, 0, 0, 0, 0)
    assert not result.contents.response
    assert result.contents.failure.contents.kind == 0
    assert said in result.contents.failure.contents.message.decode()
    glide.free_command_result(result)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("create_client_with_credential_provider", "credential providers are not supported yet"),
        ("create_client_from_uri", "clients from a URI are not supported yet"),
        ("create_monitor_client", "the monitor client is not supported yet"),
    ],
)
def test_a_client_of_a_kind_that_is_not_there_yet_is_refused_as_a_configuration(
    glide: ctypes.CDLL, name: str, said: str
) -> None:
    function = getattr(glide, name)
    function.restype = ctypes.POINTER(Connection)
    response = function(None, 0, None, None, None, 0, None)
    assert not response.contents.client
    assert response.contents.kind == 1
    assert response.contents.message.decode() == f"configuration error: {said}"
    glide.free_connection_response(response)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("init_open_telemetry", "OpenTelemetry is not supported yet"),
        ("register_pubsub_callback", "pub/sub is not supported yet"),
        ("unregister_pubsub_callback", "pub/sub is not supported yet"),
    ],
)
def test_what_answers_with_a_text_says_so(glide: ctypes.CDLL, name: str, said: str) -> None:
    function = getattr(glide, name)
    function.restype = ctypes.c_void_p
    text = function(None, None)
    assert ctypes.string_at(text).decode() == said
    glide.free_c_string(ctypes.c_void_p(text))


@pytest.mark.parametrize("name", ["register_rdma_region", "rdma_get", "rdma_set"])
def test_rdma_is_refused(glide: ctypes.CDLL, name: str) -> None:
    function = getattr(glide, name)
    function.restype = ctypes.POINTER(Registration)
    refused = function(None, None, 0, None, 0, 0, 0, 0)
    assert refused.contents.message == b"RDMA is not supported yet"
    free = "free_rdma_registration" if name == "register_rdma_region" else "free_rdma_result"
    getattr(glide, free)(refused)
    assert not glide.rdma_available()


def test_no_pool_and_no_span_can_be_had(glide: ctypes.CDLL) -> None:
    glide.glide_pool_create.restype = glide.glide_pool_try_acquire.restype = ctypes.c_int64
    glide.create_otel_span.restype = ctypes.c_uint64
    assert glide.glide_pool_create(1, 0, 1, 1, 0, None, 0, None) == -1
    assert glide.glide_pool_try_acquire(1) == -2
    assert glide.create_otel_span(1) == 0
    glide.drop_otel_span(ctypes.c_uint64(0))


@pytest.mark.parametrize(
    "name",
    [
        *("free_command_result", "free_command_response", "free_connection_response"),
        *("free_response_arena", "free_c_string", "free_script_hash_buffer"),
        *("free_drop_script_error", "free_log_result", "free_pipe_error_string"),
        *("close_client", "close_monitor_client", "free_rdma_registration", "free_rdma_result"),
        *("free_rdma_region", "free_rdma_memory_hold", "remove_cluster_scan_cursor"),
    ],
)
def test_nothing_is_freed_and_closed_in_peace(glide: ctypes.CDLL, name: str) -> None:
    getattr(glide, name)(None)


@pytest.fixture
def client(glide: ctypes.CDLL) -> Iterator[ctypes.c_void_p]:
    """A client that has not connected."""
    config = messages.load().connection_request(lazy_connect=True)
    config.addresses.add(host="127.0.0.1", port=1)
    text = config.SerializeToString()
    kind = (ctypes.c_int64 * 4)(1)
    glide.create_client.restype = ctypes.POINTER(Connection)
    opened = glide.create_client(text, ctypes.c_size_t(len(text)), kind, None, None, 0)
    assert not opened.contents.message
    handle = ctypes.c_void_p(opened.contents.client)
    glide.free_connection_response(opened)
    yield handle
    glide.close_client(handle)


class Batch(ctypes.Structure):
    """``BatchInfo``."""

    _fields_ = (
        ("count", ctypes.c_size_t),
        ("commands", ctypes.c_void_p),
        ("atomic", ctypes.c_bool),
    )


NO_COMMAND = ctypes.c_void_p(None)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("command", (0, 1, 3, None, None, None, 0, 0)),
        ("command_with_buffer", (0, 1, 3, None, None, None, 0, None, 0, 0)),
        ("command_with_buffers", (0, 1, 3, None, None, None, 0, None, None, 2, 0)),
        ("batch", (0, ctypes.byref(Batch(3, None, False)), False, None, 0)),
        (
            "batch",
            (0, ctypes.byref(Batch(1, ctypes.addressof(NO_COMMAND), False)), 0, None, 0),
        ),
        ("request_cluster_scan", (0, b"0", 3, None, None)),
        ("invoke_script", (0, b"hash", 3, None, None, 0, None, None, None, 0, 0)),
    ],
)
def test_arguments_that_are_not_there_are_an_error(
    glide: ctypes.CDLL, client: ctypes.c_void_p, name: str, arguments: tuple[object, ...]
) -> None:
    function = getattr(glide, name)
    function.restype = ctypes.POINTER(Result)
    result = function(client, *arguments)
    assert not result.contents.response
    assert b"panic: " in result.contents.failure.contents.message
    glide.free_command_result(result)
