"""Typed values in a line: money, data volume, durations, dates and times, numbers that name.

The line is split into typed tokens (`values_lexer`), spaCy's Matcher finds the rules of `_RULES` in
them, `values_rules` gives each its value.  A line that cannot hold a value is left at once.
Units are the contract's: money in yuan as a decimal string, data in MB (1 GB = 1024 MB), durations
in ms, times ISO 8601 with the offset of the callee's zone.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from spacy.matcher import Matcher

from bot.understanding import masking
from bot.understanding.digits import find_digit_runs
from bot.understanding.values_lexer import VOCAB, Token, lex, to_doc
from bot.understanding.values_merge import Entity, Piece, entities_of
from bot.understanding.values_rules import VALUES

_N: Final = "NUM/DIG"
_RULES: Final[dict[str, tuple[str, ...]]] = {
    # money
    "yuan": (
        f"SIGN? {_N} YUAN",
        "SIGN NUM",
        f"{_N} YUAN {_N}",
        f"{_N} YUAN {_N} MAO",
        f"{_N} YUAN HALF",
        f"{_N} YUAN {_N} MAO NUM",
        "NUM POINT NUM/DIG YUAN",
    ),
    "mao": (f"{_N} MAO", "NUM MAO NUM"),
    # data
    "giga": (f"{_N} GIGA", "NUM POINT NUM/DIG GIGA", "HALF GIGA"),
    "mega": (f"{_N} MEGA", "NUM POINT NUM/DIG MEGA"),
    # shares and counts
    "percent": ("PERCENT_OF NUM", "PERCENT_OF NUM POINT NUM/DIG", "NUM PERCENT", "NUM POINT NUM/DIG PERCENT"),
    "discount": ("NUM ZHE", "NUM POINT NUM ZHE", "DIG ZHE"),
    "count": (f"{_N} COUNTED",),
    # durations
    "duration": tuple(
        f"PASS? {pattern} AFTER?"
        for pattern in (
            *(
                f"{_N} GE? HOUR",
                f"{_N} GE? HALF HOUR",
                f"{_N} HOUR HALF",
                "HALF GE? HOUR",
                f"{_N} GE? HOUR {_N} MINUTE",
            ),
            *(f"{_N} MINUTE/KE/DAYS/MONTHS", f"{_N} GE? WEEKS"),
            *(f"{_N} GE MONTH", f"{_N} GE HALF MONTH", "HALF GE? MONTH"),
            *(f"{_N} YEAR", f"{_N} YEAR HALF", "HALF YEAR"),
        )
    ),
    # days, parts of days, clock times
    "day": ("DAY",),
    "weekday": ("WEEKDAY",),
    "week": ("WEEK",),
    "month": ("MONTHREL",),
    "part_of_month": ("MONTHREL? LINK? MONTHPART", "YEARPART"),
    "calendar": ("NUM HAO", "MONTHREL LINK? NUM HAO", "NUM MONTH NUM HAO", "NUM/DIG YEAR NUM MONTH NUM HAO"),
    "iso_date": ("ISODATE",),
    "part": ("PART",),
    "clock": (
        "NUM POINT",
        "NUM POINT SHARP",
        "NUM POINT HALF",
        "NUM POINT NUM",
        "NUM POINT NUM FEN",
        "NUM POINT NUM KE",
        "CLOCK",
        "CLOCK AMPM",
        "NUM AMPM",
        "NUM NUM AMPM",
        "NUM SHARP",
        "AT NUM",
        "AT NUM NUM",
        "HALF_PAST NUM",
        "HALF_PAST NUM AMPM",
    ),
    "vague": ("VAGUE",),
    "named": ("NAMED",),
}
"""Rule → patterns over token types; `/` for either, `?` for optional."""

_HINT: Final = re.compile(
    r"[0-9０-９零〇一二两俩三四五六七八九十百千半幺%<周]|天|星期|礼拜|月|年[底末]|[早晚]|午|夜|回头|改日|会儿?|再|有空|有时间|下次"
    r"|过.{0,2}[阵时些年]|day|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|teen|twenty|thirty|forty"
    r"|fifty|hundred|zero|half|hour|minute|week|month|year|morrow|night|noon|morning|evening|later|time"
)


def _compile() -> Matcher:
    matcher = Matcher(VOCAB)
    for rule, patterns in _RULES.items():
        matcher.add(rule, [_pattern(pattern) for pattern in patterns])
    return matcher


def _pattern(types: str) -> list[dict[str, object]]:
    return [
        {"TAG": {"IN": word.rstrip("?").split("/")}, **({"OP": "?"} if word.endswith("?") else {})}
        for word in types.split()
    ]


_MATCHER: Final = _compile()
_LEAD_IN: Final = re.compile(r"[后末前][四六][位个]|last (?:four|six)(?: digits)?(?![a-z])")
_KIND_NAMES: Final = {"ID": "id_number", "CARD": "card", "PHONE": "phone"}
_X: Final = re.compile(r"\s?(?:x(?![a-z])|叉|艾克斯)")
_SPOKEN_AT_LEAST, _WRITTEN_AT_LEAST = 2, 3


def extract(text: str, now: datetime | None = None) -> list[Entity]:
    """The typed values of `text`, in order, without overlaps; offsets are into `text` as given.

    `now` is aware, in the callee's zone; without it a time that needs it comes as vague_time.
    Give text that `normalize.clean` has cleaned.  Raises ValueError for a naive `now`.
    """
    if now is not None and now.tzinfo is None:
        raise ValueError("extract: `now` has no time zone; give an aware datetime in the callee's zone")
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(low if len(low := char.lower()) == 1 else char for char in text)
    if not _HINT.search(lowered):
        return []
    numbers = _named_numbers(lowered)
    tokens = lex(_blank(lowered, numbers))
    entities = [*numbers, *entities_of(text, tokens, _pieces(tokens, now), now)]
    entities += _digits(_blank(lowered, entities))
    for entity in entities:
        entity["text"] = text[entity["start"] : entity["end"]]
    return sorted(entities, key=lambda entity: entity["start"])


def _pieces(tokens: list[Token], now: datetime | None) -> list[Piece]:
    """What the rules find, the longest first, without overlaps, in order."""
    if all(token.tag in ("O", "LINK", "AT", "POINT", "PASS") for token in tokens):
        return []
    doc = to_doc(tokens)
    taken: set[int] = set()
    pieces = []
    for rule, first, stop in sorted(_MATCHER(doc), key=lambda match: (match[1] - match[2], match[1])):
        if not taken.isdisjoint(range(first, stop)):
            continue
        piece = VALUES[doc.vocab.strings[rule]](tokens, first, stop - 1, now)
        if piece is not None:
            piece.first, piece.last = first, stop - 1
            taken.update(range(first, stop))
            pieces.append(piece)
    return sorted(pieces, key=lambda piece: piece.first)


def _named_numbers(text: str) -> list[Entity]:
    """Phone, ID and card numbers."""
    return [
        Entity(entity=_KIND_NAMES[span.kind], value=span.value, text="", start=span.start, end=span.end)
        for span in masking.find(text)
        if span.kind in _KIND_NAMES
    ]


def _digits(text: str) -> list[Entity]:
    """What is left of digits read one by one: 尾号幺二三四, 1 2 3 X."""
    found = []
    for run in find_digit_runs(text):
        if len(run.digits) < (_SPOKEN_AT_LEAST if run.spoken else _WRITTEN_AT_LEAST):
            continue
        if not run.spoken and masking.AMOUNT_AFTER.match(text, run.end):
            continue
        x = _X.match(text, run.end) if len(run.digits) >= _WRITTEN_AT_LEAST else None
        value, end = (run.digits + "X", x.end()) if x else (run.digits, run.end)
        found.append(Entity(entity="digits", value=value, text="", start=run.start, end=end))
    return found


def _blank(text: str, entities: list[Entity]) -> str:
    """`text` with a character of no type in place of the entities and of 后四位, "last four"."""
    for entity in entities:
        text = text[: entity["start"]] + "\0" * (entity["end"] - entity["start"]) + text[entity["end"] :]
    return _LEAD_IN.sub(lambda found: "\0" * len(found[0]), text)
