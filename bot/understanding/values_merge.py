"""What a value is (`Entity`), and how day, part of the day and clock time become one of them.

明天 + 下午 + 三点半 stand as three pieces in a line, in any order; `entities_of` joins neighbours and
resolves them against `now`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NotRequired, TypedDict

from bot.understanding.values_lexer import Token
from bot.understanding.values_time import at_clock, part_of


class Entity(TypedDict):
    """A typed value of a line; `start` and `end` are character offsets, `text` is what they bound.

    entity, value: money, yuan as a plain decimal string ("3.5"); data_volume, MB (int); duration, ms
    (int; whole calendar months also in `months`, ms then counts 30 days each, 365 a year); date,
    "2026-11-23"; time and datetime, ISO 8601 with offset (time: the next such moment, no day being
    said); part_of_day, morning|noon|afternoon|evening|night; vague_time, the words; phone,
    id_number, card, digits, as digits (or the placeholder of `masking`); percent and count,
    decimal strings.  `approximate` marks 二十来块, 过两天; `unit` what is counted.
    """

    entity: str
    value: str | int
    text: str
    start: int
    end: int
    approximate: NotRequired[bool]
    months: NotRequired[int]
    part_of_day: NotRequired[str]
    unit: NotRequired[str]


class Extra(TypedDict, total=False):
    """The keys that an Entity may have besides."""

    approximate: bool
    months: int
    part_of_day: str
    unit: str


@dataclass(slots=True)
class Piece:
    """A value before merging.  `kind` is the entity's name, or day, part, clock.

    A day without `now` has no `day`; `weak` clock times (一点, also "a bit") need a day or part.
    """

    kind: str
    value: str | int = ""
    extra: Extra = field(default_factory=Extra)
    day: date | None = None
    part: str | None = None
    clock: tuple[int, int] | None = None
    weak: bool = False
    first: int = 0
    last: int = 0


TIMELY: Final = frozenset({"day", "part", "clock"})
_COMMAS: Final = frozenset({",", "，", "、"})


def entities_of(
    text: str, tokens: Sequence[Token], pieces: Sequence[Piece], now: datetime | None
) -> list[Entity]:
    """The entities of a line from its pieces (in order, without overlaps)."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        if groups and piece.kind in TIMELY and _joins(tokens, groups[-1], piece):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    found = []
    for group in groups:
        start, end = tokens[group[0].first].start, tokens[group[-1].last].end
        words = text[start:end]
        resolved = _resolved(group, words, now) if group[0].kind in TIMELY else group[0]
        if resolved is not None:
            kind, value, extra = resolved.kind, resolved.value, resolved.extra
            found.append(Entity(entity=kind, value=value, text=words, start=start, end=end, **extra))
    return found


def _joins(tokens: Sequence[Token], group: Sequence[Piece], piece: Piece) -> bool:
    if group[-1].kind not in TIMELY or any(piece.kind == other.kind for other in group):
        return False
    between = tokens[group[-1].last + 1 : piece.first]
    return all(token.tag in ("LINK", "AT") or token.text in _COMMAS for token in between)


def _resolved(group: Sequence[Piece], words: str, now: datetime | None) -> Piece | None:
    """One value of a group of day, part and clock; None where they make none (十五点早上)."""
    by_kind = {piece.kind: piece for piece in group}
    day, part, clock = by_kind.get("day"), by_kind.get("part"), by_kind.get("clock")
    extra = day.extra.copy() if day else Extra()
    word = part.part if part else clock.part if clock else day.part if day else None
    said_part = part_of(word) if word else None
    if clock and clock.weak and not (day or said_part):
        return None
    if not day and not clock:
        return Piece("part_of_day", said_part or "")
    if now is None:
        return Piece("vague_time", words)
    if clock is None:
        if said_part:
            extra["part_of_day"] = said_part
        return Piece("date", day.day.isoformat(), extra) if day and day.day else None
    hour, minute = clock.clock or (0, 0)
    when = at_clock(day.day if day else None, hour, minute, said_part, now)
    if when is None:
        return None
    extra.pop("approximate", None)
    return Piece("datetime" if day else "time", when.isoformat(), extra)
