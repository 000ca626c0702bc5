"""`huashu up`: everything on this machine, kept running until Ctrl-C: Redis, brains, voices, assist, web."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
from typing import TYPE_CHECKING, Any

from commands.json_lines import complain

if TYPE_CHECKING:
    from bot.processes.supervisor import Supervisor

_WEB_OPTIONS = ("host", "port", "origin", "tls_cert", "tls_key", "behind_proxy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu up`: those of the web server too."""
    from assist.web import add_arguments as web_arguments

    web_arguments(parser)
    parser.add_argument(
        "--script", action="append", default=[], help="只要这些话术 / only these (repeatable)"
    )
    parser.add_argument("--workers", type=int, default=1, help="坐席辅助进程数 / assist workers")
    parser.add_argument("--brains", type=int, default=1, help="机器人大脑进程数 / brains")
    parser.add_argument("--voices", type=int, default=1, help="机器人语音进程数 / voice processes")
    parser.add_argument("--database", default=os.environ.get("DATABASE_URL"), help="数据库 / database URL")


def run(arguments: argparse.Namespace) -> int:
    """Run everything; 0 after Ctrl-C or SIGTERM, 1 where it cannot start."""
    from assist.web import WebServerError, check_options
    from bot.dialogue.script_files import script_names
    from commands.assist_processes import FAULTS, check_port, faults_of

    try:
        for name, count in (("workers", arguments.workers), ("brains", arguments.brains)):
            if count < 1:
                raise ValueError(f"--{name} {count} → at least 1 / 至少为 1")
        check_options(argparse.Namespace(**{**vars(arguments), "redis": "its own or REDIS_URL"}))
        check_port(arguments.host, arguments.port)
        bots, assisted = _prepare(arguments.script or script_names())
        if not bots and not assisted:
            complain("没有可用的话术 / no script can be used: mend what is named above")
            return 1
        return asyncio.run(_up(arguments, bots, assisted))
    except WebServerError as error:
        complain(str(error))
        return 1
    except (*FAULTS, ExceptionGroup) as error:
        for fault in faults_of(error):
            complain(str(fault))
        return 1


async def _up(arguments: argparse.Namespace, bots: list[str], assisted: list[str]) -> int:
    from bot.processes.supervisor import Supervisor
    from bot.speech.models import installed
    from commands.assist_processes import assist_processes
    from commands.progress import working

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    ears = installed("pocketsphinx-zh")
    here = Supervisor(
        bots,
        brains=arguments.brains if bots else 0,
        voices=arguments.voices if bots else 0,
        recogniser=["--listen", "127.0.0.1:0"] if ears and bots else None,
        database_url=arguments.database,
        others=assist_processes([*assisted, *bots], workers=arguments.workers, web=_web_words(arguments)),
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    starting = asyncio.create_task(here.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        with working("启动进程 / starting the processes"):
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            _welcome(here, arguments, bots, assisted, ears)
            await stop.wait()
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        await here.stop()
    print("话术 · 已全部停止 / all stopped", flush=True)
    return 0


def _prepare(names: list[str]) -> tuple[list[str], list[str]]:
    """Train what is not trained; the scripts for bots, and those for assisted calls.

    One that cannot be used is named and left out: the others must not wait for it.
    """
    from bot.dialogue.script_files import ScriptError, find_script
    from bot.dialogue.training import trained
    from commands.progress import working

    ready: dict[str, list[str]] = {"bot": [], "assist": []}
    for name in names:
        try:
            files = find_script(name)
            with working(f"训练话术 / training {name}"):
                trained(name)
            ready[files.mode].append(name)
        except (ScriptError, ValueError) as error:
            complain(f"{name}: {error}")
    return ready["bot"], ready["assist"]


def _web_words(arguments: argparse.Namespace) -> list[str]:
    """The web server's own options again, as its command line."""
    words: list[str] = []
    for name in _WEB_OPTIONS:
        value: Any = getattr(arguments, name)
        option = "--" + name.replace("_", "-")
        for one in value if isinstance(value, list) else [value]:
            if one is True:
                words.append(option)
            elif one not in (None, False):
                words += [option, str(one)]
    return words


def _welcome(
    here: Supervisor, arguments: argparse.Namespace, bots: list[str], assisted: list[str], ears: bool
) -> None:
    [address] = here.processes["web-1"].ready_words[:1]
    scheme = "https" if arguments.tls_cert else "http"
    base = arguments.origin[0].rstrip("/") if arguments.origin else f"{scheme}://{address}"
    heard = "pocketsphinx" if ears else "无 none: ./huashu models pull pocketsphinx-zh"
    print(
        f"""话术 · 运行中 / running        Ctrl-C 停止 / stops all
  坐席 agent        {base}/agent
  班长 supervisor   {base}/supervisor
  用户 people       ./huashu users add NAME --role agent
  话术 scripts      机器人 bot: {" ".join(bots) or "-"} · 辅助 assist: {" ".join(assisted) or "-"}
  识别 ears         {heard}
  进程 processes    {" ".join(here.processes)}
  Redis             {here.redis_url}
  日志 logs         {here.logs}""",
        flush=True,
    )
