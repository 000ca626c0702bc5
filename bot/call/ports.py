"""What a call needs from the world, as Protocols: a phone leg, ears, a voice, a brain, a log.

Audio everywhere: signed 16-bit little-endian mono PCM at 8000 Hz, in frames of 20 ms
(160 samples, 320 bytes).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.events import AnyEvent
from bot.turn import Line, Reply, TurnRequest

SAMPLE_RATE_HZ = 8000
FRAME_MS = 20
FRAME_BYTES = 320


@dataclass(frozen=True, slots=True)
class AudioIn:
    """20 ms of the customer's side: 320 bytes."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class WordsIn:
    """Words that the line itself delivers (simulated customers, `--ears script`).

    `text` is the whole utterance so far, `final` where it will not change any more.
    """

    text: str
    final: bool
    utterance_id: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class DtmfIn:
    """A key pressed by the customer."""

    digit: str


@dataclass(frozen=True, slots=True)
class HungUpIn:
    """The far end is gone."""

    cause: str


LegInput = AudioIn | WordsIn | DtmfIn | HungUpIn


@dataclass(frozen=True, slots=True)
class LegCapabilities:
    """What a phone adapter can do.  `words`: the leg delivers words itself."""

    words: bool = False
    marks: bool = False
    flush: bool = False
    two_tracks: bool = False
    dtmf: bool = False
    transfer: bool = False


class PhoneLeg(Protocol):
    """One answered line to the customer."""

    capabilities: LegCapabilities

    def incoming(self) -> AsyncIterator[LegInput]:
        """Everything from the far end, in order; ends after HungUpIn."""
        ...

    async def send(self, pcm: bytes) -> None:
        """Play one frame of 320 bytes now; never queues ahead more than the adapter needs."""
        ...

    async def flush(self) -> None:
        """Drop whatever was sent and not yet played."""
        ...

    async def hang_up(self, cause: str) -> None:
        """End the leg; a second call does nothing."""
        ...


class RecogniserStream(Protocol):
    """One customer's side of one call, being recognised."""

    async def feed(self, pcm: bytes) -> None:
        """20 ms of audio."""
        ...

    async def expect(self, phrases: Sequence[str]) -> None:
        """Likely answers in the state that follows, for closed grammars; others ignore it."""
        ...

    async def end_utterance(self) -> None:
        """The turn is over: give the final text now, start afresh."""
        ...

    def words(self) -> AsyncIterator[WordsIn]:
        """Partial and final texts as they come."""
        ...

    async def close(self) -> None:
        """Free the stream; idempotent."""
        ...


class Recogniser(Protocol):
    """Ears: opens one stream for each call."""

    name: str

    async def open(self, call_id: str) -> RecogniserStream: ...


class Voice(Protocol):
    """A synthetic voice."""

    name: str

    async def synthesize(self, text: str) -> bytes:
        """`text` as PCM 8 kHz 16-bit mono; raises VoiceError where it cannot."""
        ...


class VoiceDetector(Protocol):
    """Is there a voice in this audio?  One detector for each call (it keeps state)."""

    def probability(self, pcm: bytes) -> float:
        """Chance from 0 to 1 that the newest 20 ms frame (320 bytes) holds a voice."""
        ...


class Prompts(Protocol):
    """Lines turned to audio, cached."""

    async def audio(self, line: Line) -> bytes:
        """The whole line as PCM 8 kHz, a multiple of 320 bytes."""
        ...


class Brain(Protocol):
    """The dialogue, in this process or another."""

    async def ask(self, request: TurnRequest) -> Reply:
        """The reply; raises TimeoutError past the request's deadline."""
        ...


class CallLog(Protocol):
    """The event log of one call."""

    async def append(self, event: AnyEvent) -> int:
        """Write one event, give its seq."""
        ...


class SpeechError(Exception):
    """A recogniser or voice failed.  `retryable` tells whether trying again may help."""

    def __init__(self, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.retryable = retryable


class VoiceError(SpeechError):
    """The synthetic voice could not speak."""


class RecogniserError(SpeechError):
    """The recogniser could not listen."""
