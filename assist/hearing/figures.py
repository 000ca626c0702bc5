"""Which fact each figure of a line belongs to.  Pure.

Every figure goes to the fact whose cue stands nearest: in its clause before in another, before it
before after it, and not beyond another figure.  The fact that was just asked counts as a cue at some
distance; so do, where nothing was asked, the facts that a question of the agent named.  Each fact
takes one figure, each figure one fact, nearest pairs first, of equals the one with the longer cue; a
figure that is taken back gives its place to the next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from assist.hearing.amounts import COUNTED, MONTHS_PER_YEAR, Value, values_in
from assist.hearing.cues import cues_in
from assist.hearing.known import decimal, short_number
from assist.hearing.line import OF_OTHERS, Line, Part, Parts
from assist.suggest.model import FactValue
from assist.suggest.script import FactRule

NEAR: Final = 14
"""Farthest that a cue may be from the figure that it names, in characters and penalties."""
ASKED: Final = 7
IN_QUESTION: Final = 12
"""As how far a cue the question counts."""
OTHER_CLAUSE: Final = 5
BEHIND: Final = 4
BEYOND_FIGURE: Final = 8
OWN_FIGURE: Final = 8
"""Penalties: for a clause's end between, for a cue after the figure, for another figure between, for a
cue after the figure that is followed by its own."""

MOST_COUNTED: Final = 30
"""People in a home or numbers in a family, at most."""

FIGURES: Final = frozenset({"money", "data", "count", "minutes", "months", "date"})
_OF_ONE_PERSON: Final = frozenset({"money", "data", "minutes", "months", "date"})
_QUESTION: Final = re.compile(r"[吗呢么?？]|多少|几|什么|哪|是不是|有没有|还是")
_REFERENCE: Final = re.compile(r"(块钱?|元)?的?(那个?|这个?|那[档种款]|[档种款]|和)")
"""五十八那个: one of the agent's plans."""


def figures_told(
    rules: Mapping[str, FactRule], line: Line, parts: Parts, values: Sequence[Value], asked: str | None
) -> dict[str, tuple[FactValue, bool]]:
    """Fact → its figure and whether that is a guess."""
    values = _corrected(parts, values)
    echoes = _figures_of(line.before) if asked is None else frozenset()
    measured = any(value.typed and "data" in value.kinds for value in values)
    pairs = []
    for rule in rules.values():
        if rule.kind not in FIGURES:
            continue
        fitting = [
            number
            for number, value in enumerate(values)
            if _fits(rule, value, asked, rules, measured=measured)
            and (value.value not in echoes or parts.at(value.start).mine)
        ]
        cues = cues_in(rule, line.text) if fitting else []
        for number in fitting:
            distance = _distance(rule, line, parts, values, number, cues, asked)
            if distance is not None:
                pairs.append((distance, number, rule.name))
    told: dict[str, tuple[FactValue, bool]] = {}
    taken: set[int] = set()
    for _, number, name in sorted(pairs, key=lambda pair: (pair[0], pair[1])):
        if name not in told and number not in taken:
            taken.add(number)
            told[name] = _in_unit(rules[name], values[number])
    return told


def _figures_of(before: str) -> frozenset[FactValue]:
    """The agent's figures, which the customer only repeats."""
    return frozenset(value.value for value in values_in(Line("", before, 0, ())))


def _corrected(parts: Parts, values: Sequence[Value]) -> list[Value]:
    """Without the figures that the customer takes back; the next of that sort stands in their place."""
    kept: list[Value] = []
    for value in values:
        before = kept[-1] if kept else None
        if (
            before is not None
            and set(before.kinds) & set(value.kinds)
            and parts.corrected(before.end, value.start)
        ):
            kept.pop()
            value = replace(value, start=before.start) if parts.at(before.start).who == "own" else value
        kept.append(value)
    return kept


def _fits(
    rule: FactRule, value: Value, asked: str | None, rules: Mapping[str, FactRule], *, measured: bool
) -> bool:
    """Whether a figure may stand for a fact by its sort; `measured`: a figure of the line is in GB."""
    if rule.kind not in value.kinds:
        return False
    if rule.kind == "count":
        if not value.counted:
            return rule.name == asked
        if value.value == 1 and rule.name != asked:
            return False  # 我一个,她一个 counts nothing yet
        if rule.unit != "岁" and (decimal(value.value) or 0) > MOST_COUNTED:
            return False
        counts = COUNTED.get(rule.unit, value.counted)
        return value.counted in counts or (rule.unit != "岁" and value.counted == "个") or (
            value.counted == "号" and rule.unit == "个"
        )  # fmt: skip
    if rule.kind in ("minutes", "months") and not value.typed:
        return rule.name == asked
    if rule.kind == "data" and not value.typed and (not value.counted or value.value == 1):
        return measured or rule.name == asked
    if rule.kind == "money":
        yearly = value.months == MONTHS_PER_YEAR
        return (
            (yearly or rule.name == asked)
            if "year" in rule.name
            else not (yearly and _yearly_of(rule, rules))
        )
    return True


def _yearly_of(rule: FactRule, rules: Mapping[str, FactRule]) -> bool:
    """Whether a year's price is a fact of its own beside this one."""
    return rule.name.replace("_price", "_year_price") in rules and rule.name.endswith("_price")


def _distance(
    rule: FactRule,
    line: Line,
    parts: Parts,
    values: Sequence[Value],
    number: int,
    cues: Sequence[re.Match[str]],
    asked: str | None,
) -> tuple[int, int] | None:
    """How far a figure is from what names this fact, and how many characters name it, negative; None
    where nothing near names it."""
    value = values[number]
    part = parts.at(value.start)
    best: tuple[int, int] | None = None
    for cue in cues:
        if _states(rule, line.text, parts, value, part, cue):
            distance = _gap(rule, parts, values, number, cue), cue.start() - cue.end()
            best = distance if best is None or distance < best else best
    if asked == rule.name or (asked in _monthly(rule) and value.months == MONTHS_PER_YEAR):
        if _states(rule, line.text, parts, value, part, None):
            own = decimal(value.value) or 0
            later = any(
                "count" in other.kinds and (decimal(other.value) or 0) > own for other in values[number + 1 :]
            )
            near = ASKED + (rule.kind == "count" and not value.typed and later)  # 两个…一个…四个吧
            best = (near, 0) if best is None else min(best, (near, 0))
    elif best is None and asked is None and value.typed and _QUESTION.search(line.before):
        named = cues_in(rule, line.before) and _states(rule, line.text, parts, value, part, None)
        best = (IN_QUESTION, 0) if named else None
    return best if best is not None and best[0] <= NEAR else None


def _monthly(rule: FactRule) -> tuple[str, ...]:
    """The monthly price that is asked where a year's is told."""
    return (rule.name.replace("_year_price", "_price"),) if "_year_price" in rule.name else ()


def _gap(rule: FactRule, parts: Parts, values: Sequence[Value], number: int, cue: re.Match[str]) -> int:
    value = values[number]
    behind = cue.start() >= value.end
    start, end = (value.end, cue.start()) if behind else (cue.end(), value.start)
    distance = max(end - start, 0)
    distance += OTHER_CLAUSE * abs(parts.at(value.start).clause - parts.at(cue.start()).clause)
    distance += BEYOND_FIGURE * sum(
        start <= other.start and other.end <= end and rule.kind in other.kinds
        for other in values
        if other is not value
    )
    if behind:
        distance += BEHIND
        if any(0 <= other.start - cue.end() <= BEHIND for other in values[number + 1 :]):
            distance += OWN_FIGURE
    return distance


def _states(
    rule: FactRule, text: str, parts: Parts, value: Value, part: Part, cue: re.Match[str] | None
) -> bool:
    """Whether the figure is the customer's own, of today, and told as such."""
    of_others = (rule.name.startswith(OF_OTHERS) and part.who == "other") or (
        cue is not None and parts.names(cue.start(), cue.end(), part.who)
    )
    if part.who in ("other", "agent") and not of_others:
        return False
    personal = rule.kind in _OF_ONE_PERSON or rule.unit == "岁"
    if part.who == "family" and personal and not (rule.kind == "date" or of_others):
        return False
    gone = part.past and rule.kind in ("money", "data", "minutes", "count")
    if rule.layer != "solutions" and (part.supposes or gone):
        return False
    if part.asks and not part.mine and rule.kind != "date":
        return False
    return not (rule.kind == "money" and not part.mine and _REFERENCE.match(text, value.end))


def _in_unit(rule: FactRule, value: Value) -> tuple[FactValue, bool]:
    """The figure in the fact's own unit, and whether it is a guess."""
    number = decimal(value.value)
    if number is None or rule.kind == "date":
        return value.value, value.rough
    if rule.kind == "money" and value.months > 1 and "year" not in rule.name:
        return short_number((number / value.months).quantize(Decimal(1))), True
    return short_number(number), value.rough
