"""A script's files, as advice reads them: domain, assist.yml, catalogue.yml, checked and typed.

Faults name file, line and remedy.  Assisted scripts share stories/common_assist; a bot's script takes
its must-says and must-not-says from there too, so that a call handed over is advised as well.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from actions.script import Script, load_settings
from assist.hearing.facts import FROM_FILE
from assist.suggest.catalogue import Catalogue, Text
from assist.suggest.conditions import ConditionError, check_possible, parse_condition
from assist.suggest.model import CARD_KINDS
from assist.suggest.script import AssistFile, AssistScript, Leaving, Node, Signals, Wording
from bot.dialogue.importer import merged_domain
from bot.dialogue.script_files import ScriptError, ScriptFiles, find_script
from bot.typed_yaml import YamlError, load_typed, read_yaml_with_places

KNOWN_FACTS = FROM_FILE | {"over_gb", "leaving", "language"}
"""Facts that conditions may name in any script: those of the customer's file, and what follows."""


def load_assist_script(name: str, root: Path | None = None) -> AssistScript:
    """All that advice needs of script `name`.  Raises ScriptError with file, line and remedy."""
    return read_assist_script(find_script(name, root))


def read_assist_script(files: ScriptFiles) -> AssistScript:
    """The same for files that were found already."""
    try:
        return _read(files)
    except YamlError as error:
        raise ScriptError(str(error)) from error


def _read(files: ScriptFiles) -> AssistScript:
    settings = load_settings(files.folder / "script.yml")
    parts = [(path, load_typed(path, AssistFile)) for path in files.assists if path.name == "assist.yml"]
    facts = {rule.name: rule for _, part in parts for rule in part.facts}
    if files.mode == "bot":  # its own lines ask what it needs
        facts = {name: msgspec.structs.replace(rule, ask=None) for name, rule in facts.items()}
    known = KNOWN_FACTS | set(facts)
    catalogue = Catalogue()
    for path in files.assists:
        if path.name == "catalogue.yml":
            catalogue = load_catalogue(path, known)
    for path, part in parts:
        _check_patterns(path, part)
    return AssistScript(
        name=files.name,
        version=_version(files),
        title=Text(zh=settings.title.zh, en=settings.title.en),
        language=settings.language,
        nodes=_nodes(files, known),
        facts=facts,
        must_say=tuple({item.key: item for _, part in parts for item in part.must_say}.values()),
        must_not_say=tuple({item.rule: item for _, part in parts for item in part.must_not_say}.values()),
        types=tuple({item.type: item for _, part in parts for item in part.types}.values()),
        signals=Signals(
            acts=_joined(part.signals.acts for _, part in parts),
            words=_joined(part.signals.words for _, part in parts),
        ),
        leaving=Leaving(words=_joined(part.leaving.words for _, part in parts)),
        catalogue=catalogue,
        variables=_variables(settings),
        way_in=_joined(part.way_in for _, part in parts),
    )


def load_catalogue(path: Path, facts: Collection[str]) -> Catalogue:
    """The catalogue of a file.  `facts`: names that conditions may use.

    Raises YamlError with file and line: a wrong key or type, an unknown fact, a condition that
    nobody can meet, two products of one key, dates the wrong way round.
    """
    catalogue = load_typed(path, Catalogue)
    _, places = read_yaml_with_places(path)
    keys: set[str] = set()
    for number, product in enumerate(catalogue.products):
        at = places.get(("products", number), (1, 1))
        if product.key in keys:
            raise YamlError(path, *at, f"two products are called '{product.key}'", "rename one")
        keys.add(product.key)
        if product.valid_to < product.valid_from:
            raise YamlError(
                path, *at, f"'{product.key}': valid_to lies before valid_from", "correct the dates"
            )
        for name, texts in (
            ("eligible", product.eligible),
            ("prefer", product.prefer),
            ("needs_check", product.needs_check),
            ("worth", tuple(worth.when for worth in product.worth if worth.when)),
        ):
            where = places.get(("products", number, name), at)
            try:
                parsed = [parse_condition(text, facts) for text in texts]
                if name == "eligible":
                    check_possible(parsed)
            except ConditionError as error:
                raise _fault(path, where, product.key, error) from error
    try:
        for text in catalogue.guard.unless:
            parse_condition(text, facts)
    except ConditionError as error:
        raise _fault(path, places.get(("guard",), (1, 1)), "guard", error) from error
    return catalogue


def _nodes(files: ScriptFiles, known: Collection[str]) -> dict[str, Node]:
    nodes = {}
    for name, variations in merged_domain(files)["responses"].items():
        try:
            nodes[name] = _node(name, variations, known)
        except (ConditionError, TypeError, ValueError) as error:
            path, line, column = _place(files, name)
            what, _, remedy = str(error).partition(" → ")
            raise YamlError(path, line, column, f"{name}: {what}", remedy or "correct it") from error
    return nodes


def _node(name: str, variations: list[dict[str, Any]], known: Collection[str]) -> Node:
    data = variations[0].get("metadata") or {}
    card = data.get("card")
    if card is not None and card not in CARD_KINDS:
        raise ValueError(f"card '{card}' does not exist → one of: {', '.join(CARD_KINDS)}")
    wordings = tuple(
        Wording(
            text=str(variation["text"]),
            slots=tuple(
                (str(item["name"]), item["value"])
                for item in variation.get("condition") or ()
                if item.get("type") == "slot"
            ),
        )
        for variation in variations
        if variation.get("text")
    )
    return Node(
        name=name,
        wordings=wordings,
        card=card,
        stage=data.get("stage"),
        asks=data.get("asks"),
        rebuts=_many(data.get("rebuts")),
        technique=data.get("technique"),
        answers=_many(data.get("answers")),
        about=_many(data.get("about")),
        discloses=_many(data.get("discloses")),
        when=tuple(parse_condition(text, known) for text in _many(data.get("when"))),
        avoid_after=_many(data.get("avoid_after")),
        product=data.get("product"),
        why=str(data.get("why") or ""),
        title=str(data.get("title") or ""),
    )


def _many(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (str(value),) if isinstance(value, str) else tuple(str(item) for item in value)


def _joined(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))


def _check_patterns(path: Path, part: AssistFile) -> None:
    """Every pattern must be a regular expression."""
    _, places = read_yaml_with_places(path)
    groups: list[tuple[tuple[str | int, ...], tuple[str, ...]]] = [
        (("signals", "words"), part.signals.words),
        (("leaving", "words"), part.leaving.words),
    ]
    groups += [(("must_say", at, "words"), item.words) for at, item in enumerate(part.must_say)]
    for at, item in enumerate(part.must_not_say):
        groups += [(("must_not_say", at, "words"), item.words), (("must_not_say", at, "unless"), item.unless)]
    groups += [(("types", at, "cues"), kind.cues) for at, kind in enumerate(part.types)]
    groups += [(("facts", at, "cues"), rule.cues) for at, rule in enumerate(part.facts)]
    for where, patterns in groups:
        for number, pattern in enumerate(patterns):
            try:
                re.compile(pattern)
            except re.error as error:
                at_line = places.get((*where, number), places.get(where, (1, 1)))
                what = f"'{pattern}' is no regular expression: {error}"
                raise YamlError(path, *at_line, what, "write the words as they are said") from error


def _variables(settings: Any) -> dict[str, str]:
    found = {
        "company": settings.company.name,
        "hotline": settings.company.hotline,
        "hotline_spoken": settings.company.hotline_spoken,
    }
    if isinstance(settings, Script):
        found |= {"price": str(settings.offer.price_yuan), "months": str(settings.offer.months)}
    return found


def _version(files: ScriptFiles) -> str:
    digest = hashlib.sha256(files.version.encode())
    for path in files.assists:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _fault(path: Path, at: tuple[int, int], key: str, error: ConditionError) -> YamlError:
    what, _, remedy = str(error).partition(" → ")
    return YamlError(path, *at, f"{key}: {what}", remedy or "correct it")


def _place(files: ScriptFiles, node: str) -> tuple[Path, int, int]:
    for path in reversed(files.domains):
        _, places = read_yaml_with_places(path)
        if ("responses", node) in places:
            return path, *places["responses", node]
    return files.domains[-1], 1, 1
