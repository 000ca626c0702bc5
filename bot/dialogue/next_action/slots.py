"""Which facts a customer's line gives: a tagger taught by the queries that follow it.

A line whose words turn up as the value of a field in the next query gave that field.  One small
logistic model per field, on words and word pairs; fields seen in fewer than a dozen lines are left
out.  No labels are needed but the queries themselves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from bot.dialogue.next_action.lines import Line, fields, is_system, words
from bot.dialogue.next_action.reply_texts import conversations

MIN_LINES = 12
# fmt: off
_EMPTY = frozenset((
    "the", "a", "an", "to", "of", "for", "on", "at", "in", "and", "or", "is", "i", "my", "me", "you", "it",
    "am", "pm", "api", "equal", "one", "least", "greater", "than",
))
# fmt: on


def tokens(text: str) -> list[str]:
    """Words and word pairs, numbers by their length only."""
    found = words(re.sub(r"\d", "0", text))
    return found + [f"{one} {two}" for one, two in pairwise(found)]


def examples(lines: Sequence[Line]) -> list[tuple[str, frozenset[str]]]:
    """(the customer's text, the fields it gave) of every customer line that a query follows."""
    found = []
    for whole in conversations(lines):
        waiting: list[str] = []
        for party, text in whole:
            if party == "customer":
                waiting.append(text)
            elif text.startswith("[QUERY]"):
                values = {key: set(words(value)) - _EMPTY for key, value in fields(text).items()}
                for said in waiting:
                    given = set(words(said))
                    found.append((said, frozenset(key for key, value in values.items() if value & given)))
                waiting = []
            elif is_system(text):
                waiting = []
    return found


class SlotTagger:
    """`names` are the fields; `given` says how likely each was given in a list of customer lines."""

    def __init__(self, lines: Sequence[Line]) -> None:
        taught = examples(lines)
        counts: dict[str, int] = {}
        for _, given in taught:
            for key in given:
                counts[key] = counts.get(key, 0) + 1
        self.names = sorted(key for key, count in counts.items() if MIN_LINES <= count < len(taught))
        self._known: dict[str, NDArray[np.float64]] = {}
        if not self.names:
            return
        self._vectors: Any = TfidfVectorizer(analyzer=tokens, sublinear_tf=True)
        table = self._vectors.fit_transform([text for text, _ in taught])
        self._weights = np.zeros((table.shape[1], len(self.names)))
        self._bias = np.zeros(len(self.names))
        for at, key in enumerate(self.names):
            truth = [key in given for _, given in taught]
            model = LogisticRegression(C=5, solver="liblinear").fit(table, truth)
            self._weights[:, at], self._bias[at] = model.coef_[0], model.intercept_[0]

    def learn(self, texts: Sequence[str]) -> None:
        """Read many lines at once, which is faster than one by one."""
        new = sorted({text for text in texts if text not in self._known})
        if self.names and new:
            scores = self._vectors.transform(new) @ self._weights + self._bias
            self._known.update(zip(new, 1 / (1 + np.exp(-scores)), strict=True))

    def given(self, said: Sequence[str]) -> NDArray[np.float64]:
        """For each field the probability that one of `said` gave it, then the same for the last alone."""
        if not self.names or not said:
            return np.zeros(2 * len(self.names))
        if len(self._known) > 100_000:
            self._known.clear()
        self.learn(said)
        rows = np.stack([self._known[text] for text in said])
        return np.concatenate([rows.max(axis=0), rows[-1]])
