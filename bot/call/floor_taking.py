"""The customer makes a sound while the bot speaks, or is about to: who goes on?  Carries out what `turns`
decides."""

from __future__ import annotations

from bot.call.phases import Phase
from bot.call.state import CallState
from bot.call.turns import Asked, Floor, asked_now, floor
from bot.turn import Reply


class FloorTaking:
    """One call's contest for the floor."""

    def __init__(self, call: CallState) -> None:
        self._call = call

    def review_speaking(self) -> None:
        """The bot speaks: does the customer stop it?"""
        mouth, customer = self._call.mouth, self._call.customer
        if self._call.keys and mouth.interruptible:
            self._call.interrupt()
            return
        if self._call.keys and mouth.guard_left_ms:
            self._call.timers.set("guard", self._call.now + mouth.guard_left_ms)
        if not (customer.voice or customer.text or mouth.lowered):
            return
        asked = asked_now(self._call.expects if mouth.begun else "none", mouth.left_ms, self._call.p)
        verdict = self._floor(mouth.line.text if mouth.line else "", asked)
        if verdict is Floor.STOP and mouth.guard_left_ms:
            self._call.timers.set("guard", self._call.now + mouth.guard_left_ms)
        elif verdict is Floor.STOP and mouth.interruptible:
            if self._call.phase is Phase.SPEAKING:
                self._call.interrupt()
            else:
                mouth.stop(self._call.now)  # a filler
        elif verdict is Floor.RAISE:
            mouth.lift()
            self._ignore()

    def review_held(self, reply: Reply) -> None:
        """A reply waits because the customer was speaking: was it to us?"""
        verdict = (
            self._floor("", "none") if self._call.customer.voice or self._call.customer.text else Floor.RAISE
        )
        if verdict is Floor.STOP:
            self._call.held = None
            self._call.mouth.unsaid(reply, self._call.now)
            self._call.listen(reply.expects)
        elif verdict is Floor.RAISE:
            self._call.held = None
            self._ignore()
            self._call.speak(reply)

    def _floor(self, bot_line: str, asked: Asked) -> Floor:
        hearing, since = self._call.customer.hearing, self._call.customer.voice_since_ms
        verdict = floor(hearing, bot_line, asked, self._call.now, since, self._call.p)
        if verdict is Floor.WAIT:
            quiet = hearing.quiet_ms if hearing.quiet_ms is not None else since
            moments = (
                hearing.words_ms + self._call.p.settle_ms,
                quiet + self._call.p.raise_ms,
                since + self._call.p.noise_ms,
            )
            later = [moment for moment in moments if moment > self._call.now]
            if later:
                self._call.timers.set("floor", min(later))
        return verdict

    def _ignore(self) -> None:
        """What he said was a listener's noise: it goes to the log and is no turn."""
        if self._call.customer.text:
            self._call.log_final()
        if not self._call.customer.voice or self._call.customer.text:
            self._call.drop_words()
