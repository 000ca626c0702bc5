"""How long a caller waits for the dialogue: final words → reply, through the streams, under load.

    python -m benchmarks.dialogue_load [--seconds 75] [--calls 100] [--script ringback]

This process is the voice side and the load; one brain process and a private Redis are its children.
Three parts: a steady load (`calls` calls at once, a turn every 6 s each, exponential gaps, turns
1-15, calls begun at random places and replaced when they end); saturation (16 calls that answer at
once); growth (a call alone, turn 1 to 40).  Measured here: from handing the final words to the bus
until the reply is decoded.  The last line is one JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import uvloop

from benchmarks._report import finish, machine, percentiles
from bot.bus import connect
from bot.processes.remote_brain import RemoteBrain
from bot.processes.supervisor import Supervisor
from bot.turn import Reply, TurnRequest

TURNS = 15
EVERY_S = 6.0
GROWTH_TURNS = 40
SATURATING_CALLS = 16
WARM_UP_S = 5.0
AIM_P99_MS = 20.0

CONTACT = {
    "id": "load", "name": "张伟", "sex": "male", "age": 35, "phone": "13800138000", "city": "杭州",
    "timezone": "Asia/Shanghai", "occupation": "teacher", "plan": "畅享套餐", "monthly_bill": "88.00",
    "monthly_fee_ringback": "5", "tenure_months": 40, "value_tier": "gold", "id_last4": "2837",
}  # fmt: skip

OPENERS = ("对，是我", "嗯，我是，你哪位", "是的，你说", "是我呀，什么事")
QUESTIONS = (
    "你们是哪个公司的", "这个多少钱一个月", "到底是什么东西啊", "怎么取消呢", "你是真人还是机器人啊",
    "你从哪里知道我号码的", "什么时候开始算钱", "有没有什么合约限制", "这个有什么好处",
    "那个，呃，你再说一遍", "怎么用啊，麻不麻烦", "会不会自动续费", "喂，听得到吗", "那要是不想用了呢",
    "跟现在那个有什么区别", "一年一共要多少", "用完了还会扣钱吗",
)  # fmt: skip
OBJECTIONS = ("我信不过你们，不会是骗子吧", "我本来就有一个了", "太贵了吧", "我再考虑考虑")


class Caller:
    """One call's side of the talk: asks turn after turn, notes how long each took, in ms."""

    numbers = itertools.count(1)

    def __init__(self, brain: RemoteBrain, script: str, seed: int, objects: bool) -> None:
        """`objects`: raises one objection among the questions."""
        self.turn = 0
        self.over = False
        self.understand_ms = self.decide_ms = 0.0
        self._brain, self._script = brain, script
        self._random = random.Random(seed)
        self._call_id = f"load-{seed}-{next(self.numbers)}"
        self._at = datetime(2026, 11, 24, 10, 30, tzinfo=timezone(timedelta(hours=8)))
        self._expects = ""
        self._lines = self._random.sample(QUESTIONS, len(QUESTIONS)) * 3
        self._lines[self._random.randrange(3, TURNS)] = self._random.choice(OBJECTIONS) if objects else "哦"

    async def ask(self) -> float:
        """The next turn; how long it took, in ms."""
        opening = self.turn == 0
        text = None
        if not opening:
            asked_name = self._expects == "identity_check"
            text = self._random.choice(OPENERS) if asked_name else self._lines[self.turn % len(self._lines)]
        request = TurnRequest(
            call_id=self._call_id,
            turn=self.turn,
            kind="open" if opening else "say",
            at=(self._at + timedelta(seconds=EVERY_S * self.turn)).isoformat(),
            text=text,
            utterance_id=f"u{self.turn}",
            script=self._script if opening else None,
            contact=CONTACT if opening else None,
        )
        started = time.perf_counter()
        reply: Reply = await self._brain.ask(request)
        took = (time.perf_counter() - started) * 1000
        if reply.error:
            raise SystemExit(f"the brain failed at turn {self.turn} ({text!r}): {reply.error}")
        self._expects, self.over = reply.expects, reply.ended
        self.understand_ms, self.decide_ms = reply.ms.get("understand", 0.0), reply.ms.get("decide", 0.0)
        self.turn += 1
        return took


class Load:
    """The parts of the benchmark, on one brain."""

    def __init__(self, brain: RemoteBrain, script: str, calls: int, seed: int) -> None:
        self._brain, self._script, self._calls = brain, script, calls
        self._random = random.Random(seed)
        self.spent: list[tuple[float, float, float]] = []

    async def steady(self, seconds: float) -> dict[int, list[float]]:
        """ms by turn number, under a steady load, after a warm-up."""
        callers = [await self._begun(self._random.randrange(TURNS)) for _ in range(self._calls)]
        loop = asyncio.get_running_loop()
        measure_from = loop.time() + WARM_UP_S
        until = measure_from + seconds
        found: dict[int, list[float]] = defaultdict(list)
        await asyncio.gather(*(self._keep_talking(caller, measure_from, until, found) for caller in callers))
        return found

    async def saturation(self, seconds: float) -> float:
        """Turns a second when SATURATING_CALLS calls answer at once."""
        count = 0
        started = time.perf_counter()

        async def talk() -> None:
            nonlocal count
            caller = self._new()
            while time.perf_counter() - started < seconds:
                if caller.over or caller.turn > TURNS:
                    caller = self._new()
                await caller.ask()
                count += 1

        await asyncio.gather(*(talk() for _ in range(SATURATING_CALLS)))
        return count / (time.perf_counter() - started)

    async def growth(self, seconds: float) -> dict[int, list[float]]:
        """ms by turn number, one call at a time, up to turn GROWTH_TURNS."""
        found: dict[int, list[float]] = defaultdict(list)
        started = time.perf_counter()
        while time.perf_counter() - started < seconds:
            caller = self._new(objects=False)
            while caller.turn <= GROWTH_TURNS and not caller.over:
                found[caller.turn].append(await caller.ask())
        return found

    def _new(self, objects: bool = True) -> Caller:
        return Caller(self._brain, self._script, self._random.randrange(1 << 30), objects)

    async def _begun(self, turns: int) -> Caller:
        caller = self._new()
        while caller.turn <= turns and not caller.over:
            await caller.ask()
        return caller

    async def _keep_talking(
        self, caller: Caller, measure_from: float, until: float, found: dict[int, list[float]]
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._random.expovariate(1 / EVERY_S))
            if loop.time() >= until:
                return
            if caller.over or caller.turn > TURNS:
                caller = self._new()
            turn, measured = caller.turn, loop.time() >= measure_from
            took = await caller.ask()
            if measured:
                found[turn].append(took)
                rest = took - caller.understand_ms - caller.decide_ms
                self.spent.append((caller.understand_ms, caller.decide_ms, rest))


def summary(times: Sequence[float]) -> dict[str, float]:
    """n, p50, p95, p99 and max, in ms."""
    return {"n": len(times), **percentiles(times), "max": round(max(times, default=0.0), 3)}


def by_turns(found: dict[int, list[float]], width: int = 5) -> dict[str, dict[str, float]]:
    """Figures for turns 1-5, 6-10 and so on; the opening (turn 0) apart."""
    groups: dict[str, list[float]] = defaultdict(list)
    for turn in sorted(found):
        first = (turn - 1) // width * width + 1
        groups[f"{first}-{first + width - 1}" if turn else "opening"] += found[turn]
    return {name: summary(times) for name, times in groups.items()}


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run all parts."""
    async with Supervisor([options.script]) as here:
        redis = connect(here.redis_url)
        brain = RemoteBrain(redis, f"load-{time.time_ns()}")
        await brain.start()
        try:
            load = Load(brain, options.script, options.calls, options.seed)
            gc.collect()
            gc.freeze()
            steady = await load.steady(options.seconds * 0.7)
            rate = await load.saturation(options.seconds * 0.15)
            growth = await load.growth(options.seconds * 0.15)
        finally:
            await brain.stop()
            await redis.aclose()
    names = ("understand", "decide", "streams and waiting")
    parts = {
        name: percentiles(column, (50,))["p50"]
        for name, column in zip(names, zip(*load.spent, strict=True), strict=True)
    }
    turns = [took for turn, times in steady.items() if turn for took in times]
    return {
        "benchmark": "dialogue_load",
        "calls": options.calls,
        "steady_ms": summary(turns),
        "steady_by_turn_ms": by_turns(steady),
        "steady_parts_p50_ms": parts,
        "offered_turns_per_s": round(options.calls / EVERY_S, 1),
        "saturation_turns_per_s": round(rate, 1),
        "growth_ms": by_turns(growth),
        "aim_p99_ms": AIM_P99_MS,
    }


def show(result: dict[str, Any]) -> None:
    """The result for people."""
    steady, rate = result["steady_ms"], result["offered_turns_per_s"]
    parts = ", ".join(f"{name} {ms:g}" for name, ms in result["steady_parts_p50_ms"].items())
    print(f"machine      {machine()}")
    print(f"steady load  {result['calls']} calls, {rate} turns/s, one brain; final words → reply, by streams")
    print(
        f"             n {steady['n']}, p50 {steady['p50']:g}, p95 {steady['p95']:g}, p99 {steady['p99']:g},",
        end="",
    )
    print(f" max {steady['max']:g} ms; aim: p99 {result['aim_p99_ms']:g} ms")
    print(f"             of which at p50, in ms: {parts}")
    print(
        f"saturation   {result['saturation_turns_per_s']} turns/s ({SATURATING_CALLS} calls that never pause)"
    )
    print("growth       a call alone, ms by turn")
    for name, figures in result["growth_ms"].items():
        print(f"  {name:>8}   n {figures['n']:>4}   p50 {figures['p50']:>7}   p95 {figures['p95']:>7}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=75.0, help="of measuring, all parts together")
    parser.add_argument("--calls", type=int, default=100, help="calls at once")
    parser.add_argument("--script", default="ringback")
    parser.add_argument("--seed", type=int, default=1)
    result = uvloop.run(measure(parser.parse_args()))
    show(result)
    finish(result)


if __name__ == "__main__":
    main()
