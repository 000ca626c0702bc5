"""Numbers read digit by digit: phone numbers, ID and card numbers as people dictate them.

`find_digit_runs` (幺三八零零, 138 0013, one three eight, 双八, double five → digits with their
places in the text) and its inverse `spell_digits`.  Numbers that count are in `numbers`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from bot.understanding.numbers import ENGLISH_NUMBERS, HANZI_DIGITS

_EN_DIGIT: Final = "zero|oh|one|two|three|four|five|six|seven|eight|nine"
_TIMES: Final = {"双": 2, "两个": 2, "三个": 3, "四个": 4, "double": 2, "triple": 3}
_ATOM: Final = re.compile(
    rf"(?P<times>双|(?:两|三|四)个|\b(?:double|triple)\s+)(?P<what>[0-9零〇一二三四五六七八九幺]|\b(?:{_EN_DIGIT})\b)"
    rf"|(?P<word>(?<![a-z])(?:{_EN_DIGIT})(?![a-z]))"
    r"|(?P<one>[妖腰吆夭]|要(?=[0-9零三四五六七八九幺])|(?<=[0-9零〇一二三四五六七八九幺])要(?=[0-9零〇一二三四五六七八九幺]))"
    r"|(?P<char>[零〇一二两俩三四五六七八九壹贰叁肆伍陆柒捌玖幺洞拐]|\d|[①-⑨])",
    re.IGNORECASE,
)
GAP: Final = re.compile(
    r"(?:[\s\-‐-―－,，、·.。;；|~_/()（）\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]|呃|嗯|啊|额|然后|um|uh)*"
)
"""What may stand between two digits of one number: separators, invisible characters, fillers."""
_COUNTED: Final = frozenset("十百千万亿拾佰仟")
_LONGEST_GAP: Final = 12


@dataclass(frozen=True, slots=True)
class DigitRun:
    """Digits in a row: `text[start:end]` reads `digits`; `starts[i]`, `ends[i]` bound digit i.

    `spoken` tells that at least one stands as a word or hanzi, `unbroken` that nothing is between.
    """

    start: int
    end: int
    digits: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    spoken: bool
    unbroken: bool


def find_digit_runs(text: str) -> list[DigitRun]:
    """All digits of `text` in maximal runs, written or spoken, across pauses and separators.

    Full width and other scripts' digits, hanzi (幺 too, and 妖腰要 that recognisers write for it),
    English words, 双八 and double eight.  A hanzi digit that is part of a counting number (一百,
    三千五) belongs to no run, unless three digits already stand before it.
    """
    runs: list[DigitRun] = []
    digits: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    spoken = broken = False

    def close() -> None:
        nonlocal spoken, broken
        if digits and text[starts[0]] == "要" and len(digits) < 11:
            del digits[0], starts[0], ends[0]  # 我要三八 wants; 要三八 and eight more dictates
        if digits:
            runs.append(
                DigitRun(starts[0], ends[-1], "".join(digits), tuple(starts), tuple(ends), spoken, not broken)
            )
        digits.clear()
        starts.clear()
        ends.clear()
        spoken = broken = False

    for atom in _ATOM.finditer(text):
        value, count = _atom_digit(atom)
        if digits:
            gap = text[ends[-1] : atom.start()]
            if len(gap) > _LONGEST_GAP or not GAP.fullmatch(gap):
                close()
            elif gap:
                broken = True
        if atom["char"] in HANZI_DIGITS and len(digits) < 3 and _is_counting(text, atom):
            close()
            continue
        digits.extend([value] * count)
        starts.extend([atom.start()] * count)
        ends.extend([atom.end()] * count)
        spoken = spoken or unicodedata.category(text[atom.start()]) != "Nd"
    close()
    return runs


def _atom_digit(atom: re.Match[str]) -> tuple[str, int]:
    """The digit an atom stands for, and how many times."""
    word = (atom["what"] or atom["word"] or atom["char"] or "").lower()
    count = _TIMES[atom["times"].strip().lower()] if atom["times"] else 1
    if atom["one"]:
        return "1", count
    if word == "oh":
        return "0", count
    if word in ENGLISH_NUMBERS:
        return str(ENGLISH_NUMBERS[word]), count
    if word in HANZI_DIGITS:
        return str(HANZI_DIGITS[word]), count
    return str(unicodedata.digit(word)), count


def _is_counting(text: str, atom: re.Match[str]) -> bool:
    """Whether a hanzi digit is part of a number with units: 一百零三, 三千五; not in 姓万幺三八."""
    before = text[atom.start() - 1 : atom.start()]
    after = text[atom.end() : atom.end() + 1]
    return after in _COUNTED or (before in _COUNTED and after not in HANZI_DIGITS)


def spell_digits(digits: str, *, one: str = "幺") -> str:
    """`digits` (0-9 only) read one by one in Chinese: 110 → 幺幺零."""
    return "".join(one if digit == "1" else "零一二三四五六七八九"[int(digit)] for digit in digits)
