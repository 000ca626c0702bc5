"""The learners, the calibration and the gate, on data whose answer is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from bot.dialogue.components.act_model import ActModel, Options, choose_threshold, decisions, fit, folds
from bot.dialogue.components.features import FeatureSpace, Vector, analyse
from bot.dialogue.components.learning import fit_linear, fit_network, softmax
from bot.dialogue.components.two_acts import MOST_CLAUSES, clauses, fit_gate


def blobs(count: int, labels: int = 3) -> tuple[csr_matrix, np.ndarray, np.ndarray]:
    """Lines whose label is the feature that stands out."""
    draw = np.random.default_rng(1)
    truth = draw.integers(0, labels, count)
    lines = draw.random((count, 8)).astype(np.float32)
    lines[np.arange(count), truth] += 1
    return csr_matrix(lines), np.eye(labels, dtype=np.float32)[truth], truth


def test_softmax_regression_finds_the_optimum_that_scikit_learn_finds() -> None:
    from sklearn.linear_model import LogisticRegression

    lines, targets, truth = blobs(300)
    found = fit_linear(lines, targets, np.ones(300, np.float32), freedom=1, iterations=500)
    known = LogisticRegression(C=1, max_iter=1000, tol=1e-6).fit(lines, truth)
    assert softmax(found.matrix_scores(lines)) == pytest.approx(known.predict_proba(lines), abs=0.02)


def test_the_network_learns_and_is_the_same_for_the_same_seed() -> None:
    lines, targets, truth = blobs(400)
    importance = np.ones(400, np.float32)
    first, again = (fit_network(lines, targets, importance, units=16, epochs=12, seed=5) for _ in range(2))
    assert (first.matrix_scores(lines).argmax(axis=1) == truth).mean() > 0.9
    assert (first.matrix_scores(lines) == again.matrix_scores(lines)).all()


@pytest.mark.parametrize("network_from", [10, 10_000])
def test_a_stored_model_says_what_it_said(tmp_path, network_from: int) -> None:  # type: ignore[no-untyped-def]
    lines, targets, _ = blobs(200)
    model = fit(lines, targets, ["a", "b", "c"], Options(network_from=network_from, epochs=3)).model
    model.save(tmp_path)
    line = Vector(np.arange(8, dtype=np.int32), lines[0].toarray()[0])
    assert ActModel.load(tmp_path).probabilities(line) == pytest.approx(model.probabilities(line), abs=5e-3)
    assert model.probabilities(line).sum() == pytest.approx(1)


def test_one_label_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two labels"):
        fit(csr_matrix((2, 2), dtype=np.float32), np.ones((2, 1), np.float32), ["a"], Options())


def test_variants_of_one_line_are_never_on_both_sides_of_a_fold() -> None:
    groups = np.repeat(np.arange(30), 3)
    for kept, held in folds(groups, 0):
        assert not set(groups[kept]) & set(groups[held])
        assert sorted([*kept, *held]) == list(range(90))


def test_the_threshold_parts_sure_lines_from_strange_ones() -> None:
    chances = np.array([[0.9, 0.05, 0.05]] * 50 + [[0.4, 0.35, 0.25]] * 10)
    truth = np.array([0] * 50 + [2] * 10)
    labels = ["a", "b", "oos"]
    threshold = choose_threshold(chances, truth, labels)
    assert threshold is not None and 0.4 < threshold <= 0.9
    assert (decisions(chances, labels, threshold) == truth).all()
    assert choose_threshold(chances, truth, ["a", "b", "c"]) is None


def test_the_gate_opens_for_two_and_stays_shut_for_one() -> None:
    draw = np.random.default_rng(2)
    two = np.arange(100) % 4 == 0
    evidence = np.where(two, 2.0, -2.0)[:, None] + draw.standard_normal((100, 1)) * 0.3
    gate = fit_gate(evidence, two)
    assert gate is not None
    assert gate.chance([2.0]) >= gate.threshold > gate.chance([-2.0])
    assert fit_gate(evidence[:4], two[:4]) is None


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("好的,不过多少钱", ["好的", "不过多少钱"]),
        ("好的不过多少钱", ["好的", "不过多少钱"]),
        ("对 你是谁", ["对", "你是谁"]),
        ("ok but how much", ["ok", "but how much"]),
        ("多少钱", []),
        ("", []),
    ],
)
def test_clauses(line: str, parts: list[str]) -> None:
    assert [line[start:end].strip() for start, end in clauses(line)] == parts


@given(st.text(alphabet="好,。 不过but a", max_size=60))
def test_clauses_are_in_order_apart_and_few(line: str) -> None:
    spans = clauses(line)
    assert len(spans) <= MOST_CLAUSES
    assert all(start < end for start, end in spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))


SPACE = FeatureSpace.fit(
    [analyse("彩铃多少钱", ["彩铃", "多少", "钱"]), analyse("how much", ["how", "much"])],
    {"characters": 0.7, "words": 0.3, "pinyin": 0.4, "letters": 0.5},
    hanzi_size=16,
    hanzi_weight=0.5,
    rare_from=100,
)


@given(st.text(max_size=40))
@settings(max_examples=60)
def test_any_line_has_finite_features_of_bounded_length(text: str) -> None:
    vector = SPACE.vector(analyse(text, text.split()))
    assert len(vector.indices) == len(vector.values) == len(set(vector.indices.tolist()))
    assert np.isfinite(vector.values).all()
    assert (vector.indices >= 0).all() and (vector.indices < SPACE.columns).all()
    assert np.linalg.norm(vector.values) <= np.sqrt(0.7**2 + 0.3**2 + 0.4**2 + 0.5**2 + 0.5**2) + 1e-3


def test_like_characters_are_near_without_ever_being_trained_together() -> None:
    from bot.dialogue.components.hanzi import character_vectors

    known, vectors = character_vectors(64)
    at = {char: number for number, char in enumerate(known)}

    def alike(one: str, other: str) -> float:
        return float(vectors[at[one]] @ vectors[at[other]])

    assert alike("钱", "费") > alike("钱", "歌") and alike("歌", "唱") > alike("歌", "费")
