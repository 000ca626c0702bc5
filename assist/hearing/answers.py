"""Facts that are told in words: choices, yes and no, and answers kept as they stand.  Pure."""

from __future__ import annotations

import re
from typing import Final

from assist.hearing.cues import choices_in, cues_in
from assist.hearing.line import OF_OTHERS, Line, Part, Parts
from assist.suggest.model import FactValue
from assist.suggest.script import FactRule

SHORT_ANSWER: Final = 40
"""Characters of an answer that is kept as it stands, at most."""
PERSONAL: Final = frozenset({"handset", "occupation", "city", "satisfaction", "data_need", "plan"})
"""Facts of one person, which the family's words about themselves do not fill."""
BESIDE: Final = 14
"""Characters between a cue and the words of a choice in another clause, at most."""

_NOT: Final = re.compile(
    r"[没不无别]([是太怎么很嫌用想有]|那么|什么|啥|怎么)?$|(谈不上|说不上|不是说?|哪有|又不|倒不)$"
)
_NO_CHOICE: Final = re.compile(r"[没不无别非难卡断慢]")
_BUT_NOT: Final = re.compile(r"(点|的)?(倒|是)?(也)?(不[^,，\s]|无所谓|没事|没关系|谈不上)|(不|没)(\1)")
_TURN: Final = re.compile(r"(?<!不)就是|但是?|不过|主要|关键|可是")
_UNKNOWN: Final = re.compile(
    r"不知道|不清楚|不太?清楚|不记得|记不|忘了|不懂|哪知道|哪记得|谁知道|问这个|不用问|先说|没注意|没问|怎么不|说不上"
)
_YES: Final = frozenset({"affirm", "accept_offer"})
_NO: Final = frozenset({"deny", "decline_offer"})
_TELLS: Final = frozenset({"inform", "out_of_scope", "chitchat", "complain"})
_SAYS_YES: Final = re.compile(
    r"(嗯+|啊|哦|呃|哎|噢)*[\s,，]*(有(?!没有|什么|啥|时)|对(?!方|面|你)|是(?!不是|啥|什么)|会(?!不会|员)|要(?!不|是)|行(?!不)|嗯|可以)"
)
_SAYS_NO: Final = re.compile(
    r"(嗯|啊|哦|呃|哎)*[\s,，]*(没(?!事|问题|关系|错)|不(?!错|好意思|过|对[\s,，]|是[\s,，])|从来没)"
)


def choice_told(
    rule: FactRule, line: Line, parts: Parts, asked: str | None, answer: tuple[int, int] | None = None
) -> tuple[FactValue, tuple[int, int]] | None:
    """The choice that the words mean, and where they stand; without the question only where a cue stands
    beside them.  `answer`: the words that answered the question, which are no cue of other facts."""
    if not rule.choices:
        return None
    cues = [] if asked == rule.name else cues_in(rule, line.text)
    if asked != rule.name and not cues:
        return None
    turns = [match.end() for match in _TURN.finditer(line.text)]
    best: tuple[tuple[bool, bool, int], str, tuple[int, int]] | None = None
    for choice, match in choices_in(rule, line.text):
        part = parts.at(match.start())
        named = [
            cue
            for cue in cues
            if _beside(parts, match, cue)
            and (rule.name.startswith(OF_OTHERS) or not _same_words(cue, match, answer))
        ]
        if (asked != rule.name and not named) or not _states(rule, parts, part, match, named):
            continue
        if _denied(line.text, match):
            continue
        weight = (
            any(turn <= match.start() for turn in parts.turns),
            rule.layer == "problems"
            and rule.kind == "choice"
            and any(turn <= match.start() for turn in turns),
            match.end() - match.start(),
        )
        if best is None or weight > best[0]:
            best = (weight, choice, match.span())
    if best is None:
        return None
    value: FactValue = best[1]
    if rule.kind == "yes_no":
        value = {"yes": True, "no": False}.get(best[1], best[1])
    return value, best[2]


def answer_told(rule: FactRule, line: Line, parts: Parts, offered: FactValue | None) -> FactValue | None:
    """The answer to the question itself where no value stands in it: yes, no, or the words."""
    first = line.acts[0] if line.acts else None
    if rule.kind == "yes_no":
        if first in _YES or (first not in _NO and _SAYS_YES.match(line.text)):
            return True
        return False if first in _NO or _SAYS_NO.match(line.text) else None
    if first in _YES and offered is not None:
        return offered
    telling = first is None or first in _TELLS or first.startswith("object_")
    if rule.kind == "text" and telling and not parts.parts[0].asks:
        return None if _UNKNOWN.search(line.text) or _SAYS_NO.match(line.text) else _words(line.text)
    return None


def words_told(rule: FactRule, line: Line, parts: Parts) -> FactValue | None:
    """For a fact kept in words: the clauses that its cues stand in, where they tell something."""
    if rule.kind != "text" or rule.choices:
        return None
    for cue in cues_in(rule, line.text):
        part = parts.at(cue.start())
        if part.asks or part.supposes or part.who == "agent" or _UNKNOWN.search(line.text):
            continue
        rival = rule.name.startswith(OF_OTHERS)
        named = parts.names(cue.start(), cue.end(), "other")
        if (
            (named and not rival)
            or (part.who == "other" and not rival)
            or (rule.layer == "solutions" and not named)
        ):
            continue
        clause = [piece for piece in parts.parts if piece.clause >= part.clause]
        return _words(line.text[clause[0].start : clause[-1].end])
    return None


def _states(
    rule: FactRule, parts: Parts, part: Part, match: re.Match[str], cues: list[re.Match[str]]
) -> bool:
    """Whether words are told by the customer of themselves, today."""
    if part.asks or part.supposes:
        return False
    about = cues or [match]
    rival = rule.name.startswith(OF_OTHERS)
    if (
        part.who == "other"
        and not rival
        and not any(parts.names(cue.start(), cue.end(), "other") for cue in about)
    ):
        return False
    if part.who == "family" and rule.name in PERSONAL:
        return False
    return not (part.past and rule.layer == "facts")


def _beside(parts: Parts, match: re.Match[str], cue: re.Match[str]) -> bool:
    clauses = abs(parts.at(match.start()).clause - parts.at(cue.start()).clause)
    gap = max(match.start() - cue.end(), cue.start() - match.end(), 0)
    return clauses == 0 or (clauses <= 2 and gap <= BESIDE)


def _same_words(cue: re.Match[str], match: re.Match[str], answer: tuple[int, int] | None) -> bool:
    """Whether cue and choice are the same words, and those answered the question."""
    if answer is None or cue.start() < answer[0] or cue.end() > answer[1]:
        return False
    return cue.start() < match.end() and match.start() < cue.end()


def _denied(text: str, match: re.Match[str]) -> bool:
    """Whether a choice's words are denied beside them (不是不好, 贵倒不贵)."""
    if _NO_CHOICE.match(match.group()) is None and _NOT.search(
        text[max(0, match.start() - 4) : match.start()]
    ):
        return True
    said = match.group()
    tail = text[match.end() : match.end() + 6]
    return bool(re.match(rf"(倒|是)(不|没|无)|(点|倒)?(没事|无所谓)|(倒|是)?不{re.escape(said)}", tail))


def _words(text: str) -> str | None:
    kept = text.strip("，。？！、,.?! ")
    return kept[:SHORT_ANSWER] if len(kept) >= 2 else None
