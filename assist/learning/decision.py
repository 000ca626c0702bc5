"""One decision of the ranker: what could be shown, what was drawn, and with which probability.

`Decision` is the line of the log that learning, off-policy evaluation and replay read; its parts are
what `policy.Policy.choose` takes and gives.  Priors and rewards are expected rewards on the scale of
`reward.py`, [0, 1].  A draw depends on nothing but its seed, and the seed on nothing but the call and
the sequence number, so a logged decision can be made again exactly.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence

import msgspec

NOTHING = "nothing"
"""The key of the candidate that shows no card."""


class LearningError(ValueError):
    """Input that the ranker cannot use; the message says what, where and what is right."""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate.  `prior` is the reward expected of it before any learning, on the scale of reward.py.

    `features` say what it is like (`{"technique=anchor": 1.0}`); the model learns how each of them does
    in a context, across candidates.  `fixed`: learning and chance leave it where its prior puts it
    (what compliance demands).
    """

    key: str
    kind: str
    prior: float
    features: dict[str, float] = {}
    fixed: bool = False


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What was drawn.  `propensity` is `probabilities[key]`; `ranked` holds every key, the drawn one
    first where no fixed candidate stands before it."""

    key: str
    propensity: float
    policy_version: str
    probabilities: dict[str, float]
    ranked: tuple[str, ...]
    greedy: str

    @property
    def explored(self) -> bool:
        """Whether chance, not the best expectation, chose."""
        return self.key != self.greedy


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A choice with all that it was made from.  `reward` is None until it is known."""

    call_id: str
    seq: int
    candidates: tuple[Scored, ...]
    context: dict[str, float]
    choice: Choice
    reward: float | None = None

    def chosen(self) -> Scored:
        """The candidate that was drawn.  Raises LearningError where the log names one that was none."""
        for candidate in self.candidates:
            if candidate.key == self.choice.key:
                return candidate
        raise LearningError(
            f"decision {self.call_id}:{self.seq}: the chosen key {self.choice.key!r} is not a candidate; "
            "log the candidates that were given to choose()"
        )


def seed_of(call_id: str, seq: int) -> int:
    """The seed of a decision: 64 bits that are the same on every machine and in every run."""
    return int.from_bytes(hashlib.blake2b(f"{call_id}\x1f{seq}".encode(), digest_size=8).digest(), "big")


def uniform(seed: int) -> float:
    """A number in [0, 1) that any change of the seed changes wholly."""
    digest = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2.0**53


def draw(probabilities: Mapping[str, float], seed: int) -> str:
    """The key that the seed draws; the order in which the keys stand does not matter."""
    at = uniform(seed)
    above = 0.0
    possible = sorted(key for key, probability in probabilities.items() if probability > 0)
    for key in possible:
        above += probabilities[key]
        if at < above:
            return key
    return possible[-1]  # the sum of the probabilities fell short of 1 by rounding


def check(candidates: Sequence[Scored], context: Mapping[str, float]) -> None:
    """Raises LearningError for no candidates, a key given twice, or a number that is not finite."""
    if not candidates:
        raise LearningError(f"no candidates: give at least the one with key {NOTHING!r}")
    seen: set[str] = set()
    for candidate in candidates:
        if candidate.key in seen:
            raise LearningError(f"candidate {candidate.key!r} is given twice; keys must differ")
        seen.add(candidate.key)
        _check_finite(f"candidate {candidate.key!r}: prior", candidate.prior)
        for name, value in candidate.features.items():
            _check_finite(f"candidate {candidate.key!r}: feature {name!r}", value)
    for name, value in context.items():
        _check_finite(f"context {name!r}", value)


def _check_finite(what: str, value: float) -> None:
    if not math.isfinite(value):
        raise LearningError(f"{what} is {value}; a finite number is expected")
