"""The simulated customers of benchmarks.ranker_learning, expected rewards known; and the baselines.

Twelve contexts (four customer types x three objections), in each four rebuttals by different techniques and
the candidate that says nothing.  Which technique serves depends on the type, a little on the objection; the
priors are the same for every type and wrong for most.  Reactions and outcomes become rewards by
assist/learning/reward.py.
"""

from __future__ import annotations

import itertools
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from assist.learning.decision import NOTHING, Scored
from assist.learning.reward import reward_of

Matrix = NDArray[np.float64]

TYPES = ("talker", "dominant", "exact", "patient")
OBJECTIONS = ("object_price", "object_distrust", "object_no_need")
CONTEXTS = tuple(itertools.product(TYPES, OBJECTIONS))
PRIORS = {"empathy": 0.62, "anchor": 0.58, "social_proof": 0.55, "authority": 0.52, NOTHING: 0.5}
COLUMNS = tuple(PRIORS)
TECHNIQUES = COLUMNS[:-1]
REACTIONS = (("shown", "spoken"), ("shown", "dismissed"), ("shown",))
ACCEPTED = (0.35, 0.15, 0.15)
"""How often the call ends with an accepted offer, by reaction."""


def candidates(objection: str) -> tuple[Scored, ...]:
    """What can be shown after an objection, in the order of COLUMNS."""
    cards = [
        Scored(
            key=f"{objection}/{technique}",
            kind="rebuttal",
            prior=PRIORS[technique],
            features={f"technique={technique}": 1.0},
        )
        for technique in TECHNIQUES
    ]
    return (*cards, Scored(key=NOTHING, kind=NOTHING, prior=PRIORS[NOTHING]))


CANDIDATES = [candidates(objection) for _, objection in CONTEXTS]
FEATURES = [{f"type={kind}": 1.0, f"objection={objection}": 1.0} for kind, objection in CONTEXTS]


def reward_for(column: int, reaction: int, accepted: bool) -> float:
    """The reward of a column of COLUMNS after a reaction (a place in REACTIONS) and the call's outcome."""
    key = COLUMNS[column]
    reactions = REACTIONS[reaction] if key != NOTHING else ()
    reward = reward_of(key, reactions, disposition="accepted" if accepted else "declined")
    assert reward is not None, "every card of the simulation is shown"
    return reward


class World:
    """The truth of one seed: how likely each reaction is to each candidate in each context."""

    def __init__(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        best = random.permutation(len(TECHNIQUES))  # which technique serves which type
        used = 0.3 + random.normal(0, 0.04, (len(CONTEXTS), len(TECHNIQUES)))
        for row, (kind, _) in enumerate(CONTEXTS):
            used[row, best[TYPES.index(kind)]] += 0.3
        used = np.clip(used, 0.05, 0.95)
        self.chances = np.stack([used, (1 - used) / 2, (1 - used) / 2], axis=2)
        self.expected = np.zeros((len(CONTEXTS), len(COLUMNS)))
        for column, reaction in itertools.product(range(len(COLUMNS)), range(len(REACTIONS))):
            yes = ACCEPTED[reaction]
            mean = yes * reward_for(column, reaction, True) + (1 - yes) * reward_for(column, reaction, False)
            if COLUMNS[column] != NOTHING:
                self.expected[:, column] += self.chances[:, column, reaction] * mean
            elif REACTIONS[reaction] == ("shown",):  # no card: no reaction, the outcome as after none
                self.expected[:, column] = mean

    def reward(self, context: int, column: int, random: np.random.Generator) -> float:
        """The reward of one decision."""
        reaction = len(REACTIONS) - 1
        if COLUMNS[column] != NOTHING:
            reaction = int(np.searchsorted(np.cumsum(self.chances[context, column])[:-1], random.random()))
        return reward_for(column, reaction, bool(random.random() < ACCEPTED[reaction]))


class Chooser(Protocol):
    """A way of ranking: gives a column of COLUMNS, hears the reward."""

    def choose(self, context: int, call_id: str) -> int: ...
    def hear(self, context: int, column: int, reward: float) -> None: ...


class Uniform:
    """Any candidate, equally likely."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def choose(self, context: int, call_id: str) -> int:
        return int(self._random.integers(len(COLUMNS)))

    def hear(self, context: int, column: int, reward: float) -> None:
        """Learns nothing."""


class PriorOrder(Uniform):
    """Always the best prior."""

    def choose(self, context: int, call_id: str) -> int:
        return 0


class WithoutContext(Uniform):
    """Epsilon-greedy on running means; the priors count as one observation each."""

    def __init__(self, seed: int, exploration: float) -> None:
        super().__init__(seed)
        self._exploration = exploration
        self._sums, self._counts = np.array(list(PRIORS.values())), np.ones(len(COLUMNS))

    def choose(self, context: int, call_id: str) -> int:
        if self._random.random() < self._exploration:
            return int(self._random.integers(len(COLUMNS)))
        return int(np.argmax(self._sums / self._counts))

    def hear(self, context: int, column: int, reward: float) -> None:
        self._sums[column] += reward
        self._counts[column] += 1
