"""Processes of one machine: kept running, explained where they cannot, gone when their owner is."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.bus import connect
from bot.processes import managed as module
from bot.processes.managed import Managed, ProcessFailed
from bot.processes.supervisor import Other, Supervisor

SERVES = "import os, sys, time; print('hello'); print('ready', os.getpid(), flush=True); time.sleep(3600)"


def ending(pid: int) -> asyncio.Future[None]:
    """Done when that process, not a child of ours, has ended; fails after ten seconds."""
    handle = os.pidfd_open(pid)
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        loop.remove_reader(handle)
        os.close(handle)
        ended.set_result(None)

    loop.add_reader(handle, settle)
    return asyncio.ensure_future(asyncio.wait_for(ended, 10))


def child(tmp_path: Path, program: str = SERVES) -> Managed:
    return Managed("child", [sys.executable, "-c", program], tmp_path / "log")


async def test_it_is_started_again_when_it_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0.0,))
    process = child(tmp_path)
    [first] = await process.start()
    os.kill(int(first), signal.SIGKILL)
    while process.starts < 2:
        await asyncio.sleep(0)
    await process.wait_until_up()
    [second] = process.ready_words
    assert second != first
    ended = ending(int(second))
    await process.stop()
    await ended


async def test_one_that_cannot_start_is_explained(tmp_path: Path) -> None:
    process = child(tmp_path, "import sys; sys.exit('no model: run huashu models pull')")
    with pytest.raises(ProcessFailed, match=r"(?s)code 1.*huashu models pull"):
        await process.start()


async def test_one_that_is_silent_is_given_up(tmp_path: Path) -> None:
    process = child(tmp_path, "import time; time.sleep(3600)")
    with pytest.raises(ProcessFailed, match="not ready"):
        await process.start(timeout_s=0.3)


async def test_one_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_S", 0.3)
    process = child(tmp_path, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVES)
    [pid] = await process.start()
    ended = ending(int(pid))
    await process.stop()
    await ended


async def test_the_children_end_when_their_owner_is_killed(tmp_path: Path) -> None:
    program = f"""
import asyncio, pathlib, sys
from bot.processes.managed import Managed
async def main():
    process = Managed("child", [sys.executable, "-c", {SERVES!r}], pathlib.Path({str(tmp_path / "log")!r}))
    print(*await process.start(), flush=True)
    await asyncio.sleep(3600)
asyncio.run(main())
"""
    owner = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    ended = ending(pid)
    owner.kill()
    owner.wait()
    await ended


async def test_a_private_redis_that_dies_comes_back_and_ends_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))
    monkeypatch.delenv("REDIS_URL", raising=False)
    async with Supervisor([], brains=0) as here:
        assert here.redis is not None
        client = connect(here.redis_url)
        await client.set("k", "v")
        before = here.redis.pid()
        os.kill(before, signal.SIGKILL)
        value = None
        while value is None:
            try:
                value = await client.get("k")
            except Exception:
                await asyncio.sleep(0.05)
        assert value == b"v"
        assert here.redis.pid() != before
        await client.aclose()
    assert list((tmp_path / "redis").iterdir()) == []


async def test_a_process_of_another_package_is_kept_running_with_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0.0,))
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.delenv("REDIS_URL", raising=False)
    program = "import os, sys, time; print('ready', os.getpid(), *sys.argv[1:], flush=True); time.sleep(3600)"
    (tmp_path / "elsewhere.py").write_text(program)
    other = Other("assist-1", "elsewhere", ("--scripts", "bundle"))
    async with Supervisor([], brains=0, others=[other]) as here:
        process = here.processes["assist-1"]
        first, *words = process.ready_words
        assert words == ["--scripts", "bundle", "--redis", here.redis_url, "--name", "assist-1"]
        os.kill(int(first), signal.SIGKILL)
        while process.starts < 2:
            await asyncio.sleep(0)
        await process.wait_until_up()
        second = ending(int(process.ready_words[0]))
    await second


async def test_a_brain_that_cannot_load_stops_all_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUASHU_DATA", str(tmp_path))
    monkeypatch.delenv("REDIS_URL", raising=False)
    here = Supervisor(["no_such_script"])
    with pytest.raises(ExceptionGroup) as caught:
        await here.start()
    assert caught.group_contains(ProcessFailed, match="no_such_script")
    assert here.redis is None
