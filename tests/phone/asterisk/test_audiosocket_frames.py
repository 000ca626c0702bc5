"""AudioSocket's messages: any pieces, any bytes, and nothing sent that Asterisk would die of."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.phone.asterisk.audiosocket_frames import (
    AUDIO_RATES,
    HANG_UP,
    BadFrame,
    FrameParser,
    audio,
)
from tests.phone.asterisk.audiosocket_peer import AUDIO, message


def parse(data: bytes, *cuts: int) -> list[tuple[int, bytes]]:
    parser, found = FrameParser(), []
    for start, end in zip((0, *cuts), (*cuts, len(data)), strict=True):
        found += parser.feed(data[start:end])
    return found


GOOD = st.one_of(
    st.tuples(st.just(0x01), st.binary(min_size=16, max_size=16)),
    st.tuples(st.sampled_from(sorted(AUDIO.values())), st.binary(max_size=200).map(lambda b: b + b)),
    st.tuples(st.just(0x03), st.sampled_from([b"1", b"#"])),
    st.tuples(st.just(0x02), st.binary(max_size=9)),
    st.tuples(st.just(0xFF), st.sampled_from([b"\1", b"\2", b"\4"])),
    st.just((0x00, b"")),
)


@given(st.lists(GOOD, max_size=12), st.data())
def test_frames_come_out_whole_wherever_the_bytes_are_cut(
    sent: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    wire = b"".join(message(kind, payload) for kind, payload in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=20)))
    assert parse(wire, *cuts) == sent


@given(st.binary(max_size=400))
def test_any_bytes_are_frames_or_a_bad_frame(data: bytes) -> None:
    try:
        found = parse(data)
    except BadFrame:
        return
    assert sum(3 + len(payload) for _, payload in found) <= len(data)


def test_a_frame_that_has_begun_is_known_to_be_unfinished() -> None:
    parser = FrameParser()
    assert list(parser.feed(b"\x10\x01\x40" + bytes(100))) == [] and parser.mid_frame
    assert list(parser.feed(bytes(220))) == [(0x10, bytes(320))] and not parser.mid_frame


@pytest.mark.parametrize(
    "bad",
    [
        message(0x10, b"abc"),  # half a sample
        struct.pack(">BH", 0x10, 16002),  # over a second at 8 kHz
        message(0x04, b"x"),
        message(0x19, b"xx"),
        message(0x01, b"short"),
        message(0x03, b""),
        message(0x03, b"12"),
        message(0xFF, b""),
        b"GET",  # a web browser: type 0x47
    ],
)
def test_the_good_frames_before_a_bad_one_are_given_and_its_header_is_enough(bad: bytes) -> None:
    parser = FrameParser()
    stream = parser.feed(message(0x10, bytes(320)) + bad)
    assert next(stream) == (0x10, bytes(320))
    with pytest.raises(BadFrame):
        next(stream)


def test_sound_of_length_0_and_the_old_silence_are_received() -> None:
    assert parse(message(0x10) + message(0x02)) == [(0x10, b""), (0x02, b"")]


@pytest.mark.parametrize("rate_hz", sorted(AUDIO))
def test_each_rate_has_its_type(rate_hz: int) -> None:
    pcm = bytes(rate_hz // 50 * 2)
    assert audio(pcm, rate_hz) == message(AUDIO[rate_hz], pcm)
    assert AUDIO_RATES[AUDIO[rate_hz]] == rate_hz


@given(st.binary(max_size=700), st.sampled_from([*AUDIO, 11025, 0, -1]))
def test_sound_of_length_0_half_a_sample_or_an_unknown_rate_cannot_be_made(pcm: bytes, rate_hz: int) -> None:
    if pcm and len(pcm) % 2 == 0 and rate_hz in AUDIO:
        assert audio(pcm, rate_hz)[3:] == pcm
    else:
        with pytest.raises(ValueError):
            audio(pcm, rate_hz)


def test_sound_longer_than_the_length_field_cannot_be_made() -> None:
    with pytest.raises(ValueError):
        audio(bytes(65536))


def test_the_hang_up_is_three_zeros() -> None:
    assert message(0x00) == HANG_UP
