"""What one call runs on, handed to its driver: the ports of `ports`, and who listens beside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.call.pacer import Pacer
from bot.call.ports import Brain, CallLog, PhoneLeg, Prompts, Recogniser, VoiceDetection
from bot.call.signals import Transfer
from bot.turn import Line, Reply


class Recording(Protocol):
    """Takes both sides of a call; times are the beginnings of frames in ms of the call's clock."""

    def customer(self, pcm: bytes, at_ms: int) -> None: ...

    def bot(self, pcm: bytes, at_ms: int) -> None: ...


class Verdict(Protocol):
    """Who answered: `kind` is person, or what MachineHeard takes."""

    @property
    def kind(self) -> str: ...

    @property
    def reason(self) -> str: ...


class Answering(Protocol):
    """Listens for machines beside the greeting (bot/call/answering); times are ms of the call's clock."""

    @property
    def verdict(self) -> Verdict | None:
        """Final once it is there."""
        ...

    @property
    def beep_ms(self) -> int | None:
        """When the beep ended after which a machine records; it may come after the verdict."""
        ...

    def hear_frame(self, pcm: bytes, at_ms: int) -> None: ...

    def hear_words(self, text: str, final: bool, at_ms: int) -> None: ...

    def voice(self, started: bool, at_ms: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Adapters:
    """What one call runs on.

    `recogniser`: None where the leg delivers words itself.  `phrases`: likely answers after a reply,
    for recognisers with a closed grammar.  `line_started`: told when a line begins to play.
    `answering`: listens for machines beside the greeting.  `transfer`: gives the call to a person and
    returns when that person has it; raises TransferFailed; None where nobody can be reached.
    """

    leg: PhoneLeg
    brain: Brain
    prompts: Prompts
    voices: VoiceDetection
    pacer: Pacer
    log: CallLog
    recogniser: Recogniser | None = None
    recording: Recording | None = None
    phrases: Callable[[Reply], Sequence[str]] | None = None
    line_started: Callable[[Line], None] | None = None
    answering: Answering | None = None
    transfer: Callable[[Transfer], Awaitable[None]] | None = None
