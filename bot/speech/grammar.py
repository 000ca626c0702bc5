"""A closed grammar (JSGF) out of the phrases that a script expects, for recognisers that need one.

A phrase is cut into the fewest words that the pronunciation dictionary knows; one that cannot be
is dropped and reported.  `{digits:4}` in a phrase stands for four digits spoken one by one.  There
are no loops: pocketsphinx hangs in JSGF's `( )+`.  Pure, but for reading the dictionary file.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.call.ports import RecogniserError

log = logging.getLogger(__name__)

Lexicon = Mapping[str, tuple[str, ...]]
"""Word → its pronunciations, each a row of phones with spaces between."""

_DIGITS = (
    *"零幺一二三四五六七八九",
    "zero",
    "oh",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
)
DIGITS_WEIGHT = "1e-20"
"""Digits fit any sound; against a whole phrase they must fit much better (measured)."""
_SLOT = re.compile(r"\{digits:(\d)\}")
_SPOKEN = re.compile(r"[一-鿿㐀-䶿]+|[A-Za-z][A-Za-z'\-]*|\{digits:\d\}|\d+")
_HANZI_DIGITS = "零一二三四五六七八九"
_LONGEST_WORD = 8


@dataclass(frozen=True, slots=True)
class Grammar:
    """JSGF text, and the words in it."""

    jsgf: str
    words: frozenset[str]
    dropped: tuple[str, ...]


@lru_cache(maxsize=4)
def read_lexicon(path: Path) -> Lexicon:
    """The pronunciations of a CMU dictionary file: `word phones` or `word(2) phones` a line.

    Raises RecogniserError where the file cannot be read.
    """
    lexicon: dict[str, tuple[str, ...]] = {}
    try:
        for line in path.read_text(encoding="utf-8").splitlines():
            word, _, phones = line.replace("\t", " ").partition(" ")
            if word and phones.strip():
                bare = word.split("(")[0] if not word.startswith("(") else word
                lexicon[bare] = (*lexicon.get(bare, ()), " ".join(phones.split()))
    except (OSError, UnicodeDecodeError) as error:
        raise RecogniserError(f"the pronunciation dictionary {path} cannot be read: {error}") from error
    return lexicon


def grammar_of(phrases: Iterable[str], lexicon: Lexicon) -> Grammar:
    """The grammar that accepts exactly these phrases.  Phrases that cannot be said are dropped, logged."""
    rows: dict[str, None] = {}
    words: set[str] = set()
    dropped = []
    for phrase in phrases:
        cut = words_of(phrase, lexicon)
        if not cut:
            dropped.append(phrase)
            continue
        words.update(word for word in cut if not _SLOT.fullmatch(word))
        slots = any(_SLOT.fullmatch(word) for word in cut)
        rows[f"/{DIGITS_WEIGHT if slots else 1}/ " + " ".join(_slot(word, lexicon) for word in cut)] = None
        if slots:
            words.update(_digits_in(lexicon))
    if dropped:
        log.info("%d of the expected phrases cannot be pronounced and are not listened for", len(dropped))
    body = "\n  | ".join(rows)
    return Grammar(
        f"#JSGF V1.0 UTF-8;\ngrammar expected;\npublic <phrase> = {body};\n", frozenset(words), tuple(dropped)
    )


def words_of(phrase: str, lexicon: Lexicon) -> list[str]:
    """The fewest dictionary words that make up `phrase`; [] where there is no way.  Marks are ignored."""
    result: list[str] = []
    for run in _SPOKEN.findall(phrase):
        if _SLOT.fullmatch(run):
            cut = [run]
        elif run[0].isascii() and not run[0].isdigit():
            cut = _latin(run, lexicon)
        else:
            cut = _fewest("".join(_HANZI_DIGITS[int(c)] if c.isdigit() else c for c in run), lexicon)
        if not cut:
            return []
        result += cut
    return result


def _latin(run: str, lexicon: Lexicon) -> list[str]:
    for form in (run.lower(), run.upper(), run):
        if form in lexicon:
            return [form]
    letters = [letter.upper() if letter.upper() in lexicon else letter.upper() + "." for letter in run]
    return letters if all(letter in lexicon for letter in letters) else []


def _fewest(run: str, lexicon: Lexicon) -> list[str]:
    best: list[list[str] | None] = [[]] + [None] * len(run)
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _LONGEST_WORD), end):
            before = best[start]
            if before is None or run[start:end] not in lexicon:
                continue
            found = best[end]
            if found is None or len(before) + 1 < len(found):
                best[end] = [*before, run[start:end]]
    return best[-1] or []


def _slot(word: str, lexicon: Lexicon) -> str:
    slot = _SLOT.fullmatch(word)
    if slot is None:
        return word
    one = "( " + " | ".join(_digits_in(lexicon)) + " )"
    return " ".join([one] * int(slot.group(1)))


def _digits_in(lexicon: Lexicon) -> list[str]:
    return [digit for digit in _DIGITS if digit in lexicon]
