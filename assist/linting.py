"""All faults of what live assist reads of a script: assist.yml, catalogue.yml, the metadata of lines.

Errors (E5..) are what would show a wrong card, or none; warnings (W5..) what is thin.  A bot's script is only
checked for reading, since its own lines follow other rules.  Raises nothing: what cannot be read is a
fault (E500) and ends the check.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from assist.hearing.duties import forbidden
from assist.loading import KNOWN_FACTS, read_assist_script
from assist.suggest.conditions import Condition, parse_condition
from assist.suggest.model import CUSTOMER_TYPES, MAX_CARD_CHARACTERS, STAGES
from assist.suggest.names import NO_PRESSING, TECHNIQUES
from assist.suggest.offers import may_lower
from assist.suggest.script import AssistScript, FactRule, Node, Wording
from bot.dialogue.faults import Fault
from bot.dialogue.script_files import ScriptError, ScriptFiles
from bot.typed_yaml import YamlError, read_yaml_with_places
from bot.understanding.acts import ACTS

LEAST_TECHNIQUES: Final = 4
TYPICAL: Final[dict[str, str]] = {
    "price": "58", "now": "208", "then": "128", "saving": "80", "saving_year": "960", "saving_term": "1920",
    "months": "24", "leaving_early": "20", "over_gb": "8.4", "tenure_years": "12",
    "contract_end_spoken": "2027年12月31号",
}  # fmt: skip
"""What arithmetic puts into {placeholders}, as long as it usually is."""
_FACT: Final[dict[str, str]] = {
    "money": "128", "data": "18.4", "count": "5", "minutes": "300", "months": "24", "date": "2027-12-31",
    "text": "中国移动",
}  # fmt: skip
_NUMBERS: Final = frozenset({"money", "data", "count", "minutes", "months"})
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")


def lint_assist(files: ScriptFiles) -> list[Fault]:
    """The faults of one script's files, in order of place."""
    try:
        script = read_assist_script(files)
    except ScriptError as error:
        cause = error.__cause__
        if isinstance(cause, YamlError):
            return [Fault(cause.path, cause.line, cause.column, "E500", cause.what, cause.remedy)]
        return [Fault(files.folder / "script.yml", 1, 1, "E500", str(error), "correct the file")]
    if files.mode != "assist":
        return []
    check = _Check(files, script)
    found = [*check.texts(), *check.lines(), *check.facts(), *check.duties(), *check.products()]
    return sorted({*found, *check.objections()})


class _Check:
    """The checks of one script that can be read."""

    def __init__(self, files: ScriptFiles, script: AssistScript) -> None:
        self._files, self._script = files, script
        self._read = lru_cache(maxsize=16)(read_yaml_with_places)
        self._facts = set(script.facts) | KNOWN_FACTS
        names = [product.name.zh for product in script.catalogue.products]
        self._misspelt = {node.asks for node in script.nodes.values() if node.asks} - set(script.facts)
        self._figures = {
            **dict.fromkeys(KNOWN_FACTS, "128"),
            **{name: _typical(rule) for name, rule in script.facts.items()},
            **TYPICAL,
            "product": max(names, key=len, default="套餐"),
            **script.variables,
        }

    def texts(self) -> Iterator[Fault]:
        """Every wording: its placeholders, its length, what it must not say."""
        for node in self._script.nodes.values():
            for number, wording in enumerate(node.wordings):
                yield from self._text(f"'{node.name}'", wording.text, ("responses", node.name, number))
        for at, product in enumerate(self._script.catalogue.products):
            for text in product.say:
                yield from self._text(f"product '{product.key}'", text, ("products", at, "say"))
        for rule in self._script.must_not_say:
            if len(rule.say) > MAX_CARD_CHARACTERS:
                yield self._too_long(
                    f"must_not_say '{rule.rule}'", len(rule.say), self._entry("rule", rule.rule)
                )

    def _text(self, whose: str, text: str, where: tuple[str | int, ...]) -> Iterator[Fault]:
        place = self._place(where)
        unknown = [name for name in _PLACEHOLDER.findall(text) if name not in self._figures]
        for name in unknown:
            fix = _near(name, self._figures, "a fact, a sum (now, then, saving …) or company, hotline_spoken")
            yield Fault(*place, "E501", f"{whose} uses {{{name}}}, which nothing fills in", fix)
        spoken = _PLACEHOLDER.sub(lambda match: self._figures.get(match.group(1), "128"), text)
        if len(spoken) > MAX_CARD_CHARACTERS:
            yield self._too_long(whose, len(spoken), place)
        for alarm in forbidden(self._script, spoken, "line", 0, ()):
            message = f"{whose} says 「{alarm.words}」, which must_not_say '{alarm.rule}' forbids"
            yield Fault(*place, "E506", message, "say it otherwise, or add what makes it harmless to unless")

    @staticmethod
    def _too_long(whose: str, length: int, place: tuple[Path, int, int]) -> Fault:
        message = f"{whose} has {length} characters when filled in"
        return Fault(*place, "E502", message, f"at most {MAX_CARD_CHARACTERS}: shorten it")

    def lines(self) -> Iterator[Fault]:
        """The metadata of every line."""
        for node in self._script.nodes.values():
            yield from self._names_of(node)
            yield from self._wordings_of(node)
            for condition in node.when:
                yield from self._never(condition, f"'{node.name}' when", self._meta(node, "when"))

    def _names_of(self, node: Node) -> Iterator[Fault]:
        """Facts, acts, techniques, stages and products that a line names."""
        objections = [act for act in ACTS if act.startswith("object_")]
        products = [product.key for product in self._script.catalogue.products]
        asks = [node.asks] if node.asks and node.card == "question" else []
        for key, code, values, known, what in (
            ("asks", "E503", asks, self._script.facts, "fact of assist.yml"),
            ("rebuts", "E507", node.rebuts, objections, "objection"),
            ("answers", "E507", node.answers, ACTS, "customer act"),
            ("avoid_after", "E507", node.avoid_after, ACTS, "customer act"),
            ("technique", "E508", [node.technique] if node.technique else [], TECHNIQUES, "technique"),
            ("stage", "E509", [node.stage] if node.stage else [], STAGES, "stage"),
            ("product", "E511", [node.product] if node.product else [], products, "product of catalogue.yml"),
        ):
            for value in values:
                if value not in known:
                    message = f"'{node.name}' {key}: '{value}' is no {what}"
                    yield Fault(*self._meta(node, key), code, message, _near(value, known, what))

    def _wordings_of(self, node: Node) -> Iterator[Fault]:
        """Conditions that no customer meets; cards that can be said to some customers only."""
        for number, wording in enumerate(node.wordings):
            place = self._place(("responses", node.name, number))
            for name, value in wording.slots:
                if name == "customer_type" and value not in CUSTOMER_TYPES:
                    message = f"'{node.name}': customer type '{value}' does not exist"
                    yield Fault(*place, "E510", message, _near(str(value), CUSTOMER_TYPES, "customer type"))
                elif name != "customer_type" and name not in self._facts:
                    message = f"'{node.name}': a wording waits for '{name}', which is no fact"
                    fix = _near(name, {*self._facts, "customer_type"}, "fact")
                    yield Fault(*place, "E510", message, fix)
                elif name != "customer_type":
                    yield from self._never(Condition(name, "==", value), f"'{node.name}'", place)
        if node.card is not None and not any(self._always(wording) for wording in node.wordings):
            message = f"'{node.name}' cannot be said while a figure of it is unknown"
            fix = "add a wording without figures and without condition, where one makes sense"
            yield Fault(*self._place(("responses", node.name)), "W514", message, fix)

    def _always(self, wording: Wording) -> bool:
        known = {*self._script.variables, "product"}
        return not wording.slots and set(_PLACEHOLDER.findall(wording.text)) <= known

    def facts(self) -> Iterator[Fault]:
        """Facts can be asked by the line that they name, and what they may turn out to be is possible."""
        for rule in self._script.facts.values():
            place = self._entry("name", rule.name)
            node = self._script.nodes.get(rule.ask or "")
            if rule.ask is not None and node is None:
                fix = _near(rule.ask, self._script.nodes, "line of domain.yml")
                yield Fault(*place, "E504", f"fact '{rule.name}': no line '{rule.ask}'", fix)
            elif node is not None and node.asks != rule.name and (node.asks or "") not in self._misspelt:
                message = f"fact '{rule.name}' is asked by '{node.name}', which asks {node.asks or 'nothing'}"
                yield Fault(*place, "E504", message, f"give that line asks: {rule.name}")
            for likely in rule.likely:
                if likely.weight <= 0:
                    message = f"fact '{rule.name}': the weight {likely.weight:g} of {likely.value}"
                    yield Fault(*place, "E513", message, "weights are above 0; leave the value out")
                elif not _possible(rule, likely.value):
                    message = f"fact '{rule.name}' is never '{likely.value}'"
                    yield Fault(*place, "E513", message, _near(str(likely.value), rule.choices, "choice"))

    def duties(self) -> Iterator[Fault]:
        """What must be said has its line; signals name acts."""
        for item in self._script.must_say:
            place = self._entry("key", item.key)
            if item.node not in self._script.nodes:
                fix = _near(item.node, self._script.nodes, "line of domain.yml")
                yield Fault(*place, "E505", f"must_say '{item.key}': no line '{item.node}'", fix)
            if item.by not in STAGES:
                message = f"must_say '{item.key}': by '{item.by}' is no stage"
                yield Fault(*place, "E509", message, _near(item.by, STAGES, "stage"))
        for act in self._script.signals.acts:
            if act not in ACTS:
                place = self._place(("signals", "acts"))
                yield Fault(*place, "E507", f"signals: '{act}' is no customer act", _near(act, ACTS, "act"))

    def products(self) -> Iterator[Fault]:
        """Products that somebody can be offered."""
        guard = self._script.catalogue.guard
        for at, product in enumerate(self._script.catalogue.products):
            place = self._place(("products", at))
            for key in ("eligible", "needs_check", "prefer"):
                for text in getattr(product, key):
                    whose = f"product '{product.key}' {key}"
                    yield from self._never(parse_condition(text), whose, self._place(("products", at, key)))
            charge = product.charge
            loss = 100 - charge.percent if charge.kind == "share" else None
            if may_lower(charge) and not guard.unless and loss is not None and loss > guard.max_loss_percent:
                message = (
                    f"product '{product.key}' gives up {loss} %, the guard allows {guard.max_loss_percent} %"
                )
                yield Fault(
                    *place,
                    "E511",
                    message,
                    "nobody is ever offered it: raise max_loss_percent, or add unless",
                )
            if not product.say:
                message = f"product '{product.key}' has no words"
                yield Fault(*place, "E511", message, "write what the agent says under say")
        for text in guard.unless:
            yield from self._never(parse_condition(text), "guard unless", self._place(("guard", "unless")))

    def objections(self) -> Iterator[Fault]:
        """Each objection that may be argued with needs several techniques."""
        for act in ACTS:
            if not act.startswith("object_") or act in NO_PRESSING:
                continue
            nodes = [node for node in self._script.nodes.values() if act in node.rebuts]
            used = sorted({node.technique for node in nodes if node.technique})
            if len(used) < LEAST_TECHNIQUES:
                message = f"'{act}' has {len(used)} techniques ({', '.join(used) or 'none'})"
                fix = f"write lines with rebuts: {act} of at least {LEAST_TECHNIQUES} techniques"
                yield Fault(self._files.folder / "domain.yml", 1, 1, "W512", message, fix)

    def _never(self, item: Condition, whose: str, place: tuple[Path, int, int]) -> Iterator[Fault]:
        """A condition on a value that its fact never has."""
        rule = self._script.facts.get(item.fact)
        if rule is not None and item.op == "==" and not _possible(rule, item.value):
            message = f"{whose}: '{item.fact}' is never '{item.value}'"
            yield Fault(
                *place, "E511", message, _near(str(item.value), rule.choices, f"value of {item.fact}")
            )

    def _meta(self, node: Node, key: str) -> tuple[Path, int, int]:
        return self._place(("responses", node.name, 0, "metadata", key))

    def _place(self, where: tuple[str | int, ...]) -> tuple[Path, int, int]:
        """Where it stands: the script's own file before the common one, the nearest key that is there."""
        for length in range(len(where), 0, -1):
            for path in (*reversed(self._files.domains), *reversed(self._files.assists)):
                if where[:length] in (places := self._read(path)[1]) and len(where[:length]) >= min(
                    2, len(where)
                ):
                    return path, *places[where[:length]]
        return self._files.folder / "domain.yml", 1, 1

    def _entry(self, key: str, value: str) -> tuple[Path, int, int]:
        """Where the entry of a list stands whose `key` is `value`."""
        for path in reversed(self._files.assists):
            data, places = self._read(path)
            for group, items in (data or {}).items():
                for at, item in enumerate(items if isinstance(items, list) else []):
                    if isinstance(item, dict) and item.get(key) == value:
                        return path, *places[(group, at)]
        return self._files.folder / "assist.yml", 1, 1


def _typical(rule: FactRule) -> str:
    return (
        max(rule.choices, key=len) if rule.kind == "choice" and rule.choices else _FACT.get(rule.kind, "128")
    )


def _possible(rule: FactRule, value: object) -> bool:
    """Whether a fact may have the value."""
    if rule.kind == "yes_no":
        return isinstance(value, bool)
    if rule.kind == "choice" and rule.choices:
        return str(value) in rule.choices
    return rule.kind not in _NUMBERS or not isinstance(value, (str, bool))


def _near(name: str, known: Collection[str], what: str) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean '{near[0]}'?" if near else f"name a {what}"
