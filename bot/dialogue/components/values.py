"""The pipeline's extractor of typed values: money, data volume, dates, times, numbers.

The work is done by the pure `bot.understanding.values`; this component hands it the line and what
"now" is for the callee (`now` in the message's metadata, ISO 8601 with offset).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from bot.understanding.normalize import clean
from bot.understanding.values import extract


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class ValueExtractor(GraphComponent):  # type: ignore[misc]
    """Adds to `entities`; offsets are into the cleaned text."""

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ValueExtractor:
        """It has nothing to configure."""
        return cls()

    def process(self, messages: list[Message]) -> list[Message]:
        """Values for each message that has a text.  Raises ValueError for a `now` that is no
        ISO 8601 time with offset."""
        for message in messages:
            text = message.get(TEXT)
            if isinstance(text, str):
                now = (message.get("metadata") or {}).get("now")
                moment = datetime.fromisoformat(now) if isinstance(now, str) else now
                found = [{**entity, "extractor": "ValueExtractor"} for entity in extract(clean(text), moment)]
                message.set(ENTITIES, [*message.get(ENTITIES, []), *found], add_to_output=True)
        return messages
