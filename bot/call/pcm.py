"""Small tools for PCM: frames, levels, silence, mixing.

PCM here is signed 16-bit little-endian mono at 8000 Hz; a frame is 20 ms, 160 samples, 320 bytes.
Levels are in dBFS: 0 is a full-scale square wave, digital silence is `SILENCE_DBFS`.
Pure: no clock, no files.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bot.call.ports import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ

Samples = NDArray[np.int16]

BYTES_PER_MS = SAMPLE_RATE_HZ * 2 // 1000
SILENT_FRAME = bytes(FRAME_BYTES)
SILENCE_DBFS = -96.0
_FULL_SCALE = 32768.0


def samples_of(pcm: bytes) -> Samples:
    """The samples of PCM bytes; half a sample at the end (odd length) is dropped."""
    return np.frombuffer(pcm, dtype="<i2", count=len(pcm) // 2).astype(np.int16, copy=False)


def pcm_of(samples: NDArray[np.generic]) -> bytes:
    """PCM bytes of samples (any numeric type, on the int16 scale), clipped to 16 bits."""
    return np.clip(np.rint(samples.astype(np.float64)), -32768, 32767).astype("<i2").tobytes()


def level_dbfs(pcm: bytes) -> float:
    """Root mean square level in dBFS."""
    samples = samples_of(pcm)
    if not samples.size:
        return SILENCE_DBFS
    wide = samples.astype(np.float32)
    rms = float(np.sqrt(np.dot(wide, wide) / samples.size))
    return max(SILENCE_DBFS, 20.0 * float(np.log10(rms / _FULL_SCALE))) if rms > 0 else SILENCE_DBFS


def duration_ms(pcm: bytes) -> int:
    """How long PCM bytes sound, in whole milliseconds."""
    return len(pcm) // BYTES_PER_MS


def silence(ms: int) -> bytes:
    """Digital silence of `ms` milliseconds."""
    return bytes(ms * BYTES_PER_MS)


def pad_to_frames(pcm: bytes) -> bytes:
    """The same sound, lengthened with silence to a whole number of frames."""
    even = pcm[: len(pcm) // 2 * 2]
    return even + bytes(-len(even) % FRAME_BYTES)


def frames(pcm: bytes) -> Iterator[bytes]:
    """The 20 ms frames of a sound, the last one filled up with silence."""
    whole = pad_to_frames(pcm)
    for start in range(0, len(whole), FRAME_BYTES):
        yield whole[start : start + FRAME_BYTES]


def trim(pcm: bytes, *, floor_dbfs: float = -45.0, keep_ms: int = FRAME_MS) -> bytes:
    """The sound without the quiet (below `floor_dbfs`) at its two ends; `keep_ms` of it stays.

    A sound that is quiet all through gives b"".
    """
    step = FRAME_MS // 2 * BYTES_PER_MS
    loud = [i for i in range(0, len(pcm), step) if level_dbfs(pcm[i : i + step]) > floor_dbfs]
    if not loud:
        return b""
    keep = keep_ms * BYTES_PER_MS
    return pcm[max(0, loud[0] - keep) : loud[-1] + step + keep]


def at_level(pcm: bytes, target_dbfs: float) -> bytes:
    """The sound made louder or softer to `target_dbfs` (silence stays silence)."""
    level = level_dbfs(pcm)
    if level <= SILENCE_DBFS:
        return pcm
    return gain(pcm, target_dbfs - level)


def gain(pcm: bytes, db: float) -> bytes:
    """The sound changed by `db` decibels, clipped at full scale."""
    return pcm_of(samples_of(pcm).astype(np.float64) * 10.0 ** (db / 20.0))


def mix(one: bytes, other: bytes) -> bytes:
    """Two sounds at once, as long as the longer one, clipped at full scale."""
    a, b = samples_of(one), samples_of(other)
    total = np.zeros(max(a.size, b.size), dtype=np.int32)
    total[: a.size] += a
    total[: b.size] += b
    return pcm_of(total)


class Framer:
    """Cuts a byte stream that arrives in pieces of any length, odd ones too, into frames.

    For byte streams where nothing is lost (TCP, WebSocket): what is left over waits for more.
    """

    def __init__(self) -> None:
        self._rest = bytearray()

    def push(self, data: bytes) -> list[bytes]:
        """The frames that are complete now, in order."""
        self._rest += data
        whole = len(self._rest) // FRAME_BYTES * FRAME_BYTES
        ready = [bytes(self._rest[i : i + FRAME_BYTES]) for i in range(0, whole, FRAME_BYTES)]
        del self._rest[:whole]
        return ready

    def flush(self) -> list[bytes]:
        """The last, incomplete frame filled up with silence, if there is one."""
        rest, self._rest = bytes(self._rest), bytearray()
        return list(frames(rest)) if len(rest) > 1 else []
