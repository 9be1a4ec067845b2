"""The conformance driver of the Python package.

It reads calls from the standard input and answers each with a line of JSON;
``bindings/conformance/README.md`` tells what calls there are.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn
from unittest import mock

import answers
from libglide import (
    AllNodes,
    AllPrimaries,
    ByAddressRoute,
    Client,
    ClosingError,
    Node,
    ProtocolVersion,
    RandomNode,
    ReadFrom,
    RequestError,
    ResponsePolicy,
    Route,
    Router,
    Shard,
    SlotIdRoute,
    SlotKeyRoute,
    SlotType,
    Topology,
    key_slot,
    messages,
)
from libglide.codec import Codec

Json = dict[str, Any]


class Malformed(Exception):
    """A call that cannot be read."""


class Call:
    """A call: what it is about, its options, and the rest.

    Args:
        words: The words behind the name of the call.
    """

    def __init__(self, words: list[str]) -> None:
        self.subject = words[0] if words else ""
        rest = words[1:]
        self.options: dict[str, str] = {}
        while rest and "=" in rest[0]:
            name, _, text = rest.pop(0).partition("=")
            self.options[name] = text
        self.rest = rest

    def only(self, *names: str) -> None:
        """Refuse options that are not among these."""
        for name in self.options:
            if name not in names:
                raise Malformed(f"no option {name}")

    def number(self, name: str) -> int:
        """The number that an option is, 0 where it is missing."""
        return int(self.options.get(name, "0"))

    def seconds(self, name: str) -> float | None:
        """The time that an option of milliseconds is."""
        return self.number(name) / 1000 or None

    def words(self) -> list[bytes]:
        """The rest as bytes."""
        return [unhex(word) for word in self.rest]

    def commands(self) -> list[list[bytes]]:
        """The rest as several commands, with "/" between them."""
        commands: list[list[bytes]] = [[]] if self.rest else []
        for word in self.rest:
            if word == "/":
                commands.append([])
            else:
                commands[-1].append(unhex(word))
        return commands

    def route(self) -> Route | None:
        """The option route: "all-nodes", "key:primary:HEX", "address:HOSTHEX:PORT" and so on."""
        text = self.options.get("route")
        if text is None:
            return None
        if text in SIMPLE_ROUTES:
            return SIMPLE_ROUTES[text]
        kind, first, second = text.split(":")
        if kind == "key":
            return SlotKeyRoute(SlotType[first.upper()], unhex(second))
        if kind == "id":
            return SlotIdRoute(SlotType[first.upper()], int(second))
        if kind == "address":
            return ByAddressRoute(unhex(first).decode(), int(second) or None)
        raise Malformed(f"route {text}")

    def reads(self) -> ReadFrom:
        """The read strategy."""
        return ReadFrom[self.options.get("read_from", "primary").upper()]

    def policy(self) -> ResponsePolicy | None:
        """The response policy."""
        name = self.options.get("policy")
        return None if name is None else ResponsePolicy[name.upper()]


SIMPLE_ROUTES: dict[str, Route] = {
    "all-nodes": AllNodes(),
    "all-primaries": AllPrimaries(),
    "random": RandomNode(),
}


def unhex(word: str) -> bytes:
    """The bytes of a word."""
    return b"" if word == "-" else bytes.fromhex(word)


def node(text: str) -> Node:
    """A node of a shard, "h:7001@az-a"."""
    address, _, zone = text.partition("@")
    host, _, port = address.rpartition(":")
    return Node(host, int(port), zone=zone)


def shard(text: str) -> Shard:
    """A shard, "0-5460,7000-7001|h:7001@az-a|h:7004@"."""
    ranges, *nodes = text.split("|")
    slots = [run.split("-") for run in ranges.split(",") if run]
    return Shard(
        [(int(first), int(last)) for first, last in slots],
        node(nodes[0]),
        [node(replica) for replica in nodes[1:]],
    )


EXTRA = ("read_only", "refresh_s")


def fill_connection(call: Call, message: Any) -> None:
    """Options of a client that ``connect`` has no parameters for."""
    if "read_only" in call.options:
        message.read_only = bool(call.number("read_only"))
    if "refresh_s" in call.options:
        message.periodic_checks_manual_interval.duration_in_sec = call.number("refresh_s")


def fill_batch(call: Call, message: Any) -> None:
    """Options of a batch that ``batch`` has no parameters for."""
    if "retry_server" in call.options:
        message.batch.retry_server_error = bool(call.number("retry_server"))
    if "retry_connection" in call.options:
        message.batch.retry_connection_error = bool(call.number("retry_connection"))


@contextlib.contextmanager
def filled(method: str, name: str, fill: Callable[[Call, Any], None], call: Call) -> Iterator[None]:
    """Have the package write more into a message than its methods have parameters for.

    Args:
        method: The method of ``Codec`` that makes the message.
        name: The attribute of ``Messages`` that is its class.
        fill: What it is given besides.
        call: Whose options.
    """
    made = getattr(Codec, method)

    def filling(*args: Any, **kwargs: Any) -> bytes:
        message = getattr(messages.load(), name).FromString(made(*args, **kwargs))
        fill(call, message)
        return bytes(message.SerializeToString())

    with mock.patch.object(Codec, method, filling):
        yield


class Driver:
    """Runs calls on the package."""

    def __init__(self) -> None:
        self._open: dict[str, Client | Router] = {}
        self._calls: dict[str, Callable[[Call], Json]] = {
            "slot": self._slot,
            "router": self._router,
            "client": self._connect,
            "resolve": self._resolve,
            "resolve-batch": self._resolve_batch,
            "execute": self._execute,
            "hold": self._hold,
            "batch": self._batch,
            "scan": self._scan,
            "topology": self._topology,
            "close": self._close,
        }

    def run(self, line: str) -> Json:
        """The answer to a call."""
        name, *words = line.split() or [""]
        if name not in self._calls:
            return {"status": "UNSUPPORTED", "error": {"message": f"no call {name}"}}
        try:
            return {"status": "OK"} | self._calls[name](Call(words))
        except (RequestError, ClosingError) as fault:
            return answers.failure(fault)
        except (Malformed, ValueError, KeyError, IndexError) as fault:
            return {"status": "MALFORMED", "error": {"message": f"{fault!r}"}}

    def _slot(self, call: Call) -> Json:
        return {"slot": key_slot(unhex(call.subject))}

    def _router(self, call: Call) -> Json:
        call.only("read_from", "zone", "standalone", "epoch")
        topology = Topology(
            [shard(text) for text in call.rest],
            epoch=call.number("epoch"),
            standalone=bool(call.number("standalone")),
        )
        self._open[call.subject] = Router(
            topology, read_from=call.reads(), client_az=call.options.get("zone")
        )
        return {}

    def _connect(self, call: Call) -> Json:
        call.only("cluster", "read_from", "zone", "timeout_ms", "inflight", "resp2", *EXTRA)
        with filled("connection", "connection_request", fill_connection, call):
            self._open[call.subject] = Client.connect(
                call.rest,
                protocol=ProtocolVersion.RESP2 if call.number("resp2") else ProtocolVersion.RESP3,
                request_timeout=call.seconds("timeout_ms") or 0.25,
                inflight_requests_limit=call.number("inflight") or 1000,
                cluster_mode=call.options.get("cluster") != "0",
                read_from=call.reads(),
                client_az=call.options.get("zone"),
            )
        return {}

    def _over(self, call: Call) -> Client | Router:
        return self._open[call.subject]

    def _client(self, call: Call) -> Client:
        client = self._open[call.subject]
        if not isinstance(client, Client):
            raise Malformed(f"{call.subject} is no client")
        return client

    def _resolve(self, call: Call) -> Json:
        call.only("route")
        plan = self._over(call).resolve(*call.words(), route=call.route())
        return {"plan": answers.plan(plan)}

    def _resolve_batch(self, call: Call) -> Json:
        call.only("route", "atomic")
        plan = self._over(call).resolve_batch(
            call.commands(), atomic=bool(call.number("atomic")), route=call.route()
        )
        return {"plan": answers.plan(plan)}

    def _request(self, call: Call) -> Callable[[], Json]:
        call.only("route", "policy", "timeout_ms", "count")
        client, words, route = self._client(call), call.words(), call.route()
        timeout, policy = call.seconds("timeout_ms"), call.policy()

        def request() -> Json:
            response = client.response(*words, route=route, timeout=timeout, policy=policy)
            return {
                "value": answers.value(response.value),
                "outcomes": answers.outcomes(response.outcomes),
            }

        return request

    def _execute(self, call: Call) -> Json:
        return self._request(call)()

    def _hold(self, call: Call) -> Json:
        request = self._request(call)

        def held() -> None:
            with contextlib.suppress(RequestError, ClosingError):
                request()

        for _ in range(call.number("count") or 1):
            threading.Thread(target=held, daemon=True).start()
        return {}

    def _batch(self, call: Call) -> Json:
        call.only("route", "atomic", "raise", "retry_server", "retry_connection", "timeout_ms")
        with filled("batch", "command_request", fill_batch, call):
            results = self._client(call).batch(
                call.commands(),
                atomic=bool(call.number("atomic")),
                raise_on_error=bool(call.number("raise")),
                route=call.route(),
                timeout=call.seconds("timeout_ms"),
            )
        return {"value": answers.value(results)}

    def _scan(self, call: Call) -> Json:
        call.only("allow_non_covered", "match", "count", "type")
        match = call.options.get("match")
        cursor, keys = self._client(call).scan_step(
            call.words()[0].decode(),
            None if match is None else unhex(match),
            count=call.number("count") or None,
            object_type=call.options.get("type"),
            allow_non_covered_slots=bool(call.number("allow_non_covered")),
        )
        return {"value": answers.value([cursor.encode(), keys])}

    def _topology(self, call: Call) -> Json:
        return {"topology": answers.topology(self._client(call).topology())}

    def _close(self, call: Call) -> Json:
        self._open.pop(call.subject).close()
        return {}


def main() -> NoReturn:
    """Answer calls until there are no more."""
    driver = Driver()
    for line in sys.stdin:
        print(json.dumps(driver.run(line)), flush=True)
    sys.exit()


if __name__ == "__main__":
    main()
