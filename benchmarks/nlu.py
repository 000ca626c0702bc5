"""Accuracy and cost of the NLU on labelled lines, beside a plain baseline.

    python -m benchmarks.nlu --train A.jsonl --test B.jsonl --out P.jsonl [--seed N]

Trains the components of config.yml on A and labels B.  The shipped act model (nlu_data/acts) may
serve as features; cross-validation on A decides how much it counts.  The baseline is TF-IDF over
character 1- to 4-grams with a linear SVM; where a label means "none of the others" its threshold
is chosen by cross-validation for the same goal as ours.  Wall times are printed beside times of the
processor, which a busy machine does not stretch.  The last line is one JSON object.
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # one core, before numpy is imported

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import _report

Line = tuple[str, str]
ACT_WEIGHTS = (0.0, 0.3, 0.6, 1.0, 1.5)
MANY_LINES = 3000
"""From so many training lines on, the act model is left out: they speak for themselves."""


class BadInput(ValueError):
    """A file of lines cannot be read; the message names file, line and remedy."""


def read(paths: Sequence[Path]) -> list[Line]:
    """(text, label) of every line of `paths`.  Raises BadInput."""
    lines = []
    for path in paths:
        if not path.is_file():
            raise BadInput(f"{path}: no such file → give JSON lines of text and label")
        for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not raw.strip():
                continue
            try:
                item = json.loads(raw)
                lines.append((item["text"], item["label"]))
            except (ValueError, KeyError, TypeError) as error:
                wanted = '{"text": "…", "label": "…"}'
                raise BadInput(f"{path}:{number}: {error!r} → each line must be {wanted}") from error
    if not lines:
        raise BadInput(f"{', '.join(map(str, paths))}: no lines → give at least two labels")
    return lines


def ours(train: list[Line], test: list[Line], seed: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Predictions of the components of config.yml, and what they cost."""
    from benchmarks._nlu_pipeline import CLASSIFIER, FEATURIZER, Pipeline, act_model, training_data

    acts, weight = None, 0.0
    started = time.perf_counter()
    if len(train) < MANY_LINES:
        acts = act_model()
    act_seconds = time.perf_counter() - started
    started, cpu = time.perf_counter(), time.process_time()

    def trained(folder: str, act_weight: float, **learner: Any) -> Pipeline:
        features = {"act_model": str(acts), "act_weight": act_weight} if act_weight else {"act_model": None}
        changes = {FEATURIZER: features, CLASSIFIER: {"seed": seed, **learner}}
        return Pipeline(training_data(train), Path(folder), changes)

    if acts is not None:
        surprise = {}
        for tried in ACT_WEIGHTS:
            with tempfile.TemporaryDirectory() as folder:
                surprise[tried] = trained(folder, tried, network_from=sys.maxsize).unseen_surprise
        weight = min(surprise, key=lambda tried: surprise[tried])
    with tempfile.TemporaryDirectory() as folder:
        pipeline = trained(folder, weight)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        predictions, spent, busy = [], [], []
        for text, _ in test:
            before, worked = time.perf_counter(), time.thread_time()
            message = pipeline.parse(text)
            spent.append((time.perf_counter() - before) * 1000)
            busy.append((time.thread_time() - worked) * 1000)
            ranking = message.get("intent_ranking")
            top = [[item["name"], round(item["confidence"], 5)] for item in ranking[:5]]
            predictions.append({"label": top[0][0], "confidence": top[0][1], "top": top})
    cost = {
        "train_seconds": round(seconds, 2),
        "train_seconds_of_cpu": round(cpu, 2),
        "act_model_seconds": round(act_seconds, 2),
        "act_weight": weight,
        "ms": _report.percentiles(spent),
        "ms_of_cpu": _report.percentiles(busy),
    }
    return predictions, cost


def baseline(train: list[Line], test: list[Line], seed: int) -> list[str]:
    """Labels by TF-IDF of character 1- to 4-grams and a linear SVM, with a tuned threshold."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import LinearSVC

    from bot.dialogue.components.act_model import choose_threshold, decisions, out_of_scope

    texts, truth = [text for text, _ in train], np.array([label for _, label in train])
    labels = sorted(set(truth))
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True)
    lines = vectorizer.fit_transform(texts)

    def margins(kept: Any, asked: Any) -> NDArray[np.float64]:
        machine = LinearSVC(random_state=seed).fit(lines[kept], truth[kept])
        found = machine.decision_function(asked)
        if found.ndim == 1:
            found = np.stack([-found, found], axis=1)
        table = np.full((found.shape[0], len(labels)), -30.0)
        table[:, [labels.index(name) for name in machine.classes_]] = found
        return 1 / (1 + np.exp(-table))

    threshold = None
    if out_of_scope(labels) is not None:
        unseen = np.zeros((len(truth), len(labels)))
        for kept, held in StratifiedKFold(3, shuffle=True, random_state=seed).split(texts, truth):
            unseen[held] = margins(kept, lines[held])
        threshold = choose_threshold(unseen, np.array([labels.index(name) for name in truth]), labels)
    found = margins(slice(None), vectorizer.transform([text for text, _ in test]))
    return [labels[at] for at in decisions(found, labels, threshold)]


def scores(predicted: Sequence[str], truth: Sequence[str]) -> dict[str, Any]:
    """accuracy with its interval, macro-F1, and for sets with out-of-scope lines both halves."""
    from sklearn.metrics import f1_score

    from bot.dialogue.components.act_model import OUT_OF_SCOPE

    right = np.array(predicted) == np.array(truth)
    figures: dict[str, Any] = {
        "accuracy": round(float(right.mean()), 4),
        "accuracy_interval": _report.interval(lambda rows: float(right[rows].mean()), len(right)),
        "macro_f1": round(float(f1_score(truth, predicted, average="macro", zero_division=0)), 4),
    }
    outside = np.isin(truth, OUT_OF_SCOPE)
    if outside.any() and not outside.all():
        figures["in_scope_accuracy"] = round(float(right[~outside].mean()), 4)
        figures["oos_recall"] = round(float(right[outside].mean()), 4)
    return figures


def errors_removed(ours_right: NDArray[np.bool_], plain_right: NDArray[np.bool_]) -> dict[str, Any]:
    """How many of the baseline's errors are gone, in percent, with a paired bootstrap interval."""

    def share(rows: NDArray[np.int64]) -> float:
        plain = int((~plain_right[rows]).sum())
        return 100 * (plain - int((~ours_right[rows]).sum())) / plain if plain else float("nan")

    everything = np.arange(len(ours_right))
    return {"percent": round(share(everything), 1), "interval": _report.interval(share, len(ours_right))}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.nlu", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--train", type=Path, nargs="+", action="extend", required=True, metavar="JSONL")
    parser.add_argument("--test", type=Path, nargs="+", action="extend", required=True, metavar="JSONL")
    parser.add_argument("--out", type=Path, required=True, metavar="JSONL")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        train, test = read(options.train), read(options.test)
        if len({label for _, label in train}) < 2:
            raise BadInput(f"{options.train[0]}: only one label → give lines of at least two")
    except BadInput as error:
        print(error, file=sys.stderr)
        return 2
    predictions, cost = ours(train, test, options.seed)
    written = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in predictions)
    options.out.write_text(written, encoding="utf-8")
    truth = [label for _, label in test]
    labels = [item["label"] for item in predictions]
    started = time.perf_counter()
    plain = baseline(train, test, options.seed)
    plain_seconds = time.perf_counter() - started
    figures: dict[str, Any] = {
        "benchmark": "nlu",
        "train_lines": len(train),
        "test_lines": len(test),
        "labels": len({label for _, label in train}),
        "seed": options.seed,
        "ours": {**scores(labels, truth), **cost},
        "baseline": {**scores(plain, truth), "seconds": round(plain_seconds, 2)},
    }
    ours_right, plain_right = np.array(labels) == np.array(truth), np.array(plain) == np.array(truth)
    figures["errors_removed"] = errors_removed(ours_right, plain_right)
    outside = np.isin(truth, ("oos", "out_of_scope"))
    if outside.any() and not outside.all():
        figures["errors_removed_in_scope"] = errors_removed(ours_right[~outside], plain_right[~outside])
        figures["errors_removed_oos"] = errors_removed(ours_right[outside], plain_right[outside])
    for name in ("ours", "baseline"):
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in figures[name].items()))
    print(
        f"errors of the baseline removed: {figures['errors_removed']['percent']} % "
        f"(95 % interval {figures['errors_removed']['interval']})"
    )
    print(f"machine: {_report.machine()}; n = {len(test)}")
    _report.finish(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
