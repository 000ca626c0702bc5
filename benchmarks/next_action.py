"""How well the next action is predicted, beside a plain linear baseline.

    python -m benchmarks.next_action --train A.jsonl --test B.jsonl --out P.jsonl
    … --tasks DIR --held-out-task NAME|each     # trains without that task; its flow and replies alone

For each line of B, in order, P has `{"ranked": […10]}` (held out: the lines of those tasks).
Figures need the gold actions of B.  Both figures are printed, with the task's name unknown and
known, each beside the baseline with the same knowledge; P has those with the task where every line
of B names one.  Nothing of one test line is used for another.  Exit 1 for bad input.
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # one core a process, before numpy is imported

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs  # type: ignore[import-untyped]
from numpy.typing import NDArray

from benchmarks import _report
from benchmarks._next_action_baseline import baseline
from benchmarks._next_action_lines import BadInput, read_flows, read_lines
from bot.dialogue.next_action.lines import Flow, Line
from bot.dialogue.next_action.model import fit
from bot.dialogue.next_action.transfer import TransferModel, without

KEPT = 10
AT = (1, 3, 5)
TIMED = 300
Ranked = list[list[str]]


def hits(ranked: Ranked, test: Sequence[Line]) -> NDArray[np.bool_]:
    """Lines x AT: whether the gold action is among the first so many."""
    return np.array([[line.action in row[:at] for at in AT] for row, line in zip(ranked, test, strict=True)])


def recalls(right: NDArray[np.bool_]) -> dict[str, Any]:
    """R@1, R@3, R@5, and the 95 % interval of R@1."""
    found: dict[str, Any] = {f"R@{at}": round(float(right[:, n].mean()), 4) for n, at in enumerate(AT)}
    return {**found, "R@1_interval": _report.interval(lambda rows: float(right[rows, 0].mean()), len(right))}


def errors_removed(ours: NDArray[np.bool_], plain: NDArray[np.bool_]) -> dict[str, Any]:
    """How many of the baseline's errors at rank 1 are gone, in percent, with a paired interval."""

    def share(rows: NDArray[np.int64]) -> float:
        errors = int((~plain[rows, 0]).sum())
        return 100 * (errors - int((~ours[rows, 0]).sum())) / errors if errors else float("nan")

    if plain[:, 0].all():
        return {"percent": None, "interval": None}
    return {"percent": round(share(np.arange(len(ours))), 1), "interval": _report.interval(share, len(ours))}


def plain_run(train: list[Line], test: list[Line]) -> tuple[Ranked, dict[str, Any]]:
    """Rankings of the test lines, and the figures."""
    started, cpu = time.perf_counter(), time.process_time()
    model = fit(train, workers=effective_n_jobs(-1))
    figures: dict[str, Any] = {
        "train_lines": len(train),
        "test_lines": len(test),
        "actions": len(model.actions),
        "train_seconds": round(time.perf_counter() - started, 1),
        "train_seconds_of_cpu_here": round(time.process_time() - cpu, 1),
    }
    spent, busy = [], []
    every = all(line.task for line in test)
    for line in test[:TIMED]:
        before, worked = time.perf_counter(), time.thread_time()
        model.rank(line.history, line.prev_action, line.task)
        spent.append((time.perf_counter() - before) * 1000)
        busy.append((time.thread_time() - worked) * 1000)
    figures["ms"], figures["ms_of_cpu"] = _report.percentiles(spent), _report.percentiles(busy)
    written: Ranked = []
    for name, known in (("task_unknown", False), ("task_known", True)):
        if known and not every:
            continue
        ranked = [[action for action, _ in row] for row in model.rank_lines(test, with_task=known)]
        written = [row[:KEPT] for row in ranked]
        if all(line.action for line in test):
            rival = baseline(train, test, with_task=known)
            ours, plain = hits(ranked, test), hits(rival, test)
            figures[name] = {
                "ours": recalls(ours),
                "baseline": recalls(plain),
                "errors_removed": errors_removed(ours, plain),
            }
    return written, figures


def _held_out(task: str, train: list[Line], test: list[Line], flows: dict[str, Flow]) -> tuple[Ranked, float]:
    """Rankings of one task's lines by a model that saw none of it, and the seconds it took to train."""
    started = time.perf_counter()
    model = TransferModel(without(train, task), flows)
    seconds = time.perf_counter() - started
    ranked = model.rank_lines(test, flows[task])
    return [[action for action, _ in row[:KEPT]] for row in ranked], seconds


def held_out_run(
    names: Sequence[str], train: list[Line], test: list[Line], flows: dict[str, Flow]
) -> tuple[Ranked, dict[str, Any]]:
    """Rankings of the lines of `names`, in the order of B, and the figures."""
    own = {name: [line for line in test if line.task == name] for name in names}
    done: list[tuple[Ranked, float]] = Parallel(effective_n_jobs(-1))(
        delayed(_held_out)(name, train, own[name], flows) for name in names
    )
    waiting = {name: iter(ranked) for name, (ranked, _) in zip(names, done, strict=True)}
    written = [next(waiting[line.task]) for line in test if line.task in waiting]
    figures: dict[str, Any] = {
        "train_lines": len(train),
        "test_lines": len(written),
        "train_seconds": round(sum(seconds for _, seconds in done), 1),
    }
    if all(line.action for lines in own.values() for line in lines):
        tasks = {
            name: recalls(hits(ranked, own[name])) | {"n": len(own[name])}
            for name, (ranked, _) in zip(names, done, strict=True)
        }
        figures["tasks"] = tasks
        for at in AT:
            figures[f"mean_R@{at}"] = round(float(np.mean([found[f"R@{at}"] for found in tasks.values()])), 4)
    return written, figures


def held_out_names(
    asked: Sequence[str], train: list[Line], test: list[Line], flows: dict[str, Flow]
) -> list[str]:
    """The tasks to hold out, each once; `each` means every task of B that has a flow.  Raises BadInput."""
    present = sorted({line.task for line in test if line.task})
    names = sorted(
        {name for one in asked for name in ([t for t in present if t in flows] if one == "each" else [one])}
    )
    for name in names:
        if name not in flows or name not in present:
            where = "--tasks" if name not in flows else "--test"
            raise BadInput(
                f"--held-out-task: unknown task {name!r}, not in {where} → one of {', '.join(present)}"
            )
        if not any(line.task in flows for line in without(train, name)):
            raise BadInput(
                f"--held-out-task: no other task to learn from than {name!r} → give more --train lines"
            )
    if not names:
        raise BadInput("--held-out-task: no task of --test is in --tasks → give flows of these tasks")
    return names


def show(figures: dict[str, Any]) -> None:
    """The figures for people, the machine, and the last line of JSON."""
    for name in ("task_unknown", "task_known"):
        for who, found in figures.get(name, {}).items():
            print(f"{name} {who}: " + ", ".join(f"{key} {value}" for key, value in found.items()))
    for name, found in figures.get("tasks", {}).items():
        print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in found.items()))
    if "mean_R@1" in figures:
        print("mean over tasks: " + ", ".join(f"R@{at} {figures[f'mean_R@{at}']}" for at in AT))
    if "ms" in figures:
        print(f"ms a prediction: {figures['ms']}, of the processor {figures['ms_of_cpu']}")
        print(f"training took {figures['train_seconds']} s")
    print(f"machine: {_report.machine()}; n = {figures['test_lines']}")
    _report.finish({"benchmark": "next_action", **figures})


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 1 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.next_action", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--train", type=Path, nargs="+", action="extend", required=True, metavar="JSONL")
    parser.add_argument("--test", type=Path, nargs="+", action="extend", required=True, metavar="JSONL")
    parser.add_argument("--out", type=Path, metavar="JSONL", help="where the rankings go")
    parser.add_argument("--tasks", type=Path, metavar="DIR", help="TASK.json files: replies and graph")
    parser.add_argument("--held-out-task", action="append", default=[], metavar="NAME", help="or each")
    options = parser.parse_args(arguments)
    try:
        train = read_lines(options.train, gold=True)
        flows = read_flows(options.tasks) if options.tasks else {}
        test = read_lines(options.test, gold=False)
        if len({line.action for line in train}) < 2:
            raise BadInput(f"{options.train[0]}:1: only one action in it → give lines of at least two")
        if options.held_out_task:
            if not flows:
                raise BadInput("--held-out-task: needs flowcharts → give --tasks DIR")
            names = held_out_names(options.held_out_task, train, test, flows)
            ranked, figures = held_out_run(names, train, test, flows)
        else:
            ranked, figures = plain_run(train, test)
        if options.out:
            written = "".join(json.dumps({"ranked": row}, ensure_ascii=False) + "\n" for row in ranked)
            options.out.write_text(written, encoding="utf-8")
    except (BadInput, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    show(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
