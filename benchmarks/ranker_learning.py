"""Does the ranker of live assist learn which rebuttal serves whom: `python -m benchmarks.ranker_learning`.

A simulation whose truth is known (benchmarks/_rebuttal_world.py); a call has one decision.

1. Regret against an oracle (reward lost a decision, summed), of the ranker and of three baselines: uniform
   random, the fixed prior order, and epsilon-greedy without context (means by technique, same exploration).
2. Off-policy: a log of one learned policy estimates another one; how often the 95 % interval of each
   estimate holds the truth.  And the log is replayed: same seeds, same choices.

Figures are means over seeds with 95 % intervals; the last line is one JSON object.
"""

from __future__ import annotations

import argparse
import itertools
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from assist.learning import off_policy
from assist.learning.decision import Choice, Decision, draw, seed_of
from assist.learning.off_policy import Estimate
from assist.learning.policy import Parameters, Policy
from assist.learning.update import learn
from benchmarks._rebuttal_world import (
    ACCEPTED,
    CANDIDATES,
    COLUMNS,
    CONTEXTS,
    FEATURES,
    REACTIONS,
    Chooser,
    PriorOrder,
    Uniform,
    WithoutContext,
    World,
    reward_for,
)
from benchmarks._report import finish, machine

Matrix = NDArray[np.float64]

BATCH = 50
"""Decisions between two versions of a policy."""
CHECKPOINTS = (250, 500, 1000, 2000, 3000)
LOG_LENGTHS = (300, 3000)


class Ranker:
    """assist.learning as live assist runs it, with a new version after each batch; keeps its log."""

    def __init__(self, policy: Policy, *, learns: bool = True) -> None:
        self.log: list[Decision] = []
        self._learns = learns
        self._waiting: tuple[str, Choice] | None = None
        self._since = 0
        self._take(policy)

    def _take(self, policy: Policy) -> None:
        self.policy = policy
        self.possible = [
            policy.distribution(*given) for given in zip(CANDIDATES, FEATURES, strict=True)
        ]  # what Policy.choose would compute at each decision

    def choose(self, context: int, call_id: str) -> int:
        possible = self.possible[context]
        key = draw(possible.probabilities, seed_of(call_id, 1))
        choice = Choice(
            key=key,
            propensity=possible.probabilities[key],
            policy_version=self.policy.version,
            probabilities=possible.probabilities,
            ranked=possible.ranked(key),
            greedy=possible.greedy,
        )
        self._waiting = (call_id, choice)
        return COLUMNS.index(key.rpartition("/")[2])

    def hear(self, context: int, column: int, reward: float) -> None:
        assert self._waiting is not None
        call_id, choice = self._waiting
        self.log.append(
            Decision(
                call_id=call_id,
                seq=1,
                candidates=CANDIDATES[context],
                context=FEATURES[context],
                choice=choice,
                reward=reward,
            )
        )
        if self._learns and len(self.log) - self._since == BATCH:
            self._take(learn(self.policy, self.log[self._since :]))
            self._since = len(self.log)

    def table(self) -> Matrix:
        """Probabilities, contexts by COLUMNS."""
        return np.array(
            [
                [possible.probabilities[one.key] for one in given]
                for possible, given in zip(self.possible, CANDIDATES, strict=True)
            ]
        )


def run(world: World, chooser: Chooser, rounds: int, seed: int, name: str) -> Matrix:
    """The summed regret after each decision.  The customers who come are the same for every chooser."""
    customers = np.random.default_rng([seed, 1]).integers(0, len(CONTEXTS), rounds)
    random = np.random.default_rng([seed, 2])
    lost = np.zeros(rounds)
    for at, context in enumerate(customers.tolist()):
        column = chooser.choose(context, f"{name}-{seed}-{at}")
        chooser.hear(context, column, world.reward(context, column, random))
        lost[at] = world.expected[context].max() - world.expected[context, column]
    return np.cumsum(lost)


def interval(values: Matrix) -> tuple[float, float]:
    """Mean and half width of its 95 % interval over the first axis."""
    return float(values.mean()), float(1.96 * values.std(ddof=1) / np.sqrt(len(values)))


def plot(curves: dict[str, Matrix], width: int = 60, height: int = 14) -> str:
    """Mean summed regret over decisions as text; the letter is the chooser's first."""
    top = max(float(curve.mean(axis=0)[-1]) for curve in curves.values())
    grid = [[" "] * width for _ in range(height)]
    for name, curve in curves.items():
        mean = curve.mean(axis=0)
        for x in range(width):
            y = mean[int((x + 1) / width * len(mean)) - 1] / top
            grid[height - 1 - min(height - 1, int(y * (height - 1) + 0.5))][x] = name[0]
    lines = [f"{top if row == 0 else 0:7.0f} |{''.join(line)}" if row in (0, height - 1) else
             f"{'':7} |{''.join(line)}" for row, line in enumerate(grid)]  # fmt: skip
    return "\n".join([*lines, f"{'':8}+{'-' * width} {len(mean)} decisions"])


def learning(seeds: int, rounds: int, parameters: Parameters) -> dict[str, object]:
    """Part 1."""
    curves: dict[str, list[Matrix]] = {}
    found, later = [], []
    for seed in range(seeds):
        world = World(seed)
        ranker = Ranker(Policy.initial(parameters))
        choosers: dict[str, Chooser] = {
            "ranker": ranker,
            "uniform": Uniform(seed),
            "prior order": PriorOrder(seed),
            "no context": WithoutContext(seed, parameters.exploration),
        }
        for name, chooser in choosers.items():
            curves.setdefault(name, []).append(run(world, chooser, rounds, seed, name))
        greedy = ranker.table().argmax(axis=1)
        found.append(np.mean(greedy == world.expected.argmax(axis=1)))
        mine, best = (ranker.table() * world.expected).sum(axis=1), world.expected.max(axis=1)
        fixed = world.expected[:, 0]
        later.append((mine - fixed).sum() / (best - fixed).sum())
    stacked = {name: np.array(each) for name, each in curves.items()}
    print(f"\nsummed regret, mean of {seeds} seeds (reward lost against the oracle)")
    print(plot(stacked))
    marks = [mark for mark in CHECKPOINTS if mark <= rounds]
    print(f"{'decisions':>14}" + "".join(f"{mark:>16}" for mark in marks))
    figures: dict[str, object] = {}
    for name, curve in stacked.items():
        cells = [interval(curve[:, mark - 1]) for mark in marks]
        print(f"{name:>14}" + "".join(f"{mean:>9.1f} ± {half:<4.1f}" for mean, half in cells))
        figures[name] = {
            str(mark): [round(one, 2) for one in cell] for mark, cell in zip(marks, cells, strict=True)
        }
    mean, half = interval(np.array(found))
    gained, gained_half = interval(np.array(later))
    print(f"contexts whose truly best candidate is the ranker's first: {mean:.3f} ± {half:.3f}")
    print(f"share of the gain from prior order to oracle, last version: {gained:.3f} ± {gained_half:.3f}")
    return {"regret": figures, "best_found": round(mean, 4), "gain_share": round(gained, 4)}


def logs(world: World, logging: Ranker, target: Ranker, decisions: int) -> Iterator[dict[str, Estimate]]:
    """Estimates of the target's worth from one simulated log after another, without end."""
    random = np.random.default_rng([decisions, 3])
    logged, wanted = logging.table(), target.table()
    modelled = np.array(
        [
            [logging.policy.expected(one, features)[0] for one in given]
            for given, features in zip(CANDIDATES, FEATURES, strict=True)
        ]
    )
    cases = itertools.product(range(len(COLUMNS)), range(len(REACTIONS)), (False, True))
    rewards = np.array([reward_for(*case) for case in cases]).reshape(len(COLUMNS), -1, 2)
    weights = np.divide(wanted, logged, out=np.zeros_like(wanted), where=logged > 0)
    chances = np.zeros((len(CONTEXTS), len(COLUMNS), len(REACTIONS)))
    chances[:, :-1], chances[:, -1, -1] = world.chances, 1.0
    while True:
        rows = random.integers(0, len(CONTEXTS), decisions)
        chosen = _drawn(logged[rows], random)
        reactions = _drawn(chances[rows, chosen], random)
        accepted = (random.random(decisions) < np.array(ACCEPTED)[reactions]).astype(np.int64)
        sample = off_policy.Sample(
            rewards[chosen, reactions, accepted],
            weights[rows, chosen],
            (wanted * weights).sum(axis=1)[rows],
            np.arange(decisions),
        )
        by_model = (wanted * modelled).sum(axis=1)[rows]
        yield {
            "ips": off_policy.ips(sample),
            "snips": off_policy.snips(sample),
            "doubly_robust": off_policy.doubly_robust(sample, modelled[rows, chosen], by_model),
        }


def _drawn(probabilities: Matrix, random: np.random.Generator) -> NDArray[np.int64]:
    """For each row of probabilities the column that was drawn."""
    above = np.cumsum(probabilities, axis=1)[:, :-1]
    return np.asarray((random.random(len(above))[:, None] >= above).sum(axis=1), dtype=np.int64)


def estimating(repetitions: int, parameters: Parameters) -> dict[str, object]:
    """Part 2."""
    world = World(10_000)
    logging = Ranker(Policy.initial(parameters))
    run(world, logging, 4 * BATCH, 1, "before")
    target = Ranker(logging.policy)
    run(world, target, 1500, 2, "target")
    worth, truth = [float((one.table() * world.expected).sum(axis=1).mean()) for one in (logging, target)]
    print(f"\noff-policy: the log's policy is worth {worth:.4f}, the target {truth:.4f}; {repetitions} logs")
    print(f"{'':>6}{'':>14}{'interval holds truth':>22}{'mean width':>12}{'bias':>9}")
    coverage: dict[str, dict[str, float]] = {}
    for decisions in LOG_LENGTHS:
        every = list(itertools.islice(logs(world, logging, target, decisions), repetitions))
        for name in every[0]:
            mine = [each[name] for each in every]
            held = float(np.mean([one.low <= truth <= one.high for one in mine]))
            width = float(np.mean([one.high - one.low for one in mine]))
            bias = float(np.mean([one.value for one in mine])) - truth
            print(f"{decisions:>6}{name:>14}{held:>22.3f}{width:>12.4f}{bias:>9.4f}")
            coverage.setdefault(name, {})[str(decisions)] = round(held, 4)
    logger = Ranker(logging.policy, learns=False)
    run(world, logger, LOG_LENGTHS[0], 3, "log")
    again = off_policy.replay(logger.log, logging.policy)
    judged = off_policy.evaluate(logger.log, target.policy, logging.policy).doubly_robust
    print(f"one log as assist keeps it, {LOG_LENGTHS[0]} decisions: replay makes "
          f"{again.replayed - len(again.differences)} of {again.replayed} again; "
          f"DR {judged.value:.3f} ({judged.low:.3f} to {judged.high:.3f})")  # fmt: skip
    return {"coverage": coverage, "replayed": again.replayed, "replay_differences": len(again.differences)}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=20, help="simulations of part 1 (2 or more)")
    parser.add_argument("--rounds", type=int, default=3000, help="decisions in each (50 or more)")
    parser.add_argument("--repetitions", type=int, default=1000, help="logs of part 2 (1 or more)")
    given = parser.parse_args()
    if given.seeds < 2 or given.rounds < BATCH or given.repetitions < 1:
        parser.error(f"--seeds is 2 or more, --rounds {BATCH} or more, --repetitions 1 or more")
    started = time.perf_counter()
    print(machine())
    parameters = Parameters()
    figures = learning(given.seeds, given.rounds, parameters)
    figures |= estimating(given.repetitions, parameters)
    seconds = round(time.perf_counter() - started, 1)
    print(f"took {seconds} s")
    shape = {"seeds": given.seeds, "rounds": given.rounds, "repetitions": given.repetitions}
    finish({"benchmark": "ranker_learning", **shape, **figures, "seconds": seconds})


if __name__ == "__main__":
    main()
