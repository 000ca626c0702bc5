"""How quickly the bot takes its turn, and gives it up: measured on the caller's sample clock.

    python -m benchmarks.turn_latency [--calls 1 30] [--turns 120] [--brain real|scripted] [--virtual]

Callers speak synthetic Mandarin and English over 8 kHz frames; silero detects their voice; their
words come as text 200 ms behind the sound, partials word by word, a final at each pause.  One turn
in five holds a pause of 300-1200 ms where the speaker would make one (benchmarks/turn_utterances.tsv).
Measured: the caller's last sample → the bot's first audible frame; cut-offs (the bot sounds before
the turn is over); while the bot tells a story, first sample → lowered voice, the words that decide →
silence, false stops on backchannels, missed interruptions (benchmarks/barge_in_lines.tsv).  Beside
it a baseline that waits for 700 ms of silence, reckoned from the sounds of the same turns (it is not
run: its times are what such a rule gives at best, with a brain of 12 ms and an ideal detector).
The brain is a process of its own behind Redis Streams that holds the ringback script; callers answer
what it asks.  `--brain scripted` answers in this process after 12 ms; with it `--virtual` runs in
virtual time, where the machine costs nothing: for rates and for work on the parameters.
The last line is one JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvloop

from benchmarks._caller import CallerLeg, Spoken, Stretch, sound_of
from benchmarks._report import finish, machine, percentiles
from bot.bus import connect
from bot.call.adapters import Adapters
from bot.call.clock import run_virtual
from bot.call.driver import CallDriver
from bot.call.journal import CallFacts
from bot.call.pacer import Pacer
from bot.call.parameters import Parameters
from bot.call.pcm import pad_to_frames
from bot.call.ports import Brain, Prompts
from bot.call.prompts import LinePrompts
from bot.call.session import CallSession
from bot.events import AnyEvent, SpeechEnded, SpeechStarted
from bot.processes.remote_brain import RemoteBrain
from bot.processes.supervisor import Supervisor
from bot.speech.tts_espeak import EspeakSettings, EspeakVoice
from bot.speech.vad_batch import SileroDetection
from bot.turn import Expects, Line, Reply, TurnRequest
from bot.understanding.completeness import Completeness, train

HERE = Path(__file__).parent
SCRIPT = "ringback"
PAUSED = 0.2
THINKING_S = 0.012
STORY_MS = 9000
LEVEL = 2000.0
AIMS = {"p50": 260.0, "p95": 500.0, "lowered_p95": 150.0, "silent_p95": 100.0, "rate": 0.03}

QUESTIONS: dict[str, str] = {
    "identity_check": "您好,请问是张先生吗?",
    "yes_no_question": "现在方便说两句吗?",
    "offer": "您看给您办一个好吗?",
    "open_question": "您平时用得怎么样呢?",
    "time": "什么时候方便再打给您?",
    "digits": "请说一下身份证的后四位。",
    "pitch": "这是一个免费的活动。",
}


@dataclass(frozen=True, slots=True)
class Utterance:
    """A turn: what it answers, its stretches between possible pauses, and these pauses: | or /."""

    expects: Expects
    parts: tuple[str, ...]
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BargeIn:
    """What is said while the bot speaks; `decides`: the words up to which a person would know."""

    interrupts: bool
    text: str
    decides: str


@dataclass(slots=True)
class Found:
    """Everything measured, times in ms."""

    first_sound: list[float] = field(default_factory=list)
    turns: int = 0
    pauses: int = 0
    cut_off: list[str] = field(default_factory=list)
    by_pause: Counter[str] = field(default_factory=Counter)
    cut_by_pause: Counter[str] = field(default_factory=Counter)
    unanswered: list[str] = field(default_factory=list)
    lowered: list[float] = field(default_factory=list)
    silent: list[float] = field(default_factory=list)
    backchannels: int = 0
    interruptions: int = 0
    false_stops: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    baseline: list[float] = field(default_factory=list)
    baseline_cut_off: int = 0


class ScriptedBrain:
    """Answers after a fixed time with the question that the caller's next utterance answers."""

    def __init__(self, thinking_s: float = THINKING_S) -> None:
        self.plans: dict[str, deque[Expects]] = {}  # what is still to be asked; the caller takes from it
        self._thinking_s = thinking_s

    async def ask(self, request: TurnRequest) -> Reply:
        """The next planned question; the story where none is left."""
        await asyncio.sleep(self._thinking_s)
        plan = self.plans[request.call_id]
        expects: Expects = plan[0] if plan else "none"
        line = Line(node=f"ask_{expects}", text=QUESTIONS[expects]) if expects in QUESTIONS else STORY
        return Reply(
            call_id=request.call_id,
            turn=request.turn,
            node=line.node,
            lines=(line,),
            expects=expects,
            speculation="ready" if request.speculative else None,
        )


STORY = Line(node="story", text="我们这次的活动是这样的," * 6)


class StoryPrompts:
    """Prompts whose story is noise of one level, so that its volume can be read from any frame."""

    def __init__(self, prompts: Prompts) -> None:
        self._prompts = prompts
        noise = np.random.default_rng(1).normal(0.0, LEVEL, 8 * STORY_MS)
        self._story = pad_to_frames(noise.clip(-30000, 30000).astype("<i2").tobytes())

    async def audio(self, line: Line) -> bytes:
        """A line's sound."""
        return self._story if line.node == STORY.node else await self._prompts.audio(line)


class Watched:
    """A brain that remembers what each call's last reply expects."""

    def __init__(self, brain: Brain) -> None:
        self._brain = brain
        self.expects: dict[str, Expects] = {}

    async def ask(self, request: TurnRequest) -> Reply:
        """Passes on."""
        reply = await self._brain.ask(request)
        if not request.speculative:
            self.expects[request.call_id] = reply.expects
        return reply


class MemoryLog:
    """Keeps events; what the log costs is measured where the log is.  `spoken`: the bot's line is over."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.spoken = asyncio.Event()

    async def append(self, event: AnyEvent) -> int:
        """One more."""
        self.events.append(event)
        if isinstance(event, SpeechStarted | SpeechEnded) and event.party == "bot":
            (self.spoken.clear if isinstance(event, SpeechStarted) else self.spoken.set)()
        return len(self.events)


class Bench:
    """Runs calls and gathers what they show."""

    def __init__(
        self,
        brain: Brain,
        scripted: ScriptedBrain | None,
        completeness: Completeness,
        seed: int,
        utterances: list[Utterance],
    ) -> None:
        self.found = Found()
        self._brain = Watched(brain)
        self._scripted = scripted
        self._utterances = utterances
        self._pause_share = pause_share(utterances)
        self._completeness = completeness
        self._parameters = Parameters()
        self._random = random.Random(seed)
        self._voices = (EspeakVoice(), EspeakVoice(EspeakSettings(language="en")))
        self._prompts = StoryPrompts(LinePrompts(self._voices[0]))
        self._sounds: dict[str, bytes] = {}
        self._logs: dict[str, MemoryLog] = {}
        self._calls = 0
        self._detection = SileroDetection()
        self._pacer = Pacer(self._detection.run)

    async def turns(self, calls: int, count: int) -> None:
        """`count` turns in all, on `calls` calls at once."""
        utterances = self._utterances
        plan: list[Utterance] = []
        while len(plan) < count:
            plan += self._random.sample(utterances, len(utterances))
        plan = plan[:count]
        for text in QUESTIONS.values():
            await self._prompts.audio(Line(node="warm", text=text))
        for utterance in utterances:
            await self._render(*utterance.parts, joined(utterance.parts))
        await asyncio.gather(*(self._turn_call(plan[n::calls], n) for n in range(calls)))

    async def barge_in(self, calls: int, rounds: int) -> None:
        """Each line of the file `rounds` times, on `calls` calls at once."""
        lines = read_barge_in() * rounds
        self._random.shuffle(lines)
        await self._render(*(line.text for line in lines))
        await asyncio.gather(*(self._barge_call(lines[n::calls], n) for n in range(calls)))

    async def _render(self, *texts: str) -> None:
        """Have sounds ready before time counts: rendering runs in a thread."""
        for text in texts:
            if text not in self._sounds:
                self._sounds[text] = await sound_of(
                    self._voices[not re.search("[\u3400-\u9fff]", text)], text
                )

    async def _call(self, plan: list[Expects], caller: Callable[[CallerLeg, str], Any], number: int) -> None:
        """One call from its answer on, with a caller who does `caller`."""
        self._calls += 1
        call_id = f"bench-{self._calls}"
        if self._scripted is not None:
            self._scripted.plans[call_id] = deque(plan)
        facts = CallFacts(
            call_id=call_id,
            started=datetime.now(UTC),
            script=SCRIPT,
            script_version="",
            seed=number,
            contact={"id": call_id, "name": "张三", "sex": "male", "monthly_fee_ringback": "5"},
        )
        leg, log = CallerLeg(), MemoryLog()
        self._logs[call_id] = log
        session = CallSession(facts, self._parameters, self._completeness)
        adapters = Adapters(
            leg=leg,
            brain=self._brain,
            prompts=self._prompts,
            voices=self._detection,
            pacer=self._pacer,
            log=log,
        )
        driver = asyncio.create_task(CallDriver(call_id, session, adapters, self._parameters).run())
        try:
            await asyncio.sleep(0.02 * (number % 50) / 50)
            await caller(leg, call_id)
        finally:
            await leg.hang_up("done")
            await driver

    async def _turn_call(self, plan: list[Utterance], number: int) -> None:
        left = deque(plan)

        async def talk(leg: CallerLeg, call_id: str) -> None:
            while left:
                if not await leg.bot_quiet(300) or not await self._line_over(leg, call_id):
                    if not leg.ended.is_set():
                        self.found.unanswered.append("the bot never spoke")
                        left.clear()
                    return
                await asyncio.sleep(self._random.uniform(0.1, 0.5))
                if leg.ended.is_set():
                    return
                utterance = left.popleft()
                if self._scripted is not None:
                    self._scripted.plans[call_id].popleft()
                else:
                    utterance = self._fitting(call_id, utterance)
                await self._one_turn(leg, utterance)

        await asyncio.sleep(self._random.uniform(0, 1.5))
        while left:  # a script may end the call: the caller is called again
            await self._call([utterance.expects for utterance in left], talk, number)

    async def _line_over(self, leg: CallerLeg, call_id: str) -> bool:
        """Wait until the bot's line is over (its pauses are none); False where the call is."""
        waits = [
            asyncio.create_task(self._logs[call_id].spoken.wait()),
            asyncio.create_task(leg.ended.wait()),
        ]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        return not leg.ended.is_set()

    def _fitting(self, call_id: str, otherwise: Utterance) -> Utterance:
        """An utterance that answers what the script has just asked."""
        expects = self._brain.expects.get(call_id, "open_question")
        fitting = [u for u in self._utterances if u.expects == expects] or [otherwise]
        if self._random.random() < PAUSED:
            return self._random.choice([u for u in fitting if len(u.parts) > 1] or fitting)
        chosen = self._random.choice(fitting)
        return Utterance(chosen.expects, (joined(chosen.parts),), ())

    async def _one_turn(self, leg: CallerLeg, utterance: Utterance) -> None:
        parts, pauses, kind = utterance.parts, 0, "between" if "/" in utterance.marks else "within"
        share = self._pause_share if self._scripted is not None else 1.0
        if len(parts) == 1 or self._random.random() >= share:
            parts, kind = (joined(parts),), "none"
        stretches: list[Stretch] = []
        for number, text in enumerate(parts):
            pause = self._random.randint(300, 1200) if number else 0
            pauses += bool(pause)
            stretches.append(Stretch(text, self._sounds[text], pause))
        spoken = leg.speak(stretches)
        self.found.turns += 1
        self.found.pauses += pauses > 0
        self.found.by_pause[kind] += 1
        self._baseline(stretches)
        await leg.until(spoken.end_s)
        at = await leg.first(spoken.begin_s, True, spoken.end_s - spoken.begin_s + 4.0)
        label = f"{utterance.expects}: {'|'.join(parts)}"
        self.found.cut_by_pause[kind] += at is not None and at < spoken.end_s
        if at is None:
            self.found.unanswered.append(label)
        elif at < spoken.end_s:
            self.found.cut_off.append(label + f" ({[s.pause_ms for s in stretches[1:]]} ms)")
            await leg.first(spoken.end_s + 0.1, True, 4.0)
        else:
            self.found.first_sound.append((at - spoken.end_s) * 1000)

    def _baseline(self, stretches: list[Stretch]) -> None:
        """A fixed 700 ms of silence ends a turn, then the brain, then a frame: reckoned, not run."""
        silence_ms, frame_ms = 700.0, 20.0
        if any(part.pause_ms >= silence_ms for part in stretches[1:]):
            self.found.baseline_cut_off += 1
        else:
            late = self._parameters.voice_stop_ms % frame_ms
            self.found.baseline.append(
                silence_ms + late + THINKING_S * 1000 + self._random.uniform(0, frame_ms)
            )

    async def _barge_call(self, lines: list[BargeIn], number: int) -> None:
        async def talk(leg: CallerLeg, call_id: str) -> None:
            for line in lines:
                begin = await leg.first(asyncio.get_running_loop().time(), True, 15.0)
                if begin is None:
                    self.found.unanswered.append("the story never began")
                    return
                await leg.until(begin + self._random.uniform(1.0, 3.0))
                await self._one_barge_in(leg, line)
                if not await leg.bot_quiet(100):
                    return

        await asyncio.sleep(self._random.uniform(0, 1.5))
        await self._call([], talk, number)

    async def _one_barge_in(self, leg: CallerLeg, line: BargeIn) -> None:
        found = self.found
        spoken = leg.speak([Stretch(line.text, self._sounds[line.text])])
        lowered = await leg.first(spoken.begin_s, False, 2.0, below=LEVEL * 0.5)
        if lowered is not None:
            found.lowered.append((lowered - spoken.begin_s) * 1000)
        silent = await leg.first(spoken.begin_s, False, spoken.end_s - spoken.begin_s + 1.2)
        if not line.interrupts:
            found.backchannels += 1
            if silent is not None:
                found.false_stops.append(line.text)
            return
        found.interruptions += 1
        if silent is None:
            found.missed.append(line.text)
        else:
            found.silent.append(max(0.0, (silent - decided_s(spoken, line.decides)) * 1000))


def pause_share(utterances: list[Utterance]) -> float:
    """How often an utterance that can hold a pause does, so that one turn in five has one."""
    return min(1.0, PAUSED * len(utterances) / sum(len(u.parts) > 1 for u in utterances))


def decided_s(spoken: Spoken, decides: str) -> float:
    """When the words arrived that decide."""
    wanted = decides.replace(" ", "").lower()
    return next(at for text, at in spoken.words if text.replace(" ", "").lower().startswith(wanted))


def joined(parts: tuple[str, ...]) -> str:
    """The stretches in one breath."""
    return ("" if re.search("[\u3400-\u9fff]", parts[0]) else " ").join(parts)


def read_utterances(name: str) -> list[Utterance]:
    """The turns of a file."""
    found: list[Utterance] = []
    for line in _lines(name):
        expects, words = line.split("\t")
        marks = tuple(mark for mark in words if mark in "|/")
        found.append(Utterance(msgspec.convert(expects, Expects), tuple(re.split("[|/]", words)), marks))
    return found


def read_barge_in() -> list[BargeIn]:
    """The lines that are said while the bot speaks."""
    rows = [line.split("\t") for line in _lines("barge_in_lines.tsv")]
    return [BargeIn(row[0] == "interruption", row[1], row[-1]) for row in rows]


def _lines(name: str) -> list[str]:
    text = (HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def training_lines() -> list[str]:
    """Whole utterances of the shared training data, to train completeness from."""
    found: list[str] = []
    for path in sorted((HERE.parent / "nlu_data" / "acts").glob("*.yml")):
        rows = path.read_text(encoding="utf-8").splitlines()
        found += [row.strip()[2:] for row in rows if re.match(r"\s+- (?!intent:)", row)]
    return found


@asynccontextmanager
async def brain_of(name: str) -> AsyncIterator[tuple[Brain, ScriptedBrain | None]]:
    """The brain to ask: a process of its own behind Redis Streams, or planned questions in this one."""
    if name == "scripted":
        scripted = ScriptedBrain()
        yield scripted, scripted
        return
    async with Supervisor([SCRIPT]) as here:
        redis = connect(here.redis_url)
        brain = RemoteBrain(redis, f"turns-{time.time_ns()}")
        await brain.start()
        try:
            yield brain, None
        finally:
            await brain.stop()
            await redis.aclose()


async def measure(options: argparse.Namespace, completeness: Completeness) -> dict[str, Any]:
    """All parts, one after the other."""
    results: dict[str, Any] = {}
    utterances = read_utterances(options.utterances)
    async with brain_of(options.brain) as (brain, scripted):
        for calls in options.calls:
            bench = Bench(brain, scripted, completeness, options.seed, utterances)
            await bench.turns(calls, max(options.turns, calls * 6))
            results[f"turns at {calls}"] = of_turns(bench.found)
        # so that silence can be seen before the next line begins
        storyteller = ScriptedBrain(thinking_s=0.1)
        bench = Bench(storyteller, storyteller, completeness, options.seed, utterances)
        await bench.barge_in(options.barge_calls, options.rounds)
        results["barge-in"] = of_barge_in(bench.found)
    return results


def of_turns(found: Found) -> dict[str, Any]:
    """The figures of the turns."""
    rate = len(found.cut_off) / found.turns
    return {
        "n": found.turns,
        "with_pause": found.pauses,
        **figures(found.first_sound),
        "cut_off_rate": round(rate, 4),
        "cut_off_by_pause": {k: [found.cut_by_pause[k], n] for k, n in found.by_pause.items()},
        "cut_off": dict(Counter(found.cut_off)),
        "unanswered": found.unanswered,
        "baseline": {
            **figures(found.baseline),
            "cut_off_rate": round(found.baseline_cut_off / found.turns, 4),
        },
    }


def of_barge_in(found: Found) -> dict[str, Any]:
    """The figures of what happens while the bot speaks."""
    return {
        "lowered": figures(found.lowered),
        "silent": figures(found.silent),
        "backchannels": found.backchannels,
        "interruptions": found.interruptions,
        "false_stop_rate": round(len(found.false_stops) / max(1, found.backchannels), 4),
        "missed_rate": round(len(found.missed) / max(1, found.interruptions), 4),
        "false_stops": dict(Counter(found.false_stops)),
        "missed": dict(Counter(found.missed)),
        "unanswered": found.unanswered,
    }


def figures(times: list[float]) -> dict[str, float]:
    """p50, p95, p99 in ms."""
    return {"measured": len(times), **percentiles(times)}


def show(results: dict[str, Any]) -> None:
    """For people."""
    for name, result in results.items():
        print(f"\n{name}")
        for key, value in result.items():
            print(f"  {key}: {value}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, nargs="*", default=[1, 30], help="calls at once, one part each")
    parser.add_argument("--turns", type=int, default=120, help="turns in a part")
    parser.add_argument(
        "--rounds", type=int, default=2, help="how often each line of the barge-in file is said"
    )
    parser.add_argument("--barge-calls", type=int, default=12)
    parser.add_argument("--brain", choices=("real", "scripted"), default="real")
    parser.add_argument("--utterances", default="turn_utterances.tsv", help="or turn_utterances_held_out.tsv")
    parser.add_argument("--virtual", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.virtual and options.brain == "real":
        parser.error("--virtual needs --brain scripted: a process of its own lives in real time")
    print(f"machine: {machine()}")
    completeness = train(training_lines())
    work = measure(options, completeness)
    results = run_virtual(work) if options.virtual else uvloop.run(work)
    show(results)
    finish({"benchmark": "turn_latency", "brain": options.brain, "virtual": options.virtual, **results})


if __name__ == "__main__":
    main()
