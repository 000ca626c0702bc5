"""Facts of the customer, filled from what is said and from the customer file. Pure.

A value belongs to the fact that was just asked, or to the fact whose cue words stand nearest to it in
the same line.  What the agent asked with a figure in it (「一个月128对吧」) and the customer agreed to
counts as said.  A later value that differs replaces the earlier one and keeps it as `was`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from assist.suggest.model import Fact, FactValue
from assist.suggest.script import FactRule
from bot.understanding.numbers import parse_number

MB_PER_GB: Final = 1024
MONTHS_PER_YEAR: Final = 12
IMPLIED: Final = frozenset({"broadband"})
"""Yes-no facts that follow from any detail of theirs: `broadband` from `broadband_price`."""
MS_PER_MONTH: Final = 2_592_000_000
MS_PER_MINUTE: Final = 60_000
NEAR: Final = 14
"""Characters between a cue and the value that it names, at most."""
SHORT_ANSWER: Final = 40
"""Characters of an answer that is kept as it stands, at most."""

FROM_FILE: Final = frozenset(
    {
        "age", "occupation", "city", "plan", "monthly_bill", "data_used_gb", "plan_data_gb", "call_minutes",
        "tenure_months", "contract_end", "broadband", "family_numbers", "handset", "value_tier", "complaints",
        "sim_type", "service", "monthly_fee_ringback", "sex",
    }
)  # fmt: skip
"""Keys of the customer's file (CONTRACT, Contact) that are facts for any script."""

_YEARLY: Final = re.compile(r"[块元钱]{0,2}(一年|每年|包年|年费)|年.{0,3}$")
_MEASURES: Final = frozenset("层楼栋室座排次回遍天岁年块元兆分点号折成")
_NO_VALUES: Final = frozenset("折成号点层楼栋室座排遍")
"""What stands after a numeral that is no value at all (三楼, 六折)."""
_NUMERAL: Final = re.compile(
    r"[0-9]+(?:\.[0-9]+)?|[零〇一二两俩三四五六七八九十百千万半]+(?:点[零一二三四五六七八九]+)?"
)
_ROUGH: Final = re.compile(r"[多几来]|左右|大概|差不多|也就|上下|估计|可能|好像")
_QUESTION: Final = re.compile(r"[吗呢么?？]|多少|几|什么|哪|是不是|有没有|还是")
_CONFIRM: Final = re.compile(r"对[吧吗不么]|是[吧不]|没错吧|是不是|是这样吧|right\?|correct\?")
_ASKS: Final = re.compile(
    r"[吗么?？]|什么时候|多久|多少|(?<!不)怎么|(?<!不)怎样|哪|能不能|可不可以|是不是|要不要|有没有|咋"
)
_NOT: Final = re.compile(r"[没不无]|别")
_KINDS_OF: Final[dict[str, tuple[str, ...]]] = {
    "money": ("money",),
    "data": ("data_volume",),
    "count": ("count",),
    "minutes": ("duration",),
    "months": ("duration",),
    "date": ("date", "time", "vague_time"),
}
_BARE: Final = {
    "money": (3, 5000),
    "data": (1, 2000),
    "count": (0, 30),
    "minutes": (5, 9000),
    "months": (1, 480),
}
"""A number without its unit, said to the question: the range in which it is taken for the answer."""
_YES: Final = frozenset({"affirm", "accept_offer"})
_NO: Final = frozenset({"deny", "decline_offer"})
_TELLS: Final = frozenset({"inform", "out_of_scope", "chitchat", "complain"})


@dataclass(frozen=True)
class Value:
    """A value in a line: for which kinds of fact it may stand, and where; `typed`: with its unit."""

    kinds: tuple[str, ...]
    value: FactValue
    start: int
    end: int
    rough: bool = False
    typed: bool = True


@dataclass(frozen=True)
class Line:
    """A customer's line with its meaning, for filling facts.  `before`: the agent's words that it answers."""

    utterance_id: str
    text: str
    at_ms: int
    acts: tuple[str, ...]
    entities: tuple[Mapping[str, Any], ...] = ()
    before: str = ""


def file_facts(
    contact: Mapping[str, Any], rules: Mapping[str, FactRule], known: Iterable[str]
) -> dict[str, Fact]:
    """What the customer's file says: keys of the contact that are facts."""
    wanted = {*rules, *known}
    found = {}
    for key, value in contact.items():
        if key in wanted and isinstance(value, (int, float, bool, str, Decimal)) and value != "":
            found[key] = Fact(
                name=key, value=_number_if(value, rules.get(key)), source="file", evidence=f"contact.{key}"
            )
        elif key in wanted and isinstance(value, (list, tuple)):
            found[key] = Fact(name=key, value=len(value), source="file", evidence=f"contact.{key}")
    return found


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
    stated: dict[str, tuple[FactValue, bool]] = {}
    for value in values_in(line):
        rule = _rule_for(rules, line, value, asked)
        if rule is not None and rule.name not in stated:
            stated[rule.name] = (_fitted(rule, value), value.rough)
    for rule in rules.values():
        if rule.name not in stated:
            chosen = _choice(rule, line, asked)
            if chosen is not None:
                stated[rule.name] = (chosen, False)
    if asked is not None and asked in rules and asked not in stated:
        answer = _plain_answer(rules[asked], line, offered.get(asked))
        if answer is not None:
            stated[asked] = (answer, False)
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


def known_fact(
    name: str,
    value: Any,
    rule: FactRule | None,
    source: Literal["speech", "file"] = "speech",
    evidence: str = "earlier",
    at_ms: int = 0,
) -> Fact:
    """A fact with a given value."""
    return Fact(name=name, value=_number_if(value, rule), source=source, evidence=evidence, at_ms=at_ms)


def put_to_customer(rules: Mapping[str, FactRule], line: Line) -> dict[str, FactValue]:
    """Values that an agent's line puts to the customer to confirm (一个月128对吧), by their cue words."""
    found: dict[str, FactValue] = {}
    if not _CONFIRM.search(line.text):
        return found
    for value in values_in(line):
        after = line.text[value.end : value.end + 5]
        if not value.typed and not _CONFIRM.search(after):
            continue  # 方便说两句吗 states nothing
        rule = _rule_for(rules, line, value, None)
        if rule is not None and rule.layer != "permission":
            found.setdefault(rule.name, _fitted(rule, value))
    return found


def merged(facts: Mapping[str, Fact], news: Iterable[Fact]) -> dict[str, Fact]:
    """The facts with the news in: what is repeated stays as it was, what differs replaces."""
    after = dict(facts)
    for fact in news:
        before = after.get(fact.name)
        if before is None:
            after[fact.name] = fact
        elif _same(before.value, fact.value):
            if before.source == "file" or before.guessed:
                after[fact.name] = Fact(
                    name=fact.name,
                    value=before.value,
                    source="speech",
                    evidence=fact.evidence,
                    at_ms=fact.at_ms,
                    was=before.was,
                )
        elif not (fact.guessed and not before.guessed and _close(before.value, fact.value)):
            after[fact.name] = Fact(
                name=fact.name, value=fact.value, source=fact.source, evidence=fact.evidence,
                at_ms=fact.at_ms, guessed=fact.guessed, was=before.value,
            )  # fmt: skip
    return after


def plain(facts: Mapping[str, Fact]) -> dict[str, FactValue]:
    """Name → value, with what follows: the data used beyond the plan's, a month's share of a yearly price."""
    values = {name: fact.value for name, fact in facts.items()}
    used, plan = _decimal(values.get("data_used_gb")), _decimal(values.get("plan_data_gb"))
    if used is not None and plan is not None:
        values["over_gb"] = max(used - plan, Decimal(0))
    yearly = _decimal(values.get("broadband_year_price"))
    if yearly is not None and "broadband_price" not in values:
        values["broadband_price"] = (yearly / MONTHS_PER_YEAR).quantize(Decimal("0.01"))
    for name in tuple(values):
        owner = name.partition("_")[0]
        if owner != name and owner in IMPLIED and values[name] not in (False, 0):
            values.setdefault(owner, True)  # whoever pays for broadband has it
    return values


def values_in(line: Line) -> list[Value]:
    """All values of a line: typed entities, then numbers that no entity covers."""
    found, covered = [], []
    for entity in line.entities:
        kinds = tuple(kind for kind, names in _KINDS_OF.items() if entity["entity"] in names)
        start, end = int(entity.get("start", 0)), int(entity.get("end", 0))
        value = _entity_value(entity)
        if (
            kinds
            and value is not None
            and not (entity["entity"] == "duration" and _per(line.text, start, end))
        ):
            found.append(Value(kinds, value, start, end, _is_rough(line.text, start, end)))
            covered.append((start, end))
        elif entity["entity"] == "duration":
            covered.append((start, end))
    for match in _NUMERAL.finditer(line.text):
        start, end = match.span()
        number = parse_number(match.group())
        if number is None or any(start < b and a < end for a, b in covered):
            continue
        if (
            match.group() in ("一", "半", "两")
            and end < len(line.text)
            and line.text[end] in "个下点些样直般起定"
        ):
            continue
        kinds = tuple(kind for kind, (low, high) in _BARE.items() if low <= number <= high)
        after = line.text[end : end + 1]
        if after in _MEASURES or not after:
            kinds = tuple(kind for kind in kinds if kind != "count" or not after)
        if kinds and after not in _NO_VALUES:
            found.append(Value(kinds, number, start, end, _is_rough(line.text, start, end), typed=False))
    return sorted(found, key=lambda value: value.start)


def _rule_for(rules: Mapping[str, FactRule], line: Line, value: Value, asked: str | None) -> FactRule | None:
    """The fact that a value is about: the nearest cue of the same line, else what was asked, else the
    cue that stood last in the agent's words."""
    best: tuple[int, FactRule] | None = None
    yearly = value.kinds[0] == "money" and bool(
        _YEARLY.search(line.text[max(0, value.start - 6) : value.start])
        or _YEARLY.match(line.text[value.end : value.end + 5])
    )
    fitting = [
        rule
        for rule in rules.values()
        if rule.kind in value.kinds and (rule.kind != "money" or yearly == ("year" in rule.name))
    ]
    for rule in fitting:
        for cue in rule.cues:
            for match in re.finditer(cue, line.text):
                distance = max(value.start - match.end(), match.start() - value.end, 0)
                distance += 4 if match.start() >= value.end else 0  # what stands before names it sooner
                if distance <= NEAR and (best is None or distance < best[0]):
                    best = (distance, rule)
    if best is not None:
        return best[1]
    if asked is not None and any(rule.name == asked for rule in fitting):
        return rules[asked]
    if not _QUESTION.search(line.before):
        return None
    ends = [
        (
            max((match.end() for cue in rule.cues for match in re.finditer(cue, line.before)), default=-1),
            rule.name,
        )
        for rule in fitting
    ]
    end, name = max(ends, default=(-1, ""))
    return rules[name] if end >= 0 and value.typed else None


def _choice(rule: FactRule, line: Line, asked: str | None) -> FactValue | None:
    """The choice that the words mean; without the question only where a cue stands beside it."""
    if not rule.choices:
        return None
    if asked != rule.name and (
        _ASKS.search(line.text) or not any(re.search(cue, line.text) for cue in rule.cues)
    ):
        return None
    best: tuple[int, str] | None = None
    for value, words in rule.choices.items():
        for word in words:
            for match in re.finditer(word, line.text):
                before = line.text[max(0, match.start() - 2) : match.start()]
                if _NOT.search(before) and not _NOT.search(word):
                    continue
                if best is None or len(match.group()) > best[0]:
                    best = (len(match.group()), value)
    if best is None:
        return None
    return {"yes": True, "no": False}.get(best[1], best[1]) if rule.kind == "yes_no" else best[1]


def _plain_answer(rule: FactRule, line: Line, offered: FactValue | None) -> FactValue | None:
    """The answer to the question itself where no value stands in it: yes, no, or the words."""
    first = line.acts[0] if line.acts else None
    if rule.kind == "yes_no":
        return True if first in _YES else False if first in _NO else None
    if first in _YES and offered is not None:
        return offered
    if rule.kind == "text" and (first is None or first in _TELLS or first.startswith("object_")):
        text = line.text.strip("，。？！、,.?! ")
        return text[:SHORT_ANSWER] if len(text) >= 2 else None
    return None


def _entity_value(entity: Mapping[str, Any]) -> FactValue | None:
    kind, value = entity["entity"], entity["value"]
    number = _decimal(value)
    if kind == "data_volume" and number is not None:
        return (number / MB_PER_GB).quantize(Decimal("0.1")).normalize()
    if kind == "duration":
        return number
    if kind in ("date", "time", "vague_time"):
        return str(value)
    return number


def _fitted(rule: FactRule, value: Value) -> FactValue:
    """The value in the fact's own unit."""
    number = _decimal(value.value)
    if number is None:
        return value.value
    if number >= MS_PER_MINUTE and rule.kind == "months":
        number = (number / MS_PER_MONTH).quantize(Decimal(1))
    elif number >= MS_PER_MINUTE and rule.kind == "minutes":
        number = (number / MS_PER_MINUTE).quantize(Decimal(1))
    return int(number) if number == number.to_integral_value() else float(number)


def _per(text: str, start: int, end: int) -> bool:
    """Whether a duration is a rate (一个月, 每个月) and no length."""
    return text[start:end] in ("一个月", "一月", "一年", "一天") or text[max(0, start - 1) : start] in (
        "每",
        "个",
    )


def _is_rough(text: str, start: int, end: int) -> bool:
    return bool(_ROUGH.search(text[max(0, start - 3) : min(len(text), end + 2)]))


def _number_if(value: Any, rule: FactRule | None) -> FactValue:
    if rule is not None and rule.kind in ("choice", "text", "date", "yes_no"):
        if rule.kind == "yes_no" and isinstance(value, str):
            return {"yes": True, "true": True, "no": False, "false": False}.get(value.lower(), value)
        return value if isinstance(value, (bool, str)) else str(value)
    number = None if isinstance(value, bool) else _decimal(value)
    if number is None:
        return value  # type: ignore[no-any-return]
    return int(number) if number == number.to_integral_value() else float(number)


def _decimal(value: Any) -> Decimal | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def _same(one: FactValue, other: FactValue) -> bool:
    a, b = _decimal(one), _decimal(other)
    return a == b if a is not None and b is not None else str(one) == str(other)


def _close(one: FactValue, other: FactValue) -> bool:
    """Whether a rough figure says the same as the exact one (within a tenth)."""
    a, b = _decimal(one), _decimal(other)
    return a is not None and b is not None and abs(a - b) <= max(abs(a), abs(b)) / 10
