"""`huashu lint [SCRIPT]`: faults of script files, one line each: path:line:column: code message → fix."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from bot.dialogue.faults import Fault
from commands.json_lines import complain, line_out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu lint`."""
    parser.add_argument("script", nargs="?", help="话术名,不写则全部 / name of the script (default: all)")
    parser.add_argument("--json", action="store_true", help="每行一个 JSON / one JSON a line")


def run(arguments: argparse.Namespace) -> int:
    """Print all faults; 1 where one of them is an error."""
    from bot.dialogue.script_files import ScriptError, script_names

    names = [arguments.script] if arguments.script else script_names()
    try:
        faults = sorted({fault for name in names for fault in _faults(name)})
    except ScriptError as error:
        complain(str(error))
        return 1
    for fault in faults:
        path = _shown(fault.path)
        if arguments.json:
            line_out(
                {
                    "path": path,
                    "line": fault.line,
                    "column": fault.column,
                    "code": fault.code,
                    "message": fault.message,
                    "fix": fault.fix,
                }
            )
        else:
            print(f"{path}:{fault.line}:{fault.column}: {fault.code} {fault.message} → {fault.fix}")
    if not faults and not arguments.json:
        print(f"没有发现问题 / no faults: {', '.join(names)}")
    return int(any(fault.is_error for fault in faults))


def _faults(name: str) -> list[Fault]:
    """What the dialogue reads, then, where that can be read, what live assist reads."""
    from assist.linting import lint_assist
    from bot.dialogue.linting import lint
    from bot.dialogue.script_files import find_script

    found = lint(name)
    files = find_script(name)
    unreadable = any(fault.code.startswith("E0") for fault in found)
    return found if unreadable or not files.assists else [*found, *lint_assist(files)]


def _shown(path: Path) -> str:
    shown = os.path.relpath(path)
    return str(path) if shown.startswith("..") else shown
