"""An environment of its own for Pipecat, which the benchmarks run against; made on demand.

It lies in .huashu/pipecat, is built by the project's own uv from PyPI, and shares nothing with the
project's dependencies.  Removing the folder undoes it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bot.data_folder import PROJECT, data_folder

PACKAGES = ("pipecat-ai[websocket]==1.14.0", "uvicorn", "uvloop")
"""Silero and Smart Turn v3 lie in the wheel; uvicorn and uvloop serve it as quickly as they serve us."""


class NoPipecat(Exception):
    """The environment cannot be made; says why and what to do."""


def pipecat_python() -> Path:
    """The interpreter of Pipecat's environment; makes it where it is missing.  Raises NoPipecat."""
    folder = data_folder() / "pipecat"
    python = folder / "bin" / "python"
    done = folder / "installed"
    wanted = "\n".join(PACKAGES)
    if python.exists() and done.is_file() and done.read_text() == wanted:
        return python
    uv = PROJECT / ".huashu" / "uv" / "bin" / "uv"
    if not uv.exists():
        raise NoPipecat(f"{uv} is missing; run ./huashu once, it brings uv")
    print(f"making an environment for Pipecat in {folder}: {', '.join(PACKAGES)}", file=sys.stderr)
    for command in (
        [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        # --no-config: the project's overrides (websockets < 11 and others) are not Pipecat's
        [str(uv), "pip", "install", "--quiet", "--no-config", "--python", str(python), *PACKAGES],
    ):
        found = subprocess.run(command, capture_output=True, text=True)
        if found.returncode:
            raise NoPipecat(f"{' '.join(command)} failed: {found.stderr.strip()[-500:]}")
    done.write_text(wanted)
    return python
