"""Dates in a line: months that are named (明年三月, 年底), and what was recognised as a date.  Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final

from assist.hearing.line import Line
from bot.understanding.numbers import parse_number

_MONTH: Final = re.compile(
    r"(?P<year>今年|明年|后年)?的?(?P<month>1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月(?!租)份?底?|(?P<end>(?P<which>今年|明年|后年)?年底)"
    r"|(?P<next>下个?月底?)|(?P<this>这个?月底?|月底)"
)
_LONG: Final = re.compile(r"(再|过|还|大概).*[0-9一二两三四五六七八九十半]个?[月年]$")
"""再过两三个月: how long, as well as when."""
_BEGAN: Final = re.compile(r".{0,3}(才?(签|办|装|入网|交|买|换)的?|刚)")


def dates_in(line: Line) -> tuple[list[tuple[str, int, int]], list[tuple[int, int]]]:
    """Months that are named, as their last day where the day of the call is known; other dates as they
    were recognised.  With them the stretches that are dates, phone numbers or the like, and no figures."""
    found: list[tuple[str, int, int]] = []
    covered: list[tuple[int, int]] = []
    for match in _MONTH.finditer(line.text):
        start, end = match.span()
        if re.match(r"[0-9一二三四五六七八九十]+[号日]", line.text[end:]) or (
            match["month"] and start and line.text[start - 1] in "个十百0123456789零一二两三四五六七八九"
        ):
            continue
        covered.append((start, end))
        if not _BEGAN.match(line.text, end):
            found.append((_last_day(match, line.today), start, end))
    for entity in line.entities:
        start, end = place_of(entity)
        if _LONG.search(line.text[start:end]):
            continue
        if entity["entity"] in ("date", "datetime", "time", "vague_time") and not any(
            start < b and a < end for a, b in covered
        ):
            found.append((str(entity["value"]), start, end))
            covered.append((start, end))
        elif entity["entity"] in ("phone", "id_number", "card"):
            covered.append((start, end))
    return found, covered


def _last_day(match: re.Match[str], today: date | None) -> str:
    """The last day of the month that is named; its words where the day of the call is unknown."""
    if today is None:
        return match.group()
    year, month = today.year, today.month
    later = {"明年": 1, "后年": 2}.get(match["year"] or match["which"] or "", 0)
    if match["month"]:
        number = parse_number(match["month"])
        month = int(number) if number is not None else month
        if not (match["year"] or later) and month < today.month:
            later = 1
    elif match["end"]:
        month = 12
    elif match["next"]:
        month += 1
    years, index = divmod(month, 12)
    first_after = date(year + later + years, index + 1, 1)
    return (first_after - timedelta(days=1)).isoformat()


def place_of(entity: Mapping[str, Any]) -> tuple[int, int]:
    """Where a recognised entity stands in the line."""
    return int(entity.get("start", 0)), int(entity.get("end", 0))
