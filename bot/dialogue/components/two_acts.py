"""When an utterance carries two acts (好的,不过多少钱), and which is the second.

Evidence: what the classifier makes of the whole line, and what it makes of each clause by itself.
A gate (logistic regression on that evidence) says how likely a second act is; it is fitted on
predictions for lines that the classifier had not seen, so its probability can be trusted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bot.understanding.normalize import HANZI

MOST_CLAUSES: Final = 6
_BREAK: Final = re.compile(
    rf"[,.!?;，。！？；、…]+\s*|(?<=[{HANZI}])\s+(?=[{HANZI}])"
    r"|(?=(?:不过|但是|可是|然后|那你|那我|那么|就是|还有)(?<!^))|\s+(?=(?:but|and|so|then)\s)"
)
_NOTHING: Final = 1e-4


def clauses(heard: str) -> list[tuple[int, int]]:
    """Where the clauses of a cleaned line stand, as (start, end); empty where it has only one.

    At most MOST_CLAUSES: the first ones, and the last holds the rest.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for found in _BREAK.finditer(heard):
        if len(spans) == MOST_CLAUSES - 1:
            break
        if heard[start : found.start()].strip():
            spans.append((start, found.start()))
            start = found.end()
    if heard[start:].strip():
        spans.append((start, len(heard)))
    return spans if len(spans) > 1 else []


def second(
    whole: NDArray[np.float64], parts: Sequence[NDArray[np.float64]], size: int
) -> tuple[int, int, list[float]]:
    """The two likeliest acts of a line, best first, and the evidence for the second.

    `whole` are the probabilities of the line, `parts` those of its clauses, `size` is how many
    n-grams it holds: a word that is ambiguous by itself (对) is no two acts.
    """
    pooled = whole if not parts else np.maximum(whole, 0.9 * np.max(parts, axis=0))
    first = int(whole.argmax())
    others = pooled.copy()
    others[first] = 0
    other = int(others.argmax())
    joined = math.log(1 + size)
    evidence = [_odds(whole[first]), _odds(whole[other]), joined, 0.0, 0.0, 0.0, 0.0, 0.0]
    if parts:
        table = np.array(parts)
        winners = table.argmax(axis=1)
        both = float((winners == other).any() and (winners == first).any())
        evidence[3:] = [1.0, evidence[1], _odds(table[:, other].max()), _odds(table[:, first].max()), both]
    return first, other, evidence


def _odds(chance: float) -> float:
    kept = min(max(chance, _NOTHING), 1 - _NOTHING)
    return math.log(kept / (1 - kept))


@dataclass(frozen=True)
class Gate:
    """`weights` for each piece of evidence, the bias last; two acts from `threshold` on."""

    weights: tuple[float, ...]
    threshold: float

    def chance(self, evidence: Sequence[float]) -> float:
        """How likely the line carries the second act too."""
        total = sum(weight * value for weight, value in zip(self.weights, [*evidence, 1.0], strict=True))
        return 1 / (1 + math.exp(-min(max(total, -30), 30)))


def fit_gate(evidence: NDArray[np.float64], two: NDArray[np.bool_]) -> Gate | None:
    """The gate for lines with this evidence, of which `two` carry two acts that `second` named.

    The threshold is where precision and recall balance best (F1).  None where too few lines carry
    two acts to learn from.
    """
    if two.sum() < 10:
        return None
    inputs = np.hstack([evidence, np.ones((len(evidence), 1))])
    signs = np.where(two, 1.0, -1.0)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = signs * (inputs @ weights)
        value = np.logaddexp(0, -margin).sum() + 0.01 * (weights**2).sum()
        slope = -(signs / (1 + np.exp(np.clip(margin, -30, 30)))) @ inputs
        return float(value), slope + 0.02 * weights

    weights = minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B").x
    chance = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
    tried = np.linspace(0.3, 0.7, 41)
    hits = np.array([(two & (chance >= at)).sum() for at in tried])
    named = np.array([(chance >= at).sum() for at in tried])
    best = int(np.argmax(2 * hits / np.maximum(named + two.sum(), 1)))
    return Gate(tuple(float(weight) for weight in weights), float(tried[best]))
