"""First opinions on every action: linear models, and counts of what followed what in training.

Two linear learners a view, one with the task's name and one without: a support vector machine on
all features (sharp) and logistic regression on their 200 main directions (smooth).  `keys` names the
circumstances whose followers are counted.
"""

from __future__ import annotations

import warnings
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import TruncatedSVD
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from bot.dialogue.next_action.lines import Line, plain, situation
from bot.dialogue.next_action.reply_texts import TextActions
from bot.dialogue.next_action.slots import SlotTagger
from bot.dialogue.next_action.state_features import Seen, StateFeatures

DIRECTIONS = 200
SHARPNESS = 2.5
"""Margins are multiplied by this before they become probabilities."""
KEYS_WITHOUT_TASK = 3

Table = NDArray[np.float64]


def keys(seen: Seen) -> list[tuple[str, ...]]:
    """Circumstances to count followers of; from KEYS_WITHOUT_TASK on they name the task."""
    now = seen.now
    state = now.last
    if now.last == "result":
        told = now.result.get("Message") or now.result.get("RequestStatus") or ""
        state = f"{now.query.get('RequestType', '')}|{plain(told)[:40]}"
    return [
        (seen.previous, now.last),
        (now.chain[-1], now.last),
        (now.chain[-1], state),
        (seen.task, seen.previous, now.last),
        (seen.task, now.chain[-1], state),
        (seen.task, now.chain[-2], now.chain[-1], now.last),
        (seen.task,),
    ]


class Learner:
    """The two linear models of one view; `opinions` gives (probabilities, margins) over `actions`."""

    def __init__(
        self, train: Sequence[Seen], truth: NDArray[np.int64], count: int, *, with_task: bool
    ) -> None:
        self._features = StateFeatures(train, with_task)
        self._count = count
        table = self._features.rows(train)
        self._sharp: Any = LinearSVC(C=0.15, tol=1e-2, random_state=0).fit(table, truth)
        directions = max(1, min(DIRECTIONS, table.shape[1] - 1, table.shape[0] - 1))
        self._directions: Any = TruncatedSVD(directions, n_iter=3, random_state=0)
        turned = self._directions.fit_transform(table)
        self._scale = max(float(turned.std(axis=0).mean()), 1e-9)
        self._smooth: Any = LogisticRegression(C=0.3, max_iter=40, tol=1e-2)
        with warnings.catch_warnings():
            # forty rounds are enough for a ranking; it need not have come to rest
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._smooth.fit(turned / self._scale, truth)

    def opinions(self, situations: Sequence[Seen]) -> tuple[Table, Table, Table]:
        """Sharp probabilities, smooth probabilities and margins: situations x actions."""
        table = self._features.rows(situations)
        found = self._sharp.decision_function(table)
        if found.ndim == 1:
            found = np.stack([-found, found], axis=1)
        margins = np.full((len(situations), self._count), -2.0)
        margins[:, self._sharp.classes_] = found
        sharp = np.exp(SHARPNESS * (margins - margins.max(axis=1, keepdims=True)))
        smooth = np.zeros_like(margins)
        smooth[:, self._smooth.classes_] = self._smooth.predict_proba(
            self._directions.transform(table) / self._scale
        )
        return sharp / sharp.sum(axis=1, keepdims=True), smooth, margins


class Opinions:
    """All first opinions, learned from `lines` whose actions are numbered by `truth`."""

    def __init__(self, lines: Sequence[Line], truth: NDArray[np.int64], count: int) -> None:
        self._texts, self._slots = TextActions(lines), SlotTagger(lines)
        seen = self.see(lines)
        self.count = count
        self.learners = [Learner(seen, truth, count, with_task=known) for known in (False, True)]
        self.usual = np.bincount(truth, minlength=count) / len(truth)
        self.followers: list[dict[tuple[str, ...], Counter[int]]] = []
        for one, action in zip(seen, truth.tolist(), strict=True):
            for number, key in enumerate(keys(one)):
                if number == len(self.followers):
                    self.followers.append(defaultdict(Counter))
                self.followers[number][key][action] += 1

    def see(self, lines: Sequence[Line]) -> list[Seen]:
        """The lines, read with the texts and facts that training knows."""
        self._slots.learn([text for line in lines for party, text in line.history if party == "customer"])
        found = []
        for line in lines:
            now = situation(line.history, line.prev_action, self._texts)
            given = self._slots.given(now.customer)
            names = [*self._slots.names, *(f"{name} now" for name in self._slots.names)]
            found.append(
                Seen(
                    now=now,
                    previous=line.prev_action,
                    task=line.task or "",
                    given=dict(zip(names, given.tolist(), strict=True)),
                    text=" ".join(text for _, text in line.history),
                )
            )
        return found
