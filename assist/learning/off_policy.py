"""What another policy would have earned, from the log of the one that ran; and exact replay of that log.

Three estimates of the mean reward a decision, each with its 95 % interval:
- IPS, inverse propensity scoring (Horvitz and Thompson 1952): unbiased where the log's policy gave every
  candidate that the target may choose a probability above 0; wide.
- SNIPS, self-normalised (Swaminathan and Joachims 2015, The Self-Normalized Estimator for Counterfactual
  Learning): a little bias, far less variance.
- DR, doubly robust (Dudik, Langford and Li 2011, https://arxiv.org/abs/1103.4601): the model's expectation,
  corrected by IPS of its error; unbiased as IPS is, narrow where the model is good.

The intervals are normal ones.  Their width comes from the influence of each *call* (decisions of one call
share its outcome and are not independent); but a small log often lacks the rare choices with large
weights, and then its own spread is too small.  The logged probabilities say how often such weights must
come, so the width is at least that of (expected squared weight) x (mean squared error of the rewards);
benchmarks/ranker_learning.py counts how often the intervals hold.  `unsupported` is the mean probability
that the target gives to candidates which the log's policy never could choose; above 0, no estimate here
holds for the whole of the target.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from assist.learning.decision import Decision, LearningError, seed_of
from assist.learning.policy import Policy

Vector = NDArray[np.float64]
_Z95 = 1.959964


class Estimate(msgspec.Struct, frozen=True):
    """A mean reward and its 95 % interval."""

    value: float
    low: float
    high: float


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """What the log says about the target policy.  `effective` is the effective number of decisions,
    (sum w)^2 / sum w^2."""

    ips: Estimate
    snips: Estimate
    doubly_robust: Estimate
    decisions: int
    calls: int
    effective: float
    unsupported: float


class Difference(msgspec.Struct, frozen=True):
    """A decision that came out otherwise: (key, propensity) as logged and as made again."""

    call_id: str
    seq: int
    logged: tuple[str, float]
    replayed: tuple[str, float]


class Replay(msgspec.Struct, frozen=True):
    """How many decisions of the policy's version were made again, and which differed."""

    replayed: int
    other_versions: int
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """Decisions as arrays of the same length.  `weights`: target probability / propensity of the chosen;
    `squares`: the expectation of its square, sum of target^2 / logged probability over what the log's policy
    could choose; `calls`: the number of each decision's call, from 0."""

    rewards: Vector
    weights: Vector
    squares: Vector
    calls: NDArray[np.int64]

    def around(self, value: float, influence: Vector, errors: Vector, other_variance: float) -> Estimate:
        """The interval about `value`.  `influence` of each decision on it; `errors` are what the weights
        multiply; `other_variance` is what does not come from the weights."""
        by_call = np.bincount(self.calls, weights=influence)
        count = len(by_call)
        if count < 2:
            return Estimate(value, float("-inf"), float("inf"))
        seen = float((by_call**2).sum()) * count / (count - 1) / len(influence) ** 2
        total = float(self.weights.sum())
        squared_error = float((self.weights * errors**2).sum()) / total if total else 1.0
        due = (float(self.squares.mean()) * squared_error + other_variance) / len(influence)
        half = _Z95 * math.sqrt(max(seen, due))
        return Estimate(value, value - half, value + half)


def ips(sample: Sample) -> Estimate:
    """Inverse propensity scoring."""
    terms = sample.weights * sample.rewards
    value = float(terms.mean())
    return sample.around(value, terms - value, sample.rewards, -(value**2))


def snips(sample: Sample) -> Estimate:
    """Self-normalised.  Raises LearningError where every weight is 0."""
    mean_weight = float(sample.weights.mean())
    if mean_weight == 0.0:
        raise LearningError(
            "the target policy would have chosen nothing of what was logged; log with exploration"
        )
    value = float((sample.weights * sample.rewards).mean()) / mean_weight
    errors = sample.rewards - value
    return sample.around(value, sample.weights * errors / mean_weight, errors, 0.0)


def doubly_robust(sample: Sample, modelled: Vector, target_value: Vector) -> Estimate:
    """`modelled` is the model's reward of the chosen, `target_value` its mean under the target."""
    errors = sample.rewards - modelled
    terms = target_value + sample.weights * errors
    value = float(terms.mean())
    return sample.around(value, terms - value, errors, float(target_value.var()))


def evaluate(log: Sequence[Decision], target: Policy, model: Policy) -> Evaluation:
    """The three estimates for `target`; decisions without a reward are left out.

    `model` predicts the rewards for DR; it must not have learned from `log`.  Raises LearningError where
    no decision is left, or a logged propensity is not above 0.
    """
    known = [(one, one.reward) for one in log if one.reward is not None]
    if not known:
        raise LearningError("no decision of the log has a reward; give each its reward_of(...) first")
    numbers: dict[str, int] = {}
    rows = []
    for one, reward in known:
        if not one.choice.propensity > 0:
            raise LearningError(
                f"decision {one.call_id}:{one.seq}: propensity {one.choice.propensity}; above 0 is expected"
            )
        logged = one.choice.probabilities
        wanted = target.distribution(one.candidates, one.context).probabilities
        predicted = {each.key: model.expected(each, one.context)[0] for each in one.candidates}
        rows.append(
            (
                reward,
                wanted[one.chosen().key] / one.choice.propensity,
                predicted[one.choice.key],
                sum(wanted[key] * predicted[key] for key in wanted),
                sum(p for key, p in wanted.items() if not logged.get(key, 0.0) > 0),
                sum(p * p / logged[key] for key, p in wanted.items() if logged.get(key, 0.0) > 0),
                numbers.setdefault(one.call_id, len(numbers)),
            )
        )
    rewards, weights, modelled, target_value, unsupported, squares, numbered = np.array(rows).T
    sample = Sample(rewards, weights, squares, numbered.astype(np.int64))
    total = float(weights.sum())
    return Evaluation(
        ips=ips(sample),
        snips=snips(sample),
        doubly_robust=doubly_robust(sample, modelled, target_value),
        decisions=len(rows),
        calls=len(numbers),
        effective=total**2 / float((weights**2).sum()),
        unsupported=float(unsupported.mean()),
    )


def replay(log: Sequence[Decision], policy: Policy) -> Replay:
    """Make the decisions of this version again, from their logged inputs and seeds."""
    differences = []
    mine = [one for one in log if one.choice.policy_version == policy.version]
    for one in mine:
        again = policy.choose(one.candidates, one.context, seed_of(one.call_id, one.seq))
        if again != one.choice:
            logged = (one.choice.key, one.choice.propensity)
            differences.append(Difference(one.call_id, one.seq, logged, (again.key, again.propensity)))
    return Replay(len(mine), len(log) - len(mine), tuple(differences))
