from __future__ import annotations

import pickle

import pytest

import libglide
from libglide import GlideError, MultiNodeError, Node, Outcome, RequestError, Role, Status


@pytest.mark.parametrize(
    "name", ["TimeoutError", "ExecAbortError", "ConnectionError", "ConfigurationError"]
)
def test_errors_of_requests_are_request_errors(name: str) -> None:
    assert issubclass(getattr(libglide, name), RequestError)


def test_a_closed_client_is_no_error_of_the_request() -> None:
    assert issubclass(libglide.ClosingError, GlideError)
    assert not issubclass(libglide.ClosingError, RequestError)


def test_an_error_survives_pickling() -> None:
    error = RequestError("no", status=Status.SERVER, code="WRONGTYPE", node="h:1", sent=True)
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), vars(copy)) == (str(error), vars(error))


def test_a_status_of_a_newer_library_counts_as_internal() -> None:
    assert Status(99) is Status.INTERNAL


def _outcome(port: int, *, error: RequestError | None = None) -> Outcome:
    node = Node(id="", host="::1", port=port, role=Role.PRIMARY)
    return Outcome(node, (), None if error else b"x", error, True, False, False, "")


def test_a_multi_node_error_sorts_its_outcomes_by_address() -> None:
    fault = RequestError("no")
    error = MultiNodeError("some", outcomes=[_outcome(1), _outcome(2, error=fault)])
    assert error.results == {"::1:1": b"x"}
    assert error.errors == {"::1:2": fault}
