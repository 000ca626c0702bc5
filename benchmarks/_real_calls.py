"""Real calls on two channels with labels of who speaks when, read from a folder; all times are ms.

The agent's own voice can be mixed into the caller's channel as echo.  The labels are an energy detector's.
"""

from __future__ import annotations

import json
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.call.pcm import pcm_of, samples_of
from bot.call.ports import SAMPLE_RATE_HZ

ECHO_MS = 100
"""How late the echo comes back."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class RealCall:
    """One recording: both sides' PCM, who speaks when, the caller's barge-ins; all in ms."""

    name: str
    caller: bytes
    agent: bytes
    caller_speaks: tuple[Span, ...]
    agent_speaks: tuple[Span, ...]
    barge_ins: tuple[Span, ...]

    def heard(self, echo_db: float | None) -> bytes:
        """The caller's channel with the agent's echo in it."""
        if echo_db is None:
            return self.caller
        sound = samples_of(self.caller).astype(np.float64)
        late = ECHO_MS * SAMPLE_RATE_HZ // 1000
        echo = samples_of(self.agent)[: sound.size - late] * 10 ** (echo_db / 20)
        sound[late : late + echo.size] += echo
        return pcm_of(sound)


def read_calls(folder: Path) -> list[RealCall]:
    """The calls of a folder: callNN_segments.json, *_NN_*_caller.wav, *_NN_*_agent.wav.

    Raises OSError, ValueError, KeyError and wave.Error for files that are missing or are not that.
    """
    calls = []
    for path in sorted(folder.glob("call*_segments.json")):
        labels = json.loads(path.read_text(encoding="utf-8"))
        sides = {side: _pcm(folder, f"*_{labels['call']}_*_{side}.wav") for side in ("caller", "agent")}
        overlaps = [(o["start"], o["end"]) for o in labels["overlaps"] if o["interrupter"] == "caller"]
        spans = [_spans(labels["caller"]), _spans(labels["agent"]), _spans(overlaps)]
        calls.append(RealCall(str(labels["call"]), sides["caller"], sides["agent"], *spans))
    if not calls:
        raise FileNotFoundError(f"no call*_segments.json in {folder}")
    return calls


def _pcm(folder: Path, pattern: str) -> bytes:
    path = next(folder.glob(pattern), None)
    if path is None:
        raise FileNotFoundError(f"no {pattern} in {folder}")
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getsampwidth(), file.getnchannels()) != (SAMPLE_RATE_HZ, 2, 1):
            raise ValueError(f"{path.name} is not 16-bit mono at {SAMPLE_RATE_HZ} Hz")
        return bytes(file.readframes(file.getnframes()))


def _spans(seconds: Sequence[Sequence[float]]) -> tuple[Span, ...]:
    return tuple((round(begin * 1000), round(end * 1000)) for begin, end in seconds)
