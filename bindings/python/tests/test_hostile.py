"""Servers whose replies are larger than a reply may be, and what becomes of the process."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator

import pytest
from conftest import run

# More than the strings, elements and levels that a reply may have, or lists that come one by one.
ANNOUNCED = {
    "string": b"$536870913\r\n",
    "number": b"*9223372036854775807\r\n",
    "array": b"*16777217\r\n",
    "map": b"%8388609\r\n",
    "lists": b"*1000000\r\n" * 17,
    "after": b"*3\r\n+OK\r\n*2\r\n:1\r\n:2\r\n*16777215\r\n",
}
# Some of it over and over.
ENDLESS = {
    "levels": b"*1\r\n",
    "line": b"+" + b"x" * 4096,
    "digits": b"$" + b"1" * 4096,
}

PROGRAM = """
import json, resource, sys
import libglide

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

host = sys.argv[1]
client = libglide.Client.connect(host, cluster_mode=False, request_timeout=20.0)
first = client.execute("WHO")
before = peak()
try:
    client.execute("GET", sys.argv[2])
    error = None
except libglide.GlideError as failure:
    error = failure
grown = peak() - before
told = [type(error).__name__, str(error), error.sent, grown, first, client.execute("WHO")]
print(json.dumps(told))
"""


class Liar(socketserver.StreamRequestHandler):
    """A server: WHO tells which of its connections it is, GET what its argument stands for."""

    server: Liars

    def handle(self) -> None:
        with self.server.lock:
            self.server.connections += 1
            number = self.server.connections
        while count := self.rfile.readline():
            words = [self._word() for _ in range(int(count[1:]))]
            try:
                self._answer(words, number)
            except OSError:
                return

    def _word(self) -> str:
        size = int(self.rfile.readline()[1:])
        return self.rfile.read(size + 2)[:-2].decode()

    def _answer(self, words: list[str], number: int) -> None:
        if words[0] == "WHO":
            self.wfile.write(b":%d\r\n" % number)
        elif words[0] == "ROLE":
            self.wfile.write(b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n")
        elif words[0] == "HELLO":
            self.wfile.write(b"%2\r\n+server\r\n+valkey\r\n+proto\r\n:3\r\n")
        elif words[0] != "GET":
            self.wfile.write(b"+OK\r\n")
        elif words[1] in ANNOUNCED:
            self.wfile.write(ANNOUNCED[words[1]])
        else:
            piece = ENDLESS[words[1]]
            while True:
                self.wfile.write(piece)
                piece = piece.lstrip(b"+$")  # one line without an end, not many


class Liars(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Liar)
        self.lock = threading.Lock()
        self.connections = 0


@pytest.fixture
def liar() -> Iterator[str]:
    with Liars() as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def answer(liar: str, what: str) -> str:
    """The error of a request for it; all else is as it must be."""
    done = run(PROGRAM, liar, what)
    assert (done.returncode, done.stderr) == (0, "")
    kind, message, sent, grown, first, then = json.loads(done.stdout)
    assert (kind, sent) == ("ConnectionError", True)
    assert liar in message
    assert grown < 64 << 20
    assert then > first, "what follows has a connection of its own"
    return str(message)


@pytest.mark.parametrize("what", ["string", "array", "map", "lists", "after"])
def test_a_reply_that_announces_too_much_is_an_error_that_names_the_limit_and_the_node(
    liar: str, what: str
) -> None:
    limit = "(1073741824 bytes, 16777216 elements, 536870912 bytes of one string)"
    assert f"the reply is larger than the limit {limit}" in answer(liar, what)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("levels", "nested deeper than 128 levels"),
        ("line", "a line without an end"),
        ("digits", "a length that is none"),
        ("number", "a length that is none"),
    ],
)
def test_a_reply_without_an_end_is_an_error_that_says_so(liar: str, what: str, why: str) -> None:
    assert why in answer(liar, what)
