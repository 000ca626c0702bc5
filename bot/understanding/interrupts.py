"""Does what the customer says while the bot speaks ask it to stop?  Chinese and English.

A listener's noises (嗯嗯, 对对, 好的好的, 哦这样啊, uh-huh) ask the speaker to go on [Schegloff 1982,
"Discourse as an interactional achievement"; Clancy et al. 1996 for Mandarin reactive tokens].
Their number is small, while there is no end to what interrupts.  So the test is: read the text as
a row of listener's noises, particles and hesitations; what is left over decides.  Whatever cannot
be read so stops the bot, but for a scrap of one character that a recogniser may have misheard, and
the bot's own words coming back.  Right after a yes-no question yes and no are answers, after an open
one a verdict is (还行).

Unsettled text (a partial whose last word may still grow: 不 → 不错, 等 → 等一下) is judged
without that word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from bot.understanding.listening_words import (
    ANSWERS_EN,
    ANSWERS_ZH,
    CUES_EN,
    CUES_ZH,
    FLOOR_ZH,
    GLUE_EN,
    GLUE_ZH,
    HOMOPHONES,
    NOISES_EN,
    NOISES_ZH,
    OPEN_GLUE,
    UNSTABLE_EN,
    UNSTABLE_ZH,
    VERDICTS_EN,
    VERDICTS_ZH,
)
from bot.understanding.numbers import to_chinese

Expected = Literal["yes_no", "open", "none"]

_HAN = re.compile(r"[\u3400-\u9fff]")
_ONLY_HAN = re.compile(r"[\u3400-\u9fff]+")
_NOT_TEXT = re.compile(r"[^\u3400-\u9fffa-z0-9' ]+")
_NEWS = re.compile(r"(是|这样|这样的|真的|真)(吗|么)$")  # 是这样的吗, 真的吗: the speaker is to go on
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,4})?")
_SHORT_ECHO, _LONG_ECHO = 3, 6  # characters from which words may be an echo; from which even with a cue
_TOKEN = re.compile(r"[a-z0-9']+|[\u3400-\u9fff]+")
_LONGEST_ZH = max(len(word) for word in NOISES_ZH)
_LONGEST_EN = max(len(phrase.split()) for phrase in NOISES_EN)
_WHOLE_CUES = frozenset(c for c in CUES_ZH if len(c) > 1 and not any(c in noise for noise in NOISES_ZH))
_BEGUN_ZH = frozenset(word[:n] for word in NOISES_ZH for n in range(1, len(word))) | UNSTABLE_ZH
_BEGUN_EN = frozenset(phrase[:n].strip() for phrase in NOISES_EN for n in range(1, len(phrase))) | UNSTABLE_EN


@dataclass(frozen=True, slots=True)
class Judgement:
    """`stop`: this stops the bot; `score`: how sure, 0 to 1, above 0.5 where it stops."""

    stop: bool
    score: float


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text taken apart.

    `noises`: characters (words in English) of listener's noises; `rest`: what is neither noise nor
    glue; `kept`: rest with the glue between, in which cues are looked for.
    """

    noises: int
    rest: int
    kept: str


def judge(bot_line: str, text: str, expects: str = "none", *, settled: bool = True) -> Judgement:
    """Whether `text`, what the customer has said so far while `bot_line` was spoken, stops the bot.

    `expects`: "yes_no" where the bot has just asked a yes-no question, "open" for another question,
    "none" in a statement; raises ValueError for anything else.  `settled`: False for a partial that
    may still grow.
    """
    if expects not in ("yes_no", "open", "none"):
        raise ValueError(f"expects is {expects!r}; it must be yes_no, open or none")
    folded = fold(text)
    if not folded:
        return Judgement(False, 0.02)
    if len(folded) >= _LONG_ECHO and _is_echo(text, bot_line):
        return Judgement(False, 0.3)
    if (expects == "yes_no" and _answers(folded)) or (expects == "open" and _is_verdict(folded)):
        return Judgement(True, 0.9)
    if _takes_floor(folded):
        return Judgement(True, 0.9)
    reading = _read(folded, settled)
    cue = _cue_in(reading.kept) or any(word in folded for word in _WHOLE_CUES)
    if not reading.rest:
        stop = cue and not _NEWS.search(folded)
        return Judgement(stop, 0.9 if stop else 0.05 if reading.noises else 0.25)
    if cue:
        return Judgement(True, 0.97)
    if _is_echo(text, bot_line):
        return Judgement(False, 0.3)
    if (
        expects != "open"
        and reading.noises
        and reading.rest <= max(1, reading.noises // 4) <= reading.noises // 2
    ):
        return Judgement(False, 0.4)
    if not settled and reading.rest < 2:
        return Judgement(False, 0.45)
    return Judgement(True, min(0.95, 0.55 + 0.1 * reading.rest))


@lru_cache(maxsize=2048)
def fold(text: str) -> str:
    """Lower case, no punctuation, one space between English words, none between Chinese ones."""
    if _ONLY_HAN.fullmatch(text):
        return text
    plain = _NOT_TEXT.sub(" ", text.lower().replace("\u2019", "'").replace("-", " "))
    plain = re.sub(r"(?<=[\u3400-\u9fff]) +| +(?=[\u3400-\u9fff])", "", plain)
    plain = re.sub(r"([a-z])\1{2,}", r"\1", plain)
    return " ".join(plain.split())


def is_answer(text: str) -> bool:
    """Whether the text is a yes or a no and nothing else, but for noises: 嗯可以, 对对对."""
    folded = fold(text)
    if not folded or not _answers(folded):
        return False
    reading = _read(folded, True)
    return not reading.rest and not reading.kept.strip("| ").endswith(OPEN_GLUE)


def _read(folded: str, settled: bool) -> _Reading:
    """Split into noises, glue and rest, with as little rest as possible."""
    noises = rest = 0
    kept: list[str] = []
    tokens = _TOKEN.findall(folded)
    place = 0
    while place < len(tokens):
        if _HAN.match(tokens[place]):
            last = place == len(tokens) - 1
            n, r, k = _read_han(_true_sounds(tokens[place]), begun=last and not settled)
            place += 1
        else:
            stop = place
            while stop < len(tokens) and not _HAN.match(tokens[stop]):
                stop += 1
            n, r, k = _read_english(tokens[place:stop], begun=stop == len(tokens) and not settled)
            place = stop
        noises, rest = noises + n, rest + r
        kept.append(k)
    return _Reading(noises, rest, " ".join(part for part in kept if part))


def _true_sounds(run: str) -> str:
    """A short run of nothing but homophones of noises is those noises misheard: 队队队 → 对对对."""
    if len(run) <= 6 and all(ch in HOMOPHONES for ch in run):
        return "".join(HOMOPHONES[ch] for ch in run)
    return run


def _read_han(run: str, *, begun: bool) -> tuple[int, int, str]:
    """Noises, rest and kept text of a run of hanzi: the reading with the least rest.

    `begun`: the end of the run may be the beginning of a noise (原来 of 原来如此).
    """
    best: list[tuple[int, int, tuple[str, ...]]] = [(0, 0, ())]  # rest, words, kinds by character
    for end in range(1, len(run) + 1):
        rest, words, kinds = best[end - 1]
        options = [(rest + 1, words + 1, (*kinds, "r"))]
        for length in range(1, min(end, _LONGEST_ZH) + 1):
            word = run[end - length : end]
            kind = "n" if word in NOISES_ZH else "g" if word in GLUE_ZH else ""
            if not kind and begun and end == len(run) and word in _BEGUN_ZH:
                kind = "" if best[end - length][2][-1:] == ("r",) else "n"
            if kind:
                rest, words, kinds = best[end - length]
                options.append((rest, words + 1, (*kinds, *(kind * length))))
        best.append(min(options, key=lambda option: option[:2]))
    kinds = best[-1][2]
    kept = "".join(ch if kind != "n" else " " for ch, kind in zip(run, kinds, strict=True))
    return kinds.count("n"), kinds.count("r"), " ".join(kept.split())


def _read_english(words: list[str], *, begun: bool) -> tuple[int, int, str]:
    """The same for English words: longest phrases first."""
    noises = rest = place = 0
    kept: list[str] = []
    while place < len(words):
        if begun and " ".join(words[place:]) in _BEGUN_EN:
            break
        for length in range(min(_LONGEST_EN, len(words) - place), 0, -1):
            phrase = " ".join(words[place : place + length])
            if phrase in NOISES_EN:
                noises += length
                kept.append("|")
                break
            if phrase in GLUE_EN:
                kept.append(phrase)
                break
        else:
            length = 1
            rest += 1
            kept.append(words[place])
        place += length
    return noises, rest, " ".join(kept)


def _takes_floor(folded: str) -> bool:
    """Whether the text holds a phrase made of noises that takes the floor: 好了好了, 喂喂."""
    for harmless in ("好了解", "行了解", "就好了", "太好了", "说对了", "最好了", "晓得了", "懂得了"):
        folded = folded.replace(harmless, "")
    return any(phrase in folded for phrase in FLOOR_ZH) or "hello hello" in folded


def _answers(folded: str) -> bool:
    """Whether the text holds a yes or a no."""
    if any(word in folded for word in ANSWERS_ZH):
        return True
    padded = f" {folded} "
    return any(f" {word} " in padded for word in ANSWERS_EN)


def _cue_in(kept: str) -> bool:
    """Whether what is left holds a word that always takes the floor."""
    if any(cue in kept for cue in CUES_ZH):
        return True
    padded = f" {kept} "
    return any(f" {cue} " in padded for cue in CUES_EN)


def _is_verdict(folded: str) -> bool:
    """Whether the text answers 怎么样 in a listener's words: 还行, 挺好的, pretty good."""
    return any(word in folded for word in VERDICTS_ZH) or folded in VERDICTS_EN


def _is_echo(text: str, bot_line: str) -> bool:
    """Whether the text is the bot's own words coming back (an echo, or a listener repeating them).

    A recogniser may have misheard some of a long one.
    """
    said, own = _spoken(text), _spoken(bot_line)
    bare = "".join(ch for ch in said if ch not in "啊哦嗯呀")
    if len(bare) < _SHORT_ECHO:
        return False
    if not _HAN.search(bare):
        return f" {bare} " in f" {own} "
    if bare in own:
        return True
    pairs = [bare[place : place + 2] for place in range(len(bare) - 1)]
    return len(bare) >= _LONG_ECHO and sum(pair in own for pair in pairs) >= 0.75 * len(pairs)


@lru_cache(maxsize=2048)
def _spoken(text: str) -> str:
    """The text folded, its numbers in words: 每月5块 and 每月五块 sound the same."""
    if _HAN.search(text):
        text = _NUMBER.sub(lambda found: to_chinese(Decimal(found.group())), text)
    return fold(text)
