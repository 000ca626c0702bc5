"""Joins words, tones and rhythm into at most one verdict about who answered.

Rules, in the order in which they are asked:
 1. SIT, five cycles of a busy tone, a fax's answer are machines; the last two only without words.
 2. Words that are surely a machine's decide after a pause without a living person's words (a joker
    laughs), at once where an announcement came twice or in two languages, or after long talk.  A
    voicemail box's words need more than an announcement's: its beep can still decide.
 3. A beep decides together with suspicious words; without any words at all, after long speech, it
    gives the weaker `beep`; beside a person's words it is a household's noise.
 4. One who spoke, paused and said nothing suspicious is a person.
 5. After the horizon it is unknown.  Digital silence never gives a verdict.
An announcement that asks to wait (forwarded) decides nothing: someone may still answer.
"""

from __future__ import annotations

from bot.call.answering.announcements import Reading, read
from bot.call.answering.cadence import Cadence, Signal
from bot.call.answering.greeting import Greeting
from bot.call.answering.kinds import Kind, Reason, Verdict
from bot.call.answering.parameters import AnsweringParameters
from bot.call.answering.tones import Tones

_JUDGE_EVERY = 5  # frames: rules that wait for time are asked each 100 ms
_UTTERANCES = 12  # more are no greeting


class Answering:
    """One call's ear.  Feed all of it in order of time; `verdict` is None until something is certain.

    `beep_ms`: when the beep ended after which a machine records; it may come after the verdict.
    `listening`: whether anything can still follow; False means that frames cost nothing more.
    """

    def __init__(self, parameters: AnsweringParameters | None = None, *, tones: bool = True) -> None:
        self._p = parameters or AnsweringParameters()
        self._tones = Tones(self._p) if tones else None
        self._cadence = Cadence(self._p)
        self._greeting = Greeting(self._p.stretch_gap_ms)
        self._said: list[str] = []
        self._open = False  # whether the last of them may still change
        self._reading = Reading()
        self._beep: Signal | None = None
        self._sit: Signal | None = None
        self._begun_ms: int | None = None
        self._words_ms = 0
        self._certain_ms: int | None = None
        self._now = 0
        self._frames = 0
        self.verdict: Verdict | None = None
        self.beep_ms: int | None = None
        self.listening = True

    def hear_frame(self, pcm: bytes, at_ms: int) -> None:
        """20 ms (320 bytes of 8 kHz PCM) that ended at `at_ms`."""
        if not self.listening:
            return
        self._now = max(self._now, at_ms)
        self._frames += 1
        block = self._tones.hear(pcm, self._now) if self._tones is not None else None
        if block is not None:
            signal = self._cadence.hear(block)
            if signal is not None:
                self._sounded(signal)
        if self._begun_ms is not None and self._frames % _JUDGE_EVERY == 0:
            self._judge()

    def hear_words(self, text: str, final: bool, at_ms: int) -> None:
        """The utterance so far, as recognised; after a final one the next begins."""
        if not self.listening or self.verdict is not None:
            return
        self._now = max(self._now, at_ms)
        if text.strip():
            self._begin(self._now)
            if not self._open:
                self._said = [*self._said, text][-_UTTERANCES:]
            elif self._said[-1] == text and not final:
                return
            else:
                self._said[-1] = text
            self._words_ms = self._now
            self._reading = read(self._said)
        self._open = not final and (self._open or bool(text.strip()))
        self._judge()

    def voice(self, started: bool, at_ms: int) -> None:
        """The voice detector's start or stop, and when it was (it may tell late)."""
        if not self.listening:
            return
        if started:
            self._begin(at_ms)
        self._greeting.voice(started, at_ms)

    # -- rules

    def _begin(self, at_ms: int) -> None:
        if self._begun_ms is None:
            self._begun_ms = at_ms

    def _sounded(self, signal: Signal) -> None:
        """Rule 1, and the beep of rule 3."""
        self._begin(signal.start_ms)
        if self.verdict is not None:
            if signal.what == "beep":
                self.beep_ms, self.listening = signal.end_ms, False
            return
        silent = not self._said or self._words_ms < signal.start_ms
        if signal.what == "sit":
            self._sit = signal
        elif signal.what == "fax" and silent:
            self._decide("fax", "", 0.97)
        elif signal.what == "busy" and silent:
            self._decide("busy_tone", "", 0.95)
        elif signal.what == "beep" and self._reading.score >= self._p.certain and self._suspicious:
            self.beep_ms = signal.end_ms
            self._recorded(0.97)
        elif signal.what == "beep":
            self._beep = signal

    @property
    def _suspicious(self) -> bool:
        return not self._reading.person and not self._reading.hold

    def _recorded(self, confidence: float) -> None:
        """Suspicious words and then a beep: somebody's words are wanted, whoever asked for them."""
        kind: Kind = "assistant" if self._reading.kind == "assistant" else "machine"
        self._decide(kind, "voicemail", confidence)

    def _judge(self) -> None:
        if self.verdict is not None:
            self._rest()
            return
        if self._by_sit() or self._by_words() or self._by_beep() or self._by_rhythm():
            return
        if self._begun_ms is not None and self._now - self._begun_ms >= self._p.horizon_ms:
            self._decide("unknown", self._reading.reason if self._reading.hold else "", 0.5)

    def _by_sit(self) -> bool:
        """Rule 1: the tones are certain, the reason may still come in words."""
        sit, reading = self._sit, self._reading
        if sit is None:
            return False
        named = reading.kind == "announcement" and reading.reason not in ("", "unspecified")
        if not named and sit.reason == "unspecified" and self._now - sit.end_ms < self._p.sit_ms:
            return False
        self._decide("announcement", reading.reason if named else sit.reason, 0.97)
        return True

    def _by_words(self) -> bool:
        """Rule 2."""
        p, reading = self._p, self._reading
        strong = reading.score >= p.immediate and reading.kind == "announcement"
        enough = p.recorded if reading.kind == "machine" else p.certain
        if reading.score < enough or not self._suspicious:
            self._certain_ms = None
            return False
        if self._certain_ms is None:
            self._certain_ms = self._now
        ended = self._greeting.ended_ms or 0
        quiet = not self._greeting.active and self._now - max(ended, self._words_ms) >= p.confirm_ms
        quiet = quiet or self._now - self._words_ms >= p.no_words_ms
        talked_on = self._now - self._certain_ms >= p.talk_on_ms
        if not (strong or quiet or talked_on):
            return False
        self._decide(reading.kind, reading.reason, min(0.99, 0.85 + 0.05 * reading.score))
        return True

    def _by_beep(self) -> bool:
        """Rule 3."""
        p, beep, reading = self._p, self._beep, self._reading
        wait_ms = p.beep_quiet_ms if self._said else p.beep_alone_ms
        if beep is None or self._now - beep.end_ms < wait_ms:
            return False
        self._beep = None
        since, ended = self._greeting.since_ms, self._greeting.ended_ms or 0
        if since is not None or ended > beep.end_ms + p.beep_quiet_ms // 2 or self._cadence.sounding:
            return False
        talk = self._greeting.talk_before(beep.start_ms, p.beep_gap_ms)
        if reading.score >= p.suspect and self._suspicious:
            self.beep_ms = beep.end_ms
            self._recorded(0.95)
        elif not self._said and talk >= p.talk_ms:
            self.beep_ms = beep.end_ms
            self._decide("beep", "", 0.7)
        return self.verdict is not None

    def _by_rhythm(self) -> bool:
        """Rule 4."""
        p = self._p
        if self._begun_ms is None or self._now - self._begun_ms < p.person_after_ms or not self._said:
            return False
        talk = self._reading.person and self._reading.score < p.suspect
        innocent = talk or self._reading.score < p.innocent
        tone_ms = self._cadence.last_ms
        if tone_ms is not None and self._now - tone_ms < p.tone_gap_ms:
            return False
        if self._open or self._now - self._words_ms < p.confirm_ms:
            return False
        paused = self._reading.person or self._greeting.paused(self._now)
        if not innocent or not paused or self._reading.hold:
            return False
        self._decide("person", "", 0.9 if self._reading.person else 0.8)
        return True

    def _decide(self, kind: Kind, reason: Reason, confidence: float) -> None:
        self.verdict = Verdict(kind, reason, round(confidence, 2), self._now)
        self.listening = kind in ("machine", "assistant") and self.beep_ms is None and self._tones is not None

    def _rest(self) -> None:
        """A beep that has not come by the horizon is not waited for."""
        if self._begun_ms is not None and self._now - self._begun_ms >= 2 * self._p.horizon_ms:
            self.listening = False
