"""The pipeline's featurizer: fits the feature space, gives each message the vectors of its line.

A training utterance may stand after several questions (`after` in its metadata): it gives one
variant for each.  A short one that names none also gives one variant after a question drawn at
random, so that what was asked before does not by itself speak for an act.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.constants import TEXT, TEXT_TOKENS
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.dialogue.components import features, hanzi, two_acts, views
from bot.dialogue.components.act_reader import ActReader
from bot.dialogue.components.features import FeatureSpace, Vector, analyse
from bot.dialogue.components.tokenizer import files_hash
from bot.dialogue.components.views import Analysed
from bot.understanding import normalize

AFTER: Final = ("yes_no_question", "offer", "pitch", "identity_check", "open_question")
"""What may have been asked before a line (CONTRACT.md); anything else counts as nothing."""
_SHORT: Final = 4
VECTORS: Final = "line_vectors"
"""The message's attribute that this component sets."""


@dataclass(frozen=True)
class LineVectors:
    """`variants`: the line after each thing that may have been asked (one when serving);
    `clauses`: each clause by itself, empty where there is only one; `columns`: how many features
    the space has."""

    columns: int
    variants: tuple[Vector, ...]
    clauses: tuple[Vector, ...]

    def fingerprint(self) -> str:
        """A stable hash; Rasa's training cache asks for it."""
        parts = [vector.fingerprint() for vector in (*self.variants, *self.clauses)]
        return hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest()


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class LineFeaturizer(GraphComponent):  # type: ignore[misc]
    """Sets `line_vectors`; needs TradeTokenizer before it."""

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, space: FeatureSpace | None
    ) -> None:
        self._config = config
        self._storage = storage
        self._resource = resource
        self.space = space
        self._reader = ActReader.load(Path(config["act_model"])) if config["act_model"] else None

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """`views`: weight of each view (views.VIEWS).  `hanzi_size`, `hanzi_weight`: the characters'
        vectors.  `rare_from`: from so many lines on, n-grams seen once are left out.  `act_model`:
        folder of a trained act model whose opinion becomes features, with `act_weight`."""
        return {
            "views": {
                "characters": 0.7,
                "words": 0.3,
                "pinyin": 0.4,
                "classes": 0.4,
                "letters": 0.7,
                "pairs": 0.5,
                "context": 0.7,
            },
            "hanzi_size": 64,
            "hanzi_weight": 0.5,
            "rare_from": 2000,
            "act_model": None,
            "act_weight": 0.6,
        }

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """jieba's dictionary and the code that cuts lines: training reads them from disk."""
        code = [Path(module.__file__ or "") for module in (features, hanzi, views, normalize, two_acts)]
        parts = [hanzi.dictionary_hash(), files_hash([Path(__file__), *code])]
        if config.get("act_model"):
            parts.append(files_hash(sorted(Path(config["act_model"]).rglob("*.*"))))
        return "".join(parts)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Raises ValueError where `views` names a view that does not exist."""
        unknown = sorted(set(config["views"]) - set(views.VIEWS))
        if unknown:
            raise ValueError(f"config.yml: LineFeaturizer: views: {unknown} → one of {sorted(views.VIEWS)}")

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> LineFeaturizer:
        """Not fitted yet."""
        cls.validate_config(config)
        return cls(config, model_storage, resource, None)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> LineFeaturizer:
        """With the space that training stored."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, FeatureSpace.load(folder))

    def train(self, training_data: TrainingData) -> Resource:
        """Fits the space on all training utterances."""
        examples = training_data.intent_examples
        contextual = any(_named_after(message) for message in examples)
        lines = [line for message in examples for line in training_variants(message, contextual)]
        self.space = FeatureSpace.fit(
            lines,
            self._config["views"],
            hanzi_size=self._config["hanzi_size"],
            hanzi_weight=self._config["hanzi_weight"],
            rare_from=self._config["rare_from"],
            extra=0 if self._reader is None else self._reader.size,
            extra_weight=self._config["act_weight"],
        )
        with self._storage.write_to(self._resource) as folder:
            self.space.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Vectors for each message that has a text; `after` is taken from its metadata."""
        for message in messages:
            if isinstance(message.get(TEXT), str):
                after = (message.get("metadata") or {}).get("after")
                self._set(message, [_line(message, after if after in AFTER else None)])
        return messages

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Vectors for every training utterance, in all its variants."""
        contextual = any(_named_after(message) for message in training_data.intent_examples)
        for message in training_data.training_examples:
            if isinstance(message.get(TEXT), str):
                self._set(message, training_variants(message, contextual))
        return training_data

    def _set(self, message: Message, lines: Sequence[Analysed]) -> None:
        if self.space is None:
            raise RuntimeError("LineFeaturizer was asked for vectors before it was trained or loaded")
        heard: str = message.get("heard_text")
        tokens: list[Token] = message.get(TEXT_TOKENS)
        parts = [
            analyse(heard[start:end], [token.text for token in tokens if start <= token.start < end])
            for start, end in two_acts.clauses(heard)
        ]
        variants = tuple(self.space.vector(line, self._opinion(line)) for line in lines)
        clauses = tuple(self.space.vector(part, self._opinion(part)) for part in parts)
        message.set(VECTORS, LineVectors(self.space.columns, variants, clauses))

    def _opinion(self, line: Analysed) -> NDArray[np.float32] | None:
        return None if self._reader is None else self._reader.opinion(line)


def _line(message: Message, after: str | None) -> Analysed:
    return analyse(message.get("heard_text"), [token.text for token in message.get(TEXT_TOKENS)], after)


def _named_after(message: Message) -> list[str]:
    metadata = message.get("metadata") or {}
    given = {**(metadata.get("intent") or {}), **(metadata.get("example") or {})}.get("after")
    return [given] if isinstance(given, str) else list(given or ())


def training_variants(message: Message, contextual: bool) -> list[Analysed]:
    """The line of a training utterance after each thing that may have been asked; `contextual`
    says that some utterances of the training data name what was asked."""
    named = _named_after(message)
    plain = _line(message, None)
    if named:
        lines = [_line(message, after) for after in named]
        # a noise that only counts in mid-speech says nothing about a line with nothing before it
        return lines if named == ["pitch"] else [*lines, plain]
    if not contextual or not 0 < len(plain.units) <= _SHORT:
        return [plain]
    drawn = int(hashlib.md5(str(message.get(TEXT)).encode(), usedforsecurity=False).hexdigest(), 16)
    return [plain, _line(message, AFTER[drawn % len(AFTER)])]
