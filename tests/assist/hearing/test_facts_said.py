"""How much of what customers say of themselves is heard, and how much is heard that nobody said.

`facts_said.jsonl`: one line of a customer each, with the agent's words before it, the fact that they
asked, the acts, the facts that it states (`"*"`: in any words) and those that may also be inferred
(`may`).  About half of the lines hold something that is not the customer's own: other people's plans,
the agent's figures, questions, past and wished prices.  Every second line, beginning with the first, is
for tuning cues and rules; the others only measure: never look at their errors.  The errors of the
tuning half: `python -m tests.assist.hearing.test_facts_said`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from assist.hearing.facts import Line, from_line, put_to_customer, with_pauses
from assist.loading import load_assist_script
from assist.suggest.model import Fact
from assist.suggest.script import AssistScript
from bot.understanding.normalize import clean
from bot.understanding.values import extract

NOW = datetime.fromisoformat("2026-11-22T10:00:00+08:00")
SAID = [
    json.loads(line)
    for line in Path(__file__).with_name("facts_said.jsonl").read_text(encoding="utf-8").splitlines()
]
HALVES = {"tuning": SAID[0::2], "measuring": SAID[1::2]}
FLOORS = {"tuning": (0.95, 0.95), "measuring": (0.85, 0.85)}
"""Least recall and precision of each half."""


@dataclass(repr=False)
class Score:
    """Facts that were said and heard (`hits`), said and not heard, and heard though not said."""

    hits: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.hits / (self.hits + len(self.missed))

    @property
    def precision(self) -> float:
        return self.hits / (self.hits + len(self.wrong))


@cache
def script(name: str) -> AssistScript:
    return load_assist_script(name)


def heard(said: Mapping[str, Any]) -> dict[str, Fact]:
    """The facts taken from one line of the file."""
    rules = script(said["script"]).facts
    before, text = clean(said["before"]), clean(with_pauses(said["text"]))
    put = put_to_customer(rules, Line("a", before, 0, (), tuple(map(dict, extract(before, NOW)))))
    entities = tuple(map(dict, extract(text, NOW)))
    line = Line("c", text, 1000, tuple(said["acts"]), entities, before, today=NOW.date())
    return {fact.name: fact for fact in from_line(rules, line, said["asked"], put)}


def score(lines: Iterable[Mapping[str, Any]]) -> Score:
    """What was heard of these lines."""
    result = Score()
    for said in lines:
        facts = {name: fact.value for name, fact in heard(said).items()}
        where = f"{said['script']} [{said['asked'] or ''}] {said['before']} → {said['text']}"
        for name, value in said["facts"].items():
            if name in facts and (value == "*" or facts[name] == value):
                result.hits += 1
            else:
                result.missed.append(f"{where}: {name}={value}, heard {facts.get(name)}")
        for name, value in facts.items():
            if name in said["facts"]:
                if said["facts"][name] not in ("*", value):
                    result.wrong.append(f"{where}: {name}={value}, said {said['facts'][name]}")
            elif name not in said.get("may", ()):
                result.wrong.append(f"{where}: {name}={value}, not said")
    return result


@pytest.mark.parametrize("half", HALVES)
def test_most_of_what_is_said_is_heard_and_little_else(half: str) -> None:
    found = score(HALVES[half])
    recall, precision = found.recall, found.precision
    assert (recall >= FLOORS[half][0], precision >= FLOORS[half][1]) == (True, True), (recall, precision)


def main() -> None:
    """Figures of both halves, errors of the tuning half."""
    for name, lines in HALVES.items():
        found = score(lines)
        if name == "tuning":
            print("\n".join(["MISSED", *found.missed, "WRONG", *found.wrong]))
        print(f"{name}: recall {found.recall:.3f}, precision {found.precision:.3f}, {found.hits} heard")


if __name__ == "__main__":
    main()
