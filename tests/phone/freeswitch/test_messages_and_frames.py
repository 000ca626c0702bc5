"""Texts and audio of the media sockets: metadata both ways, frames of 20 ms from anything."""

from __future__ import annotations

import itertools
import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.freeswitch.frames_in import FramesIn, OddAudio
from bot.phone.freeswitch.stream_messages import (
    BadMetadata,
    BadText,
    Metadata,
    metadata_of,
    metadata_word,
    played_mark,
    written_file,
)

LINE = "7dd5e34e-5db4-4edb-a166-757e5d29b941"
PARAMETERS = st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=5)


@given(parameters=PARAMETERS)
def test_metadata_comes_back_as_one_plain_word(parameters: dict[str, str]) -> None:
    metadata = Metadata(uuid=LINE, caller="+86 138", direction="outbound", parameters=parameters)
    word = metadata_word(metadata)
    assert all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in word)
    assert metadata_of(word.encode()) == metadata


def test_a_dialplans_json_is_metadata() -> None:
    text = json.dumps({"uuid": LINE, "caller": "13800138000", "called": "95588", "x": 1})
    assert metadata_of(text.encode()) == Metadata(uuid=LINE, caller="13800138000", called="95588")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        b"{",
        b"[]",
        b"{}",
        b'{"uuid":"1; shutdown"}',
        b'{"uuid":5}',
        b'{"uuid":"7dd5e34e-5db4-4edb-a166-757e5d29b941","parameters":{"a":1}}',
        b'{"uuid":"7dd5e34e-5db4-4edb-a166-757e5d29b941","mix":"mixed"}',
        b"\xff\xfe",
        b"x" * 9000,
    ],
)
def test_what_is_no_metadata_is_refused_without_being_repeated(text: bytes) -> None:
    with pytest.raises(BadMetadata) as refused:
        metadata_of(text)
    assert "shutdown" not in str(refused.value)


def test_metadata_that_the_module_would_cut_is_refused() -> None:
    with pytest.raises(BadMetadata, match="longer"):
        metadata_word(Metadata(uuid=LINE, parameters={"contact": "x" * 6000}))


def test_only_marks_that_were_played_count() -> None:
    assert played_mark(b'{"type": "mark", "data": {"name":"m1", "event": "playout"}}') == "m1"
    assert played_mark(b'{"type": "mark", "data": {"name":"m1", "event": "cleared"}}') is None
    assert played_mark(b'{"event":"dtmf","digit":"1"}') is None


@pytest.mark.parametrize("text", [b"{", b"[]", b'{"type":"mark"}', b'{"type":"mark","data":{"name":1}}'])
def test_broken_texts_are_refused(text: bytes) -> None:
    with pytest.raises(BadText):
        played_mark(text)


@given(st.text(max_size=80))
def test_any_event_body_is_read_or_left(body: str) -> None:
    found = written_file(body)
    assert found is None or isinstance(found[0], str)


@given(data=st.data(), frames=st.integers(1, 6))
def test_frames_are_whole_wherever_messages_end(data: st.DataObject, frames: int) -> None:
    sound = struct.pack(f"<{160 * frames}h", *range(160 * frames))
    cuts = sorted(2 * cut for cut in data.draw(st.lists(st.integers(0, 160 * frames), max_size=8)))
    cutter = FramesIn(rate_hz=8000, stereo=False)
    found = [
        frame
        for start, end in zip([0, *cuts], [*cuts, len(sound)], strict=True)
        for frame in cutter.feed(sound[start:end])
    ]
    assert all(len(frame.pcm) == 320 and frame.side == "customer" for frame in found)
    assert b"".join(frame.pcm for frame in found) == sound


@pytest.mark.parametrize("customer_left", [True, False])
def test_stereo_is_both_sides_in_turn(customer_left: bool) -> None:
    left, right = [100] * 320, [-7] * 320
    message = struct.pack("<640h", *(sample for pair in zip(left, right, strict=True) for sample in pair))
    found = FramesIn(rate_hz=8000, stereo=True, customer_left=customer_left).feed(message)
    assert [frame.side for frame in found] == ["customer", "agent", "customer", "agent"]
    loud, quiet = struct.pack("<160h", *[100] * 160), struct.pack("<160h", *[-7] * 160)
    assert found[0].pcm == (loud if customer_left else quiet)
    assert found[1].pcm == (quiet if customer_left else loud)


def test_sixteen_kilohertz_keep_their_pitch_at_eight() -> None:
    tone = [round(8000 * math.sin(2 * math.pi * 400 * at / 16000)) for at in range(16000)]
    cutter = FramesIn(rate_hz=16000, stereo=False)
    message = struct.pack("<16000h", *tone)
    frames = [frame for at in range(0, 32000, 640) for frame in cutter.feed(message[at : at + 640])]
    samples = struct.unpack(f"<{160 * len(frames)}h", b"".join(frame.pcm for frame in frames))
    assert 48 <= len(frames) <= 50
    steady = samples[1600:6400]
    rises = sum(1 for before, after in itertools.pairwise(steady) if before < 0 <= after)
    assert abs(rises - 240) <= 1
    assert 7000 < max(steady) < 9000


@pytest.mark.parametrize(("stereo", "size"), [(False, 1), (False, 321), (True, 2), (True, 642)])
def test_half_samples_are_refused(stereo: bool, size: int) -> None:
    with pytest.raises(OddAudio):
        FramesIn(rate_hz=8000, stereo=stereo).feed(bytes(size))


def test_no_audio_is_no_frame() -> None:
    assert FramesIn(rate_hz=8000, stereo=True).feed(b"") == []
