"""A catalogue that nobody can use stops its own worker, and lint names the same place; calls go on."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest

from bot.data_folder import PROJECT
from bot.dialogue.script_files import find_script, scripts_root
from bot.processes.managed import ProcessFailed
from tests.whole.stage import Stage
from tests.whole.talk import nobody_else_notices

pytestmark = pytest.mark.asyncio(loop_scope="session")
IMPOSSIBLE = 'eligible: ["monthly_bill >= 100", "monthly_bill < 50"]'


def broken_copy(folder: Path) -> tuple[Path, int]:
    """All scripts, the bundle's first product with a condition nobody meets; its file and line."""
    home = scripts_root().parent
    root = folder / home.name / "stories"
    shutil.copytree(scripts_root(), root)
    for part in ("nlu_data", "config.yml"):
        (root.parent / part).symlink_to(home / part)
    path = root / "bundle" / "catalogue.yml"
    lines = path.read_text("utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("  needs_check:"))
    lines.insert(at, f"  {IMPOSSIBLE}")
    path.write_text("\n".join(lines), "utf-8")
    return path, at + 1


async def test_an_impossible_condition_is_refused_with_its_line(stage: Stage, tmp_path: Path) -> None:
    path, line = broken_copy(tmp_path)
    assert find_script("bundle", path.parents[1]).version == find_script("bundle").version  # trained already
    async with nobody_else_notices(stage):
        words = ("--name", "assist-broken", "--scripts", "bundle")
        worker = stage.process("assist.worker", "broken", *words, HUASHU_STORIES=str(path.parents[1]))
        with pytest.raises(ProcessFailed) as refusal:
            await worker.start()
        told = str(refusal.value)
        assert f"{path}:{line}:" in told and "monthly_bill" in told and "Traceback" not in told

        lint = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "commands.main", "lint", "bundle", cwd=PROJECT,
            env=os.environ | {"HUASHU_STORIES": str(path.parents[1])},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await lint.communicate()
        shown = output.decode()
        assert lint.returncode == 1 and f"bundle/catalogue.yml:{line}:" in shown and "monthly_bill" in shown
