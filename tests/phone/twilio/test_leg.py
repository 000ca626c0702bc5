"""The leg alone, against a model of Twilio's buffer whose echoes may cross our clears."""

from __future__ import annotations

import json
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call.ports import AudioIn, HungUpIn, LegInput, MarkIn
from bot.phone.twilio.leg import LONGEST_WAIT, MOST_MARKS, TwilioLeg
from bot.phone.twilio.messages import TWILIO, Opening

FRAME = bytes(320)


class Buffer:
    """Twilio's play-out buffer as a Wire; echoes wait until `deliver`."""

    def __init__(self) -> None:
        self.queue: deque[str | None] = deque()
        self.echoes: deque[tuple[str, bool]] = deque()
        self.closed = False

    def write_text(self, message: bytes) -> None:
        read = json.loads(message)
        if read["event"] == "clear":
            self.echoes.extend((name, False) for name in self.queue if name is not None)
            self.queue.clear()
        else:
            self.queue.append(read["mark"]["name"] if read["event"] == "mark" else None)
        self._marks()

    def close(self, code: object = None, reason: str = "") -> None:
        self.closed = True

    def play(self) -> None:
        if self.queue:
            self.queue.popleft()
        self._marks()

    def _marks(self) -> None:
        while self.queue and self.queue[0] is not None:
            name = self.queue.popleft()
            assert name is not None
            self.echoes.append((name, True))


def made(tracks: tuple[str, ...] = ("inbound",)) -> tuple[TwilioLeg, Buffer, list[LegInput]]:
    wire = Buffer()
    opening = Opening("MZ1", "CA1", tracks)  # type: ignore[arg-type]
    leg = TwilioLeg(wire, TWILIO.encoder("MZ1"), opening, words=False, control=None)
    told: list[LegInput] = []
    leg.listen(told.append)
    return leg, wire, told


@given(st.lists(st.sampled_from(["send", "send", "mark", "flush", "play", "play", "deliver", "deliver"])))
def test_a_mark_is_told_once_in_order_and_only_if_what_was_before_it_was_played(steps: list[str]) -> None:
    leg, wire, told = made()
    marks, may, must = 0, set(), []
    pending: list[str] = []
    for step in [*steps, *["deliver"] * len(steps)]:
        if step == "send":
            leg.send(FRAME)
        elif step == "mark":
            marks += 1
            pending.append(f"m{marks}")
            leg.mark(f"m{marks}")
        elif step == "flush":
            pending.clear()
            leg.flush()
        elif step == "play":
            wire.play()
        elif wire.echoes:
            number, was_played = wire.echoes.popleft()
            if was_played:
                may.add(f"m{number}")
                if f"m{number}" in pending:
                    must.append(f"m{number}")
                    pending.remove(f"m{number}")
            leg.played(number)
    names = [item.name for item in told if isinstance(item, MarkIn)]
    assert names == must
    assert set(names) <= may


def test_an_echo_that_was_lost_is_made_good_by_the_next() -> None:
    leg, _, told = made()
    for name in ("a", "b", "c"):
        leg.mark(name)
    leg.played("2")
    assert told == [MarkIn("a"), MarkIn("b")]


@given(st.lists(st.binary(max_size=500), max_size=12))
def test_no_byte_of_sound_is_lost_or_made_up(pieces: list[bytes]) -> None:
    leg, _, told = made()
    for piece in pieces:
        leg.heard(piece, "inbound")
    frames = [item.pcm for item in told if isinstance(item, AudioIn)]
    assert all(len(frame) == 320 for frame in frames)
    assert len(frames) == sum(map(len, pieces)) // 160
    whole, _, again = made()
    whole.heard(b"".join(pieces), "inbound")
    assert told == again


def test_what_nobody_listens_to_is_kept_for_half_a_minute_and_the_end_for_good() -> None:
    leg = TwilioLeg(
        Buffer(), TWILIO.encoder("MZ1"), Opening("MZ1", "CA1", ("inbound",)), words=False, control=None
    )
    for _ in range(LONGEST_WAIT * 2):
        leg.heard(b"\xff" * 160, "inbound")
    leg.ended("customer")
    told: list[LegInput] = []
    leg.listen(told.append)
    assert len(told) == LONGEST_WAIT and told[-1] == HungUpIn("customer")


def test_marks_that_are_never_answered_do_not_pile_up() -> None:
    leg, _, told = made()
    for number in range(MOST_MARKS + 5):
        leg.mark(str(number))
    leg.played(str(MOST_MARKS + 5))
    assert len(told) == MOST_MARKS


async def test_after_the_end_nothing_is_told_and_nothing_sent() -> None:
    leg, wire, told = made()
    leg.mark("m")
    leg.ended("line_lost")
    wire.queue.clear()
    leg.played("1")
    leg.heard(b"\xff" * 160, "inbound")
    leg.key("1")
    leg.ended("customer")
    leg.send(FRAME)
    leg.mark("late")
    leg.send_digits("1")
    await leg.hang_up("bot")
    assert told == [HungUpIn("line_lost")]
    assert not wire.queue


def test_an_end_while_the_backlog_is_read_comes_last_and_once() -> None:
    leg = TwilioLeg(
        Buffer(), TWILIO.encoder("MZ1"), Opening("MZ1", "CA1", ("inbound",)), words=False, control=None
    )
    leg.key("1")
    leg.key("2")
    told: list[LegInput] = []

    def receive(item: LegInput) -> None:
        told.append(item)
        leg.ended("bot")

    leg.listen(receive)
    assert len(told) == 3 and told[-1] == HungUpIn("bot")
    with pytest.raises(RuntimeError):
        leg.listen(told.append)
