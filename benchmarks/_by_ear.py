"""Calls between two simulated people by sound: from the end of a customer's sound to the published card."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime
from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from bot.bus.assisted import AssistedCalls, OpenCall
from bot.bus.log import EventLog
from bot.bus.tasks import end
from bot.call.ports import HungUpIn, Recogniser
from bot.events import SuggestionEvent, UtteranceFinal
from bot.listening.ports import SIDES, TrackIn
from bot.listening.two_ears import TwoEars
from bot.phone.conversation import Conversation
from bot.phone.two_people import TwoPeople
from bot.processes.listener import Listener, listen
from bot.processes.voices import voice_of
from bot.speech.vad_silero import SileroDetector

TAIL_MS = 50


class TimedPeople(TwoPeople):
    """Two people whose sound begins at a known moment (`began`, s since 1970)."""

    began = 0.0

    async def tracks(self) -> AsyncIterator[TrackIn | HungUpIn]:
        """The sound of both sides; notes when it began."""
        async for track in super().tracks():
            if not self.began and isinstance(track, TrackIn):
                self.began = time.time() - track.at_ms / 1000
            yield track


async def by_ear(
    redis: Redis, calls: AssistedCalls, recogniser: Recogniser, conversation: Conversation, call_id: str
) -> tuple[list[float], list[float]]:
    """Hold one call; ms from the end of a customer's sound to the final words, and to the card."""
    people = TimedPeople(conversation, voice_of(conversation.agent), voice_of(conversation.customer))
    await people.prepare()
    at = datetime.now(ZoneInfo("Asia/Shanghai")).isoformat(timespec="milliseconds")
    await calls.open(
        OpenCall(
            call_id=call_id, script=conversation.script, agent_id=call_id, contact=conversation.contact, at=at
        )
    )
    words: list[float] = []
    cards: list[float] = []
    following = asyncio.create_task(_follow(redis, call_id, people, words, cards))
    try:
        ears = TwoEars(call_id, recogniser, SileroDetector)
        phrases = {side: people.phrases(side) for side in SIDES}
        await listen(people, ears, Listener(calls, call_id), phrases)
        await asyncio.sleep(1.0)
    finally:
        await end(following)
        await calls.end(call_id, "agent", people.duration_ms)
    return words, cards


async def _follow(
    redis: Redis, call_id: str, people: TimedPeople, words: list[float], cards: list[float]
) -> None:
    log, cursors = EventLog(redis), {call_id: 0}
    while True:
        for event in await log.tail(cursors, TAIL_MS):
            now = time.time()
            if isinstance(event, UtteranceFinal) and event.party == "customer":
                words.append((now - people.began) * 1000 - event.end_ms)
            elif isinstance(event, SuggestionEvent) and event.suggestion["rank"] == 1:
                cards.append((now - people.began) * 1000 - event.suggestion["t_utterance_end_ms"])
