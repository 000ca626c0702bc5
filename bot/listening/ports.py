"""What listening takes in and gives out: frames and words of one side of a call between two people.

Audio is PCM 8000 Hz, 320 bytes a frame (bot/call/ports.py); times are ms of the call's own clock.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.call.ports import HungUpIn

Side = Literal["customer", "agent"]
SIDES: tuple[Side, ...] = ("customer", "agent")


@dataclass(frozen=True, slots=True)
class TrackIn:
    """20 ms of one side, which ended at `at_ms`."""

    side: Side
    pcm: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Words of one side: the whole utterance so far; `final` where it will not change any more.

    `utterance_id` is of this side of this call; `begin_ms` and `end_ms` are those of the sound.
    """

    side: Side
    utterance_id: str
    text: str
    begin_ms: int
    end_ms: int
    final: bool
    confidence: float | None = None


class TwoTracks(Protocol):
    """A phone adapter whose line has a track for each side."""

    def tracks(self) -> AsyncIterator[TrackIn | HungUpIn]:
        """Both sides' frames in order of time; ends after HungUpIn."""
        ...
