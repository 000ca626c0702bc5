"""python -m benchmarks.next_action: what it writes, prints and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.next_action import main
from tests.next_action.dialogues import lines, plain, talk, write, write_flows


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write(tmp_path / "train.jsonl", [plain(line) for line in lines("taxi", "pizza")])


def test_a_line_of_rankings_for_each_test_line_and_the_figures_last(
    tmp_path: Path, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = talk("taxi", 13)
    test = write(tmp_path / "test.jsonl", [plain(line) for line in asked])
    out = tmp_path / "out.jsonl"
    assert main(["--train", str(train), "--test", str(test), "--out", str(out)]) == 0
    ranked = [json.loads(line)["ranked"] for line in out.read_text().splitlines()]
    assert len(ranked) == len(asked)
    assert all(len(row) == 10 == len(set(row)) for row in ranked)
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    share = sum(row[0] == line.action for row, line in zip(ranked, asked, strict=True)) / len(asked)
    assert figures["task_known"]["ours"]["R@1"] == pytest.approx(share, abs=1e-4)
    assert "NaN" not in json.dumps(figures)
    assert set(figures) >= {"task_unknown", "ms", "machine", "train_seconds"}


def test_hidden_gold_changes_no_prediction_and_gives_no_figures(
    tmp_path: Path, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = [plain(line) for line in talk("pizza", 14)]
    hidden = [{key: value for key, value in item.items() if key != "action"} for item in asked]
    outs = []
    for name, items in (("open", asked), ("hidden", hidden)):
        test, out = write(tmp_path / f"{name}.jsonl", items), tmp_path / f"{name}.out"
        assert main(["--train", str(train), "--test", str(test), "--out", str(out)]) == 0
        outs.append(out.read_text())
    assert outs[0] == outs[1]
    assert "task_known" not in json.loads(capsys.readouterr().out.splitlines()[-1])


def test_each_task_held_out_in_turn_gives_their_mean(
    tmp_path: Path, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flows = write_flows(tmp_path / "tasks", "taxi", "pizza")
    test = write(
        tmp_path / "test.jsonl", [plain(line) for task in ("pizza", "taxi") for line in talk(task, 13)]
    )
    out = tmp_path / "out.jsonl"
    command = ["--train", str(train), "--test", str(test), "--out", str(out), "--tasks", str(flows)]
    assert main([*command, "--held-out-task", "each"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    means = [found["R@1"] for found in figures["tasks"].values()]
    assert set(figures["tasks"]) == {"pizza", "taxi"}
    assert figures["mean_R@1"] == pytest.approx(sum(means) / 2, abs=1e-4)
    assert len(out.read_text().splitlines()) == len(test.read_text().splitlines())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"dialog_id": 1}\n{"x', ":1: "),
        ('{"dialog_id":1,"task":"t","prev_action":"START","action":"a"}', "history"),
        ("\n{\n", ":2: "),
        ("", "no lines"),
        ('{"dialog_id":1,"task":"t","history":[["robot","x"]],"prev_action":"a","action":"b"}', "robot"),
        ("[" * 100_000, ":1: "),
        ('{"dialog_id":1,"task":"t","history":[],"prev_action":"a","action":"b"}', "two"),
    ],
)
def test_bad_lines_are_named_with_their_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(text)
    assert main(["--train", str(bad), "--test", str(bad), "--out", str(tmp_path / "o")]) == 1
    error = capsys.readouterr().err
    assert str(bad) in error
    assert says in error
    assert len(error.splitlines()) == 1


def test_an_unknown_task_or_a_missing_folder_is_one_clear_error(
    tmp_path: Path, train: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flows = write_flows(tmp_path / "tasks", "taxi")
    command = ["--train", str(train), "--test", str(train), "--held-out-task", "boat"]
    for tasks, says in (
        (["--tasks", str(flows)], "boat"),
        ([], "--tasks"),
        (["--tasks", str(tmp_path / "no")], "no"),
    ):
        assert main([*command, *tasks]) == 1
        assert says in capsys.readouterr().err
