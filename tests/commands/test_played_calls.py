"""A played conversation is a whole assisted call on the bus, from its opening to its last record."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from assist.suggest.model import CARD_KINDS
from bot import events as ev
from bot.bus import keys
from bot.bus.log import EventLog
from bot.events import DISPOSITIONS
from bot.phone.conversation import Conversation, load_conversation
from bot.processes.assist_workers import KIND
from bot.processes.registry import BrainInfo, publish
from commands.played_calls import Stage

TALK = """
name: talk
zh: 短
en: short
script: bundle
contact: {name: 张伟, phone: "13800138000", city: 南京}
disposition: declined
lines:
  - {agent: "张伟您好", after_ms: 100}
  - {customer: "太贵了", card: [rebuttal]}
"""


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Conversation:
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))
    (tmp_path / "talk.yml").write_text(TALK, encoding="utf-8")
    return load_conversation(tmp_path / "talk.yml", CARD_KINDS, DISPOSITIONS)


async def advise(redis: Redis, cards: bool) -> None:
    """An assist worker in little: announced, it answers the customer's line and the end."""
    log, last = EventLog(redis), b"0"
    while True:
        info = BrainInfo(name="assist-1", versions=(("bundle", "v1"),))
        await publish(redis, info, KIND)
        found = await redis.xread({keys.assist_inbox("assist-1"): last}, block=200)
        for entry_id, fields in found[0][1] if found else []:
            last = entry_id
            call_id = fields[b"c"].decode()
            writer = await log.take(call_id, "assist")
            stamp = {"call_id": call_id, "at_ms": 0, "wall": "2026-11-22T10:00:00+08:00"}
            event: ev.Event | None = None
            if b"end" in fields:
                how = msgspec.json.decode(fields[b"end"])
                event = ev.CallEnded(**stamp, by=how["by"], cause="hung_up", disposition=how["disposition"])
            elif cards and _is_customers(ev.decode(fields[b"e"])):
                card = {"id": f"{call_id}.1", "kind": "rebuttal", "text": "理解您", "rank": 1}
                event = ev.SuggestionEvent(**stamp, suggestion=card)
            if event is not None:
                await log.append(writer, ev.encode(event))


def _is_customers(event: ev.AnyEvent) -> bool:
    return isinstance(event, ev.UtteranceFinal) and event.party == "customer"


@pytest.mark.parametrize("cards", [True, False])
async def test_a_conversation_is_played_to_its_end_and_its_advice_is_judged(
    redis: Redis, talk: Conversation, cards: bool
) -> None:
    worker = asyncio.create_task(advise(redis, cards))
    while not await redis.smembers(keys.members(KIND)):
        await asyncio.sleep(0)
    seen: list[ev.AnyEvent] = []
    try:
        played = await Stage(redis).play(talk, "demo-1", seen.append)
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)
    assert played.error is None
    assert [bool(played.missing), played.cards] == [not cards, int(cards)]
    assert isinstance(seen[0], ev.CallStarted) and isinstance(seen[-1], ev.CallEnded)
    assert (seen[0].agent_id, seen[-1].disposition) == ("demo-1", "declined")
    texts = [event.text for event in seen if isinstance(event, ev.UtteranceFinal)]
    assert texts == ["<NAME>您好", "太贵了"], "the name is masked before anything is kept"
    assert any(isinstance(event, ev.UtterancePartial) for event in seen)


async def test_without_a_worker_the_call_says_what_to_start(redis: Redis, talk: Conversation) -> None:
    played = await Stage(redis).play(talk, "demo-1", lambda event: None)
    assert played.error is not None and "assist.worker" in played.error
