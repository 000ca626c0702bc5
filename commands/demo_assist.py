"""`huashu demo assist`: simulated agents and customers talk in real time; the pages are at an address."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from commands.json_lines import complain

if TYPE_CHECKING:
    from bot.events import AnyEvent
    from bot.phone.conversation import Conversation
    from bot.processes.supervisor import Supervisor
    from commands.assist_lines import AssistLines
    from commands.played_calls import Played, Stage

BETWEEN_CALLS_S = 3.0
HOST = "127.0.0.1"
LEAD = "demo-lead"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments that only `huashu demo assist` has."""
    own = parser.add_argument_group("demo assist")
    own.add_argument("--call", action="append", default=[], help="只放这几段对话 / only these (repeatable)")
    own.add_argument("--calls", type=int, help="放几通后结束 / end after so many calls")
    own.add_argument("--once", action="store_true", help="每段对话一遍后结束 / each conversation once")
    own.add_argument("--agents", type=int, default=3, help="坐席数 / agents who talk at once")
    own.add_argument("--port", type=int, default=8080, help="网页端口 / port of the pages")
    own.add_argument(
        "--headless-check",
        action="store_true",
        help="全部同时放一遍,检查该出的提示都出了 / all at once, checked; no page needed",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the demo until Ctrl-C, or as many calls as asked; 0 where every call was held (and, with
    --headless-check, brought the advice that its conversation asks for)."""
    from bot.dialogue.training import trained
    from commands.assist_processes import FAULTS, check_port, faults_of
    from commands.played_calls import conversations
    from commands.progress import working
    from commands.simulated_calls import check_ears

    try:
        chosen = conversations(arguments.call)
        check_ears(arguments.by_ear)
        if min(arguments.agents, 1 if arguments.calls is None else arguments.calls) < 1:
            raise ValueError("--agents and --calls must be at least 1 / 至少为 1")
        check_port(HOST, arguments.port)
        scripts = sorted({conversation.script for conversation in chosen})
        for script in scripts:
            with working(f"训练话术 / training {script}"):
                trained(script)
        return asyncio.run(_demo(arguments, chosen, scripts))
    except (*FAULTS, ExceptionGroup) as error:
        for fault in faults_of(error):
            complain(str(fault))
        return 1


async def _demo(arguments: argparse.Namespace, chosen: list[Conversation], scripts: list[str]) -> int:
    from bot.bus import connect
    from bot.data_folder import data_folder
    from bot.processes.supervisor import Supervisor
    from bot.speech.providers import open_recogniser
    from commands.assist_processes import assist_processes, people_for_demo
    from commands.played_calls import Stage
    from commands.progress import working

    agents = [f"demo-{number}" for number in range(1, arguments.agents + 1)]
    if arguments.headless_check:
        agents = [f"demo-{number}" for number in range(1, len(chosen) + 1)]
    roles = {**dict.fromkeys(agents, "agent"), LEAD: "supervisor"}
    with working("准备坐席 / preparing the agents"):
        database = f"sqlite:///{data_folder('demo') / 'demo.db'}"  # its calls teach nothing and stay apart
        passwords = await asyncio.to_thread(people_for_demo, roles, database)
    with working("启动进程 / starting the processes: Redis, assist worker, web"):
        web = ["--host", HOST, "--port", str(arguments.port)]
        others = assist_processes(scripts, web=web)
        here = Supervisor([], brains=0, database_url=database, others=others)
        await here.start()
    try:
        redis = connect(here.redis_url)
        try:
            ears = open_recogniser("pocketsphinx") if arguments.by_ear else None
            stage = Stage(redis, ears)
            _welcome(here, agents[0], passwords, arguments.by_ear)
            return await _talk(stage, chosen, agents, arguments)
        finally:
            await redis.aclose()
    finally:
        await here.stop()


async def _talk(
    stage: Stage, chosen: list[Conversation], agents: list[str], arguments: argparse.Namespace
) -> int:
    """Each agent takes the next conversation as soon as the last is over; the first one's is shown."""
    from commands.assist_lines import AssistLines

    waiting = _in_turn(chosen, arguments)
    over: list[tuple[Played, list[float]]] = []

    async def work(agent: str, *, shown: bool) -> None:
        for conversation in waiting:
            if shown:
                print(f"\n═══ {conversation.zh} / {conversation.en}", flush=True)
            lines = AssistLines()
            played = await stage.play(conversation, agent, partial(_show, lines, shown=shown))
            over.append((played, lines.latencies))
            if shown:
                await asyncio.sleep(BETWEEN_CALLS_S)

    async with asyncio.TaskGroup() as group:
        for agent in agents:
            group.create_task(work(agent, shown=agent == agents[0] and not arguments.headless_check))
    return _report(over, strict=arguments.headless_check)


def _in_turn(chosen: list[Conversation], arguments: argparse.Namespace) -> Iterator[Conversation]:
    """The conversations in the order in which they are played."""
    if arguments.calls is not None:
        return itertools.islice(itertools.cycle(chosen), arguments.calls)
    if arguments.once or arguments.headless_check:
        return iter(chosen)
    return itertools.cycle(chosen)


def _show(lines: AssistLines, event: AnyEvent, *, shown: bool) -> None:
    for line in lines.take(event):
        if shown:
            print(line, flush=True)


def _welcome(here: Supervisor, agent: str, passwords: dict[str, str], by_ear: bool) -> None:
    address = here.processes["web-1"].ready_words[0]
    ears = "pocketsphinx,双声道" if by_ear else "文字 hears text(按声音的时间给出)"
    print(
        f"""话术 · 实时辅助演示 / live assist demo        Ctrl-C 结束 / ends it
  坐席 agent        http://{address}/agent       {agent} / {passwords[agent]}
  班长 supervisor   http://{address}/supervisor  {LEAD} / {passwords[LEAD]}
  耳朵 ears         {ears}
  日志 logs         {here.logs}""",
        flush=True,
    )


def _report(over: list[tuple[Played, list[float]]], *, strict: bool) -> int:
    """What came of the calls; the exit code."""
    for played, _ in over:
        if played.error:
            complain(f"{played.conversation.name}: {played.error}")
        for what in played.missing if strict else []:
            complain(what)
    waits = sorted(ms for _, latencies in over for ms in latencies)
    if waits:
        p95 = waits[int(len(waits) * 0.95)]
        print(
            f"定稿到出卡 / final text → card: p50 {statistics.median(waits):.0f} ms, p95 {p95:.0f} ms, "
            f"{len(waits)} times"
        )
    bad = [played for played, _ in over if played.error or (strict and (played.missing or not played.cards))]
    print(f"{len(over) - len(bad)} / {len(over)} 如期 / as expected")
    return int(bool(bad))
