"""Where the utterances of one side begin and end: a pure machine over voice, words and call time.

An utterance begins with the voice and ends when the voice has been gone for `quiet_ms`; one that
goes on for `longest_ms` is cut, so that advice does not wait for a monologue.  The recogniser owes
one final text for each EndUtterance, in order; one that does not come in `final_wait_ms` is
replaced by the last partial text, and dropped when it comes.  No clock, no audio, no I/O.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from bot.call.ports import WordsIn
from bot.call.signals import EndUtterance, VoiceStarted, VoiceStopped
from bot.listening.ports import Heard, Side

Output = Heard | EndUtterance


@dataclass(frozen=True, slots=True)
class SideParameters:
    """All in ms.  Human turn gaps are some 200 ms, pauses within a clause shorter than `quiet_ms`."""

    quiet_ms: int = 350
    longest_ms: int = 12_000
    final_wait_ms: int = 600
    partial_every_ms: int = 300

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must not be negative")


@dataclass(slots=True)
class _Utterance:
    name: str
    begin_ms: int
    last_sound_ms: int
    text: str = ""
    confidence: float | None = None
    shown: str = ""
    shown_ms: int = -1
    asked_ms: int = -1
    voiced: bool = True
    told: bool = False


class SideOfCall:
    """One side.  Each method gives what follows from it: words to pass on, finals to ask for."""

    def __init__(self, side: Side, parameters: SideParameters | None = None, prefix: str = "") -> None:
        """`prefix` begins the utterances' ids; default the side's first letter."""
        self._side, self._p = side, parameters or SideParameters()
        self._prefix = prefix or side[0]
        self._number = 0
        self._voice = False
        self._now_ms = 0
        self._open: _Utterance | None = None
        self._asked: deque[_Utterance] = deque()

    @property
    def waits(self) -> bool:
        """Whether a final text is still to come that nothing stands for yet."""
        return any(not utterance.told for utterance in self._asked)

    def voice(self, found: VoiceStarted | VoiceStopped) -> list[Output]:
        """The voice came or went."""
        self._now_ms = max(self._now_ms, found.at_ms)
        self._voice = isinstance(found, VoiceStarted)
        if self._voice and self._open is None:
            self._open = self._begin(found.since_ms)
        if self._open is not None:
            self._open.voiced = True
            self._open.last_sound_ms = max(self._open.begin_ms, found.since_ms)
        return self.tick(found.at_ms)

    def words(self, words: WordsIn) -> list[Output]:
        """The recogniser said something; it belongs to the oldest final that is owed, else to now."""
        if words.final:
            return self._final(words)
        text = words.text.strip()
        if not text:
            return []
        utterance = self._asked[0] if self._asked else self._open
        if utterance is None:  # words where no voice was detected: they count as sound
            utterance = self._open = self._begin(self._now_ms, voiced=False)
        if utterance.told:
            return []
        if not utterance.voiced and text != utterance.text:
            utterance.last_sound_ms = self._now_ms
        utterance.text, utterance.confidence = text, words.confidence
        return self._partial(utterance)

    def tick(self, at_ms: int) -> list[Output]:
        """Time went by."""
        self._now_ms = max(self._now_ms, at_ms)
        found: list[Output] = []
        utterance = self._open
        if utterance is not None:
            if self._voice:
                utterance.last_sound_ms = self._now_ms
            if not self._voice and self._now_ms - utterance.last_sound_ms >= self._p.quiet_ms:
                self._open = None
                found += self._ask(utterance)
            elif self._now_ms - utterance.begin_ms >= self._p.longest_ms:
                self._open = self._begin(self._now_ms) if self._voice else None
                found += self._ask(utterance)
            else:
                found += self._partial(utterance)
        for asked in self._asked:
            if not asked.told and asked.text and self._now_ms - asked.asked_ms >= self._p.final_wait_ms:
                asked.told = True
                found.append(self._heard(asked, asked.text, final=True))
        return found

    def end(self) -> list[Output]:
        """The call is over: what was being said ends now."""
        utterance, self._open = self._open, None
        return self._ask(utterance) if utterance is not None else []

    def give_up(self) -> list[Heard]:
        """No more words will come: last partial texts stand for the finals that are owed."""
        left = [asked for asked in (*self._asked, self._open) if asked is not None]
        self._asked.clear()
        self._open = None
        return [self._heard(one, one.text, final=True) for one in left if one.text and not one.told]

    def _begin(self, at_ms: int, *, voiced: bool = True) -> _Utterance:
        self._number += 1
        return _Utterance(f"{self._prefix}{self._number}", at_ms, at_ms, voiced=voiced)

    def _ask(self, utterance: _Utterance) -> list[Output]:
        utterance.asked_ms = self._now_ms
        self._asked.append(utterance)
        return [EndUtterance()]

    def _final(self, words: WordsIn) -> list[Output]:
        text = words.text.strip()
        if self._asked:
            utterance = self._asked.popleft()
        elif self._open is not None:  # the recogniser found an end by itself
            utterance = self._open
            self._open = self._begin(self._now_ms) if self._voice else None
        else:
            utterance = self._begin(self._now_ms)
        text = text or utterance.text
        if utterance.told or not text:
            return []
        utterance.confidence = words.confidence
        return [self._heard(utterance, text, final=True)]

    def _partial(self, utterance: _Utterance) -> list[Output]:
        """The newest text, not more often than every `partial_every_ms`."""
        if utterance.text == utterance.shown:
            return []
        if utterance.shown and self._now_ms - utterance.shown_ms < self._p.partial_every_ms:
            return []
        utterance.shown, utterance.shown_ms = utterance.text, self._now_ms
        return [self._heard(utterance, utterance.text, final=False)]

    def _heard(self, utterance: _Utterance, text: str, *, final: bool) -> Heard:
        end_ms = utterance.last_sound_ms if utterance.asked_ms >= 0 or final else self._now_ms
        return Heard(
            self._side, utterance.name, text, utterance.begin_ms, max(utterance.begin_ms, end_ms), final,
            utterance.confidence,
        )  # fmt: skip
