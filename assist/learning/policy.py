"""The ranking policy: priors corrected by a Bayesian linear model, and a small, bounded exploration.

Expected reward of a candidate = its prior + what was learned.  What was learned is a sum over groups:
the candidate's kind, each of its features, and the candidate itself (its arm); each group has a weight
for "always" and one for each context feature, so a technique's success with a customer type carries
over to other cards of that technique.  The weights have mean 0 until `update.learn` sees a reward:
a policy without observations follows the priors, exactly and without chance.

The policy reorders only candidates whose prior lies within `margin` of the best one that is not fixed;
the rest follow in the order of their priors, and a `fixed` candidate keeps the place that its prior gives
it.  Among those within the margin:

    p(i) = (1 - exploration) [i is greedy] + exploration ((1 - floor) matching(i) + floor / n)

`matching(i)` is the probability that i is the best under the posterior (Thompson 1933; the candidates'
posteriors taken as independent, the integral by fixed quantiles), so exploration fades as the posterior
narrows; `floor` bounds the importance weights of off-policy evaluation by n / (exploration * floor).
The probabilities are whole multiples of 1e-6, computed and not simulated: the logged propensity is the
one that was drawn from.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import msgspec

from assist.learning.decision import Choice, LearningError, Scored, check, draw

_PARTS = 1_000_000
_QUANTILES = tuple(NormalDist().inv_cdf((at + 0.5) / 33) for at in range(33))
ALWAYS = ""
"""The name of the weight that every context has."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """What is set by hand.  `exploration` is the most that chance may take from the greedy candidate;
    `margin`, `prior_sd` and `noise_sd` are on the scale of rewards.  Raises LearningError out of range."""

    exploration: float = 0.1
    floor: float = 0.2
    margin: float = 0.15
    prior_sd: float = 0.15
    noise_sd: float = 0.35

    def __post_init__(self) -> None:
        ranges = {
            "exploration": (0.0, 0.5),
            "floor": (0.0, 1.0),
            "margin": (0.0, 1.0),
            "prior_sd": (1e-3, 10.0),
            "noise_sd": (1e-3, 10.0),
        }
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise LearningError(f"{name} is {getattr(self, name)}; {low} to {high} is expected")


class Block(msgspec.Struct, frozen=True):
    """The posterior of one group's weights: names, means, covariance row by row."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    covariance: tuple[float, ...]


class Distribution(msgspec.Struct, frozen=True):
    """The probability of every key; the key with the best expectation; all keys as the priors order them, the
    keys that are not fixed as the expectations order them, and the fixed keys."""

    probabilities: dict[str, float]
    greedy: str
    prior_order: tuple[str, ...]
    learned_order: tuple[str, ...]
    fixed: frozenset[str]

    def ranked(self, chosen: str) -> tuple[str, ...]:
        """All keys, the chosen one before the others that are not fixed; fixed ones keep their place."""
        free = iter([chosen, *(key for key in self.learned_order if key != chosen)])
        if chosen in self.fixed:
            free = iter(self.learned_order)
        return tuple(key if key in self.fixed else next(free) for key in self.prior_order)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the ranker: a value.  `version` is the hash of all the rest."""

    version: str
    parameters: Parameters
    observations: int
    blocks: dict[str, Block]

    @classmethod
    def of(cls, parameters: Parameters, observations: int, blocks: dict[str, Block]) -> Policy:
        """The policy with this content, under the version that the content gives."""
        version = content_version(parameters, observations, blocks)
        return cls(version=version, parameters=parameters, observations=observations, blocks=blocks)

    @classmethod
    def initial(cls, parameters: Parameters | None = None) -> Policy:
        """The policy that knows nothing but the priors."""
        return cls.of(parameters or Parameters(), 0, {})

    def expected(self, candidate: Scored, context: Mapping[str, float]) -> tuple[float, float]:
        """The posterior mean and standard deviation of the candidate's expected reward."""
        return self._beliefs([candidate], context)[candidate.key]

    def distribution(self, candidates: Sequence[Scored], context: Mapping[str, float]) -> Distribution:
        """What choose() draws from.  Raises LearningError as `decision.check` does."""
        check(candidates, context)
        ordered = sorted(candidates, key=lambda one: (-one.prior, not one.fixed, one.key))
        order = tuple(one.key for one in ordered)
        fixed = frozenset(one.key for one in ordered if one.fixed)
        probabilities = dict.fromkeys(order, 0.0)
        free = [one for one in ordered if not one.fixed]
        near = [one for one in free if one.prior >= free[0].prior - self.parameters.margin]
        beliefs = self._beliefs(near, context)
        near.sort(key=lambda one: (-beliefs[one.key][0], -one.prior, one.key))
        learned = tuple(one.key for one in near + free[len(near) :])
        if ordered[0].fixed:
            greedy = order[0]
            probabilities[greedy] = 1.0
        else:
            greedy = learned[0]
            probabilities.update(self._mixed([one.key for one in near], beliefs))
        return Distribution(probabilities, greedy, order, learned, fixed)

    def choose(self, candidates: Sequence[Scored], context: Mapping[str, float], rng_seed: int) -> Choice:
        """Draw one candidate; the same candidates, context and seed give the same choice.

        The seed comes from `decision.seed_of(call_id, seq)`.  Raises LearningError as `decision.check`.
        """
        possible = self.distribution(candidates, context)
        key = draw(possible.probabilities, rng_seed)
        return Choice(
            key=key,
            propensity=possible.probabilities[key],
            policy_version=self.version,
            probabilities=possible.probabilities,
            ranked=possible.ranked(key),
            greedy=possible.greedy,
        )

    def _mixed(self, keys: list[str], beliefs: Mapping[str, tuple[float, float]]) -> dict[str, float]:
        # keys: greedy first
        exploration = self.parameters.exploration if self.observations else 0.0
        if len(keys) == 1 or exploration == 0.0:
            return {keys[0]: 1.0}
        floor = self.parameters.floor
        matching = _matching([beliefs[key] for key in keys])
        parts = [int(_PARTS * exploration * ((1 - floor) * one + floor / len(keys))) for one in matching]
        parts[0] = _PARTS - sum(parts[1:])
        return {key: part / _PARTS for key, part in zip(keys, parts, strict=True)}

    def _beliefs(
        self, candidates: Sequence[Scored], context: Mapping[str, float]
    ) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation by key; candidates share most groups, each is computed once."""
        design = design_of(context)
        known: dict[str, tuple[float, float]] = {}
        beliefs = {}
        for candidate in candidates:
            mean, variance = candidate.prior, 0.0
            for group, scale in groups_of(candidate):
                if group not in known:
                    known[group] = self._group(group, design)
                gain, spread = known[group]
                mean += scale * gain
                variance += scale * scale * spread
            beliefs[candidate.key] = mean, math.sqrt(variance)
        return beliefs

    def _group(self, group: str, design: Mapping[str, float]) -> tuple[float, float]:
        """Mean and variance of a group's contribution, for scale 1."""
        block = self.blocks.get(group)
        unseen = self.parameters.prior_sd**2
        if block is None:
            return 0.0, unseen * sum(value * value for value in design.values())
        place = {name: at for at, name in enumerate(block.names) if name in design}
        known = [(at, design[name]) for name, at in place.items()]
        new = sum(value * value for name, value in design.items() if name not in place)
        mean = sum(block.mean[at] * value for at, value in known)
        size = len(block.names)
        spread = sum(
            value * sum(block.covariance[row * size + column] * other for column, other in known)
            for row, value in known
        )
        return mean, max(0.0, spread) + unseen * new


def groups_of(candidate: Scored) -> list[tuple[str, float]]:
    """The groups of weights that speak about a candidate, each with its scale."""
    features = [(f"feature:{name}", value) for name, value in sorted(candidate.features.items()) if value]
    return [(f"kind:{candidate.kind}", 1.0), *features, (f"arm:{candidate.key}", 1.0)]


def design_of(context: Mapping[str, float]) -> dict[str, float]:
    """The inputs that a group's weights meet: 1 for always, then the context's features that are not 0."""
    return {ALWAYS: 1.0, **{name: value for name, value in sorted(context.items()) if value}}


def content_version(parameters: Parameters, observations: int, blocks: Mapping[str, Block]) -> str:
    """The version that this content has: a hash that is the same on every machine."""
    content = msgspec.json.encode((parameters, observations, blocks), order="deterministic")
    return "ranker-" + hashlib.blake2b(content, digest_size=8).hexdigest()


def _matching(beliefs: Sequence[tuple[float, float]]) -> list[float]:
    """For each of independent normals (mean, sd): the probability that it is the largest."""
    raw = []
    for at, (mean, sd) in enumerate(beliefs):
        others = [belief for other, belief in enumerate(beliefs) if other != at]
        raw.append(math.fsum(_all_below(mean + sd * quantile, others) for quantile in _QUANTILES))
    total = math.fsum(raw)
    return [one / total for one in raw] if total > 0 else [1.0 / len(raw)] * len(raw)


def _all_below(value: float, beliefs: Sequence[tuple[float, float]]) -> float:
    probability = 1.0
    for mean, sd in beliefs:
        probability *= 0.5 * (1.0 + math.erf((value - mean) / (max(sd, 1e-9) * math.sqrt(2.0))))
    return probability
