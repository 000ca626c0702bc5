"""The pipeline's classifier: which act, or which two, with calibrated confidence.

Training utterances with two acts are intents named "affirm+ask_price"; their line counts half for
each.  Sets `intent` and `intent_ranking` as Rasa knows them, and `acts`: one or two, best first.
A line without any letter, hanzi or digit (empty, emoji) has no act.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY, TEXT, TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.dialogue.components import act_model, learning, two_acts
from bot.dialogue.components.act_model import ActModel, Fitted, Options
from bot.dialogue.components.features import Vector, matrix
from bot.dialogue.components.featurizer import VECTORS, LineVectors
from bot.dialogue.components.tokenizer import files_hash
from bot.dialogue.components.two_acts import Gate

TWO: Final = "+"
"""Joins the names of two acts in an intent of the training data."""
_RANKED: Final = 10


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ActClassifier(GraphComponent):  # type: ignore[misc]
    """Needs LineFeaturizer before it."""

    def __init__(
        self,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        model: ActModel | None,
        gate: Gate | None,
    ) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self.model = model
        self.gate = gate
        self.unseen_surprise = 0.0
        """Mean negative log-likelihood for lines held out in training; 0 when loaded."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`freedom`, `iterations`: of the softmax regression, which is used as long as lines times
        labels are at most `linear_to`.  `units`, `epochs`, `copies`: of the network, which is used
        from `network_from` training lines on.  `seed`."""
        return asdict(Options())

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """The code of the learners."""
        modules = (act_model, learning, two_acts)
        return files_hash([Path(__file__), *(Path(module.__file__ or "") for module in modules)])

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ActClassifier:
        """Not trained yet."""
        return cls(config, model_storage, resource, None, None)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> ActClassifier:
        """What training stored."""
        with model_storage.read_from(resource) as folder:
            stored = json.loads((folder / "gate.json").read_text(encoding="utf-8"))
            gate = Gate(tuple(stored["weights"]), stored["threshold"]) if stored else None
            return cls(config, model_storage, resource, ActModel.load(folder), gate)

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from every utterance with an intent; raises ValueError for fewer than two acts."""
        messages = [message for message in training_data.intent_examples if message.get(VECTORS)]
        names = [message.get(INTENT).split(TWO) for message in messages]
        labels = sorted({name for pair in names for name in pair})
        number = {label: at for at, label in enumerate(labels)}
        vectors: list[Vector] = []
        groups: list[int] = []
        importance: list[float] = []
        for at, message in enumerate(messages):
            line: LineVectors = message.get(VECTORS)
            vectors += line.variants
            groups += [at] * len(line.variants)
            importance += [1 / len(line.variants)] * len(line.variants)
        targets = np.zeros((len(vectors), len(labels)), np.float32)
        for row, group in enumerate(groups):
            for name in names[group]:
                targets[row, number[name]] += 1 / len(names[group])
        options = Options(**{field.name: self._config[field.name] for field in fields(Options)})
        columns = max((message.get(VECTORS).columns for message in messages), default=0)
        fitted = act_model.fit(
            matrix(vectors, columns),
            targets,
            labels,
            options,
            importance=np.array(importance, np.float32),
            groups=np.array(groups),
        )
        self.model, self.gate, self.unseen_surprise = fitted.model, None, fitted.surprise
        if any(len(pair) > 1 for pair in names):
            self.gate = self._fit_gate(
                fitted, messages, groups, [{number[name] for name in pair} for pair in names]
            )
        with self._storage.write_to(self._resource) as folder:
            self.model.save(folder)
            (folder / "gate.json").write_text(json.dumps(asdict(self.gate) if self.gate else None))
        return self._resource

    def _fit_gate(
        self, fitted: Fitted, messages: list[Message], groups: list[int], truth: list[set[int]]
    ) -> Gate | None:
        """The gate, from predictions for unseen lines; each line once, as its last variant."""
        evidence: dict[int, list[float]] = {}
        two: dict[int, bool] = {}
        for row, chances in zip(fitted.unseen, fitted.chances, strict=True):
            group = groups[row]
            parts = [fitted.model.probabilities(part) for part in messages[group].get(VECTORS).clauses]
            first, other, found = two_acts.second(
                chances, parts, len(messages[group].get(VECTORS).variants[0].indices)
            )
            evidence[group], two[group] = found, {first, other} == truth[group]
        return two_acts.fit_gate(np.array(list(evidence.values())), np.array(list(two.values())))

    def process(self, messages: list[Message]) -> list[Message]:
        """Acts for each message that has a text."""
        for message in messages:
            if isinstance(message.get(TEXT), str):
                self._classify(message)
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Training utterances keep the acts that their author gave them."""
        return training_data

    def _classify(self, message: Message) -> None:
        if self.model is None:
            raise RuntimeError("ActClassifier was asked for acts before it was trained or loaded")
        line: LineVectors = message.get(VECTORS)
        chances = self.model.probabilities(line.variants[0])
        best = self.model.decide(chances)
        ranked = [best, *(int(at) for at in np.argsort(-chances) if at != best)][:_RANKED]
        ranking = [_named(self.model.labels[at], chances[at]) for at in ranked]
        if any(char.isalnum() for token in message.get(TEXT_TOKENS) for char in token.text):
            acts = self._acts(best, chances, line)
        else:
            acts, ranking = [], [_named(item[INTENT_NAME_KEY], 0.0) for item in ranking]
        message.set("acts", acts, add_to_output=True)
        message.set(INTENT, (acts or ranking)[0], add_to_output=True)
        message.set("intent_ranking", ranking, add_to_output=True)

    def _acts(self, best: int, chances: NDArray[np.float64], line: LineVectors) -> list[dict[str, Any]]:
        assert self.model is not None
        labels = self.model.labels
        single = [_named(labels[best], chances[best])]
        if self.gate is None or best != int(chances.argmax()):
            return single
        parts = [self.model.probabilities(part) for part in line.clauses]
        first, other, evidence = two_acts.second(chances, parts, len(line.variants[0].indices))
        chance = self.gate.chance(evidence)
        if chance < self.gate.threshold:
            return single
        # the whole line's probability is shared by two acts that both hold
        return [
            _named(labels[first], min(chances[first] * 2, 0.99)),
            _named(labels[other], min(chance, 0.98)),
        ]


def _named(name: str, confidence: float) -> dict[str, Any]:
    return {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: float(confidence)}
