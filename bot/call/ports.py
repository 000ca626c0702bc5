"""What a call needs from the world, as Protocols: a phone leg, ears, a voice, a brain, a log.

Audio everywhere: signed 16-bit little-endian mono PCM at 8000 Hz, in frames of 20 ms
(160 samples, 320 bytes).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.events import AnyEvent
from bot.turn import Line, Reply, TurnRequest

SAMPLE_RATE_HZ = 8000
FRAME_MS = 20
FRAME_BYTES = 320


@dataclass(slots=True)
class AudioIn:
    """20 ms of one side: 320 bytes.  `side` is the agent's only on a line with two tracks."""

    pcm: bytes
    side: Literal["customer", "agent"] = "customer"


@dataclass(frozen=True, slots=True)
class WordsIn:
    """Words that the line itself delivers (simulated customers, `--ears script`).

    `text` is the whole utterance so far, `final` where it will not change any more.  `side` is the
    agent's only on a line with two tracks.  `typed`: written, and so a whole turn whenever it comes.
    """

    text: str
    final: bool
    utterance_id: str = ""
    confidence: float | None = None
    side: Literal["customer", "agent"] = "customer"
    typed: bool = False


@dataclass(frozen=True, slots=True)
class DtmfIn:
    """A key pressed by the customer: one of 0-9, *, #, A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class MarkIn:
    """All that was sent before the mark of that name has been played to the far end."""

    name: str


@dataclass(frozen=True, slots=True)
class HungUpIn:
    """The far end is gone.  `cause`: customer, line_lost, bad_data, limit or a cause of the switch."""

    cause: str


LegInput = AudioIn | WordsIn | DtmfIn | MarkIn | HungUpIn
Receive = Callable[[LegInput], None]


@dataclass(frozen=True, slots=True)
class LegCapabilities:
    """What a phone adapter can do.

    `words`: the leg delivers words itself.  `marks`: it tells when what was sent has been played.
    `flush`: what was sent and not played can be dropped.  `dtmf`: keys come in; `dtmf_out`: they can
    be sent.  `transfer`: the call can be given to another number (cold).  `continuous`: silence must
    be sent too, 50 frames a second all the time.  `lead_ms`: so far ahead frames may be sent, against
    late ones; 0 where what was sent cannot be flushed.
    """

    words: bool = False
    marks: bool = False
    flush: bool = False
    two_tracks: bool = False
    dtmf: bool = False
    dtmf_out: bool = False
    transfer: bool = False
    continuous: bool = True
    lead_ms: int = 0


class TransferFailed(Exception):
    """The switch did not give the call to another number; says why."""


class PhoneLeg(Protocol):
    """One answered line to the customer.

    `send`, `mark`, `flush` and `send_digits` return at once and never fail: on a line that is gone
    they do nothing, and a far end that does not read is hung up on (HungUpIn "line_lost").
    """

    capabilities: LegCapabilities

    def listen(self, receive: Receive) -> None:
        """From now on `receive` gets everything from the far end, in order, on the event loop.

        What came before comes first.  Once only.  The last is HungUpIn, also after `hang_up`.
        """
        ...

    def send(self, pcm: bytes) -> None:
        """Play one frame of 320 bytes after those sent before."""
        ...

    def mark(self, name: str) -> None:
        """MarkIn(name) once all that was sent so far has been played; not after a flush.
        Only where `marks`."""
        ...

    def flush(self) -> None:
        """Drop what was sent and not yet played.  Only where `flush`."""
        ...

    def send_digits(self, digits: str) -> None:
        """Send keys (0-9, *, #, A-D) to the far end.  Only where `dtmf_out`."""
        ...

    async def transfer(self, target: str) -> None:
        """Give the call to another number, for good.  Only where `transfer`; raises TransferFailed."""
        ...

    async def hang_up(self, cause: str) -> None:
        """End the leg; a second call does nothing.  Never fails."""
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


class VoiceStream(Protocol):
    """One call's part of a VoiceDetection."""

    def feed(self, pcm: bytes) -> None:
        """20 ms of audio, 320 bytes."""
        ...

    def close(self) -> None:
        """Nothing more comes, and nothing is found any more; idempotent."""
        ...


class VoiceDetection(Protocol):
    """Voice detection for many calls at once: `run` looks at what all of them were fed since."""

    def open(self, found: Callable[[float], None]) -> VoiceStream:
        """A call's stream; `found` is told once a frame the chance, 0 to 1, that a voice is in it."""
        ...

    def run(self) -> None:
        """Find."""
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
