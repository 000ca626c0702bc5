"""What is sent to chan_websocket, against a model of its queue: nothing lost, marks true, flush final."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.phone.asterisk import media_messages as messages
from bot.phone.asterisk.media_outflow import FORMATS, MOST_HELD, FormatRefused, Outflow
from tests.phone.asterisk.media_channel import MediaChannel


class Line:
    """An Outflow, the peer's channel, and events on their way back."""

    def __init__(self, **channel: object) -> None:
        self.events: deque[tuple[str, int]] = deque()  # with the frames played when it was said
        self.channel = MediaChannel(self._tell, **channel)  # type: ignore[arg-type]
        self.channel.start()
        start = messages.parse_event(self.events.popleft()[0].encode())
        assert isinstance(start, messages.MediaStart)
        self.out = Outflow(start, self.channel.binary, lambda text: self.channel.text(text.decode()))
        self.marks: list[str] = []
        self.played_at: list[int] = []

    def _tell(self, event: str) -> None:
        self.events.append((event, len(self.channel.played) if hasattr(self, "channel") else 0))

    def deliver(self) -> None:
        while self.events:
            said, played = self.events.popleft()
            event = messages.parse_event(said.encode())
            if isinstance(event, messages.MediaXoff):
                self.out.stop()
            elif isinstance(event, messages.MediaXon):
                self.out.go_on()
            elif isinstance(event, messages.MarkProcessed):
                name = self.out.processed(event.correlation_id)
                if name is not None:
                    self.marks.append(name)
                    self.played_at.append(played)
            else:
                raise AssertionError(f"the peer complains: {event}")


def frame(number: int) -> bytes:
    return number.to_bytes(4, "little") * 80


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 40)),
        st.tuples(st.just("speech"), st.integers(100, 450)),
        st.tuples(st.just("mark"), st.just(1)),
        st.tuples(st.just("flush"), st.just(1)),
        st.tuples(st.just("tick"), st.integers(1, 400)),
        st.tuples(st.just("deliver"), st.just(1)),
    ),
    max_size=40,
)


@settings(max_examples=80)
@given(STEPS, st.booleans())
def test_sends_marks_and_flushes_in_any_order(steps: list[tuple[str, int]], as_json: bool) -> None:
    """Asterisk drops nothing and plays in order; a mark comes once, in order, exactly when what was
    before it has been played, and never after a flush."""
    line = Line(as_json=as_json)
    sent = named = 0
    due: list[tuple[str, int]] = []
    for step, times in steps:
        if step in ("send", "speech"):
            for number in range(times):
                line.out.send(frame(sent))
                sent += 1
                if number % 40 == 39:  # events come back within 40 frames' time
                    line.deliver()
        elif step == "mark":
            named += 1
            line.out.mark(str(named))
            due.append((str(named), sent))
        elif step == "flush":
            line.deliver()
            line.out.flush()
            line.marks.clear()
            line.played_at.clear()
            due.clear()
            assert line.out.waiting == 0 and line.channel.length == 0
        elif step == "tick":
            line.channel.tick(times)
        else:
            line.deliver()
    for _ in range(3):
        line.channel.tick(1100)
        line.deliver()
    line.channel.tick(1100)
    line.deliver()
    played = [int.from_bytes(pcm[:4], "little") for pcm in line.channel.played]
    assert played == sorted(set(played))
    assert not line.channel.dropped and not line.channel.ignored
    assert line.marks == [name for name, _ in due] and line.out.waiting == 0
    for (_, before), at in zip(due, line.played_at, strict=True):
        assert all(number < before for number in played[:at])
        assert all(number >= before for number in played[at:])


def test_a_mark_comes_when_all_before_it_has_been_played_and_not_earlier() -> None:
    line = Line()
    for number in range(3):
        line.out.send(frame(number))
    line.out.mark("said")
    line.out.send(frame(3))
    for _ in range(3):
        line.channel.tick()
        line.deliver()
        assert line.marks == []
    line.channel.tick()
    line.deliver()
    assert line.marks == ["said"]


def test_a_flush_forgets_marks_even_those_already_on_their_way() -> None:
    line = Line()
    line.out.mark("early")
    line.channel.tick()
    line.out.flush()
    line.out.mark("late")
    line.deliver()
    assert line.marks == []
    line.channel.tick()
    line.deliver()
    assert line.marks == ["late"]
    assert line.channel.commands == ["MARK_MEDIA", "FLUSH_MEDIA", "CONTINUE_MEDIA", "MARK_MEDIA"]


def test_xoff_holds_back_a_bounded_rest_whose_oldest_sound_goes_first_and_xon_goes_on() -> None:
    line = Line()
    for number in range(900):
        line.out.send(frame(number))
    line.deliver()
    line.out.mark("end")
    for number in range(900, 900 + MOST_HELD + 50):
        line.out.send(frame(number))
    assert line.channel.length == 900 and line.out.dropped == 51
    line.channel.tick(102)
    line.deliver()
    assert line.channel.length == 900 - 102 + MOST_HELD - 1
    line.channel.tick(1000)
    line.deliver()
    assert not line.channel.dropped and line.marks == ["end"]
    assert line.channel.played[-1] == frame(900 + MOST_HELD + 49)


def test_a_flush_while_asterisk_says_xoff_drops_what_was_held_and_what_follows_is_played() -> None:
    line = Line()
    for number in range(950):
        line.out.send(frame(number))
        line.deliver()
    line.out.flush()
    line.out.send(frame(7777))
    line.channel.tick()
    line.deliver()
    line.channel.tick()
    assert line.channel.played == [frame(7777)]


@pytest.mark.parametrize("codec", sorted(FORMATS))
def test_each_format_goes_out_in_whole_frames_of_20_ms(codec: str) -> None:
    known = FORMATS[codec]
    optimal = known.rate_hz // 50 * (1 if known.encode else 2)
    line = Line(codec=codec, optimal=optimal)
    for number in range(10):
        line.out.send(frame(number))
        assert line.channel.length == number + 1
    line.out.mark("m")
    line.channel.tick(11)
    line.deliver()
    assert {len(played) for played in line.channel.played} == {optimal}
    assert not line.channel.dropped and line.marks == ["m"]


@pytest.mark.parametrize("optimal", [160, 480, 640, 960])
def test_other_frame_lengths_wait_for_a_whole_frame_and_a_mark_fills_it_up_with_silence(optimal: int) -> None:
    line = Line(optimal=optimal)
    pcm = [bytes([n + 1]) * 320 for n in range(4)]
    for one in pcm:
        line.out.send(one)
    line.out.mark("m")
    line.channel.tick(20)
    line.deliver()
    whole = b"".join(line.channel.played)
    assert whole[:1280] == b"".join(pcm) and not whole[1280:].strip(b"\0")
    assert len(whole) % optimal == 0 and len(whole) - 1280 < optimal
    assert not line.channel.dropped and line.marks == ["m"]


@pytest.mark.parametrize(
    "channel",
    [
        {"codec": "opus", "optimal": 320},
        {"codec": "SLIN", "optimal": 320},
        {"passthrough": True},
        {"optimal": 321},
        {"optimal": 1_000_000_000},
    ],
)
def test_media_that_cannot_be_spoken_is_refused_with_what_to_change(channel: dict[str, object]) -> None:
    with pytest.raises(FormatRefused, match="dial the WebSocket channel"):
        Line(**channel)
