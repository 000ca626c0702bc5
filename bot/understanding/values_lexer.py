"""A line → typed tokens (numbers, units, days, clock words), for the rules of `values`.

`lex` splits a line by one regular expression; `to_doc` hands the tokens to spaCy with their
types as tags, so that its Matcher sees NUM YUAN or DAY PART NUM POINT, in Chinese and English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import spacy
from spacy.tokens import Doc

from bot.understanding.numbers import ENGLISH_NUMBERS, HANZI_DIGITS, parse_number

_EN_NUMBER: Final = "|".join(
    sorted([*ENGLISH_NUMBERS, "oh", "hundred", "thousand", "million"], key=len, reverse=True)
)
_EN_DAY: Final = "mon|tues|wednes|thurs|fri|satur|sun"
_NUMERAL: Final = "幺零〇一二两俩三四五六七八九十百千万亿"

_TAGS: Final[tuple[tuple[str, str], ...]] = (
    ("NAMED", r"<(?:id|card|phone)>"),
    ("ISODATE", r"(?<!\d)(?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?(?!\d)"),
    ("CLOCK", r"(?<![\d:])[0-2]?\d[:：][0-5]\d(?!\d)"),
    (
        "SKIP",
        r"早一?点|早些|[上这那]一?次|第[一二三四五六七八九十\d]+|一块(?:儿|[来去走给办弄])"
        r"|[早中上下晚]午?上?好|good (?:morning|afternoon|evening)",
    ),
    (
        "VAGUE",
        r"(?:再?过|等)(?:几天|一?阵子?|一?段时间|些天|些日子)"
        r"|(?:等|待|过)一?会儿?|一会儿?|晚一?些|[晚迟]一?点儿?(?!钟|半)"
        r"|回头|改[天日]|以后再|有空|有时间|下次|过[完了]年|节后"
        r"|(?<!hour )(?<!hours )(?<!minutes )(?<!day )(?<!days )(?<!week )(?<!weeks )(?<!months )later"
        r"|another (?:day|time)|some other time|next time",
    ),
    (
        "WEEKDAY",
        r"(?:下下个?|下个?|这个?|本|上个?)?(?:周|星期|礼拜)[一二三四五六日天末](?![年次个回])"
        rf"|(?:next |this |on )?(?:{_EN_DAY})days?(?![a-z])|(?:next |this )?weekend",
    ),
    ("WEEK", r"(?:下下|下|这|本)个?(?:周|星期|礼拜)|(?:next|this) week(?![a-z])"),
    ("MONTHREL", r"(?:下下|下|这)个?月|本月|(?:next|this) month(?![a-z])"),
    ("MONTHPART", r"月[底末初中]|(?:the )?end of (?:the|this) month"),
    ("YEARPART", r"年底|年末|(?:the )?end of (?:the|this) year"),
    (
        "DAY",
        r"大后[天日]|后[天日儿]|明[天日儿个]|今[天日儿]|[今明后](?=[晚早](?!点))"
        r"|day after tomorrow|tomorrow|today|tonight",
    ),
    (
        "PART",
        r"凌晨|清[早晨]|大?早上|早晨|一早|上午|中午|午后|下午|傍晚|晚上|夜里|半夜|(?<=[今明后天])[晚早](?![点些])"
        r"|(?:in the |this )?(?:morning|afternoon|evening)(?![a-z])|(?:at )?noon(?![a-z])",
    ),
    ("PERCENT_OF", r"百分之"),
    ("HALF_PAST", r"half past"),
    ("HALF", r"半|half(?: an?)?(?![a-z])"),
    (
        "NUM",
        r"\d+(?:,\d{3})*(?:\.\d+)?[十百千]?[万亿]?[多来几余]?"
        rf"|[{_NUMERAL}]+(?:(?<=[十百千万亿])[多来几余])?"
        r"|an?(?= (?:hour|minute|day|week|month|year|hundred|thousand)(?![a-z]))(?! (?:hundred|thousand))"
        rf"|(?<![a-z])(?:a (?=hundred|thousand))?(?:{_EN_NUMBER})(?![a-z])"
        rf"(?:[ -](?:and )?(?:{_EN_NUMBER})(?![a-z]))*",
    ),
    ("SIGN", r"[¥￥]|rmb(?= ?\d)"),
    ("YUAN", r"块钱|元钱|块|元|圆|yuan(?![a-z])|rmb(?![a-z])|kuai(?![a-z])"),
    ("MAO", r"毛钱?|角钱?"),
    ("MINUTE", r"分钟|minutes?(?![a-z])|mins?(?![a-z])"),
    ("FEN", r"分"),
    ("HOUR", r"小时|钟头|hours?(?![a-z])"),
    ("GIGA", r"个?gb?(?![a-z])|个?吉"),
    ("MEGA", r"mb?(?![a-z])|兆"),
    ("PERCENT", r"%|％|percent|个点"),
    ("ZHE", r"折"),
    ("POINT", r"点|(?<=\w) point "),
    ("KE", r"刻钟?"),
    ("SHARP", r"钟|整|o'?clock"),
    ("AMPM", r"[ap]\.?m\.?(?![a-z])"),
    ("WEEKS", r"星期|礼拜|周|weeks?(?![a-z])"),
    ("MONTH", r"月份?"),
    ("MONTHS", r"months?(?![a-z])"),
    ("DAYS", r"天|days?(?![a-z])"),
    ("HAO", r"号(?![码线楼])|日"),
    ("YEAR", r"年|years?(?![a-z])"),
    (
        "COUNTED",
        r"[个口位]人|口(?=[,，。]|$)|(?:个|张|部|台|条)(?:手机号|号码|号|手机|卡|宽带|孩子|小孩|大人|老人)|people|persons?",
    ),
    ("GE", r"个"),
    ("AFTER", r"以后|之后|过后|后|later|from now"),
    ("PASS", r"再?过|in(?= )"),
    ("AT", r"at(?![a-z])"),
    ("LINK", r"的|on(?![a-z])"),
    ("SPACE", r"\s+"),
)
_LEXER: Final = re.compile("|".join(f"(?P<{tag}>{pattern})" for tag, pattern in _TAGS))
_ABOUT: Final = re.compile(r"[多来几余]$")
_SPREAD: Final = re.compile(r"(.*十)?([一二两三四五六七八九])([一二两三四五六七八九])([十百千万亿]*)")
VOCAB: Final = spacy.blank("zh").vocab
"""What `to_doc` writes with; a Matcher for its documents must share it."""


@dataclass(slots=True)
class Token:
    """`start` and `end` are offsets into the line; `number` is set for NUM, `digits` for DIG."""

    tag: str
    start: int
    end: int
    text: str
    number: Decimal | None = None
    approximate: bool = False


def lex(text: str) -> list[Token]:
    """The typed tokens of `text` (lower case); what has no type becomes tokens tagged O."""
    tokens: list[Token] = []
    last = 0
    for found in _LEXER.finditer(text):
        start, end = found.span()
        if start > last:
            tokens.append(Token("O", last, start, text[last:start]))
        last = end
        tag = found.lastgroup or "O"
        if tag == "NUM":
            tokens += _numbers(found[0], start)
        elif tag != "SPACE":
            tokens.append(Token("O" if tag == "SKIP" else tag, start, end, found[0]))
    if last < len(text):
        tokens.append(Token("O", last, len(text), text[last:]))
    return tokens


def to_doc(tokens: list[Token]) -> Doc:
    """The tokens as a spaCy Doc, token by token, their types as tags."""
    return Doc(VOCAB, words=[token.text for token in tokens], tags=[token.tag for token in tokens])


def _numbers(said: str, start: int) -> list[Token]:
    """One number; digits read one by one (DIG); or, in English, several numbers in a row."""
    end = start + len(said)
    about = bool(_ABOUT.search(said))
    core = said[:-1] if about else said
    if core in ("a", "an"):
        return [Token("NUM", start, end, said, Decimal(1))]
    value = parse_number(core)
    if value is not None:
        return [Token("NUM", start, end, said, value, about)]
    if core[0] in _NUMERAL:
        if spread := _SPREAD.fullmatch(core):
            tens, low, high, unit = spread.groups(default="")
            near = parse_number(tens + low + unit)
            if near is not None and HANZI_DIGITS[high] - HANZI_DIGITS[low] == 1:
                return [Token("NUM" if unit or tens else "DIG", start, end, said, near, True)]
        only_digits = all(char in HANZI_DIGITS for char in core)
        return [Token("DIG" if only_digits else "O", start, end, said)]
    return _english_numbers(said, start)


def _english_numbers(said: str, start: int) -> list[Token]:
    """ "three thirty" → two numbers, "one two three four" → digits read one by one."""
    words = [(found[0], found.start(), found.end()) for found in re.finditer(r"[a-z]+", said)]
    if len(words) > 1 and all(
        ENGLISH_NUMBERS.get(word, 0 if word == "oh" else 10) < 10 for word, _, _ in words
    ):
        return [Token("DIG", start, start + len(said), said)]
    tokens: list[Token] = []
    first = 0
    while first < len(words):
        for stop in range(len(words), first, -1):
            piece = said[words[first][1] : words[stop - 1][2]]
            value = parse_number(piece)
            if value is not None or stop == first + 1:
                begin = start + words[first][1]
                tokens.append(
                    Token("NUM" if value is not None else "O", begin, begin + len(piece), piece, value)
                )
                first = stop
                break
    return tokens
