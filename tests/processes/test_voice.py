"""A voice process: holds no Rasa, holds calls to their archived end, answers for each job."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis

from bot.bus import keys
from bot.processes import jobs, script_data
from bot.processes.jobs import SimulatedCall
from bot.processes.voice import VoiceProcess
from bot.store.calls import archived_events, call_outcomes
from bot.store.database import Database
from bot.understanding.completeness import Completeness, dump
from processes.test_brain import VERSIONS, brain

PERSONAS = Path(__file__).parents[2] / "personas"
HANGS_UP_AT_ONCE = """
name: short
zh: 马上挂
en: hangs up at once
script: ringback
contact: {name: 张伟}
expected: {disposition: [hung_up]}
answer_ms: 0
rules:
  - hears: ""
    hang_up: true
    interrupt_after_ms: 200
default: [嗯]
"""


def test_it_holds_no_rasa() -> None:
    program = (
        "import sys, bot.processes.voice; print(sorted({'rasa', 'sklearn', 'spacy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


@contextlib.asynccontextmanager
async def voice(redis: Redis, folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setenv("HUASHU_DATA", str(folder))
    database = Database.open(f"sqlite:///{folder / 'huashu.db'}")
    process = VoiceProcess(redis, "voice-1", database, recogniser=None, calls=2)
    await process.start()
    stop = asyncio.Event()
    task = asyncio.create_task(process.serve(stop))
    try:
        yield database
    finally:
        stop.set()
        await task
        database.close()


def job(call_id: str, persona: Path = PERSONAS / "hangs_up.yml") -> SimulatedCall:
    return SimulatedCall(call_id=call_id, persona=str(persona), asker="test")


async def result(redis: Redis) -> jobs.CallResult:
    async with asyncio.timeout(60):
        return await anext(jobs.results(redis, "test"))


async def test_a_call_is_held_recorded_and_archived(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = {
        "script": "ringback",
        "version": "v1",
        "completeness": dump(Completeness({})),
        "phrases": {},
        "lines": [],
    }
    await script_data.publish(redis, *VERSIONS[0], msgspec.json.encode(data))
    persona = tmp_path / "short.yml"
    persona.write_text(HANGS_UP_AT_ONCE)
    async with brain(redis), voice(redis, tmp_path, monkeypatch) as database:
        await jobs.ask_for(redis, "voice-1", job("c1", persona))
        found = await result(redis)
        with database.read() as connection:
            [outcome] = call_outcomes(connection, "default")
            log = archived_events(connection, "default", "c1")
    assert (found.call_id, found.error) == ("c1", None)
    assert found.disposition == outcome["disposition"]
    assert found.recording is not None
    assert Path(found.recording).stat().st_size > 44
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    assert list((tmp_path / "journal").iterdir()) == []


async def test_a_call_that_no_brain_serves_is_refused_with_a_reason(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with voice(redis, tmp_path, monkeypatch):
        await jobs.ask_for(redis, "voice-1", job("c1"))
        found = await result(redis)
    assert found.error is not None
    assert "no brain serves the script 'ringback'" in found.error


async def test_a_bad_persona_is_told_and_a_job_that_cannot_be_read_is_dropped(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("nmae: x\n")
    async with voice(redis, tmp_path, monkeypatch):
        await redis.xadd(keys.jobs("voice-1"), {"m": b"{"})
        await jobs.ask_for(redis, "voice-1", job("c1", bad))
        found = await result(redis)
        assert await redis.xlen(keys.jobs("voice-1")) == 0
    assert found.error is not None
    assert "bad.yml:1" in found.error


async def test_calls_that_an_earlier_life_did_not_finish_are_told(
    redis: Redis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await jobs.ask_for(redis, "voice-1", job("c1"))
    await anext(jobs.jobs(redis, "voice-1"))  # taken; then the process dies
    async with voice(redis, tmp_path, monkeypatch):
        found = await result(redis)
    assert found == jobs.CallResult(call_id="c1", error="the voice process died in this call")
