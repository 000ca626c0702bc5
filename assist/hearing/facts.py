"""Facts of the customer, filled from what is said.  Pure.

A figure belongs to the fact whose cue words stand nearest to it, or to the fact that was just asked
(`figures`); choices, yes and no, and words kept as they stand are in `answers`.  Only what the customer
tells of themselves and of today counts (`line`).  What the agent asked with a figure in it
(「一个月128对吧」) and the customer agreed to counts as said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from assist.hearing.amounts import Value, values_in
from assist.hearing.answers import answer_told, choice_told, words_told
from assist.hearing.figures import figures_told
from assist.hearing.known import FROM_FILE, decimal, file_facts, known_fact, merged, plain, short_number
from assist.hearing.line import Line, parts_of, with_pauses
from assist.suggest.model import Fact, FactValue
from assist.suggest.script import FactRule

__all__ = [
    "FROM_FILE", "Line", "Value", "file_facts", "from_line", "known_fact", "merged", "plain",
    "put_to_customer", "values_in", "with_pauses",
]  # fmt: skip

_CONFIRM: Final = re.compile(r"对[吧吗不么]|是[吧不]|没错吧|是不是|是这样吧|right\?|correct\?")
_YES: Final = frozenset({"affirm", "accept_offer"})


def from_line(
    rules: Mapping[str, FactRule],
    line: Line,
    asked: str | None,
    offered: Mapping[str, FactValue],
    *,
    late: bool = True,
) -> list[Fact]:
    """The facts that a customer's line states.

    `asked`: the fact that the agent's last line asked; `offered`: values that line put to the
    customer for confirmation.  What belongs to the solution (install time) counts, unasked, only once
    something was offered (`late`).
    """
    rules = {name: rule for name, rule in rules.items() if late or rule.layer != "solutions" or name == asked}
    parts = parts_of(line)
    values = values_in(line)
    answer: tuple[int, int] | None = None
    if asked in rules and rules[asked].kind in ("choice", "yes_no"):
        chosen = choice_told(rules[asked], line, parts, asked)
        answer = chosen[1] if chosen is not None else None
        values = [value for value in values if answer is None or not answer[0] <= value.start < answer[1]]
    stated = figures_told(rules, line, parts, values, asked)
    for rule in sorted(rules.values(), key=lambda rule: rule.name != asked):
        if rule.name in stated:
            continue
        chosen = choice_told(rule, line, parts, asked, answer)
        if chosen is not None:
            stated[rule.name] = (_value_of(rule, chosen[0]), False)
        elif rule.name != asked and (words := words_told(rule, line, parts)) is not None:
            stated[rule.name] = (words, False)
    if asked is not None and asked in rules and asked not in stated:
        told = answer_told(rules[asked], line, parts, offered.get(asked))
        if told is not None:
            stated[asked] = (told, False)
    agreed = _YES & set(line.acts[:1])
    for name, offer in offered.items() if agreed else ():
        stated.setdefault(name, (offer, False))
    return [
        Fact(
            name=name,
            value=value,
            source="speech",
            evidence=line.utterance_id,
            at_ms=line.at_ms,
            guessed=rough,
        )
        for name, (value, rough) in stated.items()
    ]


def _value_of(rule: FactRule, choice: FactValue) -> FactValue:
    """A choice that stands for a figure (我们俩: 2) as that figure."""
    number = decimal(choice) if rule.kind in ("count", "months", "money", "data", "minutes") else None
    return choice if number is None else short_number(number)


def put_to_customer(rules: Mapping[str, FactRule], line: Line) -> dict[str, FactValue]:
    """Values that an agent's line puts to the customer to confirm (一个月128对吧), by their cue words."""
    if not _CONFIRM.search(line.text):
        return {}
    put = [
        value
        for value in values_in(line)
        if value.typed or _CONFIRM.search(line.text[value.end : value.end + 5])  # 方便说两句吗 states nothing
    ]
    asked = {name: rule for name, rule in rules.items() if rule.layer != "permission"}
    found = figures_told(asked, line, parts_of(line, agent=True), put, None)
    return {name: value for name, (value, _) in found.items()}
