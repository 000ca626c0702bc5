"""When a simulated customer speaks, and what: a pure machine over call time.

It is told what the bot says and when the bot can be heard; `tick` says what to do now.  It knows
the end of the bot's turn as people do: by the quiet after it.  No clock, no audio, no I/O; chance
comes from the persona's seed.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from bot.phone.persona import Persona, Rule, filled

TURN_GAP_MS = 420
"""Quiet shorter than this may be a pause between the bot's clauses (espeak's longest is 330 ms)."""

HEARD_AT_LEAST_MS = 200
"""So much of the bot's sound is needed before there is something to answer."""

_SENTENCE_END = re.compile(r"(?<=[。！!；;])")


@dataclass(frozen=True, slots=True)
class Act:
    """Something the customer does now: says `text` (pauses still marked), presses keys, hangs up after it."""

    text: str = ""
    dtmf: str = ""
    hang_up: bool = False
    backchannel: bool = False


class Behaviour:
    """One persona in one call."""

    def __init__(self, persona: Persona) -> None:
        self.persona = persona
        self._random = random.Random(persona.seed)
        self._used: dict[int, int] = {}
        self._left: dict[int, list[str]] = {}
        self._greeted = not persona.greeting
        self._speaking = False
        self._heard: list[str] = []
        self._last_line = ""
        self._told_ms = -1
        self._sound_ms = 0
        self._sound_since_ms: int | None = None
        self._last_sound_ms = -1
        self._quiet_since_ms = 0
        self._interrupt: tuple[int, int] | None = None
        self._murmured_ms: int | None = None
        self._nudges = 0

    def bot_line(self, now_ms: int, text: str) -> None:
        """The bot begins to say `text`."""
        self._heard.append(text)
        self._last_line = text
        self._told_ms = now_ms
        for number, rule in enumerate(self.persona.rules):
            if (
                rule.interrupt_after_ms is not None
                and self._free(number, rule)
                and re.search(rule.hears, text)
            ):
                self._interrupt = (now_ms + rule.interrupt_after_ms, number)
                return

    def bot_sound(self, now_ms: int, ms: int) -> None:
        """The bot was heard for the `ms` before `now_ms`."""
        if self._sound_since_ms is None or now_ms - self._last_sound_ms > TURN_GAP_MS:
            self._sound_since_ms, self._murmured_ms = now_ms, None
        self._sound_ms += ms
        self._last_sound_ms = now_ms
        self._quiet_since_ms = now_ms

    def finished_speaking(self, now_ms: int) -> None:
        """What `tick` asked to say is said."""
        self._speaking = False
        self._quiet_since_ms = now_ms

    def tick(self, now_ms: int) -> Act | None:
        """What to do at `now_ms`; None for nothing.  Call `finished_speaking` when a text has been said."""
        if self._speaking:
            return None
        act = self._greet(now_ms) or self._interrupting(now_ms) or self._murmur(now_ms)
        act = act or self._answer(now_ms) or self._impatience(now_ms)
        if act is not None and act.text:
            self._speaking = True
        return act

    def _greet(self, now_ms: int) -> Act | None:
        if self._greeted or now_ms < self.persona.greeting_after_ms:
            return None
        self._greeted = True
        return Act(self._pick(-1, self.persona.greeting))

    def _interrupting(self, now_ms: int) -> Act | None:
        if self._interrupt is None or now_ms < self._interrupt[0]:
            return None
        number = self._interrupt[1]
        self._interrupt = None
        if self._last_sound_ms < self._told_ms or now_ms - self._last_sound_ms > TURN_GAP_MS:
            return None  # the line is over already: the ordinary answer comes
        return self._use(number)

    def _murmur(self, now_ms: int) -> Act | None:
        murmur = self.persona.murmur
        if murmur is None or self._sound_since_ms is None or now_ms - self._last_sound_ms > 100:
            return None
        due = self._sound_since_ms + murmur.after_ms
        if self._murmured_ms is not None:
            due = self._murmured_ms + murmur.every_ms
        if now_ms < due:
            return None
        self._murmured_ms = now_ms
        return Act(self._pick(-2, murmur.say), backchannel=True)

    def _answer(self, now_ms: int) -> Act | None:
        if self._sound_ms < HEARD_AT_LEAST_MS or self._last_sound_ms < self._told_ms:
            return None
        number = self._rule()
        rule = self.persona.rules[number] if number is not None else Rule()
        wait_ms = self.persona.reaction_ms if rule.after_ms is None else rule.after_ms
        if now_ms - self._last_sound_ms < max(wait_ms, TURN_GAP_MS):
            return None
        self._nudges = 0
        if number is None:
            self._forget()
            return Act(self._pick(-3, self.persona.default))
        return self._use(number)

    def _impatience(self, now_ms: int) -> Act | None:
        patience = self.persona.patience
        if now_ms - self._quiet_since_ms < patience.after_ms:
            return None
        self._quiet_since_ms = now_ms
        if self._nudges >= patience.times:
            return Act(hang_up=True)
        self._nudges += 1
        return Act(self._pick(-4, patience.say))

    def _rule(self) -> int | None:
        """The first rule for the bot's last sentence, else for all it said; not one that interrupts."""
        said = "".join(self._heard) or self._last_line
        sentences = [part for part in _SENTENCE_END.split(said) if part.strip()]
        for text in (sentences[-1] if sentences else "", said):
            for number, rule in enumerate(self.persona.rules):
                if (
                    rule.interrupt_after_ms is None
                    and self._free(number, rule)
                    and re.search(rule.hears, text)
                ):
                    return number
        return None

    def _free(self, number: int, rule: Rule) -> bool:
        return rule.times == 0 or self._used.get(number, 0) < rule.times

    def _use(self, number: int) -> Act:
        self._used[number] = self._used.get(number, 0) + 1
        self._forget()
        rule = self.persona.rules[number]
        return Act(self._pick(number, rule.say) if rule.say else "", rule.dtmf, rule.hang_up)

    def _forget(self) -> None:
        self._heard.clear()
        self._sound_ms = 0
        self._interrupt = None

    def _pick(self, number: int, texts: list[str]) -> str:
        """One of the texts by chance, none twice while another is left."""
        left = self._left.get(number) or self._random.sample(texts, len(texts))
        self._left[number] = left[1:]
        return filled(left[0], self.persona.contact)
