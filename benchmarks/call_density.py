"""How many calls one core holds: the engine on one core, the callers on the other.

    python -m benchmarks.call_density [--engines whole scripted vad smart_turn] [--calls 20 40 80 120 150]
                                      [--seconds 20]

The callers (_twilio_caller) speak Twilio Media Streams over real WebSockets and answer the bot whenever
it has finished: some 40 % of the time they talk.  Recognition is stubbed on both sides: the words come
from the caller 200 ms behind the sound.  Engines:
  whole       everything of ours that a call needs but ears: voice, brain (Rasa), Redis, SQLite, recordings
  scripted    the same without the brain: prompts in order, as Pipecat is given them
  vad, smart_turn   Pipecat 1.14 as in benchmarks.versus_pipecat
Steps go up until the lateness of frames passes 20 ms at p99: a frame that is due in a running line and
is not there.  Measured at each step: CPU of the engine and all its processes for a second of call,
lateness of frames, calls that were refused.  `callers` is the lateness of the callers' own clock: where
that is large too, the figure is theirs.  The last line is one JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import uvloop

from benchmarks import _talks as talks
from benchmarks._engines import Engine, EngineFailed, free_port, pinned_caller
from benchmarks._pipecat_env import NoPipecat
from benchmarks._report import finish, machine, of_counts
from benchmarks._turns_of_callers import Answers, read_utterances, speech_of
from benchmarks._twilio_caller import Caller, CallFailed, Clock
from benchmarks._versus_configs import PIPECAT, Config, questions

LATE_MS = 20
WARM_UP_S = 6.0
DIAL_EVERY_S = 0.06
CONTACT = {
    "id": "density", "name": "张三", "sex": "男", "phone": "13800000000", "monthly_fee_ringback": "5",
    "id_last4": "0527",
}  # fmt: skip
SAID = (
    "喂你好", "嗯对是我", "你说吧", "多少钱一个月啊", "那怎么退呢", "我考虑一下吧", "没听清你再说一遍",
    "哦这样啊那行", "我现在用着呢", "你们是哪家公司的", "好的好的", "不太需要吧这个",
)  # fmt: skip
"""What callers say to the real dialogue, in turn, whatever it asks."""


class Load:
    """So many calls at once on one engine."""

    def __init__(self, name: str, config: Config, port: int, engine: Engine) -> None:
        self._name, self._config, self._port, self._engine = name, config, port, engine
        self._whole = frozenset() if name == "whole" else frozenset(p.frames for p in config.prompts)
        self._clock = Clock()
        self._callers: list[Caller] = []
        self._tasks: list[asyncio.Task[None]] = []
        self.refused = self.ended = 0

    async def step(self, calls: int, seconds: float) -> dict[str, Any]:
        """Bring it to `calls` calls, let it settle, measure for `seconds`."""
        if not self._tasks:
            self._clock.start()
        for number in range(len(self._tasks), calls):
            self._tasks.append(asyncio.create_task(self._caller(number)))
            await asyncio.sleep(DIAL_EVERY_S)
        await asyncio.sleep(WARM_UP_S)
        gc.collect()
        self.refused = self.ended = 0
        late, own = self._late(), list(self._clock.late)
        frames, cpu_s = self._frames(), self._engine.cpu_s()
        await asyncio.sleep(seconds)
        spoken_s = (self._frames() - frames) * 0.02
        found = {
            "calls": calls,
            "up": round(spoken_s / seconds, 1),
            "cpu_ms_a_call_second": round(1000 * (self._engine.cpu_s() - cpu_s) / max(1.0, spoken_s), 2),
            "core": round((self._engine.cpu_s() - cpu_s) / seconds, 3),
            "late_ms": of_counts([now - then for now, then in zip(self._late(), late, strict=True)]),
            "callers_late_ms": of_counts([n - t for n, t in zip(self._clock.late, own, strict=True)]),
            "refused": self.refused,
        }
        print(f"  {msgspec.json.encode(found).decode()}", file=sys.stderr, flush=True)
        return found

    async def stop(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(caller.hang_up() for caller in self._callers if not caller.ended))
        await self._clock.stop()

    def _late(self) -> list[int]:
        return [sum(counts) for counts in zip(*(c.play_out.late for c in self._callers), strict=True)]

    def _frames(self) -> int:
        return sum(caller.frames_sent for caller in self._callers)

    async def _caller(self, number: int) -> None:
        """One line that is always in use: the next call when one is over."""
        random = Random(number)
        answers = Answers(read_utterances(), random)
        url = f"ws://127.0.0.1:{self._port}/twilio"
        while True:
            try:
                parameters = {"contact": msgspec.json.encode(CONTACT).decode()}
                sid = "CA" + uuid.uuid4().hex
                caller = await Caller.dial(self._clock, url, sid, parameters, self._whole)
                self._callers.append(caller)
                if self._name == "whole":
                    await _talk(caller, random)
                else:
                    found = talks.Found()
                    await talks.answer(caller, self._config.prompts, answers, 1000, random, found)
            except CallFailed:
                self.ended += 1
            else:
                await caller.hang_up()
            await asyncio.sleep(0.5)


async def _talk(caller: Caller, random: Random) -> None:
    """Answer the real dialogue until it hangs up (CallFailed)."""
    said = list(SAID)
    random.shuffle(said)
    for text in (*said, *said):
        await caller.until(lambda now: caller.play_out.quiet_s(now) >= talks.QUIET_S or None, 40.0)
        await asyncio.sleep(random.uniform(0.1, 0.8))
        speech = speech_of([text])
        caller.speak(speech)
        await asyncio.sleep(speech.sound_s + 1.0)


def _engine(name: str, config: Config, port: int) -> Engine:
    if name != "whole":
        return config.engine(port)
    command = [sys.executable, "-m", "commands.main", "voice", "--listen", f"127.0.0.1:{port}"]
    command += ["--script", "ringback", "--ears", "script", "--calls", "1000"]
    return Engine(
        [*command, "--database", f"sqlite:///{config.folder / 'calls.db'}"], port, config.folder / "log"
    )


async def measure(name: str, options: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """The steps of one engine, until frames come too late."""
    port = free_port()
    config = Config("ours" if name in ("whole", "scripted") else name, questions(1), folder)
    engine = _engine(name, config, port)
    print(f"{name}: starting", file=sys.stderr, flush=True)
    await asyncio.to_thread(engine.start)
    load = Load(name, config, port, engine)
    steps: list[dict[str, Any]] = []
    try:
        for calls in options.calls:
            if name in PIPECAT and calls > 40 and steps and steps[-1]["core"] > 0.9:
                break
            steps.append(await load.step(calls, options.seconds))
            if steps[-1]["late_ms"].get("p99", 0) > LATE_MS or steps[-1]["up"] < 0.8 * calls:
                break
        await load.stop()
    finally:
        await asyncio.to_thread(engine.stop)
    return steps


def _held(steps: Sequence[dict[str, Any]]) -> int:
    """The most calls at once before frames came too late."""
    good = [step for step in steps if step["late_ms"].get("p99", 0) <= LATE_MS]
    return max((step["calls"] for step in good if step["up"] >= 0.8 * step["calls"]), default=0)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    engines = ("whole", "scripted", *PIPECAT)
    parser.add_argument("--engines", nargs="+", choices=engines, default=["whole", "scripted", "vad"])
    parser.add_argument("--calls", type=int, nargs="+", default=[5, 10, 20, 40, 80, 100, 120, 140])
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    print(f"machine: {machine()}")
    results: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="density-") as folder, pinned_caller() as pinned:
        for name in options.engines:
            place = Path(folder) / name
            place.mkdir()
            try:
                results[name] = uvloop.run(measure(name, options, place))
            except (EngineFailed, NoPipecat) as failure:
                print(f"{name}: {failure}", file=sys.stderr)
    print("engine        calls  at once  CPU ms a call-s  core   late p50/p95/p99 ms   callers' p99")
    for name, steps in results.items():
        for step in steps:
            late, own = step["late_ms"], step["callers_late_ms"]
            print(
                f"{name:12} {step['calls']:6} {step['up']:8} {step['cpu_ms_a_call_second']:16}"
                f" {step['core']:5}   {late.get('p50')} / {late.get('p95')} / {late.get('p99')}"
                f"   {own.get('p99')}"
            )
    held = {name: _held(steps) for name, steps in results.items()}
    print(f"calls at once with frames under {LATE_MS} ms late at p99: {held}")
    finish({"benchmark": "call_density", "pinned": pinned, "held": held, "steps": results})


if __name__ == "__main__":
    main()
