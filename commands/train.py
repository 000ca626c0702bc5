"""`huashu train [SCRIPT]`: train what is not trained yet, and say what it took."""

from __future__ import annotations

import argparse
import time

from commands.json_lines import complain
from commands.progress import working


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu train`."""
    parser.add_argument("script", nargs="?", help="话术名,不写则全部 / name of the script (default: all)")


def run(arguments: argparse.Namespace) -> int:
    """Train; 1 where a script has faults."""
    from bot.dialogue.script_files import ScriptError, script_names
    from bot.dialogue.training import trained

    failed = 0
    for name in [arguments.script] if arguments.script else script_names():
        started = time.monotonic()
        try:
            with working(f"训练话术 / training {name}"):
                done = trained(name)
        except ScriptError as error:
            complain(str(error))
            failed = 1
            continue
        print(f"{name} {done.files.version} · {time.monotonic() - started:.1f} s · {done.archive}")
    return failed
