"""Dates and times relative to now, in the callee's zone; and the moment of a callback."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.understanding.callback_time import callback_moment
from bot.understanding.values import extract

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))  # a Sunday, ten in the morning


@pytest.mark.parametrize(
    ("text", "entity", "value"),
    [
        ("明天下午三点半", "datetime", "2026-11-23T15:30:00+08:00"),
        ("下午三点,明天吧", "datetime", "2026-11-23T15:00:00+08:00"),
        ("明天的下午三点", "datetime", "2026-11-23T15:00:00+08:00"),
        ("今晚八点", "datetime", "2026-11-22T20:00:00+08:00"),
        ("明早九点", "datetime", "2026-11-23T09:00:00+08:00"),
        ("明天三点", "datetime", "2026-11-23T15:00:00+08:00"),
        ("明天九点", "datetime", "2026-11-23T09:00:00+08:00"),
        ("明天中午十二点", "datetime", "2026-11-23T12:00:00+08:00"),
        ("明天中午一点", "datetime", "2026-11-23T13:00:00+08:00"),
        ("明晚十二点", "datetime", "2026-11-24T00:00:00+08:00"),
        ("下周二上午十点", "datetime", "2026-11-24T10:00:00+08:00"),
        ("十二月五号下午三点", "datetime", "2026-12-05T15:00:00+08:00"),
        ("明天 15:30", "datetime", "2026-11-23T15:30:00+08:00"),
        ("半小时以后", "datetime", "2026-11-22T10:30:00+08:00"),
        ("过两个小时", "datetime", "2026-11-22T12:00:00+08:00"),
        ("两天后上午十点", "datetime", "2026-11-24T10:00:00+08:00"),
        ("三点半", "time", "2026-11-22T15:30:00+08:00"),
        ("三点二十", "time", "2026-11-22T15:20:00+08:00"),
        ("三点二十五分", "time", "2026-11-22T15:25:00+08:00"),
        ("3点一刻", "time", "2026-11-22T15:15:00+08:00"),
        ("八点", "time", "2026-11-22T20:00:00+08:00"),
        ("十一点", "time", "2026-11-22T11:00:00+08:00"),
        ("早上九点", "time", "2026-11-23T09:00:00+08:00"),  # nine is past today
        ("十五点", "time", "2026-11-22T15:00:00+08:00"),
        ("一点钟", "time", "2026-11-22T13:00:00+08:00"),
        ("明天", "date", "2026-11-23"),
        ("大后天", "date", "2026-11-25"),
        ("下周二", "date", "2026-11-24"),
        ("这周五", "date", "2026-11-20"),
        ("下下个礼拜五", "date", "2026-12-04"),
        ("周三", "date", "2026-11-25"),
        ("星期天", "date", "2026-11-22"),
        ("周末", "date", "2026-11-28"),
        ("过两天", "date", "2026-11-24"),
        ("三天以后", "date", "2026-11-25"),
        ("一个月后", "date", "2026-12-22"),
        ("月底", "date", "2026-11-30"),
        ("下个月初", "date", "2026-12-01"),
        ("下个月5号", "date", "2026-12-05"),
        ("5号", "date", "2026-12-05"),
        ("二十五号", "date", "2026-11-25"),
        ("三月五号", "date", "2027-03-05"),
        ("2026年12月5号", "date", "2026-12-05"),
        ("年底", "date", "2026-12-31"),
        ("下午", "part_of_day", "afternoon"),
        ("晚上吧", "part_of_day", "evening"),
        ("晚点", "vague_time", "晚点"),
        ("过几天", "vague_time", "过几天"),
        ("等一会儿", "vague_time", "等一会儿"),
        ("回头", "vague_time", "回头"),
        ("tomorrow at 3 pm", "datetime", "2026-11-23T15:00:00+08:00"),
        ("at 3 tomorrow", "datetime", "2026-11-23T15:00:00+08:00"),
        ("three thirty pm", "time", "2026-11-22T15:30:00+08:00"),
        ("half past four", "time", "2026-11-22T16:30:00+08:00"),
        ("next tuesday at 10 am", "datetime", "2026-11-24T10:00:00+08:00"),
        ("friday", "date", "2026-11-27"),
        ("in half an hour", "datetime", "2026-11-22T10:30:00+08:00"),
        ("in two days", "date", "2026-11-24"),
        ("day after tomorrow", "date", "2026-11-24"),
    ],
)
def test_times_as_people_say_them(text: str, entity: str, value: str) -> None:
    assert [(found["entity"], found["value"]) for found in extract(text, NOW)] == [(entity, value)]


@pytest.mark.parametrize(
    ("text", "value", "part"),
    [
        ("后天晚上", "2026-11-24", "evening"),
        ("tomorrow afternoon", "2026-11-23", "afternoon"),
        ("周一上午", "2026-11-23", "morning"),
        ("tonight", "2026-11-22", "evening"),
    ],
)
def test_a_day_with_its_part(text: str, value: str, part: str) -> None:
    (found,) = extract(text, NOW)
    assert (found["entity"], found["value"], found["part_of_day"]) == ("date", value, part)


@pytest.mark.parametrize(
    "text",
    ["便宜一点", "快一点说", "早一点嘛", "下午好", "good morning", "每周一次", "三十二点", "2月31号", "99号"],
)
def test_what_is_no_time_gives_none(text: str) -> None:
    timely = {"date", "time", "datetime", "part_of_day", "vague_time"}
    assert not [found for found in extract(text, NOW) if found["entity"] in timely]


def test_without_now_a_time_stays_in_words() -> None:
    assert [(e["entity"], e["value"]) for e in extract("明天下午三点")] == [("vague_time", "明天下午三点")]
    assert [(e["entity"], e["value"]) for e in extract("半小时以后")] == [("vague_time", "半小时以后")]
    assert [(e["entity"], e["value"]) for e in extract("下午")] == [("part_of_day", "afternoon")]


def test_a_now_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        extract("明天", datetime(2026, 11, 22, 10, 0))


def test_the_zone_is_the_callees() -> None:
    urumqi = datetime(2026, 11, 22, 10, 0, tzinfo=ZoneInfo("Asia/Urumqi"))
    assert extract("三点", urumqi)[0]["value"] == "2026-11-22T15:00:00+06:00"


def test_an_hour_later_is_an_hour_even_when_clocks_are_changed() -> None:
    before = datetime(2026, 3, 29, 1, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert extract("一个小时后", before)[0]["value"] == "2026-03-29T03:30:00+02:00"


@given(st.integers(0, 23), st.integers(0, 59), st.integers(9, 20))
def test_a_bare_clock_time_is_still_to_come(hour: int, minute: int, now_hour: int) -> None:
    now = NOW.replace(hour=now_hour)
    (found,) = extract(f"{hour}:{minute:02}", now)
    when = datetime.fromisoformat(str(found["value"]))
    assert when > now
    assert when.minute == minute and when.hour % 12 == hour % 12


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("明天下午三点半打给我", "2026-11-23T15:30:00+08:00"),
        ("明天下午吧", "2026-11-23T15:00:00+08:00"),
        ("后天", "2026-11-24T10:00:00+08:00"),
        ("下午", "2026-11-22T15:00:00+08:00"),
        ("上午", "2026-11-23T10:00:00+08:00"),  # ten is past today
        ("半小时吧", "2026-11-22T10:30:00+08:00"),
        ("今天", "2026-11-22T12:00:00+08:00"),
        ("晚上八点", "2026-11-22T20:00:00+08:00"),
    ],
)
def test_the_moment_of_a_callback(text: str, moment: str) -> None:
    found = callback_moment(extract(text, NOW), NOW)
    assert found is not None and found.isoformat() == moment


@pytest.mark.parametrize("text", ["晚点", "过几天再说", "三十块", "随便", "这周五"])
def test_no_moment_is_named(text: str) -> None:
    assert callback_moment(extract(text, NOW), NOW) is None
