"""How well the text alone tells that a caller is done, and what that buys: latency against cut-offs.

    python -m benchmarks.end_of_turn [--against REVISION] [--errors] [--set complete_at=0.95 ...]

No audio, no call: for each turn of benchmarks/end_of_turn.tsv (and of the lines of turn_latency) the
model gives P(done) at each pause and at the end, and bot.call.turns says how long each would be waited
for.  Reckoned from that, as in turn_latency: one turn in five pauses, 300-1200 ms at each of its marks;
the bot sounds OVERHEAD_MS after it took its turn; a turn is cut off where it sounds within a pause.
Printed for the lines that were tuned on and for those held out: the figures with bot.call.parameters,
the curve over the thresholds, and beside them a fixed wait of 700 ms and, with --against, the model of
another revision of this repository.  --set tries other parameters, --errors prints the tuned lines that
are cut off or answered late.
The last line is one JSON.
"""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks._report import finish, machine
from bot.call.parameters import Parameters
from bot.call.turns import Hearing, turn_ends_ms
from bot.turn import Expects
from bot.understanding.completeness import train

HERE = Path(__file__).parent
ROOT = HERE.parent
OVERHEAD_MS = 44.0  # measured by turn_latency: brain, frame, voice
PAUSED = 0.2  # of the turns
PAUSE_MS = (300.0, 1200.0)
FILES = {"tuned": ("end_of_turn.tsv", 0), "held out": ("end_of_turn.tsv", 1)}
SOUND_FILES = {
    "tuned, turn_latency": "turn_utterances.tsv",
    "once held out, turn_latency": "turn_utterances_held_out.tsv",
}
_MODULES = ("completeness", "completeness_features", "completeness_rules", "interrupts", "listening_words")

QUESTIONS: dict[str, str] = {
    "identity_check": "您好,请问是张先生吗?",
    "yes_no_question": "现在方便说两句吗?",
    "offer": "您看给您办一个好吗?",
    "open_question": "您平时用得怎么样呢?",
    "time": "什么时候方便再打给您?",
    "digits": "请说一下身份证的后四位。",
    "pitch": "这是一个免费的活动。",
}

Model = Callable[[str, str, str], float]
Wait = Callable[[str, float, Expects, bool], float]


@dataclass(frozen=True, slots=True)
class Turn:
    """`parts`: the stretches between pauses; `marks`: what stands between them, | or /."""

    expects: Expects
    parts: tuple[str, ...]
    marks: str
    bot_line: str

    @property
    def so_far(self) -> list[str]:
        """The texts at each pause, then the whole."""
        return [joined(self.parts[: n + 1]) for n in range(len(self.parts))]


def read_turns(name: str) -> list[Turn]:
    """The turns of a file: expects, words, and maybe the bot's line."""
    found: list[Turn] = []
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        expects, words, *rest = line.split("\t")
        asked = msgspec.convert(expects, Expects)
        marks = "".join(re.findall(r"[|/]", words))
        bot_line = rest[0] if rest else QUESTIONS.get(asked, "")
        found.append(Turn(asked, tuple(re.split(r"[|/]", words)), marks, bot_line))
    return found


def joined(parts: Sequence[str]) -> str:
    """The stretches in one breath."""
    return ("" if re.search("[\u3400-\u9fff]", parts[0]) else " ").join(parts)


def training_lines() -> list[str]:
    """Whole utterances of the shared training data, to train completeness from."""
    found: list[str] = []
    for path in sorted((ROOT / "nlu_data" / "acts").glob("*.yml")):
        rows = path.read_text(encoding="utf-8").splitlines()
        found += [row.strip()[2:] for row in rows if re.match(r"\s+- (?!intent:)", row)]
    return found


def by_parameters(p: Parameters) -> Wait:
    """The wait that bot.call.turns gives a text whose last word came with the recogniser's lag."""

    def wait(text: str, done: float, expects: Expects, slow: bool) -> float:
        hearing = Hearing(text, voice=False, quiet_ms=0, words_ms=p.words_lag_ms, slow=slow)
        return float(turn_ends_ms(hearing, done, expects, p))

    return wait


def outcome(turns: Sequence[Turn], chances: Sequence[Sequence[float]], wait: Wait) -> dict[str, Any]:
    """Latency quantiles of the turns that are not cut off, and how many are; `chances` as Turn.so_far."""
    paused = [turn for turn in turns if turn.marks]
    times: list[tuple[float, float]] = []  # latency, weight
    cut: dict[str, list[float]] = {"|": [], "/": []}
    cut_turns = 0.0
    for turn, chance in zip(turns, chances, strict=True):
        texts = turn.so_far
        at_once = wait(texts[-1], chance[-1], turn.expects, False)
        times.append((at_once + OVERHEAD_MS, (1 - PAUSED) / len(turns)))
        if not turn.marks:
            continue
        survives = 1.0
        for number, (text, mark) in enumerate(zip(texts, turn.marks, strict=False)):
            sounds = wait(text, chance[number], turn.expects, number > 0) + OVERHEAD_MS
            low, high = PAUSE_MS
            risk = min(1.0, max(0.0, (high - sounds) / (high - low)))
            cut[mark].append(risk)
            survives *= 1 - risk
        cut_turns += (1 - survives) * PAUSED / len(paused)
        late = wait(texts[-1], chance[-1], turn.expects, True) + OVERHEAD_MS
        times.append((late, survives * PAUSED / len(paused)))
    return {
        **{f"p{point}": quantile(times, point / 100) for point in (50, 95, 99)},
        "cut_off_rate": round(cut_turns, 4),
        "cut_within": round(float(np.mean(cut["|"])), 3) if cut["|"] else None,
        "cut_between": round(float(np.mean(cut["/"])), 3) if cut["/"] else None,
    }


def quantile(weighted: Iterable[tuple[float, float]], share: float) -> float:
    """The value below which `share` of the weight lies."""
    ordered = sorted(weighted)
    sums = np.cumsum([weight for _, weight in ordered])
    return ordered[min(int(np.searchsorted(sums, share * sums[-1])), len(ordered) - 1)][0]


def curve(turns: Sequence[Turn], chances: Sequence[Sequence[float]], p: Parameters) -> list[dict[str, Any]]:
    """Outcomes as ever more ends are waited for; the rest of the thresholds is the model's own.

    `slow`: the share of ends that are taken for unfinished; three of five ends count as complete.
    """
    rows = []
    ends = [chance[-1] for chance in chances]
    complete_at = float(np.quantile(ends, 0.4))
    for slow in (0.01, 0.03, 0.05, 0.08, 0.12, 0.2):
        unfinished_at = float(np.quantile(ends, slow))
        moved = replace(p, complete_at=complete_at, unfinished_at=unfinished_at)
        found = outcome(turns, chances, by_parameters(moved))
        rows.append({"slow": slow, "unfinished_at": round(unfinished_at, 2), **found})
    return rows


def chances_of(model: Model, turns: Sequence[Turn]) -> list[list[float]]:
    """P(done) of each text of each turn."""
    return [[model(text, turn.expects, turn.bot_line) for text in turn.so_far] for turn in turns]


def model_of(revision: str, lines: list[str], seed: int) -> Model:
    """The model of another revision, trained from the same lines.  Raises CalledProcessError, ImportError."""
    folder = Path(tempfile.mkdtemp(prefix="end_of_turn_"))
    package = folder / "understanding_before"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for name in _MODULES:
        path = f"{revision}:bot/understanding/{name}.py"
        source = subprocess.run(["git", "show", path], cwd=ROOT, check=True, capture_output=True, text=True)
        text = source.stdout.replace("bot.understanding", package.name)
        (package / f"{name}.py").write_text(text, encoding="utf-8")
    sys.path.insert(0, str(folder))
    trained: Model = importlib.import_module(f"{package.name}.completeness").train(lines, seed).probability
    return trained


def show_errors(turns: Sequence[Turn], chances: Sequence[Sequence[float]], wait: Wait) -> None:
    """What is cut off, and what is answered late."""
    for turn, chance in zip(turns, chances, strict=True):
        for number, text in enumerate(turn.so_far):
            mark = turn.marks[number] if number < len(turn.marks) else "end"
            ms = wait(text, chance[number], turn.expects, False)
            if (ms > 250) if mark == "end" else (ms < 1000):
                print(f"    {mark:3} {ms:5.0f} ms {chance[number]:.2f}  {turn.expects}: {text}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", help="a git revision whose model is measured beside ours")
    parser.add_argument("--errors", action="store_true", help="print what goes wrong in the tuned lines")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="of bot.call.parameters")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        p = msgspec.convert(dict(pair.split("=", 1) for pair in options.set), Parameters, strict=False)
    except (ValueError, msgspec.ValidationError) as error:
        parser.error(f"--set: {error}; give names of bot.call.parameters with their values")
    print(f"machine: {machine()}")
    lines = training_lines()
    started = time.perf_counter()
    models: dict[str, Model] = {"ours": train(lines, options.seed).probability}
    results: dict[str, Any] = {"training_s": round(time.perf_counter() - started, 2)}
    if options.against:
        models[f"at {options.against}"] = model_of(options.against, lines, options.seed)
    sets = {name: read_turns(file)[half::2] for name, (file, half) in FILES.items()}
    sets |= {name: read_turns(file) for name, file in SOUND_FILES.items()}
    for name, turns in sets.items():
        print(f"\n{name}: {len(turns)} turns, {sum(bool(turn.marks) for turn in turns)} of them can pause")
        results[name] = {"fixed 700 ms": outcome(turns, [[0.0] * 9] * len(turns), lambda *_: 700.0)}
        for title, model in models.items():
            chances = chances_of(model, turns)
            results[name][title] = outcome(turns, chances, by_parameters(p))  # its own thresholds: the curve
            results[name][f"{title}, curve"] = curve(turns, chances, p)
            if options.errors and title == "ours" and "held" not in name:
                show_errors(turns, chances, by_parameters(p))
        for title, found in results[name].items():
            for row in found if isinstance(found, list) else [found]:
                print(f"  {title}: " + "  ".join(f"{key} {value}" for key, value in row.items()))
    finish({"benchmark": "end_of_turn", **results})


if __name__ == "__main__":
    main()
