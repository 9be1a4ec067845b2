"""What goes into the library, put into messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from libglide import address, checks
from libglide.duration import milliseconds
from libglide.exceptions import RequestError
from libglide.options import (
    NodeAddress,
    NodeDiscoveryMode,
    Options,
    ProtocolVersion,
    ReadFrom,
    whole_seconds,
)
from libglide.response import ResponsePolicy
from libglide.routes import (
    AllNodes,
    AllPrimaries,
    ByAddressRoute,
    RandomNode,
    Route,
    SlotIdRoute,
    SlotKeyRoute,
    SlotType,
)
from libglide.script import Script
from libglide.tls import Tls
from libglide.topology import Node, Shard, Topology

_SHORT = 128  # a length below it takes one byte
_LARGE = 4096  # a word from that length on takes longer to be copied than to be measured
_BESIDE = 32 << 10  # one from that length on goes beside the request, which is quicker by then
_NO_WORDS: list[bytes] = []
_VARINTS = [bytes((number,)) for number in range(_SHORT)]
# Keys of fields: their number times eight, plus two for what has a length.
_SINGLE_COMMAND, _BATCH, _COMMANDS, _ARGS = b"\x12", b"\x1a", b"\x12", b"\x0a"
_ARGS_HEADS = [_ARGS + length for length in _VARINTS]
_CUSTOM_COMMAND = b"\x08\x01\x12"  # request_type 1, and the key of args_array
# What stands before the arguments of a command, by the length of these; all lengths are short.
_SINGLE_COMMAND_HEADS = [
    _SINGLE_COMMAND
    + _VARINTS[len(_CUSTOM_COMMAND) + 1 + length]
    + _CUSTOM_COMMAND
    + _VARINTS[length]
    for length in range(_SHORT - len(_CUSTOM_COMMAND) - 1)
]
_SECURE_TLS, _INSECURE_TLS = 1, 2
_SIMPLE_ROUTES: dict[type, int] = {AllNodes: 0, AllPrimaries: 1, RandomNode: 2}
_SLOT_TYPES = {SlotType.PRIMARY: 0, SlotType.REPLICA: 1}
_PROTOCOLS = {ProtocolVersion.RESP3: 0, ProtocolVersion.RESP2: 1}
_READ_FROM = {
    ReadFrom.PRIMARY: 0,
    ReadFrom.PREFER_REPLICA: 1,
    ReadFrom.LOWEST_LATENCY: 2,
    ReadFrom.AZ_AFFINITY: 3,
    ReadFrom.AZ_AFFINITY_REPLICAS_AND_PRIMARY: 4,
    ReadFrom.ALL_NODES: 5,
    ReadFrom.AZ_AFFINITY_ALL_NODES: 6,
}
_DISCOVERY = {
    NodeDiscoveryMode.STANDARD: 0,
    NodeDiscoveryMode.STATIC: 1,
    NodeDiscoveryMode.DISCOVER_ALL: 2,
}
_LAST_SLOT = 16383
_GREATEST_COUNT = 2**63 - 1


def connection(options: Options, message: Any) -> None:
    """Fill a ``ConnectionRequest``."""
    for node in options.addresses:
        _address(node, message.addresses.add())
    for announced, dialled in options.address_map:
        pair = message.address_map.add()
        _address(announced, pair.announced)
        _address(dialled, pair.dial)
    message.cluster_mode_enabled = options.cluster_mode
    message.request_timeout = milliseconds("request_timeout", options.request_timeout)
    message.connection_timeout = milliseconds("connection_timeout", options.connection_timeout)
    message.inflight_requests_limit = options.inflight_requests_limit
    message.event_queue_limit = options.event_queue_limit
    message.database_id = options.database_id
    message.protocol = _PROTOCOLS[options.protocol]
    message.read_from = _READ_FROM[options.read_from]
    message.client_az = options.client_az or ""
    message.client_name = options.client_name or ""
    message.lib_name = options.lib_name or ""
    if options.username is not None or options.password is not None:
        message.authentication_info.username = options.username or ""
        message.authentication_info.password = options.password or ""
    if options.periodic_checks is None:
        message.periodic_checks_disabled.SetInParent()
    else:
        message.periodic_checks_manual_interval.duration_in_sec = whole_seconds(
            options.periodic_checks
        )
    message.lazy_connect = options.lazy_connect
    message.refresh_topology_from_initial_nodes = options.refresh_topology_from_initial_nodes
    message.node_discovery_mode = _DISCOVERY[options.node_discovery_mode]
    message.trust_redirects = options.trust_redirects
    message.read_only = options.read_only
    message.tcp_nodelay = options.tcp_nodelay
    if options.reconnect is not None:
        strategy = message.connection_retry_strategy
        if options.reconnect.first:
            strategy.factor = milliseconds("first", options.reconnect.first)
        strategy.exponent_base = options.reconnect.base
        strategy.number_of_retries = options.reconnect.steps
        strategy.jitter_percent = options.reconnect.jitter_percent
    if options.tls is not None:
        _tls(options.tls, message)


def _address(node: NodeAddress, message: Any) -> None:
    message.host = node.host
    message.port = node.port


def _tls(given: Tls, message: Any) -> None:
    message.tls_mode = _INSECURE_TLS if given.insecure else _SECURE_TLS
    message.root_certs.extend(given.root_certs)
    for field, value in (
        ("tls_server_name", given.server_name),
        ("client_cert", given.client_cert),
        ("client_key", given.client_key),
        ("client_cert_path", given.client_cert_path),
        ("client_key_path", given.client_key_path),
    ):
        if value is not None:
            setattr(message, field, value)
    if given.cert_reload_interval is not None:
        message.cert_reload.enabled = True
        message.cert_reload.interval_seconds = whole_seconds(given.cert_reload_interval)


def password(given: str | None, immediate: bool, message: Any) -> None:
    """Fill an ``UpdateConnectionPassword``.

    Raises:
        ConfigurationError: The password is no text. The error does not show it.
        RequestError: The other argument cannot be.
    """
    if given is not None:
        message.password = checks.text("password", given)
    if not isinstance(immediate, bool):
        raise RequestError(f"immediate is {immediate!r:.80}, not a bool")
    message.immediate_auth = immediate
    message.SetInParent()


def command(name: str, words: Sequence[object]) -> list[bytes]:
    """The pieces of a ``Command``, to be joined.

    They are written here byte by byte: with message objects a batch would take twice as long.

    Args:
        name: What the words are, for the error.
        words: The command and its arguments.

    Raises:
        RequestError: A text has no UTF-8 form.
        TypeError: A word is neither bytes nor str, int or float.
    """
    args, _ = _arguments(name, words)
    return [_CUSTOM_COMMAND, _varint(sum(map(len, args))), *args]


def _arguments(name: str, words: Sequence[object]) -> tuple[list[bytes], int]:
    """The pieces of an ``ArgsArray``, and the position of the first large argument; 0: none is.

    Two pieces are a word. Errors as of ``command``.
    """
    args: list[bytes] = []
    large = 0
    for position, word in enumerate(words):
        if type(word) is not bytes:
            word = _word(name, position, word)
        length = len(word)
        if length < _SHORT:
            args += (_ARGS_HEADS[length], word)
        else:
            args += (_ARGS + _varint(length), word)
            if length >= _BESIDE and not large:
                large = position
    return args, large


def script(given: Script, keys: Sequence[object], args: Sequence[object], message: Any) -> None:
    """Fill a ``ScriptInvocation``.

    Raises:
        RequestError: A text has no UTF-8 form.
        TypeError: The script is none, or a key or an argument is neither bytes nor str, int or
            float.
    """
    if not isinstance(given, Script):
        raise TypeError(f"script is a {type(given).__name__}, not a Script")
    for name, words in (("keys", keys), ("args", args)):
        if isinstance(words, (str, bytes)):
            raise TypeError(f"{name} is a {type(words).__name__}, not a sequence")
    message.hash = given.hash
    message.source = given.source
    message.keys.extend(_words("keys", keys))
    message.args.extend(_words("args", args))


def single_command(words: Sequence[object]) -> bytes:
    """A ``CommandRequest`` of one command and nothing else; errors as of ``command``."""
    pieces, _ = _arguments("args", words)
    return _single_command(pieces)


def divided_command(words: Sequence[object]) -> tuple[bytes, list[bytes]]:
    """A ``CommandRequest`` up to its first large argument, and the words from there on.

    Errors as of ``command``.
    """
    pieces, large = _arguments("args", words)
    if not large:
        return _single_command(pieces), _NO_WORDS
    return _single_command(pieces[: 2 * large]), pieces[2 * large + 1 :: 2]


def _single_command(pieces: list[bytes]) -> bytes:
    if pieces and len(pieces[-1]) >= _LARGE:
        return _joined(sum(map(len, pieces)), *pieces)
    args = b"".join(pieces)
    length = len(args)
    if length < len(_SINGLE_COMMAND_HEADS):
        return _SINGLE_COMMAND_HEADS[length] + args
    return _joined(length, args)


def _joined(length: int, *args: bytes) -> bytes:
    """The ``CommandRequest`` of arguments of that length in all."""
    size = _varint(length)
    whole = _varint(len(_CUSTOM_COMMAND) + len(size) + length)
    return b"".join((_SINGLE_COMMAND, whole, _CUSTOM_COMMAND, size, *args))


def batch(commands: Sequence[Sequence[object]]) -> list[bytes]:
    """The pieces of a ``CommandRequest`` of several commands, without the rest of its ``Batch``.

    Raises:
        RequestError: A text has no UTF-8 form.
        TypeError: A word is neither bytes nor str, int or float, or a command is one word.
    """
    pieces: list[bytes] = []
    for position, words in enumerate(commands):
        name = f"commands[{position}]"
        if isinstance(words, (str, bytes)):
            raise TypeError(f"{name} is a {type(words).__name__}, not a sequence of words")
        joined = b"".join(command(name, words))
        pieces += (_COMMANDS, _varint(len(joined)), joined)
    return [_BATCH, _varint(sum(map(len, pieces))), *pieces]


def _varint(number: int) -> bytes:
    if number < _SHORT:
        return _VARINTS[number]
    digits = []
    while number >= _SHORT:
        digits.append(number & (_SHORT - 1) | _SHORT)
        number >>= 7
    digits.append(number)
    return bytes(digits)


def scan(
    cursor: str,
    match: bytes | str | None,
    count: int | None,
    object_type: str | None,
    gaps: bool,
    message: Any,
) -> None:
    """Fill a ``ClusterScan``.

    Whether the cursor is one is for the library to say.

    Raises:
        RequestError: An argument cannot be; the message names it.
    """
    message.cursor = _text("cursor", cursor)
    if isinstance(match, str):
        message.match_pattern = _utf8("match", match)
    elif isinstance(match, bytes):
        message.match_pattern = match
    elif match is not None:
        raise RequestError(f"match is {match!r:.80}, neither str nor bytes")
    if count is not None:
        if isinstance(count, bool) or not isinstance(count, int):
            raise RequestError(f"count is {count!r:.80}, not an int")
        if not 1 <= count <= _GREATEST_COUNT:
            raise RequestError(f"count is {count}, out of range 1..{_GREATEST_COUNT}")
        message.count = count
    if object_type is not None:
        message.object_type = _text("object_type", object_type)
    if not isinstance(gaps, bool):
        raise RequestError(f"allow_non_covered_slots is {gaps!r:.80}, not a bool")
    message.allow_non_covered_slots = gaps


def channels(kind: int, names: Iterable[bytes], message: Any) -> None:
    """Fill a ``Channels``."""
    message.kind = kind
    message.names.extend(names)


def channel_names(name: str, given: Sequence[object]) -> list[bytes]:
    """The names of channels or patterns, each once.

    Args:
        name: What they are, for the error.
        given: The names.

    Raises:
        RequestError: A text has no UTF-8 form.
        TypeError: It is no sequence, or a name is neither bytes nor str.
    """
    if isinstance(given, (str, bytes)):
        raise TypeError(f"{name} is a {type(given).__name__}, not a sequence")
    for position, item in enumerate(given):
        if not isinstance(item, (str, bytes)):
            raise TypeError(
                f"{name}[{position}] is a {type(item).__name__}; channels are bytes or str"
            )
    return list(dict.fromkeys(_words(name, given)))


def _text(name: str, given: object) -> str:
    if not isinstance(given, str):
        raise RequestError(f"{name} is {given!r:.80}, not a str")
    return _utf8(name, given).decode()


def _words(name: str, words: Sequence[object]) -> list[bytes]:
    return [
        word if type(word) is bytes else _word(name, position, word)
        for position, word in enumerate(words)
    ]


def _word(name: str, position: int, word: object) -> bytes:
    if isinstance(word, str):
        try:
            return word.encode()
        except UnicodeEncodeError:
            return _utf8(f"{name}[{position}]", word)  # says what is wrong
    if isinstance(word, bytes):
        return word
    if isinstance(word, int) and not isinstance(word, bool):
        return b"%d" % word
    if isinstance(word, float):
        return float.__repr__(word).encode()
    raise TypeError(
        f"{name}[{position}] is a {type(word).__name__}; "
        "the words of a command are bytes, str, int or float"
    )


def _utf8(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as fault:
        raise RequestError(f"{name} is not Unicode text: {fault}; give bytes") from None


def route(given: Route, message: Any) -> None:
    """Fill a ``Routes``.

    Raises:
        RequestError: The route cannot be; the message says what of it.
    """
    if type(given) in _SIMPLE_ROUTES:
        message.simple_routes = _SIMPLE_ROUTES[type(given)]
    elif isinstance(given, SlotKeyRoute):
        _slot_key(given, message.slot_key_route)
    elif isinstance(given, SlotIdRoute):
        message.slot_id_route.slot_type = _slot_type(given.slot_type)
        if isinstance(given.slot_id, bool) or not isinstance(given.slot_id, int):
            raise RequestError(f"slot_id is {given.slot_id!r}, not an int")
        try:
            message.slot_id_route.slot_id = given.slot_id
        except ValueError:
            raise RequestError(f"slot_id {given.slot_id} is out of range 0..16383") from None
    elif isinstance(given, ByAddressRoute):
        try:
            host, port = address.host_and_port(given.host, given.port)
        except ValueError as fault:
            raise RequestError(str(fault)) from None
        message.by_address_route.host = _utf8("host", host).decode()
        message.by_address_route.port = port
    else:
        raise RequestError(f"route is {given!r:.80}, which is none of libglide.routes")


def _slot_key(route: SlotKeyRoute, message: Any) -> None:
    message.slot_type = _slot_type(route.slot_type)
    if isinstance(route.slot_key, str):
        message.slot_key = _utf8("slot_key", route.slot_key).decode()
    elif isinstance(route.slot_key, bytes):
        try:
            message.slot_key = route.slot_key.decode()
        except UnicodeDecodeError:
            message.slot_key_bytes = route.slot_key
    else:
        raise RequestError(f"slot_key is {route.slot_key!r:.80}, neither str nor bytes")


def _slot_type(given: object) -> int:
    if not isinstance(given, SlotType):
        raise RequestError(f"slot_type is {given!r:.80}, not a SlotType")
    return _SLOT_TYPES[given]


def policy(given: ResponsePolicy | None) -> int:
    """The number of a policy; that of ``DEFAULT`` for None.

    Raises:
        RequestError: It is no policy.
    """
    if given is None:
        return ResponsePolicy.DEFAULT
    if not isinstance(given, ResponsePolicy):
        raise RequestError(f"policy is {given!r:.80}, not a ResponsePolicy")
    return given


def topology(given: Topology, read_from: ReadFrom, client_az: str | None, message: Any) -> None:
    """Fill a ``Topology``.

    Whether its parts fit together is for the library to say.

    Args:
        given: The topology.
        read_from: Which node of a shard serves a read without a route.
        client_az: The zone that some ways of ``read_from`` prefer.
        message: The ``Topology``.

    Raises:
        ConfigurationError: A part of it cannot be; the message names it.
    """
    if not isinstance(given, Topology):
        raise checks.refusal(f"topology is {given!r:.80}, not a Topology")
    message.epoch = checks.whole_number("epoch", given.epoch, 0, 2**64 - 1)
    message.standalone = checks.boolean("standalone", given.standalone)
    message.read_from = _READ_FROM[read_from]
    message.client_az = client_az or ""
    for position, shard in enumerate(given.shards):
        _shard(f"shards[{position}]", shard, message.shards.add())


def _shard(name: str, shard: Shard, message: Any) -> None:
    if not isinstance(shard, Shard):
        raise checks.refusal(f"{name} is {shard!r:.80}, not a Shard")
    for position, (first, last) in enumerate(shard.slots):
        place = f"{name}.slots[{position}]"
        message.slots.add(
            first=checks.whole_number(f"{place}.first", first, 0, _LAST_SLOT),
            last=checks.whole_number(f"{place}.last", last, 0, _LAST_SLOT),
        )
    if shard.primary is None:
        raise checks.refusal(f"{name} has no primary")
    _node(f"{name}.primary", shard.primary, message.primary)
    for position, replica in enumerate(shard.replicas):
        _node(f"{name}.replicas[{position}]", replica, message.replicas.add())


def _node(name: str, node: Node, message: Any) -> None:
    if not isinstance(node, Node):
        raise checks.refusal(f"{name} is {node!r:.80}, not a Node")
    message.host = checks.text(f"{name}.host", node.host)
    message.port = checks.whole_number(f"{name}.port", node.port, 1, 65535)
    message.id = checks.text(f"{name}.id", node.id)
    message.zone = checks.text(f"{name}.zone", node.zone)
    for position, alias in enumerate(node.aliases):
        message.aliases.append(checks.text(f"{name}.aliases[{position}]", alias))
