"""A bot call handed over: the person starts with all that was said, heard and settled."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bot import events as ev
from bot.bus.assisted import OpenCall
from bot.bus.handed_over import NotHandedOver, handed_over

WALL = "2026-11-22T10:00:{:02d}.000+08:00"
CONTACT = {"name": "张伟", "consent": {"kind": "service_contract", "at": "2025-03-01T10:00:00+08:00"}}


def event(kind: type[ev.Event], at_ms: int, **fields: Any) -> Any:
    return kind(call_id="bot-1", tenant_id="t1", at_ms=at_ms, wall=WALL.format(at_ms // 1000), **fields)


def started(mode: str = "bot") -> Any:
    return event(
        ev.CallStarted, 0, direction="outbound", mode=mode, script="ringback", script_version="v1",
        customer={"city": "南京"},
    )  # fmt: skip


def a_call() -> list[ev.AnyEvent]:
    return [
        started(),
        event(ev.CallAnswered, 0),
        event(ev.ReplyEvent, 100, node="utter_ask_name", text="您好，请问是张先生吗？"),
        event(ev.Playback, 2100, node="utter_ask_name", heard_text="您好，请问是", heard_ms=1500,
              outcome="interrupted"),
        event(ev.UtterancePartial, 2000, party="customer", utterance_id="u1", text="我是", begin_ms=1800,
              end_ms=2000),
        event(ev.UtteranceFinal, 2600, party="customer", utterance_id="u1", text="我是啊", begin_ms=1800,
              end_ms=2500),
        event(ev.MeaningEvent, 2600, utterance_id="u1", acts=[{"name": "affirm", "confidence": 0.9}],
              entities=[{"entity": "count", "value": 1}], sentiment="neutral"),
        event(ev.SlotEvent, 2600, name="name_confirmed", value=False),
        event(ev.SlotEvent, 2700, name="name_confirmed", value=True),
        event(ev.SlotEvent, 2700, name="title", value="张先生"),
        event(ev.SlotEvent, 2700, name="disclosed", value="identity robot"),
        event(ev.SlotEvent, 2700, name="order", value=None),
        event(ev.UtterancePartial, 9000, party="customer", utterance_id="u2", text="找个人来", begin_ms=8200,
              end_ms=9000),
        event(ev.Handover, 10_000, to="agent", reason="customer_asked"),
    ]  # fmt: skip


def opened(events: list[ev.AnyEvent]) -> OpenCall:
    return handed_over(events, call_id="a-1", script="retention", agent_id="li", contact=CONTACT)


def test_all_that_was_said_is_there_in_its_order_with_acts_and_values() -> None:
    call = opened(a_call())
    assert [(line["party"], line["text"]) for line in call.earlier] == [
        ("bot", "您好，请问是"),
        ("customer", "我是啊"),
        ("customer", "找个人来"),
    ]
    assert call.earlier[1]["acts"] == [{"name": "affirm", "confidence": 0.9}]
    assert call.earlier[1]["entities"] == [{"entity": "count", "value": 1}]
    assert call.earlier[0]["node"] == "utter_ask_name"


def test_the_clock_begins_with_the_handover() -> None:
    call = opened(a_call())
    assert call.at == WALL.format(10)
    assert [(line["begin_ms"], line["end_ms"]) for line in call.earlier] == [
        (-9400, -7900),
        (-8200, -7500),
        (-1800, -1000),
    ]


def test_what_the_bot_settled_is_known_and_nothing_that_names_the_customer() -> None:
    facts = opened(a_call()).facts
    assert facts == {
        "name_confirmed": True, "disclosed": "identity robot", "handover_reason": "customer_asked",
    }  # fmt: skip


def test_tenant_direction_consent_and_the_bots_call_are_kept() -> None:
    call = opened(a_call())
    assert (call.tenant_id, call.direction, call.handed_over) == ("t1", "outbound", "bot-1")
    assert call.contact["consent"]["kind"] == "service_contract"


def test_it_passes_through_json_unchanged() -> None:
    call = opened(a_call())
    assert msgspec.json.decode(msgspec.json.encode(call), type=OpenCall) == call


def test_utterance_ids_are_unique_and_unlike_those_of_a_listener() -> None:
    ids = [line["utterance_id"] for line in opened(a_call()).earlier]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith("bot-") for name in ids)


@pytest.mark.parametrize("events", [[], a_call()[1:], [started("assist")]])
def test_what_is_no_bot_call_is_refused_in_words(events: list[ev.AnyEvent]) -> None:
    with pytest.raises(NotHandedOver, match="call"):
        opened(events)


def test_a_log_without_a_handover_opens_where_it_ends() -> None:
    call = opened(a_call()[:-1])
    assert "handover_reason" not in call.facts
    assert call.at == WALL.format(9)
