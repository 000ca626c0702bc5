"""AudioSocket's messages: bytes in any pieces to frames, and the few frames that may be sent.

PURE.  A frame is a type (u8), a length in bytes (u16, big-endian) and that many bytes; audio is signed
16-bit little-endian mono PCM whose rate is told by the type.  Source: Asterisk f0c1c1a,
include/asterisk/res_audiosocket.h (types) and res/res_audiosocket.c.  What Asterisk reads from us and
does not know, or audio of length 0, kills the call there: `audio` and HANG_UP are all that can be made.
"""

from __future__ import annotations

from collections.abc import Iterator

KIND_HANG_UP = 0x00
KIND_UUID = 0x01
KIND_SILENCE = 0x02
"""An old way to say "nothing is heard"; received and ignored, never sent."""
KIND_DTMF = 0x03
KIND_ERROR = 0xFF

AUDIO_RATES = {
    0x10: 8000,
    0x11: 12000,
    0x12: 16000,
    0x13: 24000,
    0x14: 32000,
    0x15: 44100,
    0x16: 48000,
    0x17: 96000,
    0x18: 192000,
}
"""Type of audio → samples a second."""

AUDIO_KINDS = {rate_hz: kind for kind, rate_hz in AUDIO_RATES.items()}

LONGEST_AUDIO_S = 1
"""More audio in one message is no telephone (Asterisk's longest frame of PCM is 60 ms)."""

HANG_UP = b"\x00\x00\x00"

_LARGEST = {KIND_HANG_UP: 65535, KIND_UUID: 16, KIND_SILENCE: 65535, KIND_DTMF: 1, KIND_ERROR: 1}
_SMALLEST = {KIND_UUID: 16, KIND_DTMF: 1, KIND_ERROR: 1}

_HEADER = 3


class BadFrame(ValueError):
    """Bytes that are no AudioSocket; says why."""


class FrameParser:
    """Joins bytes to frames, whatever pieces they come in.  Holds at most one unfinished frame."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def mid_frame(self) -> bool:
        """A frame has begun and has not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """The frames, (type, payload), that are whole now.

        Raises BadFrame after the good frames before it, as soon as the bad header is there.
        """
        rest = self._rest
        if rest:
            rest += data
            whole: bytes | bytearray = rest
        else:
            whole = data
        at, end = 0, len(whole)
        while end - at >= _HEADER:
            kind, size = whole[at], whole[at + 1] << 8 | whole[at + 2]
            if kind not in AUDIO_RATES or size > 3840 or size & 1:
                _check(kind, size)
            if end - at < _HEADER + size:
                break
            yield kind, bytes(whole[at + _HEADER : at + _HEADER + size])
            at += _HEADER + size
        if whole is rest:
            del rest[:at]
        else:
            rest += whole[at:]


def audio(pcm: bytes, rate_hz: int = 8000) -> bytes:
    """A frame of audio.  Raises ValueError: a rate that has no type, nothing, half a sample, over 64 KiB."""
    kind = AUDIO_KINDS.get(rate_hz)
    if kind is None:
        raise ValueError(f"AudioSocket has no type for {rate_hz} Hz")
    if not pcm or len(pcm) % 2 or len(pcm) > 65535:
        raise ValueError(f"AudioSocket carries 2 to 65534 bytes of whole samples, not {len(pcm)}")
    return bytes((kind, len(pcm) >> 8, len(pcm) & 0xFF)) + pcm


def _check(kind: int, size: int) -> None:
    rate_hz = AUDIO_RATES.get(kind)
    if rate_hz is not None:
        if size % 2:
            raise BadFrame(f"audio of {size} bytes, which is half a sample")
        if size > 2 * rate_hz * LONGEST_AUDIO_S:
            raise BadFrame(f"{size} bytes of audio at {rate_hz} Hz in one message")
        return
    if kind not in _LARGEST:
        raise BadFrame(f"a message of the unknown type 0x{kind:02x}")
    if not _SMALLEST.get(kind, 0) <= size <= _LARGEST[kind]:
        raise BadFrame(f"a message of type 0x{kind:02x} with {size} bytes")
