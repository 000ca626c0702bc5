"""The classifier proper: two learners, mixed, calibrated, and a threshold for what fits no label.

Everything that must be chosen (how much the network counts, how sharp each learner's scores are,
below which confidence a line is out of scope) is chosen on predictions for lines that the learner
did not see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bot.dialogue.components.features import Vector
from bot.dialogue.components.learning import Floats, Linear, Network, fit_linear, fit_network, softmax

OUT_OF_SCOPE: Final = ("oos", "out_of_scope")
"""Labels that mean: none of the others."""
OUT_OF_SCOPE_SHARE: Final = 0.03
"""What out-of-scope lines count for when the threshold is chosen.  Of real lines 12 % fit no label,
but training shows few of them, and to refuse a line that was meant is the worse mistake."""
_SHARES: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
_SHARPNESS: Final = np.geomspace(0.3, 8, 24)


@dataclass(frozen=True)
class Options:
    """What config.yml may set (see ActClassifier.get_default_config)."""

    freedom: float = 50.0
    iterations: int = 60
    units: int = 128
    epochs: int = 8
    copies: int = 5
    network_from: int = 12_000
    linear_to: int = 1_000_000
    seed: int = 0


@dataclass(frozen=True)
class ActModel:
    """`share` is how much the network counts; `sharpness` multiplies each learner's scores."""

    labels: tuple[str, ...]
    linear: Linear | None
    network: Network | None
    sharpness: tuple[float, float]
    share: float
    threshold: float | None

    def probabilities(self, vector: Vector) -> NDArray[np.float64]:
        """One probability for each label; they sum to 1."""
        linear = None if self.linear is None else self.linear.scores(vector.indices, vector.values)
        network = None if self.network is None else self.network.scores(vector.indices, vector.values)
        return mix(linear, network, self.sharpness, self.share)

    def decide(self, chances: NDArray[np.float64]) -> int:
        """The label's number: the likeliest, or out of scope where none is likely enough."""
        return int(decisions(chances[None], self.labels, self.threshold)[0])

    def save(self, folder: Path) -> None:
        """Into `folder`: model.json and model.npz, no pickle."""
        stored = {
            "labels": self.labels,
            "sharpness": self.sharpness,
            "share": self.share,
            "threshold": self.threshold,
        }
        (folder / "model.json").write_text(json.dumps(stored, ensure_ascii=False), encoding="utf-8")
        arrays: dict[str, Floats] = {}
        if self.linear is not None:
            arrays |= {"weights": self.linear.weights, "bias": self.linear.bias}
        if self.network is not None:
            arrays |= {
                "embedding": self.network.embedding,
                "shift": self.network.shift,
                "out": self.network.out,
                "out_bias": self.network.bias,
            }
        halved: dict[str, Any] = {name: array.astype(np.float16) for name, array in arrays.items()}
        np.savez(folder / "model.npz", **halved)

    @classmethod
    def load(cls, folder: Path) -> ActModel:
        """What `save` stored."""
        stored = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        with np.load(folder / "model.npz", allow_pickle=False) as opened:
            arrays = {name: opened[name].astype(np.float32) for name in opened.files}
        linear = Linear(arrays["weights"], arrays["bias"]) if "weights" in arrays else None
        network = None
        if "embedding" in arrays:
            network = Network(arrays["embedding"], arrays["shift"], arrays["out"], arrays["out_bias"])
        return cls(
            tuple(stored["labels"]),
            linear,
            network,
            (stored["sharpness"][0], stored["sharpness"][1]),
            stored["share"],
            stored["threshold"],
        )


def mix(
    linear: NDArray[Any] | None, network: NDArray[Any] | None, sharpness: tuple[float, float], share: float
) -> NDArray[np.float64]:
    """Probabilities of the learners that there are, averaged.  Raises ValueError for none."""
    chances: NDArray[np.float64]
    if network is None:
        if linear is None:
            raise ValueError("a model needs at least one learner")
        chances = softmax(linear.astype(np.float64) * sharpness[0])
        return chances
    chances = softmax(network.astype(np.float64) * sharpness[1])
    if linear is not None:
        chances = share * chances + (1 - share) * softmax(linear.astype(np.float64) * sharpness[0])
    return chances


def decisions(
    chances: NDArray[np.float64], labels: Sequence[str], threshold: float | None
) -> NDArray[np.int64]:
    """For each line the number of its label; below `threshold` that of out of scope."""
    best: NDArray[np.int64] = chances.argmax(axis=1)
    outside = out_of_scope(labels)
    if threshold is None or outside is None:
        return best
    within = chances.copy()
    within[:, outside] = 0
    return np.where(within.max(axis=1) < threshold, outside, within.argmax(axis=1))


def out_of_scope(labels: Sequence[str]) -> int | None:
    """The number of the label that means none of the others, None where there is none."""
    return next((at for at, label in enumerate(labels) if label in OUT_OF_SCOPE), None)


@dataclass(frozen=True)
class Fitted:
    """A model and what it said of lines it had not seen: rows of `unseen` are line numbers,
    `chances` their probabilities, `surprise` the mean negative log-likelihood of the truth."""

    model: ActModel
    surprise: float
    unseen: NDArray[np.int64]
    chances: NDArray[np.float64]


def folds(groups: NDArray[np.int64], seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(train, held out) line numbers; lines of one group stay together.  Five folds for few
    lines, three for more."""
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    total = 5 if len(groups) < 1500 else 3
    for part in range(total):
        held = np.isin(groups, names[part::total])
        yield np.flatnonzero(~held), np.flatnonzero(held)


def fit(
    lines: csr_matrix,
    targets: Floats,
    labels: Sequence[str],
    options: Options,
    *,
    importance: Floats | None = None,
    groups: NDArray[np.int64] | None = None,
) -> Fitted:
    """Train on `lines` with soft `targets` (lines, labels); `groups` names the original line of
    each variant.  Raises ValueError where there are fewer than two labels."""
    if len(labels) < 2:
        raise ValueError(f"the classifier needs at least two labels, the training data has {list(labels)}")
    importance = np.ones(len(targets), np.float32) if importance is None else importance
    groups = np.arange(len(targets)) if groups is None else groups
    unseen, linear_scores, network_scores = [], [], []
    for kept, held in folds(groups, options.seed):
        linear, network = _learn(lines[kept], targets[kept], importance[kept], options, len(targets))
        unseen.append(held)
        if linear is not None:
            linear_scores.append(linear.matrix_scores(lines[held]))
        if network is not None:
            network_scores.append(network.matrix_scores(lines[held]))
    held = np.concatenate(unseen)
    scores = np.concatenate(linear_scores) if linear_scores else None
    other = np.concatenate(network_scores) if network_scores else None
    sharpness, share = _calibrate(scores, other, targets[held], importance[held])
    chances = mix(scores, other, sharpness, share)
    threshold = choose_threshold(chances, targets[held].argmax(axis=1), labels)
    linear, network = _learn(lines, targets, importance, options, len(targets), share)
    surprise = _surprise(chances, targets[held], importance[held])
    model = ActModel(tuple(labels), linear, network, sharpness, share, threshold)
    return Fitted(model, surprise, held, chances)


def _learn(
    lines: csr_matrix,
    targets: Floats,
    importance: Floats,
    options: Options,
    count: int,
    share: float | None = None,
) -> tuple[Linear | None, Network | None]:
    """The learners for a data set of `count` lines.  `share` is None while it is being chosen: then
    two copies of the network must do; a learner that turned out to have no share is left out."""
    linear, network = None, None
    with_network = count >= options.network_from and share != 0
    if (count * targets.shape[1] <= options.linear_to or not with_network) and share != 1:
        linear = fit_linear(
            lines, targets, importance, freedom=options.freedom, iterations=options.iterations
        )
    if with_network:
        network = fit_network(
            *(lines, targets, importance),
            units=options.units,
            epochs=options.epochs,
            copies=options.copies if share is not None else min(options.copies, 2),
            seed=options.seed,
        )
    return linear, network


def _surprise(chances: NDArray[np.float64], targets: Floats, importance: Floats) -> float:
    """Mean negative log-likelihood."""
    each = -(targets * np.log(chances + 1e-9)).sum(axis=1) * importance
    return float(each.sum() / importance.sum())


def _calibrate(
    linear: Floats | None, network: Floats | None, targets: Floats, importance: Floats
) -> tuple[tuple[float, float], float]:
    """The sharpness of each learner (temperature scaling, Guo et al. 2017) and the network's share."""

    def sharpest(scores: Floats | None) -> float:
        if scores is None:
            return 1.0
        tried = [_surprise(softmax(scores.astype(np.float64) * by), targets, importance) for by in _SHARPNESS]
        return float(_SHARPNESS[int(np.argmin(tried))])

    sharpness = sharpest(linear), sharpest(network)
    if network is None or linear is None:
        return sharpness, float(linear is None)
    tried = [_surprise(mix(linear, network, sharpness, share), targets, importance) for share in _SHARES]
    return sharpness, _SHARES[int(np.argmin(tried))]


def choose_threshold(
    chances: NDArray[np.float64], truth: NDArray[np.int64], labels: Sequence[str]
) -> float | None:
    """The threshold that is right most often, were out-of-scope lines OUT_OF_SCOPE_SHARE of all.

    None where no label means out of scope, or no held-out line has it.
    """
    outside = out_of_scope(labels)
    if outside is None or not (truth == outside).any() or (truth == outside).all():
        return None
    beyond = truth == outside
    within = chances.copy()
    within[:, outside] = 0
    top, right = within.max(axis=1), within.argmax(axis=1) == truth
    best, best_value = 0.0, -1.0
    for threshold in np.linspace(0, 0.95, 191):
        accuracy = float((right & (top >= threshold))[~beyond].mean())
        recall = float((top < threshold)[beyond].mean())
        value = (1 - OUT_OF_SCOPE_SHARE) * accuracy + OUT_OF_SCOPE_SHARE * recall
        if value > best_value:
            best, best_value = float(threshold), value
    return best
