"""The cue and choice patterns of facts, compiled once, and where they stand in a line.  Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from assist.suggest.script import FactRule

_NOTHING: Final = re.compile(r"(?!)")


@lru_cache(maxsize=4096)
def _any_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns)) if patterns else _NOTHING


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def cues_in(rule: FactRule, text: str) -> list[re.Match[str]]:
    """Where the cues of a fact stand in a text, in order."""
    return [match for match in _any_of(rule.cues).finditer(text) if match.end() > match.start()]


def choices_in(rule: FactRule, text: str) -> list[tuple[str, re.Match[str]]]:
    """The choices whose words stand in a text: each choice with each of its places."""
    return [
        (choice, match)
        for choice, words in rule.choices.items()
        if _any_of(words).search(text)
        for word in words
        for match in _compiled(word).finditer(text)
        if match.end() > match.start()
    ]
