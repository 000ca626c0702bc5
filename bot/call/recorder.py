"""The stereo recording of one call: the customer left, the bot right, aligned on the call's clock.

Frames go to the file as they come, so memory stays the same however long the call is; the WAV
header is set right once a second, so a killed process leaves a file that plays to within two seconds
of its end.  WAV, PCM 16-bit, 8000 Hz.  File names hold the call's id and nothing of the customer.
"""

from __future__ import annotations

import hashlib
import re
import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from bot.call.ports import SAMPLE_RATE_HZ

HEADER_BYTES = 44
JITTER_SAMPLES = SAMPLE_RATE_HZ * 60 // 1000
"""A frame this much later or earlier than its place simply follows the one before."""

WRITE_EVERY_SAMPLES = SAMPLE_RATE_HZ
LAG_SAMPLES = SAMPLE_RATE_HZ
"""A side that gives nothing for so long is silent there: the other one is written down."""

_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_MOBILE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


class Recorder:
    """Writes one call.  Use as a context manager, or call `close`."""

    def __init__(self, folder: Path, call_id: str) -> None:
        """Opens `<folder>/<call_id>.wav` (see `safe_name`)."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = folder / f"{safe_name(call_id)}.wav"
        self._file: BinaryIO | None = self.path.open("wb")
        self._sides = (_Side(), _Side())
        self._written = 0
        self._file.write(_header(0))

    def customer(self, pcm: bytes, at_ms: int) -> None:
        """A frame of the customer that began at `at_ms` on the call's clock.

        Half a sample at its end is dropped.
        """
        self._take(0, pcm, at_ms)

    def bot(self, pcm: bytes, at_ms: int) -> None:
        """A frame of the bot that began at `at_ms` on the call's clock."""
        self._take(1, pcm, at_ms)

    def close(self) -> None:
        """Write the rest, set the header right; idempotent."""
        if self._file is None:
            return
        self._write_until(max(side.end for side in self._sides))
        self._fix_header()
        self._file.close()
        self._file = None

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take(self, number: int, pcm: bytes, at_ms: int) -> None:
        if self._file is None:
            return
        side, other = self._sides[number], self._sides[1 - number]
        side.add(pcm, at_ms * SAMPLE_RATE_HZ // 1000)
        newest = max(side.end, other.end)
        if newest - self._written >= WRITE_EVERY_SAMPLES + LAG_SAMPLES:
            self._write_until(max(min(side.end, other.end), newest - LAG_SAMPLES))

    def _write_until(self, end: int) -> None:
        count = end - self._written
        if self._file is None or count <= 0:
            return
        both = np.zeros((count, 2), dtype="<i2")
        for column, side in enumerate(self._sides):
            sound = np.frombuffer(side.cut(end), dtype="<i2")
            both[: sound.size, column] = sound
        self._file.write(both.tobytes())
        self._written = end
        self._fix_header()

    def _fix_header(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        self._file.write(_header(self._written))
        self._file.seek(0, 2)
        self._file.flush()


class _Side:
    """One party's samples that are not written yet: they begin at sample `begin` of the call."""

    def __init__(self) -> None:
        self.begin = self.end = 0
        self._sound = bytearray()

    def add(self, pcm: bytes, place: int) -> None:
        """Samples that belong at sample `place` of the call."""
        off = place - self.end
        if off > JITTER_SAMPLES:
            self._sound += bytes(2 * off)
            self.end = place
        elif off < -JITTER_SAMPLES:
            pcm = pcm[2 * -off :]
        whole = len(pcm) // 2
        self._sound += pcm[: 2 * whole]
        self.end += whole

    def cut(self, end: int) -> bytes:
        """The samples up to `end`; they are forgotten here."""
        count = max(0, end - self.begin)
        taken = bytes(self._sound[: 2 * count])
        del self._sound[: 2 * count]
        if end > self.begin:
            self.begin, self.end = end, max(self.end, end)
        return taken


def safe_name(call_id: str) -> str:
    """A file name for a call's id; an id that is no plain name, or holds a mobile number, is hashed."""
    plain = _SAFE_ID.fullmatch(call_id) and not _MOBILE.search(call_id)
    return call_id if plain else hashlib.sha256(call_id.encode()).hexdigest()[:32]


def _header(samples: int) -> bytes:
    """44 bytes of a canonical WAV header (RIFF, Microsoft 1991) for `samples` stereo samples."""
    size = samples * 4
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + size, b"WAVE",
        b"fmt ", 16, 1, 2, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * 4, 4, 16,
        b"data", size,
    )  # fmt: skip
