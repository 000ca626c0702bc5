"""Plays conversations between two simulated people as assisted calls on the real processes.

Words go to the bus as they would be recognised, or the sound of both sides goes through two ears;
the call's log is followed as it grows, and its advice is checked against what the conversation asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from assist.suggest.model import CARD_KINDS
from bot.bus import BusError
from bot.bus.assisted import AssistedCalls, OpenCall
from bot.bus.log import EventLog
from bot.bus.tasks import end
from bot.call.ports import Recogniser
from bot.data_folder import PROJECT
from bot.events import DISPOSITIONS, AnyEvent, CallEnded
from bot.listening.ports import SIDES
from bot.listening.two_ears import TwoEars
from bot.phone.conversation import Conversation, load_conversations
from bot.phone.two_people import TwoPeople
from bot.processes.assist_workers import RegisteredWorkers
from bot.processes.listener import CallGone, Listener, listen
from bot.processes.voices import voice_of
from bot.speech.vad_silero import SileroDetector
from bot.store.keys import Keys
from bot.store.sealing import Sealer
from commands.advice_check import AdviceCheck

CONVERSATIONS = PROJECT / "assist_calls"
TAIL_MS = 200
SUMMED_UP_S = 15.0
"""How long the worker may take for the last record of a call."""

Show = Callable[[AnyEvent], None]


@dataclass
class Played:
    """What became of one call: advice that did not come as asked, how many cards came, what broke."""

    call_id: str
    conversation: Conversation
    missing: list[str] = field(default_factory=list)
    cards: int = 0
    error: str | None = None


def conversations(names: list[str]) -> list[Conversation]:
    """The conversations of these names, all where none is named.  Raises ValueError, YamlError."""
    known = load_conversations(CONVERSATIONS, CARD_KINDS, DISPOSITIONS)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(
            f"没有这段对话 / unknown conversation '{unknown[0]}' → known: {', '.join(sorted(known))}"
        )
    return [known[name] for name in (names or known)]


class Stage:
    """Where conversations are played: a bus, and ears where the people are to be heard by ear."""

    def __init__(self, redis: Redis, recogniser: Recogniser | None = None) -> None:
        """`recogniser` None: words come as text by the time of their sound.  Raises KeyFileError."""
        self._calls = AssistedCalls(redis, Sealer(Keys.load()), RegisteredWorkers(redis))
        self._log = EventLog(redis)
        self._recogniser = recogniser

    async def play(self, conversation: Conversation, agent_id: str, show: Show) -> Played:
        """Hold one call to its end; `show` is told each event.  What breaks it stands in the result."""
        people = TwoPeople(conversation, voice_of(conversation.agent), voice_of(conversation.customer))
        await people.prepare()
        played = Played(f"{conversation.name}-{uuid.uuid4().hex[:8]}", conversation)
        check = AdviceCheck(conversation, people.line_at)
        try:
            await self._calls.open(_opening(played, agent_id))
            following = asyncio.create_task(self._follow(played.call_id, check, show))
            try:
                await self._talk(people, played.call_id)
                await asyncio.wait_for(following, SUMMED_UP_S)
            finally:
                await end(following)
                with contextlib.suppress(BusError):
                    await self._end(people, played.call_id)
        except TimeoutError:
            played.error = f"no call.ended came within {SUMMED_UP_S:g} s of the end"
        except (BusError, CallGone) as error:
            played.error = str(error)
        played.missing, played.cards = check.missing(), check.cards
        return played

    async def _talk(self, people: TwoPeople, call_id: str) -> None:
        listener = Listener(self._calls, call_id)
        if self._recogniser is None:
            await listener.pass_on(people.heard())
        else:
            ears = TwoEars(call_id, self._recogniser, SileroDetector)
            await listen(people, ears, listener, {side: people.phrases(side) for side in SIDES})
        await self._end(people, call_id)

    async def _end(self, people: TwoPeople, call_id: str) -> None:
        """Hang up; a second time does nothing."""
        conversation = people.conversation
        await self._calls.end(call_id, conversation.end, people.duration_ms, conversation.disposition)

    async def _follow(self, call_id: str, check: AdviceCheck, show: Show) -> None:
        cursors = {call_id: 0}
        while True:
            for event in await self._log.tail(cursors, TAIL_MS):
                check.take(event)
                show(event)
                if isinstance(event, CallEnded):
                    return


def _opening(played: Played, agent_id: str) -> OpenCall:
    conversation = played.conversation
    zone = ZoneInfo(str(conversation.contact.get("timezone") or "Asia/Shanghai"))
    return OpenCall(
        call_id=played.call_id, script=conversation.script, agent_id=agent_id, contact=conversation.contact,
        at=datetime.now(zone).isoformat(timespec="milliseconds"), direction=conversation.direction,
    )  # fmt: skip
