"""Head to head with Pipecat 1.14: the same callers, words, prompts and machine, one after the other.

    python -m benchmarks.versus_pipecat [--configs ours smart_turn min_words vad] [--calls 1 10]
                                        [--turns 40] [--lines 24]

All of it takes half an hour; `--configs ours smart_turn --calls 1 --turns 6 --lines 4` three minutes.
The engine is pinned to one core, the fake callers (_twilio_caller) to the other; both speak Twilio Media
Streams over a real WebSocket.  Configurations:
  ours        the product's voice process with the same stub dialogue (_scripted_voice)
  smart_turn  Pipecat as it comes: Silero and transcripts begin a turn, LocalSmartTurnAnalyzerV3 ends it.
              Smart Turn was trained on human speech: espeak's voice is not its home ground
  min_words   the same, but only three words interrupt the bot (MinWordsUserTurnStartStrategy)
  vad         Silero with its stop_secs (0.2 s) and SpeechTimeoutUserTurnStopStrategy (0.6 s)
Stubbed on both sides: recognition (the words come from the caller, word by word, 200 ms behind the sound,
a final at each pause), the dialogue (prompts in order, at once), the voice (espeak's sound of the same
prompts, at once).  Not stubbed: voice detection, end of turn, interruption, pacing, protocol.
Pipecat's stubs are in-process and cost it next to nothing (_pipecat_bot).

Measured from what plays at the caller: his last sample → the bot's first sound; cut-offs (the bot sounds
before he is done; one turn in five pauses for 300-1200 ms); while the bot tells a story
(barge_in_lines.tsv): the words that decide → silence, his first sample → the bot's voice lowered or
silent, stops on backchannels, interruptions missed; frames that came too late; CPU of the engine; the
text it keeps of a story that was stopped against what was played.  At one call `--lines` of the lines are
said, at more all of them.  Ratios are against the quickest Pipecat configuration that cuts off no more
often than ours, else against the one that does so least.  The last line is one JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import uvloop

from benchmarks import _talks as talks
from benchmarks._engines import Engine, EngineFailed, free_port, pinned_caller
from benchmarks._pipecat_env import NoPipecat
from benchmarks._report import finish, machine, of_counts, percentiles
from benchmarks._turns_of_callers import Answers, Prompt, read_barge_in, read_utterances
from benchmarks._twilio_caller import Caller, CallFailed, Clock
from benchmarks._versus_configs import PIPECAT, Config, questions, story
from benchmarks._versus_table import ratios, show
from bot.call.spoken_time import text_at

CONTACT = '{"name": "张三", "sex": "male", "monthly_fee_ringback": "5"}'
IDLE_S = 3.0


class Part:
    """Turns, or lines spoken into the story, on one engine with so many calls at once."""

    def __init__(self, config: Config, port: int, engine: Engine, seed: int) -> None:
        self._config, self._port, self._engine, self._seed = config, port, engine, seed

    async def warm_up(self) -> None:
        """A call that does not count: what an engine loads with its first call, it has then loaded."""

        async def one(caller: Caller, number: int, found: talks.Found) -> None:
            if not await talks.greet(caller):
                found.failed.append("it never spoke")

        found, _ = await self._calls(1, one)
        if found.failed:
            raise EngineFailed(f"{self._config.name} took no call: {found.failed[0]}\n{self._engine.tail()}")

    async def idle(self) -> float:
        """CPU of the engine without a call, ms a second; at one call a call-second holds as much."""
        before_s = self._engine.cpu_s()
        await asyncio.sleep(IDLE_S)
        return round(1000 * (self._engine.cpu_s() - before_s) / IDLE_S, 1)

    async def turns(self, calls: int, count: int) -> dict[str, Any]:
        """`count` turns on each call."""
        utterances = read_utterances()

        async def one(caller: Caller, number: int, found: talks.Found) -> None:
            random = Random(self._seed * 1000 + number)
            answers = Answers(utterances, random)
            await talks.answer(caller, self._config.prompts, answers, count, random, found)

        found, cost = await self._calls(calls, one)
        return {
            "first_sound": _figures(found.first_sound),
            **talks.of_turns(found),
            **cost,
            "failed": found.failed,
        }

    async def barge_ins(self, calls: int, count: int | None) -> dict[str, Any]:
        """The lines (`count` of them, or all), dealt to the calls."""
        lines = read_barge_in()
        Random(self._seed).shuffle(lines)
        lines = lines[:count]
        story = self._config.prompts[0]

        async def one(caller: Caller, number: int, found: talks.Found) -> None:
            random = Random(self._seed * 1000 + number)
            await talks.barge_in(caller, story, lines[number::calls], random, found)

        found, cost = await self._calls(calls, one)
        return {
            "silent": _figures(found.silent),
            "lowered": {**_figures(found.lowered), "of": found.backchannels + found.interruptions},
            **talks.of_barge_in(found),
            "kept": self._kept(found.stops, story),
            **cost,
            "failed": found.failed,
        }

    async def _calls(self, calls: int, one: Any) -> tuple[talks.Found, dict[str, Any]]:
        """`one` on each of so many calls; what was found, and what it cost."""
        found, clock = talks.Found(), Clock()
        whole = frozenset(prompt.frames for prompt in self._config.prompts)
        callers: list[Caller] = []

        async def call(number: int) -> None:
            await asyncio.sleep(number * 0.13)  # people do not call all at once
            try:
                sid = f"CA{calls:04x}{number:04x}{time.time_ns():024x}"
                caller = await Caller.dial(
                    clock, f"ws://127.0.0.1:{self._port}/twilio", sid, {"contact": CONTACT}, whole
                )
                callers.append(caller)
                await one(caller, number, found)
                await caller.hang_up()
            except CallFailed as failure:
                found.failed.append(str(failure))

        clock.start()
        gc.collect()
        before_s = self._engine.cpu_s()
        await asyncio.gather(*(call(number) for number in range(calls)))
        cpu_s = self._engine.cpu_s() - before_s
        await clock.stop()
        spoken_s = sum(caller.frames_sent for caller in callers) * 0.02
        late = [sum(counts) for counts in zip(*(caller.play_out.late for caller in callers), strict=True)]
        return found, {
            "cpu_ms_a_call_second": round(1000 * cpu_s / spoken_s, 2) if spoken_s else None,
            "frames_late": of_counts(late),
            "stalls": sum(caller.play_out.stalls for caller in callers),
            "callers_own_lateness": of_counts(clock.late),
        }

    def _kept(self, stops: Sequence[talks.Stop], story: Prompt) -> dict[str, Any]:
        """How the text that the engine keeps of a stopped story differs from what was played."""
        kept = self._config.kept(self._port, sorted({stop.sid for stop in stops}))
        more: list[int] = []
        for stop in stops:
            own = [k for k in kept if k.sid == stop.sid and k.interrupted and k.text]
            near = [k for k in own if -1.5 < k.at - stop.at < 6.0]
            if near:
                played = text_at(story.text, stop.played_ms, story.frames * 20)
                closest = min(near, key=lambda k, at=stop.at: abs(k.at - at))  # type: ignore[misc]
                more.append(len(closest.text) - len(played))
        return {
            "stops": len(stops),
            "told": len(more),
            "equal": sum(abs(characters) <= 1 for characters in more),
            "characters_more": percentiles([float(characters) for characters in more], (5, 50, 95)),
        }


def _figures(times: list[float]) -> dict[str, Any]:
    return {"measured": len(times), **percentiles(times)}


async def measure(name: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All parts of one configuration: {"1": {"turns": .., "barge_in": ..}, ..}."""
    results: dict[str, dict[str, Any]] = {str(calls): {} for calls in options.calls}
    for part, prompts in (("turns", questions(options.seed)), ("barge_in", (story(),))):
        port = free_port()
        config = Config(name, prompts, folder / part)
        config.folder.mkdir(exist_ok=True)
        engine = config.engine(port)
        engine.start()
        try:
            running = Part(config, port, engine, options.seed)
            await running.warm_up()
            idle = await running.idle()
            for calls in options.calls:
                print(f"{name}: {part} at {calls}", file=sys.stderr)
                if part == "turns":
                    count = max(options.turns // calls, min(options.turns, 20))
                    results[str(calls)][part] = await running.turns(calls, count)
                else:
                    lines = options.lines if calls == 1 else None
                    results[str(calls)][part] = await running.barge_ins(calls, lines)
                results[str(calls)][part]["idle_cpu_ms_a_second"] = idle
        finally:
            engine.stop()
    return results


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--configs", nargs="+", choices=("ours", *PIPECAT), default=["ours", *PIPECAT])
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 10])
    parser.add_argument("--turns", type=int, default=40, help="turns at one call; at more, 20 each or so")
    parser.add_argument("--lines", type=int, default=24, help="lines spoken into the story at one call")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"machine: {machine()}")
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="versus-") as folder, pinned_caller() as pinned:
        for name in options.configs:
            place = Path(folder) / name
            place.mkdir()
            try:
                results[name] = uvloop.run(measure(name, options, place))
            except (EngineFailed, NoPipecat) as failure:
                print(f"{name}: {failure}", file=sys.stderr)
    show(results)
    found = {
        f"{point} at {calls}": ratios(results, str(calls), point)
        for calls in options.calls
        for point in ("p50", "p95")
    }
    for name, ratio in found.items():
        print(f"{name}: {ratio}")
    finish(
        {
            "benchmark": "versus_pipecat",
            "seed": options.seed,
            "pinned": pinned,
            "ratios": found,
            "results": results,
        }
    )


if __name__ == "__main__":
    main()
