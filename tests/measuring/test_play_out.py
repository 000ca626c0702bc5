"""The caller's play-out buffer plays as Twilio's does: one frame each 20 ms from arrival."""

from __future__ import annotations

import audioop
import math
import struct

from hypothesis import given
from hypothesis import strategies as st

from benchmarks._play_out import FRAME_BYTES, FRAME_S, PlayOut

_TONE = audioop.lin2ulaw(
    b"".join(struct.pack("<h", int(8000 * math.sin(0.6 * n))) for n in range(FRAME_BYTES)), 2
)
_SILENCE = b"\xff" * FRAME_BYTES


def test_frames_that_come_at_once_play_one_after_the_other():
    played = PlayOut()
    played.arrive(_TONE * 5, 1.0)
    played.advance(2.0)
    assert [round(frame.start_s, 6) for frame in played.frames] == [1.0, 1.02, 1.04, 1.06, 1.08]
    assert played.line is not None and math.isclose(played.line.end_s, 1.1)


def test_nothing_is_played_before_its_time():
    played = PlayOut()
    played.arrive(_TONE * 5, 1.0)
    played.advance(1.05)
    assert len(played.frames) == 3


@given(st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_sizes_of_messages_do_not_matter(sizes: list[int]):
    whole, played = PlayOut(), PlayOut()
    sound = (_TONE * 80)[: sum(sizes)]
    whole.arrive(sound, 1.0)
    at = 0
    for size in sizes:
        played.arrive(sound[at : at + size], 1.0)
        at += size
    whole.advance(9.0)
    played.advance(9.0)
    assert [f.level for f in whole.frames] == [f.level for f in played.frames]


def test_clear_drops_what_has_not_begun_and_echoes_every_mark():
    played = PlayOut()
    played.arrive(_TONE * 10, 1.0)
    played.mark("a")
    played.mark("b")
    assert played.clear(1.05) == ["a", "b"]
    assert played.advance(5.0) == []
    assert len(played.frames) == 3
    assert played.line is not None and played.line.cleared and played.line.end_s == 1.05


def test_a_mark_is_echoed_when_what_came_before_it_has_been_played():
    played = PlayOut()
    played.arrive(_TONE * 2, 1.0)
    played.mark("a")
    assert played.advance(1.03) == []
    assert played.advance(1.041) == ["a"]


def test_a_frame_that_comes_late_counts_by_how_late_it_is():
    played = PlayOut()
    played.arrive(_TONE, 1.0)
    played.arrive(_TONE, 1.0 + FRAME_S + 0.0305)
    assert played.late[30] == 1 and sum(played.late[1:]) == 1


def test_a_pause_after_a_whole_prompt_is_not_late():
    played = PlayOut(frozenset({3}))
    played.arrive(_TONE * 3, 1.0)
    played.arrive(_TONE, 1.3)
    assert sum(played.late[1:]) == 0


def test_a_hole_inside_a_prompt_is_a_stall_however_long():
    played = PlayOut(frozenset({3}))
    played.arrive(_TONE * 2, 1.0)
    played.arrive(_TONE, 3.0)
    assert played.stalls == 1


def test_quiet_of_four_tenths_of_a_second_ends_a_line_and_less_does_not():
    played = PlayOut()
    played.arrive(_TONE + _SILENCE * 10 + _TONE + _SILENCE * 25 + _TONE, 1.0)
    played.advance(9.0)
    assert played.line is not None and played.line.number == 2
