"""When a callback is: the time a customer named, and how it is read back.  Pure.

Entities come from bot.understanding.values: ISO 8601 times and dates, and parts of the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from bot.understanding.acts import TIME_ENTITIES

Hours = tuple[int, int]
"""From the first hour, to before the second, in the callee's zone."""

PART_HOURS = {"morning": 10, "noon": 12, "afternoon": 15, "evening": 19}
"""The hour meant by a part of the day alone."""

FURTHEST = timedelta(days=90)
WEEKDAYS = "一二三四五六日"


def named_time(entities: Sequence[Mapping[str, Any]], now: datetime, hours: Hours) -> datetime | None:
    """The first time among the entities that lies ahead, within 90 days and within `hours`.

    `now` and the result are in the callee's zone.  A bare day means this hour of that day.
    """
    for entity in entities:
        if entity["entity"] not in TIME_ENTITIES:
            continue
        when = _moment(str(entity["value"]), str(entity.get("part_of_day") or ""), now)
        if when is not None and now < when <= now + FURTHEST and hours[0] <= when.hour < hours[1]:
            return when
    return None


def _moment(value: str, part: str, now: datetime) -> datetime | None:
    if value in PART_HOURS:
        when = now.replace(hour=PART_HOURS[value], minute=0, second=0, microsecond=0)
        return when if when > now else when + timedelta(days=1)
    try:
        if "T" not in value:
            hour, minute = (PART_HOURS[part], 0) if part in PART_HOURS else (now.hour, now.minute)
            return datetime.combine(date.fromisoformat(value), time(hour, minute), now.tzinfo)
        when = datetime.fromisoformat(value)
    except ValueError:
        return None
    return when.replace(tzinfo=now.tzinfo) if when.tzinfo is None else when.astimezone(now.tzinfo)


def same_hour_tomorrow(now: datetime, hours: Hours) -> datetime:
    """This hour of tomorrow, moved into `hours`."""
    hour = min(max(now.hour, hours[0]), hours[1] - 1)
    minute = now.minute // 15 * 15 if hour == now.hour else 0
    return (now + timedelta(days=1)).replace(hour=hour, minute=minute, second=0, microsecond=0)


def spoken(when: datetime, now: datetime) -> str:
    """A time as it is said on the phone: 明天下午3点半, 周四上午10点."""
    days = (when.date() - now.date()).days
    near = {0: "今天", 1: "明天", 2: "后天"}
    if days in near:
        day = near[days]
    elif days + now.weekday() < 14:
        next_week = days + now.weekday() >= 7
        day = f"{'下' if next_week else ''}周{WEEKDAYS[when.weekday()]}"
    else:
        day = f"{when.month}月{when.day}号"
    minute = {0: "", 30: "半"}.get(when.minute, f"{when.minute}分")
    return f"{day}{_spoken_hour(when.hour)}{minute}"


def spoken_hours(hours: Hours) -> str:
    """The hours in which we may call, as said: 上午9点到晚上8点."""
    return f"{_spoken_hour(hours[0])}到{_spoken_hour(hours[1])}"


def _spoken_hour(hour: int) -> str:
    part = "早上" if hour < 9 else "上午" if hour < 12 else "中午" if hour < 13 else ""
    part = part or ("下午" if hour < 18 else "晚上")
    return f"{part}{hour if hour <= 12 else hour - 12}点"
