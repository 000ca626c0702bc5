"""When a callback is, and how its time is said."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.times import named_time, same_hour_tomorrow, spoken
from bot.understanding.values import extract

NOW = datetime.fromisoformat("2026-11-23T10:20:00+08:00")  # a Monday
HOURS = (9, 20)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("明天下午三点半", "明天下午3点半"),
        ("下午吧", "今天下午3点"),
        ("下周二上午", "下周二上午10点"),
        ("两个小时以后", "今天中午12点20分"),
        ("周四", "周四上午10点20分"),
    ],
)
def test_a_time_in_the_customers_words_is_read_back(words: str, said: str) -> None:
    when = named_time(extract(words, NOW), NOW, HOURS)
    assert when is not None and spoken(when, NOW) == said


@pytest.mark.parametrize("words", ["晚上十点", "回头再说", "凌晨三点", "一二三四", ""])
def test_a_time_at_which_we_may_not_call_is_none(words: str) -> None:
    assert named_time(extract(words, NOW), NOW, HOURS) is None


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)))
def test_without_a_time_it_is_tomorrow_within_the_hours(moment: datetime) -> None:
    now = moment.replace(tzinfo=NOW.tzinfo)
    when = same_hour_tomorrow(now, HOURS)
    assert when.date() == now.date() + timedelta(days=1)
    assert HOURS[0] <= when.hour < HOURS[1]
    assert spoken(when, now).startswith("明天")
