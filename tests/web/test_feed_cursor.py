"""A client gets every event once, in order, whatever way events reach it; and never more than it can hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.feed_cursor import (
    PARTIAL,
    Cursor,
    Numbered,
    Outbox,
    Trimmed,
    numbered,
    published,
    resume_point,
)
from bot.events import UtterancePartial, decode, encode

PAGE = 3


class World:
    """A log, a connection on which events are published and may be lost, and one client of it."""

    def __init__(self, first: int, after: int) -> None:
        self.first, self.written = first, after
        self.on_the_way: list[int] = []
        self.pages: list[tuple[list[Numbered], int]] = []
        self.cursor = Cursor(after)
        self.got: list[int] = []

    def append(self, connected: bool) -> None:
        self.written += 1
        if connected:
            self.on_the_way.append(self.written)

    def arrive(self) -> None:
        if self.on_the_way:
            seq = self.on_the_way.pop(0)
            if self.cursor.live(seq):
                self.got.append(seq)

    def read_log(self) -> None:
        """The answer is of this moment; it is looked at later."""
        if self.cursor.behind and not self.pages:
            start = max(self.cursor.asked() + 1, self.first)
            page = [(seq, b"") for seq in range(start, min(self.written, start + PAGE - 1) + 1)]
            self.pages.append((page, self.written))

    def look_at_page(self) -> None:
        if self.pages:
            self.got += [seq for seq, _ in self.cursor.filled(*self.pages.pop())]

    def reconnect(self) -> None:
        self.on_the_way.clear()
        self.cursor.disturbed()


@given(
    st.integers(0, 5),
    st.lists(st.sampled_from(["append", "lost", "arrive", "read", "look", "reconnect"]), max_size=80),
)
def test_nothing_is_lost_doubled_or_out_of_order(after: int, steps: list[str]) -> None:
    world = World(1, after)
    for step in steps:
        match step:
            case "append":
                world.append(True)
            case "lost":
                world.append(False)
                world.reconnect()
            case "arrive":
                world.arrive()
            case "read":
                world.read_log()
            case "look":
                world.look_at_page()
            case "reconnect":
                world.reconnect()
        assert world.got == list(range(after + 1, world.cursor.last + 1))
    while world.on_the_way:
        world.arrive()
    while world.cursor.behind:
        world.read_log()
        world.look_at_page()
    assert world.got == list(range(after + 1, world.written + 1))


@given(st.integers(0, 20), st.integers(1, 20), st.integers(0, 20))
def test_a_log_that_no_longer_follows_the_client_is_noticed(after: int, first: int, written: int) -> None:
    """Trimmed, emptied, or begun anew: the client must start over, and is never told that all is well."""
    cursor = Cursor(after)
    page = [(seq, b"") for seq in range(max(first, after + 1), written + 1)]
    whole = written == after or (written > after and first <= after + 1)
    if whole:
        assert [seq for seq, _ in cursor.filled(page, written)] == list(range(after + 1, written + 1))
    else:
        with pytest.raises(Trimmed):
            cursor.filled(page, written)


_messages = st.tuples(st.booleans(), st.integers(1, 30))


@given(st.lists(_messages, max_size=60), st.integers(1, 8), st.integers(10, 200), st.integers(0, 3))
def test_a_full_outbox_drops_partials_keeps_all_else_in_order_and_stays_bounded(
    messages: list[tuple[bool, int]], most: int, most_bytes: int, popped: int
) -> None:
    outbox = Outbox(max_messages=most, max_bytes=most_bytes)
    kept: list[bytes] = []
    out: list[bytes] = []
    for number, (partial, size) in enumerate(messages):
        message = (PARTIAL if partial else b"{final ") + b"%04d" % number + b"x" * size
        if not outbox.push(message):
            assert not partial, "a partial never cuts a client"
            break
        if not partial:
            kept.append(message)
        for _ in range(popped if number % 5 == 4 else 0):
            if (sent := outbox.pop()) is not None:
                out.append(sent)
        assert outbox.size <= max(most_bytes, len(PARTIAL) + 4 + 30), "the limit, or one message alone"
    while (sent := outbox.pop()) is not None:
        out.append(sent)
    assert [message for message in out if not message.startswith(PARTIAL)] == kept
    assert outbox.size == 0
    numbers = [int(message.removeprefix(PARTIAL).removeprefix(b"{final ")[:4]) for message in out]
    assert numbers == sorted(numbers)


def test_the_prefix_by_which_partials_are_known_is_what_the_codec_writes() -> None:
    event = UtterancePartial(
        call_id="c", at_ms=0, wall="w", party="agent", utterance_id="u", text="t", begin_ms=0, end_ms=1
    )
    assert encode(event).startswith(PARTIAL)


@given(st.text(max_size=30), st.text(max_size=30), st.integers(1, 10**9))
def test_an_event_gets_its_number_whatever_else_it_says(call_id: str, text: str, seq: int) -> None:
    event = UtterancePartial(
        call_id=call_id + '"seq":0', at_ms=0, wall='"seq":0', party="agent", utterance_id='"seq":0',
        text=text + '"seq":0', begin_ms=0, end_ms=1,
    )  # fmt: skip
    shown = decode(numbered(*published(b"%d " % seq + encode(event))))
    assert shown.seq == seq
    assert decode(encode(event)) == UtterancePartial(
        **{name: getattr(shown, name) for name in shown.__struct_fields__ if name != "seq"}
    )


@pytest.mark.parametrize(
    ("after", "with_call", "expected"),
    [
        (None, False, None),
        ("", True, None),
        ("12", False, ("", 12)),
        ("c1:12", True, ("c1", 12)),
        ("c1:12", False, ValueError),
        ("12", True, ValueError),
        ("-1", False, ValueError),
        ("1e3", False, ValueError),
        ("十", False, ValueError),
        ("9" * 40, False, ValueError),
        ("c1:", True, ValueError),
    ],
)
def test_cursors_that_clients_send(after: str | None, with_call: bool, expected: object) -> None:
    if expected is ValueError:
        with pytest.raises(ValueError, match="cursor"):
            resume_point(after, with_call=with_call)
    else:
        assert resume_point(after, with_call=with_call) == expected
