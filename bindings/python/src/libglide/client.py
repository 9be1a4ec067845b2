"""A client of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from libglide.exceptions import RequestError
from libglide.library import Library, load
from libglide.options import (
    AddressLike,
    Backoff,
    NodeDiscoveryMode,
    Options,
    ProtocolVersion,
    ReadFrom,
    address_pairs,
    node_addresses,
)
from libglide.resolver import Resolver, load_codec
from libglide.response import Response, ResponsePolicy
from libglide.routes import Route, SlotKeyRoute, SlotType
from libglide.script import Script
from libglide.session import Session
from libglide.tls import Tls
from libglide.topology import Topology
from libglide.values import Value

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from libglide.codec import Codec
    from libglide.mailbox import Mailbox
    from libglide.statistics import Statistics
    from libglide.subscription import Subscription

FINISHED = "finished"  # the cursor after the last step of a scan


class Client(Resolver):
    """A client of a Valkey cluster or of one server; ``Client.connect`` opens it.

    Any number of threads may use it at once. It is a context manager that closes itself, and a
    client that is dropped is closed. In the child of a fork connect another: each call of this one
    raises ``ClosingError`` there, while the parent goes on with it undisturbed.

    A call waits outside the interpreter's lock, so other threads run. Signal handlers of Python
    run while it waits; one that raises, as that of Ctrl-C, ends the call. The command may have run
    then; one that waits on the server, as ``BLPOP``, is ended there too.
    """

    def __init__(self, loaded: Library, codec: Codec, handle: int, options: Options) -> None:
        super().__init__(codec, handle, loaded.resolve, loaded.close)
        self._library = loaded
        self._addresses = options.addresses
        self._connection_timeout = options.connection_timeout
        self._event_queue_limit = options.event_queue_limit

    @classmethod
    def connect(
        cls,
        addresses: AddressLike | Iterable[AddressLike],
        *,
        username: str | None = None,
        password: str | None = None,
        client_name: str | None = None,
        lib_name: str | None = None,
        database_id: int = 0,
        protocol: ProtocolVersion = ProtocolVersion.RESP3,
        request_timeout: float = 0.25,
        connection_timeout: float = 2.0,
        inflight_requests_limit: int = 1000,
        event_queue_limit: int = 8192,
        cluster_mode: bool = True,
        read_from: ReadFrom = ReadFrom.PRIMARY,
        client_az: str | None = None,
        tls: Tls | None = None,
        periodic_checks: float | None = 60.0,
        reconnect: Backoff | None = None,
        lazy_connect: bool = False,
        refresh_topology_from_initial_nodes: bool = False,
        node_discovery_mode: NodeDiscoveryMode = NodeDiscoveryMode.STANDARD,
        address_map: Mapping[AddressLike, AddressLike] | None = None,
        trust_redirects: bool = False,
        read_only: bool = False,
        tcp_nodelay: bool = True,
    ) -> Client:
        """Connect to a cluster and learn its topology.

        Args:
            addresses: One address or several, each "host:port", ``(host, port)`` or a
                ``NodeAddress``. The first node that answers tells of the others.
            username: Whom to log in as; by default the server's default user.
            password: The password of that user.
            client_name: A name for the connections, as ``CLIENT SETNAME`` takes it.
            lib_name: The name that ``CLIENT LIST`` shows as the library's.
            database_id: The database to select.
            protocol: The version of the protocol.
            request_timeout: Seconds until a request raises ``TimeoutError``.
            connection_timeout: Seconds that connecting may take.
            inflight_requests_limit: How many requests may run at once.
            event_queue_limit: How many messages of subscriptions may wait to be taken.
            cluster_mode: The servers are a cluster.
            read_from: Which node of a shard serves a read without a route.
            client_az: The availability zone that the ``AZ_AFFINITY`` ways of ``read_from`` prefer;
                the servers must name theirs, as Valkey 8.0 and later do where it is configured.
            tls: How connections are encrypted; by default they are not.
            periodic_checks: Seconds, rounded up to whole ones, between looks at the topology
                without a cause; None for looks with a cause only.
            reconnect: How long a node that cannot be connected to is left alone.
            lazy_connect: Connect to nobody yet. The first request does, within its timeout; where
                that fails the next one tries again.
            refresh_topology_from_initial_nodes: Ask ``addresses`` for the topology, their names
                resolved anew, and the nodes that are known only where none of them answers.
            node_discovery_mode: Who the nodes are where the servers are no cluster.
            address_map: Where to connect to nodes, by the addresses that they announce, for
                networks that translate addresses. Certificates must still be for the announced
                host; routes may name either address.
            trust_redirects: Log in with the password wherever a redirect leads, also where the node
                that redirects does not name the address as one of its cluster.
            read_only: Refuse commands that may write, and be content with replicas. For servers
                that are no cluster.
            tcp_nodelay: Send small requests at once.

        Raises:
            ConfigurationError: An option cannot be; the message names it.
            ConnectionError: No address answered; the message has each one and why.
            TimeoutError: No address answered within ``connection_timeout``.
            RequestError: The server refused, as for a wrong password.
            LibraryError: The shared library was not found.
            ClosingError: This is the child of a fork and cannot load its copy of the library.
        """
        options = Options(
            addresses=node_addresses(addresses),
            username=username,
            password=password,
            client_name=client_name,
            lib_name=lib_name,
            database_id=database_id,
            protocol=protocol,
            request_timeout=request_timeout,
            connection_timeout=connection_timeout,
            inflight_requests_limit=inflight_requests_limit,
            event_queue_limit=event_queue_limit,
            cluster_mode=cluster_mode,
            read_from=read_from,
            client_az=client_az,
            tls=tls,
            periodic_checks=periodic_checks,
            reconnect=reconnect,
            lazy_connect=lazy_connect,
            refresh_topology_from_initial_nodes=refresh_topology_from_initial_nodes,
            node_discovery_mode=node_discovery_mode,
            address_map=address_pairs(address_map),
            trust_redirects=trust_redirects,
            read_only=read_only,
            tcp_nodelay=tcp_nodelay,
        )
        loaded, codec = load(), load_codec()
        status, handle, data = loaded.open(codec.connection(options))
        codec.accept(status, data)
        return cls(loaded, codec, handle, options)

    def execute(
        self,
        *args: bytes | str | int | float,
        route: Route | None = None,
        timeout: float | None = None,
        policy: ResponsePolicy | None = None,
    ) -> Value:
        """Run one command and return its reply, of several nodes the combined one.

        Args:
            args: The command and its arguments. Text is sent as UTF-8, a float as its ``repr``.
            route: Where to send it; by default where the command belongs.
            timeout: Seconds until ``TimeoutError``; by default the client's.
            policy: How the replies of all nodes or all primaries become one value; by default as
                the command asks for. Refused for a command that goes elsewhere.

        Raises:
            RequestError: The server refused it, the route names no node, or an argument cannot
                be; see its subclasses and its ``status``.
            MultiNodeError: Some nodes failed; ``results`` and ``errors`` hold what each said.
            ClosingError: The client is closed, or was opened before a fork and this is the child.
            TypeError: An argument is neither bytes nor str, int or float.
        """
        request, beside = self._codec.divided(args, route, timeout, False, policy)
        return self._codec.value(*self._library.execute_value(self._handle, request, beside))

    def response(
        self,
        *args: bytes | str | int | float,
        route: Route | None = None,
        timeout: float | None = None,
        outcomes: bool = True,
        policy: ResponsePolicy | None = None,
    ) -> Response:
        """Run one command as ``execute`` does, and tell which node had which part in it.

        Args:
            args: The command and its arguments.
            route: Where to send it; by default where the command belongs.
            timeout: Seconds until ``TimeoutError``; by default the client's.
            outcomes: Give those of a request to one node too. Without it they are there for a
                request to all nodes or all primaries, and where something was out of the
                ordinary.
            policy: As ``execute``.

        Raises:
            GlideError: As ``execute``.
            TypeError: As ``execute``.
        """
        request, beside = self._codec.divided(args, route, timeout, outcomes, policy)
        return self._codec.response(*self._library.execute(self._handle, request, beside))

    def batch(
        self,
        commands: Sequence[Sequence[bytes | str | int | float]],
        *,
        atomic: bool = False,
        raise_on_error: bool = True,
        route: Route | None = None,
        timeout: float | None = None,
    ) -> list[Value] | None:
        """Run several commands together: those for one node travel in one write.

        Args:
            commands: The commands, each with its arguments.
            atomic: The batch is a transaction: all of it goes to one node, and its keys must be
                in one slot. Without it each command runs for itself, in order only among those
                for the same node.
            raise_on_error: Raise the error of the first command that failed; the others may have
                run. Without it errors stand among the results, not raised: a ``RequestError``,
                ``TimeoutError`` or ``ConnectionError`` in the place of its command, with the node
                and with whether it was ``sent`` and is ``retryable``. A transaction that was
                discarded, or lost as a whole, is raised either way.
            route: Where to send the whole batch, one node; by default each command goes where it
                belongs.
            timeout: Seconds until ``TimeoutError``, for the whole batch; by default the client's.
                A command that blocks does not prolong it.

        Returns:
            One result for each command, in their order; None where a transaction was given up.

        Raises:
            RequestError: A command failed, or the batch cannot be: it is empty, the keys of a
                transaction are in several slots, the route names no node or several. Of a batch
                that cannot be nothing is sent.
            ClosingError: The client is closed, or was opened before a fork and this is the child.
            TypeError: A word is neither bytes nor str, int or float, or a command is one word.
        """
        request = self._codec.batch(commands, atomic, route, timeout, raise_on_error)
        return self._codec.results(*self._library.execute(self._handle, request))

    def script(
        self,
        script: Script,
        keys: Sequence[bytes | str | int | float] = (),
        args: Sequence[bytes | str | int | float] = (),
        *,
        route: Route | None = None,
        timeout: float | None = None,
    ) -> Value:
        """Run a script, on a node that does not know it after giving it the source.

        Args:
            script: The script.
            keys: Its keys, on a cluster all in one slot.
            args: Its other arguments.
            route: Where to run it; by default where its keys belong, without keys on any primary.
            timeout: Seconds until ``TimeoutError``; by default the client's.

        Raises:
            RequestError: The script failed or is none, the keys are in several slots, or the
                route names no node.
            MultiNodeError: As ``execute``, for a route to several nodes.
            ClosingError: The client is closed, or was opened before a fork and this is the child.
            TypeError: An argument is of another type.
        """
        request = self._codec.script(script, keys, args, route, timeout)
        return self._codec.value(*self._library.execute(self._handle, request))

    def scan(
        self,
        match: bytes | str | None = None,
        *,
        count: int | None = None,
        object_type: str | None = None,
        allow_non_covered_slots: bool = False,
        timeout: float | None = None,
    ) -> Iterator[bytes]:
        """Iterate over the keys of the whole cluster, step by step.

        A key that is there throughout is given at least once, perhaps twice; one that comes or
        goes meanwhile may be given or not. Slots that move and primaries that fail over do not
        change that.

        Args:
            match: A pattern that the keys must match, as of ``SCAN``; by default any key.
            count: About how many keys a server looks at in one step; by default the server's.
            object_type: The type that the values must have, as "string"; by default any.
            allow_non_covered_slots: Go on where slots have no shard, and miss their keys.
            timeout: Seconds until ``TimeoutError``, for each step; by default the client's.

        Raises:
            RequestError: A server refused, a slot has no shard, or an argument cannot be; the
                last is raised by the call itself, everything else by the iterator.
            ClosingError: The client is closed, or was opened before a fork and this is the child.
        """
        encode = partial(
            self._codec.scan,
            match=match,
            count=count,
            object_type=object_type,
            gaps=allow_non_covered_slots,
            timeout=timeout,
        )
        return self._keys(encode(""), encode)

    def _keys(self, request: bytes, encode: Callable[[str], bytes]) -> Iterator[bytes]:
        while True:
            cursor, keys = self._codec.step(*self._library.execute(self._handle, request))
            yield from keys
            if cursor == FINISHED:
                return
            request = encode(cursor)

    def scan_step(
        self,
        cursor: str = "",
        match: bytes | str | None = None,
        *,
        count: int | None = None,
        object_type: str | None = None,
        allow_non_covered_slots: bool = False,
        timeout: float | None = None,
    ) -> tuple[str, list[bytes]]:
        """Take one step of a scan, for callers who keep the cursor themselves.

        Args:
            cursor: What the last step gave; "" begins. It is text that any client of the same
                cluster can go on with.
            match: As ``scan``; so are the others.
            count: As ``scan``.
            object_type: As ``scan``.
            allow_non_covered_slots: As ``scan``.
            timeout: Seconds until ``TimeoutError``; by default the client's.

        Returns:
            The cursor of the next step, "finished" where there is none, and the keys of this
            one, perhaps none.

        Raises:
            RequestError: As ``scan``, or the cursor is none; "finished" is none either.
            ClosingError: As ``scan``.
        """
        request = self._codec.scan(
            cursor, match, count, object_type, allow_non_covered_slots, timeout
        )
        return self._codec.step(*self._library.execute(self._handle, request))

    def session(
        self,
        key: bytes | str | None = None,
        *,
        route: Route | None = None,
        timeout: float | None = None,
    ) -> Session:
        """Open a connection of one's own to one node, for ``WATCH``, ``MULTI`` and ``EXEC``.

        Args:
            key: It is with the primary of this key's slot.
            route: Or with the node of this route.
            timeout: Seconds until ``TimeoutError``; by default ``connection_timeout``.

        A cluster needs one of the two; on a standalone server it is with the primary otherwise.

        Raises:
            RequestError: The route names no node or several, there are as many sessions as
                ``inflight_requests_limit``, or the server refused the connection.
            ConnectionError: The node cannot be reached.
            ClosingError: The client is closed, or was opened before a fork and this is the child.
        """
        if key is not None:
            if route is not None:
                raise RequestError("key and route are both given; a session is with one node")
            route = SlotKeyRoute(SlotType.PRIMARY, key)
        request = self._codec.opening(route, timeout)
        status, handle, data = self._library.session_open(self._handle, request)
        node = self._codec.response(status, data).outcomes[0].node
        return Session(self._library, self._codec, handle, node)

    def subscribe(
        self,
        *channels: bytes | str,
        patterns: Sequence[bytes | str] = (),
        sharded: Sequence[bytes | str] = (),
        timeout: float | None = None,
    ) -> Subscription:
        """Listen to channels, over connections beside those of requests.

        Args:
            channels: Names of channels, as of ``SUBSCRIBE``.
            patterns: Patterns of channels, as of ``PSUBSCRIBE``.
            sharded: Names of channels, as of ``SSUBSCRIBE``.
            timeout: Seconds until ``TimeoutError``; by default ``connection_timeout``.

        Returns:
            What gets all messages from now on: every name was confirmed. Another subscription to
            the same names gets them too.

        Raises:
            RequestError: The server refused one of the names, and none is subscribed; or no
                channel is named.
            TimeoutError: Not all were confirmed in time, and none is subscribed. The message names
                those that were not, and what was in the way.
            ClosingError: The client is closed, or was opened before a fork and this is the child.
            TypeError: A name is neither bytes nor str.
        """
        from libglide.inbox import Inbox
        from libglide.listeners import keys, patience
        from libglide.subscription import Reader, Subscription

        inbox = Inbox(keys(channels, patterns, sharded), self._event_queue_limit)
        seconds = patience(timeout, self._connection_timeout)
        reader = vars(self).get("_reader")
        if reader is None:  # of two threads that come here at once one leaves its own to the other
            reader = vars(self).setdefault(
                "_reader", Reader(self._library, self._codec, self._handle)
            )
        return Subscription(self, reader, inbox)._begin(seconds)

    def update_password(
        self, password: str | None, immediate: bool = False, *, timeout: float | None = None
    ) -> None:
        """Replace the password of the client's user; nothing is disconnected.

        Connections that are made from now on log in with it. It is in force also where this call
        raises an error of the servers.

        Args:
            password: The new one; None for none any more.
            immediate: Have the connections that stand log in with it as well: one of each node
                now, the others before their next request.
            timeout: Seconds until ``TimeoutError``, for what ``immediate`` asks for; by default
                the client's.

        Raises:
            ConfigurationError: The password is no text; the error does not show it.
            MultiNodeError: Nodes did not take it; ``errors`` holds what each said.
            RequestError: ``immediate`` has no password to try.
            ClosingError: The client is closed, or was opened before a fork and this is the child.
        """
        request = self._codec.password(password, immediate, timeout)
        self._codec.accept(*self._library.execute(self._handle, request))

    def statistics(self) -> Statistics:
        """What the client has counted since it was opened, and the options in force.

        Raises:
            ClosingError: The client is closed, or was opened before a fork and this is the child.
        """
        return self._codec.statistics(*self._library.statistics(self._handle))

    def topology(self) -> Topology:
        """The cluster as the client knows it now, empty before a lazy one has connected.

        Raises:
            ClosingError: The client is closed, or was opened before a fork and this is the child.
        """
        return self._codec.topology(*self._library.topology(self._handle))

    def _mailbox(self, loop: AbstractEventLoop) -> Mailbox:
        """What makes this client one of an event loop; see ``libglide.aio``."""
        from libglide.mailbox import Mailbox

        return Mailbox(self._library, self._handle, loop)

    def __repr__(self) -> str:
        addresses = ", ".join(map(str, self._addresses))
        return f"<libglide.Client of {addresses}, {self._state}>"
