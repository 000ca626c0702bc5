"""The bot's side of a line: frames when they are due, and never more counted as heard than was played."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.call.pcm import SILENT_FRAME
from bot.call.playout import Playout
from bot.call.ports import LegCapabilities, Receive, TransferFailed
from bot.call.signals import LineDone, PlaybackStarted
from tests.call.one_call import P

FRAME = b"\x00\x40" * 160


class FarEnd:
    """Plays one frame each 20 ms of what it was sent, as a switch does; keeps when each came."""

    def __init__(self, **capabilities: object) -> None:
        self.capabilities = LegCapabilities(**capabilities)  # type: ignore[arg-type]
        self.sent: list[bytes] = []
        self.queue: deque[bytes | str] = deque()
        self.played = 0
        self.flushed = 0

    def listen(self, receive: Receive) -> None: ...

    def send(self, pcm: bytes) -> None:
        self.sent.append(pcm)
        self.queue.append(pcm)

    def mark(self, name: str) -> None:
        self.queue.append(name)

    def flush(self) -> None:
        self.flushed += 1
        self.queue.clear()

    def send_digits(self, digits: str) -> None: ...

    async def transfer(self, target: str) -> None:
        raise TransferFailed("no switch")

    async def hang_up(self, cause: str) -> None: ...

    def play(self) -> list[str]:
        """20 ms pass: the marks that come back."""
        marks = []
        while self.queue and isinstance(self.queue[0], str):
            marks.append(str(self.queue.popleft()))
        if self.queue and self.queue.popleft() != SILENT_FRAME:
            self.played += 1
        while self.queue and isinstance(self.queue[0], str):
            marks.append(str(self.queue.popleft()))
        return marks


def test_rows_play_in_order_and_lines_end_when_their_last_frame_was_played() -> None:
    far = FarEnd(flush=True)
    out = Playout(far, P)
    out.play(1, (FRAME * 2, FRAME))
    out.play(2, (FRAME,))
    found = [out.tick(20 * n) for n in range(6)]
    assert [pcm != SILENT_FRAME for pcm in far.sent] == [True, True, True, True, False, False]
    assert [[type(s) for s in signals] for signals in found] == [
        [PlaybackStarted],
        [],
        [],
        [LineDone, PlaybackStarted],
        [LineDone],
        [LineDone],
    ]
    assert not out.busy


def test_a_lowered_voice_is_12_db_lower_and_a_stopped_one_is_silent_at_once() -> None:
    far = FarEnd(flush=True)
    out = Playout(far, P)
    out.play(1, (FRAME * 10,))
    out.tick(0)
    out.duck(True)
    out.tick(20)
    out.tick(40)
    low = int.from_bytes(far.sent[2][:2], "little", signed=True)
    assert low == pytest.approx(0x4000 * 10 ** (-12 / 20), abs=2)
    position = out.position(60)
    assert position is not None and position.heard_ms == 60
    out.stop()
    assert far.flushed == 1
    assert out.tick(60) == [] and far.sent[-1] == SILENT_FRAME
    assert out.position(80) is None


def test_a_line_that_can_be_flushed_is_ahead_of_a_late_tick() -> None:
    far = FarEnd(flush=True, lead_ms=60, continuous=False)
    out = Playout(far, P)
    out.play(1, (FRAME * 20,))
    out.tick(0)
    assert len(far.sent) == 4
    out.tick(55)
    assert len(far.sent) == 7
    position = out.position(100)
    assert position is not None and position.heard_ms == 100


def test_nothing_is_sent_where_silence_is_not_wanted() -> None:
    far = FarEnd(flush=True, continuous=False)
    out = Playout(far, P)
    for n in range(10):
        out.tick(20 * n)
    assert far.sent == []


def test_frames_that_are_too_late_are_not_made_up_for() -> None:
    far = FarEnd()
    out = Playout(far, P)
    out.tick(0)
    out.tick(1000)
    out.tick(1020)
    assert len(far.sent) == 3


def test_a_mark_that_never_comes_does_not_hold_the_call() -> None:
    far = FarEnd(marks=True, flush=True, continuous=False)
    out = Playout(far, P)
    out.play(1, (FRAME * 5,))
    done = [at for at in range(0, 3000, 20) for s in out.tick(at) if isinstance(s, LineDone)]
    assert done == [1600]


def test_marks_of_what_was_flushed_say_nothing() -> None:
    far = FarEnd(marks=True, flush=True, continuous=False)
    out = Playout(far, P)
    out.play(1, (FRAME,))
    for at in range(0, 100, 20):
        out.tick(at)
    out.stop()
    assert out.marked("1.0", 120) == []


def test_a_resumed_line_is_entered_where_it_was_left() -> None:
    far = FarEnd(flush=True)
    out = Playout(far, P)
    out.play(1, (FRAME * 10,), skip_ms=100)
    out.tick(0)
    position = out.position(20)
    assert position is not None and position.heard_ms == 120


def test_sound_that_is_not_whole_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of 320"):
        Playout(FarEnd(), P).play(1, (b"\x00" * 321,))


@settings(max_examples=300, deadline=None)
@given(
    lead=st.sampled_from([0, 40, 60, 200]),
    marks=st.booleans(),
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=3),
    skipped=st.sets(st.integers(1, 80), max_size=15),
    stop_at=st.integers(0, 80),
)
def test_never_more_counts_as_heard_than_the_far_end_has_played(
    lead: int, marks: bool, lengths: list[int], skipped: set[int], stop_at: int
) -> None:
    """The far end plays from the first frame on; ticks may be lost (a stall of our process)."""
    far = FarEnd(marks=marks, flush=True, lead_ms=lead, continuous=False)
    out = Playout(far, P)
    out.play(1, tuple(FRAME * length for length in lengths))
    done: list[int] = []
    for n in range(stop_at + 1):
        if n not in skipped:
            done += [s.line for s in out.tick(20 * n) if isinstance(s, LineDone)]
        position = out.position(20 * n)
        whole = sum(lengths[line] for line in done)
        heard = whole + (position.heard_ms // 20 if position is not None else 0)
        assert heard <= far.played + len([n for n in skipped if n <= stop_at])
        for name in far.play():
            done += [s.line for s in out.marked(name, 20 * n + 20) if isinstance(s, LineDone)]
    if marks:
        assert sum(lengths[line] for line in done) <= far.played
    assert done == sorted(done)
