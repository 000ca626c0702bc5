"""What goes into a call's state machine (signals) and what comes out of it (commands).

Every signal carries `at_ms`, the time on the call's own clock; the machine reads no clock.
Timers are commands.  A row of lines to play has a number of its own; a line its place in the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.events import AnyEvent
from bot.turn import Line, Reply, TurnRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something that happened at `at_ms`."""

    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Signal):
    """The line is up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceStarted(Signal):
    """A voice was detected on the customer's side; its first sound was at `since_ms`."""

    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceStopped(Signal):
    """The customer's voice is gone; its last sound was at `since_ms`."""

    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Words(Signal):
    """Words recognised: the whole text of one utterance so far; `final` closes that utterance.
    `typed`: written, and so a whole turn whenever it comes."""

    text: str
    final: bool = False
    utterance_id: str = ""
    confidence: float | None = None
    typed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyReady(Signal):
    """The brain answered a request, a speculative one where `reply.speculation` is not None.

    `text` is the customer's text that was asked about, None for turns without one.
    """

    reply: Reply
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrainLate(Signal):
    """A request's deadline passed, or the brain could not be reached."""

    turn: int
    reason: str = "deadline"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackStarted(Signal):
    """The first frame of what `Play` asked for went out; `line_ms` is each line's length."""

    play: int
    line_ms: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackAt(Signal):
    """So much of line `line` of `play` has been played: sent before any signal that may stop it."""

    play: int
    line: int
    heard_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDone(Signal):
    """Line `line` of `play` was played to its end."""

    play: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired(Signal):
    """The timer of that name ran out."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Key(Signal):
    """A key was pressed: one of 0-9, *, #, A-D."""

    digit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineHeard(Signal):
    """No person answered: `what` is machine, assistant, beep, fax, announcement or busy_tone, `reason`
    says of an announcement why (powered_off, invalid_number …; bot/call/answering)."""

    what: str = "machine"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeepHeard(Signal):
    """The beep after which a machine records is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferDone(Signal):
    """Another one has the call now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRefused(Signal):
    """Nobody took the call; the customer is still here."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarsBehind(Signal):
    """The recogniser is slow: so much sound waits for it."""

    behind_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FarHangup(Signal):
    """The far end is gone."""

    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarsFailed(Signal):
    """The recogniser is gone for good."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceFailed(Signal):
    """A line could not be turned to sound."""

    play: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAsked(Signal):
    """The operator, or the process that shuts down, ends the call."""

    cause: str


@dataclass(frozen=True, slots=True)
class Play:
    """Play these lines after whatever plays now.  `play` numbers the rows of lines of a call from 1;
    `skip_ms` of the first one were heard before."""

    play: int
    lines: tuple[Line, ...]
    skip_ms: int = 0


@dataclass(frozen=True, slots=True)
class Transfer:
    """Give the call to a person; TransferDone or TransferRefused follows."""

    to: str
    reason: str
    context: dict[str, Any]


@dataclass(frozen=True, slots=True)
class StopPlayback:
    """Be silent at once and forget what was to be played."""


@dataclass(frozen=True, slots=True)
class Duck:
    """Lower the bot's voice."""


@dataclass(frozen=True, slots=True)
class Unduck:
    """Raise the bot's voice again."""


@dataclass(frozen=True, slots=True)
class AskBrain:
    """Send this turn to the brain."""

    request: TurnRequest


@dataclass(frozen=True, slots=True)
class Prepare:
    """Have the sound of these lines ready: they will probably be played soon."""

    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class EndUtterance:
    """Tell the recogniser that the turn is over: it gives its final text."""


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Send TimerFired(name) at `at_ms`; a timer of that name already set is replaced."""

    name: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget the timer of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the leg."""

    cause: str


@dataclass(frozen=True, slots=True)
class Log:
    """Append this event to the call's log."""

    event: AnyEvent


Command = (
    Play
    | StopPlayback
    | Duck
    | Unduck
    | AskBrain
    | Prepare
    | EndUtterance
    | SetTimer
    | CancelTimer
    | Transfer
    | HangUp
    | Log
)
