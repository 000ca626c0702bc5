"""How long each character of a line takes to say, and so how much of a line was heard.

A table of weights, in syllables, stands in for marks inside the audio: a hanzi is one syllable,
a comma a short pause, a full stop a longer one.  The weights were fitted on espeak-ng and hold
within half a syllable or so for recorded voices (tests/speech/test_spoken_time.py).
Digits count as the words that are said for them: 30 is 三十, two syllables.
Pure.
"""

from __future__ import annotations

import re

COMMA_SYLLABLES = 0.8
STOP_SYLLABLES = 1.4
LETTER_SYLLABLES = 0.45
TYPICAL_SYLLABLE_MS = 210
"""A syllable of a telephone voice at an ordinary pace (4 to 5 a second)."""

_COMMAS = frozenset(",，、；;：:—…")
_STOPS = frozenset("。！？!?.")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def weights(text: str) -> list[float]:
    """The weight of each character of `text`, in syllables; pauses after the last word weigh 0."""
    result = [_weight(character) for character in text]
    for number in _NUMBER.finditer(text):
        said = _syllables_of_number(number.group())
        length = number.end() - number.start()
        result[number.start() : number.end()] = [said / length] * length
    spoken = [i for i, character in enumerate(text) if character.isalnum()]
    last = spoken[-1] if spoken else -1
    return [weight if i <= last else 0.0 for i, weight in enumerate(result)]


def text_at(text: str, heard_ms: int, total_ms: int) -> str:
    """The part of `text` that was heard whole when `heard_ms` of its `total_ms` had been played.

    Marks that follow the last heard character belong to it.  Nothing for 0 ms, all for the whole.
    """
    if total_ms <= 0 or heard_ms >= total_ms:
        return text if total_ms > 0 or heard_ms > 0 else ""
    ends = moments(text, total_ms)
    heard = sum(1 for end in ends if end <= heard_ms)
    while 0 < heard < len(text) and _inside_word(text, heard):
        heard -= 1
    if not any(character.isalnum() for character in text[:heard]):
        return ""
    while heard < len(text) and not text[heard].isalnum():
        heard += 1
    return text[:heard]


def moments(text: str, total_ms: int) -> list[int]:
    """For each character the moment, in ms from the start of the sound, at which it is over."""
    table = weights(text)
    whole = sum(table)
    passed, ends = 0.0, []
    for weight in table:
        passed += weight
        ends.append(round(total_ms * passed / whole) if whole else total_ms)
    return ends


def clause_at(text: str, heard_ms: int, total_ms: int, back_ms: int) -> int:
    """Where to go on with `text`, of which `heard_ms` were heard: the moment in ms at which the clause
    begins that was being said, but no more than `back_ms` before what was heard."""
    if total_ms <= 0 or heard_ms <= 0:
        return 0
    ends = moments(text, total_ms)
    begins = [0] + [
        ends[i] for i, character in enumerate(text) if character in _COMMAS or character in _STOPS
    ]
    begun = max(begin for begin in begins if begin <= heard_ms)
    return max(begun, heard_ms - back_ms)


def estimate_ms(text: str, syllable_ms: int = TYPICAL_SYLLABLE_MS) -> int:
    """About how long `text` takes to say, in ms."""
    return round(sum(weights(text)) * syllable_ms)


def _inside_word(text: str, cut: int) -> bool:
    """A number or a Latin word is heard whole or not at all."""
    before, after = text[cut - 1], text[cut]
    return before.isascii() and before.isalnum() and after.isascii() and after.isalnum()


def _weight(character: str) -> float:
    if character in _COMMAS:
        return COMMA_SYLLABLES
    if character in _STOPS:
        return STOP_SYLLABLES
    if not character.isalnum():
        return 0.0
    return LETTER_SYLLABLES if character.isascii() else 1.0


def _syllables_of_number(digits: str) -> float:
    """Syllables of a number as it is said: 30 → 三十 2, 128 → 一百二十八 5, 0527 digit by digit 4."""
    if "." in digits or digits.startswith("0") or len(digits) > 4:
        return float(len(digits))
    value, said = int(digits), 0
    for unit in (1000, 100, 10):
        digit, value = divmod(value, unit)
        said += 2 if digit else 0
    said += 1 if value else 0
    if 10 <= int(digits) < 20:
        said -= 1
    return float(max(said, 1))
