"""One assisted call, told to the web server as a telephone system tells it, and what came of it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from bot import events as ev
from tests.web.conftest import Answer, Browser, Server
from tests.whole.stage import LIMIT_S, Stage

CONTACT = {
    "id": "k-1", "name": "张伟", "sex": "male", "age": 41, "phone": "13800138000", "city": "杭州",
    "timezone": "Asia/Shanghai", "plan": "畅享99", "monthly_bill": 128, "data_used_gb": 18.4,
    "plan_data_gb": 10, "tenure_months": 62, "value_tier": "gold",
}  # fmt: skip
MS_PER_CHARACTER = 210
PAUSE_MS = 400
ASK = "您家里现在装的是哪家的宽带?"
TELL = "电信的,宽带一个月八十块"
PITCH = "那给您推荐融合套餐58档,手机每月消费满58块,带300兆宽带和电视盒子。"
DEAR = "太贵了吧"


class Talk:
    """A call that was begun.  Utterances are u1, u2, …; times run as the words are spoken."""

    def __init__(self, stage: Stage, machine: Browser, call_id: str) -> None:
        self.stage, self.machine, self.call_id = stage, machine, call_id
        self.count = self.at_ms = 0

    @classmethod
    async def begin(cls, stage: Stage, agent: str, front: int = 0, **more: Any) -> Self:
        """Begin a call of `agent`; `more`: fields of POST /api/calls."""
        machine = await stage.fronts[front].machine()
        call_id = f"{agent}-{secrets.token_hex(4)}"
        body = {"script": "bundle", "agent_id": agent, "contact": CONTACT, "call_id": call_id} | more
        answer = await machine.post("/api/calls", body)
        assert answer.status == 201, answer.data
        return cls(stage, machine, call_id)

    def through(self, front: Server) -> Browser:
        """The same machine at another web server."""
        return Browser(front, self.machine.http, token=self.machine.token)

    def words(self, party: str, text: str, *, final: bool = True, key: str = "") -> dict[str, Any]:
        """The next utterance, or one with a key that was used before."""
        begin = self.at_ms + PAUSE_MS
        self.at_ms = begin + min(len(text), 100) * MS_PER_CHARACTER
        if not key:
            self.count += 1
        return {
            "utterance_id": key or f"u{self.count}", "party": party, "text": text, "begin_ms": begin,
            "end_ms": self.at_ms, "final": final,
        }  # fmt: skip

    async def post(self, words: dict[str, Any] | list[dict[str, Any]], to: Browser | None = None) -> Answer:
        """Utterances as they are given."""
        return await (to or self.machine).post(f"/api/calls/{self.call_id}/utterances", words)

    async def says(
        self, party: str, text: str, *, final: bool = True, key: str = "", to: Browser | None = None
    ) -> str:
        """One side says something; the utterance's id."""
        words = self.words(party, text, final=final, key=key)
        answer = await self.post(words, to)
        assert (answer.status, answer.data["outcome"]) == (202, "new"), answer.data
        return str(words["utterance_id"])

    async def answered(self, *keys: str) -> list[ev.AnyEvent]:
        """The log as soon as the worker is done with these utterances."""
        return await self.stage.until(self.call_id, lambda log: set(keys) <= {*after(log)})

    async def asked_and_told(self) -> list[ev.AnyEvent]:
        """An exchange after which a card is up."""
        await self.says("agent", ASK)
        return await self.answered(await self.says("customer", TELL))

    async def snapshot(self) -> dict[str, Any]:
        """The call as GET gives it, as soon as the worker has stored all that was said by now."""
        last = of(await self.stage.log.read(self.call_id), ev.UtteranceFinal)[-1].seq
        async with asyncio.timeout(LIMIT_S):
            while (shot := (await self.machine.get(f"/api/calls/{self.call_id}")).data)["seq"] < last:
                await asyncio.sleep(0.02)
        return dict(shot)

    async def ended(self) -> list[ev.AnyEvent]:
        """The log as soon as its last record is there."""
        return await self.stage.until(self.call_id, lambda log: any(of(log, ev.CallEnded)))


def of(log: list[ev.AnyEvent], kind: type[Any]) -> list[Any]:
    """The events of one kind."""
    return [event for event in log if isinstance(event, kind)]


def after(log: list[ev.AnyEvent]) -> list[str]:
    """The utterances that were answered, in that order."""
    return [event.after for event in of(log, ev.PanelEvent) if event.after]


def cards(log: list[ev.AnyEvent]) -> list[dict[str, Any]]:
    """The cards that were sent."""
    return [event.suggestion for event in of(log, ev.SuggestionEvent)]


def reactions(log: list[ev.AnyEvent]) -> list[tuple[str, str]]:
    """What became of cards."""
    return [(event.suggestion_id, event.action) for event in of(log, ev.FeedbackEvent)]


def card_up(log: list[ev.AnyEvent]) -> dict[str, Any]:
    """The card that is on the screen by the log."""
    up = next(event.changes["card"] for event in reversed(of(log, ev.PanelEvent)) if "card" in event.changes)
    return next(card for card in cards(log) if card["id"] == up)


@asynccontextmanager
async def nobody_else_notices(stage: Stage) -> AsyncIterator[Talk]:
    """Another agent's call goes on through what is done meanwhile: all its events come, once and in
    order, its next card too; no process died or wrote of a defect of its own."""
    neighbour = await Talk.begin(stage, "sun", front=1)
    await neighbour.answered(await neighbour.says("agent", ASK))
    feed = await neighbour.machine.call_feed(neighbour.call_id, after=0)
    got: list[int] = []

    async def read() -> None:
        async for message in feed.socket:
            got.append(json.loads(message.data)["seq"])

    reading = asyncio.create_task(read())
    starts, complaints = stage.starts(), stage.complaints()
    yield neighbour
    log = await neighbour.answered(await neighbour.says("customer", TELL))
    assert card_up(log)["text"]
    async with asyncio.timeout(LIMIT_S):
        while len(got) < len(log):
            await asyncio.sleep(0.01)
    assert got == [event.seq for event in log] == list(range(1, len(log) + 1))
    await feed.socket.close()
    await reading
    assert (stage.starts(), stage.complaints()) == (starts, complaints)
    await neighbour.machine.post(f"/api/calls/{neighbour.call_id}/end", {"at_ms": neighbour.at_ms})
