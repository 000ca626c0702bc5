"""A message for a machine that records: it begins after the beep, not over the greeting.

The brain's last lines wait here until the beep was heard; without one, until the machine has been quiet
for a while; and never longer than Parameters.message_wait_ms.  A beep that comes after all, while a
message plays that did not wait for it, starts that message again: what came before was not recorded.
Pure: called by the call's state machine, whose commands it makes.
"""

from __future__ import annotations

from bot.call.phases import Step, step
from bot.call.state import CallState
from bot.turn import Reply


class Voicemail:
    """One call's message."""

    def __init__(self, call: CallState) -> None:
        self._call = call
        self._beeped = False
        self._unrecorded: Reply | None = None  # plays, though no beep was heard

    @staticmethod
    def is_message(reply: Reply) -> bool:
        """Whether a reply is one: the script ends the call with words for a machine."""
        return reply.ended and bool(reply.lines) and reply.disposition == "voicemail"

    def keep(self, reply: Reply) -> None:
        """The message is there: from now on nothing else will be said."""
        call = self._call
        call.interrupt()
        call.cause, call.moving_to, call.closing = "normal", None, False
        call.phase = step(call.phase, Step.FAREWELL)
        call.message, call.message_ms = reply, call.now

    def beep(self) -> None:
        """The machine records from now on."""
        self._beeped = True
        reply, self._unrecorded = self._unrecorded, None
        if reply is not None and self._call.mouth.busy:
            self._call.mouth.stop(self._call.now)
            self._call.mouth.play(reply.lines, None, reply.turn)

    def review(self) -> None:
        """A message waits: is it time?"""
        call, reply = self._call, self._call.message
        if reply is None:
            return
        due = self._due_ms()
        if call.now < due:
            call.timers.set("message", due)
            return
        call.timers.cancel("message")
        call.message = None
        self._unrecorded = None if self._beeped else reply
        call.mouth.play(reply.lines, reply, reply.turn)

    def _due_ms(self) -> int:
        """When it begins if nothing more is heard."""
        call, customer = self._call, self._call.customer
        if self._beeped:
            return call.now
        latest = call.message_ms + call.p.message_wait_ms
        if customer.voice:
            return latest
        words_ms = customer.words_ms if customer.text else 0
        quiet_ms = max(call.asking.timing.quiet_ms, customer.quiet_ms or 0, words_ms)
        return min(latest, quiet_ms + call.p.message_quiet_ms)
