"""Money, data, durations, shares, counts and numbers that name, in real phone Chinese and English."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.digits import spell_digits
from bot.understanding.numbers import to_chinese
from bot.understanding.values import extract

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Sunday
HOUR = 3_600_000
DAY = 24 * HOUR


def values(text: str) -> list[tuple[str, str | int]]:
    return [(entity["entity"], entity["value"]) for entity in extract(text, NOW)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # money
        ("三块五", [("money", "3.5")]),
        ("三块五毛", [("money", "3.5")]),
        ("五块九毛九", [("money", "5.99")]),
        ("五毛", [("money", "0.5")]),
        ("三块半", [("money", "3.5")]),
        ("每月要交一百二十八元呢", [("money", "128")]),
        ("两百五块钱", [("money", "250")]),
        ("十五点五元", [("money", "15.5")]),
        ("¥30", [("money", "30")]),
        ("1.5万块", [("money", "15000")]),
        ("thirty yuan", [("money", "30")]),
        ("a hundred and twenty yuan", [("money", "120")]),
        ("5块一个月", [("money", "5"), ("duration", 30 * DAY)]),
        ("十块一次太贵了", [("money", "10")]),
        ("一块去吃饭", []),
        ("我在这一块儿", []),
        ("几块钱", []),
        # data
        ("我用了二十个G", [("data_volume", 20480)]),
        ("送500M", [("data_volume", 500)]),
        ("一点五个g", [("data_volume", 1536)]),
        ("半个g", [("data_volume", 512)]),
        ("送5g流量", [("data_volume", 5120)]),
        ("五百兆", [("data_volume", 500)]),
        ("换4g卡", []),
        ("是5g的吗", []),
        ("300兆宽带", []),
        ("five gb", [("data_volume", 5120)]),
        # durations
        ("半小时", [("duration", HOUR // 2)]),
        ("一个半小时", [("duration", HOUR * 3 // 2)]),
        ("两个钟头", [("duration", 2 * HOUR)]),
        ("等两分钟", [("duration", 120_000)]),
        ("十天", [("duration", 10 * DAY)]),
        ("一刻钟", [("duration", 15 * 60_000)]),
        ("half an hour", [("duration", HOUR // 2)]),
        ("twelve months", [("duration", 360 * DAY)]),
        # shares and counts
        ("百分之二十", [("percent", "20")]),
        ("20%", [("percent", "20")]),
        ("打八折", [("percent", "80")]),
        ("八五折", [("percent", "85")]),
        ("一家三口人", [("count", "3")]),
        ("我们两个人用", [("count", "2")]),
        ("有三张卡", [("count", "3")]),
        # numbers that name
        ("尾号幺二三四", [("digits", "1234")]),
        ("尾号 1 2 3 x", [("digits", "123X")]),
        ("后四位是一二三叉", [("digits", "123X")]),
        ("后四位一二三四", [("digits", "1234")]),
        ("呃一二,三四", [("digits", "1234")]),
        ("1234", [("digits", "1234")]),
        ("last four one two three four", [("digits", "1234")]),
        ("幺三八零零幺三八零零零", [("phone", "13800138000")]),
        ("身份证11010519491231002x", [("id_number", "11010519491231002X")]),
        ("卡号6222021234567890128", [("card", "6222021234567890128")]),
        ("我的号是<PHONE>", [("phone", "<PHONE>")]),
        ("身份证<ID>", [("id_number", "<ID>")]),
        # nothing
        ("便宜一点", []),
        ("你再说一遍", []),
        ("一一说明白点", [("digits", "11")]),
        ("我不需要", []),
        ("第一次听说", []),
        ("phone calls all day", []),
        ("", []),
        ("😀😀", []),
    ],
)
def test_values_as_people_say_them(text: str, found: list[tuple[str, str | int]]) -> None:
    assert values(text) == found


@pytest.mark.parametrize("text", ["二十来块", "三四十块", "一百多块钱", "十几块", "两三个人", "两三天"])
def test_about_is_marked(text: str) -> None:
    (entity,) = extract(text, NOW)
    assert entity["approximate"] is True


def test_calendar_units_are_told_in_months_too() -> None:
    assert extract("一年", NOW)[0]["months"] == 12
    assert extract("半年", NOW)[0]["months"] == 6
    assert extract("两个月", NOW)[0]["months"] == 2
    assert "months" not in extract("十天", NOW)[0]
    assert "months" not in extract("半个月", NOW)[0]


def test_what_is_counted_is_told() -> None:
    assert extract("三口人", NOW)[0]["unit"] == "口人"


def test_a_whole_line_keeps_its_order_and_places() -> None:
    text = "行吧30块钱用一年,尾号幺二三四,明天下午三点打给我"
    found = extract(text, NOW)
    assert [entity["entity"] for entity in found] == ["money", "duration", "digits", "datetime"]
    assert [text[entity["start"] : entity["end"]] for entity in found] == [
        "30块钱",
        "一年",
        "幺二三四",
        "明天下午三点",
    ]


@given(st.integers(1, 99_999), st.sampled_from(["块", "元", "块钱"]))
def test_money_comes_back_spoken_and_written(yuan: int, unit: str) -> None:
    for said in (f"{to_chinese(yuan)}{unit}", f"{yuan}{unit}"):
        assert values(f"要{said}吗") == [("money", str(yuan))]


@given(st.decimals("0.1", "99.9", places=1).filter(lambda yuan: yuan % 1 != 0))
def test_broken_money_comes_back(yuan: Decimal) -> None:
    assert values(f"{to_chinese(yuan)}元") == [("money", str(yuan))]


@given(st.from_regex(r"[2-9][0-9]{3}", fullmatch=True))
def test_the_last_four_come_back(digits: str) -> None:
    assert values(f"尾号{spell_digits(digits)}") == [("digits", digits)]


@given(st.text("一二三两半十百点块元分个月号周明天下午早晚过后g5 30%:x折年零,小时<>phone at", max_size=30))
def test_any_line_gives_entities_that_tell_their_places(text: str) -> None:
    for now in (NOW, None):
        last = 0
        for entity in extract(text, now):
            assert last <= entity["start"] < entity["end"] <= len(text)
            assert text[entity["start"] : entity["end"]] == entity["text"]
            last = entity["end"]


@given(st.text(max_size=60))
def test_any_text_at_all_is_no_error(text: str) -> None:
    extract(text, NOW)


def test_ten_thousand_characters_are_no_error() -> None:
    assert extract("三块" * 250, NOW)
    extract("零" * 500, NOW)
