"""Personal data → typed placeholders, before anything is understood, logged or sent.

Masked: Chinese ID numbers, bank cards, mobile and landline numbers, names; however they are
written or dictated (spoken digits, separators, other scripts: see `digits`).  A run of 11 and more
digits is masked even where its checksum fails, since recognisers err.  Amounts, years and times
stay.  The placeholders are <ID> <CARD> <PHONE> <NAME>, and <DIGITS> for a fragment of an
unknown kind.  Masking what is masked changes nothing.
Sources: GB 11643-1999 (ID checksum), ISO/IEC 7812-1 (Luhn), COMPLIANCE.md (Security).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from bot.understanding.digits import GAP, DigitRun, find_digit_runs
from bot.understanding.names import find_names

Kind = Literal["ID", "CARD", "PHONE", "NAME", "DIGITS"]

PLACEHOLDERS: Final = frozenset({"<ID>", "<CARD>", "<PHONE>", "<NAME>", "<DIGITS>"})
SHORT_RUN: Final = 4
"""Digits that may stay in the clear at a turn's end, such as the last four of an ID; in partials
this many are masked already."""

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_SHAPE: Final = re.compile(r"[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]")
_MOBILE: Final = re.compile(r"(?:00?86|86)?1[3-9]\d{9}")
_LANDLINE: Final = re.compile(r"(?:86)?0\d{9,11}")
_LOCAL: Final = re.compile(r"[2-8]\d{6,7}")
_MONTH_DAY: Final = r"(?:0?[1-9]|1[0-2])[-/.](?:[12]\d|3[01]|0?[1-9])"
_DATES: Final = re.compile(
    rf"(?:(?:19|20)\d\d[-/.]{_MONTH_DAY}(?:[ t]\d\d?)?[\s,，、~-]*)+"
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:[012]\d|3[01])",
    re.IGNORECASE,
)
AMOUNT_AFTER: Final = re.compile(
    r"\s*(?:[块元圆万亿千百年月个分次兆米人条%]|公里|[mg]b?(?![a-z])|yuan|rmb|dollars?)", re.IGNORECASE
)
_X: Final = re.compile(GAP.pattern + r"(?:[xXｘＸ×叉](?![a-zA-Z])|艾克斯|埃克斯|(?:ex|eks)(?![a-z]))")
_PAUSE: Final = re.compile(
    r"(?:[\s,，。.、…?？!！-]|[呃嗯啊哦额诶哎好对是喂]|然后|那个|这个|等一?下|稍等|and|then|um|uh|er)*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]` is personal data; `value` is it in plain form (digits, X upper case)."""

    kind: Kind
    start: int
    end: int
    value: str = field(repr=False)


def is_id_number(value: str) -> bool:
    """Whether `value` is an 18-character Chinese ID number: a possible birthday and the right check."""
    if not _ID_SHAPE.fullmatch(value):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == value[17]


def is_card_number(value: str) -> bool:
    """Whether `value` is 13 to 19 digits with the right Luhn check digit."""
    if not re.fullmatch(r"[0-9]{13,19}", value):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(value))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def find(text: str, names: Sequence[str] = ()) -> list[Span]:
    """Personal data in `text`, in order, without overlaps.  `names` are those of the contact."""
    return _find(text, names, shortest=11)


def mask(text: str, names: Sequence[str] = ()) -> str:
    """`text` with a placeholder for all personal data.  Idempotent."""
    return _replace(text, find(text, names))


def mask_partial(text: str, names: Sequence[str] = ()) -> str:
    """`text` of a partial: every run of four digits or more is masked, whatever it may become."""
    return _replace(text, _find(text, names, shortest=SHORT_RUN))


class SlidingMasker:
    """Masks one party's turns in order, numbers split over turns included.

    A number that goes on from turn to turn (幺三八零零 | 幺三八 | 零零零) is masked as soon as more
    than SHORT_RUN of its digits are known, so at most those leading digits stay in the clear; a
    turn that ends within five digits or more has them masked at once.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = tuple(names)
        self._pending = 0

    def push(self, text: str, *, fresh: bool = False) -> str:
        """The masked text of the next turn.

        `fresh`: the bot has just asked for a short number (the last four of the ID), so these
        digits begin a new one even where the turn before ended with digits.
        """
        spans = [Span("NAME", start, end, text[start:end]) for start, end in find_names(text, self._names)]
        blanked = _blanked(text, spans)
        pending = 0 if fresh else self._pending
        runs = find_digit_runs(blanked)
        if not runs and not _PAUSE.fullmatch(text):
            pending = 0
        for run in runs:
            x = _X.match(blanked, run.end)  # 三叉 may end an ID
            end = x.end() if x else run.end
            at_end = bool(_PAUSE.fullmatch(blanked, end))
            word = run.spoken and len(run.digits) == 1 and not at_end  # 一会儿, 三个人
            goes_on = pending > 0 and not word and bool(_PAUSE.fullmatch(blanked, 0, run.start))
            total = len(run.digits) + (pending if goes_on else 0)
            found = _spans_of(blanked, run, 11)
            if not found and (goes_on or at_end) and total > SHORT_RUN and not _is_plain(blanked, run):
                found = [Span("DIGITS", run.start, end, run.digits)]
            spans += found
            pending = total if at_end else 0
        self._pending = pending
        return _replace(text, sorted(spans, key=lambda span: span.start))


def _find(text: str, names: Sequence[str], *, shortest: int) -> list[Span]:
    spans = [Span("NAME", start, end, text[start:end]) for start, end in find_names(text, names)]
    blanked = _blanked(text, spans)
    for run in find_digit_runs(blanked):
        spans += _spans_of(blanked, run, shortest)
    return sorted(spans, key=lambda span: span.start)


def _blanked(text: str, spans: Sequence[Span]) -> str:
    """`text` with a character that joins no digits in place of each character of the spans."""
    for span in spans:
        text = text[: span.start] + "\0" * (span.end - span.start) + text[span.end :]
    return text


def _replace(text: str, spans: Sequence[Span]) -> str:
    pieces, last = [], 0
    for span in spans:
        pieces += [text[last : span.start], f"<{span.kind}>"]
        last = span.end
    return "".join([*pieces, text[last:]])


def _spans_of(text: str, run: DigitRun, shortest: int) -> list[Span]:
    """The spans of one run of digits: one kind, or several numbers in a breath."""
    end, value = run.end, run.digits
    if len(value) >= 17 and (x := _X.match(text, run.end)):
        end, value = x.end(), value + "X"
    kind = _exact_kind(value)
    if kind:
        return [Span(kind, run.start, end, value)]
    if shortest > SHORT_RUN and _is_plain(text, run):
        return []
    if len(value) >= 11:
        parts = _several(run, value)
        if parts:
            return [
                Span(part_kind, run.starts[a], end if b == len(value) else run.ends[b - 1], value[a:b])
                for part_kind, a, b in parts
            ]
        return [Span(_likely_kind(value), run.start, end, value)]
    if _is_short_phone(run):
        return [Span("PHONE", run.start, end, value)]
    return [Span("DIGITS", run.start, end, value)] if len(value) >= shortest else []


def _exact_kind(value: str) -> Kind | None:
    """The kind of a number that keeps the rules of its kind."""
    if is_id_number(value):
        return "ID"
    if _MOBILE.fullmatch(value):
        return "PHONE"
    return "CARD" if is_card_number(value) else None


def _likely_kind(value: str) -> Kind:
    """The kind of eleven digits and more whose check fails: by length."""
    if len(value) in (15, 17, 18) and (value.endswith("X") or value[6:8] in ("19", "20") or len(value) == 15):
        return "ID"
    return "PHONE" if len(value) <= 13 else "CARD"


def _several(run: DigitRun, value: str) -> list[tuple[Kind, int, int]]:
    """`value` as numbers of known kinds that end where the run has a gap; empty where it is not."""
    cuts = [place for place in range(1, len(run.digits)) if run.starts[place] > run.ends[place - 1]]
    best: dict[int, list[tuple[Kind, int, int]]] = {0: []}
    for stop in [*cuts, len(value)]:
        for start in [place for place in best if 11 <= stop - place <= 19]:
            kind = _exact_kind(value[start:stop])
            if kind:
                best[stop] = [*best[start], (kind, start, stop)]
                break
    return best.get(len(value), [])


def _is_plain(text: str, run: DigitRun) -> bool:
    """Whether the run is a date (or several), or an amount of less than eleven digits."""
    if _DATES.fullmatch(text, run.start, run.end):
        return True
    return len(run.digits) < 11 and bool(AMOUNT_AFTER.match(text, run.end))


def _is_short_phone(run: DigitRun) -> bool:
    """Landlines, and mobiles of which the recogniser lost a digit or two."""
    value = run.digits
    if _LANDLINE.fullmatch(value) or re.fullmatch(r"1[3-9]\d{7,8}", value):
        return True
    groups = [1]
    for place in range(1, len(value)):
        if run.starts[place] > run.ends[place - 1]:
            groups.append(0)
        groups[-1] += 1
    dictated = groups in ([7], [8], [3, 4], [4, 4]) or set(groups) == {1}
    return dictated and bool(_LOCAL.fullmatch(value))
