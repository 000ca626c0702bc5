"""Faults between processes: what COMPLIANCE asks to hold, with real processes and a real Redis."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from bot.bus import connect
from bot.processes.remote_brain import RemoteBrain
from bot.redis_server import PrivateRedis
from processes.test_brain import turn

PROGRAM = Path(__file__).with_name("fake_engine.py")


class Brains:
    """Brain processes of a test."""

    def __init__(self, url: str, effects: Path) -> None:
        self.url, self.effects = url, effects
        self.processes: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str, *words: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": f"{Path.cwd()}:{PROGRAM.parent.parent}"}
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), self.url, name, str(self.effects), *words],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        self.processes[name] = process
        assert self.line(name) == "ready"
        return process

    def line(self, name: str) -> str:
        stdout = self.processes[name].stdout
        assert stdout is not None
        return stdout.readline().strip()


@pytest.fixture
def brains(shared_server: PrivateRedis, tmp_path: Path) -> Iterator[Brains]:
    found = Brains(shared_server.url, tmp_path / "effects")
    yield found
    for process in found.processes.values():
        process.kill()
        process.wait()


@pytest_asyncio.fixture
async def voice(redis: Redis) -> AsyncIterator[RemoteBrain]:
    remote = RemoteBrain(redis, "v1")
    yield remote
    await remote.stop()


async def test_a_brain_killed_in_mid_call_is_replaced_and_the_call_goes_on(
    brains: Brains, voice: RemoteBrain
) -> None:
    brains.start("b1")
    await voice.start()
    for number in range(3):
        await voice.ask(turn(number, f"t{number}"))
    brains.start("b2")
    brains.processes["b1"].send_signal(signal.SIGKILL)
    async with asyncio.timeout(10):
        reply = await voice.ask(turn(3, "t3", deadline_ms=9000))
    assert reply.text == "3:t0,t1,t2,t3"


async def test_a_brain_killed_between_effect_and_answer_leads_to_no_second_effect(
    brains: Brains, voice: RemoteBrain
) -> None:
    brains.start("b1", "hangs")
    await voice.start()
    await voice.ask(turn(0, "open"))
    brains.start("b2")
    ask = asyncio.create_task(voice.ask(turn(1, "order", deadline_ms=9000)))
    assert await asyncio.to_thread(brains.line, "b1") == "effect"
    brains.processes["b1"].send_signal(signal.SIGKILL)
    async with asyncio.timeout(10):
        assert (await ask).text == "1:open,order"
    assert brains.effects.read_text().split() == ["c1/order"]


async def test_a_brain_stopped_and_resumed_cannot_write_and_ends(brains: Brains, voice: RemoteBrain) -> None:
    first = brains.start("b1")
    await voice.start()
    await voice.ask(turn(0, "open"))
    brains.start("b2")
    os.kill(first.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WNOWAIT)
    assert (await voice.ask(turn(1, "x", deadline_ms=9000))).text == "1:open,x"
    os.kill(first.pid, signal.SIGCONT)  # it finds the turn in its inbox, and the call taken
    assert (await voice.ask(turn(2, "y"))).text == "2:open,x,y"


async def test_a_brain_started_again_under_its_name_goes_on_with_its_calls(
    brains: Brains, voice: RemoteBrain
) -> None:
    brains.start("b1")
    await voice.start()
    await voice.ask(turn(0, "open"))
    brains.processes["b1"].kill()
    ask = asyncio.create_task(voice.ask(turn(1, "x", deadline_ms=20_000)))
    await asyncio.to_thread(brains.start, "b1")
    assert (await ask).text == "1:open,x"


async def test_redis_killed_and_restarted_the_call_goes_on(tmp_path: Path) -> None:
    with PrivateRedis(tmp_path) as server:
        brains = Brains(server.url, tmp_path / "effects")
        client = connect(server.url)
        voice = RemoteBrain(client, "v1")
        try:
            await asyncio.to_thread(brains.start, "b1")
            await voice.start()
            await voice.ask(turn(0, "open"))
            os.kill(server.pid(), signal.SIGKILL)
            with pytest.raises(TimeoutError, match="Redis"):
                await voice.ask(turn(1, "x", deadline_ms=300))
            await asyncio.to_thread(server.restart)
            assert (await voice.ask(turn(1, "x", deadline_ms=20_000))).text == "1:open,x"
        finally:
            await voice.stop()
            await client.aclose()
            for process in brains.processes.values():
                process.kill()
                with contextlib.suppress(ProcessLookupError):
                    process.wait()
