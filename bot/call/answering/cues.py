"""The form of a lexicon: cues with weights, as regular expressions of alternatives."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.call.answering.kinds import Reason


@dataclass(frozen=True, slots=True)
class Cue:
    """Words that point to a machine.  `weight`: how much of a proof, 1 decides alone.  `own`: no
    person says so of himself."""

    weight: float
    pattern: re.Pattern[str]
    own: bool = False


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language.  `heard_as`: what a text must go through before its patterns are searched in it.

    `openings` begin an announcement, `near` characters after its utterance's start at most; `reasons`
    in the order in which they win, each of `reason_weight`; `tails` end it.  `hold`: someone may still
    answer.  `voicemail`, `assistant`: recorded or synthetic voices.  `asks`: what only persons and
    call assistants ask.  `lively`: only one who listens to us says so.  `no_carrier`: no announcement
    says so.  The last three are searched in the text itself.
    """

    heard_as: Callable[[str], str]
    near: int
    openings: tuple[Cue, ...]
    reasons: tuple[tuple[Reason, re.Pattern[str]], ...]
    reason_weight: float
    tails: tuple[Cue, ...]
    hold: re.Pattern[str]
    voicemail: tuple[Cue, ...]
    assistant: tuple[Cue, ...]
    asks: re.Pattern[str]
    lively: re.Pattern[str]
    no_carrier: re.Pattern[str]


def any_of(*alternatives: str) -> re.Pattern[str]:
    """A pattern that finds each of the alternatives."""
    return re.compile("|".join(alternatives))
