"""Numbers that count, spoken and written, Chinese and English ↔ Decimal.

`parse_number` (一千二, 两百五, 十五点五, twenty five → Decimal) and its inverse `to_chinese`.
Numbers that name (幺三八零零, one three eight) are in `digits`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_DIGIT_CHARS: Final = "零一二三四五六七八九"
HANZI_DIGITS: Final[dict[str, int]] = {
    **dict(zip(_DIGIT_CHARS, range(10), strict=True)),
    **dict(zip("〇壹贰叁肆伍陆柒捌玖", range(10), strict=True)),
    **{"两": 2, "俩": 2, "幺": 1, "洞": 0, "拐": 7},
}
"""Characters that stand for one digit; 幺 and, among radio people, 洞 and 拐 in dictated numbers."""
_UNITS: Final[dict[str, int]] = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_D: Final = "[一二两俩三四五六七八九壹贰叁肆伍陆柒捌玖]"
_Z: Final = "[零〇]"
_SECTION: Final = re.compile(
    f"(?:({_D})[千仟])?({_Z})?(?:({_D})[百佰])?({_Z})?(?:({_D})?([十拾]))?({_Z})?({_D})?"
)
"""Groups: thousands, zero, hundreds, zero, tens, 十, zero, ones; below ten thousand."""

# fmt: off
ENGLISH_NUMBERS: Final[dict[str, int]] = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}
# fmt: on
_ENGLISH_SCALES: Final = {"thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}


def parse_number(text: str) -> Decimal | None:
    """The value of `text` where all of it is one number, else None.

    Chinese (一千二 → 1200, 一百零三 → 103, 十五点五 → 15.5, 半 → 0.5, 一点五万), Arabic with or
    without a Chinese unit (1.5万, 3百), English (one hundred and twenty, two point five).
    A row of digits without a unit (一二三) is no number that counts: see `find_digit_runs`.
    """
    text = text.strip().lower()
    if not text:
        return None
    if re.fullmatch(r"[a-z][a-z \-]*", text):
        return _parse_english(text)
    if found := re.fullmatch(r"([0-9][0-9,]*(?:\.[0-9]+)?)([十百千]?)([万亿]?)", text):
        digits, unit, scale = found.groups()
        if "," in digits and not re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", digits):
            return None
        return Decimal(digits.replace(",", "")) * _UNITS.get(unit, 1) * _scale(scale)
    if text == "半":
        return Decimal("0.5")
    return _parse_chinese(text)


def _scale(char: str) -> int:
    return {"": 1, "万": 10_000, "亿": 100_000_000}[char]


def _parse_chinese(text: str) -> Decimal | None:
    whole, point, decimals = text.partition("点")
    scale = 1
    if point and decimals[-1:] in ("万", "亿"):
        scale, decimals = _scale(decimals[-1]), decimals[:-1]
    value = _parse_whole(whole)
    if value is None or (point and not decimals):
        return None
    if any(char not in HANZI_DIGITS for char in decimals):
        return None
    tail = "".join(str(HANZI_DIGITS[char]) for char in decimals)
    return Decimal(f"{value}.{tail}" if tail else value) * scale


def _parse_whole(text: str) -> int | None:
    """Below 10^16.  一万三 is 13000, 一亿三 130000000: the unit after the last one is understood."""
    if not text:
        return None
    if text in ("零", "〇"):
        return 0
    total = 0
    for unit, value in (("亿", 100_000_000), ("万", 10_000)):
        head, found, tail = text.partition(unit)
        if not found:
            continue
        section = _parse_whole(head) if unit == "亿" else _parse_section(head)
        if not section:
            return None
        total += section * value
        if re.fullmatch(_D, tail):
            return total + HANZI_DIGITS[tail] * value // 10
        text = tail
        if not text:
            return total
    section = _parse_section(text)
    return None if section is None else total + section


def _parse_section(text: str) -> int | None:
    """Below ten thousand; None where it is none, or a row of digits without a unit."""
    found = _SECTION.fullmatch(text)
    if not found or not text:
        return None
    thousands, zero1, hundreds, zero2, tens, ten, zero3, ones = found.groups()
    if not (thousands or hundreds or ten or ones):
        return None
    value = sum(
        HANZI_DIGITS[digit] * unit
        for digit, unit in ((thousands, 1000), (hundreds, 100), (tens or ("一" if ten else None), 10))
        if digit
    )
    if ones:
        short = not (zero1 or zero2 or zero3 or ten)  # 两百五, 一千二; not 两百零五, 二十五
        value += HANZI_DIGITS[ones] * (10 if short and hundreds else 100 if short and thousands else 1)
    return value


def _parse_english(text: str) -> Decimal | None:
    whole, point, decimals = text.replace("-", " ").partition(" point ")
    words = [word for word in whole.split() if word != "and"]
    if not words or whole.split()[0] == "and" or whole.split()[-1] == "and":
        return None
    if words == ["half"]:
        return Decimal("0.5")
    total = section = 0
    before = ""
    for word in words:
        if word in ("a", "an") and not before:
            section = 1
        elif word in ENGLISH_NUMBERS:
            value = ENGLISH_NUMBERS[word]
            follows_tens = ENGLISH_NUMBERS.get(before, 0) >= 20 and 0 < value < 10
            if before and not follows_tens and before not in {"hundred", *_ENGLISH_SCALES}:
                return None
            section += value
        elif word == "hundred" and 0 < section < 100:
            section *= 100
        elif word in _ENGLISH_SCALES and section:
            total += section * _ENGLISH_SCALES[word]
            section = 0
        else:
            return None
        before = word
    if words in (["a"], ["an"]):
        return None
    digits = [ENGLISH_NUMBERS.get(word, 10) for word in decimals.split()]
    if point and (not digits or max(digits) > 9):
        return None
    tail = "".join(map(str, digits))
    return Decimal(f"{total + section}.{tail}" if tail else total + section)


def to_chinese(number: int | Decimal) -> str:
    """How `number` (not negative, below 10^16) is said in full: 250 → 二百五十, 15.5 → 十五点五.

    Raises ValueError outside that range.
    """
    if not 0 <= number < 10**16:
        raise ValueError(f"to_chinese: {number} is not in 0 to 10^16")
    whole, _, decimals = f"{Decimal(number):f}".partition(".")
    said = _whole_to_chinese(int(whole))
    return f"{said}点{''.join(_DIGIT_CHARS[int(digit)] for digit in decimals)}" if decimals else said


def _whole_to_chinese(number: int) -> str:
    if number < 10:
        return _DIGIT_CHARS[number]
    for unit, value in (("亿", 10**8), ("万", 10**4), ("千", 1000), ("百", 100), ("十", 10)):
        if number < value:
            continue
        head, rest = divmod(number, value)
        said = ("" if unit == "十" and head == 1 else _whole_to_chinese(head)) + unit
        if not rest:
            return said
        gap = "零" if rest < value // 10 else ""
        tail = _whole_to_chinese(rest)
        return said + gap + ("一" + tail if tail.startswith("十") else tail)
    raise AssertionError("unreachable: every number of ten and above has a unit")
