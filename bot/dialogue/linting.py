"""All faults of one script, found without training it.

Collects what the other checks know: unreadable files, the typed script.yml, names, clashing rules,
acts without an answer, lines that cannot be said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from actions.script import load_settings
from bot.dialogue.faults import Fault
from bot.dialogue.guarded_words import mark_faults, marks_of_an_agent, unmarked
from bot.dialogue.importer import merged_domain
from bot.dialogue.names import unknown_names
from bot.dialogue.script_files import ScriptFiles, find_script
from bot.typed_yaml import Place, YamlError, read_yaml_with_places
from bot.understanding.acts import ACTS, PSEUDO_ACTS

MAX_LINE_CHARACTERS = 90
"""Longer than some 19 s of speech: nobody listens to that."""

STEERING_TYPES = {"categorical", "bool"}


def lint(name: str, root: Path | None = None) -> list[Fault]:
    """The faults of script `name`, in order of place.  Raises ScriptError for an unknown name."""
    files = find_script(name, root)
    faults = list(_unreadable(files))
    if faults:
        return sorted(faults)
    domain = merged_domain(files)
    faults += unknown_names(files)
    faults += _unanswered(files)
    faults += _slots(files)
    faults += _lines(files, domain)
    return sorted(set(faults))


def _unreadable(files: ScriptFiles) -> Iterator[Fault]:
    for path in (*files.domains, *files.stories, *files.nlu, files.config):
        try:
            data, _ = read_yaml_with_places(path)
        except YamlError as error:
            yield Fault(error.path, error.line, error.column, "E001", error.what, error.remedy)
            continue
        if not isinstance(data, dict):
            yield Fault(path, 1, 1, "E002", "holds no keys and values", 'begin with: version: "3.1"')
    try:
        load_settings(files.folder / "script.yml")
    except YamlError as error:
        yield Fault(error.path, error.line, error.column, "E003", error.what, error.remedy)


def _unanswered(files: ScriptFiles) -> Iterator[Fault]:
    """Every act, and every event that is no speech, needs a rule that applies without conditions."""
    answered: set[str] = set()
    for path in files.stories:
        data, _ = read_yaml_with_places(path)
        for rule in data.get("rules") or []:
            if isinstance(rule, dict) and not rule.get("condition"):
                for step in rule.get("steps") or []:
                    if isinstance(step, dict) and ("intent" in step or "or" in step):
                        answered.update(
                            str(one["intent"])
                            for one in step.get("or", [step])
                            if isinstance(one, dict) and "intent" in one
                        )
                        break
                    if isinstance(step, dict) and "slot_was_set" in step:
                        break
    rules = files.folder / "rules.yml"
    for act in (*ACTS, *PSEUDO_ACTS):
        if act not in answered and act != "interrupted":
            shared = files.stories[0] if files.stories else rules
            fix = f"add to {shared} a rule that begins with intent: {act}"
            yield Fault(rules, 1, 1, "E201", f"nothing answers '{act}' in every state", fix)


def _slots(files: ScriptFiles) -> Iterator[Fault]:
    """Slots that steer must keep the script a finite machine (RASA.md, trap 9)."""
    for path in files.domains:
        data, places = read_yaml_with_places(path)
        for name, slot in (data.get("slots") or {}).items():
            if not isinstance(slot, dict) or slot.get("influence_conversation") is False:
                continue
            line, column = places[("slots", name)]
            if slot.get("type") not in STEERING_TYPES:
                message = f"slot '{name}' steers but is of type {slot.get('type')}"
                yield Fault(
                    path, line, column, "E301", message, "influence_conversation: false, or categorical"
                )
            if "initial_value" in slot:
                message = (
                    f"slot '{name}' steers and has an initial_value: rules that do not name it will not apply"
                )
                yield Fault(
                    path, line, column, "E302", message, "remove initial_value; action_take_stock sets it"
                )


def _lines(files: ScriptFiles, domain: dict[str, Any]) -> Iterator[Fault]:
    slots = set(domain.get("slots", {}))
    assisted = files.mode == "assist"  # its variables are facts and sums: assist.linting knows them
    for path in files.domains:
        data, places = read_yaml_with_places(path)
        source = path.read_text("utf-8").splitlines()
        for node, variations in (data.get("responses") or {}).items():
            line, column = places[("responses", node)]
            if not isinstance(variations, list) or not variations:
                yield Fault(
                    path, line, column, "E401", f"'{node}' has no wording", "write '- text: …' under it"
                )
                continue
            for number, variation in enumerate(variations):
                line, column = places.get(("responses", node, number), (line, column))
                text = variation.get("text") if isinstance(variation, dict) else None
                if not isinstance(text, str) or not text.strip():
                    yield Fault(
                        path, line, column, "E401", f"'{node}' has an empty wording", "write its text"
                    )
                    continue
                length = len(unmarked(text)[0])
                if length > MAX_LINE_CHARACTERS:
                    message = f"'{node}' has a line of {length} characters"
                    yield Fault(
                        path, line, column, "W402", message, f"at most {MAX_LINE_CHARACTERS}: split it"
                    )
                for variable in re.findall(r"\{(\w+)\}", text):
                    if variable not in slots and not assisted:
                        message = f"'{node}' uses {{{variable}}}, which is no slot"
                        yield Fault(path, line, column, "E403", message, "add the slot, or correct the name")
                key = places.get(("responses", node, number, "text"), (line, column))
                for found in marks_of_an_agent(text) if assisted else mark_faults(text):
                    line, column = _place_within(source, key, text, found.at)
                    yield Fault(path, line, column, found.code, f"'{node}' {found.message}", found.fix)


def _place_within(source: Sequence[str], key: Place, text: str, at: int) -> Place:
    """Where character `at` of a text stands whose key is at `key`; the key's place where the text is
    folded over lines or written with escapes."""
    line, column = key
    begin = source[line - 1].find(text, column - 1) if line <= len(source) else -1
    return key if begin < 0 else (line, begin + at + 1)
