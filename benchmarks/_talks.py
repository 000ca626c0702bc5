"""What fake callers do in a call, and what is measured of it: answering, and speaking into the bot's line.

A caller hears only what plays.  He answers when nothing has sounded for QUIET_S; what was asked he knows
from the length of the line he heard.  A stop is a quiet of STOPPED_S that begins until LISTENS_S after his
last word.  Times measured are ms.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks._play_out import AUDIBLE, Line
from benchmarks._turns_of_callers import Answers, BargeIn, Prompt, decided_s, speech_of
from benchmarks._twilio_caller import Caller, Spoken

QUIET_S = 0.5
STOPPED_S = 0.3
LISTENS_S = 1.2
ANSWER_S = 7.0
"""So long a caller waits for an answer: Pipecat gives one after 5 s whatever it thinks of the turn."""
LOWERED = 0.6
"""A voice at this part of its level before, or less, is lowered (-4.4 dB)."""
_GO_ON = "好的你说吧"


@dataclass(slots=True)
class Found:
    """Everything measured, times in ms."""

    first_sound: list[float] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    turns: int = 0
    paused: int = 0
    cut_off: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    lowered: list[float] = field(default_factory=list)
    silent: list[float] = field(default_factory=list)
    backchannels: int = 0
    interruptions: int = 0
    false_stops: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stop:
    """The bot's story was stopped: when (time.time), and how much of it had been played."""

    sid: str
    at: float
    played_ms: int


async def greet(caller: Caller) -> bool:
    """Speak into the bot's first line and hear what comes; False where nothing ever does."""
    if await _new_line(caller, 0.0, 15.0) is None:
        return False
    spoken = caller.speak(speech_of([_GO_ON]))
    await _until(caller, spoken.end_s)
    await _new_line(caller, spoken.end_s, 4.0)
    return True


async def answer(
    caller: Caller, prompts: Sequence[Prompt], answers: Answers, count: int, random: Random, found: Found
) -> None:
    """Answer the bot `count` times."""
    if not await _bot_finished(caller):
        found.failed.append("the bot never began")
        return
    for _ in range(count):
        await asyncio.sleep(random.uniform(0.1, 0.5))
        speech, paused = answers.to(_asked(caller.play_out.line, prompts))
        spoken = caller.speak(speech)
        found.turns += 1
        found.paused += paused
        line = await _new_line(caller, spoken.begin_s, spoken.end_s - time.monotonic() + ANSWER_S)
        if line is None:
            found.unanswered.append(speech.text)
            continue
        if line.begin_s < spoken.end_s:
            found.cut_off.append(speech.text)
            await _until(caller, spoken.end_s)
        else:
            took_ms = (line.begin_s - spoken.end_s) * 1000
            found.first_sound.append(took_ms)
            found.slowest = sorted([*found.slowest, (round(took_ms), speech.text)], reverse=True)[:8]
        await _bot_finished(caller)


async def barge_in(
    caller: Caller, story: Prompt, lines: Sequence[BargeIn], random: Random, found: Found
) -> None:
    """Say each of `lines` into the bot's story, which it tells again and again."""
    earliest = 0.0
    for said in lines:
        speech = speech_of([said.text])
        room_s = speech.sound_s + LISTENS_S + STOPPED_S + 0.5
        line = await _telling(caller, story, max(earliest, 0.0), room_s)
        if line is None:
            found.failed.append("the story was not told")
            return
        spoken = caller.speak(speech)
        deadline = spoken.end_s + LISTENS_S
        stopped = await caller.until(
            lambda now, line=line, deadline=deadline: _stopped(line, now, deadline),  # type: ignore[misc]
            deadline - time.monotonic() + STOPPED_S + 0.2,
        )
        lowered = lowered_s(caller, story, spoken, stopped)
        if lowered is not None:
            found.lowered.append((lowered - spoken.begin_s) * 1000)
        if stopped is not None:
            at = time.time() - (time.monotonic() - stopped)
            found.stops.append(Stop(caller.sid, at, round((stopped - line.begin_s) * 1000)))
        if said.interrupts:
            found.interruptions += 1
            if stopped is None:
                found.missed.append(said.text)
            else:
                decided = spoken.begin_s + decided_s(speech, said.decides)
                found.silent.append(max(0.0, (stopped - decided) * 1000))
        else:
            found.backchannels += 1
            if stopped is not None:
                found.false_stops.append(said.text)
        await _until(caller, spoken.end_s)
        earliest = time.monotonic() + random.uniform(1.0, 2.0)


def lowered_s(caller: Caller, story: Prompt, spoken: Spoken, stopped: float | None) -> float | None:
    """When the bot's voice was lowered (two frames running) or silent; None: not while he spoke."""
    before: list[float] = []
    low: list[float] = []
    until = min(spoken.end_s + STOPPED_S, stopped if stopped is not None else spoken.end_s + STOPPED_S)
    for frame in caller.play_out.frames:
        known = story.levels[frame.position] if frame.position < len(story.levels) else 0.0
        if frame.start_s >= until or known < 3 * AUDIBLE:
            continue
        share = frame.level / known
        if frame.start_s < spoken.begin_s:
            if frame.start_s > spoken.begin_s - 1.0:
                before.append(share)
        elif before:
            low = [*low, frame.start_s] if share < LOWERED * statistics.median(before) else []
            if len(low) == 2:
                return low[0]
    return stopped if stopped is not None and stopped <= spoken.end_s + LISTENS_S else None


def _stopped(line: Line, now: float, deadline: float) -> float | None:
    """When the line stopped, once it has been quiet for STOPPED_S."""
    return line.end_s if now - line.end_s >= STOPPED_S and line.end_s <= deadline else None


async def _telling(caller: Caller, story: Prompt, earliest: float, room_s: float) -> Line | None:
    """The story with so much of it left, not before `earliest`; asks for it where nothing is said."""

    def ready(now: float) -> Line | bool | None:
        line = caller.play_out.line
        if line is None:
            return None
        if now - line.end_s > 1.5:
            return False
        left_s = line.begin_s + story.sound_s - now
        told = now - line.end_s < 0.1 and now - line.begin_s > 1.0
        return line if told and now >= earliest and left_s > room_s else None

    for _ in range(4):
        line = await caller.until(ready, story.sound_s + 15.0)
        if isinstance(line, Line):
            return line
        spoken = caller.speak(speech_of([_GO_ON]))
        await _new_line(caller, spoken.begin_s, ANSWER_S + 1.0)
    return None


def _asked(line: Line | None, prompts: Sequence[Prompt]) -> str:
    """What the line that was heard expects, told by its length."""
    heard_s = line.end_s - line.begin_s if line is not None else 0.0
    nearest = min(prompts, key=lambda prompt: abs(prompt.sound_s - heard_s))
    return nearest.expects if abs(nearest.sound_s - heard_s) < 0.1 else "open_question"


async def _new_line(caller: Caller, after: float, longest_s: float) -> Line | None:
    """The first line that begins after a moment."""

    def begun(_now: float) -> Line | None:
        line = caller.play_out.line
        return line if line is not None and line.begin_s >= after else None

    return await caller.until(begun, longest_s)


async def _bot_finished(caller: Caller) -> bool:
    """Wait until the bot has spoken and then been quiet."""
    return bool(await caller.until(lambda now: caller.play_out.quiet_s(now) >= QUIET_S or None, 40.0))


async def _until(caller: Caller, moment: float) -> None:
    await caller.until(lambda now: now >= moment or None, max(0.0, moment - time.monotonic()) + 1.0)


def of_turns(found: Found) -> dict[str, object]:
    """The share of turns that were cut off, those that were not answered, those answered last."""
    return {
        "turns": found.turns,
        "with_pause": found.paused,
        "cut_off_rate": round(len(found.cut_off) / max(1, found.turns), 4),
        "cut_off": dict(Counter(found.cut_off)),
        "unanswered": found.unanswered,
        "slowest": found.slowest,
    }


def of_barge_in(found: Found) -> dict[str, object]:
    """False stops and missed interruptions."""
    return {
        "backchannels": found.backchannels,
        "interruptions": found.interruptions,
        "false_stop_rate": round(len(found.false_stops) / max(1, found.backchannels), 4),
        "missed_rate": round(len(found.missed) / max(1, found.interruptions), 4),
        "false_stops": dict(Counter(found.false_stops)),
        "missed": dict(Counter(found.missed)),
    }
