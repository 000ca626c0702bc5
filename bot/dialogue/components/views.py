"""The views of one line that a classifier may look at, as lists of keys.

A view is a way to cut a line into n-grams: of characters, of words, of toneless pinyin, of word
classes, of letters within English words, of pairs of English words.  Pure: the same line always
gives the same keys.  A key starts with the letter of its view, so that views share one vocabulary.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pypinyin import lazy_pinyin

from bot.understanding.normalize import HANZI

_UNIT: Final = re.compile(rf"[a-z]+(?:'[a-z]+)*|[0-9]|[{HANZI}]|<[A-Z]+>|[^\W\d_]")
_LATIN: Final = re.compile(r"[a-z]")
_MANY: Final = 24
"""More English words than this and pairs of words are left out: they would be too many."""


@dataclass(frozen=True)
class Analysed:
    """One line, ready to be cut.  `units`: hanzi, digits and English words one by one;
    `words`: segmented, no punctuation; `classes`: the class of each word (see hanzi.py)."""

    units: tuple[str, ...]
    words: tuple[str, ...]
    classes: tuple[str, ...]
    after: str | None = None


def units_of(folded: str) -> tuple[str, ...]:
    """Hanzi, digits, English words, placeholders and other letters of a folded line, in order."""
    return tuple(_UNIT.findall(folded))


@lru_cache(maxsize=30_000)
def syllable(unit: str) -> str:
    """The toneless pinyin of one hanzi; anything else stays as it is."""
    return lazy_pinyin(unit)[0] if len(unit) == 1 and unit > "\u2fff" else unit


def _ngrams(prefix: str, units: Sequence[str], shortest: int, longest: int) -> list[str]:
    keys = []
    for size in range(shortest, longest + 1):
        keys += [prefix + " ".join(units[at : at + size]) for at in range(len(units) - size + 1)]
    return keys


def _has_hanzi(line: Analysed) -> bool:
    return any(unit > "\u2fff" for unit in line.units)


def characters(line: Analysed) -> list[str]:
    """1- to 3-grams of characters (an English word counts as one), line ends marked; 4-grams
    measured worse, on few lines and on many."""
    return _ngrams("c", ["<", *line.units, ">"], 1, 3)


def words(line: Analysed) -> list[str]:
    """Single words and pairs of neighbours, line ends marked."""
    return _ngrams("w", line.words, 1, 1) + _ngrams("w", ["<", *line.words, ">"], 2, 2)


def pinyin(line: Analysed) -> list[str]:
    """1- to 3-grams of toneless pinyin, so that a recogniser's homophones fall together; none for
    a line without hanzi."""
    if not _has_hanzi(line):
        return []
    return _ngrams("p", ["<", *(syllable(unit) for unit in line.units), ">"], 1, 3)


def classes(line: Analysed) -> list[str]:
    """Word classes, pairs of them, and each word with its neighbour's class; none for a line
    without hanzi: the dictionary knows no English."""
    if not _has_hanzi(line):
        return []
    tags = line.classes
    keys = [f"k{tag}" for tag in tags]
    keys += _ngrams("k", ["<", *tags, ">"], 2, 2)
    keys += [f"k{word}|{tag}" for word, tag in zip(line.words, tags[1:], strict=False)]
    keys += [f"k{tag}|{word}" for tag, word in zip(tags, line.words[1:], strict=False)]
    return keys


def letters(line: Analysed) -> list[str]:
    """2- to 5-grams of letters within English words."""
    keys = []
    for word in line.units:
        if _LATIN.match(word):
            marked = f" {word} "
            for size in range(2, 6):
                keys += ["l" + marked[at : at + size] for at in range(len(marked) - size + 1)]
    return keys


def pairs(line: Analysed) -> list[str]:
    """Unordered pairs of English words, wherever they stand."""
    latin = sorted({word for word in line.units if _LATIN.match(word)})
    if len(latin) > _MANY:
        return []
    return [f"x{first} {second}" for at, first in enumerate(latin) for second in latin[at + 1 :]]


def context(line: Analysed) -> list[str]:
    """What was asked before, crossed with a short line: 对 after a pitch is a listener's noise."""
    if line.after is None or not 0 < len(line.units) <= 4:
        return []
    text = " ".join(line.units)
    return [f"a{line.after}", f"a{line.after}|{text}", f"a{line.after}|#{len(line.units)}"] + [
        f"a{line.after}|{unit}" for unit in set(line.units)
    ]


VIEWS: Final[Mapping[str, Callable[[Analysed], list[str]]]] = {
    "characters": characters,
    "words": words,
    "pinyin": pinyin,
    "classes": classes,
    "letters": letters,
    "pairs": pairs,
    "context": context,
}
"""Every view by the name that config.yml uses."""
