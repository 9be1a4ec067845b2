"""A password is in no error, statistic, topology, text of an object or line of the log."""

from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator

import pytest
from conftest import Connect

import libglide
from libglide import Client, ConfigurationError, GlideError, NodeAddress, Tls
from libglide.library import Library, load

MARK = "s3same"


def test_a_marked_password_is_nowhere_in_what_is_said(
    connect: Connect, locked: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    taken: list[bytes] = []
    call = Library._call

    def listen(self: Library, *arguments: object, **options: object) -> object:
        result = call(self, *arguments, **options)  # type: ignore[arg-type]
        taken.append(bytes(result[1]) if isinstance(result[1], bytes) else result[1].value)
        return result

    monkeypatch.setattr(Library, "_call", listen)

    @contextlib.contextmanager
    def heard() -> Iterator[None]:
        try:
            yield
        except GlideError as failure:
            said.append("".join(traceback.format_exception(failure)) + repr(vars(failure)))

    logging.getLogger("libglide").setLevel(logging.DEBUG)
    libglide.set_log("DEBUG")
    try:
        with heard():
            Client.connect(locked, cluster_mode=False, password=MARK)
        with heard():
            Client.connect(locked, cluster_mode=False, username=f"{MARK}-is-no-user", password="x")
        said.clear()  # a user is no secret
        taken.clear()
        tls = Tls(client_cert=b"a certificate", client_key=MARK.encode())
        with heard():
            Client.connect(locked, cluster_mode=False, password=MARK, tls=tls)
        admin = connect(locked, cluster_mode=False, password="s3cret")
        admin.execute("ACL", "SETUSER", "app", "on", f">{MARK}1", "~*", "&*", "+@all")
        client = connect(locked, cluster_mode=False, username="app", password=f"{MARK}1")
        with heard():
            client.update_password(f"{MARK}2", immediate=True)
        with heard():
            client.execute("GET", "key")
        client.update_password(f"{MARK}1", immediate=True)
        for words in (
            ["AUTH", MARK],
            ["AUTH", "app", MARK],
            ["HELLO", "3", "AUTH", "app", MARK],
            ["ACL", "SETUSER", "other", "on", f">{MARK}"],
            ["CONFIG", "SET", "masterauth", MARK],
            ["CONFIG", "SET", "requirepas", MARK],
            ["MIGRATE", "127.0.0.1", "1", "key", "0", "10", "AUTH", MARK],
        ):
            with heard():
                client.execute(*words)
            for atomic in (False, True):
                with heard():
                    client.batch([words, ["PING"]], atomic=atomic, raise_on_error=True)
                with heard():
                    said.append(repr(client.batch([words, ["PING"]], atomic=atomic)))
        with heard():
            client.execute("EVAL", MARK, "many")
        said += [repr(client), repr(client.statistics()), repr(client.topology()), repr(tls)]
        load().statistics(client._handle)
        load().topology(client._handle)
        admin.execute("ACL", "DELUSER", "app", "other")
        admin.execute("CONFIG", "SET", "masterauth", "")
        client.close()
        admin.close()
    finally:
        libglide.set_log(None)
    lines = [record.getMessage() for record in caplog.records]
    assert len(said) > 20
    assert len(taken) > 20
    assert lines
    for text in said + lines:
        assert MARK not in text
    for content in taken:
        assert MARK.encode() not in content


@pytest.mark.parametrize("end", ["", ":6379", "/0"])
def test_a_url_with_a_password_is_refused_without_it(end: str) -> None:
    for seed in (f"valkey://app:{MARK}@127.0.0.1{end}", NodeAddress(f"app:{MARK}@127.0.0.1")):
        with pytest.raises(ConfigurationError, match="credentials") as refused:
            Client.connect(seed)
        assert MARK not in "".join(traceback.format_exception(refused.value))
