"""From the customer's final words to the card in the agent's browser, with many calls at once.

    python -m benchmarks.assist_latency [--calls 200] [--browsers 2] [--seconds 120] [--kill]

All processes on this machine: Redis, one assist worker (Rasa), two web processes, WebSocket clients (one
for each call that has no browser), real browsers, the load generator.  Each call posts a final line
every 5 s and partials 3 times a second, through the HTTP API.  t0 is the moment before the POST.  With
--kill (the default) one web process is killed on the way: every client must hold every event of its call
once, partials aside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assist.suggest.model import CARD_KINDS
from benchmarks._assist_load import FINAL_EVERY_S, PARTIALS_PER_S, Call, Connection, talk
from benchmarks._assist_stage import OPERATOR, PASSWORD, ROOT, Stage, tree_seconds
from benchmarks._by_ear import by_ear
from benchmarks._report import finish, machine, percentiles
from bot.bus import connect, keys
from bot.bus.assisted import AssistedCalls
from bot.bus.connection import command
from bot.bus.log import EventLog
from bot.events import DISPOSITIONS, PanelEvent, SuggestionEvent, UtterancePartial
from bot.phone.conversation import load_conversations
from bot.processes.assist_workers import RegisteredWorkers
from bot.speech.providers import open_recogniser
from bot.store.keys import Keys
from bot.store.sealing import Sealer
from bot.typed_yaml import read_yaml

SCRIPTS = ("bundle", "retention")


def conversations() -> list[tuple[str, dict[str, Any], list[tuple[str, str]]]]:
    """(script, contact, lines) of the demo's scripted calls."""
    found = []
    for path in sorted((ROOT / "assist_calls").glob("*.yml")):
        data = read_yaml(path)
        lines = []
        for line in data["lines"]:
            party = next(key for key in line if key in ("agent", "customer"))
            words = "".join(
                part.partition("]")[2] if "]" in part else part for part in str(line[party]).split("[")
            )
            lines.append((party, words.strip()))
        found.append((str(data["script"]), dict(data["contact"]), lines))
    return found


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """The whole benchmark; its figures."""
    agents = [f"agent{number}" for number in range(options.calls)]
    print(f"{machine()}\nstarting Redis, worker, {options.webs} web processes …", flush=True)
    async with Stage(SCRIPTS, agents, options.webs) as stage:
        calls, tokens = await _open_calls(options, stage, agents)
        clients = await _clients(stage, calls[options.browsers :], tokens[options.browsers :])
        browsers = await _browsers(stage, agents[: options.browsers])
        print(f"{len(calls)} calls talk for {options.seconds} s …", flush=True)
        cpu = _cpu(stage, clients, browsers)
        started = time.monotonic()
        killer = asyncio.create_task(_kill(stage, options)) if options.kill else None
        spread = random.Random(1)
        await asyncio.gather(
            *(talk(call, spread.uniform(0, FINAL_EVERY_S), options.seconds) for call in calls)
        )
        lasted = time.monotonic() - started
        used = {name: (after - cpu[name]) / lasted for name, after in _cpu(stage, clients, browsers).items()}
        if killer is not None:
            await killer
        await asyncio.sleep(2.0)
        received = await _finish(clients, stage.folder / "clients.json")
        shown = await _finish(browsers, stage.folder / "browsers.json")
        figures = await _figures(options, stage, calls, received, shown, used)
        if options.ears:
            figures |= await _by_ear(stage, options.ears)
        return figures


async def _by_ear(stage: Stage, count: int) -> dict[str, Any]:
    """A few calls by sound, one after the other, with nothing else on the machine."""
    os.environ["HUASHU_KEY_FILE"] = str(stage.folder / "key")
    redis = connect(stage.redis.url)
    calls = AssistedCalls(redis, Sealer(Keys.load()), RegisteredWorkers(redis))
    talks = list(load_conversations(ROOT / "assist_calls", CARD_KINDS, DISPOSITIONS).values())[:count]
    print(f"{len(talks)} calls by sound: two voices, a detector and pocketsphinx for each side …", flush=True)
    words: list[float] = []
    cards: list[float] = []
    try:
        recogniser = open_recogniser("pocketsphinx")
        for number, talk_of in enumerate(talks):
            heard, shown = await by_ear(redis, calls, recogniser, talk_of, f"ear-{number}")
            words, cards = words + heard, cards + shown
    finally:
        await redis.aclose()
    found = {
        "sound_to_words_ms": {"n": len(words), **percentiles(words)},
        "sound_to_card_ms": {"n": len(cards), **percentiles(cards)},
    }
    print(f"{'end of sound → final words in the log':45} {found['sound_to_words_ms']}")
    print(f"{'end of sound → card published':45} {found['sound_to_card_ms']}")
    return found


async def _open_calls(
    options: argparse.Namespace, stage: Stage, agents: Sequence[str]
) -> tuple[list[Call], list[str]]:
    first = Connection(stage.ports, "")
    _, made = await first.post("/api/tokens", {"name": OPERATOR, "password": PASSWORD, "ttl_s": 7200})
    token = made["token"]
    tokens = []
    for agent in agents:
        _, own = await first.post("/api/tokens", {"name": agent, "password": PASSWORD, "ttl_s": 7200})
        tokens.append(own["token"])
    talks = conversations()
    calls = []
    for number, agent in enumerate(agents):
        script, contact, lines = talks[number % len(talks)]
        connection = Connection(stage.ports, token, first=number)
        body = {"script": script, "agent_id": agent, "direction": "outbound", "contact": contact,
                "call_id": f"bench-{number}"}  # fmt: skip
        status, answer = await connection.post("/api/calls", body)
        if status not in (200, 201):
            raise SystemExit(f"POST /api/calls: {status} {answer}")
        turn = number * 7 % len(lines)
        calls.append(Call(f"bench-{number}", lines[turn:] + lines[:turn], connection))
    return calls, tokens


async def _clients(stage: Stage, calls: Sequence[Call], tokens: Sequence[str]) -> asyncio.subprocess.Process:
    config = {
        "ports": stage.ports,
        "calls": [{"call_id": c.call_id, "token": t} for c, t in zip(calls, tokens, strict=True)],
        "report": str(stage.folder / "clients.json"),
    }
    return await _child("benchmarks._feed_clients", config, stage.folder / "clients-config.json")


async def _browsers(stage: Stage, agents: Sequence[str]) -> asyncio.subprocess.Process:
    port = stage.ports[-1]
    config = {
        "pages": [{"url": f"http://127.0.0.1:{port}", "name": a, "password": PASSWORD} for a in agents],
        "report": str(stage.folder / "browsers.json"),
    }
    return await _child("benchmarks._browsers", config, stage.folder / "browsers-config.json")


async def _child(module: str, config: dict[str, Any], path: Path) -> asyncio.subprocess.Process:
    path.write_text(json.dumps(config))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, str(path), cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = await process.stdout.readline()
    if line.strip() != b"ready":
        raise SystemExit(f"{module} did not start: {line!r}")
    return process


async def _kill(stage: Stage, options: argparse.Namespace) -> None:
    """Kill the first web process with SIGKILL at two thirds; its keeper starts it again."""
    await asyncio.sleep(options.seconds * 2 / 3)
    process = stage.webs[0]._process
    if process is not None:
        os.killpg(process.pid, 9)


async def _finish(process: asyncio.subprocess.Process, report: Path) -> Any:
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()
    return json.loads(report.read_text())


def _cpu(stage: Stage, *children: asyncio.subprocess.Process) -> dict[str, float]:
    own = os.times()
    found = {"generator": own.user + own.system}
    found["clients"], found["browsers"] = (tree_seconds(child.pid) for child in children)
    found["worker"] = stage.cpu_seconds(stage.worker)
    found["one web"] = stage.cpu_seconds(stage.webs[-1])
    found["redis"] = tree_seconds(stage.redis.pid())
    return found


async def _figures(
    options: argparse.Namespace,
    stage: Stage,
    calls: Sequence[Call],
    received: Sequence[dict[str, Any]],
    shown: Sequence[dict[str, float]],
    used: dict[str, float],
) -> dict[str, Any]:
    redis = connect(stage.redis.url)
    log = EventLog(redis)
    by_client = {report["call_id"]: report for report in received}
    websocket, dom, think, queue, lost, repeated = [], [], [], [], 0, 0
    events = partials = finals = cards = 0
    for number, call in enumerate(calls):
        history = await log.read(call.call_id)
        events += len(history)
        partials, finals = partials + call.partials, finals + len(call.finals)
        for event in history:
            if isinstance(event, SuggestionEvent) and event.suggestion["rank"] == 1:
                cards += 1
                sent = call.finals.get(event.suggestion["t_utterance_end_ms"])
                if sent is None or sent.party != "customer":
                    continue
                name = event.suggestion["id"]
                if number < options.browsers:
                    at = shown[number].get(name)
                    if at is not None:
                        dom.append(at - sent.at * 1000)
                else:
                    seen = by_client[call.call_id]["cards"].get(name)
                    if seen is not None:
                        websocket.append((seen - sent.at) * 1000)
            elif isinstance(event, PanelEvent) and event.ms:
                think.append(event.ms["think"])
                queue.append(event.ms["queue"])
        if number >= options.browsers:
            report = by_client[call.call_id]
            start = report["snapshots"][0] if report["snapshots"] else 0
            must = {e.seq for e in history if e.seq > start and not isinstance(e, UtterancePartial)}
            lost += len(must - set(report["seqs"]))
            repeated += len(report["seqs"]) - len(set(report["seqs"]))
    late = percentiles([delay * 1000 for call in calls for delay in call.delays])
    await command(redis, "HLEN", keys.live("default"))
    await redis.aclose()
    statuses: dict[int, int] = {}
    for call in calls:
        for status, count in call.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    reconnected = sum(report["connections"] > 1 for report in received)
    figures = {
        "benchmark": "assist_latency", "calls": len(calls), "clients": len(received), "browsers": len(shown),
        "seconds": options.seconds, "final_lines": finals, "partials": partials, "cards": cards,
        "events": events,
        "dom_ms": {"n": len(dom), **percentiles(dom)},
        "websocket_ms": {"n": len(websocket), **percentiles(websocket)},
        "think_ms": percentiles(think), "queue_ms": percentiles(queue),
        "lost": lost, "repeated": repeated, "reconnected": reconnected, "killed_web": bool(options.kill),
        "statuses": statuses, "retries": sum(call.connection.retries for call in calls),
        "cores": {name: round(value, 2) for name, value in used.items()}, "generator_late_ms": late,
    }  # fmt: skip
    _show(figures)
    return figures


def _show(figures: dict[str, Any]) -> None:
    print(
        f"{figures['final_lines']} final lines, {figures['partials']} partials"
        f" ({PARTIALS_PER_S:g}/s a call), {figures['cards']} cards, answers by status {figures['statuses']}"
    )
    for name, title in (
        ("dom_ms", "final words → card in the DOM"),
        ("websocket_ms", "final words → card at the WebSocket client"),
    ):
        print(f"{title:45} {figures[name]}")
    print(
        f"{'in the inbox':45} {figures['queue_ms']}\n{'understand, follow, advise':45} {figures['think_ms']}"
    )
    print(f"cores used: {figures['cores']} (generator, clients and browsers are the load)")
    print(f"the generator's own lateness, ms: {figures['generator_late_ms']}")
    print(
        f"web process killed: {figures['killed_web']}; {figures['reconnected']} clients resumed elsewhere,"
        f" {figures['lost']} events lost, {figures['repeated']} repeated"
    )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--browsers", type=int, default=2)
    parser.add_argument("--webs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--ears", type=int, default=2, help="calls by sound after that, 0 for none")
    parser.add_argument("--no-kill", dest="kill", action="store_false")
    finish(asyncio.run(run(parser.parse_args())))


if __name__ == "__main__":
    main()
