"""`huashu voice`: the bot on phone lines: media WebSockets, AudioSocket, a page to talk to it.

    huashu voice --listen 127.0.0.1:8765 --script ringback --ears script
    huashu voice --phones phones.yml

Starts what it needs (Redis, a brain, a recogniser where its model is installed), prints one line
`ready HOST:PORT`, serves until Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from commands.json_lines import complain

if TYPE_CHECKING:
    from bot.phone.settings import PhoneSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu voice`."""
    parser.add_argument(
        "--listen", metavar="HOST:PORT",
        help="媒体 WebSocket(/twilio 等);AudioSocket 在下一个端口 / media WebSockets, AudioSocket at PORT+1",
    )  # fmt: skip
    parser.add_argument("--script", help="来电都用这个话术 / the script of every call that comes in")
    parser.add_argument(
        "--ears", choices=("script",), help="文字由线路送来,不做识别 / the line itself delivers the words"
    )
    parser.add_argument("--web", metavar="HOST:PORT", help="网页通话 / the page to talk from a browser")
    parser.add_argument("--phones", type=Path, help="线路配置 / settings of the lines (phones.yml)")
    parser.add_argument("--calls", type=int, default=150, help="每进程最多同时通话 / calls at once a process")
    parser.add_argument("--voices", type=int, default=1, help="语音进程数 / voice processes")
    parser.add_argument("--brains", type=int, default=1, help="大脑进程数 / brains")
    parser.add_argument("--database", default=os.environ.get("DATABASE_URL"), help="数据库 / database URL")


def run(arguments: argparse.Namespace) -> int:
    """Serve; 0 after Ctrl-C or SIGTERM, 1 where it cannot start."""
    from bot.dialogue.script_files import ScriptError, script_names
    from bot.phone.settings import evaluation_phones, read_phones
    from bot.processes.managed import ProcessFailed
    from bot.redis_server import RedisServerError
    from bot.typed_yaml import YamlError

    try:
        if arguments.phones is not None:
            phones = read_phones(arguments.phones)
        else:
            phones = evaluation_phones(
                arguments.listen, arguments.script, arguments.web, arguments.ears
            )
        if phones.listen is None and phones.web is None:
            raise ValueError("没有线路 / no lines → --listen, --web, --phones")
        scripts = _scripts(phones, script_names())
        return asyncio.run(_serve(arguments, phones, scripts))
    except (YamlError, ScriptError, ProcessFailed, RedisServerError, ValueError, OSError) as error:
        complain(str(error))
        return 1
    except ExceptionGroup as group:
        for fault in group.exceptions:
            complain(str(fault))
        return 1


def _scripts(phones: PhoneSettings, known: list[str]) -> list[str]:
    """The scripts that the lines need.  Raises ValueError for one that there is not."""
    import difflib

    wanted = {route.script for route in phones.inbound.routes if route.script}
    if phones.script:
        wanted.add(phones.script)
    for name in sorted(wanted - set(known)):
        near = difflib.get_close_matches(name, known, n=1) or known[:1]
        raise ValueError(f"没有话术 '{name}' / no script is called '{name}' → {', '.join(near)}?")
    if not wanted and not phones.assist.agents:
        raise ValueError("没有话术:用 --script 指定 / no script for these lines: name one with --script")
    return sorted(wanted)


async def _serve(arguments: argparse.Namespace, phones: PhoneSettings, scripts: list[str]) -> int:
    from bot.processes.supervisor import Supervisor
    from bot.speech.models import installed
    from commands.progress import working

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    listens = phones.ears != "script" and installed("pocketsphinx-zh")
    words = ["--calls", str(arguments.calls)]
    words += ["--share-ports"] if arguments.voices > 1 else []
    for name in ("listen", "script", "ears", "web", "phones"):
        value = getattr(arguments, name)
        words += [f"--{name}", str(value)] if value is not None else []
    here = Supervisor(
        scripts, brains=arguments.brains, voices=arguments.voices, voice_words=words,
        recogniser=["--listen", "127.0.0.1:0"] if listens else None, database_url=arguments.database,
    )  # fmt: skip
    starting = asyncio.create_task(here.start())
    with working("训练话术、启动服务 / training scripts, starting"):
        await asyncio.wait((starting, asyncio.create_task(stop.wait())), return_when="FIRST_COMPLETED")
    try:
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            return 0
        await starting
        media, *others = here.processes["voice-1"].ready_words[1:]
        print(f"ready {media}", flush=True)
        for page in others:
            print(f"网页 / page http://{page}/talk", file=sys.stderr, flush=True)
        await stop.wait()
    finally:
        await here.stop()
    return 0
