"""Learning: a log of decisions with rewards turns a policy into the next one, under a new version.

Online Bayesian linear regression of (reward - prior) on the groups of policy.py.  Each observation is a
Kalman step; the posterior is kept as one Gaussian block a group, cross terms between groups dropped
(assumed-density filtering, Minka 2001, https://tminka.github.io/papers/ep/), so a step costs the square of a
group's context, not of all groups together.  No importance weights: the features are what the choice
was made from, so the regression is not confounded by it; off_policy.py is where propensities weigh.

Rewards on the scale of reward.py.  The result depends on the order of the log, and on nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from assist.learning.decision import Decision, LearningError
from assist.learning.policy import Block, Policy, content_version, design_of, groups_of


def learn(policy: Policy, log: Iterable[Decision]) -> Policy:
    """The policy after these decisions; the same policy where none of them teaches anything.

    A decision without a reward, or one whose chosen candidate is fixed, teaches nothing.  The log must
    hold no decision that `policy` already learned from.  Raises LearningError for a reward outside [0, 1].
    """
    posterior = _Posterior(policy)
    learned = 0
    for decision in log:
        chosen = decision.chosen()
        if decision.reward is None or chosen.fixed:
            continue
        if not 0.0 <= decision.reward <= 1.0:  # false for NaN too
            raise LearningError(
                f"decision {decision.call_id}:{decision.seq}: reward {decision.reward}; 0 to 1 is expected "
                "(reward.reward_of gives it)"
            )
        posterior.observe(groups_of(chosen), design_of(decision.context), decision.reward - chosen.prior)
        learned += 1
    if not learned:
        return policy
    return Policy.of(policy.parameters, policy.observations + learned, posterior.blocks())


def to_json(policy: Policy) -> bytes:
    """The policy as one JSON object in UTF-8; `from_json` is the exact inverse."""
    return msgspec.json.encode(policy, order="deterministic")


def from_json(data: bytes | str) -> Policy:
    """The policy that `to_json` wrote.

    Raises LearningError where it is no such JSON, a block's sizes disagree, a number is not finite, or the
    version is not that of the content.
    """
    try:
        policy = msgspec.json.decode(data, type=Policy)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LearningError(f"not a ranker policy: {error}; write it with update.to_json") from error
    for group, block in policy.blocks.items():
        size = len(block.names)
        if len(set(block.names)) != size or len(block.mean) != size or len(block.covariance) != size * size:
            raise LearningError(
                f"policy {policy.version}: block {group!r} has {size} names, {len(block.mean)} means and "
                f"{len(block.covariance)} covariances; n different names, n means and n*n are expected"
            )
        if not all(map(math.isfinite, (*block.mean, *block.covariance))):
            raise LearningError(f"policy {policy.version}: block {group!r} holds a number that is not finite")
    version = content_version(policy.parameters, policy.observations, policy.blocks)
    if version != policy.version:
        raise LearningError(
            f"policy {policy.version}: its content is that of {version}; it was changed by hand"
        )
    return policy


class _Group:
    """One block, growing as context features are first seen."""

    def __init__(self, block: Block | None, prior_variance: float) -> None:
        names = block.names if block else ()
        self.place = {name: at for at, name in enumerate(names)}
        self.mean = np.array(block.mean if block else (), dtype=np.float64)
        flat = np.array(block.covariance if block else (), dtype=np.float64)
        self.covariance = flat.reshape(len(names), len(names))
        self._prior_variance = prior_variance

    def inputs(self, design: dict[str, float]) -> NDArray[np.float64]:
        """The design as a vector over all names of the block, new ones added."""
        new = [name for name in design if name not in self.place]
        if new:
            self.place.update({name: len(self.place) + at for at, name in enumerate(new)})
            size = len(self.place)
            covariance = np.eye(size) * self._prior_variance
            covariance[: size - len(new), : size - len(new)] = self.covariance
            self.covariance = covariance
            self.mean = np.concatenate([self.mean, np.zeros(len(new))])
        inputs = np.zeros(len(self.place))
        for name, value in design.items():
            inputs[self.place[name]] = value
        return inputs


class _Posterior:
    def __init__(self, policy: Policy) -> None:
        self._prior_variance = policy.parameters.prior_sd**2
        self._noise_variance = policy.parameters.noise_sd**2
        self._groups = {
            group: _Group(block, self._prior_variance) for group, block in sorted(policy.blocks.items())
        }

    def observe(self, groups: list[tuple[str, float]], design: dict[str, float], residual: float) -> None:
        parts = []
        variance = self._noise_variance
        for name, scale in groups:
            group = self._groups.setdefault(name, _Group(None, self._prior_variance))
            inputs = scale * group.inputs(design)
            spread = group.covariance @ inputs
            variance += float(inputs @ spread)
            residual -= float(inputs @ group.mean)
            parts.append((group, spread))
        for group, spread in parts:
            group.mean = group.mean + spread * (residual / variance)
            group.covariance = group.covariance - np.outer(spread, spread) / variance

    def blocks(self) -> dict[str, Block]:
        return {
            name: Block(
                tuple(group.place), tuple(group.mean.tolist()), tuple(group.covariance.ravel().tolist())
            )
            for name, group in sorted(self._groups.items())
        }
