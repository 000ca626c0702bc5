"""The stage of tests/whole/test_lines.py: one voice process, and far ends of three switches that live in
real time, each with a clock of its own that may run fast or slow."""

from __future__ import annotations

import asyncio
import audioop
import contextlib
import itertools
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import aiohttp
import msgspec

from bot.bus import connect
from bot.data_folder import PROJECT
from bot.processes import script_data
from bot.processes.managed import Managed
from bot.redis_server import PrivateRedis
from bot.store.calls import archived_events, call_outcomes
from bot.store.database import Database
from bot.understanding.completeness import Completeness, dump
from tests.phone.asterisk.audiosocket_peer import AudioSocketPeer
from tests.phone.freeswitch.module_peer import ForkModule
from tests.phone.freeswitch.peer import Peer
from tests.phone.twilio.peer import SILENCE, Broken, TwilioPeer
from tests.speech.sounds import said
from tests.whole.line_process import SCRIPT, VERSION

LIMIT_S = 30.0
FRAME_S = 0.02
PAUSE_S = 0.6
"""Longer than a pause inside a line of the bot."""

QUIET = bytes(320)
OK, BYE = said("好的"), said("那就这样吧不用了再见谢谢你啊")
_numbers = itertools.count(1)


class Live:
    """A far end: `tick` each 20 ms of its own clock; `drift` 0.02 is a clock that runs 2 % fast."""

    def __init__(self, line_id: str, drift: float = 0.0) -> None:
        self.line_id = line_id
        self.sounds = bytearray()
        self.played = 0
        """Frames from the bot that were not silent."""
        self.over = asyncio.Event()
        self._heard_s = 0.0  # when the bot was last heard
        self._step_s = FRAME_S / (1 + drift)
        self._tasks: list[asyncio.Task[None]] = []

    def live(self, *more: Any) -> Self:
        self._tasks = [asyncio.create_task(work) for work in (self._run(), *more)]
        return self

    async def tick(self, pcm: bytes) -> None:
        """20 ms of the caller's sound."""
        raise NotImplementedError

    async def says(self, text: str) -> None:
        """好的 or 再见."""
        self.sounds += BYE if text == "再见" else OK

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def until(self, holds: Callable[[], Any]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                await asyncio.sleep(FRAME_S)

    async def spoken_to(self, more: int = 10) -> Self:
        """The bot is heard."""
        wanted = self.played + more
        await self.until(lambda: self.played >= wanted)
        return self

    async def turn(self) -> Self:
        """The bot has spoken, and waits."""
        await self.spoken_to()
        loop = asyncio.get_running_loop()
        await self.until(lambda: self.over.is_set() or loop.time() - self._heard_s > PAUSE_S)
        return self

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        with contextlib.suppress(ConnectionError, aiohttp.ClientError, Broken):
            while not self.over.is_set():
                frame = bytes(self.sounds[:320])
                del self.sounds[:320]
                before = self.played
                await self.tick(frame.ljust(320, b"\0"))
                if self.played != before:
                    self._heard_s = loop.time()
                due += self._step_s
                await asyncio.sleep(due - loop.time())


class Twilio(Live):
    """Words come as messages beside the sound."""

    peer: TwilioPeer
    close_code: int | None = None
    broke: str | None = None

    async def tick(self, pcm: bytes) -> None:
        await self.peer.advance(20, SILENCE if pcm == QUIET else audioop.lin2ulaw(pcm, 2))
        self.played = sum(self.peer.played[n] != 0xFF for n in range(0, len(self.peer.played), 160))

    async def says(self, text: str) -> None:
        await super().says(text)
        await self.peer.words(text, final=True)

    async def listens(self) -> None:
        while True:
            try:
                await self.peer.take()
            except Broken as error:
                self.broke = str(error)
                self.close_code = self.peer.socket.close_code
                self.over.set()
                return

    async def close(self) -> None:
        await super().close()
        await self.peer.socket.close()


class AudioSocket(Live):
    peer: AudioSocketPeer

    async def tick(self, pcm: bytes) -> None:
        self.peer.sound(pcm)
        self.played = sum(sound != bytes(len(sound)) for _, sound in self.peer.heard)
        if self.peer.ended.done():
            self.over.set()

    async def close(self) -> None:
        await super().close()
        await self.peer.close()


class FreeSwitch(Live):
    module: ForkModule

    async def tick(self, pcm: bytes) -> None:
        self.played += await self.module.write_frame() != QUIET
        if self.module.socket.closed:
            self.over.set()
        else:
            await self.module.caller_says(pcm)

    async def close(self) -> None:
        await super().close()
        await self.module.close()


class Lines:
    """The process, its Redis and its archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'huashu.db'}"
        self.redis_server = PrivateRedis(folder)
        self.switch = Peer()
        self.lines: list[Live] = []

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.redis_server.start)
        redis = connect(self.redis_server.url)
        data = {"script": SCRIPT, "version": VERSION, "completeness": dump(Completeness({}))}
        published = msgspec.json.encode(data | {"phrases": {}, "lines": []})
        await script_data.publish(redis, SCRIPT, VERSION, published)
        await redis.aclose()
        self.database = Database.open(self.url)
        self.audiosocket_port = _free_port()
        phones = self.folder / "phones.yml"
        phones.write_text(
            f"listen: 127.0.0.1:0\nears: script\nscript: {SCRIPT}\ntwilio: {{}}\n"
            f"asterisk: {{audiosocket: {{port: {self.audiosocket_port}, idle_s: 2, first_message_s: 1}}}}\n"
            f"freeswitch: {{media_url: 'ws://127.0.0.1:1', esl_port: {await self.switch.start()}}}\n"
        )
        command = [sys.executable, "-m", "tests.whole.line_process", "--phones", str(phones)]
        command += ["--redis", self.redis_server.url, "--database", self.url]
        environment = {
            "PYTHONPATH": str(PROJECT), "HUASHU_DATA": str(self.folder), "FREESWITCH_ESL_PASSWORD": "ClueCon",
        }  # fmt: skip
        self.process = Managed("lines", command, self.folder / "lines.log", environment)
        [self.address] = await self.process.start()
        async with asyncio.timeout(LIMIT_S):
            while "event socket at" not in self.log():  # until then it takes no line of FreeSWITCH
                await asyncio.sleep(FRAME_S)
        self.http = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for line in self.lines:
            await line.close()
        await self.process.stop()
        await self.http.close()
        await self.switch.stop()
        self.database.close()
        await asyncio.to_thread(self.redis_server.stop)

    # -- calls

    def twilio_peer(self, sid: str | None = None) -> TwilioPeer:
        number = f"{next(_numbers):06d}"
        return TwilioPeer(
            self.http, f"ws://{self.address}/twilio", call_sid=sid or "CA" + number, stream_sid="MZ" + number
        )

    async def twilio(self, drift: float = 0.0) -> Twilio:
        peer = self.twilio_peer()
        line = Twilio(peer.call_sid, drift)
        line.peer = peer
        await peer.start()
        self.lines.append(line)
        return line.live(line.listens())

    async def audiosocket(self, drift: float = 0.0, *, line_id: UUID | None = None) -> AudioSocket:
        uuid = line_id or UUID(int=next(_numbers))
        line = AudioSocket(str(uuid), drift)
        line.peer = await AudioSocketPeer.connect(self.audiosocket_port, uuid, idle_s=LIMIT_S)
        self.lines.append(line)
        return line.live()

    async def freeswitch(self, drift: float = 0.0) -> FreeSwitch:
        channel = self.switch.new_channel(str(UUID(int=(0xF5 << 120) + next(_numbers))))
        line = FreeSwitch(channel.uuid, drift)
        channel.module = line.module = await self.module(channel.uuid)
        self.lines.append(line)
        return line.live()

    async def module(self, uuid: str, metadata: str | None = "") -> ForkModule:
        """A media socket for a channel; `metadata` None: it says nothing first."""
        module = self.switch.module(uuid)
        assert isinstance(module, ForkModule)
        said_first = f'{{"uuid": "{uuid}"}}' if metadata == "" else metadata
        await module.connect(f"ws://{self.address}/freeswitch/fork", said_first)
        return module

    # -- what became of them

    def outcomes(self) -> dict[str, tuple[str, str, str]]:
        """By line: who ended it, why, disposition."""
        with self.database.read() as connection:
            rows = call_outcomes(connection, "default")
        assert len({row["call_id"] for row in rows}) == len(rows)
        return {row["call_id"]: (row["ended_by"], row["cause"], row["disposition"]) for row in rows}

    async def outcome(self, line_id: str) -> tuple[str, str, str]:
        """As soon as the archive has it."""
        async with asyncio.timeout(LIMIT_S):
            while (found := self.outcomes().get(line_id)) is None:
                await asyncio.sleep(0.05)
        return found

    def events(self, line_id: str) -> list[Any]:
        with self.database.read() as connection:
            return list(archived_events(connection, "default", line_id))

    def log(self) -> str:
        return (self.folder / "lines.log").read_text("utf-8")


def _free_port() -> int:
    """A port that nobody listens on now: what AudioSocket gets is told to nobody."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])
