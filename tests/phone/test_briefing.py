"""What an agent is told: who, what about, how far, what was refused, what he wants now; short, no numbers."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import events as ev
from bot.call.pcm import duration_ms
from bot.phone.briefing import LONGEST_S, briefing, seconds
from bot.speech.tts_espeak import EspeakSettings, EspeakVoice

ACTS = ["object_price", "object_distrust", "object_no_need", "ask_price", "ask_cancel", "affirm", "complain"]
STAGES = ["opening", "introduction", "intent", "objections", "identity", "details", "closing"]
REASONS = ["customer_asked", "complaint", "not_understood", "inbound", "x"]
DIGITS = re.compile(r"[0-9零〇幺一二三四五六七八九十]{3}")


def event(kind: type[ev.Event], **fields: Any) -> Any:
    return kind(call_id="c", tenant_id="t", at_ms=0, wall="2026-11-22T10:00:00+08:00", **fields)


def said(*acts: str) -> list[Any]:
    return [
        event(ev.MeaningEvent, utterance_id=f"u{number}", acts=[{"name": act, "confidence": 0.9}])
        for number, act in enumerate(acts)
    ]


def at(*stages: str) -> list[Any]:
    return [event(ev.ReplyEvent, node="n", text="", stage=stage) for stage in stages]


def slots(**values: Any) -> list[Any]:
    return [event(ev.SlotEvent, name=name, value=value) for name, value in values.items()]


def told(events: list[Any], language: str = "zh", **more: Any) -> str:
    given = {"reason": "customer_asked", "name": "张伟", "about": "彩铃包年"} | more
    return briefing(events, language=language, **given)


def test_it_says_who_what_about_how_far_what_was_objected_settled_and_wanted() -> None:
    events = at("opening", "intent", "closing") + said("object_price", "affirm", "ask_human")
    events += slots(id_check="pass", refusals="1", order=None)
    assert told(events) == "张伟，彩铃包年，在问要不要办，嫌贵，拒绝过一次，身份已核对，现在要找人工。"
    english = told(events, "en", name="Li Wei", about="Ringback tone, a year prepaid")
    assert english == (
        "Li Wei, about Ringback tone, a year prepaid, asked to take it, too dear, refused once, "
        "identity checked, now wants a person."
    )


def test_the_last_two_objections_count_each_once() -> None:
    events = said("object_no_need", "object_price", "object_distrust", "object_price")
    assert told(events) == "张伟，彩铃包年，不信任，嫌贵，现在要找人工。"


def test_a_refusal_for_good_is_always_said_whatever_else_there_is() -> None:
    events = (
        at(*STAGES) + said(*ACTS) + slots(selling_over=True, refusals="2", id_check="retry", order="placed")
    )
    assert "已明确拒绝" in told(events)
    assert "refused for good" in told(events, "en")


def test_an_order_counts_only_where_it_was_placed() -> None:
    assert "已下单" in told(slots(order="placed"))
    assert "已下单" not in told(slots(order="no_consent"))


@pytest.mark.parametrize(
    "name", ["110105199001011234", "张13800138000", "一三八零零", "", None, "a" * 60, "张\n伟"]
)
def test_a_name_that_is_none_is_left_out(name: str | None) -> None:
    assert told([], name=name).startswith("客户姓名未知，")


@given(
    st.lists(st.sampled_from(ACTS), max_size=12),
    st.lists(st.sampled_from(STAGES), max_size=4),
    st.sampled_from(REASONS),
    st.sampled_from(["zh", "en"]),
    st.text(max_size=30),
    st.text(max_size=60),
    st.fixed_dictionaries({"refusals": st.sampled_from(["0", "1", "2"]), "selling_over": st.booleans(),
                           "id_check": st.sampled_from(["none", "pass", "retry", "fail"]),
                           "order": st.sampled_from([None, "placed", "failed"])}),
)  # fmt: skip
def test_it_is_short_and_holds_no_number_whatever_the_log_says(
    acts: list[str],
    stages: list[str],
    reason: str,
    language: str,
    name: str,
    about: str,
    state: dict[str, Any],
) -> None:
    events = at(*stages) + said(*acts) + slots(**state)
    text = briefing(events, language=language, reason=reason, name=name, about=about)
    assert seconds(text) < LONGEST_S
    assert not any(one.isdigit() for one in text) and not DIGITS.search(text)


@pytest.mark.parametrize(("language", "voice"), [("zh", "cmn"), ("en", "en")])
def test_the_longest_one_is_said_in_under_12_seconds(language: str, voice: str) -> None:
    events = (
        at(*STAGES[:-1])
        + said(*ACTS)
        + slots(selling_over=True, refusals="2", id_check="pass", order="placed")
    )
    text = told(events, language, name="欧阳小明" if language == "zh" else "Alexander Hamilton")
    sound = asyncio.run(EspeakVoice(EspeakSettings(language=voice), inline=True).synthesize(text))
    assert 3_000 < duration_ms(sound) < LONGEST_S * 1000
