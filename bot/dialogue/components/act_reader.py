"""What an act model that is trained already makes of a line, for use as features by another.

The shipped act model has seen thousands of lines of telephone sales; a classifier for other
labels, with ten utterances each, learns faster when it is told what act a line looks like.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.dialogue.components.act_model import ActModel
from bot.dialogue.components.features import FeatureSpace
from bot.dialogue.components.views import Analysed


class ActReader:
    """A feature space and the model upon it."""

    def __init__(self, space: FeatureSpace, model: ActModel) -> None:
        self._space = space
        self._model = model

    @classmethod
    def load(cls, folder: Path) -> ActReader:
        """From `folder`: what FeatureSpace.save and ActModel.save stored.

        Raises FileNotFoundError where it holds no act model.
        """
        if not (folder / "model.json").is_file():
            raise FileNotFoundError(f"{folder}: holds no act model → train one (benchmarks.nlu does)")
        return cls(FeatureSpace.load(folder), ActModel.load(folder))

    @property
    def size(self) -> int:
        """How many numbers an opinion has: one for each act."""
        return len(self._model.labels)

    def opinion(self, line: Analysed) -> NDArray[np.float32]:
        """The square root of each act's probability: a vector of length 1 (Hellinger)."""
        return np.sqrt(self._model.probabilities(self._space.vector(line))).astype(np.float32)
