"""What must be said is ticked off, what must not be said is an alarm at the word, once a line."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.hearing.duties import forbidden, pressing, said_now, wrong_price
from assist.suggest.model import Alarm
from bot.understanding.values import extract
from tests.assist.small_script import NOW, SMALL


def alarms(text: str, known: tuple[Alarm, ...] = ()) -> list[Alarm]:
    return forbidden(SMALL, text, "u1", 1000, known)


@pytest.mark.parametrize(
    ("text", "nodes", "keys"),
    [
        ("我是华声通信的客户经理", (), ["identity"]),
        ("您好", ("utter_identity",), ["identity"]),
        ("每月最低五十八块", (), ["price"]),
        ("您好", (), []),
    ],
)
def test_a_must_say_is_done_by_its_words_or_its_line(text, nodes, keys):
    assert [item.key for item in said_now(SMALL, text, nodes, ())] == keys


def test_what_was_said_before_is_not_said_again():
    assert said_now(SMALL, "我是华声通信的客户经理", (), {"identity"}) == []


@pytest.mark.parametrize("text", ["我保证", "绝对不涨价", "这个我可以保证您"])
def test_forbidden_words_are_an_alarm_with_its_correction(text):
    [alarm] = alarms(text)
    assert alarm.at_ms == 1000
    assert (alarm.rule, alarm.utterance_id) == ("guarantee", "u1")
    assert alarm.remedy == "我更正一下,以合同写的为准。"
    assert alarm.words in text


@pytest.mark.parametrize("text", ["这个我不能保证", "我不敢保证", "您说得对", ""])
def test_harmless_words_are_none(text):
    assert alarms(text) == []


def test_a_harmless_place_does_not_hide_a_forbidden_one():
    text = "以前不能保证,那是以前的事情了,现在我们的产品我可以保证"
    assert [alarm.rule for alarm in alarms(text)] == ["guarantee"]


def test_each_rule_sounds_once_for_a_line():
    first = alarms("我保证绝对不涨")
    assert len(first) == 1
    assert alarms("我保证绝对不涨,真的保证", tuple(first)) == []
    assert [alarm.rule for alarm in alarms("我保证移动就是垃圾", tuple(first))] == ["rival"]
    assert len(forbidden(SMALL, "我保证", "u2", 2000, first)) == 1


@given(st.text(alphabet="我保证绝对不能敢移动垃圾,。", max_size=30))
def test_words_that_grow_bring_each_alarm_once_and_at_the_word(text):
    known: list[Alarm] = []
    for end in range(1, len(text) + 1):
        new = alarms(text[:end], tuple(known))
        for alarm in new:
            assert alarm.words in text[:end]
        known += new
    rules = [alarm.rule for alarm in known]
    assert len(rules) == len(set(rules))
    assert {alarm.rule for alarm in alarms(text)} <= set(rules)


def price_alarm(text: str, *allowed: int) -> Alarm | None:
    entities = [dict(entity) for entity in extract(text, NOW)]
    return wrong_price(text, entities, {Decimal(yuan) for yuan in allowed}, "u1", 0)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("这个套餐每月只要三十七块", True),
        ("套餐一个月五十八块钱", False),
        ("您是担心哪一块呢,是价格还是用不惯", False),
        ("套餐这一块我来帮您办", False),
        ("我昨天买菜花了三十七块", False),
        ("套餐每月五十八块,不是四十八块", True),
    ],
)
def test_a_price_that_nobody_offers_is_an_alarm_only_where_prices_are_talked_of(text, wrong):
    assert (price_alarm(text, 58) is not None) == wrong


def test_pressing_after_a_refusal_is_selling_in_any_form():
    cases = [("办一个吧", ("utter_close_direct",), None), ("给您办一个好吗", (), "offer")]
    for text, nodes, expects in cases:
        assert pressing(SMALL, text, nodes, expects, "u1", 0, over=True) is not None
        assert pressing(SMALL, text, nodes, expects, "u1", 0, over=False) is None
    assert pressing(SMALL, "好的,再见", ("utter_bye",), "pitch", "u1", 0, over=True) is None
