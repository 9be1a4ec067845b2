"""The log: off by default, on Python's logging or the standard error stream when asked for."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest
from conftest import Cluster, Connect, run

import libglide
from libglide import Client

FAILING = """
import libglide
try:
    libglide.Client.connect(sys.argv[1])
except libglide.ConnectionError:
    print("refused")
"""


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    logger = logging.getLogger("test_log")
    logger.setLevel(logging.DEBUG)
    yield logger
    libglide.set_log(None)


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[int, str]]:
    """What was logged, the lines that were on their way included."""
    libglide.set_log(None)
    return [(level, line) for name, level, line in caplog.record_tuples if name == "test_log"]


def test_nothing_is_written_unless_asked_for(nobody: str) -> None:
    done = run("import sys" + FAILING, nobody)
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_the_environment_has_lines_written_to_the_standard_error_stream(nobody: str) -> None:
    done = run("import sys" + FAILING, nobody, GLIDE_LOG="Warn")
    assert done.stdout == "refused\n"
    (line,) = done.stderr.splitlines()
    assert f"Z libglide warn: no connection to {nobody}: " in line


def test_the_environment_may_be_set_by_the_program_itself(nobody: str) -> None:
    done = run("import os, sys; os.environ['GLIDE_LOG'] = 'debug'" + FAILING, nobody)
    assert f"libglide debug: {nobody} does not tell the topology" in done.stderr


def test_a_level_in_the_environment_that_is_none_is_told_and_off_is_one(nobody: str) -> None:
    done = run("import sys" + FAILING, nobody, GLIDE_LOG="verbose")
    (line,) = done.stderr.splitlines()
    assert line.endswith('GLIDE_LOG is "verbose": it may be off, error, warn, info or debug')
    assert run("import sys" + FAILING, nobody, GLIDE_LOG="off").stderr == ""


def test_lines_come_to_the_logger_with_their_levels(
    logger: logging.Logger, cluster: Cluster, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    libglide.set_log(logging.INFO, logger)
    connect(cluster.addresses).close()
    told = lines(caplog)
    assert {level for level, _ in told} == {logging.INFO}
    assert any(line.startswith("topology of epoch ") for _, line in told)
    assert (logging.INFO, f"a client of [{' '.join(cluster.addresses)}] is closed") in told


def test_a_level_keeps_what_is_below_it_away(
    logger: logging.Logger, nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    libglide.set_log("warning", logger)
    with pytest.raises(libglide.ConnectionError):
        Client.connect(nobody)
    ((level, line),) = lines(caplog)
    assert level == logging.WARNING
    assert line.startswith(f"no connection to {nobody}: ")


def test_a_percent_sign_in_a_line_is_a_percent_sign(
    logger: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    libglide.set_log(logging.WARNING, logger)
    with pytest.raises(libglide.GlideError):
        Client.connect("no%20such%s.invalid:1")
    assert any("no%20such%s.invalid" in line for _, line in lines(caplog))


def test_a_level_of_no_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'loud' is no level of logging"):
        libglide.set_log("loud")


def test_the_last_lines_are_there_when_the_program_ends(nobody: str) -> None:
    program = "import sys, logging, libglide; logging.basicConfig(); libglide.set_log('DEBUG')"
    done = run(program + FAILING, nobody)
    assert done.returncode == 0
    assert f"WARNING:libglide:no connection to {nobody}: " in done.stderr


def test_a_handler_that_drops_clients_does_not_hang(
    cluster: Cluster, nobody: str, logger: logging.Logger
) -> None:
    """As the collection of garbage may, which begins anywhere."""
    clients = [Client.connect(cluster.addresses) for _ in range(3)]

    class Dropping(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            clients.clear()
            gc.collect()

    logger.addHandler(Dropping())
    libglide.set_log("DEBUG", logger)
    with pytest.raises(libglide.ConnectionError):
        Client.connect(nobody)
    libglide.set_log(None)
    logger.handlers.clear()
    assert not clients


def test_the_child_of_a_fork_logs_as_its_parent_did(nobody: str) -> None:
    program = """
import logging, os, sys, libglide
logging.basicConfig(format="%(process)d %(message)s")
libglide.set_log("WARNING")
libglide.library_version()
child = os.fork()
if child:
    print(child, os.waitpid(child, 0)[1])
else:
    try:
        libglide.Client.connect(sys.argv[1])
    except libglide.ConnectionError:
        libglide.set_log(None)
        os._exit(7)
"""
    done = run(program, nobody)
    child, status = done.stdout.split()
    assert int(status) >> 8 == 7
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{child} no connection to {nobody}: ")
