"""The command line: fast help, clear refusals."""

from __future__ import annotations

import subprocess
import sys

from commands.main import COMMANDS, main

HEAVY = ("rasa", "spacy", "sklearn", "redis", "sqlalchemy")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from commands.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    for name in COMMANDS:
        assert name in done.stdout


def test_every_command_has_a_module_with_arguments(capsys: object) -> None:
    for name in COMMANDS:
        try:
            main([name, "--help"])
        except SystemExit as stopped:
            assert stopped.code == 0, name


def test_an_unknown_command_names_the_nearest(capsys) -> None:  # type: ignore[no-untyped-def]
    assert main(["chatt"]) == 2
    assert "'chat'" in capsys.readouterr().err


def test_voice_processes_hold_no_rasa() -> None:
    code = "import sys, bot.processes.voice; print('rasa' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
