"""A situation as a sparse row of numbers, for linear models that learn each action by itself.

Words and pairs of what was said last and before, character 2- to 4-grams of the customer's last
line, the previous action and the chain recovered from the agent's texts, fields of the last query
and result, what facts were given, and products of the previous action with the customer's words.
With `task`, the task and its products with these too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.dialogue.next_action.lines import Situation, plain, words

LONG_VALUE = 80
"""A result's value longer than this many characters is free text, not a state."""


class Seen(msgspec.Struct, frozen=True):
    """A situation with what the models of this package add to it."""

    now: Situation
    previous: str
    task: str
    given: dict[str, float]
    text: str
    """The whole history."""


def with_pairs(text: str) -> list[str]:
    """Words, and words two by two."""
    found = words(text)
    return found + [f"{one} {two}" for one, two in pairwise(found)]


def symbols(seen: Seen, with_task: bool) -> dict[str, float]:
    """Named features that are not the words of a text."""
    now, before = seen.now, seen.previous
    one, two, three = now.chain[-1], now.chain[-2], now.chain[-3]
    found = dict.fromkeys(
        (
            f"previous={before}", f"last={now.last}", f"previous={before}|{now.last}", f"length={now.length}",
            f"since={min(now.since_result, 6)}", f"latest={one}", f"two={two}|{one}",
            f"three={three}|{two}|{one}",
            f"both={before}|{one}|{now.last}", *(f"done={node}" for node in now.chain),
        ),
        1.0,
    )  # fmt: skip
    said = set(words(now.said))
    for key, value in now.result.items():
        found[f"result={key}"] = 1.0
        told = set(words(value))
        if len(value) < LONG_VALUE:
            found[f"result={key}={plain(value)}"] = found[f"result={key}={plain(value)}|{now.last}"] = 1.0
        if told:
            found[f"said of {key}"] = len(told & said) / len(told)
    for key, value in now.query.items():
        found[f"queried={key}"] = 1.0
        if key == "RequestType":
            found[f"request={value}"] = 1.0
    if with_task:
        found[f"task={seen.task}"] = found[f"task={seen.task}|{before}"] = 1.0
        found[f"task={seen.task}|{one}|{now.last}"] = 1.0
    return found


def products(seen: Seen, with_task: bool) -> dict[str, float]:
    """The previous action with each of the customer's words; the task with facts given and actions done."""
    now = seen.now
    found = {f"{seen.previous}&{word}": 1.0 for word in set(words(plain(now.said)))}
    known = {key: value for key, value in seen.given.items() if value > 0.1}
    known.update(dict.fromkeys(now.query, 1.0))
    for key, value in known.items():
        found[f"known={key}"] = value
        if with_task:
            found[f"{seen.task}&known={key}"] = value
    if with_task:
        found.update(dict.fromkeys((f"{seen.task}&done={node}" for node in now.chain), 1.0))
    return found


_TEXTS: tuple[tuple[float, Callable[[Seen], str], dict[str, Any]], ...] = (
    (1.0, lambda seen: seen.now.said, {"analyzer": with_pairs}),
    (0.7, lambda seen: seen.now.said, {"analyzer": "char_wb", "ngram_range": (2, 4)}),
    (0.7, lambda seen: " ".join(seen.now.customer), {"analyzer": words}),
    (1.0, lambda seen: seen.now.agent, {"analyzer": with_pairs}),
    (0.7, lambda seen: seen.text, {"analyzer": with_pairs}),
)


class StateFeatures:
    """Fitted on training situations; `rows` gives one sparse row each."""

    def __init__(self, train: Sequence[Seen], with_task: bool) -> None:
        self.with_task = with_task
        rare = 2 if len(train) >= 50 else 1
        self._texts = []
        for weight, text_of, options in _TEXTS:
            texts = [text_of(seen) for seen in train]
            if any(words(text) for text in texts):
                vectors: Any = TfidfVectorizer(sublinear_tf=True, min_df=1, **options)
                table = vectors.fit_transform(texts)
                common = np.flatnonzero(np.bincount(table.indices, minlength=table.shape[1]) >= rare)
                self._texts.append((weight, text_of, vectors, common))
        self._symbols, self._products = DictVectorizer(), DictVectorizer()
        self._symbols.fit([symbols(seen, with_task) for seen in train])
        table = self._products.fit_transform([products(seen, with_task) for seen in train])
        self._kept: NDArray[np.int64] = np.flatnonzero(
            np.bincount(table.indices, minlength=table.shape[1]) >= rare
        )
        self.facts = sorted({key for seen in train for key in seen.given})

    def rows(self, situations: Sequence[Seen]) -> Any:
        """A sparse row for each situation."""
        given = [[seen.given.get(key, 0.0) for key in self.facts] for seen in situations]
        return sparse.hstack(
            [
                *(
                    weight * vectors.transform([text_of(seen) for seen in situations])[:, common]
                    for weight, text_of, vectors, common in self._texts
                ),
                0.5 * self._symbols.transform([symbols(seen, self.with_task) for seen in situations]),
                0.3
                * self._products.transform([products(seen, self.with_task) for seen in situations])[
                    :, self._kept
                ],
                sparse.csr_matrix(np.array(given).reshape(len(situations), len(self.facts))),
            ],
            format="csr",
        )
