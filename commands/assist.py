"""`huashu assist --script NAME --contact FILE.json --json`: lines of both sides in, advice out.

One JSON a line in ({"party","text"}), one JSON a line out: {"suggestions", "facts", "stage", "objection"},
and beyond the contract `alarms`, `due`, `offers`, `ms`.  The same code as on live calls, without Redis.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from commands.json_lines import complain, line_out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu assist`."""
    parser.add_argument("--script", required=True, help="话术名 / name of the script")
    parser.add_argument("--contact", help="客户资料 JSON 文件 / the customer's file")
    parser.add_argument("--json", action="store_true", help="每行一个 JSON / one JSON a line")
    parser.add_argument("--now", help="ISO 时间,固定时钟 / fixes the clock: 2026-11-22T10:00:00+08:00")


def run(arguments: argparse.Namespace) -> int:
    """Advise on the lines of stdin; 0, or 1 for a fault of script or contact or any bad line."""
    from assist.text_call import TextAssist
    from bot.dialogue.script_files import ScriptError
    from commands.chat import read_contact, read_now

    try:
        contact = read_contact(Path(arguments.contact)) if arguments.contact else {}
        call = TextAssist.load(arguments.script, contact, now=read_now(arguments.now))
    except (ScriptError, ValueError, OSError) as error:
        complain(str(error))
        return 1
    bad = 0
    for number, raw in enumerate(sys.stdin, start=1):
        if not raw.strip():
            continue
        try:
            party, text = _line(raw)
        except ValueError as error:
            complain(f"stdin:{number}: {error}")
            bad = 1
            if arguments.json:
                line_out({"error": str(error), "suggestions": [], **call.state()})
            continue
        started = time.perf_counter()
        answer = call.line(party, text)
        answer["ms"] = round((time.perf_counter() - started) * 1000, 1)
        if arguments.json:
            line_out(answer)
        else:
            print("\n".join(_shown(party, text, answer)), flush=True)
    return bad


def _line(raw: str) -> tuple[str, str]:
    """(party, text) of one line of input.  Raises ValueError."""
    try:
        data = json.loads(raw)
    except json.JSONDecodeError as error:
        raise ValueError(f'no JSON ({error.msg}) → {{"party":"customer","text":"…"}}') from error
    if not isinstance(data, dict) or data.get("party") not in ("customer", "agent"):
        raise ValueError('"party" must be customer or agent → {"party":"customer","text":"…"}')
    if not isinstance(data.get("text"), str):
        raise ValueError('"text" must be text → {"party":"customer","text":"…"}')
    return data["party"], data["text"]


def _shown(party: str, text: str, answer: dict[str, Any]) -> list[str]:
    lines = [f"{'客' if party == 'customer' else '坐'}  {text}   [{answer['stage']}] {answer['ms']} ms"]
    for card in answer["suggestions"]:
        lines.append(f"    {card['rank']}. [{card['kind']}] {card['text']}  —— {card['why']}")
    lines += [f"    ● {alarm['title']}「{alarm['words']}」" for alarm in answer["alarms"]]
    return lines
