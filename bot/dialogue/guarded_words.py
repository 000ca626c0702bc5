"""Words of a line that the customer cannot stop: a designer writes 【…】 around them in domain.yml.

The marks are never part of a line: `unmarked` takes them out and says where they stood, `filled_spans`
where those words are once the variables have values, `mark_faults` what is wrong with them.  Marks that
do not match are read so that a call goes on: one that is never closed holds to the end of the line.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OPEN, CLOSE = "【", "】"
MAX_GUARDED_CHARACTERS = 30
"""Longer than some 6 s of speech: nobody should have to wait that long for a word."""

VARIABLE = re.compile(r"\{(\w+)\}")
_MARK = re.compile(f"[{OPEN}{CLOSE}]")

Span = tuple[int, int]
"""Characters from, to."""


@dataclass(frozen=True, slots=True)
class MarkFault:
    """A fault at character `at` of a template; `code`, `message` and `fix` as lint shows them."""

    at: int
    code: str
    message: str
    fix: str


def unmarked(template: str) -> tuple[str, tuple[Span, ...]]:
    """The template without its marks, and the spans that stood between them; empty spans are left out."""
    words, spans, opened = "", [], -1
    begin = 0
    for mark in _MARK.finditer(template):
        words += template[begin : mark.start()]
        begin = mark.end()
        if mark[0] == OPEN:
            opened = len(words) if opened < 0 else opened
        elif opened >= 0:
            spans.append((opened, len(words)))
            opened = -1
    words += template[begin:]
    if opened >= 0:
        spans.append((opened, len(words)))
    return words, tuple(span for span in spans if span[0] < span[1])


def filled_spans(words: str, spans: Sequence[Span], values: Mapping[str, Any]) -> tuple[Span, ...]:
    """The spans of unmarked `words` as they lie when its variables are replaced by `values`."""
    variables = [
        (found.start(), found.end(), len(str(values[found[1]]))) for found in VARIABLE.finditer(words)
    ]

    def moved(at: int) -> int:
        shift = 0
        for start, end, length in variables:
            if end <= at:
                shift += length - (end - start)
            elif start < at:  # a mark within the braces
                return start + shift
        return at + shift

    found = [(moved(begin), moved(end)) for begin, end in spans]
    return tuple(span for span in found if span[0] < span[1])


def mark_faults(template: str) -> Iterator[MarkFault]:
    """What is wrong with the marks of one wording, in order of place."""
    opened: int | None = None
    outside, begin = "", 0
    balanced = True
    for mark in _MARK.finditer(template):
        between, begin = template[begin : mark.start()], mark.end()
        if mark[0] == OPEN and opened is None:
            opened, outside = mark.start(), outside + between
        elif mark[0] == OPEN:
            balanced = False
            yield MarkFault(mark.start(), "E404", f"has {OPEN} inside {OPEN}…{CLOSE}", f"write {CLOSE} first")
        elif opened is None:
            balanced, outside = False, outside + between
            fix = f"write {OPEN} before the guarded words, or delete it"
            yield MarkFault(mark.start(), "E404", f"has {CLOSE} without {OPEN}", fix)
        else:
            yield from _span_faults(template[opened : mark.start()], opened)
            opened = None
    if opened is not None:
        fix = f"write {CLOSE} after the guarded words"
        yield MarkFault(opened, "E404", f"has {OPEN} that is never closed", fix)
        return
    outside += template[begin:]
    guarded = unmarked(template)[1]
    if balanced and guarded and not _spoken(outside):
        fix = f"delete {OPEN} {CLOSE} and write interruptible: false in its metadata"
        yield MarkFault(template.index(OPEN), "E406", "is guarded as a whole", fix)


def marks_of_an_agent(template: str) -> Iterator[MarkFault]:
    """The first mark in a line that an agent says: nobody can hold the customer back for him."""
    if mark := _MARK.search(template):
        message, fix = f"has {mark[0]}, which only a bot's line can have", f"delete {OPEN} and {CLOSE}"
        yield MarkFault(mark.start(), "E404", message, fix)


def _span_faults(span: str, at: int) -> Iterator[MarkFault]:
    words = VARIABLE.sub("00", span.replace(OPEN, ""))
    if not _spoken(words):
        yield MarkFault(at, "E405", f"has {OPEN}{CLOSE} around no word", "put words in it, or delete it")
    elif len(words) > MAX_GUARDED_CHARACTERS:
        message = f"holds the customer for {len(words)} characters"
        yield MarkFault(at, "W407", message, "guard only the words that he must have heard")


def _spoken(text: str) -> bool:
    return any(character.isalnum() for character in text)
