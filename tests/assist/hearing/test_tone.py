"""Feeling, buying signals, signs of leaving and the customer's type, from acts and words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.hearing.tone import buying_signals, leaving_words, sentiment, strongest_type, type_points
from bot.understanding.acts import ACTS
from tests.assist.small_script import SMALL


@pytest.mark.parametrize(
    ("text", "acts", "feeling"),
    [
        ("你们老是打电话,烦死了", ("object_frequency",), "negative"),
        ("什么破信号", (), "negative"),
        ("我要投诉", ("complain",), "negative"),
        ("太贵了", ("object_price",), "neutral"),
        ("不太好", (), "neutral"),
        ("挺好的", (), "positive"),
        ("行那就办吧", ("accept_offer",), "positive"),
        ("一百二", ("inform",), "neutral"),
        ("", (), "neutral"),
    ],
)
def test_the_feeling_in_a_line(text, acts, feeling):
    assert sentiment(text, acts) == feeling


@given(st.text(max_size=40), st.lists(st.sampled_from(sorted(ACTS)), max_size=3))
def test_any_line_has_one_of_three_feelings(text, acts):
    assert sentiment(text, acts) in ("negative", "neutral", "positive")


def test_buying_signals_come_from_acts_and_from_words():
    assert buying_signals(SMALL, "那什么时候能装", ("ask_effective",)) == ("ask_effective", "什么时候能装")
    assert buying_signals(SMALL, "今天天气不错", ("chitchat",)) == ()


def test_words_of_leaving_are_heard():
    assert leaving_words(SMALL, "我要转到移动去,给我授权码") == ("转到移动", "授权码")
    assert leaving_words(SMALL, "我先看看") == ()


def test_the_customer_s_type_is_the_one_with_the_most_signs_and_none_on_a_tie():
    assert type_points(SMALL.types, "到底多少钱,具体算一下") == {"exact": 3, "dominant": 0}
    assert strongest_type({"exact": 3, "dominant": 1}) == "exact"
    assert strongest_type({"exact": 1, "dominant": 1}) is None
    assert strongest_type({"exact": 0}) is None
    assert strongest_type({}) is None
