"""Encrypted connections: a server of the tests behind a TLS of its own, with real handshakes."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import Connect

from libglide import Client, ConfigurationError, ConnectionError, Status, TimeoutError, Tls


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in files."""

    cert: Path
    key: Path


class Authority:
    """Signs certificates, with the command openssl."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        config = folder / f"{name}.cnf"
        config.write_text(
            "[req]\ndistinguished_name = dn\nx509_extensions = ca\n[dn]\n"
            "[ca]\nbasicConstraints = critical, CA:TRUE\nkeyUsage = keyCertSign\n"
        )
        self._request = ("req", "-config", config, "-nodes", "-newkey", "rsa:2048")
        self.pair = self._paths(name)
        openssl(*self._request, "-x509", *self._out(self.pair, name))

    def sign(self, name: str) -> Pair:
        """A certificate for a name and for 127.0.0.1."""
        pair, request, extensions = (
            self._paths(name),
            self._folder / f"{name}.csr",
            self._folder / f"{name}.ext",
        )
        extensions.write_text(f"subjectAltName = DNS:{name}, IP:127.0.0.1\n")
        openssl(*self._request, *self._out(Pair(request, pair.key), name))
        openssl(
            *("x509", "-req", "-in", request, "-out", pair.cert, "-days", "1"),
            *("-CA", self.pair.cert, "-CAkey", self.pair.key, "-set_serial", "2"),
            *("-sha256", "-extfile", extensions),
        )
        return pair

    @property
    def root(self) -> bytes:
        return self.pair.cert.read_bytes()

    def _paths(self, name: str) -> Pair:
        return Pair(*(self._folder / f"{self._name}-{name}.{end}" for end in ("pem", "key")))

    def _out(self, pair: Pair, name: str) -> tuple[object, ...]:
        return ("-keyout", pair.key, "-out", pair.cert, "-subj", f"/CN={name}")


def openssl(*arguments: object) -> None:
    done = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    if shutil.which("openssl") is None:
        pytest.skip("NOT TESTED: TLS, for want of the command openssl")
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def stranger(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that signed no server's certificate."""
    return Authority(tmp_path_factory.mktemp("stranger"), "stranger")


@pytest.fixture(scope="module")
def pair(authority: Authority) -> Pair:
    return authority.sign("node.test")


@contextmanager
def encrypted(target: str, pair: Pair, clients: Authority | None = None) -> Iterator[str]:
    """The address of a TLS server that passes on what is said to a server without TLS.

    Where it has an authority for clients, it asks for their certificates.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)
    if clients:
        context.load_verify_locations(clients.pair.cert)
        context.verify_mode = ssl.CERT_REQUIRED

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # the other side hung up
        finally:
            writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

    async def end() -> None:
        listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # of handshakes that fail on purpose
    listener = loop.run_until_complete(asyncio.start_server(pass_on, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@pytest.fixture
def server(standalone: str, pair: Pair) -> Iterator[str]:
    with encrypted(standalone, pair) as address:
        yield address


@pytest.fixture
def strict(standalone: str, pair: Pair, authority: Authority) -> Iterator[str]:
    """A server that asks for a certificate of the client's."""
    with encrypted(standalone, pair, authority) as address:
        yield address


def talk(address: str, tls: Tls | None) -> None:
    with Client.connect(address, cluster_mode=False, request_timeout=5.0, tls=tls) as client:
        value = b"x" * 100_000
        assert client.execute("SET", "tls", value) == "OK"
        assert client.batch([["GET", "tls"], ["DEL", "tls"]]) == [value, 1]


def refused(address: str, tls: Tls | None) -> str:
    with pytest.raises(ConnectionError) as caught:
        talk(address, tls)
    return str(caught.value)


# ---- Servers ---------------------------------------------------------------------------------


def test_a_server_with_a_certificate_of_the_given_root_is_trusted(
    server: str, authority: Authority, stranger: Authority
) -> None:
    talk(server, Tls(root_certs=authority.root))
    talk(server, Tls(root_certs=[stranger.root, authority.root]))
    talk(server, Tls(root_certs=stranger.root + authority.root))


def test_a_server_of_an_unknown_authority_is_refused(server: str, stranger: Authority) -> None:
    assert "unknown authority" in refused(server, Tls(root_certs=stranger.root))
    assert "unknown authority" in refused(server, Tls())


def test_insecure_takes_any_certificate(server: str) -> None:
    talk(server, Tls(insecure=True))


def test_the_certificate_must_be_for_the_server_name(server: str, authority: Authority) -> None:
    talk(server, Tls(root_certs=authority.root, server_name="node.test"))
    message = refused(server, Tls(root_certs=authority.root, server_name="other.test"))
    assert "not other.test" in message


def test_a_client_without_tls_gets_nowhere_with_a_server_that_wants_it(server: str) -> None:
    refused(server, None)


def test_a_client_with_tls_gets_nowhere_with_a_server_without(standalone: str) -> None:
    with pytest.raises(TimeoutError):  # the server waits for the rest of what it takes for text
        Client.connect(
            standalone, cluster_mode=False, connection_timeout=0.5, tls=Tls(insecure=True)
        )


# ---- Certificates of the client's own --------------------------------------------------------


def test_a_server_that_asks_for_a_certificate_gets_the_clients(
    strict: str, authority: Authority
) -> None:
    own = authority.sign("client.test")
    talk(
        strict,
        Tls(authority.root, client_cert=own.cert.read_bytes(), client_key=own.key.read_bytes()),
    )
    talk(strict, Tls(authority.root, client_cert_path=own.cert, client_key_path=str(own.key)))


def test_a_client_without_the_certificate_that_is_asked_for_is_refused(
    strict: str, authority: Authority, stranger: Authority
) -> None:
    refused(strict, Tls(authority.root))
    foreign = stranger.sign("client.test")
    refused(strict, Tls(authority.root, client_cert_path=foreign.cert, client_key_path=foreign.key))


def test_files_are_read_again_where_that_is_wanted(
    strict: str, authority: Authority, connect: Connect
) -> None:
    own = authority.sign("client.test")
    tls = Tls(
        authority.root,
        client_cert_path=own.cert,
        client_key_path=own.key,
        cert_reload_interval=0.5,
    )
    given = connect(strict, tls=tls).statistics().configuration
    assert (given.has_client_certificate, given.cert_reload_interval) == (True, 1.0)


# ---- Options ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("root_certs", "/etc/ssl/roots.pem"),
        ("root_certs", 5),
        ("root_certs", None),
        (r"root_certs\[1\]", [b"x", "y"]),
        ("server_name", b"node.test"),
        ("server_name", ""),
        ("insecure", 1),
        ("client_cert", "text"),
        ("client_cert", b""),
        ("client_key", "s3cret"),
        ("client_key", b""),
        ("client_cert_path", b"/client.pem"),
        ("client_cert_path", ""),
        ("client_cert_path", "\ud800"),
        ("client_key_path", 5),
        ("cert_reload_interval", 0),
        ("cert_reload_interval", "300"),
    ],
)
def test_an_option_that_cannot_be_is_named(option: str, value: object) -> None:
    options: dict[str, Any] = {option.partition("\\")[0]: value}
    with pytest.raises(ConfigurationError, match=f"^{option} is ") as caught:
        Tls(**options)
    assert caught.value.status is Status.CONFIG
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        (Tls(root_certs=b"x"), "root_certs[0] holds no certificate"),
        (Tls(root_certs=b"x", insecure=True), "root_certs: with insecure TLS"),
        (Tls(client_cert=b"x"), "client_cert and client_key go together"),
        (Tls(client_key_path="x"), "client_cert_path and client_key_path go together"),
        (Tls(client_cert=b"x", client_key=b"s3cret"), "client_cert and client_key: "),
        (Tls(client_cert_path="/nowhere", client_key_path="/nowhere"), "client_cert_path: open"),
        (Tls(cert_reload_interval=1), "cert_reload needs client_cert_path and client_key_path"),
    ],
)
def test_options_that_do_not_fit_together_are_refused_by_connecting(
    nobody: str, connect: Connect, tls: Tls, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect(nobody, tls=tls)
    assert message in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_what_is_no_tls_is_named(nobody: str, connect: Connect) -> None:
    with pytest.raises(ConfigurationError, match="tls is a bool, not a Tls"):
        connect(nobody, tls=True)


def test_a_key_is_not_shown() -> None:
    assert "s3cret" not in repr(Tls(client_cert=b"x", client_key=b"s3cret"))
