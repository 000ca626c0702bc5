"""Whose turn is it: when the customer's turn ends, and what his voice does to the bot's.  Pure.

End of turn: quiet since the last sound, and as much of it as the text asks for.  Words trail the
sound, so nothing is decided before the recogniser's lag has passed; then a complete text ends the
turn at once, one that clearly goes on is waited for.

The bot's voice: lowered at the first sound, then the words decide: stop, or raise again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from bot.call.parameters import Parameters
from bot.turn import Expects
from bot.understanding.completeness_rules import digits_in
from bot.understanding.interrupts import judge

WORDS_TOLERANCE_MS = 60  # a last word that came this much early may have been the last one


@dataclass(frozen=True, slots=True)
class Hearing:
    """What has been heard of the customer since his turn began.

    `voice`: a voice is detected now; `quiet_ms`: when its last sound was (None: no voice was detected
    at all, only words came); `words_ms`: when the text last changed; `slow`: he has paused inside
    this turn before; `lag_ms`: how far his words trail his voice; `extra_ms`: patience that this
    caller needs (bot/call/pace.py).
    """

    text: str
    voice: bool
    quiet_ms: int | None
    words_ms: int
    slow: bool = False
    lag_ms: int = 200
    extra_ms: int = 0


def turn_ends_ms(hearing: Hearing, done: float, expects: Expects, p: Parameters) -> int:
    """When the turn ends if nothing more is heard; `done` is the text's completeness (0 to 1).

    While a voice is detected, that is long after the last word: noise must not hold a turn for ever.
    """
    wait = _wait_ms(hearing, done, expects, p)
    if hearing.voice:
        return hearing.words_ms + hearing.lag_ms + max(wait, p.unfinished_ms)
    if hearing.quiet_ms is None or hearing.words_ms - hearing.quiet_ms > 2 * hearing.lag_ms + p.uncertain_ms:
        # words without a voice that was detected: their own rhythm must do
        return hearing.words_ms + max(p.settle_ms, wait - hearing.lag_ms)
    quiet = hearing.quiet_ms
    earliest = quiet + hearing.lag_ms
    if hearing.words_ms < earliest - WORDS_TOLERANCE_MS:
        earliest += WORDS_TOLERANCE_MS  # a last word may still be on its way
    return max(earliest, quiet + wait)


def _wait_ms(hearing: Hearing, done: float, expects: Expects, p: Parameters) -> int:
    """How much quiet the text asks for."""
    if done >= p.complete_at:
        return p.complete_ms
    extra = (p.slow_extra_ms if hearing.slow else 0) + hearing.extra_ms
    if expects == "digits" and digits_in(hearing.text):
        return p.digits_ms + extra
    if done < p.unfinished_at:
        return p.unfinished_ms + extra
    if done < p.uncertain_at:
        return p.doubtful_ms + extra
    return p.uncertain_ms + hearing.extra_ms


def silence_ms(expects: Expects, p: Parameters) -> int:
    """How long the customer may say nothing after the bot's last line."""
    if expects == "digits":
        return p.silence_digits_ms
    return p.silence_pitch_ms if expects == "pitch" else p.silence_ms


Asked = Literal["yes_no", "open", "none"]


def asked_now(expects: Expects, left_ms: int | None, p: Parameters) -> Asked:
    """What a customer answers who speaks now; `left_ms` is what is left to play, None if it is over.

    A question can be answered once most of it was heard; before, the bot is telling its story.
    """
    if left_ms is not None and left_ms > p.answer_zone_ms:
        return "none"
    if expects in ("yes_no_question", "offer", "identity_check"):
        return "yes_no"
    return "open" if expects in ("open_question", "digits", "time") else "none"


class Floor(Enum):
    """What the customer's voice does to the bot's."""

    WAIT = "wait"  # lowered, until words decide
    STOP = "stop"
    RAISE = "raise"  # a listener's noise, or no words at all


def floor(
    hearing: Hearing, bot_line: str, asked: Asked, now_ms: int, voice_since_ms: int, p: Parameters
) -> Floor:
    """Stop the bot, or raise its voice again, or wait, by what has been heard while it speaks.

    `voice_since_ms`: when the voice that is being judged began.
    """
    if not hearing.text:
        if hearing.voice:
            return Floor.RAISE if now_ms - voice_since_ms >= p.noise_ms else Floor.WAIT
        quiet = hearing.quiet_ms if hearing.quiet_ms is not None else voice_since_ms
        return Floor.RAISE if now_ms - quiet >= p.raise_ms else Floor.WAIT
    words_done = now_ms - hearing.words_ms >= p.settle_ms
    if judge(bot_line, hearing.text, asked, settled=words_done).stop:
        return Floor.STOP
    if words_done and not hearing.voice:
        return Floor.RAISE
    return Floor.WAIT
