"""Figures in a line as people say them: exact, rough, ranges, with and without their unit.  Pure.

A range or a rough figure counts as its lower end and is marked `rough` (七八十 → 70, 一百五六 → 150,
十五到二十 → 15, 一百来块 → 100), so that no saving is overstated; 小两百 and 不到一百 as the number named.
Too vague to count: 几十, 好几百, 好几个.  Money is in yuan, data in GB, durations in months or minutes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from assist.hearing.dates import dates_in, place_of
from assist.hearing.line import Line
from assist.suggest.model import FactValue
from bot.understanding.numbers import parse_number

MB_PER_GB: Final = 1024
MONTHS_PER_YEAR: Final = 12
MINUTES_PER_HOUR: Final = 60
MS_PER_MONTH: Final = 2_592_000_000

COUNTED: Final[Mapping[str, str]] = {"人": "口人位", "个": "部张号台", "岁": "岁"}
"""Unit of a counting fact → what is counted in it; 个 alone may count anything but years of age."""

_D: Final = "一二两三四五六七八九"
_NUMERAL: Final = re.compile(
    rf"[0-9]+(?:\.[0-9]+)?(?:[百千万](?![兆M]))?|[零〇{_D}十百千万半]+(?:点[零{_D}]+)?|仨"
)
_SPAN: Final = re.compile(r"\s?(?:到|至|~|—|-)\s?")
_MORE: Final = re.compile(r"几|好几|多|来|把|出头|大几")
_UNIT: Final = re.compile(
    r"(?P<money>块钱?|元钱?|圆)|(?P<data>个?多?(?:[Gg][Bb]?|鸡(?![蛋肉]))(?![0-9]))|(?P<mega>兆|[Mm][Bb]?(?![a-z]))"
    r"|(?P<hours>个?多?(?:小时|钟头))|(?P<minutes>分钟)|(?P<months>个?多?月(?![租底初末份]))|(?P<years>年(?![前纪级底]))"
    r"|(?P<age>岁)|(?P<counted>口|部|张|台|位|人(?!家|民)|个多?(?:手机)?号码?|个多?人|部?手机)|(?P<pieces>个)"
    r"|(?P<none>[折成号点层楼栋室居房厅排遍次回天周秒寸平条档星级倍格%％代里笔集网]|单元|毛钱?|星期|礼拜|月份?)"
)
_PIECES_END: Final = re.compile(r"多?(?=$|[,，。\s吧呢了我总都就啊呀嘛有老爸妈爱孩儿女一])")
_LEAD: Final = re.compile(r"(第|几|尾号|后四位(是)?|号是|上下|周|星期|礼拜|百分之)$")
_IDIOM: Final = re.compile(r"乱七八糟|七七八八|七上八下|三心二意|一五一十|千万别|万一|百分之?百")
_NETWORK: Final = re.compile(r"[345三四五][Gg](?!.{0,3}(流量|左右|多|吧))")
_ROUGH: Final = re.compile(r"大概|差不多|也就|估计|可能|好像|小$|不到|快|将近|奔|得有|怎么也得|至少")
_ROUGH_AFTER: Final = re.compile(r"[多来几把]|左右|上下|出头|打底|打不住|的样子|不到|以上|差不多")
_RATE: Final = re.compile(
    r"\s?(?:大概|差不多|也就|就|才|要|得|交|花|用|扣|打|得交|能|怎么|是|基本|套餐|话费|流量)*(?!多)[0-9零一二两三四五六七八九十百千几]"
)
_LASTS: Final = re.compile(r"(还有|还剩|剩|才|刚|快|用了|用|再过?|不到|有|签了?|绑|小|大)(大概|差不多|个)*$")
_DAILY: Final = re.compile(r"([一每]天|天天)(都|得|要|打|就|也|差不多|大概)*$")
_YEARLY: Final = re.compile(r"((一|每|整|全)年|包年|按年|年费)[^0-9一二两三四五六七八九十百千不,，。]{0,5}$")
_YEARLY_AFTER: Final = re.compile(r"[块元钱多左右]*(一年|每年|包年)")
_HALF_YEARLY: Final = re.compile(r"半年(一交|交|是|要|花|得)*$")
_YEAR: Final = re.compile(
    r"(?P<full>(?:19|20|一九|二零|二〇)[0-9零〇一二三四五六七八九]{2})年(?![前后的])|(?P<short>[0-9零〇一二][0-9零〇一二三四五六七八九])年(?=就?(?:办|入|开|买|装|用|来|的(?:号|时候)))"
)
_KIND_OF: Final = {"money": "money", "data_volume": "data", "count": "count", "duration": "months"}
_LATIN: Final = re.compile(r"[A-Za-z]+ ?[A-Za-z]*")
"""Figures in words that only the recogniser of entities reads (thirty dollars)."""
_SINGLE: Final = frozenset("一半两百千万十零")
_DIGIT: Final = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"〇": 0}
BARE: Final = {
    "money": (3, 5000),
    "data": (1, 2000),
    "count": (0, 120),
    "minutes": (5, 9000),
    "months": (1, 480),
}
"""A number without its unit, said to the question: the range in which it is taken for the answer."""


@dataclass(frozen=True)
class Value:
    """A value in a line: for which kinds of fact it may stand, and where.

    `typed`: with its unit; `counted`: what a count counts; `months`: of how many months a sum is the
    price; `rough`: not exact."""

    kinds: tuple[str, ...]
    value: FactValue
    start: int
    end: int
    rough: bool = False
    typed: bool = True
    counted: str = ""
    months: int = 1


def values_in(line: Line) -> list[Value]:
    """All values of a line in order: figures, years, and the dates among its entities."""
    text = line.text
    dates, covered = dates_in(line)
    found = [Value(("date",), day, start, end) for day, start, end in dates]
    for entity in line.entities:
        kind, (start, end) = _KIND_OF.get(entity["entity"]), place_of(entity)
        number = _of_entity(entity) if kind and _LATIN.match(text, start) else None
        if kind and number is not None:
            found.append(Value((kind,), number, start, end, _is_rough(text, start, end)))
            covered.append((start, end))
    covered += [match.span() for match in _IDIOM.finditer(text)]
    for match in _YEAR.finditer(text):
        found += _since(match, line.today)
        covered.append(match.span())
    position = 0
    while (numeral := _NUMERAL.search(text, position)) is not None:
        start, position = numeral.span()
        if any(start < b and position > a for a, b in covered):
            continue
        value = _figure(text, numeral)
        if value is not None:
            position = max(position, value.end)
            if value.kinds:
                found.append(value)
    return sorted(found, key=lambda value: value.start)


def _figure(text: str, match: re.Match[str]) -> Value | None:
    """The figure that a numeral begins, with its unit; no kinds: a figure that states no fact."""
    start, end = match.span()
    if _LEAD.search(text[max(0, start - 5) : start]) or _NETWORK.match(text, start):
        return None
    read = _number(match.group(), text[end : end + 2])
    if read is None:
        return None
    number, rough = read
    more = _MORE.match(text, end)
    if more and not (more.group() == "几" and text[end - 1] not in "十百千"):
        rough, end = True, more.end()
    span = _SPAN.match(text, end)
    if span and (upper := _NUMERAL.match(text, span.end())):
        other = _number(upper.group(), "")
        if other is not None and other[0] > number:
            rough, end = True, upper.end()
    unit = _UNIT.match(text, end)
    kind = unit.lastgroup if unit else None
    stop = unit.end() if unit else end
    pieces = kind == "pieces" and match.group() in "一两十" and _PIECES_END.match(text, stop)
    if match.group() in _SINGLE and kind in (None, "pieces", "none") and not pieces:
        return None
    rough = rough or _is_rough(text, start, stop)
    if kind == "money" or kind is None:
        tail = re.match(rf"[0-9{_D}](?![0-9{_D}十百个年月天条人张口块])", text[stop:]) if kind else None
        if tail and (more_yuan := parse_number(tail.group())) is not None:
            number, stop = number + more_yuan / 10, stop + 1
    return _valued(text, number, rough, kind, unit.group() if unit else "", start, stop)


def _valued(
    text: str, number: Decimal, rough: bool, kind: str | None, unit: str, start: int, end: int
) -> Value | None:
    """The value of a number by the kind of its unit."""
    if (
        kind == "none"
        or text[start:end] in (text[end : 2 * end - start], text[2 * start - end : start])
        or (kind in ("hours", "minutes") and _DAILY.search(text[max(0, start - 6) : start]))
    ):
        return Value((), number, start, end)
    if kind is None:
        kinds = tuple(name for name, (low, high) in BARE.items() if low <= number <= high)
        months = _period(text, start, end)
        return Value(kinds, number, start, end, rough, typed=False, months=months) if kinds else None
    if kind == "money":
        return Value(("money",), number, start, end, rough, months=_period(text, start, end))
    if kind in ("data", "mega"):
        gb = number if kind == "data" else (number / MB_PER_GB).quantize(Decimal("0.1")).normalize()
        return Value(("data",), gb, start, end, rough, typed=kind == "data")
    if kind in ("hours", "minutes"):
        times = MINUTES_PER_HOUR if kind == "hours" else 1
        return Value(("minutes",), number * times, start, end, rough)
    if kind in ("months", "years"):
        lasts = _LASTS.search(text[max(0, start - 6) : start])
        if number == 1 and unit != "年" and not lasts:
            return Value((), number, start, end)  # 一个月 says of what a sum is the price
        if number == 1 and not lasts and _RATE.match(text, end):
            return Value((), number, start, end)
        half = text[end : end + 1] == "半"
        length = number * MONTHS_PER_YEAR if kind == "years" else number
        length += (MONTHS_PER_YEAR // 2) * half * (kind == "years")
        return Value(("months",), length, start, end + half, rough)
    if kind == "pieces":
        if _PIECES_END.match(text, end):
            return Value(("count", "data"), number, start, end, rough, typed=False, counted="个")
        return Value((), number, start, end)
    counted = "岁" if kind == "age" else "人" if "人" in unit else "号" if "号" in unit else unit[0]
    return Value(("count",), number, start, end, rough, counted=counted)


def _number(said: str, after: str) -> tuple[Decimal, bool] | None:
    """What a numeral is worth, and whether it is rough; None for what is too vague or no number."""
    if said == "仨":
        return Decimal(3), False
    exact = None if re.fullmatch(rf"[{_D}]{{2,}}", said) else parse_number(said)
    if exact is not None:
        return exact, False
    if said in ("百", "千") and after[:1] in ("来", "把", "多", "十"):
        return Decimal(100 if said == "百" else 1000), True
    if re.fullmatch(r"百[一八]?十|千八百", said):
        return Decimal(100 if said[0] == "百" else 1000), True
    pair = re.fullmatch(
        rf"(?P<head>[{_D}十百千零]*?)(?P<low>[{_D}])(?P<high>[{_D}])(?P<unit>[十百千万]?)", said
    )
    if pair is None or (pair["head"] and pair["head"][-1] in _D):
        return None
    low, high = _DIGIT.get(pair["low"], 2), _DIGIT.get(pair["high"], 2)
    if not low < high <= low + 2:
        return None
    number = parse_number(pair["head"] + pair["low"] + pair["unit"])
    return (number, True) if number is not None else None


def _is_rough(text: str, start: int, end: int) -> bool:
    return bool(
        _ROUGH.search(text[max(0, start - 4) : start]) or _ROUGH_AFTER.match(text, end)
        or "多" in text[start:end] or "来" in text[start:end]
    )  # fmt: skip


def _period(text: str, start: int, end: int) -> int:
    """Of how many months a sum is the price."""
    before = text[max(0, start - 9) : start]
    if _HALF_YEARLY.search(before):
        return MONTHS_PER_YEAR // 2
    if _YEARLY.search(before) or _YEARLY_AFTER.match(text, end):
        return MONTHS_PER_YEAR
    return 1


def _since(match: re.Match[str], today: date | None) -> list[Value]:
    """The months since a year that is named (一八年办的); nothing where the day of the call is unknown."""
    digits = "".join(str(_DIGIT.get(char, char)) for char in match["full"] or match["short"])
    year = int(digits) if len(digits) == 4 else 2000 + int(digits)
    if today is None or not 1990 <= year <= today.year:
        return []
    months = max(1, (today.year - year) * MONTHS_PER_YEAR)
    return [Value(("months",), Decimal(months), match.start(), match.end(), rough=True)]


def _of_entity(entity: Mapping[str, Any]) -> Decimal | None:
    """The figure of a recognised entity in the units of facts; None where it has none."""
    try:
        number = Decimal(str(entity["value"]))
    except ArithmeticError:
        return None
    if not number.is_finite():
        return None
    if entity["entity"] == "data_volume":
        return (number / MB_PER_GB).quantize(Decimal("0.1")).normalize()
    if entity["entity"] == "duration":
        return (number / MS_PER_MONTH).quantize(Decimal(1)) if number >= MS_PER_MONTH else None
    return number
