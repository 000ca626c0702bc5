"""The plain rival of benchmarks.next_action: TF-IDF of the history, previous action, linear machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from bot.dialogue.next_action.lines import Line


def baseline(train: Sequence[Line], test: Sequence[Line], *, with_task: bool) -> list[list[str]]:
    """For each test line the actions, best first: words and word pairs of the history and of the
    customer's last line, the previous action and, where wanted, the task; linear SVM."""

    def whole(line: Line) -> str:
        return "\n".join(text for _, text in line.history)

    def said(line: Line) -> str:
        return next((text for party, text in reversed(line.history) if party == "customer"), "")

    def named(line: Line) -> dict[str, int]:
        return {f"previous={line.prev_action}": 1, **({f"task={line.task}": 1} if with_task else {})}

    views: list[Any] = [TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)) for _ in range(2)]
    one_hot = DictVectorizer()
    fitted = [views[0].fit_transform(map(whole, train)), views[1].fit_transform(map(said, train))]
    machine: Any = LinearSVC(C=1.0, random_state=0)
    machine.fit(
        sparse.hstack([*fitted, one_hot.fit_transform(map(named, train))], format="csr"),
        [line.action for line in train],
    )
    asked = [views[0].transform(map(whole, test)), views[1].transform(map(said, test))]
    scores = machine.decision_function(
        sparse.hstack([*asked, one_hot.transform(map(named, test))], format="csr")
    )
    if scores.ndim == 1:
        scores = np.stack([-scores, scores], axis=1)
    return [[str(machine.classes_[at]) for at in np.argsort(-row, kind="stable")] for row in scores]
