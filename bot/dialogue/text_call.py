"""One call held in text: for chat, checks and tests.  No audio, no Redis.

Time passes as it would on the phone: a line of the bot takes MS_PER_CHARACTER for each character,
so a barge-in after some milliseconds tells how much of it was heard.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from bot.dialogue.engine import Engine
from bot.turn import HeardLine, Line, Reply, TurnKind, TurnRequest
from bot.understanding.interrupts import judge

Direction = Literal["outbound", "inbound"]

MS_PER_CHARACTER = 210
"""Mandarin at a telephone seller's pace: some 4.8 characters a second."""
SILENCE_MS = 4000
"""A silence shorter than this is a pause, not a turn."""

_INTERRUPT_EXPECTS = {
    "yes_no_question": "yes_no",
    "identity_check": "yes_no",
    "offer": "yes_no",
    "none": "none",
}


class TextCall:
    """One call of `script` with `contact` on `engine`.  `now` has a zone; `seed` fixes the wordings;
    inbound: the customer called us."""

    def __init__(
        self,
        engine: Engine,
        script: str,
        contact: dict[str, Any],
        *,
        now: datetime,
        seed: int = 0,
        call_id: str = "text",
        direction: Direction = "outbound",
    ) -> None:
        self.engine = engine
        self.script = script
        self.contact = contact
        self.now = now
        self.seed = seed
        self.call_id = call_id
        self.direction = direction
        self.turn = 0
        self.lines: tuple[Line, ...] = ()
        self.last: Reply = Reply(call_id=call_id, turn=-1)
        self.disposition: str | None = None

    @property
    def ended(self) -> bool:
        """Whether the call is over."""
        return self.disposition is not None

    async def start(self) -> Reply:
        """The customer picked up: what the bot says first."""
        return await self._ask(
            "open", script=self.script, contact=self.contact, seed=self.seed, direction=self.direction
        )

    async def say(self, text: str) -> Reply:
        """The customer says `text` after hearing the bot out."""
        return await self._ask("say", text=text, utterance_id=f"u{self.turn}")

    async def press(self, digits: str) -> Reply:
        """The customer presses keys."""
        return await self._ask("dtmf", digits=digits)

    async def silence(self, ms: int) -> Reply:
        """The customer says nothing for `ms` milliseconds."""
        self.now += timedelta(milliseconds=ms)
        if ms < SILENCE_MS:
            return self.nothing()
        return await self._ask("silence")

    async def barge_in(self, text: str, after_ms: int) -> Reply:
        """The customer speaks `after_ms` into the bot's lines; a backchannel stops nothing."""
        spoken = "".join(line.text for line in self.lines)
        if after_ms >= len(spoken) * MS_PER_CHARACTER:
            return await self.say(text)
        expects = _INTERRUPT_EXPECTS.get(self.last.expects, "open")
        if not judge(self._line_at(after_ms), text, expects).stop:
            return self.nothing()
        heard = self._heard(self._stops_at(after_ms))
        return await self._ask("say", text=text, utterance_id=f"u{self.turn}", heard=heard)

    def hang_up(self) -> Reply:
        """The customer hangs up."""
        if self.disposition is None:
            self.disposition = "hung_up"
        return self.nothing()

    async def _ask(self, kind: TurnKind, **fields: Any) -> Reply:
        if self.ended:
            return self.nothing()
        request = TurnRequest(
            call_id=self.call_id, turn=self.turn, kind=kind, at=self.now.isoformat(), **fields
        )
        self.turn += 1
        reply = await self.engine.ask(request)
        if reply.lines:
            self.lines = reply.lines
            self.now += timedelta(milliseconds=len(reply.text or "") * MS_PER_CHARACTER)
        self.last = reply
        if reply.ended:
            self.disposition = reply.disposition
        return reply

    def nothing(self) -> Reply:
        """The bot says nothing: the state as it stands."""
        return Reply(
            call_id=self.call_id,
            turn=self.turn,
            stage=self.last.stage,
            slots=self.last.slots,
            expects=self.last.expects,
            ended=self.ended,
            disposition=self.disposition,
        )

    def _line_at(self, ms: int) -> str:
        left = ms
        for line in self.lines:
            if left < len(line.text) * MS_PER_CHARACTER:
                return line.text
            left -= len(line.text) * MS_PER_CHARACTER
        return self.lines[-1].text if self.lines else ""

    def _stops_at(self, ms: int) -> int:
        """When a stop at `ms` takes effect: at the end of a guarded span."""
        left = ms
        for line in self.lines:
            for begin, end in line.guarded:
                if begin * MS_PER_CHARACTER <= left < end * MS_PER_CHARACTER:
                    return ms + end * MS_PER_CHARACTER - left
            left -= len(line.text) * MS_PER_CHARACTER
        return ms

    def _heard(self, after_ms: int) -> tuple[HeardLine, ...]:
        left, heard = after_ms, []
        for line in self.lines:
            whole = len(line.text) * MS_PER_CHARACTER
            part = max(0, min(left, whole))
            heard.append(
                HeardLine(
                    node=line.node,
                    finished=part == whole,
                    heard_text=line.text[: part // MS_PER_CHARACTER],
                    heard_ms=part,
                )
            )
            left -= whole
        return tuple(heard)
