"""The next action, learned from dialogues: first opinions, then a second look at the ten best.

    model = fit(lines)                 # seconds on a processor
    model.rank(history, "query", "hotel_book") → [(action, probability), …]

The second look is a gradient-boosted scorer of single candidates (Pedregosa et al. 2011), trained
on first opinions about lines that the opinions had not seen (cross-validation by dialogue).  One
scorer may use the task, the other may not; `task=None` takes the latter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from joblib import Parallel, delayed  # type: ignore[import-untyped]
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

from bot.dialogue.next_action.lines import Flow, Line, words
from bot.dialogue.next_action.opinions import KEYS_WITHOUT_TASK, Opinions, keys
from bot.dialogue.next_action.state_features import Seen

SECOND_LOOK = 12
FOLDS = 4
PRIOR_LINES = 2.0
_LASTS = ("start", "result", "query", "customer", "agent")
_TYPES = ("query", "ask", "inform", "bye", "hello", "else", "custom")

Table = NDArray[np.float64]
Ranking = list[tuple[str, float]]


def look(
    opinions: Opinions, situations: Sequence[Seen], actions: Sequence[str], with_task: bool
) -> tuple[Table, NDArray[np.int64], Table]:
    """(situations x candidates x columns, the candidates' numbers, mean first opinion)."""
    views = [learner.opinions(situations) for learner in opinions.learners[: 2 if with_task else 1]]
    tables = [view[0] for view in views] + [view[1] for view in views]
    mean: Table = np.mean(tables, axis=0)
    candidates = np.argsort(-mean, axis=1, kind="stable")[:, :SECOND_LOOK]
    used = len(opinions.followers) if with_task else KEYS_WITHOUT_TASK
    types = np.array([[kind in action for kind in _TYPES] for action in actions], dtype=float)
    found = []
    for row, seen in enumerate(situations):
        at, now = candidates[row], seen.now
        columns = [mean[row, at], np.arange(len(at), dtype=float), opinions.usual[at]]
        for table in tables:
            columns += [table[row, at], np.log(table[row, at] + 1e-6) - np.log(table[row].max() + 1e-6)]
        for _, _, margins in views:
            columns += [margins[row, at], margins[row, at] - margins[row].max()]
        for counted, key in zip(opinions.followers[:used], keys(seen)[:used], strict=True):
            followers = counted.get(key, Counter())
            total = followers.total()
            rate = [followers[action] for action in at.tolist()] + PRIOR_LINES * opinions.usual[at]
            columns += [rate / (total + PRIOR_LINES), np.full(len(at), float(total))]
        names = [actions[number] for number in at]
        columns.append(np.array([now.chain.count(name) for name in names], dtype=float))
        columns.append(np.array([name == seen.previous for name in names], dtype=float))
        columns.append(np.array([name == now.chain[-1] for name in names], dtype=float))
        said = words(now.said)
        answer = set(words(now.result.get("Answer", "")))
        same = [
            float(len(now.chain)), float(_LASTS.index(now.last)), float(now.since_result), float(len(said)),
            float("?" in now.said or "？" in now.said),
            len(answer & set(said)) / len(answer) if answer else -1.0,
            float(len(now.query)), float(len(now.result)),
        ]  # fmt: skip
        columns += [np.full(len(at), value) for value in same]
        found.append(np.hstack([np.stack(columns, axis=1), types[at]]))
    return np.stack(found), candidates, mean


def _unseen(
    train: Sequence[Line], truth: NDArray[np.int64], held: Sequence[Line], actions: Sequence[str]
) -> list[tuple[Table, NDArray[np.int64]]]:
    """What opinions learned from `train` make of `held`, without and with the task."""
    opinions = Opinions(train, truth, len(actions))
    seen = opinions.see(held)
    return [look(opinions, seen, actions, known)[:2] for known in (False, True)]


class NextActionModel:
    """A trained model; made by `fit`."""

    def __init__(self, actions: Sequence[str], opinions: Opinions, scorers: Sequence[Any]) -> None:
        self.actions, self._opinions, self._scorers = tuple(actions), opinions, scorers

    def rank_lines(self, lines: Sequence[Line], *, with_task: bool = True) -> list[Ranking]:
        """For each line every action with its probability, best first."""
        if not lines:
            return []
        table, candidates, mean = look(self._opinions, self._opinions.see(lines), self.actions, with_task)
        scorer = self._scorers[int(with_task)]
        found = []
        scores = None
        if scorer is not None:
            scores = scorer.predict_proba(table.reshape(-1, table.shape[2]))[:, 1].reshape(candidates.shape)
        for row in range(len(lines)):
            shares = mean[row] / mean[row].sum()
            if scores is not None:
                mass = shares[candidates[row]].sum()
                shares[candidates[row]] = mass * scores[row] / scores[row].sum()
                # what the second look did not see stays behind what it saw
                rest = np.setdiff1d(np.arange(len(shares)), candidates[row])
                if len(rest):
                    shares[rest] = np.minimum(shares[rest], shares[candidates[row]].min())
                shares /= shares.sum()
            order = np.argsort(-shares, kind="stable")
            found.append([(self.actions[at], float(shares[at])) for at in order])
        return found

    def rank(self, history: Sequence[tuple[str, str]], prev_action: str, task: str | None = None) -> Ranking:
        """Every action with its probability, best first; they sum to one."""
        line = Line(dialog_id="", task=task, history=tuple(history), prev_action=prev_action)
        return self.rank_lines([line], with_task=task is not None)[0]


def fit(
    examples: Sequence[Line], graphs: Mapping[str, Flow] | None = None, *, workers: int = 1
) -> NextActionModel:
    """Learn from lines with their actions.  `graphs`: each task's flow, whose nodes may be ranked too.

    Raises ValueError where there are fewer than two different actions.
    """
    named = [line.action for line in examples if line.action is not None]
    actions = sorted({*named, *(node for flow in (graphs or {}).values() for node in flow.replies)})
    if len(set(named)) < 2 or len(named) < len(examples):
        raise ValueError("training lines need an action each, and at least two different ones")
    number = {action: at for at, action in enumerate(actions)}
    truth = np.array([number[name] for name in named])
    groups = np.array([line.dialog_id for line in examples])
    scorers: list[Any] = [None, None]
    folds = min(FOLDS, len(set(groups)))
    splits = list(GroupKFold(folds).split(truth, truth, groups)) if folds > 1 else []
    splits = [(kept, held) for kept, held in splits if len(set(truth[kept].tolist())) > 1]
    unseen: list[list[tuple[Table, NDArray[np.int64]]]] = Parallel(workers)(
        delayed(_unseen)([examples[at] for at in kept], truth[kept], [examples[at] for at in held], actions)
        for kept, held in splits
    )
    for known in (0, 1):
        rows, labels = [], []
        for (_, held), views in zip(splits, unseen, strict=True):
            table, candidates = views[known]
            rows.append(table.reshape(-1, table.shape[2]))
            labels.append((candidates == truth[held][:, None]).ravel())
        if rows and 0 < np.concatenate(labels).mean() < 1:
            scorers[known] = HistGradientBoostingClassifier(
                max_iter=150, learning_rate=0.06, max_leaf_nodes=15, l2_regularization=5,
                min_samples_leaf=40, random_state=0, early_stopping=False,
            ).fit(np.concatenate(rows), np.concatenate(labels))  # fmt: skip
    return NextActionModel(actions, Opinions(examples, truth, len(actions)), scorers)
