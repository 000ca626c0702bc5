"""Gives Rasa's trainer a script: common and its own files merged, metadata inherited.

Merging: lists of intents, entities and actions are united; slots and responses of the script
replace those of the common part with the same name.  The `metadata` of a response's first
variation holds for all its variations; a variation may override single keys.
"""

from __future__ import annotations

import copy
from typing import Any

from bot.dialogue import tensorflow_free

tensorflow_free.install()

from rasa.shared.core.domain import Domain, InvalidDomain
from rasa.shared.core.training_data import loading as story_loading
from rasa.shared.core.training_data.structures import StoryGraph
from rasa.shared.exceptions import RasaException
from rasa.shared.importers.importer import TrainingDataImporter
from rasa.shared.nlu.training_data import loading as nlu_loading
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.dialogue.script_files import ScriptError, ScriptFiles, read_mapping
from bot.dialogue.utterances import read_utterances

_LISTS = ("intents", "entities", "actions")
_MAPPINGS = ("slots", "responses", "forms")


def merged_domain(files: ScriptFiles) -> dict[str, Any]:
    """The domain of a script as plain data, metadata inherited.

    Raises ScriptError with file and line for YAML that cannot be read.
    """
    merged: dict[str, Any] = {"version": "3.1"}
    for path in files.domains:
        part = read_mapping(path)
        for key, value in part.items():
            if key in _LISTS:
                if not isinstance(value, list):
                    raise ScriptError(f"{path}: '{key}' must be a list → one '- name' a line")
                known = merged.setdefault(key, [])
                known.extend(item for item in value if item not in known)
            elif key in _MAPPINGS:
                if not isinstance(value, dict):
                    raise ScriptError(f"{path}: '{key}' must hold named entries → indent them under '{key}:'")
                merged.setdefault(key, {}).update(value)
            else:
                merged[key] = value
    merged["responses"] = {
        name: inherit_metadata(variations) for name, variations in merged.get("responses", {}).items()
    }
    return merged


def inherit_metadata(variations: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The variations of one response, each with the first one's metadata under its own."""
    variations = copy.deepcopy(variations)
    if not variations or not isinstance(variations[0], dict):
        return variations
    base = variations[0].get("metadata") or {}
    for number, variation in enumerate(variations):
        variation["metadata"] = {**base, **(variation.get("metadata") or {}), "variant": number}
    return variations


class ScriptImporter(TrainingDataImporter):
    """Rasa's view of one script."""

    def __init__(self, files: ScriptFiles) -> None:
        self.files = files
        self._domain: Domain | None = None

    def get_domain(self) -> Domain:
        """The merged domain; raises ScriptError where Rasa refuses it."""
        if self._domain is None:
            try:
                self._domain = Domain.from_dict(merged_domain(self.files))
            except (InvalidDomain, RasaException) as error:
                places = ", ".join(str(path) for path in self.files.domains)
                raise ScriptError(f"{places}: {error} → correct the domain") from error
        return self._domain

    def get_stories(self, exclusion_percentage: int | None = None) -> StoryGraph:
        """All rules and stories; raises ScriptError where a file cannot be read."""
        paths = [str(path) for path in self.files.stories]
        for path in self.files.stories:
            read_mapping(path)
        try:
            return StoryGraph(
                story_loading.load_data_from_files(paths, self.get_domain(), exclusion_percentage)
            )
        except RasaException as error:
            raise ScriptError(f"{', '.join(paths)}: {error} → correct the rules") from error

    def get_config(self) -> dict[str, Any]:
        """config.yml with the assistant's id."""
        config: dict[str, Any] = dict(read_mapping(self.files.config))
        config.setdefault("assistant_id", self.files.name)
        return config

    def get_config_file_for_auto_config(self) -> str | None:
        """The path of config.yml."""
        return str(self.files.config)

    def get_nlu_data(self, language: str | None = "zh") -> TrainingData:
        """All training utterances; raises ScriptError where a file cannot be read."""
        examples: list[Message] = []
        marked_up = TrainingData()
        for path in self.files.nlu:
            utterances = read_utterances(path)
            if utterances is None:
                try:
                    marked_up = marked_up.merge(nlu_loading.load_data(str(path), language))
                except RasaException as error:
                    raise ScriptError(f"{path}: {error} → correct the examples") from error
            else:
                examples += [
                    Message.build(line.text, line.intent, intent_metadata=line.metadata)
                    for line in utterances
                ]
        return TrainingData(examples).merge(marked_up)
