"""`huashu test`: code style, types, import rules, script lint, then pytest.  What CI runs."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu test`; anything after -- goes to pytest."""
    parser.add_argument("pytest", nargs="*", help="给 pytest 的参数 / arguments for pytest (after --)")


def steps(pytest_arguments: list[str]) -> list[tuple[str, list[str]]]:
    """(title, command) of each step, in order."""
    python = sys.executable
    return [
        ("代码规范 / code style (ruff)", [python, "-m", "ruff", "check", "."]),
        ("类型 / types (mypy --strict)", [python, "-m", "mypy"]),
        ("导入规则 / import rules (import-linter)", [str(Path(python).with_name("lint-imports"))]),
        ("训练话术 / training scripts", [python, "-m", "commands.main", "train"]),
        ("话术检查 / script lint", [python, "-m", "commands.main", "lint"]),
        ("测试 / tests (pytest)", [python, "-m", "pytest", *pytest_arguments]),
    ]


def run(arguments: argparse.Namespace) -> int:
    """Run every step, stop at none before the last; 1 where one failed."""
    models = PROJECT.parent / "shared" / "models"
    environment = dict(os.environ)
    if "HUASHU_MODELS" not in environment and models.is_dir():
        environment["HUASHU_MODELS"] = str(models)
    failed = []
    for title, command in steps(arguments.pytest):
        started = time.monotonic()
        print(f"── {title}", flush=True)
        code = subprocess.run(command, cwd=PROJECT, env=environment).returncode
        print(
            f"── {'ok' if code == 0 else f'FAILED ({code})'} · {time.monotonic() - started:.1f} s", flush=True
        )
        if code != 0:
            failed.append(title)
    if failed:
        print("没有通过 / failed: " + "; ".join(failed), file=sys.stderr)
    return int(bool(failed))
