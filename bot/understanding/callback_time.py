"""When to call back, from the time values of a line: 明天下午 → tomorrow at 15:00 in the callee's zone.

A customer names a moment, a day, a part of a day, or only 晚点; an appointment needs a moment.
Whether that moment may be dialled is for the campaign's rules, not for this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

from bot.understanding.values_merge import Entity
from bot.understanding.values_time import after

DAY_HOUR: Final = 10
"""The hour for a day without a time: the first of the good hours (COMPLIANCE.md, hours)."""
PART_HOURS: Final = {"night": 19, "morning": 10, "noon": 12, "afternoon": 15, "evening": 19}
"""The hour for a part of the day; nobody is called at night, so the evening stands for it."""


def callback_moment(entities: Sequence[Entity], now: datetime) -> datetime | None:
    """The first moment after `now` that the values name, aware, in the zone of `now`.

    None where they name none, or only a vague one (晚点, 改天): then ask for a time.
    """
    for entity in entities:
        moment = _moment(entity, now)
        if moment is not None and moment > now:
            return moment
    return None


def _moment(entity: Entity, now: datetime) -> datetime | None:
    kind, value = entity["entity"], entity["value"]
    if kind in ("datetime", "time"):
        return datetime.fromisoformat(str(value)).astimezone(now.tzinfo)
    if kind == "date":
        hour = PART_HOURS[entity["part_of_day"]] if "part_of_day" in entity else DAY_HOUR
        moment = datetime.combine(date.fromisoformat(str(value)), time(hour), tzinfo=now.tzinfo)
        today = moment.date() == now.date() and "part_of_day" not in entity
        return after(now, 2 * 3_600_000) if today else moment
    if kind == "part_of_day":
        moment = datetime.combine(now.date(), time(PART_HOURS[str(value)]), tzinfo=now.tzinfo)
        return moment if moment > now else moment + timedelta(days=1)
    if kind == "duration":
        return after(now, int(value))
    return None
