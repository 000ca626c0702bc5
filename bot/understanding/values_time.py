"""Days, parts of a day and clock times, relative to a moment → dates and times in its zone.

All functions are pure: `now` is an aware datetime in the callee's zone.  What people leave out is
filled in the way callbacks are meant: 三点 is the afternoon, 八点 whichever of the two comes next.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

PARTS: Final[dict[str, tuple[str, int]]] = {
    **dict.fromkeys(("凌晨", "半夜", "夜里"), ("night", 0)),
    **dict.fromkeys(("清早", "清晨", "早上", "大早上", "早晨", "一早", "早"), ("morning", 9)),
    **dict.fromkeys(("上午", "morning"), ("morning", 10)),
    **dict.fromkeys(("中午", "noon"), ("noon", 12)),
    **dict.fromkeys(("下午", "午后", "afternoon"), ("afternoon", 15)),
    **dict.fromkeys(("傍晚", "晚上", "晚", "evening", "tonight"), ("evening", 19)),
}
"""Word → (part of the day, the hour that stands for it where no hour is said)."""

_DAY_OFFSETS: Final = {"今": 0, "明": 1, "后": 2, "大后": 3, "today": 0, "tonight": 0, "tomorrow": 1}
_WEEKDAYS: Final = {**dict(zip("一二三四五六", range(6), strict=True)), "日": 6, "天": 6, "末": 5}
_ENGLISH_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EARLIEST_HOUR: Final = 8
LATEST_HOUR: Final = 21
"""Hours of the day that a bare clock time (八点) may mean."""


def part_of(word: str) -> str:
    """morning, noon, afternoon, evening or night."""
    return PARTS[_part_word(word)][0]


def hour_of_part(word: str) -> int:
    """The hour that stands for a part of the day where none is said."""
    return PARTS[_part_word(word)][1]


def _part_word(word: str) -> str:
    return word if word in PARTS else word.split()[-1]


def named_day(word: str, now: datetime) -> date:
    """今天, 明天, 大后天, tomorrow, "day after tomorrow" …"""
    if word.startswith("day after"):
        return now.date() + timedelta(days=2)
    key = re.sub("[天日儿个]$", "", word)
    return now.date() + timedelta(days=_DAY_OFFSETS[key])


def weekday(word: str, now: datetime) -> date:
    """周三 is the next one, today included; 这周三 that of this week (Monday first), 下周三 of the next."""
    today = now.date()
    monday = today - timedelta(days=today.weekday())
    if word[0].isascii():
        if "weekend" in word:
            index = 5
        else:
            index = next(i for i, day in enumerate(_ENGLISH_DAYS) if re.search(rf"\b{day}", word))
        weeks = 1 if word.startswith("next") else None
    else:
        index = _WEEKDAYS[word[-1]]
        weeks = 2 if word.startswith("下下") else 1 if word.startswith("下") else None
        weeks = 0 if word[0] in "这本" else -1 if word[0] == "上" else weeks
    if weeks is not None:
        return monday + timedelta(days=7 * weeks + index)
    return today + timedelta(days=(index - today.weekday()) % 7)


def week_start(word: str, now: datetime) -> date:
    """Monday of 下周, 下下周; today for 这周."""
    weeks = 2 if word.startswith("下下") else 1 if word.startswith(("下", "next")) else 0
    monday = now.date() - timedelta(days=now.date().weekday())
    return max(now.date(), monday + timedelta(days=7 * weeks))


def month_shift(word: str) -> int:
    """How many months ahead 这个月, 下个月, 下下个月 are."""
    return 2 if word.startswith("下下") else 1 if word.startswith(("下", "next")) else 0


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or the last of that month where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def part_of_month(word: str, months: int, now: datetime) -> date:
    """月底, 月中, 月初 of the month `months` ahead."""
    first = add_months(now.date().replace(day=1), months)
    if word.endswith(("初",)):
        return first
    if word.endswith("中"):
        return first.replace(day=15)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def calendar_day(
    day: int, now: datetime, *, month: int | None = None, year: int | None = None, months: int | None = None
) -> date | None:
    """The next such day (5号, 3月5号), or that of the month `months` ahead; None where there is none."""
    today = now.date()
    try:
        if months is not None:
            return add_months(today.replace(day=1), months).replace(day=day)
        if month is not None:
            found = date(year or today.year, month, day)
            return found if year or found >= today else found.replace(year=found.year + 1)
        for ahead in range(12):
            first = add_months(today.replace(day=1), ahead)
            last = calendar.monthrange(first.year, first.month)[1]
            if day <= last and first.replace(day=day) >= today:
                return first.replace(day=day)
    except ValueError:
        return None
    return None


def hour_in_part(hour: int, part: str | None) -> int | None:
    """The hour of 24 for an hour that is said with a part of the day; None where they clash."""
    if hour > 24:
        return None
    if part == "evening" and hour == 12:
        return 24
    if part in ("afternoon", "evening"):
        return hour + 12 if hour < 12 else hour
    if part == "noon":
        return hour + 12 if hour < 4 else hour
    if part == "night":
        return hour + 12 if 9 <= hour <= 11 else hour % 12 if hour <= 12 else hour
    if part == "morning":
        return hour if hour <= 12 else None
    return hour + 12 if 1 <= hour < EARLIEST_HOUR else hour


def at_clock(day: date | None, hour: int, minute: int, part: str | None, now: datetime) -> datetime | None:
    """When it is `hour`:`minute` on `day`, or next where no day is said; None for no such time."""
    resolved = hour_in_part(hour, part)
    if resolved is None or minute > 59:
        return None
    if day is not None:
        return _on(day, resolved, minute, now)
    choices = [resolved]
    if part is None and hour < 12:
        choices = [h for h in (hour, hour + 12) if EARLIEST_HOUR <= h < LATEST_HOUR] or [resolved]
    for ahead in (0, 1):
        for choice in choices:
            when = _on(now.date() + timedelta(days=ahead), choice, minute, now)
            if when > now:
                return when
    return None


def _on(day: date, hour: int, minute: int, now: datetime) -> datetime:
    if hour >= 24:
        day, hour = day + timedelta(days=1), hour - 24
    return datetime.combine(day, time(hour, minute), tzinfo=now.tzinfo)


def after(now: datetime, ms: int) -> datetime:
    """`ms` milliseconds of real time later, whatever clocks are changed between; whole minutes."""
    later = (now.astimezone(UTC) + timedelta(milliseconds=ms)).astimezone(now.tzinfo)
    return later.replace(second=0, microsecond=0)
