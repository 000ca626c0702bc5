"""The two learners behind the classifier, in numpy: softmax regression and a small network.

Both take a sparse matrix of lines and soft targets (a line with two acts has half of each), and
give scores whose softmax is the probability.  Both are deterministic for a seed.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]


def softmax(scores: NDArray[Any]) -> NDArray[Any]:
    """Probabilities along the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    result: NDArray[Any] = powers / powers.sum(axis=-1, keepdims=True)
    return result


@dataclass(frozen=True)
class Linear:
    """scores = x @ weights + bias; weights of shape (features, labels)."""

    weights: Floats
    bias: Floats

    def scores(self, indices: NDArray[np.int32], values: Floats) -> Floats:
        """Scores of one line given as its non-zero features."""
        return values @ self.weights[indices] + self.bias

    def matrix_scores(self, lines: csr_matrix) -> Floats:
        """Scores of many lines, shape (lines, labels)."""
        result: Floats = lines @ self.weights + self.bias
        return result


@dataclass(frozen=True)
class Network:
    """One hidden layer of rectified units: embedding (features, units), out (units, labels)."""

    embedding: Floats
    shift: Floats
    out: Floats
    bias: Floats

    def scores(self, indices: NDArray[np.int32], values: Floats) -> Floats:
        """Scores of one line given as its non-zero features."""
        hidden = np.maximum(values @ self.embedding[indices] + self.shift, 0)
        result: Floats = hidden @ self.out + self.bias
        return result

    def matrix_scores(self, lines: csr_matrix) -> Floats:
        """Scores of many lines, shape (lines, labels)."""
        result: Floats = np.maximum(lines @ self.embedding + self.shift, 0) @ self.out + self.bias
        return result


def fit_linear(
    lines: csr_matrix, targets: Floats, importance: Floats, *, freedom: float, iterations: int
) -> Linear:
    """Softmax regression by L-BFGS; a larger `freedom` regularises less (scikit-learn's C)."""
    transposed = lines.T.tocsr()
    weighted = targets * importance[:, None]

    def loss(matrix: Floats) -> tuple[float, Floats]:
        scores = lines @ matrix[:-1] + matrix[-1]
        scores -= scores.max(axis=1, keepdims=True)
        powers = np.exp(scores)
        sums = powers.sum(axis=1, keepdims=True)
        value = float((weighted * (np.log(sums) - scores)).sum())
        slope = powers / sums * importance[:, None] - weighted
        gradient = np.empty_like(matrix)
        gradient[:-1] = transposed @ slope
        gradient[:-1] += matrix[:-1] / np.float32(freedom)
        gradient[-1] = slope.sum(axis=0)
        return value + float(np.vdot(matrix[:-1], matrix[:-1])) / (2 * freedom), gradient

    matrix = _minimise(loss, np.zeros((lines.shape[1] + 1, targets.shape[1]), np.float32), iterations)
    return Linear(np.ascontiguousarray(matrix[:-1]), matrix[-1].copy())


def _minimise(loss: Callable[[Floats], tuple[float, Floats]], start: Floats, iterations: int) -> Floats:
    """L-BFGS (Nocedal and Wright, algorithm 7.5) with backtracking, in single precision: several
    times faster here than scipy's, which works in double precision on a copy."""
    at, (value, gradient) = start, loss(start)
    moves: deque[tuple[Floats, Floats, float]] = deque(maxlen=6)
    for _ in range(iterations):
        direction = -gradient
        kept = []
        for move, change, curvature in reversed(moves):
            along = float(np.vdot(move, direction)) / curvature
            direction -= np.float32(along) * change
            kept.append(along)
        if moves:
            _, change, curvature = moves[-1]
            direction *= np.float32(curvature / float(np.vdot(change, change)))
        for (move, change, curvature), along in zip(moves, reversed(kept), strict=True):
            direction += np.float32(along - float(np.vdot(change, direction)) / curvature) * move
        downhill = float(np.vdot(gradient, direction))
        step = 1.0 if moves else 1 / (1e-9 + float(np.linalg.norm(gradient)))
        for _ in range(20):
            there = at + np.float32(step) * direction
            new_value, new_gradient = loss(there)
            if new_value <= value + 1e-4 * step * downhill:
                break
            step /= 2
        else:
            return at  # single precision sees no way further down
        move, change = there - at, new_gradient - gradient
        curvature = float(np.vdot(move, change))
        if curvature > 1e-10:
            moves.append((move, change, curvature))
        improved = value - new_value
        at, value, gradient = there, new_value, new_gradient
        if improved < 1e-5 * max(abs(value), 1):
            break
    return at


class _Adam:
    """Adam (Kingma and Ba 2015) for one small array."""

    def __init__(self, start: Floats) -> None:
        self.value = start
        self._mean = np.zeros_like(start)
        self._square = np.zeros_like(start)

    def step(self, gradient: Floats, rate: float) -> None:
        self._mean = self._mean * 0.9 + 0.1 * gradient
        self._square = self._square * 0.999 + 0.001 * gradient * gradient
        self.value -= rate * self._mean / (np.sqrt(self._square) + 1e-6)


def fit_network(
    lines: csr_matrix,
    targets: Floats,
    importance: Floats,
    *,
    units: int,
    epochs: int,
    seed: int,
    copies: int = 1,
    rate: float = 0.08,
    dropped: float = 0.3,
    smoothing: float = 0.1,
) -> Network:
    """A hidden layer, with dropout of features and units and smoothed targets.

    The embedding learns by AdaGrad with one rate a row, so that a step touches only the features
    of its batch.  `copies` networks from different starts are joined into one that averages their
    scores.
    """
    parts = [
        _fit_one(
            lines,
            targets,
            importance,
            units,
            epochs,
            np.random.default_rng([seed, copy]),
            rate,
            dropped,
            smoothing,
        )
        for copy in range(copies)
    ]
    return Network(
        np.hstack([part.embedding for part in parts]),
        np.concatenate([part.shift for part in parts]),
        np.vstack([part.out for part in parts]) / np.float32(copies),
        np.mean([part.bias for part in parts], axis=0, dtype=np.float32),
    )


def _fit_one(
    lines: csr_matrix,
    targets: Floats,
    importance: Floats,
    units: int,
    epochs: int,
    draw: np.random.Generator,
    rate: float,
    dropped: float,
    smoothing: float,
) -> Network:
    count, features = lines.shape
    labels = targets.shape[1]
    batch = 128 if count >= 4000 else 64
    lines = lines * np.float32(4)  # unit-length lines give too weak a signal for the start values
    embedding = draw.standard_normal((features, units), dtype=np.float32) * np.float32(0.1)
    energy = np.full(features, 1e-6, np.float32)
    out, bias = _Adam(np.zeros((units, labels), np.float32)), _Adam(np.zeros(labels, np.float32))
    shift = _Adam(np.zeros(units, np.float32))
    smooth = targets * (1 - smoothing) + smoothing / labels
    steps, step = epochs * -(-count // batch), 0
    for _ in range(epochs):
        order = draw.permutation(count)
        for start in range(0, count, batch):
            step += 1
            left = 1 - step / (steps + 1)
            small = 0.01 * left * math.sqrt(1 - 0.999**step) / (1 - 0.9**step)
            chosen = order[start : start + batch]
            part, rows = _thinned(lines[chosen], draw, dropped)
            hidden = part @ embedding[rows] + shift.value
            kept = (draw.random(hidden.shape, np.float32) >= dropped) / np.float32(1 - dropped)
            active = np.maximum(hidden, 0) * kept
            slope = softmax(active @ out.value + bias.value) - smooth[chosen]
            slope *= importance[chosen, None] / len(chosen)
            back = (slope @ out.value.T) * kept * (hidden > 0)
            out.step(active.T @ slope, small)
            bias.step(slope.sum(axis=0), small)
            shift.step(back.sum(axis=0), small)
            gradient = part.T @ back
            energy[rows] += np.einsum("ij,ij->i", gradient, gradient) / units
            embedding[rows] -= gradient * (rate * left / np.sqrt(energy[rows]))[:, None].astype(np.float32)
    return Network(embedding * np.float32(4), shift.value, out.value, bias.value)


def _thinned(
    lines: csr_matrix, draw: np.random.Generator, dropped: float
) -> tuple[csr_matrix, NDArray[np.int32]]:
    """`lines` with a share of their features dropped, cut down to the columns that are left, and
    the numbers of those columns."""
    kept = draw.random(lines.data.shape, np.float32) >= dropped
    ends = np.concatenate([[0], np.cumsum(kept)])[lines.indptr]
    data = lines.data[kept] / np.float32(1 - dropped)
    columns, places = np.unique(lines.indices[kept], return_inverse=True)
    return csr_matrix((data, places.astype(np.int32), ends), shape=(lines.shape[0], len(columns))), columns
