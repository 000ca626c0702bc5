"""No ID, phone or card number leaves in any spoken or written form; amounts, years, times stay."""

from __future__ import annotations

import re
from datetime import date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.masking import (
    PLACEHOLDERS,
    SHORT_RUN,
    SlidingMasker,
    find,
    is_card_number,
    is_id_number,
    mask,
    mask_partial,
)
from bot.understanding.numbers import to_chinese

ENGLISH = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
FORMS = ["0０零〇", "1１一幺", "2２二两", "3３三叁", "4４四", "5５五", "6６六陆", "7７七", "8８八", "9９九玖"]
DIGIT_OF = {char: str(value) for value, chars in enumerate(FORMS) for char in chars}
CARRIERS = [
    "{}",
    "我的号码是{}对吧",
    "你记一下啊,{}。",
    "身份证 {} 谢谢",
    "嗯{}",
    "好的,打{}找我老公",
    "call {} please",
]
GAPS = ["", "", " ", "-", "，", ",", "、", " 呃 ", ". ", "\u200b"]


@st.composite
def phones(draw: st.DrawFn) -> str:
    return draw(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))


@st.composite
def ids(draw: st.DrawFn) -> str:
    born = draw(st.dates(min_value=date(1930, 1, 1), max_value=date(2026, 1, 1))).strftime("%Y%m%d")
    place, order = (draw(st.from_regex(shape, fullmatch=True)) for shape in (r"[1-8][0-9]{5}", r"[0-9]{3}"))
    return next(f"{place}{born}{order}{x}" for x in "0123456789X" if is_id_number(f"{place}{born}{order}{x}"))


@st.composite
def cards(draw: st.DrawFn) -> str:
    body = draw(st.from_regex(r"(62|4[0-9]|5[1-5])[0-9]{13}([0-9]{3})?", fullmatch=True))
    return next(body + check for check in "0123456789" if is_card_number(body + check))


@st.composite
def dictated(draw: st.DrawFn, numbers: st.SearchStrategy[str]) -> str:
    """A number as it is written or said: mixed scripts, gaps between groups, or English words."""
    number = draw(numbers)
    if draw(st.integers(0, 4)) == 0:
        return " ".join("x" if char == "X" else ENGLISH[int(char)] for char in number)
    gap = draw(st.sampled_from(GAPS))
    places = draw(st.sets(st.integers(1, len(number) - 1)))
    said = ""
    for place, char in enumerate(number):
        said += gap if place in places else ""
        said += draw(st.sampled_from("xX叉")) if char == "X" else draw(st.sampled_from(FORMS[int(char)]))
    return said


@pytest.mark.parametrize(("kind", "numbers"), [("PHONE", phones()), ("ID", ids()), ("CARD", cards())])
def test_a_number_never_leaks_in_any_form(kind: str, numbers: st.SearchStrategy[str]) -> None:
    @given(dictated(numbers), st.sampled_from(CARRIERS))
    def holds(said: str, carrier: str) -> None:
        assert mask(carrier.format(said)) == carrier.format(f"<{kind}>")
        assert mask_partial(carrier.format(said)) == carrier.format(f"<{kind}>")

    holds()


@given(st.from_regex(r"[0-9]{11,19}", fullmatch=True), st.sampled_from(CARRIERS))
def test_eleven_to_nineteen_digits_are_masked_even_where_the_check_fails(digits: str, carrier: str) -> None:
    assert not re.search(r"\d", mask(carrier.format(digits)))


@given(st.text("0123456789零一二幺 -,.块年月日我叫姓王小明号<>IDPHONEx叉seven张三千万", max_size=40))
def test_masking_what_is_masked_changes_nothing(text: str) -> None:
    for function in (mask, mask_partial):
        once = function(text, ["张三", "John Seven"])
        assert function(once, ["张三", "John Seven"]) == once


@given(st.text("0123456789零一幺 -,块我x", max_size=40))
def test_spans_are_in_order_apart_and_tell_what_they_bound(text: str) -> None:
    last = 0
    for span in find(text):
        assert last <= span.start < span.end <= len(text)
        assert len(span.value) >= 7
        last = span.end


@given(st.integers(0, 9_999_999_999), st.sampled_from(["块", "元", "块钱", "万", "兆", "个", " yuan"]))
def test_amounts_stay(number: int, unit: str) -> None:
    for said in (f"{number}{unit}", f"{to_chinese(number)}{unit}", f"一共{number} {unit}呢"):
        assert mask(said) == said


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2099, 12, 31)))
def test_dates_years_and_times_stay(moment: datetime) -> None:
    for form in ("{:%Y年%m月%d日%H点%M分}", "{:%Y-%m-%d %H:%M}", "{:%H:%M}", "{:%Y}年"):
        said = form.format(moment)
        assert mask(said) == said


@pytest.mark.parametrize(
    "text",
    [
        "我每个月花一百二十八元",
        "二零二六年十一月二十二号下午三点半",
        "20261122",
        "2026-11-22 2026-11-30",
        "尾号一二三四",
        "95588打来的",
        "我叫你别打了",
        "我叫车了",
        "您贵姓",
        "流量二十个G用了10240M",
        "一年三百六十五天天天打",
        "",
    ],
)
def test_what_is_no_personal_data_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我叫王小明电话幺三八零零幺三八零零零", "我叫<NAME>电话<PHONE>"),
        ("我叫王明你是谁", "我叫<NAME>你是谁"),
        ("我姓欧阳,叫我小王", "我姓<NAME>,叫我小王"),
        ("免贵姓张啊", "免贵姓<NAME>啊"),
        ("我叫老李", "我叫<NAME>"),
        ("my name is John Smith and I'm busy", "my name is <NAME> and I'm busy"),
        ("座机010-87654321", "座机<PHONE>"),
        ("零二幺 六二三四 五六七八", "<PHONE>"),
        ("家里是八七六五四三二一", "家里是<PHONE>"),
        ("13800138000 13900139000", "<PHONE> <PHONE>"),
        ("幺三八零零幺三八零零", "<PHONE>"),  # the recogniser lost a digit
        ("+86 138 0013 8000", "+<PHONE>"),
        ("号码١٣٨٠٠١٣٨٠٠٠", "号码<PHONE>"),  # Arabic-Indic digits
        ("幺三八双零幺三八三个零", "<PHONE>"),
        ("<PHONE>是我的", "<PHONE>是我的"),
    ],
)
def test_lines_as_people_say_them(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_names_of_the_contact_are_masked_wherever_they_stand() -> None:
    assert mask("我是张伟,张 伟就是我", ["张伟"]) == "我是<NAME>,<NAME>就是我"
    assert mask("this is wei ZHANG", ["Wei Zhang"]) == "this is <NAME>"
    assert mask("张三一二三四", ["张三"]) == "<NAME>一二三四"
    assert mask("伟大", ["伟"]) == "伟大"  # one character names nobody


def test_in_partials_four_digits_are_too_many() -> None:
    assert mask_partial("尾号一二三") == "尾号一二三"
    assert mask_partial("尾号一二三四") == "尾号<DIGITS>"
    assert mask_partial("幺三八 零零") == "<DIGITS>"
    assert mask_partial("2026年") == "<DIGITS>年"


def test_a_span_does_not_show_its_value_when_printed() -> None:
    (span,) = find("打幺三八零零幺三八零零零")
    assert span.value == "13800138000"
    assert "13800138000" not in repr(span)


def clear_digits(text: str) -> int:
    for placeholder in PLACEHOLDERS:
        text = text.replace(placeholder, "")
    return sum(char in DIGIT_OF for char in text)


@given(st.one_of(phones(), ids(), cards()), st.sets(st.integers(1, 17), max_size=5), st.data())
def test_a_number_split_over_turns_shows_four_digits_at_most(
    number: str, cuts: set[int], data: st.DataObject
) -> None:
    masker = SlidingMasker()
    bounds = [0, *sorted(cut for cut in cuts if cut < len(number)), len(number)]
    shown = 0
    for start, stop in pairwise(bounds):
        said = "".join(
            "叉" if c == "X" else data.draw(st.sampled_from(FORMS[int(c)])) for c in number[start:stop]
        )
        lead = "我手机号是" if start == 0 else data.draw(st.sampled_from(["", "嗯,", "然后 "]))
        shown += clear_digits(masker.push(lead + said + data.draw(st.sampled_from(["", "。", " 呃"]))))
        if data.draw(st.booleans()):
            assert masker.push("嗯") == "嗯"
    assert shown <= SHORT_RUN


def test_the_last_four_of_an_id_can_be_given_twice_where_they_are_asked_for_twice() -> None:
    masker = SlidingMasker()
    assert masker.push("一二三四", fresh=True) == "一二三四"
    assert masker.push("一二三五", fresh=True) == "一二三五"
    assert masker.push("六七八九") == "<DIGITS>"


def test_a_word_that_begins_like_a_digit_is_no_digit() -> None:
    masker = SlidingMasker()
    assert masker.push("尾号一二三四") == "尾号一二三四"
    assert masker.push("一会儿打给你") == "一会儿打给你"


def test_other_words_between_begin_a_new_number() -> None:
    masker = SlidingMasker()
    assert masker.push("一二三") == "一二三"
    assert masker.push("你们是哪里的") == "你们是哪里的"
    assert masker.push("四五六") == "四五六"
    assert masker.push("我一个月一百二十块") == "我一个月一百二十块"
