"""The value of each rule that the Matcher of `values` found: tokens → `Piece`, or None for none.

Every function takes all tokens of the line, the first and last index of its own, and `now`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from bot.understanding import values_time as times
from bot.understanding.numbers import HANZI_DIGITS
from bot.understanding.values_lexer import Token
from bot.understanding.values_merge import Extra, Piece

Rule = Callable[[Sequence[Token], int, int, datetime | None], Piece | None]

MB_PER_GB: Final = 1024
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
_MEASURES: Final = "次张条个份本笔人位台部"
_NETWORKS: Final = frozenset({2, 3, 4, 5})
_DATA_AFTER: Final = re.compile("的?流量|多|左右|of|data")
_DATA_BEFORE: Final = re.compile(r"(?:用|送|剩|有|给|赠|流量|含|加|多)了?[你我您]?$")


def plain(number: Decimal) -> str:
    """Without exponent or trailing zeros: 30, 3.5."""
    return f"{number.normalize():f}"


def _about(tokens: Sequence[Token]) -> Extra:
    return Extra(approximate=True) if any(token.approximate for token in tokens) else Extra()


def _text_after(tokens: Sequence[Token], last: int) -> str:
    return "".join(token.text for token in tokens[last + 1 : last + 3])


def _spelled(token: Token) -> str:
    """The digits of a DIG token or a written number."""
    return "".join(char if char.isdigit() else str(HANZI_DIGITS[char]) for char in token.text)


def _decimal(tokens: Sequence[Token]) -> Decimal | None:
    """The number that the tokens begin with: NUM, or NUM POINT and decimals."""
    head = tokens[0].number
    if head is not None and len(tokens) > 2 and tokens[1].tag == "POINT":
        tail = tokens[2]
        digits = plain(tail.number) if tail.number is not None else _spelled(tail)
        return Decimal(f"{plain(head)}.{digits}") if digits.isdigit() else None
    return head


def _yuan(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    own = [token for token in tokens[first : last + 1] if token.tag != "SIGN"]
    amount = _decimal(own)
    if amount is None:
        return None
    tags = [token.tag for token in own]
    after = own[tags.index("YUAN") + 1 :] if "YUAN" in tags else []
    if after and after[0].tag == "HALF":
        amount += Decimal("0.5")
    elif after:
        tenths = after[0].number
        if tenths is None or not 1 <= tenths <= 9:
            return None
        if len(after) == 1 and not _ends_amount(tokens, last):
            return None
        amount += tenths / 10
        if len(after) == 3:
            amount += (after[2].number or 0) / Decimal(100)
    return Piece("money", plain(amount), _about(own))


def _ends_amount(tokens: Sequence[Token], last: int) -> bool:
    """Whether 五 in 三块五 is money: not in 五块一个月, 十块一次."""
    if last + 1 == len(tokens):
        return True
    following = tokens[last + 1]
    return following.tag in ("O", "LINK") and following.text[0] not in _MEASURES


def _mao(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    own = tokens[first : last + 1]
    tenths = own[0].number
    if tenths is None or (len(own) == 3 and not _ends_amount(tokens, last)):
        return None
    hundredths = own[2].number or 0 if len(own) == 3 else 0
    return Piece("money", plain(tenths / 10 + hundredths / Decimal(100)), _about(own))


def _giga(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    own = tokens[first : last + 1]
    amount = Decimal("0.5") if own[0].tag == "HALF" else _decimal(own)
    if amount is None:
        return None
    if own[-1].text == "g" and amount in _NETWORKS:  # 4G卡 is a network, 送5G流量 an amount
        before = tokens[first - 1].text if first else ""
        if not (_DATA_AFTER.match(_text_after(tokens, last)) or _DATA_BEFORE.search(before)):
            return None
    return Piece("data_volume", int(amount * MB_PER_GB), _about(own))


def _mega(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    amount = _decimal(tokens[first : last + 1])
    if amount is None or _text_after(tokens, last).removeprefix("的").startswith(
        ("宽带", "光纤", "带宽", "网速")
    ):
        return None
    return Piece("data_volume", int(amount), _about(tokens[first : last + 1]))


def _percent(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    own = [token for token in tokens[first : last + 1] if token.tag != "PERCENT_OF"]
    amount = _decimal(own)
    return None if amount is None else Piece("percent", plain(amount), _about(own))


def _discount(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    """八折 is 80 percent of the price, 八五折 85."""
    own = tokens[first : last + 1]
    if own[0].tag == "DIG" and not own[0].approximate:
        tenths = Decimal(_spelled(own[0])[:2]) / 10
    else:
        tenths = _decimal(own) or Decimal(0)
        tenths = tenths / 10 if 10 <= tenths < 100 else tenths
    return Piece("percent", plain(tenths * 10), _about(own)) if 0 < tenths < 10 else None


def _count(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    number = tokens[first].number
    if number is None:
        return None
    return Piece("count", plain(number), _about(tokens[first : last + 1]) | Extra(unit=tokens[last].text))


def _duration(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    own = list(tokens[first : last + 1])
    relative = own[0].tag == "PASS" or own[-1].tag == "AFTER"
    body = [token for token in own if token.tag not in ("PASS", "AFTER", "GE")]
    units = {token.tag for token in body}
    number = body[0].number if body[0].tag != "HALF" else Decimal(0)
    if number is None or ("YEAR" in units and number >= 1900):
        return None
    amount = number + (Decimal("0.5") if "HALF" in units else 0)
    extra = _about(body)
    months: Decimal | None = None
    if units & {"MONTH", "MONTHS", "YEAR"}:
        months = amount * (12 if "YEAR" in units else 1)
        ms = int(months / 12 * 365 * DAY_MS if "YEAR" in units else months * 30 * DAY_MS)
        if months == months.to_integral_value() and not relative:
            extra["months"] = int(months)
    elif "HOUR" in units:
        ms = int(amount * HOUR_MS) + int((body[2].number or 0) * MINUTE_MS if "MINUTE" in units else 0)
    else:
        size = {"MINUTE": MINUTE_MS, "KE": 15 * MINUTE_MS, "DAYS": DAY_MS, "WEEKS": 7 * DAY_MS}
        ms = int(amount * size[(units & size.keys()).pop()])
    if not relative:
        return Piece("duration", ms, extra)
    if now is None:
        return Piece("vague_time", "".join(token.text for token in own))
    if units & {"HOUR", "MINUTE", "KE"}:
        return Piece("datetime", times.after(now, ms).isoformat(), extra)
    if own[0].tag == "PASS" and number == 2 and own[0].text != "in":
        extra["approximate"] = True  # 过两天: some days
    whole_months = months is not None and months == months.to_integral_value()
    if months is not None and whole_months:
        return Piece("day", extra=extra, day=times.add_months(now.date(), int(months)))
    return Piece("day", extra=extra, day=now.date() + timedelta(milliseconds=ms))


def _word_day(resolve: Callable[[str, datetime], date], extra: Extra | None = None) -> Rule:
    def rule(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece:
        word = tokens[first].text
        part = "evening" if word == "tonight" else None
        about = Extra(approximate=True) if word.endswith(("末", "weekend")) else Extra()
        return Piece("day", day=resolve(word, now) if now else None, part=part, extra=extra or about)

    return rule


def _month(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece:
    shift = times.month_shift(tokens[first].text)
    first_day = times.add_months(now.date().replace(day=1), shift) if now else None
    return Piece(
        "day", day=max(first_day, now.date()) if first_day and now else None, extra=Extra(approximate=True)
    )


def _part_of_month(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece:
    day: date | None = None
    if now and tokens[last].tag == "YEARPART":
        day = date(now.year, 12, 31)
    elif now:
        shift = times.month_shift(tokens[first].text) if first < last else 0
        day = times.part_of_month(tokens[last].text, shift, now)
    return Piece("day", day=day, extra=Extra(approximate=True))


def _calendar(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    own = tokens[first : last + 1]
    counted = [token for token in own if token.tag in ("NUM", "DIG")]
    numbers = [token.number if token.number is not None else Decimal(_spelled(token)) for token in counted]
    cut_off = first > 0 and tokens[first - 1].tag == "MONTH" and own[0].tag == "NUM"  # of 2月31号
    if not 1 <= numbers[-1] <= 31 or cut_off:
        return None
    if now is None:
        return Piece("day")
    month, year = [*map(int, numbers[-2::-1]), None, None][:2]
    months = times.month_shift(own[0].text) if own[0].tag == "MONTHREL" else None
    day = times.calendar_day(int(numbers[-1]), now, month=month, year=year, months=months)
    return Piece("day", day=day) if day else None


def _iso_date(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    year, month, day = (int(piece) for piece in re.split(r"[-/.]", tokens[first].text))
    try:
        return Piece("day", day=date(year, month, day))
    except ValueError:
        return None


def _part(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece:
    return Piece("part", part=tokens[first].text)


def _clock(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece | None:
    own = tokens[first : last + 1]
    tags = [token.tag for token in own]
    if tags[0] == "CLOCK":
        hour, minute = (int(piece) for piece in re.split("[:：]", own[0].text))
    else:
        numbers = [token.number for token in own if token.number is not None]
        if any(number != number.to_integral_value() for number in numbers):
            return None
        hour, minute = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 0
        if tags[-1] == "KE":
            minute *= 15
        elif tags[:1] == ["HALF_PAST"] or tags[-1] == "HALF":
            minute = 30
        elif tags == ["NUM", "POINT", "NUM"] and minute < 10:
            return None  # 三点五: a decimal
        elif tags == ["NUM", "POINT"] and _next_is_number(tokens, last):
            return None
    if tags[0] == "AT" and (hour > 12 or not _ends_clock(tokens, last)):
        return None
    if hour > 24 or minute > 59:
        return None
    part = None
    if tags[-1] == "AMPM":
        part = "afternoon" if own[-1].text.startswith("p") else "凌晨" if hour == 12 else "morning"
    return Piece("clock", clock=(hour, minute), part=part, weak=tags == ["NUM", "POINT"] and hour == 1)


def _next_is_number(tokens: Sequence[Token], last: int) -> bool:
    return last + 1 < len(tokens) and tokens[last + 1].tag in ("NUM", "DIG")


def _ends_clock(tokens: Sequence[Token], last: int) -> bool:
    """Whether "at 3" is a time: nothing is counted after it."""
    return last + 1 == len(tokens) or tokens[last + 1].tag in ("O", "DAY", "WEEKDAY", "PART", "LINK")


def _vague(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece:
    return Piece("vague_time", tokens[first].text)


def _named(tokens: Sequence[Token], first: int, last: int, now: datetime | None) -> Piece:
    placeholder = tokens[first].text.upper()
    return Piece({"<ID>": "id_number", "<CARD>": "card", "<PHONE>": "phone"}[placeholder], placeholder)


VALUES: Final[dict[str, Rule]] = {
    "yuan": _yuan,
    "mao": _mao,
    "giga": _giga,
    "mega": _mega,
    "percent": _percent,
    "discount": _discount,
    "count": _count,
    "duration": _duration,
    "day": _word_day(times.named_day),
    "weekday": _word_day(times.weekday),
    "week": _word_day(times.week_start, Extra(approximate=True)),
    "month": _month,
    "part_of_month": _part_of_month,
    "calendar": _calendar,
    "iso_date": _iso_date,
    "part": _part,
    "clock": _clock,
    "vague": _vague,
    "named": _named,
}
"""One function for each rule of `values`."""
