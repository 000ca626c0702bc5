"""The customer's turn: hearing him, telling when he is done, waiting for him.  Carries out what `turns`
decides."""

from __future__ import annotations

from bot.call import signals as sig
from bot.call.phases import Phase
from bot.call.state import CallState
from bot.call.turns import Hearing, silence_ms, turn_ends_ms


class Listening:
    """One call's listening."""

    def __init__(self, call: CallState) -> None:
        self._call = call
        self._judged: tuple[str, str, str] = ("", "", "")
        self._done = 0.0

    def hear(self, words: sig.Words) -> None:
        customer = self._call.customer
        if customer.add(words, self._call.now) and customer.text:
            begin = customer.begin_ms if customer.begin_ms is not None else self._call.now
            event = self._call.journal.partial(
                self._call.now, customer.utterance_id, customer.text, begin, words.confidence
            )
            self._call.out.append(sig.Log(event))
            self._call.lower()
        if words.final and self._call.closing:
            self.commit()
        elif words.typed:
            self._written()

    def _written(self) -> None:
        """A written line needs no end of turn, and is nobody's listening noise."""
        call = self._call
        if call.phase is Phase.SPEAKING and call.mouth.interruptible:
            call.interrupt()
        if call.phase is Phase.LISTENING:
            self.commit()

    def slow_ears(self, signal: sig.EarsBehind) -> None:
        """His words are on their way: neither silence nor no_match is due."""
        self._call.deaf_until_ms = self._call.now + self._call.p.slow_ears_wait_ms
        quiet = self._call.customer.quiet_ms
        if self._call.phase is Phase.LISTENING and quiet is not None and not self._call.customer.voice:
            silent = max(quiet, self._call.mouth.silent_ms)
            self._call.timers.set("comfort", max(self._call.now, silent + self._call.p.filler_ms))

    def review(self) -> None:
        """The customer may speak: is his turn over?"""
        customer, timers = self._call.customer, self._call.timers
        if self._call.closing:
            return
        if self._call.keys and not customer.text:
            due = self._call.keys_ms + (
                self._call.p.key_gap_ms
                if self._call.expects == "digits" and "#" not in self._call.keys
                else 0
            )
            if self._call.now >= due:
                self._call.ask("dtmf")
            else:
                timers.set("keys", due)
            return
        hearing = customer.hearing
        if hearing.text:
            self._review_turn(hearing)
            return
        timers.cancel("turn_end", "stable")
        deaf = self._call.deaf_until_ms
        if hearing.voice:
            timers.cancel("silence", "comfort")
            began = max(self._call.listening_ms, customer.voice_since_ms)
            timers.set("no_match", max(deaf, began + self._call.p.endless_voice_ms))
            return
        quiet = hearing.quiet_ms
        if quiet is not None and customer.voiced_ms >= self._call.p.no_match_voice_ms:
            timers.set("no_match", max(deaf, quiet + self._call.p.no_match_wait_ms))
        else:
            timers.cancel("no_match")
        began = max(self._call.listening_ms, quiet or 0)
        timers.set("silence", max(deaf, began + silence_ms(self._call.expects, self._call.p)))

    def _review_turn(self, hearing: Hearing) -> None:
        self._call.timers.cancel("silence", "no_match", "comfort")
        ends = turn_ends_ms(hearing, self._completeness(hearing.text), self._call.expects, self._call.p)
        if self._call.now >= ends:
            self._turn_over()
            return
        self._call.timers.set("turn_end", ends)
        stable = hearing.words_ms + (self._call.p.stable_ms if hearing.voice else 0)
        if self._call.now < stable:
            self._call.timers.set("stable", stable)
            return
        request = self._call.asking.speculative(
            self._call.now, self._call.mouth.heard, hearing.text, self._call.customer.utterance_id
        )
        if request is not None:
            self._call.out.append(sig.AskBrain(request))

    def _completeness(self, text: str) -> float:
        """How likely the text is all that he wants to say; the same text is judged once."""
        reply = self._call.reply
        asked = (text, self._call.expects, reply.text or "" if reply else "")
        if asked != self._judged:
            self._judged = asked
            self._done = self._call.completeness.probability(*asked)
        return self._done

    def _turn_over(self) -> None:
        self._call.timers.cancel("turn_end", "stable")
        if not self._call.final_on_demand:
            self.commit()
            return
        self._call.out.append(sig.EndUtterance())
        if self._call.customer.unfinished:
            self._call.closing = True
            self._call.timers.set("final", self._call.now + self._call.p.final_wait_ms)
        else:
            self.commit()

    def commit(self) -> None:
        """The customer's words become a turn."""
        self._call.closing = False
        self._call.timers.cancel("final")
        if not self._call.customer.text:
            return
        foreseen = self._call.asking.foreseen(self._call.customer.text)
        self._call.ask("say")
        if foreseen is not None:
            self._call.foreseen = foreseen
            self._call.asking.timing.replied_ms = self._call.now
            self._call.speak(foreseen)
