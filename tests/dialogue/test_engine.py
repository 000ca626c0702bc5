"""The engine on the real script: answered once, forks leave no trace, another engine goes on."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from actions.memory import MemoryEffects
from bot.dialogue.engine import Engine
from bot.dialogue.version import ScriptVersion
from bot.turn import HeardLine, Reply, TurnRequest

AT = "2026-11-22T10:00:00+08:00"


class KeptTurns:
    """Turn records of all calls, as Redis would keep them."""

    def __init__(self) -> None:
        self.records: dict[str, list[bytes]] = {}

    async def append(self, tenant_id: str, call_id: str, record: bytes) -> None:
        self.records.setdefault(call_id, []).append(record)

    async def load(self, tenant_id: str, call_id: str) -> list[bytes]:
        return self.records.get(call_id, [])


class Caller:
    """One call on an engine, by acts."""

    def __init__(self, engine: Engine, contact: dict[str, Any], call_id: str = "call") -> None:
        self.engine, self.contact, self.call_id, self.turn = engine, contact, call_id, 0

    def request(self, *acts: str, **fields: Any) -> TurnRequest:
        given = tuple({"name": act, "confidence": 0.9} for act in acts) if acts else None
        kind = fields.pop("kind", "say")
        turn = fields.pop("turn", self.turn)
        return TurnRequest(call_id=self.call_id, turn=turn, kind=kind, at=AT, acts=given, **fields)

    async def start(self) -> Reply:
        return await self.send(self.request(kind="open", script="ringback", contact=self.contact, seed=7))

    async def say(self, *acts: str, **fields: Any) -> Reply:
        return await self.send(self.request(*acts, **fields))

    async def send(self, request: TurnRequest) -> Reply:
        self.turn = request.turn + 1
        return await self.engine.ask(request)

    async def to_the_order_question(self) -> Reply:
        await self.start()
        for act in ("affirm", "affirm", "accept_offer"):
            await self.say(act)
        digits = {"entity": "digits", "value": "1234", "text": "1234", "start": 0, "end": 4}
        return await self.say("inform", entities=(digits,))


def engine_of(version: ScriptVersion, **parts: Any) -> Engine:
    engine = Engine(**parts)
    engine.add(version)
    return engine


async def test_a_call_goes_from_greeting_to_order(ringback: ScriptVersion, contact: dict[str, Any]) -> None:
    effects = MemoryEffects()
    caller = Caller(engine_of(ringback, effects=effects), contact)
    asked = await caller.to_the_order_question()
    assert asked.slots["asked"] == "id"
    done = await caller.say("affirm", utterance_id="u9")
    assert done.ended
    assert (done.disposition, done.grade) == ("accepted", "A")
    assert len(effects.orders.done) == 1


async def test_the_terms_hold_their_price_and_their_way_out_against_interruption(
    ringback: ScriptVersion, contact: dict[str, Any]
) -> None:
    terms = (await Caller(engine_of(ringback), contact).to_the_order_question()).lines
    for node, words in (("utter_terms_price", ("30块", "12个月")), ("utter_terms_cancel", ("退", "幺"))):
        [line] = [line for line in terms if line.node == node]
        [(begin, end)] = line.guarded
        assert all(word in line.text[begin:end] for word in words), line
    assert not [line for line in terms if "【" in line.text or "】" in line.text]


@pytest.mark.parametrize("do", ["hang_up", "leave_message"])
async def test_at_a_machine_the_script_says_its_message_or_nothing(
    ringback: ScriptVersion, contact: dict[str, Any], monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    voicemail = msgspec.structs.replace(ringback.settings.voicemail, do=do)
    monkeypatch.setattr(
        ringback, "_settings", msgspec.structs.replace(ringback.settings, voicemail=voicemail)
    )
    caller = Caller(engine_of(ringback), contact)
    await caller.start()
    reply = await caller.send(caller.request(kind="voicemail"))
    assert (reply.ended, reply.disposition) == (True, "voicemail")
    assert reply.text == (voicemail.message if do == "leave_message" else None)


async def test_a_repeated_turn_is_answered_from_memory_and_orders_once(
    ringback: ScriptVersion, contact: dict[str, Any]
) -> None:
    effects = MemoryEffects()
    caller = Caller(engine_of(ringback, effects=effects), contact)
    await caller.to_the_order_question()
    request = caller.request("affirm", utterance_id="u9")
    first = await caller.engine.ask(request)
    assert await caller.engine.ask(request) == first
    assert len(effects.orders.done) == 1


async def test_a_speculative_turn_leaves_no_trace(ringback: ScriptVersion, contact: dict[str, Any]) -> None:
    plain = Caller(engine_of(ringback), contact)
    probed = Caller(engine_of(ringback), contact)
    replies = []
    for caller in (plain, probed):
        heard = [await caller.start()]
        for act in ("affirm", "ask_price", "object_price", "accept_offer"):
            if caller is probed:
                for guess in ("decline_offer", "request_dnc", act):
                    await caller.engine.ask(caller.request(guess, speculative=True))
            heard.append(await caller.say(act))
        replies.append([(reply.text, reply.slots, reply.disposition) for reply in heard])
    assert replies[0] == replies[1]


async def test_a_fork_stops_at_an_effect_and_nothing_happens(
    ringback: ScriptVersion, contact: dict[str, Any]
) -> None:
    effects = MemoryEffects()
    caller = Caller(engine_of(ringback, effects=effects), contact)
    await caller.to_the_order_question()
    fork = await caller.engine.ask(caller.request("affirm", speculative=True))
    assert fork.speculation == "effect"
    assert not fork.lines
    assert not effects.orders.done
    assert (await caller.say("affirm")).disposition == "accepted"


async def test_a_fork_without_effects_says_what_the_turn_will_say(
    ringback: ScriptVersion, contact: dict[str, Any]
) -> None:
    caller = Caller(engine_of(ringback), contact)
    await caller.start()
    fork = await caller.engine.ask(caller.request("affirm", speculative=True))
    real = await caller.say("affirm")
    assert fork.speculation == "ready"
    assert fork.text == real.text


@pytest.mark.parametrize("lost_after", [1, 3, 5])
async def test_another_engine_goes_on_where_the_first_one_died(
    ringback: ScriptVersion, contact: dict[str, Any], lost_after: int
) -> None:
    effects, turns = MemoryEffects(), KeptTurns()
    digits = {"entity": "digits", "value": "1234", "text": "1234", "start": 0, "end": 4}
    inputs: list[dict[str, Any]] = [
        {"acts": ("affirm",)},
        {"acts": ("ask_cancel",)},
        {"acts": ("affirm",)},
        {"acts": ("accept_offer",)},
        {"acts": ("inform",), "entities": (digits,)},
        {"acts": ("affirm",), "utterance_id": "u9"},
    ]
    caller = Caller(engine_of(ringback, effects=effects, turns=turns), contact)
    whole = Caller(engine_of(ringback), contact)
    await caller.start()
    await whole.start()
    for number, item in enumerate(inputs):
        if number == lost_after:
            caller.engine = engine_of(ringback, effects=effects, turns=turns)
        fields = dict(item)
        acts = fields.pop("acts")
        assert (await caller.say(*acts, **fields)).text == (await whole.say(*acts, **fields)).text
    assert len(effects.orders.done) == 1


async def test_a_line_not_heard_to_its_end_proves_nothing(
    ringback: ScriptVersion, contact: dict[str, Any]
) -> None:
    effects = MemoryEffects()
    caller = Caller(engine_of(ringback, effects=effects), contact)
    read_back = await caller.to_the_order_question()
    cut = (
        HeardLine(node=read_back.lines[0].node, finished=False, heard_text="跟您", heard_ms=400),
        *(HeardLine(node=line.node, finished=False) for line in read_back.lines[1:]),
    )
    reply = await caller.say("affirm", heard=cut)
    assert reply.disposition != "accepted"
    assert not effects.orders.done


async def test_no_personal_number_is_in_a_record_or_a_reply(
    ringback: ScriptVersion, contact: dict[str, Any]
) -> None:
    turns = KeptTurns()
    caller = Caller(engine_of(ringback, turns=turns), contact)
    reply = await caller.to_the_order_question()
    later = b"".join(turns.records["call"][1:])
    assert b"1234" not in later
    assert "1234" not in str(reply.entities) + str(reply.slots)


async def test_a_missing_fee_is_named_before_anything_is_said(
    ringback: ScriptVersion, contact: dict[str, Any]
) -> None:
    del contact["monthly_fee_ringback"]
    reply = await Caller(engine_of(ringback), contact).start()
    assert reply.error is not None
    assert "monthly_fee_ringback" in reply.error
    assert reply.ended
    assert not reply.lines


@pytest.mark.parametrize("text", ["", "   ", "😀🎉", "啊" * 10_000, "\x00\u202e"])
async def test_odd_words_get_a_short_answer(
    ringback: ScriptVersion, contact: dict[str, Any], text: str
) -> None:
    caller = Caller(engine_of(ringback), contact)
    await caller.start()
    reply = await caller.send(TurnRequest(call_id="call", turn=1, kind="say", at=AT, text=text))
    assert reply.error is None
    assert reply.text


async def test_many_calls_at_once_do_not_mix(ringback: ScriptVersion, contact: dict[str, Any]) -> None:
    engine = engine_of(ringback)
    fees = list(range(4, 24))

    async def pitch(fee: int) -> str | None:
        caller = Caller(engine, {**contact, "monthly_fee_ringback": fee}, call_id=f"call-{fee}")
        await caller.start()
        await caller.say("affirm")
        return (await caller.say("affirm")).text

    for fee, text in zip(fees, await asyncio.gather(*map(pitch, fees)), strict=True):
        assert text is not None
        assert str(fee * 12) in text


async def test_an_unknown_call_is_an_error_not_a_crash(
    ringback: ScriptVersion, contact: dict[str, Any]
) -> None:
    reply = await engine_of(ringback).ask(TurnRequest(call_id="none", turn=4, kind="say", at=AT, text="好"))
    assert reply.error is not None
    assert reply.ended
