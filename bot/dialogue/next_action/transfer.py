"""The next action of a task that no training dialogue shows: from its flow and replies alone.

A scorer of single candidates (candidates.py: nothing there knows a task's name) is trained on other
tasks and used on this one.  Candidates are the task's own nodes and the actions that several other
families of tasks share (a greeting, a good-bye); a family is the first word of a task's name.
Facts, shared actions and habits are a `Background`, which must be foreign to the task described, in
training too: training tasks are described in FOLDS parts, each with a background from the others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from bot.dialogue.next_action.candidates import Describer
from bot.dialogue.next_action.flow_graph import FlowGraph, is_farewell
from bot.dialogue.next_action.habits import Habits, KindGuess, class_of, cues, generic
from bot.dialogue.next_action.lines import Flow, Line, Situation, name_words, situation
from bot.dialogue.next_action.reply_texts import TemplateActions, TextActions
from bot.dialogue.next_action.slots import SlotTagger

PER_TASK = 200
"""At most this many training lines a task, so that the largest do not decide alone."""
FOLDS = 3
SCORERS = 2
"""So many are averaged; each split of their trees sees a random quarter of the columns."""
KEPT_OTHERS = 0.3
"""The share of the candidates not chosen that training sees."""

Ranking = list[tuple[str, float]]
Table = NDArray[np.float64]


def without(lines: Sequence[Line], task: str) -> list[Line]:
    """The lines of the other tasks."""
    return [line for line in lines if line.task != task]


def shared_actions(lines: Sequence[Line]) -> dict[str, float]:
    """Actions of at least two families of tasks, each with its share of all lines."""
    families: dict[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for line in lines:
        if line.action is not None and line.task is not None:
            families[line.action].update(name_words(line.task)[:1])
            counts[line.action] += 1
    total = max(counts.total(), 1)
    return {action: counts[action] / total for action in sorted(families) if len(families[action]) > 1}


class Background:
    """What `lines` teach about any task: facts, shared actions, their texts, and habits."""

    def __init__(self, lines: Sequence[Line], flows: Mapping[str, Flow]) -> None:
        self.slots, self.shared, self.texts = SlotTagger(lines), shared_actions(lines), TextActions(lines)
        taught, read, classes, weight = [], [], [], []
        counts = Counter(line.task for line in lines)
        views = {task: _Reader(flow, self.shared, self.texts) for task, flow in flows.items()}
        for line in lines:
            if line.task not in views or line.action is None or line.task is None:
                continue
            view = views[line.task]
            now = situation(line.history, line.prev_action, view.action_of)
            taught.append((now, line.prev_action, line.task, line.action))
            read.append(view.cues(now, line.prev_action))
            classes.append(class_of(view.graph, line.action))
            weight.append(counts[line.task] ** -0.5)
        self.habits, self.guess = Habits(taught), KindGuess(read, classes, weight)


class _Reader:
    """A task's flow and what its lines stand for."""

    def __init__(self, flow: Flow, shared: Mapping[str, float], texts: TextActions) -> None:
        renamed = {}
        for node, reply in flow.replies.items():
            name = texts(reply)
            if name in shared and name not in flow.replies and not is_farewell(reply):
                renamed[node] = str(name)
        self.graph = FlowGraph(flow.replies, flow.graph, shared, renamed)
        self.action_of = TemplateActions(flow)

    def cues(self, now: Situation, previous: str) -> list[str]:
        """What habits.KindGuess reads."""
        return cues(now, class_of(self.graph, previous), class_of(self.graph, now.chain[-1]))


class TaskView:
    """A task's candidates and how to describe them."""

    def __init__(self, task: str, flow: Flow, known: Background) -> None:
        self._reader, self._known, self._task = _Reader(flow, known.shared, known.texts), known, task
        self.graph = self._reader.graph
        self._describe = Describer(self.graph)
        self._names = [generic(node, task) for node in self.graph.nodes]

    def numbers(self, line: Line) -> Table:
        """Candidates x columns."""
        now, before = situation(line.history, line.prev_action, self._reader.action_of), line.prev_action
        names = self._known.slots.names
        given = self._known.slots.given(now.customer).tolist()
        return self._describe.numbers(
            now,
            before,
            dict(zip(names, given, strict=False)),
            dict(zip(names, given[len(names) :], strict=True)),
            self._known.guess.margins(self._reader.cues(now, before)),
            self._known.habits.rates(now, before, self._task, self._names),
        )


def choices(
    lines: Sequence[Line], flows: Mapping[str, Flow], known: Background
) -> list[tuple[Table, int, float]]:
    """(candidates x columns, the chosen row, weight) of a sample of lines of each task that has a flow."""
    found = []
    for task in sorted({line.task for line in lines if line.task in flows and line.task is not None}):
        own = [line for line in lines if line.task == task]
        view = TaskView(task, flows[task], known)
        taken = sorted(np.random.default_rng(0).permutation(len(own))[:PER_TASK].tolist())
        for at in taken:
            row = view.graph.at.get(own[at].action or "")
            if row is not None:
                found.append((view.numbers(own[at]), row, len(taken) ** -0.5))
    return found


class TransferModel:
    """Trained on `lines`, whose tasks' flows are in `flows`; ranks for any flow."""

    def __init__(self, lines: Sequence[Line], flows: Mapping[str, Flow]) -> None:
        self.trained_on = frozenset(line.task for line in lines)
        flows = {task: flow for task, flow in flows.items() if task in self.trained_on}
        self._known = Background(lines, flows)
        taught: list[tuple[Table, int, float]] = []
        for fold in range(FOLDS):
            held = set(sorted(flows)[fold::FOLDS])
            others = [line for line in lines if line.task not in held]
            taught += choices([line for line in lines if line.task in held], flows, Background(others, flows))
        if not taught:
            raise ValueError("no training line belongs to a task that has a flow")
        rows = np.concatenate([table for table, _, _ in taught])
        chosen = np.concatenate([np.arange(len(table)) == at for table, at, _ in taught])
        weights = np.concatenate([np.full(len(table), weight) for table, _, weight in taught])
        kept = chosen | (np.random.default_rng(0).random(len(chosen)) < KEPT_OTHERS)
        self._scorers: list[Any] = [
            HistGradientBoostingClassifier(
                max_iter=100, learning_rate=0.1, max_leaf_nodes=15, l2_regularization=5,
                min_samples_leaf=30, max_features=0.25, random_state=seed, early_stopping=False,
            ).fit(rows[kept], chosen[kept], weights[kept] / weights.mean())
            for seed in range(SCORERS)
        ]  # fmt: skip

    def rank_lines(self, lines: Sequence[Line], flow: Flow) -> list[Ranking]:
        """For each line the candidates of `flow` with their probabilities, best first; they sum to one."""
        view = TaskView(flow.task, flow, self._known)
        found = []
        tables = [view.numbers(line) for line in lines]
        if not tables:
            return []
        rows = np.concatenate(tables)
        scores = np.mean([scorer.predict_proba(rows)[:, 1] for scorer in self._scorers], axis=0)
        shares = scores.reshape(len(lines), -1)
        for row in shares / shares.sum(axis=1, keepdims=True):
            order = np.argsort(-row, kind="stable")
            found.append([(view.graph.nodes[at], float(row[at])) for at in order])
        return found
