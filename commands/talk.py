"""`huashu talk`: talk to the bot from a web page on this machine, by microphone or by typing.

Starts what it needs (Redis, a brain, a recogniser where its model is installed, a voice process with
the page), prints the page's address, serves until Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.json_lines import complain

if TYPE_CHECKING:
    from bot.phone.browser.settings import ScriptChoice

EARS = "pocketsphinx-zh"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `huashu talk`."""
    parser.add_argument("--script", default="ringback", help="话术 / the script (ringback)")
    parser.add_argument("--host", default="127.0.0.1", help="监听地址 / address to serve on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8090, help="端口,0 为任意 / port, 0 for any (8090)")
    parser.add_argument(
        "--origin", action="append", default=[],
        help="在 TLS 代理之后,浏览器看到的网址 / what browsers call it behind a TLS proxy",
    )  # fmt: skip
    parser.add_argument("--database", default=os.environ.get("DATABASE_URL"), help="数据库 / database URL")


def run(arguments: argparse.Namespace) -> int:
    """Serve; 0 after Ctrl-C or SIGTERM, 1 where it cannot start, with the reason."""
    from bot.dialogue.training import trained
    from bot.speech.models import installed
    from commands.assist_processes import FAULTS, check_port, faults_of
    from commands.progress import working

    try:
        check_host(arguments.host, arguments.origin)
        if arguments.port:
            check_port(arguments.host, arguments.port)
        choice = choice_of(arguments.script)
        ears = installed(EARS)
        phones = write_phones(arguments, choice, ears)
        with working(f"训练话术 / training {choice.name}"):
            trained(choice.name)
        return asyncio.run(_talk(arguments, choice, phones, ears))
    except (*FAULTS, OSError, ExceptionGroup) as error:
        for fault in faults_of(error):
            complain(str(fault))
        return 1


def check_host(host: str, origins: Sequence[str]) -> None:
    """Raises ValueError where people's voices would cross a network in the clear."""
    for origin in origins:
        if not origin.startswith("https://") or origin.rstrip("/").count("/") != 2:
            raise ValueError(f"--origin '{origin}' → https://HOST[:PORT], nothing after it / 只写到主机")
    if host not in ("127.0.0.1", "localhost", "::1") and not origins:
        raise ValueError(
            f"plain HTTP on {host} would carry voices in the clear, and browsers give no microphone there"
            " → put a TLS proxy before it and name its address: --origin https://HOST"
            f" / {host} 上没有 TLS,浏览器不给麦克风:请在前面放 TLS 代理,并用 --origin 指明网址"
        )


def choice_of(script: str) -> ScriptChoice:
    """What the page offers of a script.  Raises ScriptError, YamlError, ValueError (not a bot's)."""
    from actions.script import Script, load_settings
    from bot.dialogue.script_files import find_script
    from bot.phone.browser.settings import ScriptChoice, fields_for

    settings = load_settings(find_script(script).folder / "script.yml")
    if not isinstance(settings, Script):
        raise ValueError(
            f"'{script}' assists a person, it does not speak → ./huashu demo assist"
            f" / 话术 '{script}' 用于辅助坐席,不能自己说话"
        )
    title, needs = settings.title, settings.needs_contact
    return ScriptChoice(name=script, zh=title.zh, en=title.en, fields=fields_for(needs))


def write_phones(arguments: argparse.Namespace, choice: ScriptChoice, ears: bool) -> Path:
    """The lines' settings for the voice process, in the data folder.  Raises DataFolderError, OSError."""
    import msgspec

    from bot.data_folder import data_folder
    from bot.phone.browser.settings import TEXT_EARS, BrowserSettings
    from bot.phone.settings import read_phones

    browser = BrowserSettings(
        origins=tuple(origin.rstrip("/") for origin in arguments.origin),
        ears=EARS if ears else TEXT_EARS,
        scripts=(choice,),
    )
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    lines: dict[str, Any] = {"web": f"{host}:{arguments.port}", "script": choice.name, "browser": browser}
    path = data_folder("talk") / f"phones-{arguments.port}.yml"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(lines)))  # JSON is YAML
    read_phones(path)
    return path


async def _talk(arguments: argparse.Namespace, choice: ScriptChoice, phones: Path, ears: bool) -> int:
    from bot.processes.supervisor import Supervisor
    from commands.progress import working

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    here = Supervisor(
        [choice.name], voices=1, voice_words=["--phones", str(phones)],
        recogniser=["--listen", "127.0.0.1:0"] if ears else None, database_url=arguments.database,
    )  # fmt: skip
    starting = asyncio.create_task(here.start())
    stopping = asyncio.create_task(stop.wait())
    try:
        with working("启动进程 / starting the processes"):
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            address = here.processes["voice-1"].ready_words[-1]
            _welcome(arguments, choice, address, ears)
            await stop.wait()
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        await here.stop()
    print("话术 · 已停止 / stopped", file=sys.stderr, flush=True)
    return 0


def _welcome(arguments: argparse.Namespace, choice: ScriptChoice, address: str, ears: bool) -> None:
    base = arguments.origin[0].rstrip("/") if arguments.origin else f"http://{address}"
    heard = EARS if ears else f"打字 typing(语音 for speech: ./huashu models pull {EARS})"
    print(
        f"""话术 · 网页通话 / talk to the bot        Ctrl-C 停止 / stops
  网页 page     {base}/talk
  话术 script   {choice.name} · {choice.zh} / {choice.en}
  识别 ears     {heard}""",
        flush=True,
    )
