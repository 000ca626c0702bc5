"""Names that rules and stories use must exist: intents, actions, responses, slots, pending questions.

Rasa only warns of most of these, without a line.  Also here: two rules that begin with the same
intent must exclude each other or be one a special case of the other, else which one wins depends
on the length of its text.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from bot.dialogue.faults import Fault
from bot.dialogue.importer import merged_domain
from bot.dialogue.script_files import ScriptError, ScriptFiles
from bot.typed_yaml import Place, YamlError, read_yaml_with_places

BUILT_IN_ACTIONS = {
    "action_listen",
    "action_restart",
    "action_default_fallback",
    "action_session_start",
    "...",
}

Steps = list[Any]
KeyPath = tuple[str | int, ...]


def _near(name: str, known: set[str], kind: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'?" if near else f"add it to the {kind} of domain.yml"


def unknown_names(files: ScriptFiles) -> list[Fault]:
    """All faults of names in the rules and stories of a script, in order of place.

    Raises ScriptError where a file cannot be read at all.
    """
    domain = merged_domain(files)
    intents = {item if isinstance(item, str) else next(iter(item)) for item in domain.get("intents", [])}
    responses = set(domain["responses"])
    actions = {item if isinstance(item, str) else next(iter(item)) for item in domain.get("actions", [])}
    slots = domain.get("slots", {})
    faults: list[Fault] = []
    rules: list[tuple[Fault, str, dict[str, Any]]] = []
    for path in files.stories:
        data, places = _read(path)
        for group in ("rules", "stories"):
            for number, item in enumerate(data.get(group) or []):
                base: KeyPath = (group, number)
                if not isinstance(item, dict):
                    faults.append(
                        _fault(path, places, base, "E100", "not a rule or story", "begin with '- rule: name'")
                    )
                    continue
                title = item.get("rule") or item.get("story") or "?"
                for at, step in _steps(base, item):
                    faults += _check_step(path, places, at, step, intents, responses | actions, slots)
                condition, first = _shape(item)
                if group == "rules" and first is not None:
                    here = _fault(path, places, base, "E104", str(title), "")
                    rules.append((here, first, condition))
    faults += _clashes(rules)
    return sorted(faults)


def _read(path: Path) -> tuple[dict[str, Any], dict[KeyPath, Place]]:
    try:
        data, places = read_yaml_with_places(path)
    except YamlError as error:
        raise ScriptError(str(error)) from error
    return (data if isinstance(data, dict) else {}), places


def _fault(path: Path, places: dict[KeyPath, Place], at: KeyPath, code: str, message: str, fix: str) -> Fault:
    while at and at not in places:
        at = at[:-1]
    line, column = places.get(at, (1, 1))
    return Fault(path, line, column, code, message, fix)


def _steps(base: KeyPath, item: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    for part in ("condition", "steps"):
        for index, step in enumerate(item.get(part) or []):
            if isinstance(step, dict):
                yield (*base, part, index), step
                for inner_index, inner in enumerate(step.get("or") or []):
                    if isinstance(inner, dict):
                        yield (*base, part, index, "or", inner_index), inner


def _check_step(
    path: Path,
    places: dict[KeyPath, Place],
    at: KeyPath,
    step: dict[str, Any],
    intents: set[str],
    actions: set[str],
    slots: dict[str, Any],
) -> Iterator[Fault]:
    intent, action = step.get("intent"), step.get("action")
    if isinstance(intent, str) and intent not in intents:
        fix = _near(intent, intents, "intents")
        yield _fault(path, places, (*at, "intent"), "E101", f"unknown intent '{intent}'", fix)
    if isinstance(action, str) and action not in actions | BUILT_IN_ACTIONS:
        kind = "responses" if action.startswith("utter_") else "actions"
        fix = _near(action, actions, kind)
        yield _fault(path, places, (*at, "action"), "E102", f"unknown action '{action}'", fix)
    for index, entry in enumerate(step.get("slot_was_set") or []):
        for name, value in entry.items() if isinstance(entry, dict) else [(entry, None)]:
            place = (*at, "slot_was_set", index, name)
            if name not in slots:
                fix = _near(str(name), set(slots), "slots")
                yield _fault(path, places, place, "E103", f"unknown slot '{name}'", fix)
                continue
            allowed = slots[name].get("values") if isinstance(slots[name], dict) else None
            if allowed and value is not None and str(value) not in [str(option) for option in allowed]:
                fix = _near(str(value), {str(option) for option in allowed}, "slot's values")
                yield _fault(path, places, place, "E105", f"slot '{name}' never is '{value}'", fix)


def _shape(item: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The slot conditions of a rule and the intent it begins with (None where it begins otherwise)."""
    condition: dict[str, Any] = {}
    for step in [*(item.get("condition") or []), *(item.get("steps") or [])]:
        if not isinstance(step, dict):
            continue
        if "intent" in step:
            return condition, str(step["intent"])
        if "action" in step or "or" in step:
            return condition, None
        for entry in step.get("slot_was_set") or []:
            if isinstance(entry, dict):
                condition.update(entry)
    return condition, None


def _clashes(rules: list[tuple[Fault, str, dict[str, Any]]]) -> Iterator[Fault]:
    by_intent: dict[str, list[tuple[Fault, dict[str, Any]]]] = {}
    for here, intent, condition in rules:
        by_intent.setdefault(intent, []).append((here, condition))
    for intent, group in by_intent.items():
        for (first, one), (second, other) in combinations(group, 2):
            shared = one.keys() & other.keys()
            if any(one[slot] != other[slot] for slot in shared):
                continue
            if one.items() <= other.items() or other.items() <= one.items():
                if one != other:
                    continue
                message = (
                    f"rule '{second.message}' has the same start as '{first.message}' (line {first.line})"
                )
                yield Fault(second.path, second.line, second.column, "E104", message, "remove one of them")
                continue
            message = f"on '{intent}' both this and '{first.message}' (line {first.line}) may apply"
            differ = ", ".join(sorted((one.keys() | other.keys()) - shared))
            fix = f"let them differ in one slot both name (now only one names: {differ})"
            yield Fault(second.path, second.line, second.column, "E104", message, fix)
