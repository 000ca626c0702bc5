"""`huashu interrupts`: would these words stop the bot?  JSON lines in and out (CONTRACT)."""

from __future__ import annotations

import argparse

from bot.understanding.interrupts import judge
from commands.json_lines import BadLine, complain, line_out, lines_in

EXPECTS = ("yes_no", "open", "none")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments of its own."""


def run(arguments: argparse.Namespace) -> int:
    """Judge standard input; 1 where a line was bad."""
    bad = 0
    for item in lines_in():
        if isinstance(item, BadLine) or not isinstance(item.get("text"), str):
            message = str(item) if isinstance(item, BadLine) else "'text' must be a string"
            complain(message)
            line_out({"stop": False, "score": 0.0, "error": message})
            bad = 1
            continue
        expects = item.get("expects") if item.get("expects") in EXPECTS else "none"
        verdict = judge(str(item.get("bot_line") or ""), item["text"], str(expects))
        line_out({"stop": verdict.stop, "score": round(verdict.score, 4)})
    return bad
