"""A line as numbers: which n-grams it holds, by view, and what its characters are like.

Serving is dictionary look-ups only.  A `Vector` is the non-zero features of one line; each view is
scaled to unit length and then to its weight in config.yml, so that long lines and views with many
n-grams do not drown the others.  The dense block at the end (see hanzi.py) is the weighted mean of
the vectors of the line's characters.  A further dense block may hold what another, already trained
act model makes of the line (`acts`).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bot.dialogue.components.hanzi import character_vectors, word_class
from bot.dialogue.components.views import VIEWS, Analysed, units_of
from bot.understanding.normalize import fold

_PUNCTUATION: Final = frozenset("，。！？、；：,.!?;:…—-~\"'()[]{}<>《》“”‘’·*/\\|_=+#@&^%$`")


def analyse(heard: str, words: Iterable[str], after: str | None = None) -> Analysed:
    """A cleaned line and its segmented words, ready to be cut into views."""
    kept = tuple(word for word in words if word not in _PUNCTUATION and not word.isspace())
    return Analysed(units_of(fold(heard)), kept, tuple(word_class(word) for word in kept), after)


@dataclass(frozen=True)
class Vector:
    """Non-zero features of one line, float32."""

    indices: NDArray[np.int32]
    values: NDArray[np.float32]

    def fingerprint(self) -> str:
        """A stable hash; Rasa's training cache asks for it."""
        return hashlib.md5(self.indices.tobytes() + self.values.tobytes(), usedforsecurity=False).hexdigest()


class FeatureSpace:
    """The vocabulary of all views and the weights of n-grams; fitted once, then frozen.

    Columns: the n-grams, then `size` dimensions of the characters' vectors, then `extra` more.
    """

    def __init__(
        self,
        weights: dict[str, float],
        vocabulary: dict[str, int],
        rarity: Sequence[float],
        characters: dict[str, int],
        vectors: NDArray[np.float32],
        hanzi_weight: float,
        extra: int = 0,
        extra_weight: float = 1.0,
    ) -> None:
        self.weights = weights
        self.vocabulary = vocabulary
        self.rarity = list(rarity)
        self.characters = characters
        self.vectors = vectors
        self.hanzi_weight = hanzi_weight
        self.extra = extra
        self.extra_weight = extra_weight
        self._dense = np.arange(len(vocabulary), len(vocabulary) + vectors.shape[1], dtype=np.int32)
        self._beyond = np.arange(extra, dtype=np.int32) + len(vocabulary) + vectors.shape[1]
        self._unseen = max(self.rarity, default=1.0)

    @property
    def columns(self) -> int:
        """How many features there are."""
        return len(self.vocabulary) + int(self.vectors.shape[1]) + self.extra

    @classmethod
    def fit(
        cls,
        lines: Sequence[Analysed],
        weights: dict[str, float],
        *,
        hanzi_size: int,
        hanzi_weight: float,
        rare_from: int,
        extra: int = 0,
        extra_weight: float = 1.0,
    ) -> FeatureSpace:
        """The space of `lines`.  From `rare_from` lines on, n-grams seen once are left out, from four
        times as many on also those seen twice."""
        seen: Counter[str] = Counter()
        for line in lines:
            for view in weights:
                seen.update(set(VIEWS[view](line)))
        least = 1 if len(lines) < rare_from else 2 if len(lines) < 4 * rare_from else 3
        kept = sorted(key for key, count in seen.items() if count >= least or key[0] == "a")
        rarity = [math.log((1 + len(lines)) / (1 + seen[key])) + 1 for key in kept]
        known, vectors = character_vectors(hanzi_size)
        characters = {char: at for at, char in enumerate(known)}
        return cls(
            weights,
            {key: at for at, key in enumerate(kept)},
            rarity,
            characters,
            vectors,
            hanzi_weight,
            extra,
            extra_weight,
        )

    def vector(self, line: Analysed, extra: NDArray[np.float32] | None = None) -> Vector:
        """The features of one line; `extra`, where given, fills the last block."""
        indices: list[int] = []
        values: list[float] = []
        find, rarity = self.vocabulary.get, self.rarity
        for view, weight in self.weights.items():
            start, total = len(values), 0.0
            for key, count in Counter(VIEWS[view](line)).items():
                at = find(key)
                if at is None:
                    continue
                value = rarity[at] if count == 1 else rarity[at] * (1 + math.log(count))
                indices.append(at)
                values.append(value)
                total += value * value
            if total:
                scale = weight / math.sqrt(total)
                values[start:] = [value * scale for value in values[start:]]
        blocks = [np.array(indices, np.int32)]
        numbers = [np.array(values, np.float32)]
        mean = self._mean(line)
        if mean is not None:
            blocks.append(self._dense)
            numbers.append(mean)
        if extra is not None:
            blocks.append(self._beyond)
            numbers.append(extra * np.float32(self.extra_weight))
        return Vector(np.concatenate(blocks), np.concatenate(numbers))

    def _mean(self, line: Analysed) -> NDArray[np.float32] | None:
        rows, rare = [], []
        for unit in line.units:
            row = self.characters.get(unit)
            if row is not None:
                at = self.vocabulary.get("c" + unit)
                rows.append(row)
                rare.append(self._unseen if at is None else self.rarity[at])
        if not rows or not self.hanzi_weight:
            return None
        mean = np.array(rare, np.float32) @ self.vectors[rows]
        length = float(np.linalg.norm(mean))
        scaled: NDArray[np.float32] = mean * np.float32(self.hanzi_weight / (length + 1e-9))
        return scaled

    def save(self, folder: Path) -> None:
        """Into `folder`: space.json and space.npz, no pickle."""
        stored: dict[str, Any] = {
            "weights": self.weights,
            "vocabulary": list(self.vocabulary),
            "characters": "".join(self.characters),
            "hanzi_weight": self.hanzi_weight,
            "extra": self.extra,
            "extra_weight": self.extra_weight,
        }
        (folder / "space.json").write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")
        rarity = np.array(self.rarity, np.float32)
        np.savez_compressed(folder / "space.npz", rarity=rarity, vectors=self.vectors.astype(np.float16))

    @classmethod
    def load(cls, folder: Path) -> FeatureSpace:
        """What `save` stored."""
        stored = json.loads((folder / "space.json").read_text(encoding="utf-8"))
        with np.load(folder / "space.npz", allow_pickle=False) as arrays:
            rarity, vectors = arrays["rarity"].tolist(), arrays["vectors"].astype(np.float32)
        vocabulary = {key: at for at, key in enumerate(stored["vocabulary"])}
        characters = {char: at for at, char in enumerate(stored["characters"])}
        rest = stored["hanzi_weight"], stored["extra"], stored["extra_weight"]
        return cls(stored["weights"], vocabulary, rarity, characters, vectors, *rest)


def matrix(vectors: Sequence[Vector], columns: int) -> csr_matrix:
    """Many lines as one sparse matrix, shape (lines, columns)."""
    ends = np.cumsum([0, *(len(vector.indices) for vector in vectors)])
    data = np.concatenate([np.empty(0, np.float32), *(vector.values for vector in vectors)])
    indices = np.concatenate([np.empty(0, np.int32), *(vector.indices for vector in vectors)])
    return csr_matrix((data, indices, ends), shape=(len(vectors), columns))
