"""The customer's words of the turn that is going on, put together from the recogniser's utterances.

A recogniser closes an utterance at a pause; a turn may hold several.  What a turn has used is used
up: the late final text of an utterance that a turn already took is nothing new, and of one that goes
on only what was added is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.call.signals import Words
from bot.understanding.interrupts import fold

_LATIN = re.compile(r"[A-Za-z0-9']")


@dataclass(slots=True)
class _Utterance:
    key: str
    text: str = ""
    final: bool = False
    used: str = ""  # what turns before have taken of it

    @property
    def fresh(self) -> str:
        """What no turn has taken yet."""
        if not self.used:
            return self.text
        if self.text.startswith(self.used):
            return self.text[len(self.used) :].lstrip(" ,，。.!！?？")
        # a final text that spells the used part otherwise holds nothing new unless it is longer
        extra = len(fold(self.text)) - len(fold(self.used))
        return self.text[-extra:] if extra > 1 else ""


class Transcript:
    """Words of the current turn; `take` ends the turn."""

    def __init__(self) -> None:
        self._utterances: list[_Utterance] = []
        self._closed = 0  # utterances without a name are numbered
        self.confidence: float | None = None

    def add(self, words: Words) -> bool:
        """Take in a partial or final text; whether the turn's text changed."""
        before = self.text
        key = words.utterance_id or f"#{self._closed}"
        found = next((u for u in reversed(self._utterances) if u.key == key), None)
        if found is None:
            found = _Utterance(key)
            self._utterances.append(found)
        if not found.final:
            found.text, found.final = words.text.strip(), words.final
        if words.final and not words.utterance_id:
            self._closed += 1
        if words.confidence is not None:
            self.confidence = words.confidence
        return self.text != before

    @property
    def text(self) -> str:
        """All words of this turn so far."""
        joined = ""
        for utterance in self._utterances:
            fresh = utterance.fresh
            gap = " " if joined and fresh and _LATIN.match(joined[-1]) and _LATIN.match(fresh[0]) else ""
            joined += gap + fresh
        return joined

    @property
    def open(self) -> bool:
        """Whether an utterance of this turn is not final yet."""
        return any(u.fresh and not u.final for u in self._utterances)

    def take(self) -> str:
        """The turn is over: its text; the next turn starts empty."""
        text = self.text
        for utterance in self._utterances:
            utterance.used = utterance.text
        self._utterances = self._utterances[-3:]
        self.confidence = None
        return text
