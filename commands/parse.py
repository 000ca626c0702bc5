"""`huashu parse --script NAME`: JSON lines of text in, acts and typed values out (CONTRACT)."""

from __future__ import annotations

import argparse
from datetime import datetime
from zoneinfo import ZoneInfo

from commands.json_lines import BadLine, complain, line_out, lines_in
from commands.progress import working

AFTER = ("yes_no_question", "offer", "pitch", "identity_check", "open_question")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu parse`."""
    parser.add_argument("--script", required=True, help="话术名 / name of the script")
    parser.add_argument("--now", help="固定时钟 / fixes the clock (ISO 8601 with offset)")


def run(arguments: argparse.Namespace) -> int:
    """Parse standard input; 1 where a line was bad or the script has faults."""
    from bot.dialogue.script_files import ScriptError
    from bot.dialogue.version import ScriptVersion
    from bot.understanding.normalize import clean

    try:
        with working(f"装载话术 / loading {arguments.script}"):
            version = ScriptVersion.load(arguments.script)
        now = (
            datetime.fromisoformat(arguments.now)
            if arguments.now
            else datetime.now(ZoneInfo("Asia/Shanghai"))
        )
    except (ScriptError, ValueError) as error:
        complain(str(error))
        return 1
    bad = 0
    for item in lines_in():
        if isinstance(item, BadLine) or not isinstance(item.get("text"), str):
            message = str(item) if isinstance(item, BadLine) else '\'text\' must be a string → {"text": "…"}'
            complain(message)
            line_out({"text": None, "acts": [], "entities": [], "error": message})
            bad = 1
            continue
        after = item.get("after")
        if after not in (None, *AFTER):
            complain(f"'after' is {after!r} → one of {', '.join(AFTER)} or null; taken as null")
            after, bad = None, 1
        text = clean(item["text"])
        if text:
            meaning = version.understand(text, after, now)
            acts, entities = list(meaning.acts), list(meaning.entities)
        else:
            acts, entities = [{"name": "out_of_scope", "confidence": 0.0}], []
        line_out({"text": item["text"], "acts": acts, "entities": entities})
    return bad
