"""A linear choice among candidates: probabilities from a weighted sum, trained on whole choices.

The conditional logit of choice theory (McFadden 1974): softmax over a choice's own candidates, so
a choice may have any number of them, and what is the same for all of them cancels out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Table = NDArray[np.float64]


def softmax(scores: Table) -> Table:
    """Probabilities that sum to one."""
    raised: Table = np.exp(scores - scores.max())
    return raised / raised.sum()


class ChoiceModel:
    """`weights` over columns divided by `scale`."""

    def __init__(self, weights: Table, scale: Table) -> None:
        self.weights, self.scale = weights, scale
        self._effective = weights / scale

    def probabilities(self, candidates: Table) -> Table:
        """One probability for each row of `candidates`; they sum to one."""
        return softmax(candidates @ self._effective)


def fit_choices(
    choices: Sequence[tuple[Table, int]], importance: Sequence[float], *, penalty: float, rounds: int = 150
) -> ChoiceModel:
    """Maximise the probability of each choice's chosen row, `penalty` x squared weights taken off.

    `choices` are (candidates x columns, chosen row); every one has the same columns.
    """
    rows = np.concatenate([table for table, _ in choices]).astype(np.float32)
    sizes = np.array([len(table) for table, _ in choices])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    chosen = starts + np.array([at for _, at in choices])
    weight = np.asarray(importance, dtype=np.float64)
    scale = np.maximum(rows.std(axis=0, dtype=np.float64), 0.05)
    rows /= scale.astype(np.float32)
    owner = np.repeat(np.arange(len(sizes)), sizes)

    def loss(weights: Table) -> tuple[float, Table]:
        scores = (rows @ weights.astype(np.float32)).astype(np.float64)
        scores -= np.maximum.reduceat(scores, starts)[owner]
        raised = np.exp(scores)
        total = np.add.reduceat(raised, starts)
        surprise = np.log(total) - scores[chosen]
        pull = (raised / total[owner]) * weight[owner]
        pull[chosen] -= weight
        slope = (pull.astype(np.float32) @ rows).astype(np.float64)
        return float(weight @ surprise + penalty * weights @ weights), slope + 2 * penalty * weights

    found = minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": rounds})
    return ChoiceModel(found.x, scale)
