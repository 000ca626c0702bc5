"""The NLU of config.yml outside of a script: trained, loaded and asked through the components.

`act_model` trains the act model on nlu_data/acts once and keeps it by the hash of all it depends on.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.dialogue import tensorflow_free

tensorflow_free.install()

import yaml
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.shared.utils.common import class_from_module_path

PROJECT = Path(__file__).resolve().parent.parent
FEATURIZER, CLASSIFIER = "LineFeaturizer", "ActClassifier"


class Pipeline:
    """The components of config.yml, trained on `data` in `folder`, then loaded from it."""

    def __init__(
        self, data: TrainingData, folder: Path, changes: dict[str, dict[str, Any]] | None = None
    ) -> None:
        config = yaml.safe_load((PROJECT / "config.yml").read_text(encoding="utf-8"))
        tensorflow_free.refuse_tensorflow(config)
        storage = LocalModelStorage(folder)
        self.components: list[Any] = []
        self.unseen_surprise = 0.0
        for item in config["pipeline"]:
            kind = class_from_module_path(item["name"])
            settings = {**kind.get_default_config(), **item, **(changes or {}).get(kind.__name__, {})}
            settings.pop("name")
            context = ExecutionContext(GraphSchema({}), node_name=kind.__name__)
            resource = Resource(kind.__name__)
            component = kind.create(settings, storage, resource, context)
            if hasattr(component, "train"):
                component.train(data)
            if hasattr(component, "process_training_data"):
                component.process_training_data(data)
            if kind.__name__ == CLASSIFIER:
                self.unseen_surprise = component.unseen_surprise
            self.components.append(kind.load(settings, storage, resource, context))

    def parse(self, text: str) -> Message:
        """The message with intent, intent_ranking, acts and entities set."""
        message = Message({"text": text, "metadata": {}})
        for component in self.components:
            component.process([message])
        return message


def training_data(lines: Sequence[tuple[str, str]]) -> TrainingData:
    """Training data of (text, label) pairs."""
    return TrainingData([Message.build(text=text, intent=label) for text, label in lines])


def act_model() -> Path:
    """The folder of the act model trained on nlu_data/acts as they stand; trains where there is none."""
    sources = [
        PROJECT / "config.yml",
        *sorted((PROJECT / "nlu_data" / "acts").glob("*.yml")),
        *sorted((PROJECT / "nlu_data" / "lexicon").glob("*")),
        *sorted((PROJECT / "bot" / "dialogue" / "components").glob("*.py")),
        PROJECT / "bot" / "understanding" / "normalize.py",
    ]
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + path.read_bytes())
    root = Path(os.environ.get("HUASHU_DATA") or PROJECT / ".huashu") / "act-models"
    folder = root / digest.hexdigest()[:20]
    if folder.is_dir():
        return folder
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root) as work:
        Pipeline(training_data(list(_act_lines())), Path(work))
        ready = Path(work) / "ready"
        ready.mkdir()
        for name in (FEATURIZER, CLASSIFIER):
            for path in (Path(work) / name).iterdir():
                shutil.move(str(path), ready / path.name)
        if not folder.is_dir():
            ready.rename(folder)
    return folder


def _act_lines() -> list[tuple[str, str]]:
    lines = []
    for path in sorted((PROJECT / "nlu_data" / "acts").glob("*.yml")):
        for block in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["nlu"]:
            examples = block.get("examples", "")
            if isinstance(examples, str):
                examples = [line.removeprefix("- ") for line in examples.splitlines() if line.strip()]
            else:
                examples = [example["text"].strip() for example in examples]
            lines += [(text, block["intent"]) for text in examples]
    return lines
