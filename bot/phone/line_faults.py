"""What a telephone line does to a voice: noise, echo, clipping, the codec, lost and short frames.

Works on single 20 ms frames; chance comes from a seed, so a call can be repeated exactly.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from bot.call.pcm import SILENT_FRAME, gain, mix, pcm_of, samples_of
from bot.call.ports import FRAME_BYTES, FRAME_MS, SAMPLE_RATE_HZ
from bot.phone import codecs
from bot.phone.persona import LineFaults, NoiseAround

SPEECH_DBFS = -20.0
"""The level that voices are brought to; noise is counted from it."""

_CODECS = {
    "alaw": (codecs.pcm_to_alaw, codecs.alaw_to_pcm),
    "ulaw": (codecs.pcm_to_ulaw, codecs.ulaw_to_pcm),
}
_LOOP_S = 5
_TALKERS = 6


class Line:
    """The way of one customer's frames to us.  `babble` is some seconds of anybody's speech (PCM)."""

    def __init__(self, faults: LineFaults, noise: NoiseAround | None, seed: int, babble: bytes = b"") -> None:
        self._faults = faults
        self._random = np.random.default_rng(seed)
        self._noise = _noise_loop(noise, self._random, babble) if noise else None
        self._at = 0
        self._echo: deque[bytes] = deque([SILENT_FRAME] * (faults.echo_ms // FRAME_MS))

    def carry(self, frame: bytes, bot_frame: bytes) -> bytes | None:
        """What arrives of the customer's frame while the bot's frame is heard there; None for a lost one."""
        faults = self._faults
        self._at += 1
        if self._noise is not None:
            start = self._at * FRAME_BYTES // 2 % (self._noise.size - FRAME_BYTES // 2)
            frame = mix(frame, pcm_of(self._noise[start : start + FRAME_BYTES // 2]))
        if faults.echo_db is not None:
            self._echo.append(bot_frame)
            frame = mix(frame, gain(self._echo.popleft(), faults.echo_db))
        if faults.clip_db:
            frame = gain(frame, faults.clip_db)
        if faults.codec in _CODECS and frame != SILENT_FRAME:
            encode, decode = _CODECS[faults.codec]
            frame = decode(encode(frame))
        if faults.loss and self._random.random() < faults.loss:
            return None
        if faults.odd_every and self._at % faults.odd_every == 0:
            return frame[:-1]
        return frame


def _noise_loop(noise: NoiseAround, random: np.random.Generator, babble: bytes) -> NDArray[np.float64]:
    size = _LOOP_S * SAMPLE_RATE_HZ
    if noise.kind == "babble":
        voice = np.resize(samples_of(babble).astype(np.float64), size)
        sound = sum(np.roll(voice, int(shift)) for shift in random.integers(0, size, _TALKERS)) + np.zeros(
            size
        )
    else:
        sound = random.normal(size=size)
    rms = float(np.sqrt(np.mean(sound**2)))
    target = 32768.0 * 10.0 ** ((SPEECH_DBFS - noise.snr_db) / 20.0)
    return sound * (target / rms) if rms else sound
