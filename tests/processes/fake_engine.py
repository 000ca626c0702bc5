"""An engine for tests: counts turns, keeps its record as the real one does, changes the world once.

Run as a program it is a brain process: fake_engine.py REDIS_URL NAME EFFECTS_FILE.  Told "slow" it
changes the world and then does not come back, so that a test can kill it between effect and answer.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.bus import connect
from bot.bus.trackers import RedisTurns, TrackerLog
from bot.processes.brain import BrainProcess
from bot.processes.registry import take_name
from bot.turn import Line, Reply, TurnRequest, decode_message, encode_message


class FakeEngine:
    """Replies "TURN:TEXTS", where TEXTS are all real turns' texts of the call so far."""

    def __init__(self, turns: RedisTurns, effects: Path | None = None, hangs: bool = False) -> None:
        self.turns = turns
        self.effects = effects
        self.hangs = hangs
        self.asked: list[TurnRequest] = []
        self.calls: dict[tuple[str, str], list[TurnRequest]] = {}

    async def ask(self, request: TurnRequest) -> Reply:
        self.asked.append(request)
        if request.text == "explode":
            raise RuntimeError("this turn explodes")
        key = (request.tenant_id, request.call_id)
        if key not in self.calls:
            loaded = [] if request.kind == "open" else await self.turns.load(*key)
            self.calls[key] = [past for past in map(decode_message, loaded) if isinstance(past, TurnRequest)]
        done = self.calls[key]
        if request.speculative:
            return self._reply(request, [*done, request])
        if not any(past.turn == request.turn for past in done):
            await self._effect(request)
            await self.turns.append(*key, encode_message(request))
            done.append(request)
        return self._reply(request, [past for past in done if past.turn <= request.turn])

    def forget(self, tenant_id: str, call_id: str) -> None:
        self.calls.pop((tenant_id, call_id), None)

    async def _effect(self, request: TurnRequest) -> None:
        if request.text != "order" or self.effects is None:
            return
        mark = f"{request.call_id}/order"
        placed = self.effects.read_text().split() if self.effects.exists() else []
        if mark not in placed:
            with open(self.effects, "a") as file:
                file.write(mark + "\n")
        if self.hangs:
            print("effect", flush=True)
            await asyncio.sleep(3600)

    @staticmethod
    def _reply(request: TurnRequest, done: list[TurnRequest]) -> Reply:
        text = f"{request.turn}:" + ",".join(past.text or past.kind for past in done)
        return Reply(call_id=request.call_id, turn=request.turn, lines=(Line(node="utter", text=text),))


async def serve(url: str, name: str, effects: Path, hangs: bool) -> None:
    redis = connect(url)
    turns = RedisTurns(TrackerLog(redis))
    brain = BrainProcess(redis, name, FakeEngine(turns, effects, hangs), [("ringback", "v1")], turns)
    lease = await take_name(redis, name)
    await brain.announce()
    print("ready", flush=True)
    await brain.serve(lease, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2], Path(sys.argv[3]), sys.argv[4:] == ["hangs"]))
