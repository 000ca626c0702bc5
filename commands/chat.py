"""`huashu chat`: talk to a script in text; with --json one JSON a line for harnesses (CONTRACT)."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from commands.json_lines import BadLine, complain, line_out, lines_in
from commands.progress import working

if TYPE_CHECKING:
    from bot.dialogue.text_call import TextCall
    from bot.turn import Reply

SAMPLE_CONTACT: dict[str, Any] = {
    "id": "sample",
    "name": "张伟",
    "sex": "male",
    "age": 41,
    "phone": "13800138000",
    "city": "杭州",
    "timezone": "Asia/Shanghai",
    "monthly_fee_ringback": 5,
    "id_last4": "1234",
    "value_tier": "standard",
}


CALLERS = ("known", "stranger", "withheld", "listed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu chat`."""
    parser.add_argument("--script", default="ringback", help="话术名 / name of the script")
    parser.add_argument(
        "--contact", type=Path, help="客户资料 JSON / the contact as JSON (default: a sample)"
    )
    parser.add_argument(
        "--inbound", nargs="?", choices=CALLERS, const="known",
        help="客户打进来:认识的、陌生的、不显号的、在免打扰名单上的 / the customer calls us (default: known)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="每行一个 JSON / one JSON a line")
    parser.add_argument("--now", help="固定时钟 / fixes the clock (ISO 8601 with offset)")
    parser.add_argument("--seed", type=int, default=0, help="固定用语 / fixes the wordings")


def run(arguments: argparse.Namespace) -> int:
    """Hold one call on standard input; 1 where script, contact or a line is bad."""
    from bot.dialogue.script_files import ScriptError

    try:
        contact = read_contact(arguments.contact)
        now = read_now(arguments.now)
        if arguments.inbound:
            contact = caller(arguments.inbound, contact, now)
        return asyncio.run(_chat(arguments, contact, now))
    except (ScriptError, ValueError, OSError) as error:
        complain(str(error))
        return 1


def read_contact(path: Path | None) -> dict[str, Any]:
    """The contact file; raises ValueError naming the place where it is no JSON object."""
    if path is None:
        return dict(SAMPLE_CONTACT)
    try:
        contact = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}:{error.colno}: {error.msg} → correct the JSON") from error
    if not isinstance(contact, dict):
        raise ValueError(f'{path}:1:1: not an object → write {{"name": …}}')
    return contact


def read_now(text: str | None) -> datetime:
    """The clock of the call; raises ValueError for a time without an offset."""
    if text is None:
        return datetime.now(ZoneInfo("Asia/Shanghai"))
    now = datetime.fromisoformat(text)
    if now.tzinfo is None:
        raise ValueError(f"--now {text} has no offset → write it as 2026-11-22T10:00:00+08:00")
    return now


def caller(kind: str, contact: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What is known of a customer who calls us, one of CALLERS; a known one was called an hour ago."""
    if kind == "withheld":
        return {}
    if kind == "stranger":
        return {"phone": str(contact["phone"])} if contact.get("phone") else {}
    called_at = (now - timedelta(hours=1)).isoformat()
    return {**contact, "called_at": called_at, "do_not_call": kind == "listed"}


async def _chat(arguments: argparse.Namespace, contact: dict[str, Any], now: datetime) -> int:
    from bot.dialogue.engine import Engine
    from bot.dialogue.text_call import TextCall

    with working(f"装载话术 / loading {arguments.script}"):
        engine = await Engine.load([arguments.script])
    call = TextCall(
        engine, arguments.script, contact, now=now, seed=arguments.seed,
        direction="inbound" if arguments.inbound else "outbound",
    )  # fmt: skip
    opening = await call.start()
    if opening.error:
        complain(opening.error)
        return 1
    if arguments.json:
        return await _json_turns(call, opening)
    return await _people_turns(call, opening)


def turn_json(reply: Reply) -> dict[str, Any]:
    """A bot turn as CONTRACT has it, and beside it the acts that were understood."""
    return {
        "node": reply.node,
        "text": reply.text,
        "stage": reply.stage,
        "slots": reply.slots,
        "ended": reply.ended,
        "disposition": reply.disposition,
        "nodes": list(reply.nodes),
        "expects": reply.expects,
        "acts": list(reply.acts),
        "actions": list(reply.actions),
        "grade": reply.grade,
        "reasons": list(reply.reasons),
        "ms": reply.ms,
        **({"error": reply.error} if reply.error else {}),
    }


async def _json_turns(call: TextCall, opening: Reply) -> int:
    line_out(turn_json(opening))
    bad = 0
    for item in lines_in():
        try:
            if isinstance(item, BadLine):
                raise item
            reply = await one_input(call, item)
        except ValueError as error:
            complain(str(error))
            line_out({**turn_json(call.nothing()), "error": str(error)})
            bad = 1
            continue
        line_out(turn_json(reply))
    return bad


async def one_input(call: TextCall, item: dict[str, Any]) -> Reply:
    """One input line of `chat --json`; raises ValueError for one that is none of them."""
    if isinstance(item.get("text"), str):
        return await call.say(item["text"])
    if isinstance(item.get("silence_ms"), int | float):
        return await call.silence(int(item["silence_ms"]))
    barge_in = item.get("barge_in")
    if isinstance(barge_in, dict) and isinstance(barge_in.get("text"), str):
        return await call.barge_in(barge_in["text"], int(barge_in.get("after_ms", 0)))
    if isinstance(item.get("dtmf"), str):
        return await call.press(item["dtmf"])
    if item.get("hangup"):
        return call.hang_up()
    raise ValueError('unknown input → {"text"}, {"silence_ms"}, {"barge_in"}, {"dtmf"} or {"hangup": true}')


async def _people_turns(call: TextCall, opening: Reply) -> int:
    from rich.console import Console

    console = Console()
    console.print(
        "[dim]直接打字;空行 = 沉默,数字键用 #1,!话 = 插话,Ctrl-D 挂机 / "
        "type; empty line = silence, #1 = key, !words = interrupt, Ctrl-D hangs up[/dim]"
    )
    reply = opening
    while True:
        _show(console, reply)
        if call.ended:
            console.print(
                f"[dim]结束 / ended: {call.disposition} · {reply.grade or ''} {' '.join(reply.reasons)}[/dim]"
            )
            return 0
        try:
            text = await asyncio.to_thread(input, "客 ")
        except EOFError:
            call.hang_up()
            return 0
        if text.startswith("!"):
            reply = await call.barge_in(text[1:], 1200)
        elif text.startswith("#"):
            reply = await call.press(text[1:])
        elif text.strip():
            reply = await call.say(text)
        else:
            reply = await call.silence(6000)


def _show(console: Any, reply: Reply) -> None:
    acts = " ".join(f"{act['name']} {act['confidence']:.2f}" for act in reply.acts)
    values = " ".join(f"{entity['entity']}={entity['value']}" for entity in reply.entities)
    if reply.turn > 0:
        console.print(f"[dim]   ↳ {acts} {values} · {sum(reply.ms.values()):.1f} ms[/dim]", highlight=False)
    said = reply.text or "(不出声 / says nothing)"
    console.print(
        f"[bold cyan]机 {said}[/bold cyan] [dim]{reply.stage or ''} · {reply.node or ''}[/dim]",
        highlight=False,
    )


if __name__ == "__main__":
    sys.exit("run it as: ./huashu chat")
