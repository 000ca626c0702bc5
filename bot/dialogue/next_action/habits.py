"""What agents do in every task: taught by other tasks' dialogues, in words that no task owns.

`generic` takes a task's own words off an action's name (ride_bye → bye, goodbye_1 → goodbye), so
that what follows what can be counted across tasks.  `KindGuess` says from the customer's words, the
system's answer and the kind of the previous action which kind of action comes next: one linear
machine over words, kinds and their products.  Lists of words and names only; pure.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from bot.dialogue.next_action.flow_graph import FlowGraph, negative, positive
from bot.dialogue.next_action.lines import Situation, name_words, words

CLASSES = (
    "commit", "query", "hello", "more", "bye", "custom", "outside", "confirm", "nothing", "failed", "ask",
    "inform",
)  # fmt: skip
"""Kinds of flow_graph.KINDS, the telling ones first: a node's class is the first that it is."""
PRIOR_LINES = 5.0
"""How many lines the usual share of an action weighs against what was counted."""
LONG_VALUE = 80
"""A result's value longer than this many characters is free text."""


def generic(action: str, task: str) -> str:
    """The name without the task's first word and a number at the end."""
    parts = name_words(action)
    if len(parts) > 1 and parts[0] in name_words(task):
        parts = parts[1:]
    if len(parts) > 1 and parts[-1].isdigit():
        parts = parts[:-1]
    return "_".join(parts)


def class_of(graph: FlowGraph, node: str) -> str:
    """The node's class; "other" for a condition or a node that the flow lacks."""
    return next((kind for kind in CLASSES if graph.kind(node, kind)), "other")


def answer_state(now: Situation) -> str:
    """Who spoke last, and where it was a system, how its answer reads."""
    if now.last != "result":
        return now.last
    told = " ".join(value for key, value in now.result.items() if key != "APIName")
    if not now.result or "NO RESULT" in now.result:
        return "result empty"
    mood = "negative" if negative(told) else "positive" if positive(told) else "plain"
    return f"result {mood} {'many' if len(now.result) > 4 else 'few'}"


class Habits:
    """Shares of generic names after a generic name; `rates` gives them for a flow's nodes."""

    def __init__(self, taught: Sequence[tuple[Situation, str, str, str]], names: int = 2) -> None:
        self._after: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for now, previous, task, action in taught:
            for key in self._keys(now, previous, task):
                self._after[key][generic(action, task)] += 1
        self.keys = names + 1

    @staticmethod
    def _keys(now: Situation, previous: str, task: str) -> list[tuple[str, ...]]:
        before, latest = generic(previous, task), generic(now.chain[-1], task)
        return [(), (before, now.last), (latest, answer_state(now))]

    def rates(self, now: Situation, previous: str, task: str, names: Sequence[str]) -> NDArray[np.float64]:
        """Names x 4: the usual share, the share after the previous and the latest action, lines counted."""
        usual = self._after.get((), Counter())
        total = max(usual.total(), 1)
        base = np.array([usual[name] / total for name in names])
        columns = [base]
        for key in self._keys(now, previous, task)[1:]:
            counts = self._after.get(key, Counter())
            rate = np.array([counts[name] for name in names]) + PRIOR_LINES * base
            columns.append(rate / (counts.total() + PRIOR_LINES))
        return np.stack([*columns, base > 0], axis=1)


def cues(now: Situation, previous_class: str, latest_class: str) -> list[str]:
    """The words and circumstances that KindGuess reads."""
    said = words(now.said)
    state = answer_state(now)
    found = [f"last {state}", f"previous {previous_class}", f"previous {previous_class} {state}"]
    found += [f"latest {latest_class}", f"latest {latest_class} {state}", f"turns {min(now.length, 8)}"]
    if now.last == "customer":
        unique = list(dict.fromkeys(said))
        found += unique
        found += [f"{one} {two}" for one, two in pairwise(said)]
        found += [f"{previous_class} & {word}" for word in unique]
    if now.last == "result":
        for key, value in now.result.items():
            if key != "APIName" and len(value) < LONG_VALUE and not value.isdigit():
                found += [f"told {word}" for word in words(value)]
    return found


class KindGuess:
    """Margins over CLASSES for what comes next."""

    def __init__(self, cues_of: Sequence[list[str]], classes: Sequence[str], weight: Sequence[float]) -> None:
        self._machine: Any = None
        if len(set(classes)) < 2:
            return
        self._vectors: Any = TfidfVectorizer(analyzer=list, sublinear_tf=True, min_df=2)
        table = self._vectors.fit_transform(cues_of)
        self._machine = LinearSVC(C=0.3, tol=1e-2, random_state=0)
        self._machine.fit(table, list(classes), np.asarray(weight) / np.mean(weight))

    def margins(self, found: list[str]) -> Mapping[str, float]:
        """How much speaks for each class; none where training had fewer than two."""
        if self._machine is None:
            return {}
        scores = self._machine.decision_function(self._vectors.transform([found]))[0]
        if np.ndim(scores) == 0:
            scores = np.array([-scores, scores])
        return dict(zip(self._machine.classes_.tolist(), scores.tolist(), strict=True))
