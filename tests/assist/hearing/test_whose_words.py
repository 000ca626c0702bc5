"""Figures as people say them, and whose they are."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assist.hearing.amounts import values_in
from assist.hearing.line import Line, parts_of, with_pauses


def line(text: str) -> Line:
    return Line("u", text, 0, (), today=date(2026, 11, 22))


@pytest.mark.parametrize(
    ("text", "value", "rough"),
    [
        ("一百来块", 100, True), ("七八十", 70, True), ("一百五六十", 150, True), ("一百五六", 150, True),
        ("小两百", 200, True), ("十五到二十个G", 15, True), ("三十来个G", 30, True), ("百八十块", 100, True),
        ("四五百分钟", 400, True), ("两三个月", 2, True), ("128块", 128, False),
        ("三十八块五", Decimal("38.5"), False),
        ("两年半", 30, False), ("十好几年", 120, True), ("一八年办的", 96, True), ("仨", 3, False),
    ],
)  # fmt: skip
def test_a_rough_figure_counts_as_its_lower_end(text: str, value: object, rough: bool) -> None:
    [found] = [found for found in values_in(line(text)) if found.kinds]
    assert (found.value, found.rough) == (value, rough)


@pytest.mark.parametrize(
    "text", ["几十块", "好几个", "一个月", "三楼", "六折", "5G手机", "第三", "一下", "10086", "晚上八点"]
)
def test_what_is_too_vague_or_no_figure_of_a_fact_counts_as_none(text: str) -> None:
    assert not values_in(line(text))


@pytest.mark.parametrize(
    ("text", "day"), [("明年三月", "2027-03-31"), ("年底", "2026-12-31"), ("八月", "2027-08-31")]
)
def test_a_month_is_its_last_day_and_lies_ahead(text: str, day: str) -> None:
    assert [value.value for value in values_in(line(text))] == [day]


@pytest.mark.parametrize(
    ("text", "words", "who"),
    [
        ("我妹的套餐59,我这个90", "59", "other"), ("我妹的套餐59,我这个90", "90", "own"),
        ("一百二,那是我老公的", "一百二", "other"), ("我老婆那个38", "38", "family"),
        ("人家移动才五十九", "五十九", "other"), ("你说的五十八", "五十八", "agent"),
    ],
)  # fmt: skip
def test_every_part_of_a_line_knows_whose_it_is(text: str, words: str, who: str) -> None:
    assert parts_of(line(text)).at(text.index(words)).who == who


def test_past_supposed_and_asked_parts_are_known_as_such() -> None:
    text = "以前五十,现在一百,要是八十就办,能便宜吗"
    then, now, perhaps, question = (parts_of(line(text)).at(text.index(word)) for word in "五一八能")
    assert (then.past, now.past, perhaps.supposes, question.asks) == (True, False, True, True)


def test_a_figure_that_is_taken_back_is_known() -> None:
    text = "九十八,啊不是,是八十九"
    assert parts_of(line(text)).corrected(text.index("九"), text.index("八十九"))


@pytest.mark.parametrize(
    ("text", "heard"),
    [("没装 就用流量", "没装，就用流量"), ("我 要 办 宽 带", "我 要 办 宽 带"), ("好的", "好的")],
)
def test_spaces_are_pauses_only_where_words_are_not_spaced(text: str, heard: str) -> None:
    assert with_pauses(text) == heard


@given(st.text(alphabet="我你他妈的是不对以前要一二三十百块个G月年,吗0129 ", max_size=40))
def test_parts_cover_a_line_and_values_lie_in_it(text: str) -> None:
    parts = parts_of(line(text)).parts
    assert parts[0].start == 0 and parts[-1].end == len(text)
    assert all(one.end == other.start for one, other in pairwise(parts))
    assert all(0 <= value.start < value.end <= len(text) for value in values_in(line(text)))
