"""Spoken numbers there and back, and digits read one by one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.digits import find_digit_runs, spell_digits
from bot.understanding.numbers import parse_number, to_chinese


@given(st.integers(0, 10**16 - 1))
def test_every_number_said_in_full_comes_back(number: int) -> None:
    assert parse_number(to_chinese(number)) == number


@given(st.decimals(0, 99_999, places=2))
def test_every_decimal_said_in_full_comes_back(number: Decimal) -> None:
    assert parse_number(to_chinese(number)) == number


@given(st.text("零一二三四五六七八九十百千万亿两点幺0123456789.,", max_size=12))
def test_any_mixture_is_a_number_or_none_and_never_an_error(text: str) -> None:
    value = parse_number(text)
    assert value is None or value >= 0


@pytest.mark.parametrize("number", [-1, 10**16])
def test_what_cannot_be_said_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="is not in 0 to"):
        to_chinese(number)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("两百五", 250),
        ("二百五十", 250),
        ("两百零五", 205),
        ("一千二", 1200),
        ("一千零二十", 1020),
        ("一千一百二", 1120),
        ("一百零三", 103),
        ("一百一", 110),
        ("一万三", 13_000),
        ("一亿三", 130_000_000),
        ("一亿三千万", 130_000_000),
        ("十", 10),
        ("一十五", 15),
        ("十五点五", "15.5"),
        ("零点零五", "0.05"),
        ("一点五万", 15_000),
        ("1.5万", 15_000),
        ("3百", 300),
        ("1,280", 1280),
        ("半", "0.5"),
        ("贰佰", 200),
        ("twenty five", 25),
        ("twenty-five", 25),
        ("one hundred and twenty", 120),
        ("a hundred", 100),
        ("two thousand three hundred", 2300),
        ("two point five", "2.5"),
        ("half", "0.5"),
    ],
)
def test_numbers_as_people_say_them(said: str, value: int | str) -> None:
    assert parse_number(said) == Decimal(value)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "一二三",
        "百",
        "二十三四",
        "多少",
        "12,34",
        "点五",
        "三点",
        "two three",
        "and",
        "a",
        "十百",
        "百二十",
    ],
)
def test_what_is_no_single_number_is_none(said: str) -> None:
    assert parse_number(said) is None


@given(st.text("0123456789", min_size=1, max_size=20), st.sampled_from(["幺", "一"]))
def test_digits_read_one_by_one_come_back(digits: str, one: str) -> None:
    (run,) = find_digit_runs(spell_digits(digits, one=one))
    assert run.digits == digits
    assert (run.start, run.end) == (0, len(digits))


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("幺三八零零幺三八零零零", ["13800138000"]),
        ("138-0013，八零零零", ["13800138000"]),
        ("１３８ 0013", ["1380013"]),
        ("妖三八 零零要三", ["1380013"]),  # what recognisers write for 幺
        ("要三八零零幺三八零零零", ["13800138000"]),
        ("我要三八", ["38"]),
        ("双八一零", ["8810"]),
        ("三个八", ["888"]),
        ("one three eight double oh", ["13800"]),
        ("尾号是 1 2 3 4 对吧", ["1234"]),
        ("二零二六年", ["2026"]),
        ("一百二十八元", []),
        ("三千五", []),
        ("姓万幺三八零", ["1380"]),
        ("幺三八零零幺三八零零零万一打不通", ["13800138000"]),
        ("phone none someone", []),
    ],
)
def test_runs_of_digits_as_people_dictate_them(said: str, digits: list[str]) -> None:
    runs = [run.digits for run in find_digit_runs(said)]
    assert [run for run in runs if len(run) > 1] == digits


@given(st.text("一二三0 5,八双个百，零a", max_size=30))
def test_each_digit_knows_its_place(text: str) -> None:
    last = 0
    for run in find_digit_runs(text):
        assert last <= run.start == run.starts[0] and run.end == run.ends[-1]
        assert len(run.digits) == len(run.starts) == len(run.ends)
        assert all(a <= b for a, b in zip(run.starts, run.starts[1:], strict=False))
        last = run.end
