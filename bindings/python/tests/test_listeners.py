"""The book-keeping of subscriptions, with events that the library would tell."""

from __future__ import annotations

from typing import Any

import pytest

from libglide import RequestError, TimeoutError, messages
from libglide.codec import Codec
from libglide.events import ChannelKind, Gap, Lost, Message, Overflow, Refused
from libglide.inbox import Inbox, Item, Key
from libglide.listeners import Listeners

MESSAGE, SUBSCRIBED, UNSUBSCRIBED, REFUSED, LOST, GAP, OVERFLOW, UNKNOWN = range(8)
NEWS, USERS = (ChannelKind.EXACT, b"news"), (ChannelKind.PATTERN, b"user:*")


class Library:
    """Takes up every request, and remembers it."""

    def __init__(self) -> None:
        self.classes = messages.load()
        self.asked: list[tuple[str, int, list[bytes]]] = []
        self.listeners = Listeners(Codec(self.classes), self.execute)

    def execute(self, request: bytes) -> tuple[int, bytes]:
        message = self.classes.command_request.FromString(request)
        what = message.WhichOneof("command")
        channels = getattr(message, what)
        self.asked.append((what, channels.kind, list(channels.names)))
        return 0, b""

    def tell(self, **event: Any) -> None:
        response = self.classes.response(events=[event])
        self.listeners.hand_out(0, response.SerializeToString())

    def publish(self, payload: bytes) -> None:
        self.tell(channel=b"news", payload=payload)

    def join(self, *keys: Key, limit: int = 100) -> Inbox:
        inbox = Inbox(list(keys), limit)
        self.listeners.join(inbox)
        return inbox

    def confirmed(self, *keys: Key, limit: int = 100) -> Inbox:
        inbox = self.join(*keys, limit=limit)
        for kind, name in keys:
            self.tell(kind=SUBSCRIBED, channels=kind, names=[name])
        inbox.check()
        self.asked.clear()
        return inbox


@pytest.fixture
def library() -> Library:
    return Library()


def taken(inbox: Inbox) -> list[Item]:
    inbox.fill()
    items = list(inbox.ready)
    inbox.ready.clear()
    return items


def test_what_is_asked_names_the_channels_of_each_kind_together(library: Library) -> None:
    more = (ChannelKind.EXACT, b"more")
    inbox = library.join(NEWS, USERS, more)
    library.listeners.leave(inbox)
    assert library.asked == [
        ("subscribe", 0, [b"news", b"more"]),
        ("subscribe", 1, [b"user:*"]),
        ("unsubscribe", 0, [b"news", b"more"]),
        ("unsubscribe", 1, [b"user:*"]),
    ]


def test_a_subscription_is_settled_when_its_last_name_is_confirmed(library: Library) -> None:
    inbox = library.join(NEWS, USERS)
    library.tell(kind=SUBSCRIBED, channels=0, names=[b"news"])
    assert not inbox.settled()
    with pytest.raises(TimeoutError, match=r"pattern b'user:\*'$"):
        inbox.check()
    library.tell(kind=SUBSCRIBED, channels=1, names=[b"user:*"])
    assert inbox.settled()
    inbox.check()


def test_who_joins_gets_messages_from_the_confirmation_on(library: Library) -> None:
    first = library.confirmed(NEWS)
    second = library.join(NEWS)
    library.publish(b"before")
    library.tell(kind=SUBSCRIBED, channels=0, names=[b"news"])
    library.publish(b"after")
    assert taken(first) == [Message(b"news", b"before"), Message(b"news", b"after")]
    assert taken(second) == [Message(b"news", b"after")]


def test_a_gap_confirms_who_waits_and_is_told_to_the_others(library: Library) -> None:
    first = library.confirmed(NEWS)
    error = {"status": 8, "message": "lost"}
    library.tell(kind=LOST, channels=0, names=[b"news"], error=error, since_ms=1000)
    second = library.join(NEWS)
    library.tell(kind=GAP, channels=0, names=[b"news"], since_ms=1000, until_ms=2500)
    assert second.settled() and taken(second) == []
    lost, gap = taken(first)
    assert isinstance(lost, Lost) and str(lost.error) == "lost"
    assert isinstance(gap, Gap) and (gap.until - gap.since).total_seconds() == 1.5


def test_an_event_of_many_names_tells_each_subscription_its_own(library: Library) -> None:
    first, second = library.confirmed(NEWS), library.confirmed((ChannelKind.EXACT, b"more"))
    library.tell(kind=GAP, channels=0, names=[b"news", b"more", b"else"], until_ms=1)
    (told,), (other,) = taken(first), taken(second)
    assert isinstance(told, Gap) and told.names == (b"news",)
    assert isinstance(other, Gap) and other.names == (b"more",)


def test_a_name_that_is_being_given_up_is_asked_for_again_after_that(library: Library) -> None:
    library.listeners.leave(library.confirmed(NEWS))
    inbox = library.join(NEWS)
    assert library.asked == [("unsubscribe", 0, [b"news"])]
    library.tell(kind=SUBSCRIBED, channels=0, names=[b"news"])  # of its life before
    library.publish(b"old")
    assert not inbox.settled()
    library.tell(kind=UNSUBSCRIBED, channels=0, names=[b"news"])
    assert library.asked[1:] == [("subscribe", 0, [b"news"])]
    library.tell(kind=SUBSCRIBED, channels=0, names=[b"news"])
    library.publish(b"new")
    assert taken(inbox) == [Message(b"news", b"new")]


def test_a_name_that_cannot_be_given_up_is_taken_up_again(library: Library) -> None:
    library.listeners.leave(library.confirmed(NEWS))
    inbox = library.join(NEWS)
    library.tell(kind=REFUSED, channels=0, names=[b"news"], error={"status": 5})
    assert library.asked[1:] == [("subscribe", 0, [b"news"])]
    assert inbox.refusal is None


def test_a_refusal_is_told_to_who_listens_and_ends_the_wait_of_who_joins(library: Library) -> None:
    listening, joining = library.confirmed(NEWS), library.join(NEWS)
    error = {"status": 5, "code": "NOPERM", "message": "NOPERM no"}
    library.tell(kind=REFUSED, channels=0, names=[b"news"], error=error)
    (refused,) = taken(listening)
    assert isinstance(refused, Refused) and refused.names == (b"news",)
    with pytest.raises(RequestError, match="NOPERM no"):
        joining.check()
    library.asked.clear()
    library.listeners.leave(joining)
    library.listeners.leave(listening)
    assert library.asked == []


def test_after_untold_events_all_is_asked_for_anew(library: Library) -> None:
    inbox = library.confirmed(NEWS)
    library.listeners.leave(library.confirmed(USERS))
    library.asked.clear()
    library.tell(kind=OVERFLOW, dropped=3, untold=0)
    assert library.asked == []
    library.tell(kind=OVERFLOW, dropped=0, untold=2)
    assert library.asked == [("subscribe", 0, [b"news"]), ("unsubscribe", 1, [b"user:*"])]
    assert [(e.dropped, e.untold) for e in taken(inbox) if isinstance(e, Overflow)] == [
        (3, 0),
        (0, 2),
    ]


def test_what_has_no_room_is_counted_until_something_is_taken(library: Library) -> None:
    inbox = library.confirmed(NEWS, limit=2)
    for number in range(4):
        library.publish(b"%d" % number)
    library.tell(kind=GAP, channels=0, names=[b"news"], until_ms=1)
    library.tell(kind=OVERFLOW, dropped=10, untold=5)
    *messages, missing = taken(inbox)
    assert messages == [Message(b"news", b"0"), Message(b"news", b"1")]
    assert isinstance(missing, Overflow)
    assert (missing.dropped, missing.untold) == (12, 6)
    library.publish(b"later")
    assert taken(inbox) == [Message(b"news", b"later")]


def test_the_bytes_that_wait_are_limited_too(library: Library) -> None:
    inbox = library.confirmed(NEWS)
    for _ in range(3):
        library.publish(bytes(33 << 20))
    first, missing = taken(inbox)
    assert isinstance(first, Message)
    assert isinstance(missing, Overflow) and missing.dropped == 2


def test_an_event_that_a_newer_library_tells_is_left_alone(library: Library) -> None:
    inbox = library.confirmed(NEWS)
    library.tell(kind=UNKNOWN, channels=0, names=[b"news"])
    library.publish(b"x")
    assert taken(inbox) == [Message(b"news", b"x")]


def test_a_completion_that_is_an_error_is_told_to_all(library: Library) -> None:
    inbox = library.confirmed(NEWS)
    library.listeners.hand_out(13, b"")
    (fault,) = taken(inbox)
    assert isinstance(fault, RequestError)
    assert "INTERNAL" in str(fault)
